"""Measure whom the question about contradicting corrections asks: `python -m benchmarks.poison`.

Honest corrections are those of digits that the shipped model misreads; poison gives shapes another label. Writes
benchmarks/results/poison.md.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

import model_loader
from benchmarks.learning import extreme_ones
from benchmarks.load import RESULTS, table
from benchmarks.shapes import SHAPES, drawings_of
from experiments.data import datasets
from experiments.data.specs import Split
from experiments.evaluation import drawings as drawn
from model_loader import Classifier
from serving.learning.contradictions import Judge
from settings import Settings

COUNT, DRAWN, SEED = 60, 3_000, 31


def main() -> None:
    """Print and write a table with a row for each kind of correction."""
    settings = Settings()
    classifier = model_loader.load(
        "mnist", Settings(artifact_dir=Path("/nonexistent"), mlflow_tracking_uri="sqlite://")
    )
    judge = Judge.of(classifier, settings.models_dir)
    rows = []
    for name, right, data in (*_honest(classifier, settings), *_poison()):
        share = judge.contradicted(data, np.zeros(len(data.labels), bool)).mean()
        rows.append([name, right, f"{len(data.labels)}", f"{share:.1%}"])
        print(" | ".join(rows[-1]), flush=True)
    (RESULTS / "poison.md").write_text(table(("corrections", "are", "n", "asked about"), rows))


def _honest(classifier: Classifier, settings: Settings) -> Iterator[tuple[str, str, Split]]:
    validation = datasets.load("mnist", settings.data_dir).validation
    digits = {turn: drawn.generate(DRAWN, SEED + turn) for turn in (10, 28)}
    pads = {t: drawn.put_on_pad(d, drawn.Layout(turns=(-t, t)), SEED) for t, d in digits.items()}
    named = {
        "ones with an extreme upstroke": Split(extreme_ones(COUNT, SEED), np.ones(COUNT, np.int64)),
        "validation images": validation,
        "generated drawings": Split(pads[10].images, pads[10].labels),
        "generated drawings, turned by up to 28 degrees": Split(pads[28].images, pads[28].labels),
    }
    for name, split in named.items():
        labels = [prediction.label for prediction in classifier.predict(split.images)]
        wrong = np.array(labels) != split.labels.astype(str)
        yield f"{name} that it misreads", "right", Split(split.images[wrong], split.labels[wrong])


def _poison() -> Iterator[tuple[str, str, Split]]:
    yield "ones with an extreme upstroke, called 5", "wrong", Split(extreme_ones(COUNT, SEED), np.full(COUNT, 5))
    for name, (_, _, label) in SHAPES.items():
        yield f"{name}, called {label}", "wrong", Split(drawings_of(name, COUNT, SEED), np.full(COUNT, int(label)))
    digits = drawn.put_on_pad(drawn.generate(500, SEED), drawn.Layout(), SEED)
    others = (digits.labels + np.random.default_rng(SEED).integers(1, 10, 500)) % 10
    yield "generated drawings with another label", "wrong", Split(digits.images, others)


if __name__ == "__main__":
    main()
