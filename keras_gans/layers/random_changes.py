"""Differentiable changes of images that leave pixels as sharp as they were, and how often they happen.

Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training" (2020), section 3.2 and the authors' code:
colour, translation and cutout; Karras et al., "Training Generative Adversarial Networks with Limited Data" (2020): that
they happen with a probability below 1, which follows the discriminator's overfitting.
"""

import math
from typing import Any

import keras
import tensorflow as tf

from keras_gans import randomness
from keras_gans.checks import check_number, is_number
from keras_gans.errors import UserError
from keras_gans.hints import Tensor
from keras_gans.layers.noise import RandomLayer, draw_rows


def check_range(name: str, value: float, most: float = math.inf) -> None:
    """Raises a `UserError` unless the range of a random change is a number from 0 to `most`."""
    check_number(f"{name} of an augmentation", value, 0.0, most, example="0.1")


@keras.saving.register_keras_serializable(package="keras_gans")
class RandomFlip(RandomLayer):
    """Mirrors half of the images left to right in training; nothing otherwise."""

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        turned = draw_rows([tf.shape(inputs)[0], 1, 1, 1], randomness.uniform) < 0.5
        return tf.where(turned, tf.reverse(inputs, [2]), inputs)


@keras.saving.register_keras_serializable(package="keras_gans")
class RandomShift(RandomLayer):
    """Shifts each image by whole pixels in training, and moves in 0, mid-grey; nothing otherwise.

    Args:
        shift: largest shift across and down, as a share of the image's side; the paper's is 1/8.

    Raises:
        UserError: `shift` does not lie from 0 to 1.
    """

    def __init__(self, shift: float = 0.125, **kwargs: Any):
        super().__init__(**kwargs)
        check_range("shift", shift, 1)
        self.shift = shift

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        draws = draw_rows([tf.shape(inputs)[0], 2], randomness.uniform)
        shifted = _along(inputs, 1, draws[:, 0], self.shift)
        return tf.ensure_shape(_along(shifted, 2, draws[:, 1], self.shift), inputs.shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "shift": self.shift}


def _along(images, axis, draws, share):
    """Images shifted along one axis by a whole number of pixels, of draws from [0, 1)."""
    side = tf.shape(images)[axis]
    most = tf.cast(tf.round(tf.cast(side, tf.float32) * share), tf.int32)
    steps = tf.cast(tf.floor(draws * tf.cast(2 * most + 1, tf.float32)), tf.int32) - most
    taken = tf.range(side)[tf.newaxis] + steps[:, tf.newaxis]
    # What lies outside comes from the line of zeros behind the last.
    taken = tf.where((taken < 0) | (taken >= side), side, taken)
    padded = tf.pad(images, [[0, int(axis == each)] for each in range(4)])
    return tf.gather(padded, taken, axis=axis, batch_dims=1)


@keras.saving.register_keras_serializable(package="keras_gans")
class RandomColour(RandomLayer):
    """Changes brightness, saturation and contrast of each image in training; nothing otherwise.

    An image x becomes x + b, then m + s (x - m) with m its mean over the channels (of a grey image x itself), then
    n + c (x - n) with n its mean over all pixels. Values may leave [-1, 1], as in the authors' code.

    Args:
        brightness: b ~ U(-brightness, brightness), where 2 is from black to white; the paper's is 0.5.
        saturation: s ~ U(1 - saturation, 1 + saturation); the paper's is 1.
        contrast: c ~ U(1 - contrast, 1 + contrast); the paper's is 0.5.

    Raises:
        UserError: a range is negative, or one of the last two above 1, where an image would turn into its negative.
    """

    def __init__(self, brightness: float = 0.5, saturation: float = 1.0, contrast: float = 0.5, **kwargs: Any):
        super().__init__(**kwargs)
        check_range("brightness", brightness)
        check_range("saturation", saturation, 1)
        check_range("contrast", contrast, 1)
        self.brightness, self.saturation, self.contrast = brightness, saturation, contrast

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        draws = draw_rows([tf.shape(inputs)[0], 3], randomness.uniform, minval=-1.0, maxval=1.0)
        shift, saturation, contrast = (tf.reshape(each, (-1, 1, 1, 1)) for each in tf.unstack(draws, axis=1))
        x = tf.cast(inputs, tf.float32) + self.brightness * shift
        for factor, axes in ((self.saturation * saturation, [3]), (self.contrast * contrast, [1, 2, 3])):
            mean = tf.reduce_mean(x, axis=axes, keepdims=True)
            x = mean + (1.0 + factor) * (x - mean)
        return tf.cast(x, inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        ranges = {"brightness": self.brightness, "saturation": self.saturation, "contrast": self.contrast}
        return {**super().get_config(), **ranges}


@keras.saving.register_keras_serializable(package="keras_gans")
class RandomCutout(RandomLayer):
    """Sets a rectangle of each image to 0, mid-grey, in training; nothing otherwise.

    Args:
        cutout: the rectangle's sides as shares of the image's; the paper's is 1/2. Its middle may be any pixel, so that
            it may hang over the edge.

    Raises:
        UserError: `cutout` does not lie from 0 to 1.
    """

    def __init__(self, cutout: float = 0.5, **kwargs: Any):
        super().__init__(**kwargs)
        check_range("cutout", cutout, 1)
        self.cutout = cutout

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        draws = draw_rows([tf.shape(inputs)[0], 2], randomness.uniform)
        down, across = (_within(tf.shape(inputs)[1 + axis], draws[:, axis], self.cutout) for axis in (0, 1))
        cut = down[:, :, tf.newaxis, tf.newaxis] & across[:, tf.newaxis, :, tf.newaxis]
        return tf.where(cut, tf.zeros_like(inputs), inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cutout": self.cutout}


def _within(side, draws, share):
    """Which places of a side lie in a window around a drawn middle: boolean (batch, side)."""
    size = tf.cast(tf.round(tf.cast(side, tf.float32) * share), tf.int32)
    middle = tf.cast(tf.floor(draws * tf.cast(side, tf.float32)), tf.int32)
    places = tf.range(side)[tf.newaxis] - middle[:, tf.newaxis] + size // 2
    return (places >= 0) & (places < size)


@keras.saving.register_keras_serializable(package="keras_gans")
class Sometimes(RandomLayer):
    """Of two versions of each image the second with a certain probability, the first otherwise; in training.

    Input: [images, images changed]. Output: of their shape. The same layer may be called for several changes, each of
    which then happens by itself.

    Args:
        probability: the paper's p, at the start where it adapts.
        target: None, or what the discriminator's overfitting r_t = E sign(D(x)) over real samples x is held at by
            `adapt`; the paper's is 0.6.
        images: how many real images it takes to bring p from 0 to 1; the paper's are 500,000.

    Raises:
        UserError: a probability outside 0 to 1, a target outside -1 to 1, or no such number of images.

    Attributes:
        chance: p now, float32 variable.
    """

    def __init__(self, probability: float = 1.0, target: float | None = None, images: int = 500_000, **kwargs: Any):
        super().__init__(**kwargs)
        check_range("probability", probability, 1)
        if target is not None and not (is_number(target) and -1 < target < 1):
            raise UserError(
                f"The overfitting that an augmentation is to follow lies between -1 and 1, such as 0.6. "
                f"Received: {target!r}."
            )
        if isinstance(images, bool) or not isinstance(images, int) or images < 1:
            raise UserError(f"An augmentation adapts over 1 image or more. Received: {images!r}.")
        self.probability, self.target, self.images = probability, target, images

    def build(self, input_shape: Any) -> None:
        self.chance = self.add_weight(
            name="chance",
            shape=(),
            dtype="float32",
            initializer=keras.initializers.Constant(self.probability),
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        images, changed = inputs
        if not training:
            return images
        happens = draw_rows([tf.shape(images)[0], 1, 1, 1], randomness.uniform) < self.chance.value
        return tf.where(happens, changed, images)

    def adapt(self, overfitting: Tensor, rows: Tensor) -> None:
        """Moves p one step: up where the overfitting is above its target, down where it is below.

        Args:
            overfitting: r_t of the global batch, a scalar.
            rows: real samples of the global batch.
        """
        step = tf.sign(overfitting - self.target) * tf.cast(rows, tf.float32) / self.images
        self.chance.assign(tf.clip_by_value(self.chance.value + step, 0.0, 1.0))

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        own = {"probability": self.probability, "target": self.target, "images": self.images}
        return {**super().get_config(), **own}


def is_adaptive(layer: keras.layers.Layer) -> bool:
    """Whether a layer is an augmentation whose probability follows the discriminator's overfitting."""
    return isinstance(layer, Sometimes) and layer.target is not None
