"""The original GAN, minimax and non-saturating, and the penalty that makes it converge.

Goodfellow et al., "Generative Adversarial Networks" (2014), https://arxiv.org/abs/1406.2661, and Mescheder et al.,
"Which Training Methods for GANs do actually Converge?" (2018), https://arxiv.org/abs/1801.04406
"""

from typing import Any

import keras
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.two_player import GAN
from keras_gans.errors import unknown_name
from keras_gans.hints import Loss, Tensor
from keras_gans.optimizers import Adam
from keras_gans.penalties import R1, Penalty, check_weight

_GENERATOR_LOSSES = {
    "non_saturating": losses.non_saturating_generator,
    "minimax": losses.minimax_generator,
}


@register_scheme("gan")
class VanillaGAN(GAN):
    """min_G max_D E log D(x) + E log(1 - D(G(z))).

    Curves: `real_probability` is the mean D(x), `fake_probability` the mean D(G(z)); both tend to 1/2. With a penalty,
    `real_gradient_penalty` is its value without the weight.

    Args:
        generator_objective: "non_saturating" (maximise log D(G(z)), section 3 of the paper) or "minimax" (minimise
            log(1 - D(G(z))), equation 1).
        real_gradient_penalty_weight: short for a penalty `R1` of this weight, under which the game converges where the
            data lie on a lower-dimensional manifold; 0 for none, as in the first paper.
        **kwargs: as `GAN`.

    Raises:
        UserError: no such objective; a negative weight, or a penalty on a discriminator that mixes samples.
    """

    log_names = ("real_probability", "fake_probability")
    # Batch normalization refuses any penalty.
    option_examples = {
        "generator_objective": tuple(_GENERATOR_LOSSES),
        "real_gradient_penalty_weight": (1.0,),
    }

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_dim: int | None = None,
        *,
        generator_objective: str = "non_saturating",
        real_gradient_penalty_weight: float = 0.0,
        **kwargs: Any,
    ):
        check_weight("real_gradient_penalty_weight", real_gradient_penalty_weight)
        self.real_gradient_penalty_weight = real_gradient_penalty_weight
        super().__init__(generator, discriminator, latent_dim, **kwargs)
        if generator_objective not in _GENERATOR_LOSSES:
            raise unknown_name("generator objective", generator_objective, _GENERATOR_LOSSES)
        self.generator_objective = generator_objective

    @property
    def is_saturating(self) -> bool:
        return self.generator_objective == "minimax"

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # The lecture names Adam; rate and momentum are those of its accompanying tutorial.
        return {player: Adam(2e-4) for player in self.players}

    def own_penalties(self) -> tuple[Penalty, ...]:
        return (R1(self.real_gradient_penalty_weight),) if self.real_gradient_penalty_weight else ()

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Loss:
        real_scores, fake_scores = self.scores(real, fake)
        loss = losses.minimax_discriminator(real_scores, fake_scores)
        return loss, {
            "real_probability": ops.mean(ops.sigmoid(real_scores)),
            "fake_probability": ops.mean(ops.sigmoid(fake_scores)),
        }

    def generator_loss(self, fake: Tensor) -> Loss:
        return _GENERATOR_LOSSES[self.generator_objective](self.score(fake)), {}
