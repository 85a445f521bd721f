"""Generators that take a class label: which labels they are trained on, sampled by and served with."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans.drawing import picture
from keras_gans.engine import show
from keras_gans.engine.kinds import Endpoints, Shown
from keras_gans.engine.two_player import GAN
from keras_gans.errors import UserError
from keras_gans.fields import SAMPLE, Classes
from keras_gans.labels import (
    check_class_count,
    check_class_names,
    check_prior,
    labels_of,
)
from keras_gans.randomness import for_this_replica, uniform

# 2^64 over the golden ratio: multiples of it spread evenly over the integers modulo 2^64 (Knuth, volume 3, 6.4).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class ClassConditionalGAN(GAN):
    """The schedule of `GAN` with a generator G(z, c).

    The losses take the labels too: `discriminator_loss(real, real_labels, fake, fake_labels)` and
    `generator_loss(fake, fake_labels)`. Generated samples get labels of their own, drawn from the prior for each
    update, never copied from the real batch.

    Args:
        generator: keras.Model, [latents, integer labels (batch,)] -> samples.
        discriminator: as the scheme says.
        latent_dim: see `GAN`.
        class_count: number of classes, K.
        class_names: K names for people, kept to the export; "0" to "K-1" unless given.
        class_prior: K probabilities of the classes; uniform unless given.
        **kwargs: as `GAN`.

    Raises:
        UserError: networks or class arguments that do not fit together.
    """

    takes = {"sample": SAMPLE, "label": (Classes,)}
    takes_labels = True

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_dim: int | None = None,
        *,
        class_count: int,
        class_names: Sequence[str] | None = None,
        class_prior: Sequence[float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(generator, discriminator, latent_dim, **kwargs)
        self.class_count = check_class_count(class_count)
        self.class_names = check_class_names(class_names, class_count)
        self.class_prior = check_prior(class_prior, class_count)
        if len(generator.inputs) != 2:
            raise UserError(
                f"{type(self).__name__}'s generator takes [latents, labels]. Received one with {len(generator.inputs)} "
                "input. networks.dcgan_generator(..., class_count=K, conditioning='concat') makes such a one."
            )

    def generate(self, rows: int | tf.Tensor) -> tuple[tf.Tensor, ...]:
        labels = self.draw_labels(rows)
        return self.generator([self.latents(rows), labels], training=True), labels

    def draw_labels(self, rows: int | tf.Tensor) -> tf.Tensor:
        """Labels of a training step's generated samples, int64 (rows,), from the classes' prior."""
        seed, steps = self.next_seed(), tf.constant(np.cumsum(self.class_prior)[:-1], tf.float32)

        def draw(count):
            places = uniform([count], seed)
            return tf.searchsorted(steps, places, side="right", out_type=tf.int64)

        return tf.reshape(for_this_replica(draw, rows), [rows])

    def draw(self, count: int, seed: int = 0) -> dict[str, np.ndarray]:
        (labels,) = self.sampled_labels(np.arange(seed, seed + count, dtype=np.int64), None)
        return {"sample": self.sample(count, seed, labels), "label": labels}

    def shows(self, real: Mapping[str, np.ndarray] | None, count: int, seed: int = 0) -> Shown:
        # A column for each class, as many as a row can show, and several where that leaves the picture squarer.
        rows = show.rows_for(self.fields()["sample"], count)
        classes = min(self.class_count, rows)
        wide = max(1, round(rows**0.5 / classes))
        columns = classes * wide
        labels = np.arange(rows - rows % columns) % columns // wide
        samples = self.sample(len(labels), seed=seed, labels=labels)
        beside = None if real is None else real["sample"]
        return {"samples": picture.draw(samples, real=beside, columns=columns)}

    # Sampling and serving -------------------------------------------------------------------------------------

    def sampled_labels(self, seeds: np.ndarray, labels: Any) -> tuple[np.ndarray, ...]:
        if labels is None:
            # Evenly spread over [0, 1), so that any run of seeds holds every class in the prior's proportion.
            spread = (seeds.astype(np.uint64) * _GOLDEN >> np.uint64(11)) / 2.0**53
            return (np.searchsorted(np.cumsum(self.class_prior)[:-1], spread, side="right").astype(np.int64),)
        known = self.label_of(labels)
        if known.shape not in ((), (1,), seeds.shape):
            raise UserError(
                f"Labels are one for all samples, or one for each of {len(seeds)}. Received: {known.size} of shape "
                f"{known.shape}."
            )
        return (np.broadcast_to(known, seeds.shape).astype(np.int64),)

    def label_of(self, labels: Any) -> np.ndarray:
        """An int64 array of labels from numbers or class names, or lists of them.

        Raises:
            UserError: a label that is no class.
        """
        return labels_of(labels, self.class_names)

    def endpoints(self) -> Endpoints:
        """As `Sampler.endpoints`, each signature with one more input, `label` int64 (batch,).

        A row whose label is no class is answered as invalid; see `validity.served_endpoints`.
        """
        label = tf.TensorSpec((None,), tf.int64, name="label")

        plain = super().endpoints()
        latents, seeds = plain["serving_default"][1][0], plain["sample"][1][0]
        output = self.sample_name

        def from_latents(z, label):
            return {output: tf.cast(self([z, label], training=False), tf.float32)}

        def from_seeds(seed, label):
            return {output: self.samples_from_seeds(seed, label)}

        def png_from_seeds(seed, label):
            return {"image_bytes": tf.io.encode_png(self.samples_from_seeds(seed, label))}

        endpoints = {"serving_default": (from_latents, [latents, label]), "sample": (from_seeds, [seeds, label])}
        if "sample_png" in plain:
            endpoints["sample_png"] = (png_from_seeds, [seeds, label])
        return endpoints | {"interpolate": plain["interpolate"]}
