import logging
import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from experiments.registry.locking import sqlite_file
from settings import (
    UNAMBIGUOUS,
    Settings,
    SettingsError,
    former_variables,
    load,
    sqlite_url,
    variable,
    warn_of_former_names,
)

FORMER = {field: name for field, name in former_variables().items() if name != variable(field)}
LEVELS = st.sampled_from(["DEBUG", "INFO", "WARNING", "ERROR"])
SAMPLES = {
    name: {bool: str(not field.default), int: "7"}.get(field.annotation, f"sample of {name}")
    for name, field in Settings.model_fields.items()
} | {"host": "digits.example", "allowed_hosts": "*.example", "database_url": "sqlite:///a.db"}
SAMPLES |= {
    "trusted_proxies": "10.0.0.7",
    "frame_ancestors": "https://a.example",
    "rate_limit": "off",
    "trainer": "service",
    "log_level": "ERROR",
}
SAMPLES |= {name: "7/day" for name in SAMPLES if name.startswith("rate_limit_")}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in {*map(variable, Settings.model_fields), *FORMER.values()} & set(os.environ):
        monkeypatch.delenv(name)


@pytest.fixture
def env_file(tmp_path):
    return tmp_path / ".env"


def values(settings):
    """Comparable, secrets too."""
    return {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in settings}


def sample(name):
    return values(Settings(_env_file=None, **{name: SAMPLES[name]}))


def test_all_variables_have_the_prefix_but_those_that_others_share():
    shared = {name for name in map(variable, Settings.model_fields) if not name.startswith("DEMO_")}
    assert shared == {"MLFLOW_TRACKING_URI", "DATABASE_URL", "DRAWN_STROKES", "DRAWN_LETTERS"}
    assert set(FORMER.values()) > UNAMBIGUOUS
    assert not UNAMBIGUOUS & {"LOG_LEVEL", "HISTORY", "WORKERS", "DATA_DIR", "PORT", "HOST"}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_is_read_from_its_variable_in_the_environment_and_in_the_file(name, monkeypatch, env_file):
    env_file.write_text(f"{variable(name)}={SAMPLES[name]}\n")
    assert values(load(env_file)) == sample(name) != values(load(None))
    monkeypatch.setenv(variable(name), SAMPLES[name])
    assert values(load(None)) == sample(name)


@pytest.mark.parametrize("name", FORMER)
def test_a_former_name_counts_in_the_file_and_in_the_environment_if_no_other_program_uses_it(
    name, monkeypatch, env_file
):
    former, default = FORMER[name], values(load(None))
    env_file.write_text(f"{former}={SAMPLES[name]}\n")
    assert values(load(env_file)) == sample(name)
    monkeypatch.setenv(former, SAMPLES[name])
    assert values(load(None)) == (sample(name) if former in UNAMBIGUOUS else default)


@pytest.mark.parametrize("text", ["huggingface.co", "https://a.example; script-src *", "*", "https://a.example/path"])
def test_only_origins_may_embed_the_page(text):
    assert load(None, frame_ancestors="https://a.example, http://*.b.example:8000, self")
    with pytest.raises(SettingsError, match="is no origin"):
        load(None, frame_ancestors=text)


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("host", "[::1]", "::1"),
        ("host", " 127.0.0.1\r", "127.0.0.1"),
        ("host", "fe80::1%eth0", "fe80::1%eth0"),
        ("port", " 8000 ", 8000),
        ("allowed_hosts", "a.example, https://b.example:443/, [::1]:80, *.c.example", None),
        ("database_url", "postgres://ann@db/digits", None),
        ("database_url", "sqlite:///history.db", None),
    ],
)
def test_what_a_setting_may_look_like(field, given, kept):
    assert getattr(load(None, **{field: given}), field) == (given if kept is None else kept)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *(("host", text) for text in ("http://127.0.0.1", "127.0.0.1:8000", "*", "a b", "ann@host", "[::1]:80")),
        *(("allowed_hosts", text) for text in ("a b", "http://", "a.example/path", "ann@a.example")),
        *(("database_url", text) for text in ("mysql://db/digits", "history.db", "sqlite:history.db", "/history.db")),
        *(("port", text) for text in ("0", "-1", "99999", "abc", "80.5")),
    ],
)
def test_what_no_setting_can_be_is_told_by_its_name(field, wrong):
    with pytest.raises(SettingsError, match=rf"^{variable(field)}: ") as refused:
        load(None, **{field: wrong})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", ["DEMO_PORT=8123\n", "\ufeffDEMO_PORT=8123\r\n"])
def test_a_file_of_settings_may_come_from_windows(env_file, content):
    env_file.write_bytes(content.encode())
    assert load(env_file).port == 8123


def test_a_file_of_settings_that_is_not_utf8_is_named(env_file):
    env_file.write_bytes("DEMO_PORT=8123".encode("utf-16"))
    with pytest.raises(SettingsError, match=rf"{env_file} can't be read \(it is not UTF-8\)"):
        load(env_file)


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20))
@example("größe ünd 数字 #?%&'\" %20+;x=1@:")
def test_a_path_of_any_characters_is_the_file_of_its_url(name):
    path = Path("/folder") / name / "history.db"
    url = sqlite_url(path)
    assert sqlite_file(url) == path
    assert sa.make_url(url).database == str(path)
    assert not sa.make_url(url).query


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "http://mlflow", "postgresql://db/x"])
def test_only_a_database_in_a_file_has_one(url):
    assert sqlite_file(url) is None


@pytest.mark.parametrize("name", ["HOST", "PORT", "SHARE", "USERNAME", "PASSWORD", "DEMO_QUARANTINE_ROWS"])
def test_no_name_counts_that_never_did(name, monkeypatch, env_file):
    default = values(load(None))
    env_file.write_text(f"{name}=1234\n")
    monkeypatch.setenv(name, "1234")
    assert values(load(env_file)) == default


@given(
    flag=LEVELS | st.none(),
    environment=LEVELS | st.none(),
    file=LEVELS | st.none(),
    former_environment=LEVELS | st.none(),
    former_file=LEVELS | st.none(),
)
def test_flags_win_then_the_environment_then_the_file_then_former_names(
    tmp_path_factory, flag, environment, file, former_environment, former_file
):
    env_file = tmp_path_factory.mktemp("settings") / ".env"
    written = {"DEMO_LOG_LEVEL": file, "LOG_LEVEL": former_file}
    env_file.write_text("".join(f"{name}={value}\n" for name, value in written.items() if value))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"DEMO_LOG_LEVEL": environment, "LOG_LEVEL": former_environment}.items():
            patch.setenv(name, value or "")  # an empty one is as good as none
        flags = {"log_level": flag} if flag else {}
        assert load(env_file, **flags).log_level == (flag or environment or file or former_file or "INFO")


@pytest.mark.parametrize(
    ("environment", "file", "flags", "named"),
    [
        ({"DEMO_PORT": "many"}, "", {}, "DEMO_PORT"),
        ({}, "DEMO_PORT=many", {}, "DEMO_PORT"),
        ({}, "", {"port": 70_000}, "DEMO_PORT"),
        ({"QUARANTINE_ROWS": "0"}, "", {}, "QUARANTINE_ROWS"),
        ({}, "LOG_LEVEL=loud", {}, "LOG_LEVEL"),
        ({"DEMO_LOG_LEVEL": "loud"}, "LOG_LEVEL=INFO", {}, "DEMO_LOG_LEVEL"),
        ({"LOG_LEVEL": "other"}, "DEMO_LOG_LEVEL=loud", {}, "DEMO_LOG_LEVEL"),
    ],
)
def test_an_error_names_the_variable_that_was_set(monkeypatch, env_file, environment, file, flags, named):
    env_file.write_text(file)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=rf"^{named}: Input should be"):
        load(env_file, **flags)


def test_an_error_names_every_wrong_setting(env_file):
    env_file.write_text("DEMO_PORT=0\nRATE_LIMIT_API=fast\n")
    with pytest.raises(SettingsError, match=r"^DEMO_PORT: .*; RATE_LIMIT_API: "):
        load(env_file)


IGNORED, DEPRECATED = "Ignored variables, which settings no longer read: ", "Settings under deprecated names: "


@pytest.mark.parametrize(
    ("environment", "file", "message"),
    [
        ({"DEMO_LOG_LEVEL": "INFO"}, "DEMO_WORKERS=1", None),
        ({"LOG_LEVEL": "INFO", "DEMO_LOG_LEVEL": "INFO"}, "", None),  # the former is another program's
        (
            {"LOG_LEVEL": "INFO", "HISTORY": "50"}, "",
            f"{IGNORED}HISTORY (now DEMO_HISTORY), LOG_LEVEL (now DEMO_LOG_LEVEL).",
        ),
        (
            {"OPERATOR_KEY": "x"}, "DEMO_OPERATOR_KEY=y",
            f"{IGNORED}OPERATOR_KEY (now DEMO_OPERATOR_KEY).",
        ),
        (
            {"QUARANTINE_ROWS": "9"}, "WORKERS=1",
            f"{DEPRECATED}QUARANTINE_ROWS (now DEMO_MAX_PENDING_CORRECTIONS), WORKERS (now DEMO_WORKERS).",
        ),
    ],
)  # fmt: skip
def test_former_names_are_logged_in_one_line(monkeypatch, env_file, caplog, environment, file, message):
    env_file.write_text(file)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level(logging.WARNING):
        warn_of_former_names(env_file)
    assert caplog.messages == ([message] if message else [])


def test_settings_show_no_secret(env_file):
    secrets = ("operator_key", "password", "client_key")
    urls = dict.fromkeys(("database_url", "mlflow_tracking_uri"), "postgresql://ann:never-shown@db/digits")
    given = load(None, **urls, **dict.fromkeys(secrets, "never-shown"))
    assert "never-shown" not in f"{given!r} {given}"
    with pytest.raises(SettingsError) as caught:
        load(env_file, port="never-shown", database_url=["never-shown"], operator_key=["never-shown"])
    assert "never-shown" not in str(caught.value)
