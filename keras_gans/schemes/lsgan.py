"""LSGAN: least squares instead of cross-entropy.

Mao et al., "Least Squares Generative Adversarial Networks" (2017), https://arxiv.org/abs/1611.04076
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.two_player import GAN
from keras_gans.errors import UserError
from keras_gans.hints import Loss, Tensor
from keras_gans.optimizers import Adam


@register_scheme("lsgan")
class LSGAN(GAN):
    """D is drawn to b on real samples and to a on generated ones; G draws D to c.

    With b - c = 1 and b - a = 2, as in (a, b, c) = (-1, 1, 0), G minimises Pearson's chi-squared divergence between
    p_data + p_G and 2 p_G (section 3.2); (0, 1, 1) makes samples as real as D can tell (equation 9).

    Curves: `real_score` is the mean D(x), `fake_score` the mean D(G(z)).

    Args:
        targets: the paper's (a, b, c): fake, real, and what G wants of fakes.
        **kwargs: as `GAN`.

    Raises:
        UserError: targets with c = a, which would train G to be found out, or b = a.
    """

    log_names = ("real_score", "fake_score")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_dim: int | None = None,
        *,
        targets: Any = (0.0, 1.0, 1.0),
        **kwargs: Any,
    ):
        super().__init__(generator, discriminator, latent_dim, **kwargs)
        if not _are_targets(targets):
            raise UserError(
                f"targets are (a, b, c) with b and c different from a, such as (0, 1, 1) or (-1, 1, 0). "
                f"Received: {targets!r}."
            )
        self.targets = targets

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # Section 4: Adam, beta_1 0.5, rate 0.001 on LSUN.
        return {player: Adam(1e-3, beta_1=0.5) for player in self.players}

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Loss:
        a, b, _ = self.targets
        real_scores, fake_scores = self.scores(real, fake)
        loss = losses.least_squares_discriminator(real_scores, fake_scores, fake_target=a, real_target=b)
        return loss, {"real_score": ops.mean(real_scores), "fake_score": ops.mean(fake_scores)}

    def generator_loss(self, fake: Tensor) -> Loss:
        return losses.least_squares_generator(self.score(fake), generator_target=self.targets[2]), {}


def _are_targets(targets):
    if not isinstance(targets, Sequence) or isinstance(targets, str) or len(targets) != 3:
        return False
    are_numbers = all(isinstance(each, int | float) and math.isfinite(each) for each in targets)
    return are_numbers and targets[0] not in targets[1:]
