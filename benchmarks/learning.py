"""What retraining does and takes: `python -m benchmarks.learning`, 10 to 20 minutes, writes results/learning.md.

Each case starts from the shipped model in an empty folder, as `python -m serving retrain` does it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import model_loader
from benchmarks import drawings
from benchmarks.load import RESULTS, Outcome, locust, table
from benchmarks.peers import demo
from benchmarks.processes import free_ports
from experiments.data import datasets
from experiments.data.specs import SPECS
from experiments.evaluation import drawings as drawn
from experiments.preprocessing.drawings import prepare_drawing
from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.records import Correction, CorrectionFilter
from serving.storage.retrainings import Retrainings
from settings import Settings

OTHERS = 300  # ones of the same kind that it was not taught
USERS, SECONDS = 10, 40  # of five requests a second each; how long, alone and beside a retraining


@dataclass(frozen=True)
class Case:
    """What is accepted. images: uint8 [N, H, W, C]; labels: as people say them."""

    name: str
    dataset: str
    images: np.ndarray
    labels: list[str]


def main() -> None:
    """Prints a table, one row a case, and what it costs the API."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    parser.add_argument("--only", choices=sorted(CASES), nargs="+", default=list(CASES), help="these cases")
    rows = []
    for name in parser.parse_args().only:
        rows.append(CASES[name]())
        print(" | ".join(rows[-1]), flush=True)
    text = table(("case", "accepted", "seconds", "outcome", "measured besides"), rows)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "learning.md").write_text(text)


def extreme_ones(count: int, seed: int) -> np.ndarray:
    """uint8 [N, 28, 28, 1], each drawn on the pad at any place, of any size and brush."""
    rng, images = np.random.default_rng(seed), []
    for _ in range(count):
        sheet = drawn.ink(drawn.place([extreme_one(rng)], rng.uniform(0.4, 0.85), rng), rng.uniform(12, 24))
        images.append(prepare_drawing(sheet))
    return np.stack(images)


def extreme_one(rng: np.random.Generator) -> np.ndarray:
    """float [5, 2]: a 1 whose upstroke is longer than its stem, of height 1, which the shipped model takes for a 7."""
    wide, deep, lean = rng.uniform(1, 1.4), rng.uniform(0.4, 0.6), rng.uniform(-0.08, 0.05)
    return np.array([[-wide, deep], [-wide / 2, deep * 0.45], [0, 0], [lean, 0.5], [1.5 * lean, 1.0]])


def digits(count: int, seed: int, only: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Digits drawn by the project, uint8 [N, 28, 28, 1], and what they are, int64 [N]."""
    images, labels = drawings.sheets(10 * count, seed), drawn.generate(10 * count, seed).labels
    chosen = np.flatnonzero(np.full(len(labels), True) if only is None else labels == only)[:count]
    return np.stack([prepare_drawing(images[place]) for place in chosen]), labels[chosen]


def kind() -> list[str]:
    """Twenty ones with an extreme upstroke: are others of the kind read afterwards, and MNIST as before?"""
    case = Case("20 ones with an extreme upstroke", "mnist", extreme_ones(20, 1), ["1"] * 20)
    with tempfile.TemporaryDirectory(prefix="learning-") as folder:
        settings = _settings(Path(folder))
        before = _figures(settings)
        row = _retrain(case, settings)
        after = _figures(settings)
    return [*row, f"{OTHERS} others {before[0]:.1%} -> {after[0]:.1%}; MNIST test {before[1]:.2%} -> {after[1]:.2%}"]


def hundred() -> list[str]:
    """A hundred right ones: how long it takes, alone."""
    return _alone(Case("100 ones with an extreme upstroke", "mnist", extreme_ones(100, 2), ["1"] * 100))


def noise() -> list[str]:
    """Two hundred labels drawn by lot."""
    images, _ = digits(200, 3)
    lot = np.random.default_rng(4).integers(0, 10, 200)
    return _alone(Case("200 digits with random labels", "mnist", images, [str(label) for label in lot]))


def sevens() -> list[str]:
    """Two hundred sevens called 1, those that judge too."""
    images, _ = digits(200, 5, only=7)
    return _alone(Case("200 sevens called 1", "mnist", images, ["1"] * 200))


def photos() -> list[str]:
    """A hundred photos."""
    settings = _settings(Path())
    validation, names = datasets.load("cifar10", settings.data_dir).validation, SPECS["cifar10"].class_names
    images, labels = validation.images[:100], [names[label] for label in validation.labels[:100]]
    return _alone(Case("100 photos of the validation set", "cifar10", images, labels))


def api() -> list[str]:
    """A hundred, while programs ask the API fifty times a second."""
    case = Case("100, and 50 API requests a second", "mnist", extreme_ones(100, 6), ["1"] * 100)
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="learning-") as name:
        folder = Path(name)
        drawings.write(folder / "png")
        settings = _settings(folder)
        url = f"http://127.0.0.1:{port}"
        server = demo(port, folder, MLFLOW_TRACKING_URI=settings.mlflow_tracking_uri)
        try:
            alone = ask(url, folder)
            during: list[Outcome] = []
            row = _retrain(case, settings, lambda: during.append(ask(url, folder)))
        finally:
            server.stop()
    (beside,) = during
    figures = f"p95 {alone.p95:.0f} -> {beside.p95:.0f} ms, failures {alone.failures + beside.failures}"
    return [*row, f"{figures} (n = {alone.count} and {beside.count})"]


def ask(url: str, folder: Path) -> Outcome:
    """Fifty requests a second, for a while."""
    return locust(url, "PacedApiUser", USERS, SECONDS, folder / "png")


def _alone(case: Case) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="learning-") as folder:
        return [*_retrain(case, _settings(Path(folder))), ""]


def _retrain(case: Case, settings: Settings, during: Callable[[], None] | None = None) -> list[str]:
    """Accepts the case and has it learnt in a process of its own; `during` is called once that trains."""
    database = Database(f"sqlite:///{settings.artifact_dir / 'history.db'}")
    corrections, jobs = Corrections(database), Retrainings(database)
    corrections.add([_correction(case, place) for place in range(len(case.labels))])
    count = corrections.review(CorrectionFilter(case.dataset), "accepted")
    own = {"ARTIFACT_DIR": str(settings.artifact_dir), "MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri}
    command = [sys.executable, "-m", "serving", "retrain", "--dataset", case.dataset]
    started = time.monotonic()
    process = subprocess.Popen(command, env=os.environ | own | {"DATABASE_URL": ""}, stderr=subprocess.DEVNULL)
    if during is not None:
        while (job := jobs.latest()) is None or job.state == "starting":
            time.sleep(0.2)
        during()
    process.wait()
    seconds = time.monotonic() - started
    job = jobs.latest()
    database.close()
    return [case.name, str(count), f"{seconds:.0f}", f"{job.state}: {job.reason}" if job else "nothing"]


def _correction(case: Case, place: int) -> Correction:
    """As an upload brings it."""
    return Correction(
        dataset=case.dataset, source="upload", client="benchmark", request_id="benchmark", position=place,
        model_version="", given="", confidence=0.0, proposed=case.labels[place], image=case.images[place].tobytes(),
    )  # fmt: skip


def _settings(folder: Path) -> Settings:
    """Those of this project, but nothing is kept outside the folder."""
    places = {"artifact_dir": folder, "mlflow_tracking_uri": f"sqlite:///{folder}/mlflow.db", "database_url": ""}
    return Settings(**places)


def _figures(settings: Settings) -> tuple[float, float]:
    """Shares of other extreme ones and of MNIST's test set that Production reads right; a refusal is not right."""
    classifier = model_loader.load("mnist", settings)
    test = datasets.load("mnist", settings.data_dir).test
    asked = ((extreme_ones(OTHERS, 7), np.ones(OTHERS, int)), (test.images, test.labels))
    kind, mnist = (
        np.mean([each.label == str(label) for each, label in zip(classifier.predict(images), labels, strict=True)])
        for images, labels in asked
    )
    return float(kind), float(mnist)


CASES: dict[str, Callable[[], list[str]]] = {
    each.__name__: each for each in (kind, hundred, noise, sevens, photos, api)
}

if __name__ == "__main__":
    main()
