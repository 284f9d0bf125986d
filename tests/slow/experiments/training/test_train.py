"""Training: listeners get everything, the same seed gives the same weights, bars end with figures."""

import dataclasses

import keras
import numpy as np
import pytest

from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS, Split
from experiments.data.synthesis.digits import draw_digits
from experiments.runs.table import table
from experiments.training.augmentation import warp
from experiments.training.batches import AugmentedBatches
from experiments.training.progress import Epoch, TerminalBar
from experiments.training.surgery import clone_of, mirrored, unmirrored
from experiments.training.train import train, training_precision

LABELS = np.arange(10).repeat(8)
NONE = np.empty((0, 28, 28, 1), np.uint8)
DIGITS = Split(draw_digits(Split(NONE, LABELS), np.random.default_rng(0)), LABELS)
DATASET = Dataset(SPECS["mnist"], DIGITS, DIGITS, DIGITS, digest="0" * 64)
CONFIG = dataclasses.replace(table("mnist")[0], epochs=2, batch_size=32, extra_share=1)


class Recorder:
    def __init__(self) -> None:
        self.batches, self.results = [], []

    def batch(self, epoch: int, done: int, total: int) -> None:
        self.batches.append((epoch, done, total))

    def epoch(self, result: Epoch) -> None:
        self.results.append(result)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_listeners_get_every_batch_and_epoch(schedule: str) -> None:
    recorder = Recorder()
    model = train(dataclasses.replace(CONFIG, schedule=schedule), DATASET, DIGITS, [recorder])
    assert recorder.batches == [(epoch, done, 5) for epoch in (1, 2) for done in range(1, 6)]
    assert [result.epoch for result in recorder.results] == [1, 2]
    assert all(result.epochs == 2 and result.seconds > 0 for result in recorder.results)
    assert model.dtype_policy.name == "float32"
    assert keras.mixed_precision.dtype_policy().name == "float32"


def test_the_same_seed_gives_the_same_weights() -> None:
    first, again, other = (
        train(CONFIG.__class__(**vars(CONFIG) | {"seed": s}), DATASET, DIGITS, []) for s in (0, 0, 1)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), again.get_weights(), strict=True))
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])


def test_several_trainings_begin_alike_and_end_in_the_mean_of_their_weights() -> None:
    parent, recorder = CONFIG.build(DATASET.spec), Recorder()
    alike = dataclasses.replace(CONFIG, build=clone_of(parent), epochs=1)
    first, second = (train(dataclasses.replace(alike, seed=seed), DATASET, DIGITS, []) for seed in (5, 6))
    both = train(dataclasses.replace(alike, seed=5, trainings=2), DATASET, DIGITS, [recorder])
    assert [(result.epoch, result.epochs) for result in recorder.results] == [(1, 2), (2, 2)]
    for mean, one, other in zip(both.get_weights(), first.get_weights(), second.get_weights(), strict=True):
        assert np.allclose(mean, (one + other) / 2, atol=1e-6)
    assert not np.allclose(first.get_weights()[0], second.get_weights()[0], atol=1e-6)


def test_a_share_of_the_parent_is_kept() -> None:
    parent = CONFIG.build(DATASET.spec)
    alone = dataclasses.replace(CONFIG, build=clone_of(parent), epochs=1)
    moved = train(alone, DATASET, DIGITS, []).get_weights()
    kept = train(dataclasses.replace(alone, parent_weight=0.75), DATASET, DIGITS, []).get_weights()
    for mixed, first, last in zip(kept, parent.get_weights(), moved, strict=True):
        assert np.allclose(mixed, 0.75 * first + 0.25 * last, atol=1e-6)


def test_batches_come_in_another_order_and_shape_each_epoch() -> None:
    batches = AugmentedBatches(DATASET, DIGITS, CONFIG)
    images, targets = batches[0]
    again, _ = batches[0]
    batches.on_epoch_end()
    later, _ = batches[0]
    assert images.shape == (32, 28, 28, 1)
    assert targets.sum(axis=1).tolist() == [1.0] * 32
    assert np.array_equal(images, again)
    assert not np.array_equal(images, later)
    assert not np.array_equal(images, warp(images, np.random.default_rng(0)))


def test_a_mirrored_model_gives_an_image_and_its_mirror_image_the_same_answer() -> None:
    single = CONFIG.build(DATASET.spec)
    doubled = mirrored(single)
    there, back = DIGITS.images[:5], DIGITS.images[:5, :, ::-1]
    answers = [doubled.predict(images, verbose=0) for images in (there, back)]
    assert np.allclose(*answers, atol=1e-5)
    assert np.allclose(answers[0].sum(1), 1, atol=1e-5)
    logits = [np.log(single.predict(images, verbose=0)) for images in (there, back)]
    mean = np.exp(np.mean(logits, axis=0))
    assert np.allclose(answers[0], mean / mean.sum(1, keepdims=True), atol=1e-4)
    assert np.allclose(unmirrored(doubled).predict(there, verbose=0), single.predict(there, verbose=0))
    assert unmirrored(single) is single


def test_momentum_trains_too() -> None:
    config = dataclasses.replace(CONFIG, schedule="cosine", momentum=0.9, learning_rate=0.05, epochs=6, mirrored=True)
    recorder = Recorder()
    model = train(config, DATASET, DIGITS, [recorder])
    assert recorder.results[-1].loss < recorder.results[0].loss
    assert model.layers[-1].name == "probabilities", "calibration divides its logits"


def test_the_precision_is_one_that_keras_knows() -> None:
    assert training_precision() in ("float32", "mixed_bfloat16")


def test_a_bar_an_epoch_that_ends_with_figures(capsys) -> None:
    bar = TerminalBar("baseline", 2)
    for epoch in (1, 2):
        for done in (1, 2, 3):
            bar.batch(epoch, done, 3)
        bar.epoch(Epoch(epoch, 0.5, 0.9, 0.4, 0.9512, epochs=2, seconds=1.0))
    bar.close()
    shown = capsys.readouterr().err
    assert "baseline 1/2" in shown
    assert "baseline 2/2" in shown
    assert "validation 95.12 %" in shown
