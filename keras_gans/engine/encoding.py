"""Schemes with an encoder and a decoder: samples to codes and back, in Python and as the signatures of a SavedModel."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_gans.drawing import picture
from keras_gans.engine import inputs
from keras_gans.engine.base import AdversarialModel
from keras_gans.engine.image_files import endpoints_of_files
from keras_gans.engine.kinds import Endpoints, Shown
from keras_gans.engine.serving import Sampler
from keras_gans.errors import UserError
from keras_gans.latent import draw_labelled_latents, draw_latents, prior_named
from keras_gans.pixels import to_uint8

_BATCH = 512


class EncodingModel(Sampler, AdversarialModel):
    """An encoder q(z|x) and a decoder p(x|z), with a prior p(z) of the codes to sample from.

    The encoder says by its inputs and outputs which of the posteriors of Makhzani et al., "Adversarial Autoencoders"
    (2015), section 2, it gives; `networks.mlp_encoder` and `networks.dcgan_encoder` make each.

    Args:
        encoder: keras.Model, samples -> codes (batch, latent_dim), a deterministic posterior; samples -> [means,
            logarithms of variances], a Gaussian one; or [samples, noise (batch, n)] -> codes, a universal one.
        decoder: keras.Model, codes (batch, latent_dim) -> samples.
        latent_prior: see `latent.prior_named`.
        seed: see `AdversarialModel`.

    Raises:
        UserError: networks that do not fit together, or no such prior.
    """

    option_examples = {"latent_prior": ("normal", "uniform", "gaussian_mixture", "swiss_roll")}

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        *,
        latent_prior: str = "normal",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(seed=seed, name=name)
        self.encoder, self.decoder = encoder, decoder
        self.latent_prior = latent_prior
        self._check_encoder()
        # A prior of the plane says so when it is drawn from.
        prior_named(latent_prior)((1, self.latent_dim), (0, 0))
        self._answers = {}

    def _check_encoder(self):
        shape, taken = self.sample_shape(), tuple(self.encoder.inputs[0].shape[1:])
        if taken != shape:
            raise UserError(f"The decoder makes samples of shape {shape}, but the encoder takes {taken}.")
        outputs = [tuple(output.shape[1:]) for output in self.encoder.outputs]
        if len(outputs) > 2 or any(output != (self.latent_dim,) for output in outputs):
            raise UserError(
                f"The decoder takes codes of size {self.latent_dim}, so the encoder ends in one such vector, or in "
                f"means and logarithms of variances of that size. Received outputs of shapes {outputs}."
            )

    @property
    def latent_dim(self) -> int:
        """Size of a code."""
        return self.decoder.input_shape[-1]

    @property
    def posterior(self) -> str:
        """Which q(z|x) the encoder gives: "deterministic", "gaussian" or "universal"."""
        if len(self.encoder.outputs) == 2:
            return "gaussian"
        return "universal" if len(self.encoder.inputs) == 2 else "deterministic"

    def check_divergence_is_known(self, who: str) -> None:
        """Raises a `UserError` unless KL(q(z|x) || p(z)) has a formula: of a Gaussian posterior and a normal prior."""
        if self.posterior != "gaussian" or self.latent_prior != "normal":
            raise UserError(
                f"{who} needs a Gaussian posterior and a normal prior, whose divergence is known. Received: posterior "
                f"{self.posterior!r}, latent_prior={self.latent_prior!r}. networks.mlp_encoder(..., "
                "posterior='gaussian') makes such a one."
            )

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Samples from codes: (batch, latent_dim) -> (batch, *sample_shape)."""
        return self.decoder(inputs, training=training)

    def sample_shape(self) -> tuple[int, ...]:
        return self.decoder.output_shape[1:]

    # Training -------------------------------------------------------------------------------------------------

    def draw_codes(self, samples: tf.Tensor) -> tf.Tensor:
        """A draw from q(z|x) for each sample in training mode, differentiable, (batch, latent_dim)."""
        if self.posterior == "gaussian":
            return self.draw_around(*self.encoder(samples, training=True))
        if self.posterior == "universal":
            noise = self.draw_noise(samples, self.encoder.inputs[1].shape[-1])
            # A network of several inputs takes arrays or tensors, not both.
            return self.encoder([tf.convert_to_tensor(samples), noise], training=True)
        return self.encoder(samples, training=True)

    def draw_around(self, mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
        """A draw from N(mean, exp(log_variance)), through which gradients pass.

        Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), section 2.4.
        """
        return mean + ops.exp(0.5 * log_variance) * self.draw_noise(mean, self.latent_dim)

    def draw_noise(self, rows: tf.Tensor, size: int) -> tf.Tensor:
        """Numbers from N(0, 1) for each row of a batch in a training step, (batch, size)."""
        return draw_latents(rows.shape[0] or tf.shape(rows)[0], size, self.next_seed())

    def labelled_latents(self, labels: tf.Tensor, class_count: int) -> tf.Tensor:
        """Fresh latents of a training step from each row's class's part of the prior, (batch, 2).

        See `latent.draw_labelled_latents`.
        """
        return draw_labelled_latents(labels, class_count, self.next_seed(), self.latent_prior)

    # Serving --------------------------------------------------------------------------------------------------

    def expected_codes(self, samples: tf.Tensor) -> tf.Tensor:
        """Codes for serving: a Gaussian posterior's means, and those of no noise of a universal one."""
        if self.posterior == "gaussian":
            return self.encoder(samples, training=False)[0]
        if self.posterior == "universal":
            silence = tf.zeros((tf.shape(samples)[0], self.encoder.inputs[1].shape[-1]))
            return self.encoder([samples, silence], training=False)
        return self.encoder(samples, training=False)

    def encode(self, samples: np.ndarray) -> np.ndarray:
        """Codes of samples, see `expected_codes`.

        Args:
            samples: float array (count, *sample_shape), images in [-1, 1]; or uint8 images.

        Returns:
            float32 array (count, latent_dim).

        Raises:
            UserError: samples of another shape, type or range.
        """
        return self._answer("encode", inputs.floats_of(samples, self.sample_shape()))

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Samples of codes: float array (count, latent_dim) -> float32 array (count, *sample_shape).

        Raises:
            UserError: codes of another size.
        """
        codes = np.asarray(codes, np.float32)
        if codes.ndim != 2 or codes.shape[1] != self.latent_dim:
            raise UserError(f"Codes are an array (count, {self.latent_dim}). Received: {codes.shape}.")
        return self._answer("decode", codes)

    def reconstruct(self, samples: np.ndarray) -> np.ndarray:
        """Samples after encoding and decoding; takes what `encode` takes.

        Returns:
            float32 array (count, *sample_shape).
        """
        return self._answer("reconstruct", inputs.floats_of(samples, self.sample_shape()))

    def shows(self, real: Mapping[str, np.ndarray] | None, count: int, seed: int = 0) -> Shown:
        shown = super().shows(real, count, seed)
        if real is None or not self.makes_images:
            return shown
        columns = min(8, len(real["sample"]))
        rows = max(1, min(count // 2, len(real["sample"])) // columns)
        originals = real["sample"][: rows * columns]
        copies = to_uint8(self.reconstruct(originals)).numpy()
        return {**shown, "reconstructions": picture.rows([originals, copies], columns)}

    def _answer(self, name, values):
        """What the exported model answers to an array of any length; see `endpoints`."""
        if name not in self._answers:
            function, specifications = self.endpoints()[name]
            self._answers[name] = tf.function(function, input_signature=specifications, autograph=False)
        pieces = np.array_split(values, max(1, -(-len(values) // _BATCH)))
        return np.concatenate([next(iter(self._answers[name](piece).values())).numpy() for piece in pieces])

    def endpoints(self) -> Endpoints:
        """As `Sampler.endpoints`, and three to five more.

        `decode` maps `z` to `image` (or `point`), as `serving_default` does; `encode` maps `image` float32 in [-1, 1]
        to `z`; `reconstruct` maps `image` to `image`. Of grey or colour, `encode_png` and `reconstruct_png` take files,
        as `images_from_files` reads them, `image_bytes`; the latter gives PNG.
        """
        plain = super().endpoints()
        name = self.sample_name
        samples = tf.TensorSpec((None, *self.sample_shape()), tf.float32, name=name)

        def encode(samples):
            return {"z": tf.cast(self.expected_codes(samples), tf.float32)}

        def reconstruct(samples):
            return {name: tf.cast(self(self.expected_codes(samples), training=False), tf.float32)}

        of_samples: Endpoints = {"encode": (encode, [samples]), "reconstruct": (reconstruct, [samples])}
        of_files = endpoints_of_files(of_samples, self.sample_shape())
        return {**plain, "decode": plain["serving_default"], **of_samples, **of_files}
