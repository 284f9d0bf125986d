"""Train one model as a row of the table of runs says, telling listeners how it goes."""

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
from experiments.training.config import RunConfig
from experiments.training.progress import Epoch, Listener
from experiments.training.surgery import mirrored

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # mallopt's names, from glibc's malloc.h
KEPT = 2**31 - 1  # bytes of freed memory that stay: the most that an int says
GROWTH = 2**28  # bytes asked of the kernel at a time


def train(config: RunConfig, dataset: Dataset, extra: Split, listeners: Sequence[Listener]) -> keras.Model:
    """Trains on dataset.train and `extra`, which validation never sees, as often as the config says, and takes the mean
    of the weights. Returns the model in float32.

    The same config, data and machine give the same weights.
    """
    keep_freed_memory()
    trained = [_weights(config, number, dataset, extra, listeners) for number in range(config.trainings)]
    exact = config.build(dataset.spec)
    means = [np.mean(each, axis=0) for each in zip(*trained, strict=True)]
    pairs = zip(exact.get_weights(), means, strict=True)
    exact.set_weights([config.parent_weight * first + (1 - config.parent_weight) * last for first, last in pairs])
    return mirrored(exact) if config.mirrored else exact


def _weights(
    config: RunConfig, number: int, dataset: Dataset, extra: Split, listeners: Sequence[Listener]
) -> list[np.ndarray]:
    """Those of one training, the first being number 0; each has a seed of its own."""
    config = replace(config, seed=config.seed + number)
    keras.utils.set_random_seed(config.seed)
    keras.mixed_precision.set_global_policy(training_precision())
    try:
        model = config.build(dataset.spec)
        batches = AugmentedBatches(dataset, extra, config)
        model.compile(
            optimizer=_optimizer(config, len(batches)),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
            metrics=["accuracy"],
        )
        targets = one_hot(dataset.validation.labels, dataset.spec)
        model.fit(
            batches,
            epochs=config.epochs,
            validation_data=(dataset.validation.images, targets),
            validation_batch_size=500,
            callbacks=[_Announcer(listeners, config, number, len(batches))],
            verbose=0,
        )
    finally:
        keras.mixed_precision.set_global_policy("float32")
    return model.get_weights()


def training_precision() -> str:
    """bfloat16 trains up to four times faster where the processor multiplies it in hardware."""
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


class _Announcer(keras.callbacks.Callback):
    """Keras's events, passed on to the listeners; epochs are counted through all trainings of a run."""

    def __init__(self, listeners: Sequence[Listener], config: RunConfig, number: int, batches: int) -> None:
        super().__init__()
        self._listeners, self._batches = listeners, batches
        self._before, self._epochs = number * config.epochs, config.trainings * config.epochs

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002 Keras's signature
        self._epoch, self._started = self._before + epoch + 1, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002 Keras's signature
        for listener in self._listeners:
            listener.batch(self._epoch, batch + 1, self._batches)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002 Keras's signature
        seconds = time.monotonic() - self._started
        values = {k: float(logs[k]) for k in ("loss", "accuracy", "val_loss", "val_accuracy")}
        for listener in self._listeners:
            listener.epoch(Epoch(epoch=self._epoch, epochs=self._epochs, seconds=seconds, **values))


def keep_freed_memory() -> None:
    """From now on this process gives nothing back to the kernel, where the C library is glibc: every batch takes the
    same large blocks, and having each cleared and mapped anew can take as long as the arithmetic."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        for parameter, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, KEPT), (TOP_PAD, GROWTH)):
            libc.mallopt(parameter, value)
