"""The Production model, taught what was corrected among what it knew before, so that nothing is forgotten."""

from collections.abc import Sequence
from dataclasses import replace

import keras
import numpy as np

from experiments.data.datasets import Dataset, join
from experiments.data.specs import Split
from experiments.data.synthesis.generate import Amounts, synthesise
from experiments.evaluation.comparison import REJECTED
from experiments.runs import table
from experiments.training.config import RunConfig
from experiments.training.progress import Listener
from experiments.training.surgery import clone_of, unmirrored
from experiments.training.train import train

EPOCHS, IMAGES = 4, 8_192  # images an epoch: 100 corrections shall take 90 s on two cores, everything included
LEARNING_RATE, WEIGHT_AVERAGE = 0.04, 0.98  # times the first training's; the average of about 50 steps
CORRECTED = 0.05  # of an epoch's images are corrections, however few there are,
CONTRASTED = 0.05  # and so many of what they were taken for, so that the line between both is drawn anew with care
MADE = Amounts(drawn=4_000, restyled=1_000, non_digits=1_000)  # images of the project's own, new each time
STRANGERS = Amounts(outlier_photos=1_000)  # the same where nothing is refused
STEPS = 10  # in which the way back to the champion is tried
ASKED = 500  # corrections, at most, at each
STILL_READ = 0.97  # of those that the tuned model reads: the last few cost what it knew before most
MADE_WEIGHT = 4  # as often as one of the data set's: they are a third of what is replayed


def configuration(dataset: Dataset, champion: keras.Model, seed: int) -> RunConfig:
    """As the last row of the data set's table trains, only from the champion on, shorter and more carefully."""
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
        extra=MADE if dataset.spec.has_reject_class else STRANGERS,
        extra_share=1 - CORRECTED - CONTRASTED,
        seed=seed,
    )


def fine_tune(
    config: RunConfig,
    champion: keras.Model,
    dataset: Dataset,
    teaching: Split,
    taken_for: np.ndarray,
    listeners: Sequence[Listener],
) -> keras.Model:
    """The champion, trained on as its configuration says. taken_for: int64 [N], its answers to `teaching`. Returns a
    model in float32."""
    taken_for = np.where(taken_for == REJECTED, len(dataset.spec.class_names), taken_for)  # a refusal is a class here
    made = synthesise(config.extra, dataset, config.seed)
    replay = join(dataset.train, *[made] * MADE_WEIGHT)
    times = max(1, round(CORRECTED * IMAGES / len(teaching.labels)))
    corrections = Split(np.repeat(teaching.images, times, axis=0), np.repeat(teaching.labels, times))
    known = made if dataset.spec.has_reject_class else dataset.train  # a correction costs drawings most
    emphasised = join(corrections, _contrast(known, taken_for, config.seed))
    share = config.extra_share * IMAGES / len(replay.labels)
    tuned = train(replace(config, extra_share=share), replace(dataset, train=emphasised), replay, listeners)
    return _as_near(champion, tuned, teaching)


def _as_near(champion: keras.Model, tuned: keras.Model, teaching: Split) -> keras.Model:
    """The tuned model, its weights moved back towards the champion's as far as it reads nearly all the corrections that
    it read: what they did not ask for is forgotten least (after Wortsman et al., Robust fine-tuning of zero-shot
    models, 2022)."""
    asked = slice(None, None, -(-len(teaching.labels) // ASKED))

    def right() -> int:
        answers = tuned.predict(teaching.images[asked], batch_size=500, verbose=0).argmax(axis=1)
        return int(np.count_nonzero(answers == teaching.labels[asked]))

    before, after, learnt = champion.get_weights(), tuned.get_weights(), right()
    for step in range(1, STEPS + 1):
        tuned.set_weights([old + step / STEPS * (new - old) for old, new in zip(before, after, strict=True)])
        if right() >= STILL_READ * learnt:
            break
    return tuned


def _contrast(known: Split, taken_for: np.ndarray, seed: int) -> Split:
    """Images of what the corrections were taken for, each class as often as it was the answer."""
    rng = np.random.default_rng(seed)
    chosen = [np.empty(0, np.int64)]
    for label, count in zip(*np.unique(taken_for, return_counts=True), strict=True):
        own = np.flatnonzero(known.labels == label)
        wanted = round(CONTRASTED * IMAGES * count / len(taken_for))
        chosen.append(rng.permutation(own)[:wanted])
    places = np.concatenate(chosen)
    return Split(known.images[places], known.labels[places])
