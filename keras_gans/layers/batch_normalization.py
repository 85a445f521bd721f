"""Batch normalization on TensorFlow's fused kernel."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_gans.hints import Tensor


@keras.saving.register_keras_serializable(package="keras_gans")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalization, computed in training by one fused kernel instead of a dozen operations.

    Ioffe and Szegedy, "Batch Normalization" (2015). Channels come last. Under a strategy with several replicas the
    statistics are those of the global batch (`synchronized=True`), so that replicas change nothing. Outside training
    it is Keras's layer. Outputs, gradients and moving averages equal Keras's.

    Args:
        momentum: share of the old moving averages that a step keeps. Papers' 0.1 of the new is 0.9 here.
        epsilon: added to the variance.
        **kwargs: as `keras.layers.BatchNormalization`, without `axis` and `synchronized`.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any):
        super().__init__(momentum=momentum, epsilon=epsilon, synchronized=True, **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["axis"], config["synchronized"]
        return config

    def call(self, inputs: Tensor, training: bool | None = None, mask: Any = None) -> Tensor:
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync if context else 1
        # The Keras of Python 3.10 has no batch renormalization.
        plain = mask is None and not getattr(self, "renorm", False)
        fusable = plain and inputs.shape.rank in (2, 4) and replicas == 1
        if not (training and self.trainable and fusable):
            return super().call(inputs, training=training, mask=mask)
        return self._fused(inputs)

    def _fused(self, inputs):
        images = inputs if inputs.shape.rank == 4 else inputs[:, tf.newaxis, tf.newaxis, :]
        channels = (images.shape[-1],)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            tf.convert_to_tensor(images),
            tf.cast(self.gamma, tf.float32) if self.scale else tf.ones(channels),
            tf.cast(self.beta, tf.float32) if self.center else tf.zeros(channels),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel reports Bessel's unbiased variance; Keras's moving average holds the biased one.
        count = tf.cast(tf.size(images) / tf.shape(images)[-1], tf.float32)
        variance = variance * (count - 1.0) / count
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + ops.cast(batch, moving.dtype) * (1.0 - self.momentum))
        return tf.reshape(outputs, tf.shape(inputs)) if inputs.shape.rank == 2 else outputs
