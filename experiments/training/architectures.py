"""The networks. Every one takes raw values 0 to 255 and ends in class probabilities."""

import keras
from keras import layers

from experiments.data.specs import DatasetSpec
from experiments.training.batch_norm import batch_normalisation


def baseline(spec: DatasetSpec) -> keras.Model:
    """One Conv2D and one Dense layer: the least that can be called a convolutional network."""
    image = layers.Input(spec.image_shape, name="image")  # (B, 28, 28, 1)
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(16, 3, strides=2, activation="relu")(x)  # (B, 13, 13, 16)
    x = layers.Flatten()(x)
    return keras.Model(image, _classes(x, spec))


def deep(spec: DatasetSpec) -> keras.Model:
    """Five convolutions with more filters, batch normalisation and dropout."""
    return _deep(spec, filters=32)


def wide(spec: DatasetSpec) -> keras.Model:
    """The same with a quarter more filters: as large as a millisecond of LiteRT on one core allows."""
    return _deep(spec, filters=40)


def residual(spec: DatasetSpec) -> keras.Model:
    """Three stages of more and more filters at less and less resolution, each with a shortcut, for colour photos."""
    image = layers.Input(spec.image_shape, name="image")  # (B, 32, 32, 3)
    x = layers.Rescaling(1 / 64, offset=-2)(image)  # a photo's values are spread by about 1 around 0 then
    x = _convolution(x, 32)  # (B, 32, 32, 32)
    for filters in (48, 96, 192):
        x = _convolution(x, filters, pool=True)  # (B, 16, 16, 48), (B, 8, 8, 96), (B, 4, 4, 192)
        x = layers.Add()([x, _convolution(_convolution(x, filters), filters)])
    x = layers.Dropout(0.2)(layers.GlobalMaxPooling2D()(x))
    x = layers.Rescaling(1 / 8)(x)  # with large logits the first steps at a high learning rate go astray
    return keras.Model(image, _classes(x, spec))


def _deep(spec: DatasetSpec, filters: int) -> keras.Model:
    image = layers.Input(spec.image_shape, name="image")  # (B, 28, 28, 1)
    x = layers.Rescaling(1 / 255)(image)
    x = _convolution(x, filters, kernel=5, padding="valid", pool=True)  # (B, 12, 12, F)
    x = _convolution(x, 2 * filters)  # (B, 12, 12, 2 F)
    x = _convolution(x, 2 * filters, pool=True)  # (B, 6, 6, 2 F)
    x = _convolution(x, 4 * filters)  # (B, 6, 6, 4 F)
    x = _convolution(x, 4 * filters, padding="valid")  # (B, 4, 4, 4 F)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(image, _classes(x, spec))


def _convolution(
    x: keras.KerasTensor, filters: int, kernel: int = 3, padding: str = "same", pool: bool = False
) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, padding=padding, use_bias=False, kernel_initializer="he_normal")(x)
    if pool:  # before the rest, which then has a fourth to do
        x = layers.MaxPooling2D()(x)
    return layers.ReLU()(batch_normalisation(x))


def _classes(x: keras.KerasTensor, spec: DatasetSpec) -> keras.KerasTensor:
    # float32 even in a bfloat16 training: probabilities need the digits
    return layers.Dense(spec.outputs, activation="softmax", dtype="float32", name="probabilities")(x)
