"""The original GAN, minimax and non-saturating.

Goodfellow et al., "Generative Adversarial Networks" (2014), https://arxiv.org/abs/1406.2661
"""

from keras import ops

from keras_gans import losses
from keras_gans.base import register_scheme
from keras_gans.errors import unknown_name
from keras_gans.optimizers import Adam
from keras_gans.two_player import GAN

_GENERATOR_LOSSES = {
    "non_saturating": losses.non_saturating_generator,
    "minimax": losses.minimax_generator,
}


@register_scheme("gan")
class VanillaGAN(GAN):
    """min_G max_D E log D(x) + E log(1 - D(G(z))).

    Curves: `real_probability` is the mean D(x), `fake_probability` the mean D(G(z)); both tend to 1/2.

    Args:
        generator_objective: "non_saturating" (maximise log D(G(z)), section 3 of the paper) or "minimax" (minimise
            log(1 - D(G(z))), equation 1).
        **kwargs: as `GAN`.
    """

    log_names = ("real_probability", "fake_probability")

    def __init__(
        self,
        generator,
        discriminator,
        latent_dim=None,
        *,
        generator_objective="non_saturating",
        **kwargs,
    ):
        super().__init__(generator, discriminator, latent_dim, **kwargs)
        if generator_objective not in _GENERATOR_LOSSES:
            raise unknown_name("generator objective", generator_objective, _GENERATOR_LOSSES)
        self.generator_objective = generator_objective

    def default_optimizers(self):
        # The lecture names Adam; rate and momentum are those of its accompanying tutorial.
        return {player: Adam(2e-4) for player in self.players}

    def discriminator_loss(self, real, fake):
        real_scores, fake_scores = self.scores(real, fake)
        return losses.minimax_discriminator(real_scores, fake_scores), {
            "real_probability": ops.mean(ops.sigmoid(real_scores)),
            "fake_probability": ops.mean(ops.sigmoid(fake_scores)),
        }

    def generator_loss(self, fake):
        return _GENERATOR_LOSSES[self.generator_objective](self.score(fake)), {}
