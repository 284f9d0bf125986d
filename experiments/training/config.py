"""The settings of a run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from experiments.data.specs import DatasetSpec
from experiments.data.synthesis.generate import Amounts

if TYPE_CHECKING:
    import keras

PRODUCTION = "Production"


class UnknownRunError(ValueError):
    """There is no run of that name; the message lists those there are."""


@dataclass(frozen=True)
class RunConfig:
    """One run. `learning_rate` is the peak of a schedule."""

    name: str
    reason: str
    build: Callable[[DatasetSpec], "keras.Model"]
    augment: Callable[[np.ndarray, np.random.Generator], np.ndarray]
    epochs: int
    learning_rate: float
    batch_size: int
    schedule: Literal["constant", "cosine"] = "constant"
    momentum: float = 0.0  # Nesterov momentum of SGD, with the cosine schedule alone; 0: Adam or AdamW
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    weight_average: float = 0.0  # decay of the exponential moving average of the weights; 0: no average
    extra: Amounts = field(default_factory=Amounts)  # synthetic images added to the training set
    extra_share: float = 0.5  # of the extra images, drawn at random for each epoch
    mirrored: bool = False  # whether the finished model averages each image with its mirror image
    seed: int = 0
    parent: str = ""  # id of the run to start from, PRODUCTION for the Production model's; "": random weights
    trainings: int = 1  # from the parent's weights, each with its own seed; the model has the mean of their weights
    parent_weight: float = 0.0  # share of the parent's weights in the model's


baseline_run = partial(RunConfig, name="baseline", reason="Establish a baseline for comparison.")
architecture_run = partial(RunConfig, name="architecture", reason="Verify whether a more complex model learns better.")
hyperparameters_run = partial(RunConfig, name="hyperparameters", reason="Optimise the speed of convergence.")
"""The three runs of every data set."""
