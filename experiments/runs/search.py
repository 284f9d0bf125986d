"""What a sweep searches, and how a choice is tried out: trained shortly on a part of the data, without the test set."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING

import keras
import numpy as np
import optuna
from optuna.trial import BaseTrial, Trial

from experiments.data.datasets import Dataset
from experiments.data.specs import DatasetSpec, Split
from experiments.data.synthesis.generate import Amounts, synthesise
from experiments.evaluation import drawings, held_out
from experiments.evaluation.gate import selection_score
from experiments.training.config import RunConfig
from experiments.training.progress import Epoch, Listener
from experiments.training.train import train

if TYPE_CHECKING:
    from experiments.inference.tta import Model

SEED = 5_772_156  # of the drawings that trials are judged by, which no run is
NONE = Amounts()
STEPS = 4  # of the amount of each kind of made image


@dataclass(frozen=True)
class Search:
    """`row` with another learning rate, batch size, width, augmentation and amounts of made images. A trial trains it
    for a few epochs on a part of the data: enough to order choices in a minute or two."""

    row: RunConfig
    builds: Sequence[Callable[[DatasetSpec], keras.Model]]  # networks of several widths
    augments: Sequence[Callable[[np.ndarray, np.random.Generator], np.ndarray]]
    most: Amounts = NONE  # of each kind, in a full training; one that has none stays as the row has it
    batch_sizes: Sequence[int] = (64, 128, 256)
    epochs: int = 3
    images: int = 12_000  # of the training split
    drawings: int = 1_000  # to judge by

    def suggest(self, trial: BaseTrial, name: str = "sweep") -> RunConfig:
        """The configuration of a full training, as a trial proposes."""
        builds = {build.__name__: build for build in self.builds}
        augments = {augment.__name__: augment for augment in self.augments}
        kinds = ((kind, most) for kind, most in asdict(self.most).items() if most)
        amounts = {kind: trial.suggest_int(kind, 0, most, step=most // STEPS) for kind, most in kinds}
        rate = self.row.learning_rate
        return replace(
            self.row,
            name=name,
            learning_rate=trial.suggest_float("learning_rate", rate / 5, 5 * rate, log=True),
            batch_size=trial.suggest_categorical("batch_size", list(self.batch_sizes)),
            build=builds[trial.suggest_categorical("architecture", list(builds))],
            augment=augments[trial.suggest_categorical("augmentation", list(augments))],
            extra=replace(self.row.extra, **amounts),
        )

    def known(self) -> dict[str, object]:
        """The choice that is the row's own, as far as it is one of those searched."""
        amounts = {kind: getattr(self.row.extra, kind) for kind, most in asdict(self.most).items() if most}
        functions = {"architecture": self.row.build.__name__, "augmentation": self.row.augment.__name__}
        return {"learning_rate": self.row.learning_rate, "batch_size": self.row.batch_size, **functions, **amounts}


class Trials:
    """Tries choices out. The made images are made once, as many as the largest amounts need."""

    def __init__(self, search: Search, dataset: Dataset) -> None:
        self._search = search
        self._share = min(1.0, search.images / len(dataset.train.labels))
        count = min(search.images, len(dataset.train.labels))
        chosen = np.random.default_rng(SEED).permutation(len(dataset.train.labels))[:count]
        part = Split(dataset.train.images[chosen], dataset.train.labels[chosen])
        nothing = Split(dataset.test.images[:0], dataset.test.labels[:0])
        self._dataset = replace(dataset, train=part, test=nothing)
        largest = {kind: max(most, getattr(search.row.extra, kind)) for kind, most in asdict(search.most).items()}
        self._pool_amounts = self._part_of(Amounts(**largest))
        self._pool = synthesise(self._pool_amounts, self._dataset, SEED)
        self._drawings = None
        if dataset.spec.has_reject_class:
            self._drawings = drawings.put_on_pad(drawings.generate(search.drawings, SEED), drawings.Layout(), SEED)

    def configuration(self, trial: Trial) -> RunConfig:
        """The short training of a trial."""
        config = self._search.suggest(trial, f"trial {trial.number}")
        return replace(config, epochs=self._search.epochs, extra=self._part_of(config.extra))

    def score(self, trial: Trial, config: RunConfig, listeners: Sequence[Listener]) -> dict[str, float]:
        """Train, and return the metrics that runs are selected by. Raises optuna.TrialPruned after an epoch that is
        worse on validation than the median of the trials before."""
        try:
            model = train(config, self._dataset, self._made(config.extra), [*listeners, _Pruning(trial)])
            answer, validation = held_out.as_function(model), self._dataset.validation
            metrics = {"validation_accuracy": _accuracy(answer, validation)}
            if self._drawings is not None:
                drawn = Split(self._drawings.images, self._drawings.labels)
                metrics["drawn_accuracy"] = _accuracy(answer, drawn)
        finally:
            keras.utils.clear_session()  # trials would fill the memory with their graphs
        return metrics | {"score": selection_score(metrics)}

    def _part_of(self, amounts: Amounts) -> Amounts:
        """As many made images to the part of the data as these are to all of it."""
        return Amounts(**{kind: round(self._share * count) for kind, count in asdict(amounts).items()})

    def _made(self, amounts: Amounts) -> Split:
        """The first ones of each kind; the pool has kind after kind."""
        rows, start = [np.empty(0, np.int64)], 0
        for kind in (field.name for field in fields(Amounts)):
            rows.append(start + np.arange(getattr(amounts, kind)))
            start += getattr(self._pool_amounts, kind)
        chosen = np.concatenate(rows)
        return Split(self._pool.images[chosen], self._pool.labels[chosen])


class _Pruning(Listener):
    """Ends a trial that promises little."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def batch(self, epoch: int, done: int, total: int) -> None:
        """Ignored: trials are compared by the epoch."""

    def epoch(self, result: Epoch) -> None:
        """Compare its accuracy on validation with that of the trials before."""
        self._trial.report(result.val_accuracy, result.epoch)
        if self._trial.should_prune():
            raise optuna.TrialPruned


def _accuracy(answer: "Model", split: Split) -> float:
    return float(np.mean(answer(split.images).argmax(axis=1) == split.labels))
