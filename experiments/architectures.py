"""The networks. Every one takes raw values 0 to 255 and ends in class probabilities."""

import keras
from keras import layers

from experiments.datasets import DatasetSpec


def baseline(spec: DatasetSpec) -> keras.Model:
    """One Conv2D and one Dense layer: the least that can be called a convolutional network."""
    image = layers.Input(spec.image_shape, name="image")  # (B, 28, 28, 1)
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(16, 3, strides=2, activation="relu")(x)  # (B, 13, 13, 16)
    x = layers.Flatten()(x)
    return keras.Model(image, _classes(x, spec))


def deep(spec: DatasetSpec) -> keras.Model:
    """Five convolutions with more filters and dropout. Pooling comes before normalisation: a quarter of the work."""
    image = layers.Input(spec.image_shape, name="image")  # (B, 28, 28, 1)
    x = layers.Rescaling(1 / 255)(image)
    x = _block(x, 32, kernel=5, padding="valid", pool=True)  # (B, 12, 12, 32)
    x = _block(x, 64)  # (B, 12, 12, 64)
    x = _block(x, 64, pool=True)  # (B, 6, 6, 64)
    x = _block(x, 128)  # (B, 6, 6, 128)
    x = _block(x, 128, padding="valid")  # (B, 4, 4, 128)
    x = layers.Dropout(0.25)(layers.Flatten()(x))
    return keras.Model(image, _classes(x, spec))


def _block(
    x: keras.KerasTensor, filters: int, *, kernel: int = 3, padding: str = "same", pool: bool = False
) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, padding=padding, use_bias=False)(x)
    if pool:
        x = layers.MaxPooling2D()(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def _classes(x: keras.KerasTensor, spec: DatasetSpec) -> keras.KerasTensor:
    # float32 even in a bfloat16 training: probabilities need the digits
    return layers.Dense(len(spec.class_names), activation="softmax", dtype="float32", name="probabilities")(x)
