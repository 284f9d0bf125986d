"""`python -m experiments photographed`, on the shipped model."""

import os
import subprocess
import sys

from settings import ROOT


def photographed(tmp_path, *words):
    settings = {"DEMO_ARTIFACT_DIR": str(tmp_path / "none"), "DEMO_REPORTS_DIR": str(tmp_path / "reports")}
    command = [sys.executable, "-m", "experiments", "photographed", *words]
    return subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False)


def test_it_prints_the_same_table_again(tmp_path):
    first, again = (photographed(tmp_path, "--generated", "--count", "10", "--only", "scan") for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == again.stdout
    assert "| scan, 300 dpi | 150 | 95 | 10 | " in first.stdout
    assert "| the same digits on the page's pad |  |  | 10 | " in first.stdout


def test_it_reads_digits_alone(tmp_path):
    done = photographed(tmp_path, "--generated", "--dataset", "cifar10", "--count", "1", "--only", "fax")
    assert done.returncode == 1
    assert done.stderr == "error: Digits are photographed, which no model of cifar10 reads. Leave --dataset out.\n"
