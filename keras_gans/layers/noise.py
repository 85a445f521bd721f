"""Noise and dropout whose draws are a function of (seed, step), however many replicas share the batch."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gans import randomness
from keras_gans.checks import check_number
from keras_gans.errors import UserError
from keras_gans.hints import Tensor
from keras_gans.private_apis import layers_of


def _seed():
    """The next seed of the training step, or any seed where a network is called by itself."""
    if randomness.is_open():
        return randomness.next_seed()
    return tf.random.uniform((2,), maxval=2**31 - 1, dtype=tf.int32)


def draw_rows(shape: Sequence[int], sample: Tensor, **arguments: Any) -> Tensor:
    """Random float32 rows for a layer: those of this replica out of the global batch's.

    Args:
        shape: of the rows on this replica, integers or an int32 tensor.
        sample: `randomness.uniform` or `randomness.normal`.
        **arguments: for `sample`.
    """
    shape, seed = tf.convert_to_tensor(shape), _seed()

    def draw(rows):
        return sample(tf.concat([[rows], shape[1:]], axis=0), seed, **arguments)

    return tf.reshape(randomness.for_this_replica(draw, shape[0]), shape)


class RandomLayer(keras.layers.Layer):
    """A layer that draws in training by `draw_rows` and returns what has its inputs' shape."""

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


@keras.saving.register_keras_serializable(package="keras_gans")
class GaussianNoise(RandomLayer):
    """Adds N(0, stddev^2) to each entry in training; nothing otherwise.

    Keras's layer keeps its own random state, and draws the same noise on every replica; this one draws from the
    training step's stream, so that resuming is exact and replicas change nothing.

    Args:
        stddev: standard deviation of the noise, 0 or more.

    Raises:
        UserError: `stddev` is negative.
    """

    def __init__(self, stddev: float, **kwargs: Any):
        super().__init__(**kwargs)
        check_number("The standard deviation of noise", stddev, example="0.1")
        self.stddev = stddev

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.stddev == 0:
            return inputs
        noise = draw_rows(tf.shape(inputs), randomness.normal, stddev=float(self.stddev))
        return inputs + tf.cast(noise, inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev}


@keras.saving.register_keras_serializable(package="keras_gans")
class Dropout(RandomLayer):
    """Sets a share of the entries to zero in training and scales the others up; nothing otherwise.

    Srivastava et al., "Dropout" (2014). As `GaussianNoise`, exact under resuming and replicas.

    Args:
        rate: share of the entries to drop, from 0 to below 1.

    Raises:
        UserError: `rate` is out of range.
    """

    def __init__(self, rate: float, **kwargs: Any):
        super().__init__(**kwargs)
        check_number("A dropout rate", rate, 0.0, 1.0, below=True, example="0.3")
        self.rate = rate

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        kept = draw_rows(tf.shape(inputs), randomness.uniform) >= self.rate
        return tf.where(kept, inputs / (1.0 - self.rate), tf.zeros_like(inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


def check_is_random(network: keras.Model, what: str) -> None:
    """Refuses a network of which two training passes over the same samples give the same.

    Args:
        network: keras.Model.
        what: the setting that compares two passes, for people.

    Raises:
        UserError: no layer is random.
    """
    for layer in layers_of(network):
        # Keras's own random layers hold a generator of seeds.
        if isinstance(layer, RandomLayer) or hasattr(layer, "seed_generator"):
            return
    raise UserError(
        f"{what} compares two passes over the same samples, and this network has no random layer: both are equal. Give "
        "it augmentation, dropout or input_noise."
    )
