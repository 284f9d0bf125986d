"""Fused batch normalisation: on a CPU, Keras's own takes as long as all convolutions together."""

import keras
import tensorflow as tf


def batch_normalisation(x: keras.KerasTensor) -> keras.KerasTensor:
    """Normalise [B, H, W, C], by the fused layer in bfloat16 training.

    A model to keep gets Keras's layer, which loads without this module. Both have the same weights in the same order.
    """
    training = keras.mixed_precision.dtype_policy().name == "mixed_bfloat16"
    return (FusedBatchNormalization(autocast=False) if training else keras.layers.BatchNormalization())(x)


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc] # Keras ships no types
    """Keras's layer on TensorFlow's fused kernel: bfloat16 in and out, float32 statistics."""

    def call(self, inputs: tf.Tensor, training: bool = False, mask: None = None) -> tf.Tensor:  # noqa: ARG002 Keras's
        """Normalise by the batch's statistics in training, updating the moving ones; otherwise by the moving ones."""
        scale, offset, mean, variance = (
            tf.convert_to_tensor(weight.value)
            for weight in (self.gamma, self.beta, self.moving_mean, self.moving_variance)
        )
        fused = {"x": inputs, "scale": scale, "offset": offset, "epsilon": self.epsilon, "is_training": training}
        if not training:
            return tf.raw_ops.FusedBatchNormV3(mean=mean, variance=variance, **fused).y
        # Empty tensors make the kernel compute the batch's statistics.
        result = tf.raw_ops.FusedBatchNormV3(mean=tf.zeros([0]), variance=tf.zeros([0]), **fused)
        self.moving_mean.assign(mean * self.momentum + result.batch_mean * (1 - self.momentum))
        self.moving_variance.assign(variance * self.momentum + result.batch_variance * (1 - self.momentum))
        return result.y
