"""The autoencoder, plain and denoising.

Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders" (2008).
"""

import math
from typing import Any

import keras
from keras import ops

from keras_gans import losses
from keras_gans.checks import check_number
from keras_gans.engine.base import register_scheme
from keras_gans.engine.encoding import EncodingModel
from keras_gans.hints import Loss, Tensor
from keras_gans.optimizers import Adam


@register_scheme("autoencoder")
class Autoencoder(EncodingModel):
    """min E ||R(E(x + noise)) - x||^2, the mean over pixels; without noise a plain autoencoder.

    Its codes follow no prior: samples, from codes of `latent_prior`, show what that lacks. A linear one spans the
    subspace of the first principal components (Baldi and Hornik, 1989).

    Args:
        noise: standard deviation of the Gaussian noise that training adds to what the encoder sees; what is asked for
            is the clean sample.
        **kwargs: as `EncodingModel`.

    Raises:
        UserError: `noise` is negative.
    """

    players = {"autoencoder": ("encoder", "decoder")}
    is_generative = False

    def __init__(self, encoder: keras.Model, decoder: keras.Model, *, noise: float = 0.0, **kwargs: Any):
        super().__init__(encoder, decoder, **kwargs)
        check_number("noise, a standard deviation,", noise, example="0.3")
        self.noise = noise

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {"autoencoder": Adam(1e-3)}

    def play(self, real: Tensor) -> None:
        self.update("autoencoder", self.reconstruction_loss, real)

    def corrupted(self, real: Tensor) -> Tensor:
        """What the encoder sees of a batch in training."""
        if not self.noise:
            return real
        shape = self.sample_shape()
        return real + self.noise * ops.reshape(self.draw_noise(real, math.prod(shape)), (-1, *shape))

    def reconstruction_loss(self, real: Tensor) -> Loss:
        """(loss, {}): the squared error of what the decoder makes of corrupted samples' codes."""
        codes = self.draw_codes(self.corrupted(real))
        return losses.squared_reconstruction_error(real, self.decoder(codes, training=True)), {}
