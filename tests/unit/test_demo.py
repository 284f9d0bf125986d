import queue
import subprocess
import sys
import threading

import pytest

import demo
from redaction import Redactor, protect_output


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("HOST", "PORT", "SHARE", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"DEMO_{name}", raising=False)


def test_flags_stand_over_the_environment(monkeypatch):
    monkeypatch.setenv("DEMO_HOST", "0.0.0.0")  # noqa: S104
    monkeypatch.setenv("DEMO_PORT", "8000")
    monkeypatch.setenv("DEMO_SHARE", "true")
    settings, opens_browser = demo.read_arguments(["--port", "9000"])
    assert not opens_browser
    assert (settings.host, settings.port, settings.share) == ("0.0.0.0", 9000, True)  # noqa: S104


def test_without_flags_the_page_is_for_this_machine():
    settings, _ = demo.read_arguments([])
    assert (settings.host, settings.share) == ("127.0.0.1", False)


@pytest.mark.parametrize(
    ("environment", "flags", "named"),
    [({"DEMO_PORT": "many"}, [], "DEMO_PORT"), ({}, ["--port", "70000"], "DEMO_PORT"), ({}, ["--prot", "1"], "--prot")],
)
def test_a_wrong_setting_is_named_and_ends_the_program(monkeypatch, capsys, environment, flags, named):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        demo.read_arguments(flags)
    assert ended.value.code == 2
    assert named in capsys.readouterr().err


def test_help_names_flags_and_variables(capsys):
    with pytest.raises(SystemExit) as ended:
        demo.read_arguments(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("--host", "--port", "--share", "--open", "DEMO_USERNAME", "7860"))


def test_without_any_model_the_start_says_what_to_do(settings_in, tmp_path, capsys):
    assert demo.serve(settings_in(tmp_path), Redactor([])) == 1
    assert "python -m experiments" in capsys.readouterr().err


class Key:
    """An operator's key as `demo.announce` takes it."""

    def __init__(self, text, is_made):
        self.text, self.is_made = text, is_made

    def new_ticket(self):
        return "ticket"


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (Key("made", True), "Operator: http://page/operator?key=made\n"),
        (Key("was set", False), "Operator: http://page/operator, with DEMO_OPERATOR_KEY\n"),
        (Key("", False), ""),
    ],
)
def test_a_key_that_was_made_is_printed_and_one_that_was_set_is_not(capsys, monkeypatch, key, line):
    for name in ("stdout", "stderr"):  # to be restored
        monkeypatch.setattr(sys, name, getattr(sys, name))
    redactor = Redactor([])
    redactor.hide(key.text)
    protect_output(redactor)
    demo.announce("http://page/", key, "", opens_browser=False)
    print(f"Later: {key.text or 'nothing'}")
    assert capsys.readouterr().out == (
        f"Ready: http://page/ (Ctrl-C stops it)\n{line}Later: {'***' if key.text else 'nothing'}\n"
    )


@pytest.fixture
def opened(monkeypatch):
    """The commands that are run to open a browser, by then in threads that have ended."""
    commands = queue.SimpleQueue()
    monkeypatch.setattr(subprocess, "run", lambda command, **options: commands.put((command, options)))
    return commands


def test_a_browser_is_opened_with_a_ticket_rather_than_with_the_key(opened, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("TERM", "xterm")
    for key, address in ((Key("set", False), "http://page/operator?ticket=ticket"), (Key("", False), "http://page/")):
        demo.announce("http://page/", key, "", opens_browser=True)
        command, options = opened.get(timeout=30)
        assert command[1:] == ["-m", "webbrowser", address]
        assert "TERM" not in options["env"]  # by which browsers for terminals are found
        assert options["start_new_session"]


def test_without_a_desktop_none_is_opened(opened, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    demo.open_browser("http://page/")
    assert opened.empty()


def test_a_browser_that_fails_fails_not_the_start(monkeypatch):
    def fail(*_arguments, **_options):
        raise FileNotFoundError

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(subprocess, "run", fail)
    demo.open_browser("http://page/")
    for thread in threading.enumerate():
        if thread.name == "browser":
            thread.join()
