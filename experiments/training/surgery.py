"""Rebuild networks: mirrored, unmirrored, cloned."""

from collections.abc import Callable

import keras

from experiments.data.specs import DatasetSpec
from experiments.training.batch_norm import FusedBatchNormalization

FEATURES = "features"  # name of the layer that holds all but the last layer of a mirrored model


def mirrored(model: keras.Model) -> keras.Model:
    """Make a network average the features of each image and its mirror image before its last layer."""
    image = keras.Input(model.input_shape[1:], name="image")
    both = keras.ops.concatenate([image, keras.ops.flip(image, axis=2)])  # (2 B, H, W, C)
    features = keras.Model(model.input, model.layers[-1].input, name=FEATURES)(both)
    mean = keras.ops.mean(keras.ops.reshape(features, (2, -1, features.shape[-1])), axis=0)
    return _ended(image, mean, model.layers[-1])


def unmirrored(model: keras.Model) -> keras.Model:
    """Recover the network inside a mirrored model, to train it further; any other model is returned as it is."""
    if FEATURES not in [layer.name for layer in model.layers]:
        return model
    features = model.get_layer(FEATURES)
    return _ended(features.input, features.output, model.layers[-1])


def clone_of(network: keras.Model) -> Callable[[DatasetSpec], keras.Model]:
    """A `RunConfig.build` that clones a network, weights included, under the current precision policy."""

    def copy(layer: keras.Layer) -> keras.Layer:
        settings = {name: value for name, value in layer.get_config().items() if name != "dtype"}
        fused = keras.mixed_precision.dtype_policy().name == "mixed_bfloat16"
        if fused and isinstance(layer, keras.layers.BatchNormalization):
            return FusedBatchNormalization(autocast=False, **settings)
        if layer is network.layers[-1]:
            settings["dtype"] = "float32"  # probabilities need the precision
        return type(layer).from_config(settings)

    def as_parent(_spec: DatasetSpec) -> keras.Model:
        clone = keras.models.clone_model(network, clone_function=copy)
        clone.set_weights(network.get_weights())
        return clone

    return as_parent


def _ended(image: keras.KerasTensor, x: keras.KerasTensor, last: keras.Layer) -> keras.Model:
    """End a model in a copy of a layer; a layer shared by two models would have two inputs."""
    copy = type(last).from_config(last.get_config())
    model = keras.Model(image, copy(x))
    copy.set_weights(last.get_weights())
    return model
