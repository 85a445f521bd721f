"""WGAN-GP: the critic is held to a unit gradient norm by a penalty.

Gulrajani et al., "Improved Training of Wasserstein GANs" (2017), https://arxiv.org/abs/1704.00028
"""

from typing import TYPE_CHECKING, Any

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.two_player import GAN
from keras_gans.optimizers import Adam
from keras_gans.penalties import GradientPenalty, Penalty, check_weight

if TYPE_CHECKING:
    import keras

    from keras_gans.hints import Loss, Tensor


@register_scheme("wgan_gp")
class WGANGP(GAN):
    """The critic minimises E f(G(z)) - E f(x) + lambda E (||grad f(x_hat)|| - 1)^2; G maximises E f(G(z)).

    Curves: `wasserstein_estimate` is E f(x) - E f(G(z)); `gradient_penalty` is the penalty, which the schedule adds,
    without its weight.

    Args:
        gradient_penalty_weight: the paper's lambda; 10 for images, 0.1 in the authors' code for points.
        discriminator_steps: the paper's n_critic.
        **kwargs: as `GAN`.

    Raises:
        UserError: a critic with batch normalization, packing or minibatch statistics, whose penalty is not defined
            sample by sample (section 4), or a negative weight.
    """

    is_critic = True
    log_names = ("wasserstein_estimate",)

    def __init__(
        self,
        generator: "keras.Model",
        discriminator: "keras.Model",
        latent_dim: int | None = None,
        *,
        gradient_penalty_weight: float = 10.0,
        discriminator_steps: int = 5,
        **kwargs: Any,
    ):
        check_weight("gradient_penalty_weight", gradient_penalty_weight)
        self.gradient_penalty_weight = gradient_penalty_weight
        super().__init__(generator, discriminator, latent_dim, discriminator_steps=discriminator_steps, **kwargs)

    def default_optimizers(self) -> "dict[str, keras.optimizers.Optimizer]":
        # Rate of algorithm 1, betas of the authors' convolutional code.
        return {player: Adam(1e-4, beta_1=0.5, beta_2=0.9) for player in self.players}

    def own_penalties(self) -> tuple[Penalty, ...]:
        return (GradientPenalty(self.gradient_penalty_weight),)

    def discriminator_loss(self, real: "Tensor", fake: "Tensor") -> "Loss":
        critic = losses.wasserstein_critic(*self.scores(real, fake))
        return critic, {"wasserstein_estimate": -critic}

    def generator_loss(self, fake: "Tensor") -> "Loss":
        return losses.wasserstein_generator(self.score(fake)), {}
