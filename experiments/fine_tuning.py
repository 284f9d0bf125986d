"""The Production model, taught what was corrected among what it knew before, so that nothing is forgotten."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import keras
import numpy as np

from experiments import runs
from experiments.datasets import Dataset, DatasetSpec, Split, join
from experiments.normalisation import FusedBatchNormalization
from experiments.progress import Listener
from experiments.runs import RunConfig
from experiments.synthesis import Amounts, synthesise
from experiments.training import train

EPOCHS, IMAGES = 4, 8_192  # images an epoch: 100 corrections shall take 90 s on two cores, everything included
LEARNING_RATE, WEIGHT_AVERAGE = 3e-4, 0.98  # a tenth of the first training's; the average of about 50 steps
CORRECTED = 0.12  # of an epoch's images are corrections, however few there are
MADE = Amounts(drawn=900, restyled=900, negatives=900)  # images of the project's own, new each time
MADE_WEIGHT = 10  # as often as one of the data set's: they are a third of what is replayed


def configuration(dataset: Dataset, champion: keras.Model, seed: int) -> RunConfig:
    """As the last row of the data set's table trains, only from the champion on, shorter and more carefully."""
    return replace(
        runs.table(dataset.spec.name)[-1],
        name="retrain",
        reason="Learn what was corrected, and forget nothing.",
        build=_same_as(champion),
        epochs=EPOCHS,
        learning_rate=LEARNING_RATE,
        weight_average=WEIGHT_AVERAGE,
        extra=MADE if dataset.spec.refuses else Amounts(),
        extra_share=1 - CORRECTED,
        seed=seed,
    )


def fine_tune(config: RunConfig, dataset: Dataset, teaching: Split, listeners: Sequence[Listener]) -> keras.Model:
    """The champion of the configuration, trained on. Returns a model in float32."""
    times = max(1, round(CORRECTED * IMAGES / len(teaching.labels)))
    corrections = Split(np.repeat(teaching.images, times, axis=0), np.repeat(teaching.labels, times))
    made = synthesise(config.extra, dataset, config.seed)
    replay = join(dataset.train, *[made] * MADE_WEIGHT)
    share = config.extra_share * IMAGES / len(replay.labels)
    return train(replace(config, extra_share=share), replace(dataset, train=corrections), replay, listeners)


def _same_as(champion: keras.Model) -> Callable[[DatasetSpec], keras.Model]:
    """Builds the same network with the same weights, to compute as the policy of the moment says."""

    def copy(layer: keras.Layer) -> keras.Layer:
        settings = {name: value for name, value in layer.get_config().items() if name != "dtype"}
        fused = keras.mixed_precision.dtype_policy().name == "mixed_bfloat16"
        if fused and isinstance(layer, keras.layers.BatchNormalization):
            return FusedBatchNormalization(autocast=False, **settings)
        if layer is champion.layers[-1]:
            settings["dtype"] = "float32"  # probabilities need the digits
        return type(layer).from_config(settings)

    def as_champion(_spec: DatasetSpec) -> keras.Model:
        same = keras.models.clone_model(champion, clone_function=copy)
        same.set_weights(champion.get_weights())
        return same

    return as_champion
