"""Train one model as configured, reporting progress to listeners."""

import ctypes
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from experiments.data.datasets import Dataset
from experiments.data.specs import Split
from experiments.training.batches import AugmentedBatches, one_hot
from experiments.training.checkpoints import Checkpoint, Saver
from experiments.training.config import RunConfig
from experiments.training.progress import Epoch, Listener
from experiments.training.surgery import mirrored

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # mallopt's parameters, from glibc's malloc.h
MAX_KEPT = 2**31 - 1  # bytes of freed memory to keep: the largest int
GROWTH = 2**28  # bytes to ask of the kernel at a time


def train(
    config: RunConfig,
    dataset: Dataset,
    extra: Split,
    listeners: Sequence[Listener],
    checkpoint: Checkpoint | None = None,
) -> keras.Model:
    """Train on dataset.train and `extra`, once or several times, and return a float32 model of the mean weights. The
    same config, data and machine give the same weights, also where it goes on from the state of a checkpoint."""
    keep_freed_memory()
    trainings = list(checkpoint.state.finished) if checkpoint and checkpoint.state else []
    for number in range(len(trainings), config.trainings):
        saver = Saver(checkpoint, trainings) if checkpoint else None
        trainings.append(_train_once(config, number, dataset, extra, listeners, saver))
    model = config.build(dataset.spec)
    means = [np.mean(weights, axis=0) for weights in zip(*trainings, strict=True)]
    pairs = zip(model.get_weights(), means, strict=True)
    model.set_weights([config.parent_weight * first + (1 - config.parent_weight) * last for first, last in pairs])
    return mirrored(model) if config.mirrored else model


def _train_once(
    config: RunConfig,
    number: int,
    dataset: Dataset,
    extra: Split,
    listeners: Sequence[Listener],
    saver: Saver | None,
) -> list[np.ndarray]:
    """Return the weights of one training; `number`, from 0, is added to the seed."""
    config = replace(config, seed=config.seed + number)
    epochs_before = number * config.epochs
    begin = saver.finished_epochs - epochs_before if saver else 0
    keras.utils.set_random_seed(config.seed)
    keras.mixed_precision.set_global_policy(training_precision())
    try:
        model = config.build(dataset.spec)
        batches = AugmentedBatches(dataset, extra, config, begin)
        model.compile(
            optimizer=_optimizer(config, len(batches)),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
            metrics=["accuracy"],
            jit_compile=False,  # XLA's convolutions take 1.7 x the time of oneDNN's on a processor
        )
        targets = one_hot(dataset.validation.labels, dataset.spec)
        savers = [saver] if saver else []
        model.fit(
            batches,
            epochs=config.epochs,
            initial_epoch=begin,
            validation_data=(dataset.validation.images, targets),
            validation_batch_size=500,
            callbacks=[_Reporter([*listeners, *savers], config, epochs_before, len(batches)), *savers],
            verbose=0,
        )
    finally:
        keras.mixed_precision.set_global_policy("float32")
    weights: list[np.ndarray] = model.get_weights()
    return weights


def training_precision() -> str:
    """Keras's policy for training: bfloat16 is up to four times faster on processors that multiply it in hardware."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    return "mixed_bfloat16" if "amx_bf16" in flags else "float32"


def _optimizer(config: RunConfig, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    average = {"use_ema": True, "ema_momentum": config.weight_average} if config.weight_average else {}
    if config.schedule == "constant":
        return keras.optimizers.Adam(config.learning_rate, **average)
    steps = config.epochs * steps_per_epoch
    warmup = steps // 6
    rate = keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 20, steps - warmup, warmup_target=config.learning_rate, warmup_steps=warmup
    )
    if config.momentum:
        decay = {"nesterov": True, "weight_decay": config.weight_decay}
        return keras.optimizers.SGD(rate, momentum=config.momentum, **decay, **average)
    return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **average)


class _Reporter(keras.callbacks.Callback):  # type: ignore[misc] # Keras ships no types
    """Pass Keras's events on to listeners, counting epochs through all trainings of a run."""

    def __init__(self, listeners: Sequence[Listener], config: RunConfig, epochs_before: int, batches: int) -> None:
        super().__init__()
        self._listeners, self._batches = listeners, batches
        self._epochs_before, self._epochs = epochs_before, config.trainings * config.epochs

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002 Keras's signature
        self._epoch, self._started = self._epochs_before + epoch + 1, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002 Keras's signature
        for listener in self._listeners:
            listener.batch(self._epoch, batch + 1, self._batches)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002 Keras's signature
        seconds = time.monotonic() - self._started
        figures = {k: float(logs[k]) for k in ("loss", "accuracy", "val_loss", "val_accuracy")}
        for listener in self._listeners:
            listener.epoch(Epoch(epoch=self._epoch, epochs=self._epochs, seconds=seconds, **figures))


def keep_freed_memory() -> None:
    """Stop glibc from returning freed memory to the kernel.

    Every batch takes the same large blocks; having them cleared and mapped again can take as long as the arithmetic.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        for parameter, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, MAX_KEPT), (TOP_PAD, GROWTH)):
            libc.mallopt(parameter, value)
