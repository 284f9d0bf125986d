"""Fine-tune the Production model on corrections mixed with what it was trained on, so that it forgets nothing."""

from collections.abc import Sequence
from dataclasses import replace

import keras
import numpy as np

from experiments.data.datasets import Dataset, join
from experiments.data.specs import Split
from experiments.data.synthesis.generate import Amounts, synthesise
from experiments.evaluation.held_out import as_function
from experiments.runs import table
from experiments.training.config import RunConfig
from experiments.training.progress import Listener
from experiments.training.surgery import clone_of, unmirrored
from experiments.training.train import train

EPOCHS, IMAGES = 4, 8_192  # images an epoch: 100 corrections should take 90 s on two cores, everything included
LEARNING_RATE, WEIGHT_AVERAGE = 0.04, 0.98  # times that of the table's row; the average of about 50 steps
CORRECTED = 0.05  # share of corrections among an epoch's images, however few there are
CONTRASTED = 0.05  # share of images of the classes they were taken for, so that the boundary moves with care
SYNTHETIC = Amounts(drawn=4_000, restyled=1_000, non_digits=1_000)  # generated anew each time
OUTLIERS = Amounts(outlier_photos=1_000)  # likewise, without a reject class
SYNTHETIC_WEIGHT = 4  # times a published image's: a third of the images replayed are synthetic
STEPS = 10  # of the interpolation between champion and tuned model
SAMPLED = 500  # corrections, at most, that each step is tried on
RETAINED = 0.97  # of the corrections the tuned model reads: the last few would cost most of what was known before


def configuration(dataset: Dataset, champion: keras.Model, seed: int) -> RunConfig:
    """Configure a run like the last row of the data set's table, but from the champion on, shorter and gentler."""
    row, network = table.table(dataset.spec.name)[-1], unmirrored(champion)
    return replace(
        row,
        name="retrain",
        reason="Learn what was corrected, and forget nothing.",
        build=clone_of(network),
        mirrored=network is not champion,
        epochs=EPOCHS,
        learning_rate=LEARNING_RATE * row.learning_rate,
        label_smoothing=0.0,  # the champion is calibrated without: with it every weight would have to move
        weight_average=WEIGHT_AVERAGE,
        extra=SYNTHETIC if dataset.spec.has_reject_class else OUTLIERS,
        extra_share=1 - CORRECTED - CONTRASTED,
        seed=seed,
    )


def fine_tune(
    config: RunConfig,
    champion: keras.Model,
    dataset: Dataset,
    corrections: Split,
    taken_for: np.ndarray,
    listeners: Sequence[Listener],
) -> keras.Model:
    """Train the champion on, in the same network, and return a model in float32.

    taken_for: its answers to `corrections`, int64 [N], the number of classes where it rejected one.
    """
    synthetic = synthesise(config.extra, dataset, config.seed)
    replay = join(dataset.train, *[synthetic] * SYNTHETIC_WEIGHT)
    times = max(1, round(CORRECTED * IMAGES / len(corrections.labels)))
    repeated = Split(np.repeat(corrections.images, times, axis=0), np.repeat(corrections.labels, times))
    known = synthetic if dataset.spec.has_reject_class else dataset.train  # corrections harm drawings most
    emphasised = join(repeated, _contrast(known, taken_for, config.seed))
    share = config.extra_share * IMAGES / len(replay.labels)
    tuned = train(replace(config, extra_share=share), replace(dataset, train=emphasised), replay, listeners)
    return _interpolate(champion, tuned, corrections)


def _interpolate(champion: keras.Model, tuned: keras.Model, corrections: Split) -> keras.Model:
    """Take the weights nearest to the champion's with which nearly all the corrections learnt are still read.

    What the corrections did not ask for is forgotten least (Wortsman et al., Robust fine-tuning of zero-shot models,
    2022).
    """
    sampled, answer = slice(None, None, -(-len(corrections.labels) // SAMPLED)), as_function(tuned)

    def correct() -> int:
        labels = answer(corrections.images[sampled]).argmax(axis=1)
        return int(np.count_nonzero(labels == corrections.labels[sampled]))

    before, after, learnt = champion.get_weights(), tuned.get_weights(), correct()
    for step in range(1, STEPS + 1):
        tuned.set_weights([old + step / STEPS * (new - old) for old, new in zip(before, after, strict=True)])
        if correct() >= RETAINED * learnt:
            break
    return tuned


def _contrast(known: Split, taken_for: np.ndarray, seed: int) -> Split:
    """Sample known images of the classes that corrections were taken for, in proportion."""
    rng = np.random.default_rng(seed)
    samples = [np.empty(0, np.int64)]
    for label, count in zip(*np.unique(taken_for, return_counts=True), strict=True):
        share = round(CONTRASTED * IMAGES * count / len(taken_for))
        samples.append(rng.permutation(np.flatnonzero(known.labels == label))[:share])
    indices = np.concatenate(samples)
    return Split(known.images[indices], known.labels[indices])
