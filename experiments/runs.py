"""The table of runs: what is tried, and why. Each row changes one thing of the row before."""

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
    kept: float = 0.0  # share of the parent's weights in the finished model's


baseline_run = partial(RunConfig, name="baseline", reason="Establish a baseline for comparison.")
architecture_run = partial(RunConfig, name="architecture", reason="Verify whether a more complex model learns better.")
hyperparameters_run = partial(RunConfig, name="hyperparameters", reason="Optimise the speed of convergence.")
"""The three runs mean the same for every data set."""


def table(dataset: str) -> tuple[RunConfig, ...]:
    """The three runs of a data set, in the order in which they are run."""
    from experiments import runs_cifar10, runs_mnist  # TensorFlow takes seconds to import

    return {"mnist": runs_mnist.TABLE, "cifar10": runs_cifar10.TABLE}[dataset]


def recipe(dataset: str, name: str) -> RunConfig:
    """A run outside the table: the longer one that makes the shipped model, or an ablation. Raises UnknownRunError."""
    from experiments import runs_cifar10, runs_mnist

    recipes = {"mnist": runs_mnist.RECIPES, "cifar10": runs_cifar10.RECIPES}[dataset]
    named = {config.name: config for config in recipes}
    if name not in named:
        raise UnknownRunError(f"There is no recipe {name!r} for {dataset}. There is: {', '.join(named)}.")
    return named[name]
