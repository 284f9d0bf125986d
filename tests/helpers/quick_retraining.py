"""`python -m serving retrain` on a part of the data: the same champion, trainer, store and gate in less time."""

import dataclasses
import sys
from functools import partial

from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS, Split
from experiments.data.synthesis.generate import Amounts
from experiments.retraining.corrections import Accepted
from serving.learning import retraining_process
from serving.learning.reporter import Reporter
from settings import Settings

VALIDATION, TEST = 1_500, 500  # images
CALIBRATION_DRAWINGS, EVALUATION_DRAWINGS = 600, 400  # of the exam
MADE = Amounts(drawn=1_000, restyled=250, non_digits=250)
EPOCHS = 3


def learn(settings: Settings, dataset: str, accepted: Accepted, reporter: Reporter):
    from experiments.data import datasets
    from experiments.evaluation import held_out
    from experiments.registry import production
    from experiments.registry.store import TrackingStore
    from experiments.retraining import fine_tuning, retrain
    from experiments.runs import experiment

    def configure(*told):
        return dataclasses.replace(fine_tuning.configuration(*told), epochs=EPOCHS, extra=MADE)

    store = TrackingStore.of(settings)
    experiment.seed_registry(store, SPECS[dataset], settings.models_dir / dataset, reporter.log)
    champion = production.pull(store, SPECS[dataset])
    prepare = partial(
        held_out.prepare, calibration_drawings=CALIBRATION_DRAWINGS, evaluation_drawings=EVALUATION_DRAWINGS
    )
    part = part_of(datasets.load(dataset, settings.data_dir))
    return retrain.retrain(accepted, part, champion, store, reporter, prepare, configure)


def part_of(dataset: Dataset) -> Dataset:
    """Whatever is learnt from, but fewer questions."""
    validation, test = dataset.validation, dataset.test
    return dataclasses.replace(
        dataset,
        validation=Split(validation.images[:VALIDATION], validation.labels[:VALIDATION]),
        test=Split(test.images[:TEST], test.labels[:TEST]),
    )


if __name__ == "__main__":
    retraining_process.lower_priority()
    if ended := retraining_process.run(Settings(), "mnist", None, learn):
        retraining_process.exit_now(ended)
    sys.exit(0)
