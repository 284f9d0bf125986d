import base64
import html
import io
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from redaction import HIDDEN, RedactedStream, Redactor

WAYS = {
    "plain": str,
    "quoted in a path": quote,
    "quoted in a URL": lambda secret: quote(secret, safe=""),
    "quoted in a form": quote_plus,
    "HTML": html.escape,
    "JSON": json.dumps,
    "JSON with letters of its own": lambda secret: json.dumps(secret, ensure_ascii=False),
    "a literal": repr,
    "a literal of bytes": lambda secret: repr(secret.encode()),
    "a literal within JSON": lambda secret: json.dumps(repr(secret)),
    "a login": lambda secret: base64.b64encode(f"ann:{secret}".encode()).decode(),
    "a login of any name": lambda secret: base64.b64encode(f"another one:{secret}".encode()).decode(),
}


@pytest.mark.parametrize("way", WAYS)
@given(secret=st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=8))
def test_a_secret_is_hidden_however_it_is_written(way, secret):
    written = WAYS[way](secret)
    assert written not in Redactor([secret]).redact(f"The key is {written}, and more.")


def test_every_secret_of_settings_and_environment_is_known(settings):
    given = settings.model_copy(
        update={
            "operator_key": SecretStr("the operator's key"),
            "password": SecretStr("the login's password"),
            "client_key": SecretStr("the client's key"),
            "username": "ann",
            "database_url": "postgresql+psycopg://digits:of%20the%20base@db/digits?sslpassword=of-the-certificate",
            "mlflow_tracking_uri": "https://ann:of-mlflow@mlflow.example",
        }
    )
    variables = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "HF_TOKEN")
    environment = {name: f"value of {name.lower()}" for name in variables}
    environment |= {
        "HTTPS_PROXY": "http://ann:of-the-proxy@proxy:3128",
        "HOME": "/home/ann",
        "MLFLOW_EXPERIMENT": "ten",
    }
    secrets = ("the operator's key", "the login's password", "the client's key", "of the base", "of%20the%20base")
    secrets += ("of-the-certificate", "of-mlflow", "of-the-proxy", *(f"value of {name.lower()}" for name in variables))
    redact = Redactor.of(given, environment).redact
    for secret in secrets:
        assert redact(f"<{secret}>") == f"<{HIDDEN}>"
    assert redact("In /home/ann, of the ten") == "In /home/ann, of the ten"


def test_short_passwords_are_hidden_where_they_can_be_told_from_words(settings):
    given = settings.model_copy(update={"username": "ann", "password": SecretStr("a"), "operator_key": SecretStr("")})
    redact = Redactor.of(given, {}).redact
    assert redact("An answer") == "An answer"
    assert redact(f"Basic {base64.b64encode(b'ann:a').decode()}") == f"Basic {HIDDEN}="


def test_the_password_of_any_url_is_hidden():
    redact = Redactor([]).redact
    assert redact("at postgresql://ann:x@db/digits now") == f"at postgresql://ann:{HIDDEN}@db/digits now"
    assert redact("http://127.0.0.1:7860/a@b") == "http://127.0.0.1:7860/a@b"


@pytest.mark.parametrize("password", ["a/b/c:d", "b%2Fb/c", "p4ss@w0rd"])
def test_a_password_that_should_have_been_quoted_is_known(password, settings):
    given = settings.model_copy(update={"database_url": f"postgresql://ann:{password}@db/digits"})
    assert redact_all(given, f"password authentication failed: {password}") == "password authentication failed: ***"


def redact_all(settings, text):
    return Redactor.of(settings, {}).redact(text)


def test_a_stream_hides_secrets_and_is_a_stream_all_the_same():
    inner = io.StringIO()
    stream = RedactedStream(inner, Redactor(["secret"]).redact)
    print("a secret", file=stream, flush=True)
    stream.writelines(["no ", "secret\n"])
    assert inner.getvalue() == f"a {HIDDEN}\nno {HIDDEN}\n"
    assert not stream.isatty()
