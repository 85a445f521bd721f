"""How a trained generator answers: samples by seed, in Python and as the signatures of a SavedModel."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.drawing import picture
from keras_gans.engine import show
from keras_gans.engine.image_files import example_files
from keras_gans.engine.kinds import Endpoints, Shown
from keras_gans.errors import UserError
from keras_gans.fields import Images, sample_of
from keras_gans.latent import draw_latents, interpolate_endpoint, interpolate_examples, latents_from_seeds
from keras_gans.limits import check_drawn
from keras_gans.memory import check_fits
from keras_gans.pixels import to_uint8


class Sampler:
    """What every model offers that turns latents into samples; it has `latent_dim`, `latent_prior`, `sample_shape`.

    Attributes:
        takes_labels: whether calling the model takes (latents, integer labels) instead of latents.
    """

    takes_labels = False
    makes = "sample"
    _sampler = None

    @property
    def makes_images(self) -> bool:
        """Whether its samples are images, and not points."""
        return isinstance(sample_of(self.sample_shape()), Images)

    @property
    def sample_name(self) -> str:
        """What a sample is called in the signatures of the exported model: "image" or "point"."""
        return "image" if self.makes_images else "point"

    def latents(self, rows: int | tf.Tensor) -> tf.Tensor:
        """Fresh latents of a training step, (rows, latent_dim)."""
        return draw_latents(rows, self.latent_dim, self.next_seed(), self.latent_prior)

    def samples_from_seeds(self, seeds: tf.Tensor, *labels: tf.Tensor) -> tf.Tensor:
        """Samples for serving: int64 seeds (batch,) -> uint8 images (batch, height, width, channels).

        Each row depends on its own seed only. Points stay float32 (batch, d).

        Args:
            seeds: int64 tensor (batch,).
            *labels: int tensor (batch,), where the model `takes_labels`.
        """
        latents = latents_from_seeds(seeds, self.latent_dim, self.latent_prior)
        samples = self([latents, *labels] if labels else latents, training=False)
        return to_uint8(samples) if self.makes_images else samples

    def sample(self, count: int, seed: int = 0, labels: Any = None) -> np.ndarray:
        """Draws samples; the k-th is what the exported model's `sample` answers to the seed `seed + k`.

        Args:
            count: number of samples.
            seed: of the first sample.
            labels: one label for all, or one for each, where the model `takes_labels`; None draws them from the
                labels' prior, as a function of the seed.

        Returns:
            uint8 array (count, height, width, channels) of images; float32 array (count, d) of points.

        Raises:
            UserError: `count` is not positive or more than memory holds, or labels that the model does not take or
                know.
        """
        check_drawn(count, seed)
        self.check_holds(count)
        if self._sampler is None:
            signature = [tf.TensorSpec((None,), tf.int64)] * (2 if self.takes_labels else 1)
            self._sampler = tf.function(self.samples_from_seeds, input_signature=signature, autograph=False)
        # Not up to seed + count, which may be one more than an int64 holds.
        seeds = np.int64(seed) + np.arange(count, dtype=np.int64)
        inputs = [seeds, *self.sampled_labels(seeds, labels)]
        pieces = -(-count // 256)
        chunks = zip(*(np.array_split(values, pieces) for values in inputs), strict=True)
        return np.concatenate([self._sampler(*chunk).numpy() for chunk in chunks])

    def check_holds(self, count: int) -> None:
        """Raises `UserError` where so many samples with their seeds are more than memory holds."""
        shape = self.sample_shape()
        check_fits(
            count * (8 + math.prod(shape) * (1 if self.makes_images else 4)),
            f"{count:,} samples of shape {shape}",
            "Draw fewer at a time: the next ones begin with the seed `seed + count`.",
        )

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.predict`: what calling the model gives, samples of latents (count, latent_dim).

        Raises:
            UserError: something else than latents, such as images.
        """
        self._refuse_no_latents(x)
        return super().predict(x, *args, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """As `keras.Model.predict_on_batch`, see `predict`."""
        self._refuse_no_latents(x)
        return super().predict_on_batch(x)

    def _refuse_no_latents(self, x):
        shape = getattr(x[0] if isinstance(x, list | tuple) else x, "shape", None)
        if shape is None or tuple(shape[1:]) == (self.latent_dim,):
            return
        others = [f"{name}(images)" for name in ("classify", "encode", "reconstruct") if hasattr(self, name)]
        raise UserError(
            f"predict() takes latents (count, {self.latent_dim}), as calling the model does. Received: shape "
            f"{tuple(shape)}. Samples are drawn by {', '.join(['sample(count)', *others])}."
        )

    def sampled_labels(self, seeds: np.ndarray, labels: Any) -> tuple[np.ndarray, ...]:
        """The labels that `sample` hands on for seeds: here none, as (); else an int64 array (count,) in a tuple."""
        if labels is not None:
            raise UserError(
                f"{type(self).__name__} is not conditional: it takes no labels. Received: labels={labels!r}. Schemes "
                "that do: cgan, acgan."
            )
        return ()

    def draw(self, count: int, seed: int = 0) -> dict[str, np.ndarray]:
        """{"sample": `count` samples}, as `sample` draws them."""
        return {"sample": self.sample(count, seed)}

    def shows(self, real: Mapping[str, np.ndarray] | None, count: int, seed: int = 0) -> Shown:
        """{"samples": a picture of some samples, points with the real ones behind them}."""
        rows = show.rows_for(sample_of(self.sample_shape()), count)
        beside = None if real is None else real["sample"]
        return {"samples": picture.draw(self.sample(rows, seed=seed), real=beside)}

    def example_input(self, specification: tf.TensorSpec, rows: int) -> np.ndarray:
        """Latents, seeds, labels, fractions or samples, whichever the name of the input says."""
        examples = {
            "z": lambda: self._example_latents(rows),
            "seed": lambda: _example_seeds(rows),
            "label": lambda: np.arange(rows, dtype=np.int64) % len(self.class_names),
            self.sample_name: lambda: self._example_samples(rows),
            "image_bytes": lambda: example_files(self._example_samples(rows)),
            **{name: lambda values=values: values for name, values in interpolate_examples(rows).items()},
        }
        if specification.name not in examples:
            return super().example_input(specification, rows)
        return examples[specification.name]()

    def _example_samples(self, rows):
        samples = self(self._example_latents(rows), training=False).numpy()
        # Images are within their range, which a decoder without a last tanh may leave.
        return np.clip(samples, -1.0, 1.0) if self.makes_images else samples

    def _example_latents(self, rows):
        return latents_from_seeds(_example_seeds(rows), self.latent_dim, self.latent_prior).numpy()

    def endpoints(self) -> Endpoints:
        """What the exported model answers: {signature: (function, its input specifications)}.

        `serving_default` maps `z` to `image` (or `point`); `sample` maps one `seed` a row to one uint8 `image`;
        `sample_png` to PNG bytes; `interpolate` maps two seeds and a fraction to what lies between their samples.
        """
        latents = tf.TensorSpec((None, self.latent_dim), tf.float32, name="z")
        seeds = tf.TensorSpec((None,), tf.int64, name="seed")
        output = self.sample_name
        endpoints: Endpoints = {
            "serving_default": (lambda z: {output: tf.cast(self(z, training=False), tf.float32)}, [latents]),
            "sample": (lambda seed: {output: self.samples_from_seeds(seed)}, [seeds]),
        }
        if output == "image" and self.sample_shape()[-1] in (1, 3):
            endpoints["sample_png"] = (
                lambda seed: {"image_bytes": tf.io.encode_png(self.samples_from_seeds(seed))},
                [seeds],
            )
        endpoints["interpolate"] = interpolate_endpoint(self)
        return endpoints


def _example_seeds(rows):
    # A server takes any int64, so both ends are tried.
    limits = np.iinfo(np.int64)
    return np.array([*range(rows - 3), -1, limits.min, limits.max], np.int64)[-rows:]
