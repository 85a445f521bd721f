"""WGAN: a critic with clipped weights estimates the Wasserstein-1 distance.

Arjovsky et al., "Wasserstein GAN" (2017), https://arxiv.org/abs/1701.07875
"""

from typing import Any

import keras

from keras_gans import losses
from keras_gans.checks import check_number
from keras_gans.engine.base import register_scheme
from keras_gans.engine.two_player import GAN
from keras_gans.hints import Loss, Tensor
from keras_gans.penalties import clip_weights


@register_scheme("wgan")
class WGAN(GAN):
    """The critic f maximises E f(x) - E f(G(z)) under |weights| <= c; G maximises E f(G(z)).

    Curve: `wasserstein_estimate` is E f(x) - E f(G(z)), which is K times the distance, K the unknown Lipschitz
    constant that the clipping allows; it falls as samples improve (figure 3 of the paper).

    Args:
        clip: the paper's c.
        discriminator_steps: the paper's n_critic.
        **kwargs: as `GAN`.

    Raises:
        UserError: `clip` is not positive.
    """

    is_critic = True
    log_names = ("wasserstein_estimate",)

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_dim: int | None = None,
        *,
        clip: float = 0.01,
        discriminator_steps: int = 5,
        **kwargs: Any,
    ):
        super().__init__(generator, discriminator, latent_dim, discriminator_steps=discriminator_steps, **kwargs)
        check_number("clip", clip, above=True, example="the paper's 0.01")
        self.clip = clip

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # Algorithm 1; section 4 explains why no momentum: the clipped critic's loss is nonstationary.
        return {player: keras.optimizers.RMSprop(5e-5) for player in self.players}

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Loss:
        loss = losses.wasserstein_critic(*self.scores(real, fake))
        return loss, {"wasserstein_estimate": -loss}

    def generator_loss(self, fake: Tensor) -> Loss:
        return losses.wasserstein_generator(self.score(fake)), {}

    def after_update(self, player: str) -> None:
        if player == "discriminator":
            clip_weights(self.discriminator.trainable_variables, self.clip)
