"""Every setting of the project, typed, in one place: read from the environment and from `.env`."""

import ipaddress
import logging
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

ROOT = Path(__file__).resolve().parent
RATE = r"^[1-9][0-9]{0,8}/(second|minute|hour|day)$"
ENV_FILE = ROOT / ".env"
PREFIX = "DEMO_"
UNPREFIXED = {"DATABASE_URL", "DRAWN_LETTERS", "DRAWN_STROKES", "MLFLOW_TRACKING_URI"}
"""Variables that keep their names, since other programs mean the same by them, or the tests do."""
UNAMBIGUOUS = {
    "DEPLOYMENT_URL", "HISTORY_DAYS", "HISTORY_ROWS", "MAX_BATCH_IMAGES", "MAX_BATCH_MB", "MAX_TRAINING_IMAGES",
    "MAX_WAITING_MB", "OPERATOR_KEY", "QUARANTINE_ROWS", "RATE_LIMIT_FEEDBACK", "RATE_LIMIT_PAGE",
}  # fmt: skip
"""Former names that still count in the process environment, since no other program is known to read them."""


class SettingsError(ValueError):
    """Settings that can't be used; the text names the variables that are wrong."""


def networks(text: str) -> str:
    """Accept comma-separated addresses or networks. Raises ValueError for anything else."""
    for name in filter(None, map(str.strip, text.split(","))):
        ipaddress.ip_network(name, strict=False)
    return text


def address(text: str) -> str:
    """Return an address or host name without the brackets that it has in a URL. Raises ValueError for anything else."""
    name = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        ipaddress.ip_address(name)
    except ValueError:
        if re.search(r"[\s/:@?#*\[\]]", name):
            message = f"{text!r} is no address or host name, such as 127.0.0.1, ::1 or localhost; DEMO_PORT is the port"
            raise ValueError(message) from None
    return name


def host_names(text: str) -> str:
    """Accept comma-separated host names, also with a scheme, a port or a `*`. Raises ValueError for anything else."""
    for name in filter(None, map(str.strip, text.split(","))):
        if not re.fullmatch(r"(https?://)?(\[[0-9a-fA-F:.]+\]|[\w.*-]+)(:[0-9]+)?/?", name):
            raise ValueError(f"{name!r} is no host name such as digits.example.com or *.example.com")
    return text


def database(text: str) -> str:
    """Accept the URL of a database that the history can be in. Raises ValueError for anything else."""
    if text and not re.match(r"(sqlite(\+pysqlite)?:///|postgres(ql)?(\+\w+)?://)", text):
        raise ValueError("it takes postgresql://USER:PASSWORD@HOST/NAME or sqlite:///FILE")
    return text


def sqlite_url(path: Path) -> str:
    """Return SQLAlchemy's URL of a database in a file, whatever its path. Signs that mean something there are quoted,
    which MLflow overlooks, though not under the longer name: it would make a folder of the quoted name."""
    quoted = str(path).replace("%", "%25").replace("?", "%3F")
    return f"sqlite:///{quoted}" if quoted == str(path) else f"sqlite+pysqlite:///{quoted}"


def origins(text: str) -> str:
    """Accept comma-separated origins, or `self`. Raises ValueError for anything else."""
    for name in filter(None, map(str.strip, text.split(","))):
        if name != "self" and not re.fullmatch(r"https?://[a-z0-9.*-]+(:[0-9]+)?", name):
            raise ValueError(f"{name!r} is no origin such as https://example.com")
    return text


class Settings(BaseSettings):
    """The settings. Flags win over the environment, which wins over `.env`; former names come last.

    Read them by `load`, whose errors name the variables.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True,
        env_file_encoding="utf-8-sig", str_strip_whitespace=True,
    )  # fmt: skip

    data_dir: Path = Field(ROOT / "data", description="cache of downloaded data sets")
    models_dir: Path = Field(ROOT / "models", description="bundles shipped with the repository")
    artifact_dir: Path = Field(ROOT / "mlartifacts", description="MLflow artifacts and exported bundles")
    mlflow_tracking_uri: str = Field(
        sqlite_url(ROOT / "mlflow.db"), description="store of runs and registry", repr=False
    )
    sweep_database_url: str = Field(
        "", description="SQLAlchemy URL of sweeps' trials; empty: sweeps.db in DEMO_ARTIFACT_DIR", repr=False
    )
    reports_dir: Path = Field(ROOT / "reports", description="where `python -m experiments` writes misread pictures")
    drawn_strokes: Path | None = Field(None, description="file of real pen strokes to evaluate on; empty: none")
    drawn_letters: Path | None = Field(None, description="file of real letters, which should be rejected; empty: none")

    host: Annotated[str, AfterValidator(address)] = Field("127.0.0.1", description="address the page listens on")
    port: int = Field(7860, ge=1, le=65535, description="port of the page; the next free one if taken")
    share: bool = Field(False, description="also open a temporary public link")
    username: str = Field("", description="login name; empty: no login")
    password: SecretStr = Field(SecretStr(""), description="password of that login")
    mcp: bool = Field(False, description="also give language models two tools, by MCP at /gradio_api/mcp")

    live: bool = Field(True, description="answer each stroke on the Draw tab, unless the visitor unticks it")
    history: bool = Field(True, description="keep a history of answers; live mode is never kept")
    database_url: Annotated[str, AfterValidator(database)] = Field(
        "", description="SQLAlchemy URL of the history; empty: history.db in DEMO_ARTIFACT_DIR", repr=False
    )
    history_days: int = Field(90, ge=1, description="days after which an answer is deleted")
    history_rows: int = Field(100_000, ge=1, description="answers kept at most; corrected ones are kept beyond both")
    share_answers: bool = Field(True, description="let visitors share answers by link; needs the history")
    client_key: SecretStr = Field(SecretStr(""), description="key that hashes clients; empty: a random one")

    operator_key: SecretStr = Field(SecretStr(""), description="the operator's key; empty: one is made at each start")
    trusted_proxies: Annotated[str, AfterValidator(networks)] = Field("", description="proxies to trust")
    allowed_hosts: Annotated[str, AfterValidator(host_names)] = Field(
        "", description="host names that the server answers to beside localhost; * is any part; empty: any"
    )
    cors_origins: str = Field("", description="origins whose pages may call the API; empty: none")
    frame_ancestors: Annotated[str, AfterValidator(origins)] = Field(
        "https://huggingface.co", description="origins whose pages may embed the page; self: none but its own"
    )

    trainer: Literal["page", "service"] = Field("page", description="who retrains: page or `python -m serving trainer`")
    retrain_after: int = Field(0, ge=0, description="newly accepted corrections that start a retraining; 0: none do")
    retrain_every_hours: int = Field(0, ge=0, description="hours after which new ones start a retraining; 0: none do")

    rate_limit: Literal["on", "off"] = Field("on", description="whether the rates below apply")
    rate_limit_api: str = Field("60000/minute", pattern=RATE, description="pictures a client may send to the API")
    rate_limit_page: str = Field("1200/minute", pattern=RATE, description="drawings a client may submit on the page")
    rate_limit_feedback: str = Field(
        "240/minute", pattern=RATE, description="corrections a client may send, and links it may make"
    )
    rate_limit_login: str = Field("30/minute", pattern=RATE, description="logins and keys a client may try, evenly")
    rate_limit_upload: str = Field("300/minute", pattern=RATE, description="MiB a client may upload to the page")
    max_pending_corrections: int = Field(10_000, ge=1, description="corrections pending review at most, per data set")
    max_image_mb: int = Field(10, ge=1, le=100, description="MiB of one picture")
    max_batch_mb: int = Field(64, ge=1, le=1000, description="MiB of one batch, also unpacked")
    max_batch_images: int = Field(2000, ge=1, description="pictures of one batch")
    max_training_images: int = Field(20_000, ge=1, description="pictures of one upload of training data")
    max_requests: int = Field(512, ge=1, description="API requests at a time, half by one client; more get 503")
    max_waiting_mb: int = Field(256, ge=1, description="MiB of bodies at a time, half by one client; more get 503")
    max_connections: int = Field(256, ge=1, description="open connections of a client at most; any number of a proxy")
    max_cache_mb: int = Field(512, ge=1, description="MiB of files that the page keeps for visitors, oldest out first")
    workers: int = Field(2, ge=0, le=64, description="processes that decode pictures; 0: threads, unprotected")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least severe messages logged")
    log_json: bool = Field(False, description="log JSON lines instead of text")
    log_file: Path | None = Field(None, description="also log to this file, rotated at 10 MB; empty: no file")

    repository_url: str = Field("", description="shown on the page and in the report; empty: left out")
    image_url: str = Field("", description="container image, likewise")
    video_url: str = Field("", description="video tour, likewise")
    deployment_url: str = Field("", description="public deployment, likewise")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add the names without a prefix, former ones among them."""
        env_file = dotenv_settings.env_file if isinstance(dotenv_settings, DotEnvSettingsSource) else None
        former = former_variables()
        counting = {field: name for field, name in former.items() if name in UNPREFIXED | UNAMBIGUOUS}
        environment = _by_names(EnvSettingsSource(settings_cls, env_prefix=""), counting)
        file = _by_names(DotEnvSettingsSource(settings_cls, env_file, env_prefix=""), former)
        return init_settings, env_settings, dotenv_settings, environment, file, file_secret_settings


def load(env_file: Path | None = ENV_FILE, **flags: Any) -> Settings:
    """Read the settings, flags first. Raises SettingsError."""
    try:
        return Settings(_env_file=env_file, **flags)
    except ValidationError as error:
        variables = [_set_variable(str(fault["loc"][0]), env_file) for fault in error.errors()]
        messages = [fault["msg"] for fault in error.errors()]
        raise SettingsError("; ".join(map(": ".join, zip(variables, messages, strict=True)))) from None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingsError(f"{env_file} can't be read ({reason}). Mend or delete it.") from None


def variable(field: str) -> str:
    """The environment variable of a field."""
    name = field.upper()
    return name if name in UNPREFIXED else f"{PREFIX}{name}"


def former_variables() -> dict[str, str]:
    """Field -> variable before there was a prefix, but for those that always had it."""
    prefixed = ("host", "port", "share", "username", "password")
    former = {field: field.upper() for field in Settings.model_fields if field not in prefixed}
    return former | {"max_pending_corrections": "QUARANTINE_ROWS"}


def warn_of_former_names(env_file: Path | None = ENV_FILE) -> None:
    """Log which variables are set by their former names: in a line those that count, in another those that don't."""
    environment, file = _set_variables(env_file)
    counting, ignored = list[str](), list[str]()
    for field, former in former_variables().items():
        counts = former in file or (former in environment and former in UNAMBIGUOUS)
        replaced = variable(field) in environment | file
        if counts and not replaced:
            counting.append(f"{former} (now {variable(field)})")
        elif former != variable(field) and (counts or (former in environment and not replaced)):
            ignored.append(f"{former} (now {variable(field)})")
    log = logging.getLogger(__name__)
    if counting:
        log.warning("Settings under deprecated names: %s.", ", ".join(counting))
    if ignored:
        log.warning("Ignored variables, which settings no longer read: %s.", ", ".join(ignored))


def _by_names(source: EnvSettingsSource, names: dict[str, str]) -> EnvSettingsSource:
    """Let a source without a prefix find values of fields under these names."""
    lower = {field: name.lower() for field, name in names.items()}
    source.env_vars = {field: source.env_vars[name] for field, name in lower.items() if name in source.env_vars}
    return source


def _set_variables(env_file: Path | None) -> tuple[set[str], set[str]]:
    """Names of the variables in the process environment and in `.env`."""
    sources = EnvSettingsSource(Settings), DotEnvSettingsSource(Settings, env_file)
    environment, file = ({name.upper() for name in source.env_vars} for source in sources)
    return environment, file


def _set_variable(field: str, env_file: Path | None) -> str:
    """The variable that a field's value came from."""
    names = set[str]().union(*_set_variables(env_file))
    former = former_variables().get(field, "")
    return former if former in names and variable(field) not in names else variable(field)
