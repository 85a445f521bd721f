"""What lets a discriminator see that a generator's samples are too alike: it looks at several at once.

Rows are taken together in order: row i with its neighbours, never across batches. Under a strategy each replica groups
its own rows, which are the same groups as on one device where the replica's rows divide by the group's size.
"""

from typing import Any

import keras
import tensorflow as tf

from keras_gans.checks import check_whole
from keras_gans.errors import UserError
from keras_gans.hints import Tensor


def _check_rows(rows, size, what):
    if rows is not None and rows % size:
        raise UserError(f"{what} takes rows {size} at a time, so a batch must divide by {size}. Received: {rows} rows.")


@keras.saving.register_keras_serializable(package="keras_gans")
class Packing(keras.layers.Layer):
    """Joins every `count` samples along the channels, so that one score judges them together.

    Lin et al., "PacGAN: The Power of Two Samples in Generative Adversarial Networks" (2018), section 3: the
    discriminator's first layer is widened and nothing else changes.

    Args:
        count: the paper's m, samples in a pack.

    Input: (batch, ..., channels). Output: (batch / count, ..., count * channels).

    Raises:
        UserError: `count` is no whole number of 1 or more, or the batch does not divide by it.
    """

    def __init__(self, count: int, **kwargs: Any):
        super().__init__(**kwargs)
        check_whole("The number of samples in a pack", count)
        self.count = count

    def call(self, inputs: Tensor) -> Tensor:
        shape = inputs.shape
        _check_rows(shape[0], self.count, "Packing")
        packs = tf.reshape(inputs, (-1, self.count, *shape[1:]))
        rank = len(shape)
        # The samples of a pack go beside each other in the channels, the last axis.
        packs = tf.transpose(packs, (0, *range(2, rank), 1, rank))
        return tf.reshape(packs, (-1, *shape[1:-1], self.count * shape[-1]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        rows = None if input_shape[0] is None else input_shape[0] // self.count
        return (rows, *input_shape[1:-1], self.count * input_shape[-1])

    def compute_output_spec(self, inputs: Tensor) -> keras.KerasTensor:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count}


@keras.saving.register_keras_serializable(package="keras_gans")
class MinibatchStandardDeviation(keras.layers.Layer):
    """Appends one channel: how much the samples of a group differ.

    Karras et al., "Progressive Growing of GANs" (2018), section 3: the standard deviation of each feature over the
    group, averaged over features and places, is the new channel's value everywhere.

    Args:
        group_size: samples in a group; the authors' code has 4.

    Input: (batch, ..., channels). Output: (batch, ..., channels + 1).

    Raises:
        UserError: `group_size` is no whole number of 2 or more, or the batch does not divide by it.
    """

    def __init__(self, group_size: int = 4, **kwargs: Any):
        super().__init__(**kwargs)
        check_whole("The number of samples in a group", group_size, 2)
        self.group_size = group_size

    def call(self, inputs: Tensor) -> Tensor:
        shape = inputs.shape
        _check_rows(shape[0], self.group_size, "Minibatch standard deviation")
        groups = tf.reshape(tf.cast(inputs, tf.float32), (-1, self.group_size, *shape[1:]))
        variance = tf.math.reduce_variance(groups, axis=1)
        # The root has no finite gradient at zero, where all samples of a group are equal.
        spread = tf.reduce_mean(tf.sqrt(variance + 1e-8), axis=list(range(1, len(shape))))
        column = tf.reshape(tf.repeat(spread, self.group_size), (-1, *[1] * (len(shape) - 1)))
        channel = tf.broadcast_to(column, tf.concat([tf.shape(inputs)[:-1], [1]], axis=0))
        return tf.concat([inputs, tf.cast(channel, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], input_shape[-1] + 1)

    def compute_output_spec(self, inputs: Tensor) -> keras.KerasTensor:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "group_size": self.group_size}
