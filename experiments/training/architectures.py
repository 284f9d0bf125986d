"""Network architectures: raw values 0 to 255 in, class probabilities out."""

import keras
from keras import layers

from experiments.data.specs import DatasetSpec
from experiments.training.batch_norm import batch_normalisation


def baseline(spec: DatasetSpec) -> keras.Model:
    """A minimal convolutional network: one Conv2D and one Dense layer."""
    image = layers.Input(spec.image_shape, name="image")  # (B, 28, 28, 1)
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(16, 3, strides=2, activation="relu")(x)  # (B, 13, 13, 16)
    x = layers.Flatten()(x)
    return keras.Model(image, _classes(x, spec))


def deep(spec: DatasetSpec) -> keras.Model:
    """Five convolutions with more filters, batch normalisation and dropout."""
    return _deep(spec, filters=32)


def wide(spec: DatasetSpec) -> keras.Model:
    """`deep` with a quarter more filters, as many as a millisecond of LiteRT on one core allows."""
    return _deep(spec, filters=40)


def narrow(spec: DatasetSpec) -> keras.Model:
    """`deep` with a quarter fewer filters."""
    return _deep(spec, filters=24)


def residual(spec: DatasetSpec) -> keras.Model:
    """Three residual stages of more filters at less resolution, for colour photos."""
    return _residual(spec, filters=48)


def narrow_residual(spec: DatasetSpec) -> keras.Model:
    """`residual` with a third fewer filters in its stages."""
    return _residual(spec, filters=32)


def _residual(spec: DatasetSpec, filters: int) -> keras.Model:
    """filters: of the first stage; each of the others has twice those of the one before."""
    image = layers.Input(spec.image_shape, name="image")  # (B, 32, 32, 3)
    x = layers.Rescaling(1 / 64, offset=-2)(image)  # centres photos' values, with a deviation of about 1
    x = _convolution(x, 32)  # (B, 32, 32, 32)
    for count in (filters, 2 * filters, 4 * filters):
        x = _convolution(x, count, pool=True)  # (B, 16, 16, F), (B, 8, 8, 2 F), (B, 4, 4, 4 F)
        x = layers.Add()([x, _convolution(_convolution(x, count), count)])
    x = layers.Dropout(0.2)(layers.GlobalMaxPooling2D()(x))
    x = layers.Rescaling(1 / 8)(x)  # with large logits the first steps at a high learning rate diverge
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
    if pool:  # first, which leaves a quarter of the values to the layers below
        x = layers.MaxPooling2D()(x)
    return layers.ReLU()(batch_normalisation(x))


def _classes(x: keras.KerasTensor, spec: DatasetSpec) -> keras.KerasTensor:
    # float32 in bfloat16 training too: probabilities need the precision
    return layers.Dense(spec.outputs, activation="softmax", dtype="float32", name="probabilities")(x)
