"""Random transformations of images, inside the network that looks at them."""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_gans import randomness
from keras_gans.errors import UserError, shown, unknown_name
from keras_gans.hints import Tensor
from keras_gans.layers.noise import RandomLayer, draw_rows
from keras_gans.layers.random_changes import (
    RandomColour,
    RandomCutout,
    RandomFlip,
    RandomShift,
    Sometimes,
    check_range,
)

_RANGES = ("rotation", "zoom", "shear", "translation")
_DRAWS = ("angle", "zoom across", "zoom down", "shear", "shift across", "shift down")


@keras.saving.register_keras_serializable(package="keras_gans")
class RandomAffine(RandomLayer):
    """Turns, scales, shears and shifts each image at random in training; nothing otherwise.

    As a discriminator's first layer it changes real and generated images alike, and the generator's gradient goes
    through it: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training" (2020), equations 5 to 7.
    What a transformation moves in from outside repeats the image's edge. As `GaussianNoise`, exact under resuming and
    replicas. XLA has no kernel for it.

    Args:
        rotation: largest angle, in degrees, to either side.
        zoom: largest change of the scale, as a share, drawn for width and height apart.
        shear: largest shift of a pixel sideways, as a share of its height above the centre.
        translation: largest shift across and down, as a share of the image's side.

    Raises:
        UserError: a range is no number of 0 or more, `zoom` is 1 or more, or all ranges are 0.
    """

    def __init__(
        self, rotation: float = 0.0, zoom: float = 0.0, shear: float = 0.0, translation: float = 0.0, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.ranges = {"rotation": rotation, "zoom": zoom, "shear": shear, "translation": translation}
        for name, value in self.ranges.items():
            check_range(name, value)
        if not zoom < 1:
            raise UserError(f"zoom of an augmentation must be below 1, where an image vanishes. Received: {zoom!r}.")
        if not any(self.ranges.values()):
            raise UserError("An augmentation needs a range above 0, such as rotation=15. Received: all are 0.")

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        images = tf.cast(inputs, tf.float32)
        moved = ops.image.affine_transform(
            images, self._transforms(images), fill_mode="nearest", data_format="channels_last"
        )
        return tf.cast(tf.ensure_shape(moved, inputs.shape), inputs.dtype)

    def _transforms(self, images):
        """(batch, 8) numbers that say from where each pixel of a moved image comes."""
        shape = tf.shape(images)
        draws = draw_rows([shape[0], len(_DRAWS)], randomness.uniform, minval=-1.0, maxval=1.0)
        angle, across, down, shear, right, below = tf.unstack(draws, axis=1)
        angle = angle * math.radians(self.ranges["rotation"])
        cosine, sine = tf.cos(angle), tf.sin(angle)
        shear, zoom = shear * self.ranges["shear"], self.ranges["zoom"]
        height, width = tf.cast(shape[1], tf.float32), tf.cast(shape[2], tf.float32)
        across, down = 1.0 + zoom * across, 1.0 + zoom * down
        a, b, c, d = cosine * across, (shear - sine) * down, sine * across, cosine * down
        # The centre stays where it is but for the translation.
        middle_x, middle_y = (width - 1.0) / 2.0, (height - 1.0) / 2.0
        x = middle_x - a * middle_x - b * middle_y + right * self.ranges["translation"] * width
        y = middle_y - c * middle_x - d * middle_y + below * self.ranges["translation"] * height
        zero = tf.zeros_like(x)
        return tf.stack([a, b, x, c, d, y, zero, zero], axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.ranges}


# What an augmentation may name: {layer: its arguments}, in the order in which they change an image.
_CHANGES = {
    RandomFlip: ("flip",),
    RandomAffine: _RANGES,
    RandomShift: ("shift",),
    RandomColour: ("brightness", "saturation", "contrast"),
    RandomCutout: ("cutout",),
}
_HOW_OFTEN = ("probability", "target", "images")
AUGMENTATIONS = (*(name for names in _CHANGES.values() for name in names), *_HOW_OFTEN)


def augmented(images: keras.KerasTensor, augmentation: dict[str, Any] | None) -> keras.KerasTensor:
    """Symbolic images after random changes, which happen in training alone.

    Args:
        images: symbolic tensor (batch, height, width, channels).
        augmentation: {range: number}, each of `AUGMENTATIONS`: "rotation", "zoom", "shear" and "translation" as
            `RandomAffine` has them; "flip" (True); "shift" as `RandomShift`; "brightness", "saturation" and "contrast"
            as `RandomColour`; "cutout" as `RandomCutout`; and how often each of these happens: always, or
            "probability", "target" and "images" as `Sometimes` has them. None for none.

    Raises:
        UserError: no such change, one out of range, or how often nothing happens.
    """
    if not augmentation and augmentation in (None, {}):
        return images
    if not isinstance(augmentation, dict):
        raise UserError(
            'An augmentation is a dictionary of ranges, such as {"flip": true, "shift": 0.125} in a recipe or --set. '
            f"Received: {shown(augmentation)}."
        )
    for name in augmentation:
        if name not in AUGMENTATIONS:
            raise unknown_name("augmentation", name, AUGMENTATIONS)
    changes = [change for kind, names in _CHANGES.items() for change in _made(kind, names, augmentation)]
    how_often = {name: augmentation[name] for name in _HOW_OFTEN if name in augmentation}
    if not changes:
        raise UserError(f"An augmentation changes something, such as flip=True. Received: {augmentation!r}.")
    sometimes = Sometimes(**how_often, name="augmentation") if how_often else None
    for change in changes:
        changed = change(images)
        images = sometimes([images, changed]) if sometimes else changed
    return images


def _made(kind, names, augmentation):
    """[The layer] of an augmentation's arguments, [] where it has none of them."""
    given = {name: augmentation[name] for name in names if name in augmentation}
    if kind is not RandomFlip:
        # The other ranges of a layer are 0 where one of them is named.
        return [kind(**{name: 0.0 for name in names} | given)] if given else []
    if "flip" in given and not isinstance(given["flip"], bool):
        raise UserError(f"flip of an augmentation is true or false. Received: {given['flip']!r}.")
    return [RandomFlip()] if given.get("flip") else []
