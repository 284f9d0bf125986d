"""Every setting of the project, typed, in one place: read from the environment and from `.env`."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent


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

    repository_url: str = Field("", description="shown on the page and in the report; empty: left out")
    image_url: str = Field("", description="container image, likewise")
    video_url: str = Field("", description="video tour, likewise")
    deployment_url: str = Field("", description="public deployment, likewise")
