"""`python -m experiments drawn`, on the shipped model."""

import os
import subprocess
import sys

from settings import ROOT


def test_it_measures_generated_drawings_and_shows_the_mistakes(tmp_path):
    settings = {"DEMO_ARTIFACT_DIR": str(tmp_path / "none"), "DEMO_REPORTS_DIR": str(tmp_path / "reports")}
    settings["COLUMNS"] = "200"
    words = [sys.executable, "-m", "experiments", "drawn", "--count", "40"]
    done = subprocess.run(words, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=True)
    assert all(
        name in done.stdout for name in ("generated", "anywhere", "smallest", "thinnest", "digit 7", "turn", "zigzag")
    )
    assert (tmp_path / "reports" / "drawn_generated.png").stat().st_size > 1000
