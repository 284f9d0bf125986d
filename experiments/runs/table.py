"""The table of runs of each data set. Each row changes one thing of the row before."""

from typing import TYPE_CHECKING

from experiments.training.config import RunConfig, UnknownRunError

if TYPE_CHECKING:
    from experiments.runs.search import Search

NAMES = ("baseline", "architecture", "hyperparameters")
"""Of the runs of every data set, in the order in which they are run."""


def table(dataset: str) -> tuple[RunConfig, ...]:
    """The three runs of a data set, in the order in which they are run."""
    from experiments.runs import cifar10, mnist  # TensorFlow takes seconds to import

    return {"mnist": mnist.TABLE, "cifar10": cifar10.TABLE}[dataset]


def recipe(dataset: str, name: str) -> RunConfig:
    """A run outside the table: one that makes the shipped model, or an ablation. Raises UnknownRunError."""
    from experiments.runs import cifar10, mnist

    recipes = {"mnist": mnist.RECIPES, "cifar10": cifar10.RECIPES}[dataset]
    named = {config.name: config for config in recipes}
    if name not in named:
        raise UnknownRunError(f"There is no recipe {name!r} for {dataset}. There is: {', '.join(named)}.")
    return named[name]


def search(dataset: str) -> "Search":
    """What a sweep of a data set searches."""
    from experiments.runs import cifar10, mnist

    return {"mnist": mnist.SEARCH, "cifar10": cifar10.SEARCH}[dataset]
