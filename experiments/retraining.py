"""What was corrected, learnt: the Production model fine-tuned on accepted corrections among what it knew before."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np

from experiments.datasets import Dataset, DatasetSpec, Split, join
from experiments.normalisation import FusedBatchNormalization
from experiments.progress import Listener
from experiments.runs import RunConfig
from experiments.synthesis import Amounts, synthesise
from experiments.training import train

HELD_OUT = 4  # every fourth correction judges, the others teach
SHARE = 0.12  # of an epoch's images, corrections, each as often as it takes
REPLAY = Amounts(drawn=900, restyled=900, negatives=900)  # made anew, beside the data set's own images


@dataclass(frozen=True)
class Pace:
    """How long and how carefully: a new kind of shape is learnt, and nothing else is forgotten."""

    epochs: int = 5
    images: int = 10_240  # an epoch
    learning_rate: float = 3e-4
    weight_average: float = 0.98


def hold_out(accepted: Split, seed: int) -> tuple[Split, Split]:
    """Which of the accepted teach and which judge, every class by its share."""
    order = np.lexsort((np.random.default_rng(seed).random(len(accepted.labels)), accepted.labels))
    judges = np.zeros(len(order), bool)
    judges[order[HELD_OUT // 2 :: HELD_OUT]] = True
    return tuple(Split(accepted.images[chosen], accepted.labels[chosen]) for chosen in (~judges, judges))


def fine_tune(
    champion: keras.Model, dataset: Dataset, teaching: Split, listeners: list[Listener], pace: Pace = Pace(), seed: int = 0
) -> keras.Model:
    repeats = max(1, round(SHARE * pace.images / len(teaching.labels)))
    taught = Split(np.repeat(teaching.images, repeats, 0), np.repeat(teaching.labels, repeats))
    made = [synthesise(Amounts(**{kind: 900}), dataset, seed + i) for i, kind in enumerate(("drawn", "restyled", "negatives"))]
    replay = join(dataset.train, *made * 10)
    config = RunConfig(
        name="retrain", reason="", build=lambda _: copy_of(champion), epochs=pace.epochs, learning_rate=pace.learning_rate,
        batch_size=256, schedule="cosine", weight_decay=1e-2, label_smoothing=0.05, weight_average=pace.weight_average,
        extra=REPLAY, extra_share=(pace.images - len(taught.labels)) / len(replay.labels), seed=seed,
    )
    return train(config, replace(dataset, train=taught), replay, listeners)


def copy_of(champion: keras.Model) -> keras.Model:
    """The same network with the same weights, computing as the policy of the moment says."""
    policy = keras.mixed_precision.dtype_policy()
    fused = policy.name == "mixed_bfloat16"

    def layer_of(layer: keras.layers.Layer) -> keras.layers.Layer:
        settings = {k: v for k, v in layer.get_config().items() if k != "dtype"}
        if isinstance(layer, keras.layers.BatchNormalization) and fused:
            return FusedBatchNormalization.from_config(settings | {"autocast": False})
        last = layer is champion.layers[-1]
        return type(layer).from_config(settings | ({"dtype": "float32"} if last else {}))

    copy = keras.models.clone_model(champion, clone_function=layer_of)
    copy.set_weights(champion.get_weights())
    return copy
