"""docs/security.md: its table of limits is that of the settings and constants, and its files exist."""

import importlib
import re

import pytest

from settings import ROOT, Settings, variable

TEXT = (ROOT / "docs" / "security.md").read_text()
(TABLE,) = re.findall(r"<!-- limits -->\n(.*?)\n<!-- /limits -->", TEXT, re.DOTALL)
LIMITS = re.findall(r"^\| .+ \| (.+) \| `([\w.]+)` \|$", TABLE, re.MULTILINE)
SETTINGS = {variable(name): field.default for name, field in Settings.model_fields.items()}
UNITS = {"": 1, "s": 1, "KiB": 1024, "MiB": 1024**2}


def in_force(name):
    """The limit by the code: of a rate its number, of sizes their bytes where it is a constant of bytes."""
    if name in SETTINGS:
        return SETTINGS[name]
    module, _, constant = name.rpartition(".")
    return getattr(importlib.import_module(module), constant)


@pytest.mark.parametrize(("text", "name"), LIMITS, ids=[name for _, name in LIMITS])
def test_a_limit_is_that_of_the_code(text, name):
    limit = in_force(name)
    if isinstance(limit, str):
        assert text.replace(",", "").replace(" a ", "/") == limit
        return
    number, _, unit = text.replace(",", "").partition(" ")
    assert limit == float(number) * (1 if "_MB" in name else UNITS[unit])


def test_every_limit_that_is_set_is_in_the_table():
    limits = {name for name in SETTINGS if re.match(r"DEMO_(RATE_LIMIT_|MAX_)", name)}
    assert len(LIMITS) == TABLE.count("\n") - 1
    assert limits <= {name for _, name in LIMITS}


def test_what_stands_behind_a_promise_exists():
    named = re.findall(r"`((?:serving|experiments)/[\w/.]+)`", TEXT)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
