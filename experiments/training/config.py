"""Every setting of a run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from experiments.data.synthesis.generate import Amounts

if TYPE_CHECKING:
    import keras
    import numpy as np

    from experiments.data.specs import DatasetSpec

NOTHING = Amounts()
PRODUCTION = "Production"


class UnknownRunError(ValueError):
    """The table has no such run. Worded for whoever asked for it."""


@dataclass(frozen=True)
class RunConfig:
    """One run. Learning rates are per step of the optimizer, at their peak where they follow a schedule."""

    name: str
    reason: str
    build: Callable[["DatasetSpec"], "keras.Model"]
    augment: Callable[["np.ndarray", "np.random.Generator"], "np.ndarray"]
    epochs: int
    learning_rate: float
    batch_size: int
    schedule: Literal["constant", "cosine"] = "constant"
    momentum: float = 0.0  # Nesterov's, of a gradient descent that follows a schedule; 0: Adam
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    weight_average: float = 0.0  # momentum of the moving average of the weights; 0: the last ones count
    extra: Amounts = NOTHING  # images made by the project itself that join the training set
    extra_share: float = 0.5  # of them, how many each epoch takes by chance
    mirrored: bool = False  # whether the finished model looks at each image's mirror image too
    seed: int = 0
    parent: str = ""  # the run with whose weights this one begins, PRODUCTION for that of the model there; else random
    trainings: int = 1  # from the parent's weights, each with a seed of its own; the mean of their weights counts
    parent_weight: float = 0.0  # share of the parent's weights in the finished model's


baseline_run = partial(RunConfig, name="baseline", reason="Establish a baseline for comparison.")
architecture_run = partial(RunConfig, name="architecture", reason="Verify whether a more complex model learns better.")
hyperparameters_run = partial(RunConfig, name="hyperparameters", reason="Optimise the speed of convergence.")
"""The three runs mean the same for every data set."""
