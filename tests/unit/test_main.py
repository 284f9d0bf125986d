"""The command line of the experiments: every command, and an answer to every mistake."""

import os
import subprocess
import sys

import pytest

from settings import ROOT


@pytest.fixture
def command(empty_database, tmp_path):
    """Runs `python -m experiments …` on an empty store of its own."""
    (tmp_path / "mlflow.db").write_bytes(empty_database.read_bytes())
    changes = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}", "ARTIFACT_DIR": str(tmp_path / "art")}

    def run(*arguments: str) -> subprocess.CompletedProcess:
        words = [sys.executable, "-m", "experiments", *arguments]
        environment = os.environ | changes
        return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    return run


def test_an_empty_store_is_said_to_be_empty(command) -> None:
    done = command("compare")
    assert done.returncode == 0
    assert "no runs yet" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("promote", "7"), 1, "no version '7'"),
        (("rollback",), 1, "no earlier Production version"),
        (("--runs", "best,baseline"), 1, "There is no run best"),
        (("--epochs", "0"), 2, "not a whole number from 1 up"),
        (("--dataset", "letters"), 2, "invalid choice"),
        (("celebrate",), 2, "invalid choice"),
    ],
)
def test_mistakes_are_answered_in_words(command, arguments, status, words) -> None:
    done = command(*arguments)
    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_command(command) -> None:
    done = command("--help")
    assert all(
        word in done.stdout for word in ("run", "compare", "promote", "rollback", "--seed", "--epochs", "--runs")
    )
