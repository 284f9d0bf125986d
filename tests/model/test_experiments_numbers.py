"""`python -m experiments numbers`, on the shipped model."""

import os
import subprocess
import sys

from settings import ROOT


def numbers(tmp_path, *words):
    settings = {"DEMO_ARTIFACT_DIR": str(tmp_path / "none"), "DEMO_REPORTS_DIR": str(tmp_path / "reports")}
    command = [sys.executable, "-m", "experiments", "numbers", *words]
    return subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False)


def test_it_prints_the_same_table_again(tmp_path):
    words = ("--generated", "--count", "10", "--only", "2 digits")
    first, again = (numbers(tmp_path, *words) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == again.stdout
    assert "| 2 digits, touching | 10 | " in first.stdout
    assert "| over all numbers of digits alone | 30 | " in first.stdout
    assert (tmp_path / "reports" / "numbers").is_dir()


def test_it_reads_digits_alone(tmp_path):
    done = numbers(tmp_path, "--generated", "--dataset", "cifar10", "--count", "1", "--only", "1 digit")
    assert done.returncode == 1
    assert done.stderr == "error: Numbers have digits, which no model of cifar10 reads. Leave --dataset out.\n"


def test_conditions_that_do_not_exist_are_told(tmp_path):
    done = numbers(tmp_path, "--only", "papyrus")
    assert done.returncode == 1
    assert "No condition's name contains 'papyrus'." in done.stderr
