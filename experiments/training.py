"""Train one model as a row of the table of runs says, telling listeners how it goes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from experiments.allocator import keep_freed_memory
from experiments.data.datasets import Dataset, Split, join
from experiments.data.specs import DatasetSpec
from experiments.normalisation import FusedBatchNormalization
from experiments.progress import EpochResult, Listener
from experiments.runs import RunConfig

FEATURES = "features"  # all but the last layer, in a model that sees an image twice


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
    exact.set_weights([config.kept * first + (1 - config.kept) * last for first, last in pairs])
    return seen_twice(exact) if config.mirrored else exact


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


def seen_twice(model: keras.Model) -> keras.Model:
    """The same network, answering for an image and its mirror image at once: what its last layer gets is their mean."""
    image = keras.Input(model.input_shape[1:], name="image")
    both = keras.ops.concatenate([image, keras.ops.flip(image, axis=2)])  # (2 B, H, W, C)
    features = keras.Model(model.input, model.layers[-1].input, name=FEATURES)(both)
    mean = keras.ops.mean(keras.ops.reshape(features, (2, -1, features.shape[-1])), axis=0)
    return _ended(image, mean, model.layers[-1])


def seen_once(model: keras.Model) -> keras.Model:
    """The network that seen_twice was given, to be trained on; any other model as it is."""
    if FEATURES not in [layer.name for layer in model.layers]:
        return model
    features = model.get_layer(FEATURES)
    return _ended(features.input, features.output, model.layers[-1])


def same_as(network: keras.Model) -> Callable[[DatasetSpec], keras.Model]:
    """Builds the same network with the same weights, to compute as the policy of the moment says."""

    def copy(layer: keras.Layer) -> keras.Layer:
        settings = {name: value for name, value in layer.get_config().items() if name != "dtype"}
        fused = keras.mixed_precision.dtype_policy().name == "mixed_bfloat16"
        if fused and isinstance(layer, keras.layers.BatchNormalization):
            return FusedBatchNormalization(autocast=False, **settings)
        if layer is network.layers[-1]:
            settings["dtype"] = "float32"  # probabilities need the digits
        return type(layer).from_config(settings)

    def as_parent(_spec: DatasetSpec) -> keras.Model:
        same = keras.models.clone_model(network, clone_function=copy)
        same.set_weights(network.get_weights())
        return same

    return as_parent


def _ended(image: keras.KerasTensor, x: keras.KerasTensor, last: keras.Layer) -> keras.Model:
    """The model that ends in a copy of a layer: one layer in two models would have two inputs."""
    copy = type(last).from_config(last.get_config())
    model = keras.Model(image, copy(x))
    copy.set_weights(last.get_weights())
    return model


def training_precision() -> str:
    """bfloat16 trains up to four times faster where the processor multiplies it in hardware."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    return "mixed_bfloat16" if "amx_bf16" in flags else "float32"


def one_hot(labels: np.ndarray, spec: DatasetSpec) -> np.ndarray:
    """labels: int64 [N]. Returns float32 [N, outputs of the data set's models]; none of the classes is an output of its
    own, or where there is no such output each class as much as any other."""
    undecided = np.full((1, spec.outputs), 1 / spec.outputs, np.float32)
    return np.concatenate([np.eye(spec.outputs, dtype=np.float32), undecided])[labels]


class AugmentedBatches(keras.utils.PyDataset):
    """The training images and a share of the extra ones, chosen anew, in a new order and shape each epoch."""

    def __init__(self, dataset: Dataset, extra: Split, config: RunConfig) -> None:
        super().__init__(workers=2, max_queue_size=16)
        everything = join(dataset.train, extra)
        self._images, self._targets = everything.images, one_hot(everything.labels, dataset.spec)
        self._own, self._extra = len(dataset.train.labels), round(config.extra_share * len(extra.labels))
        self._config = config
        self._epoch = -1
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self._order) // self._config.batch_size

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self._order[index * self._config.batch_size :][: self._config.batch_size]
        rng = np.random.default_rng((self._config.seed, self._epoch, index))  # whichever worker makes it
        return self._config.augment(self._images[chosen], rng), self._targets[chosen]

    def on_epoch_end(self) -> None:
        """Chooses and shuffles for the next epoch."""
        self._epoch += 1
        rng = np.random.default_rng((self._config.seed, self._epoch))
        extra = self._own + rng.permutation(len(self._images) - self._own)[: self._extra]
        self._order = rng.permutation(np.concatenate([np.arange(self._own), extra]))


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
            listener.epoch(EpochResult(epoch=self._epoch, epochs=self._epochs, seconds=seconds, **values))
