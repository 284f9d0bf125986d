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
    """Five convolutions with more filters, and dropout.

    No batch normalisation: on a CPU it takes as long as all the rest, and twice the epochs read better.
    """
    image = layers.Input(spec.image_shape, name="image")  # (B, 28, 28, 1)
    x = layers.Rescaling(1 / 255)(image)
    x = layers.MaxPooling2D()(_convolution(x, 32, kernel=5, padding="valid"))  # (B, 12, 12, 32)
    x = _convolution(x, 64)  # (B, 12, 12, 64)
    x = layers.MaxPooling2D()(_convolution(x, 64))  # (B, 6, 6, 64)
    x = _convolution(x, 128)  # (B, 6, 6, 128)
    x = _convolution(x, 128, padding="valid")  # (B, 4, 4, 128)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(image, _classes(x, spec))


def _convolution(x: keras.KerasTensor, filters: int, kernel: int = 3, padding: str = "same") -> keras.KerasTensor:
    # He's initialisation keeps the signal's scale through layers that nothing normalises
    return layers.Conv2D(filters, kernel, padding=padding, activation="relu", kernel_initializer="he_normal")(x)


def _classes(x: keras.KerasTensor, spec: DatasetSpec) -> keras.KerasTensor:
    # float32 even in a bfloat16 training: probabilities need the digits
    return layers.Dense(len(spec.class_names), activation="softmax", dtype="float32", name="probabilities")(x)
