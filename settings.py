"""Every setting of the project, typed, in one place: read from the environment and from `.env`."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent
RATE = r"^[1-9][0-9]{0,8}/(second|minute|hour|day)$"


def networks(text: str) -> str:
    """Addresses or networks, with commas. Raises ValueError for what is none."""
    for name in filter(None, map(str.strip, text.split(","))):
        ipaddress.ip_network(name, strict=False)
    return text


class Settings(BaseSettings):
    """What can be set from outside. A wrong value raises pydantic's ValidationError, which names it."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", env_ignore_empty=True, extra="ignore")

    data_dir: Path = Field(ROOT / "data", description="cache of downloaded data sets")
    models_dir: Path = Field(ROOT / "models", description="bundles shipped with the repository")
    artifact_dir: Path = Field(ROOT / "mlartifacts", description="MLflow artifacts and exported bundles")
    mlflow_tracking_uri: str = Field(f"sqlite:///{ROOT / 'mlflow.db'}", description="store of runs and registry")
    reports_dir: Path = Field(ROOT / "reports", description="where `python -m experiments drawn` puts its pictures")
    drawn_strokes: Path | None = Field(None, description="file of real pen strokes to evaluate on; empty: none")
    drawn_letters: Path | None = Field(None, description="file of real letters that should be refused; empty: none")

    demo_host: str = Field("127.0.0.1", description="address the page listens on")
    demo_port: int = Field(7860, ge=1, le=65535, description="port of the page; the next free one if taken")
    demo_share: bool = Field(False, description="also open a temporary public link")
    demo_username: str = Field("", description="login name; empty: no login")
    demo_password: SecretStr = Field(SecretStr(""), description="password that goes with demo_username")

    history: bool = Field(True, description="keep what was answered; live mode is never kept")
    database_url: str = Field("", description="SQLAlchemy URL of the history; empty: history.db in artifact_dir")
    history_days: int = Field(90, ge=1, description="days after which an answer is forgotten")
    history_rows: int = Field(100_000, ge=1, description="answers kept at most; corrected ones are kept beyond both")
    client_key: SecretStr = Field(SecretStr(""), description="key that hashes clients; empty: made in artifact_dir")

    operator_key: SecretStr = Field(SecretStr(""), description="key of the operator's tabs and routes; empty: none")
    trusted_proxies: Annotated[str, AfterValidator(networks)] = Field("", description="proxies to believe")
    allowed_hosts: str = Field("", description="host names that requests may be sent to; empty: any")
    cors_origins: str = Field("", description="origins whose pages may call the API; empty: none")

    rate_limit: Literal["on", "off"] = Field("on", description="whether the rates below hold")
    rate_limit_api: str = Field("60000/minute", pattern=RATE, description="pictures a client may send to the API")
    rate_limit_page: str = Field("1200/minute", pattern=RATE, description="drawings a client may submit on the page")
    rate_limit_feedback: str = Field("240/minute", pattern=RATE, description="corrections a client may send")
    quarantine_rows: int = Field(10_000, ge=1, description="corrections that wait for review at most, a data set")
    max_image_mb: int = Field(10, ge=1, le=100, description="MiB of one picture")
    max_batch_mb: int = Field(64, ge=1, le=1000, description="MiB of one batch, unpacked too")
    max_batch_images: int = Field(2000, ge=1, description="pictures of one batch")
    max_training_images: int = Field(20_000, ge=1, description="pictures of one upload of training data")
    max_requests: int = Field(512, ge=1, description="API requests taken at a time; more get 503")
    max_waiting_mb: int = Field(256, ge=1, description="MiB that these hold together; more get 503")
    workers: int = Field(2, ge=0, le=64, description="processes that decode and prepare pictures; 0: threads do")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="what is logged")
    log_json: bool = Field(False, description="log JSON lines rather than text")
    log_file: Path | None = Field(None, description="also log to this file, rotated at 10 MB; empty: no file")

    repository_url: str = Field("", description="shown on the page and in the report; empty: left out")
    image_url: str = Field("", description="container image, likewise")
    video_url: str = Field("", description="video tour, likewise")
    deployment_url: str = Field("", description="public deployment, likewise")
