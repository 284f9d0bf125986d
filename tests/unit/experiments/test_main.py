"""The command line of the experiments: every command, and an answer to every mistake."""

import signal
import subprocess
import sys

import pytest

from experiments.__main__ import main
from settings import ROOT


@pytest.fixture(autouse=True)
def empty_store(store, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("DEMO_ARTIFACT_DIR", str(tmp_path / "mlartifacts"))


@pytest.fixture
def command(capsys):
    """`python -m experiments …`: its exit status, output and error output."""
    handler = signal.getsignal(signal.SIGTERM)

    def command(*words: str) -> tuple[int, str, str]:
        try:
            status = main(words)
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    yield command
    signal.signal(signal.SIGTERM, handler)


def test_an_empty_store_is_said_to_be_empty(command) -> None:
    status, printed, _ = command("compare")
    assert status == 0
    assert "no runs yet" in printed
    status, printed, _ = command("links")
    assert status == 0
    assert "MLflow's page: http://127.0.0.1:5000" in printed
    assert "cifar10, runs: none yet" in printed


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("promote", "7"), 1, "no version '7'"),
        (("--runs", "best,baseline"), 1, "There is no run best"),
        (("--epochs", "0"), 2, "not a whole number from 1 up"),
        (("--dataset", "letters"), 2, "invalid choice"),
        (("celebrate",), 2, "invalid choice"),
        (("recalibrate", "--bundle", "nowhere"), 1, "nowhere/model.json can't be read"),
    ],
)
def test_mistakes_are_answered_in_words(command, arguments, status, words) -> None:
    ended, _, complaint = command(*arguments)
    assert ended == status
    assert words in complaint


def test_the_program_ends_with_its_status_and_no_traceback() -> None:
    command = [sys.executable, "-m", "experiments", "rollback"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no earlier Production version" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_command(command) -> None:
    _, printed, _ = command("--help")
    assert all(
        word in printed
        for word in ("run", "sweep", "compare", "promote", "rollback", "recalibrate", "--seed", "--epochs", "--runs")
    )
