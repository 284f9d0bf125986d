"""No secret is committed: nothing that looks like a key, a token or a password of someone's."""

import re
import subprocess

import pytest

from settings import ROOT

LOOKS_SECRET = re.compile(  # in bytes, since most of what is searched is models and pictures
    rb"-----BEGIN [A-Z ]*PRIVATE KEY"
    rb"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # Amazon
    rb"|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{60,}"
    rb"|\bdckr_pat_[A-Za-z0-9_-]{20,}"  # Docker Hub
    rb"|\bhf_[A-Za-z0-9]{30,}"  # Hugging Face
    rb"|\bpypi-[A-Za-z0-9_-]{50,}"
    rb"|\bxox[abprs]-[A-Za-z0-9-]{10,}"  # Slack
    rb"|\bAIza[A-Za-z0-9_-]{35}"  # Google
    rb"|\bsk-[A-Za-z0-9_-]{32,}"
    rb"|\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\."  # a JSON Web Token
)
NAMES = "PASSWORD|SECRET|TOKEN|API_KEY|OPERATOR_KEY|CLIENT_KEY"
ASSIGNED = re.compile(rf"^[#\s-]*[A-Z_]*(?:{NAMES})[ ]*[=:][ ]*(\S+)", re.MULTILINE)
REFERENCE = re.compile(r"[\"']?\$")  # to the environment


def committed():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_holds_what_looks_like_a_secret():
    assert [str(path) for path in committed() if LOOKS_SECRET.search(path.read_bytes())] == []


def test_no_setting_has_a_password_by_default():
    files = [path for path in committed() if path.name == ".env.example" or path.suffix in {".yml", ".yaml", ".conf"}]
    assert files
    assigned = [(path.name, value) for path in files for value in ASSIGNED.findall(path.read_text())]
    assert [pair for pair in assigned if not REFERENCE.match(pair[1])] == []


def test_no_file_of_settings_or_keys_is_committed():
    private = {".env", "client.key", "id_rsa", "id_ed25519"}
    assert [path for path in committed() if path.name in private or path.suffix in {".pem", ".p12"}] == []


@pytest.mark.parametrize("secret", ["AKIA" + "ABCDEFGH12345678", "ghp_" + "a" * 36, "-----BEGIN " + "PRIVATE KEY-----"])
def test_a_secret_would_be_seen(secret):
    assert LOOKS_SECRET.search(f"key = '{secret}'".encode())
