"""VAE/GAN: a variational autoencoder whose reconstruction error is measured by a discriminator's features.

Larsen et al., "Autoencoding beyond pixels using a learned similarity metric" (2016), https://arxiv.org/abs/1512.09300
"""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.encoding import EncodingModel
from keras_gans.engine.given import check_raw_scores
from keras_gans.errors import UserError
from keras_gans.hints import Tensor
from keras_gans.optimizers import Adam
from keras_gans.penalties import check_weight


@register_scheme("vae_gan")
class VAEGAN(EncodingModel):
    """Each network minimises its own part of L_prior + L_llike + L_GAN (algorithm 1).

    With f(x) the discriminator's last hidden layer, x~ the decoded draw of q(z|x) and x_p that of the prior: the
    encoder minimises L_prior = KL(q(z|x) || N(0, I)) and L_llike = ||f(x) - f(x~)||^2 / 2 and hears nothing of L_GAN;
    the discriminator minimises L_GAN alone, or it would make all features equal; the decoder minimises gamma L_llike
    and makes x~ and x_p pass for real. Generated samples of both kinds weigh one half each.

    Curves: `divergence` is L_prior, `feature_error` L_llike, `real_probability` the mean D(x), `fake_probability` that
    of x~ and x_p.

    Args:
        encoder: as `EncodingModel`, with a Gaussian posterior.
        decoder: as `EncodingModel`.
        discriminator: keras.Model, samples -> [raw scores (batch, 1), features (batch, d)].
        gamma: weight of likeness against realism in the decoder's loss; equation 9.
        prior_weight: weight of L_prior in the encoder's loss, 1 in the paper.
        **kwargs: as `EncodingModel`; the latent prior must be normal.

    Raises:
        UserError: networks that do not fit together, or weights out of range.
    """

    players = {"encoder": ("encoder",), "decoder": ("decoder",), "discriminator": ("discriminator",)}
    rivals = {"decoder": ("discriminator",)}
    judged_fields = ("sample",)
    log_names = ("divergence", "feature_error", "real_probability", "fake_probability")

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        *,
        gamma: float = 1e-3,
        prior_weight: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(encoder, decoder, **kwargs)
        self.discriminator = discriminator
        self.gamma, self.prior_weight = gamma, prior_weight
        self.check_divergence_is_known("VAE/GAN")
        shapes = [tuple(output.shape[1:]) for output in discriminator.outputs]
        if len(shapes) != 2 or shapes[0] != (1,):
            raise UserError(
                f"VAE/GAN's discriminator ends in a score and features. Received outputs of shapes {shapes}. "
                "networks.mlp_discriminator(..., head='features') makes such a one."
            )
        check_raw_scores("discriminator", discriminator)
        for name, weight in (("gamma", gamma), ("prior_weight", prior_weight)):
            check_weight(name, weight)

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # The authors' code: RMSProp; Adam with DCGAN's momentum is what suits small networks.
        return {player: Adam(1e-3, beta_1=0.5) for player in self.players}

    def play(self, real: Tensor) -> None:
        # Algorithm 1 takes all three gradients of one forward pass.
        self.update_together({player: {player: 1.0} for player in self.players}, self.player_losses, real)

    def player_losses(self, real: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """({player: loss}, curves) of one pass over the real samples x, their copies x~ and generated samples x_p."""
        mean, log_variance = self.encoder(real, training=True)
        copies = self.decoder(self.draw_around(mean, log_variance), training=True)
        drawn = self.decoder(self.latents(real.shape[0] or ops.shape(real)[0]), training=True)
        (real_scores, features), (copy_scores, copied) = self._judge(real), self._judge(copies)
        fake_scores = copy_scores, self._judge(drawn)[0]
        divergence = losses.divergence_from_standard_normal(mean, log_variance)
        error = losses.feature_error(features, copied)
        fooled = 0.5 * sum(map(losses.non_saturating_generator, fake_scores))
        player_losses = {
            "encoder": self.prior_weight * divergence + error,
            "decoder": self.gamma * error + fooled,
            "discriminator": 0.5 * sum(losses.minimax_discriminator(real_scores, scores) for scores in fake_scores),
        }
        return player_losses, {
            "divergence": divergence,
            "feature_error": error,
            "real_probability": ops.mean(ops.sigmoid(real_scores)),
            "fake_probability": 0.5 * sum(ops.mean(ops.sigmoid(scores)) for scores in fake_scores),
        }

    def _judge(self, samples):
        """[Scores, features], in training mode."""
        return self.discriminator(samples, training=True)

    def realness(self, *values: Tensor, training: bool = False) -> Tensor:
        return ops.reshape(self.discriminator(values[0], training=training)[0], [-1])

    def judged(
        self, real: Tensor, made: Mapping[str, Any] | None = None, training: bool = False
    ) -> dict[str, tuple[Tensor, Tensor]]:
        if made is None:
            rows = ops.shape(real["sample"])[0]
            made = {"sample": self.decoder(self.latents(rows), training=training)}
        sides = (ops.convert_to_tensor(side["sample"]) for side in (real, made))
        return {"discriminator": tuple(self.realness(side, training=training) for side in sides)}
