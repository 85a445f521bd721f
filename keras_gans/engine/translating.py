"""Schemes that translate images of one domain into images of another, and back."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from keras_gans.drawing import picture
from keras_gans.engine import inputs
from keras_gans.engine.base import AdversarialModel
from keras_gans.engine.given import check_raw_scores
from keras_gans.engine.image_files import endpoints_of_files, example_files
from keras_gans.engine.kinds import Endpoints, Judged, Shown
from keras_gans.errors import UserError, unknown_name
from keras_gans.fields import Field, Images
from keras_gans.pixels import from_uint8, to_uint8

_COLUMNS = 8
_BATCH = 64


class TranslatingModel(AdversarialModel):
    """Translators between the images of two domains, A and B: from A to B, and maybe back.

    Args:
        a_to_b: keras.Model, images of A (batch, height, width, channels) -> images of B.
        seed: see `AdversarialModel`.
    """

    takes = {"image_a": (Images,), "image_b": (Images,)}
    translates = {"a_to_b": ("image_a", "image_b")}

    def __init__(self, a_to_b: keras.Model, *, seed: int = 0, name: str | None = None):
        super().__init__(seed=seed, name=name)
        self.a_to_b = a_to_b
        self._translators = {}

    @property
    def shape_a(self) -> tuple[int, ...]:
        """(height, width, channels) of the images of A."""
        return tuple(self.a_to_b.input_shape[1:])

    @property
    def shape_b(self) -> tuple[int, ...]:
        """(height, width, channels) of the images of B."""
        return tuple(self.a_to_b.output_shape[1:])

    def fields(self) -> dict[str, Field]:
        return {"image_a": Images(self.shape_a), "image_b": Images(self.shape_b)}

    @classmethod
    def network_arguments(cls, role: str, data_fields: Mapping[str, Field], latent_dim: int) -> dict:
        shapes = {side: data_fields[f"image_{side}"].shape for side in "ab"}
        if role in cls.translates:
            source, target = role.split("_to_")
            return {"sample_shape": shapes[source], "output_channels": shapes[target][-1]}
        return {"sample_shape": shapes[role[-1]]}

    def check_judge(self, name: str, shape: tuple[int, ...]) -> None:
        """Raises a `UserError` unless that discriminator takes images of the shape and gives raw scores."""
        taken = tuple(getattr(self, name).input_shape[1:])
        if taken != tuple(shape):
            raise UserError(f"{name} is shown images {tuple(shape)}, but it takes {taken}.")
        check_raw_scores(name, getattr(self, name))

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Images of B from images of A."""
        return self.a_to_b(inputs, training=training)

    # What may be asked ------------------------------------------------------------------------------------------

    def translate(self, images: np.ndarray, direction: str = "a_to_b") -> np.ndarray:
        """Translates images.

        Args:
            images: float array (count, height, width, channels) in [-1, 1], or uint8.
            direction: a key of `translates`, "a_to_b" or "b_to_a".

        Returns:
            uint8 array (count, height, width, channels).

        Raises:
            UserError: no such direction, or images of another shape, type or range.
        """
        if direction not in self.translates:
            raise unknown_name("direction", direction, self.translates)
        field = self.fields()[f"image_{direction[0]}"]
        images = inputs.floats_of(images, field.shape, "images")
        if direction not in self._translators:
            signature = [tf.TensorSpec((None, *field.shape), tf.float32)]
            network = getattr(self, direction)
            self._translators[direction] = tf.function(
                lambda values: to_uint8(network(values, training=False)), input_signature=signature, autograph=False
            )
        pieces = np.array_split(images, max(1, -(-len(images) // _BATCH)))
        return np.concatenate([self._translators[direction](piece).numpy() for piece in pieces])

    def patch_scores(self, judge: str, images: tf.Tensor, training: bool) -> tf.Tensor:
        """A discriminator's mean raw score over the patches of each image, (batch,)."""
        scores = getattr(self, judge)(images, training=training)
        return tf.reduce_mean(tf.reshape(tf.cast(scores, tf.float32), (tf.shape(images)[0], -1)), axis=1)

    def judged(
        self, real: Mapping[str, np.ndarray], made: Mapping[str, np.ndarray] | None = None, training: bool = False
    ) -> Judged:
        images = {name: tf.convert_to_tensor(real[name]) for name in ("image_a", "image_b")}
        if made is None:
            made = {
                field: getattr(self, direction)(images[taken], training=training)
                for direction, (taken, field) in self.translates.items()
            }
        return self.judged_pairs(images, made, training)

    def judged_pairs(self, real: Mapping[str, tf.Tensor], made: Mapping[str, tf.Tensor], training: bool) -> Judged:
        """`judged`, of images and their translations; here of a discriminator for each domain that is translated to."""
        return {
            f"discriminator_{field[-1]}": tuple(
                self.patch_scores(f"discriminator_{field[-1]}", images, training)
                for images in (real[field], made[field])
            )
            for _, field in self.translates.values()
        }

    def shows(self, real: Mapping[str, np.ndarray] | None, count: int, seed: int = 0) -> Shown:
        """Rows of originals, their translations, and what `beside` puts below these, of each direction."""
        if real is None:
            return {}
        shown: Shown = {}
        for direction, (taken, _) in self.translates.items():
            rows = real[taken][: max(1, count // 3)]
            columns = min(_COLUMNS, len(rows))
            rows = rows[: len(rows) // columns * columns]
            translated = self.translate(rows, direction)
            below = self.beside(real, direction, translated)
            shown[direction] = picture.rows(_alike([rows, translated, below]), columns)
        return shown

    def beside(self, real: Mapping[str, np.ndarray], direction: str, translated: np.ndarray) -> np.ndarray:
        """What stands below translations in a picture: here these translated back, or data of the target."""
        back = "_to_".join(reversed(direction.split("_to_")))
        if back in self.translates:
            return self.translate(translated, back)
        return real[self.translates[direction][1]][: len(translated)]

    def endpoints(self) -> Endpoints:
        """What each direction answers, `serving_default` being the network of the first.

        `a_to_b`, the network itself, maps `image` float32 in [-1, 1] to the same; `translate_a_to_b` uint8 images to
        uint8 ones; and `translate_a_to_b_png`, for grey or colour, `image_bytes` of PNG, JPEG, GIF or BMP files of any
        size, stretched to the network's, to `image_bytes` of PNG.
        """
        endpoints: Endpoints = {}
        for direction, (taken, made) in self.translates.items():
            shape, network = self.fields()[taken].shape, getattr(self, direction)
            floats = [tf.TensorSpec((None, *shape), tf.float32, name="image")]
            pixels = [tf.TensorSpec((None, *shape), tf.uint8, name="image")]
            endpoints[direction] = _floats_endpoint(network), floats
            endpoints[f"translate_{direction}"] = _pixels_endpoint(network), pixels
            if shape[-1] in (1, 3) and self.fields()[made].shape[-1] in (1, 3):
                endpoints |= endpoints_of_files({f"translate_{direction}": endpoints[direction]}, shape)
        return {"serving_default": endpoints[next(iter(self.translates))], **endpoints}

    def example_input(self, specification: tf.TensorSpec, rows: int) -> np.ndarray:
        if specification.name == "image":
            images = Images(tuple(specification.shape[1:])).example(rows)
            return to_uint8(images).numpy() if specification.dtype == tf.uint8 else images
        if specification.name == "image_bytes":
            return example_files(Images(self.shape_a).example(rows))
        return super().example_input(specification, rows)


def _alike(rows):
    """Rows of images in grey or colour, all in colour where some are."""
    channels = max(images.shape[-1] for images in rows)
    return [np.repeat(images, channels // images.shape[-1], axis=-1) for images in rows]


def _floats_endpoint(network):
    return lambda image: {"image": tf.cast(network(image, training=False), tf.float32)}


def _pixels_endpoint(network):
    return lambda image: {"image": to_uint8(network(from_uint8(image), training=False))}
