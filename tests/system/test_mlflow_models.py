"""The registered models as MLflow's users have them: served, asked from the command line, and loaded elsewhere."""

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pandas as pd
import pytest

from benchmarks import drawings
from benchmarks.processes import Server, free_ports
from experiments.data.specs import SPECS
from experiments.portable import reader
from settings import ROOT, Settings
from tests.helpers.demo_process import DemoProcess
from tests.helpers.image import lay, needed
from tests.helpers.numbers import sevens

DRAWINGS = 300
NUMBERS = [sevens(2), sevens(3, 1), sevens(4, gap=12)]
JUNK = b"no picture"
READ = """
import base64, json, sys, time
import mlflow, pandas
start = time.perf_counter()
model = mlflow.pyfunc.load_model(sys.argv[1])
print(f"loaded in {time.perf_counter() - start:.2f} s", file=sys.stderr)
pictures = [base64.b64decode(line) for line in sys.stdin]
rows = model.predict(pandas.DataFrame({"image": pictures})).to_dict("records")
print(json.dumps([rows, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory) -> dict[str, str]:
    """An empty registry brought up to date, as a new clone's is when its experiments begin: the variables that name
    it."""
    folder = tmp_path_factory.mktemp("registry")
    variables = {
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "DEMO_ARTIFACT_DIR": str(folder / "mlartifacts"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # an active environment's
    }
    for dataset in SPECS:
        command = [sys.executable, "-m", "experiments", "upgrade", "--dataset", dataset]
        subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=True)
    return variables


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    return [drawings.png(sheet, "RGBA") for sheet in drawings.sheets(DRAWINGS)] + NUMBERS


@pytest.fixture(scope="module")
def expected(pictures) -> list[dict]:
    """What the shipped model reads in this process."""
    shipped = reader.load(Settings().models_dir / "mnist")
    return shipped.predict(pd.DataFrame({"image": pictures})).to_dict("records")


def as_text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def test_what_mlflow_serves_is_what_the_api_answers(registry, pictures):
    (port,) = free_ports(1)
    alias = f"models:/{SPECS['mnist'].registered_model}@production"
    command = ["mlflow", "models", "serve", "-m", alias, "--env-manager", "local", "--port", str(port)]
    server = Server(command, f"http://127.0.0.1:{port}/ping", registry)
    demo = DemoProcess(**registry, DEMO_RATE_LIMIT="off")
    try:
        table = {"columns": ["image"], "data": [[as_text(picture)] for picture in [*pictures, JUNK]]}
        url = f"http://127.0.0.1:{port}/invocations"
        *served, unread = httpx.post(url, json={"dataframe_split": table}, timeout=120).json()["predictions"]
        refused = httpx.post(url, json={"dataframe_records": [{"picture": ""}]})
        with httpx.Client(base_url=demo.url, headers={"Content-Type": "image/png"}) as api:
            answers = [api.post("/api/predict", content=picture).json() for picture in pictures]
    finally:
        demo.stop()
        server.stop()
    names = served[0].keys() - {"error"}
    assert [{name: row[name] for name in names} for row in served] == [
        {name: answer[name] for name in names} for answer in answers
    ]
    assert {answer["model"]["source"] for answer in answers} == {"registry"}
    assert [row["text"] for row in served[DRAWINGS:]] == ["77", "777\n7", "7777"]
    assert (unread["verdict"], unread["label"]) == ("error", None)
    assert "not a picture" in unread["error"]
    assert refused.status_code == 400
    assert "neither a column image nor pixels" in refused.json()["message"]


def test_the_command_line_predicts_photos(registry, tmp_path):
    rows = [{"pixels": [[[20 * (x // 8), 8 * y, 90] for x in range(32)] for y in range(32)]}, {"pixels": [[[1]]]}]
    (tmp_path / "photos.json").write_text(json.dumps({"dataframe_records": rows}))
    alias = f"models:/{SPECS['cifar10'].registered_model}@production"
    command = [
        *("mlflow", "models", "predict", "-m", alias, "--env-manager", "local"),
        *("-t", "json", "-i", "photos.json", "-o", "answers.json"),
    ]
    subprocess.run(command, cwd=tmp_path, env=os.environ | registry, check=True)
    shipped = reader.load(Settings().models_dir / "cifar10")
    answers = json.loads((tmp_path / "answers.json").read_text())["predictions"]
    assert answers == shipped.predict(pd.DataFrame(rows)).to_dict("records")
    assert [row["verdict"] == "error" for row in answers] == [False, True]


def test_a_model_runs_elsewhere_with_its_own_requirements_only(registry, pictures, expected, tmp_path):
    (saved,) = (Path(registry["DEMO_ARTIFACT_DIR"]) / "mnist" / "models").glob("*/artifacts")
    model = shutil.copytree(saved, tmp_path / "model")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    (packages,) = (tmp_path / "env").glob("lib/*/site-packages")
    lay(needed(model / "requirements.txt"), packages)
    done = subprocess.run(
        [tmp_path / "env" / "bin" / "python", "-c", READ, model],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MLFLOW_DISABLE_TELEMETRY": "true"},
        input="\n".join(map(as_text, pictures)), text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    print(done.stderr)
    rows, modules = json.loads(done.stdout.splitlines()[-1])
    assert rows == expected
    assert not {"experiments", "settings", "serving", "tensorflow", "keras", "gradio", "sqlalchemy"} & set(modules)
    assert list(packages.glob("mlflow_skinny-*"))
    assert not [*packages.glob("tensorflow"), *packages.glob("gradio"), *packages.glob("mlflow-[0-9]*")]
