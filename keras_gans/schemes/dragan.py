"""DRAGAN: the original game, with the discriminator's slope held around the real samples.

Kodali et al., "On Convergence and Stability of GANs" (2017), https://arxiv.org/abs/1705.07215
"""

import keras

from keras_gans import penalties
from keras_gans.engine.base import register_scheme
from keras_gans.optimizers import Adam
from keras_gans.schemes.gan import VanillaGAN


@register_scheme("dragan")
class DRAGAN(VanillaGAN):
    """The original GAN's losses, to which D's adds lambda E (||grad D(x + delta)|| - 1)^2."""

    default_penalties = (penalties.DRAGAN(10.0),)

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # The authors' code.
        return {player: Adam(2e-4, beta_1=0.5) for player in self.players}
