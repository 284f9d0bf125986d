"""Runs of a table on a tiny data set; as a program one of them, which can be killed."""

import dataclasses
import sys
from functools import partial
from pathlib import Path

import numpy as np

from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS, Split
from experiments.data.synthesis.digits import draw_digits
from experiments.data.synthesis.generate import Amounts
from experiments.evaluation import held_out

SPEC = SPECS["mnist"]
prepare_held_out = partial(held_out.prepare, calibration_drawings=30, evaluation_drawings=20)
"""Made in seconds."""


def digits(count: int, seed: int) -> Split:
    """So many of each digit."""
    labels = np.arange(10).repeat(count)
    return Split(draw_digits(Split(np.empty(0), labels), np.random.default_rng(seed)), labels)


def tiny_dataset() -> Dataset:
    return Dataset(SPEC, train=digits(12, 0), validation=digits(4, 1), test=digits(4, 2), digest="ab" * 32)


def tiny_network(spec):
    """Traced in a second, with the layers that keep a state."""
    from keras import Model, layers

    image = layers.Input(spec.image_shape, name="image")
    x = layers.Conv2D(4, 5, strides=3)(layers.Rescaling(1 / 255)(image))
    x = layers.Dropout(0.2)(layers.Flatten()(layers.BatchNormalization()(x)))
    return Model(image, layers.Dense(spec.outputs, activation="softmax", name="probabilities")(x))


def longest_row():
    """The table's last row, with all that a checkpoint has to keep: averages, a schedule, two trainings."""
    from experiments.runs.table import table

    changes = {"build": tiny_network, "extra": Amounts(12, 12, 8), "batch_size": 8, "epochs": 6, "trainings": 2}
    return dataclasses.replace(table("mnist")[2], **changes)


def run_longest_row(folder: Path, fresh: bool = False):
    """Run it in the store of a folder."""
    from experiments.registry.store import TrackingStore
    from experiments.runs.experiment import run_table

    store = TrackingStore(f"sqlite:///{folder / 'mlflow.db'}", folder / "mlartifacts")
    return run_table([longest_row()], tiny_dataset(), store, Path("none"), print, prepare_held_out, fresh)


if __name__ == "__main__":
    run_longest_row(Path(sys.argv[1]))
