"""The table of runs: what is tried, and why. Each row changes one thing of the row before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from experiments.synthesis import Amounts

if TYPE_CHECKING:
    import keras

    from experiments.datasets import DatasetSpec


class UnknownRunError(ValueError):
    """The table has no such run. Worded for whoever asked for it."""


QUICK = Amounts(drawn=14_000, restyled=14_000, negatives=8_000)
THOROUGH = Amounts(drawn=55_000, restyled=55_000, negatives=30_000)


@dataclass(frozen=True)
class RunConfig:
    """One run. Learning rates are per step of the optimizer, at their peak where they follow a schedule."""

    name: str
    reason: str
    build: Callable[["DatasetSpec"], "keras.Model"]
    epochs: int
    learning_rate: float
    batch_size: int
    schedule: Literal["constant", "cosine"] = "constant"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    weight_average: float = 0.0  # momentum of the moving average of the weights; 0: the last ones count
    extra: Amounts = QUICK  # images made by the project itself that join the training set
    extra_share: float = 0.5  # of them, how many each epoch takes by chance
    seed: int = 0


def table(dataset: str) -> tuple[RunConfig, ...]:
    """The three runs of a data set, in the order in which they are run."""
    from experiments import architectures  # TensorFlow takes seconds to import

    tables = {
        "mnist": (
            RunConfig(
                name="baseline",
                reason="Establish a baseline for comparison.",
                build=architectures.baseline,
                epochs=3,
                learning_rate=1e-3,
                batch_size=128,
            ),
            RunConfig(
                name="architecture",
                reason="Verify whether a more complex model learns better.",
                build=architectures.deep,
                epochs=2,
                learning_rate=1e-3,
                batch_size=128,
            ),
            RunConfig(
                name="hyperparameters",
                reason="Optimise the speed of convergence.",
                build=architectures.deep,
                epochs=12,
                learning_rate=2.5e-3,
                batch_size=256,
                schedule="cosine",
                weight_decay=1e-2,
                label_smoothing=0.05,
                weight_average=0.998,
            ),
        )
    }
    return tables[dataset]


def recipe(dataset: str, name: str) -> RunConfig:
    """A longer run outside the table, which makes the shipped model. Raises UnknownRunError."""
    from experiments import architectures

    recipes = {
        "mnist": (
            RunConfig(
                name="best",
                reason="Read people's handwriting as well as a small network can: longer, with far more drawn digits.",
                build=architectures.wide,
                epochs=34,
                learning_rate=2.5e-3,
                batch_size=256,
                schedule="cosine",
                weight_decay=1e-2,
                label_smoothing=0.05,
                weight_average=0.999,
                extra=THOROUGH,
                extra_share=0.4,  # what remains is for MNIST's own writers
            ),
        )
    }
    named = {config.name: config for config in recipes[dataset]}
    if name not in named:
        raise UnknownRunError(f"There is no recipe {name!r} for {dataset}. There is: {', '.join(named)}.")
    return named[name]
