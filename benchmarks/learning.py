"""Measure what retraining learns and how long it takes: `python -m benchmarks.learning`, 10 to 20 minutes.

Each case starts from the shipped model in an empty folder and runs `python -m serving retrain`. All together they write
benchmarks/results/learning.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import model_loader
from benchmarks import drawings
from benchmarks.load import RESULTS, Outcome, locust, table
from benchmarks.peers import demo
from benchmarks.processes import free_ports
from benchmarks.shapes import SHAPES, drawings_of
from experiments.data import datasets
from experiments.data.specs import SPECS
from experiments.evaluation import drawings as drawn
from experiments.preprocessing.drawings import prepare_drawing
from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.records import Correction, CorrectionFilter
from serving.storage.retrainings import Retrainings
from settings import Settings

OTHERS = 300  # ones of the same kind that are not among the corrections
POISON = ("crossed seven", "slashed zero", "letter A", "nine with a long hook", "triangular four")
USERS, SECONDS = 10, 40  # users of five requests a second each; how long, alone and beside a retraining


@dataclass(frozen=True)
class Case:
    """Accepted corrections. images: uint8 [N, H, W, C]; labels: class names. many: each of another client, by the API;
    else all are the operator's upload. confirmed: whether somebody has said that they are right."""

    name: str
    dataset: str
    images: np.ndarray
    labels: list[str]
    many: bool = False
    confirmed: bool = False


def main() -> None:
    """Print a row for each case, and write a table of all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    parser.add_argument("--only", choices=sorted(CASES), nargs="+", default=list(CASES), help="these cases")
    names, rows = parser.parse_args().only, []
    for name in names:
        rows.append(CASES[name]())
        print(" | ".join(rows[-1]), flush=True)
    if set(names) != set(CASES):
        return  # the table is not of these alone
    text = table(("case", "accepted", "seconds", "outcome", "measured besides"), rows)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "learning.md").write_text(text)


def extreme_ones(count: int, seed: int) -> np.ndarray:
    """Return such ones preprocessed, uint8 [N, 28, 28, 1], drawn at any place, size and brush."""
    rng, images = np.random.default_rng(seed), []
    for _ in range(count):
        sheet = drawn.ink(drawn.place([extreme_one(rng)], rng.uniform(0.4, 0.85), rng), rng.uniform(12, 24))
        images.append(prepare_drawing(sheet))
    return np.stack(images)


def extreme_one(rng: np.random.Generator) -> np.ndarray:
    """Return float [5, 2]: a 1 of height 1 whose upstroke is longer than its stem; the shipped model reads a 7."""
    wide, deep, lean = rng.uniform(1, 1.4), rng.uniform(0.4, 0.6), rng.uniform(-0.08, 0.05)
    return np.array([[-wide, deep], [-wide / 2, deep * 0.45], [0, 0], [lean, 0.5], [1.5 * lean, 1.0]])


def digits(count: int, seed: int, only: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return generated digits, uint8 [N, 28, 28, 1], and their labels, int64 [N]; only those of one class if given."""
    images, labels = drawings.sheets(10 * count, seed), drawn.generate(10 * count, seed).labels
    chosen = np.flatnonzero(np.full(len(labels), True) if only is None else labels == only)[:count]
    return np.stack([prepare_drawing(images[place]) for place in chosen]), labels[chosen]


def kind() -> list[str]:
    """Twenty ones with an extreme upstroke: are other such ones read afterwards, and MNIST as before?"""
    case = Case("20 ones with an extreme upstroke", "mnist", extreme_ones(20, 1), ["1"] * 20)
    with tempfile.TemporaryDirectory(prefix="learning-") as folder:
        settings = _settings(Path(folder))
        before = _figures(settings)
        row = _retrain(case, settings)
        after = _figures(settings)
    return [*row, f"{OTHERS} others {before[0]:.1%} -> {after[0]:.1%}; MNIST test {before[1]:.2%} -> {after[1]:.2%}"]


def hundred() -> list[str]:
    """A hundred correctly labelled ones, with no other load."""
    return _alone(Case("100 ones with an extreme upstroke", "mnist", extreme_ones(100, 2), ["1"] * 100))


def noise() -> list[str]:
    """Two hundred digits with random labels."""
    images, _ = digits(200, 3)
    labels = np.random.default_rng(4).integers(0, 10, 200)
    return _alone(Case("200 digits with random labels", "mnist", images, [str(label) for label in labels]))


def sevens() -> list[str]:
    """Two hundred sevens labelled 1, the held-out ones too."""
    images, _ = digits(200, 5, only=7)
    return _alone(Case("200 sevens called 1", "mnist", images, ["1"] * 200))


def photos() -> list[str]:
    """A hundred correctly labelled photos."""
    settings = _settings(Path())
    validation, names = datasets.load("cifar10", settings.data_dir).validation, SPECS["cifar10"].class_names
    images, labels = validation.images[:100], [names[label] for label in validation.labels[:100]]
    return _alone(Case("100 photos of the validation set", "cifar10", images, labels))


def sixty() -> list[str]:
    """Sixty clients call a one with an extreme upstroke a 5."""
    return _alone(Case("60 such ones called 5 by 60 clients", "mnist", extreme_ones(60, 8), ["5"] * 60, many=True))


def confirmed() -> list[str]:
    """The same, and somebody has answered that they are right: the gate alone."""
    name = "the same, confirmed"
    return _alone(Case(name, "mnist", extreme_ones(60, 8), ["5"] * 60, many=True, confirmed=True))


def shape(name: str) -> list[str]:
    """Sixty clients call a shape what it is not."""
    label = SHAPES[name][2]
    text = f"60 times {name} called {label} by 60 clients"
    return _alone(Case(text, "mnist", drawings_of(name, 60, 8), [label] * 60, many=True))


def api() -> list[str]:
    """A hundred ones, while the API gets fifty requests a second."""
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
            loaded: list[Outcome] = []
            row = _retrain(case, settings, lambda: loaded.append(ask(url, folder)))
        finally:
            server.stop()
    (beside,) = loaded
    figures = f"p95 {alone.p95:.0f} -> {beside.p95:.0f} ms, failures {alone.failures + beside.failures}"
    return [*row, f"{figures} (n = {alone.count} and {beside.count})"]


def ask(url: str, folder: Path) -> Outcome:
    """Send fifty requests a second for SECONDS."""
    return locust(url, "PacedApiUser", USERS, SECONDS, folder / "png")


def _alone(case: Case) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="learning-") as folder:
        return [*_retrain(case, _settings(Path(folder))), ""]


def _retrain(case: Case, settings: Settings, during: Callable[[], None] | None = None) -> list[str]:
    """Accept the corrections and retrain in a process of its own; call `during` once that trains."""
    database = Database(f"sqlite:///{settings.artifact_dir / 'history.db'}")
    corrections, jobs = Corrections(database), Retrainings(database)
    corrections.add([_correction(case, place) for place in range(len(case.labels))])
    count = corrections.review(CorrectionFilter(case.dataset), "accepted")
    artifact_dir = str(settings.artifact_dir)
    overrides = {"DEMO_ARTIFACT_DIR": artifact_dir, "MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri}
    command = [sys.executable, "-m", "serving", "retrain", "--dataset", case.dataset]
    started = time.monotonic()
    process = subprocess.Popen(command, env=os.environ | overrides | {"DATABASE_URL": ""}, stderr=subprocess.DEVNULL)
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
    """Return one image of the case as it would be stored."""
    answered = time.time() if case.confirmed else None
    return Correction(
        dataset=case.dataset, source="api" if case.many else "upload",
        client=f"client-{place}" if case.many else "benchmark", request_id="benchmark", position=place,
        model_version="", given="", confidence=0.0, proposed=case.labels[place], image=case.images[place].tobytes(),
        asked_at=answered, confirmed_at=answered,
    )  # fmt: skip


def _settings(folder: Path) -> Settings:
    """Return the project's settings with everything that is written inside the folder."""
    places = {"artifact_dir": folder, "mlflow_tracking_uri": f"sqlite:///{folder}/mlflow.db", "database_url": ""}
    return Settings(**places)


def _figures(settings: Settings) -> tuple[float, float]:
    """Return the shares of other such ones and of MNIST's test set that Production reads right; rejected is wrong."""
    classifier = model_loader.load("mnist", settings)
    test = datasets.load("mnist", settings.data_dir).test
    splits = ((extreme_ones(OTHERS, 7), np.ones(OTHERS, int)), (test.images, test.labels))
    similar, mnist = (
        np.mean([answer.label == str(label) for answer, label in zip(classifier.predict(images), labels, strict=True)])
        for images, labels in splits
    )
    return float(similar), float(mnist)


CASES: dict[str, Callable[[], list[str]]] = {
    case.__name__: case for case in (kind, hundred, noise, sevens, photos, api, sixty, confirmed)
} | {name.replace(" ", "-"): partial(shape, name) for name in POISON}

if __name__ == "__main__":
    main()
