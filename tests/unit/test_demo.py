import pytest

import demo


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("HOST", "PORT", "SHARE", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"DEMO_{name}", raising=False)


def test_flags_stand_over_the_environment(monkeypatch):
    monkeypatch.setenv("DEMO_HOST", "0.0.0.0")  # noqa: S104
    monkeypatch.setenv("DEMO_PORT", "8000")
    monkeypatch.setenv("DEMO_SHARE", "true")
    settings = demo.read_settings(["--port", "9000"])
    assert (settings.host, settings.port, settings.share) == ("0.0.0.0", 9000, True)  # noqa: S104


def test_without_flags_the_page_is_for_this_machine():
    settings = demo.read_settings([])
    assert (settings.host, settings.share) == ("127.0.0.1", False)


@pytest.mark.parametrize(
    ("environment", "flags", "named"),
    [({"DEMO_PORT": "many"}, [], "DEMO_PORT"), ({}, ["--port", "70000"], "DEMO_PORT"), ({}, ["--prot", "1"], "--prot")],
)
def test_a_wrong_setting_is_named_and_ends_the_program(monkeypatch, capsys, environment, flags, named):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        demo.read_settings(flags)
    assert ended.value.code == 2
    assert named in capsys.readouterr().err


def test_help_names_flags_and_variables(capsys):
    with pytest.raises(SystemExit) as ended:
        demo.read_settings(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("--host", "--port", "--share", "DEMO_USERNAME", "7860"))


def test_without_any_model_the_start_says_what_to_do(settings_in, tmp_path, capsys):
    assert demo.serve(settings_in(tmp_path)) == 1
    assert "python -m experiments" in capsys.readouterr().err
