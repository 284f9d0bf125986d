"""`python -m serving retrain` on a part of the data: the same champion, trainer, store and gate in less time."""

import argparse
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
HELD_OUT = {"calibration_drawings": 600, "evaluation_drawings": 400}
SYNTHETIC = Amounts(drawn=1_000, restyled=250, non_digits=250)
EPOCHS = 3


def retrain_quickly(settings: Settings, dataset: str, accepted: Accepted, reporter: Reporter):
    from experiments.data import datasets
    from experiments.evaluation import held_out
    from experiments.registry import production, upkeep
    from experiments.registry.store import TrackingStore
    from experiments.retraining import fine_tuning, retrain

    def configure(*arguments):
        return dataclasses.replace(fine_tuning.configuration(*arguments), epochs=EPOCHS, extra=SYNTHETIC)

    store = TrackingStore.of(settings)
    upkeep.bring_up_to_date(store, SPECS[dataset], settings.models_dir / dataset, reporter.log)
    champion = production.pull(store, SPECS[dataset])
    part = part_of(datasets.load(dataset, settings.data_dir))
    prepare = partial(held_out.prepare, **HELD_OUT)
    return retrain.retrain(accepted, part, champion, store, reporter, prepare, configure)


def part_of(dataset: Dataset) -> Dataset:
    """All of the training split, less of the others."""
    validation, test = dataset.validation, dataset.test
    return dataclasses.replace(
        dataset,
        validation=Split(validation.images[:VALIDATION], validation.labels[:VALIDATION]),
        test=Split(test.images[:TEST], test.labels[:TEST]),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--attempt", type=int, default=1)
    parser.add_argument("--job", type=int)
    arguments = parser.parse_args()
    retraining_process.lower_priority()
    status = retraining_process.run(
        Settings(), arguments.dataset, arguments.job, retrain_quickly, attempt=arguments.attempt
    )
    if status:
        retraining_process.exit_now(status)
    sys.exit(0)
