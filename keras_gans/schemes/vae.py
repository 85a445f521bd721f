"""The variational autoencoder, whose reconstruction error is of pixels.

Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), https://arxiv.org/abs/1312.6114
"""

from typing import Any

import keras
from keras import ops

from keras_gans import losses
from keras_gans.checks import check_number
from keras_gans.engine.base import register_scheme
from keras_gans.engine.encoding import EncodingModel
from keras_gans.hints import Loss, Tensor
from keras_gans.optimizers import Adam


@register_scheme("vae")
class VAE(EncodingModel):
    """Encoder and decoder minimise v KL(q(z|x) || N(0, I)) + E_q(z|x) ||x - x~||^2 / 2.

    It is the negative lower bound of equation 10 for a Gaussian p(x|z) of variance v around the decoder's image x~,
    times v and without constants.

    Curves: `divergence` is the divergence, `pixel_error` the second term.

    Args:
        encoder: as `EncodingModel`, with a Gaussian posterior.
        decoder: as `EncodingModel`.
        prior_weight: v, for pixels in [-1, 1].
        **kwargs: as `EncodingModel`; the latent prior must be normal.

    Raises:
        UserError: networks that do not fit together, or a weight that is not positive.
    """

    players = {"autoencoder": ("encoder", "decoder")}
    log_names = ("divergence", "pixel_error")

    def __init__(self, encoder: keras.Model, decoder: keras.Model, *, prior_weight: float = 1.0, **kwargs: Any):
        super().__init__(encoder, decoder, **kwargs)
        self.check_divergence_is_known("The variational autoencoder")
        check_number("prior_weight, a variance,", prior_weight, above=True, example="0.05")
        self.prior_weight = prior_weight

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # Section 5 has Adagrad.
        return {"autoencoder": Adam(1e-3)}

    def play(self, real: Tensor) -> None:
        self.update("autoencoder", self.lower_bound_loss, real)

    def lower_bound_loss(self, real: Tensor) -> Loss:
        """(loss, curves): the negative lower bound, times v and without constants."""
        mean, log_variance = self.encoder(real, training=True)
        divergence = losses.divergence_from_standard_normal(mean, log_variance)
        copies = self.decoder(self.draw_around(mean, log_variance), training=True)
        pixels, copied = (ops.reshape(images, (ops.shape(images)[0], -1)) for images in (real, copies))
        # What is the error of features for VAE/GAN is that of pixels here.
        error = losses.feature_error(pixels, copied)
        return self.prior_weight * divergence + error, {"divergence": divergence, "pixel_error": error}
