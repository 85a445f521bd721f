"""DCGAN: the non-saturating GAN with convolutional networks, batch normalization and the settings that make them train.

Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks" (2015),
https://arxiv.org/abs/1511.06434
"""

from typing import TYPE_CHECKING

from keras_gans.engine.base import register_scheme
from keras_gans.optimizers import Adam
from keras_gans.schemes.gan import VanillaGAN

if TYPE_CHECKING:
    import keras


@register_scheme("dcgan")
class DCGAN(VanillaGAN):
    """The original GAN's game, for `networks.dcgan_generator` and `networks.dcgan_discriminator`.

    The architecture is the networks'; what is left to the scheme is section 4 of the paper: Adam with a rate of 2e-4
    and beta_1 0.5, without which training oscillates.
    """

    def default_optimizers(self) -> "dict[str, keras.optimizers.Optimizer]":
        return {player: Adam(2e-4, beta_1=0.5) for player in self.players}
