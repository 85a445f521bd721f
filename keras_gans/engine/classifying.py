"""Models that classify: in Python, and as a signature of what is exported."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans.engine import averages, inputs
from keras_gans.engine.image_files import endpoints_of_files
from keras_gans.engine.kinds import Endpoints
from keras_gans.engine.two_player import GAN
from keras_gans.errors import UserError
from keras_gans.fields import SAMPLE, Classes
from keras_gans.labels import check_class_count, check_class_names


class Classifier:
    """What every model offers that trains on labels and classifies; it has `class_names` and `class_probabilities`.

    It stands before the other bases of a scheme.
    """

    takes = {"sample": SAMPLE, "label": (Classes,)}
    allows_unlabelled = True
    _classify = None

    def class_probabilities(self, samples: tf.Tensor) -> tf.Tensor:
        """Probabilities of the K classes: float samples in [-1, 1] -> float32 tensor (batch, K)."""
        raise NotImplementedError(f"{type(self).__name__} must define class_probabilities().")

    def classify(self, samples: np.ndarray) -> np.ndarray:
        """The probabilities of `class_probabilities` for an array of any length.

        Args:
            samples: float array (count, *sample_shape), images in [-1, 1]; images may be uint8.

        Returns:
            float32 array (count, K).

        Raises:
            UserError: samples of another shape or out of their range, or NaN or infinity.
        """
        samples = inputs.floats_of(samples, self.sample_shape())
        if self._classify is None:
            specification = tf.TensorSpec((None, *self.sample_shape()), tf.float32)
            graph = tf.function(self.class_probabilities, input_signature=[specification], autograph=False)
            self._classify = graph
        pieces = np.array_split(samples, max(1, -(-len(samples) // 512)))
        return np.concatenate([self._classify(piece).numpy() for piece in pieces])

    def endpoints(self) -> Endpoints:
        """As `Sampler.endpoints`, and `classify`: `image` float32 in [-1, 1] -> `probabilities`, `label`, `name`.

        Of grey or colour, `classify_png` takes files, `image_bytes`, as `images_from_files` reads them.
        """
        name = self.sample_name
        samples = tf.TensorSpec((None, *self.sample_shape()), tf.float32, name=name)

        def classify(samples):
            probabilities = self.class_probabilities(samples)
            labels = tf.argmax(probabilities, axis=-1)
            return {"probabilities": probabilities, "label": labels, "name": tf.gather(self.class_names, labels)}

        of_samples: Endpoints = {"classify": (classify, [samples])}
        return {**super().endpoints(), **of_samples, **endpoints_of_files(of_samples, self.sample_shape())}


class ClassifyingGAN(Classifier, GAN):
    """The schedule of `GAN` with labels for the discriminator, which classifies in the end.

    Args:
        generator: keras.Model, (batch, latent_dim) -> samples.
        discriminator: keras.Model, samples -> [K class logits, or more, see `extra_logits`, features (batch, d)].
        latent_dim: see `GAN`.
        class_count: number of classes, K.
        class_names: K names for people, kept to the export; "0" to "K-1" unless given.
        **kwargs: as `GAN`; `ema` averages the discriminator too, and the average classifies.

    Raises:
        UserError: networks or class arguments that do not fit together.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_dim: int | None = None,
        *,
        class_count: int,
        class_names: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(generator, discriminator, latent_dim, **kwargs)
        self.class_count = check_class_count(class_count)
        self.class_names = check_class_names(class_names, class_count)
        shapes = [tuple(output.shape[1:]) for output in discriminator.outputs]
        wanted = self.class_count + self.extra_logits()
        if len(shapes) != 2 or shapes[0] != (wanted,) or len(shapes[1]) != 1:
            head = "classes_and_fake" if self.extra_logits() else "classes"
            raise UserError(
                f"The discriminator ends in {wanted} logits and its features (batch, d). Received outputs of shapes "
                f"{shapes}. networks.mlp_discriminator(..., class_count={self.class_count}, head={head!r}) makes such "
                "a one."
            )
        if self.ema:
            self.discriminator_average = averages.average_of(discriminator)

    def extra_logits(self) -> int:
        """How many of the discriminator's logits follow those of the classes."""
        return 0

    def after_step(self, step: tf.Tensor) -> None:
        super().after_step(step)
        if self.ema:
            averages.update(self.discriminator_average, self.discriminator, self.ema, step)

    @property
    def classifier(self) -> keras.Model:
        """The network that classifies: the discriminator, or its average where `ema` is on."""
        return self.discriminator_average if self.ema else self.discriminator

    def realness(self, *values: tf.Tensor, training: bool = False) -> tf.Tensor:
        # The odds of "one of the K classes" against "generated"; of K logits the latter's is 0.
        logits = tf.cast(self.discriminator(values[0], training=training)[0], tf.float32)
        real, fake = logits[:, : self.class_count], logits[:, self.class_count :]
        return tf.reduce_logsumexp(real, axis=-1) - tf.reduce_sum(fake, axis=-1)

    def class_probabilities(self, samples: tf.Tensor) -> tf.Tensor:
        """Probabilities of the K classes, given that a sample is real: float samples -> float32 (batch, K)."""
        logits = self.classifier(samples, training=False)[0]
        return tf.nn.softmax(tf.cast(logits[:, : self.class_count], tf.float32))
