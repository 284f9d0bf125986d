"""Spark reads a folder of drawings as the API does: `make test-spark`."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pandas as pd
import pytest

from benchmarks import drawings
from experiments.data.specs import SPECS
from experiments.registry import upkeep
from experiments.registry.store import TrackingStore
from settings import ROOT, Settings
from tests.helpers.demo_process import DemoProcess

DRAWINGS = 20_000
BATCH = 250
NAMES = ("label", "text", "verdict", "confidence")


@pytest.fixture(scope="module")
def registry(tmp_path_factory) -> dict[str, str]:
    """The variables of a registry with the shipped model in Production."""
    folder = tmp_path_factory.mktemp("registry")
    places = {
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "DEMO_ARTIFACT_DIR": str(folder / "artifacts"),
    }
    store = TrackingStore(places["MLFLOW_TRACKING_URI"], folder / "artifacts")
    upkeep.bring_up_to_date(store, SPECS["mnist"], Settings().models_dir / "mnist", print)
    return places


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number, sheet in enumerate(drawings.sheets(DRAWINGS)):
        (folder / f"{number:05}.png").write_bytes(drawings.png(sheet, "L"))
    return folder


@pytest.fixture(scope="module")
def answers(registry, pictures) -> list[dict]:
    """The API's readings of all pictures, in order."""
    demo, readings = DemoProcess(**registry, DEMO_RATE_LIMIT="off"), []
    files = sorted(pictures.iterdir())
    try:
        for start in range(0, len(files), BATCH):
            content = io.BytesIO()
            with zipfile.ZipFile(content, "w") as archive:
                for file in files[start : start + BATCH]:
                    archive.write(file, file.name)
            headers = {"Content-Type": "application/zip"}
            url = f"{demo.url}api/predict/batch"
            answered = httpx.post(url, content=content.getvalue(), headers=headers, timeout=300)
            readings += [result["reading"] for result in answered.raise_for_status().json()["results"]]
    finally:
        demo.stop()
    return readings


@pytest.mark.parametrize("workers", [1, 2])
def test_spark_reads_as_the_api_does(registry, pictures, answers, tmp_path, workers):
    command = [sys.executable, "-m", "benchmarks.spark", pictures, tmp_path / "out", "--workers", str(workers)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | registry, check=True, stdout=subprocess.PIPE, text=True)
    print(done.stdout)
    table = pd.read_parquet(tmp_path / "out").sort_values("path")
    read = [{name: reading[name] for name in NAMES} for reading in table["reading"]]
    assert len(read) == DRAWINGS
    assert read == [{name: answer[name] for name in NAMES} for answer in answers]
    assert all(reading["error"] is None for reading in table["reading"])
    numbers = [[digit["label"] for digit in reading["digits"]] for reading in table["reading"]]
    assert numbers == [[digit["label"] for digit in answer["digits"]] for answer in answers]
