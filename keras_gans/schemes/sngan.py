"""SNGAN: the hinge loss, and a discriminator whose layers are divided by their spectral norms.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks" (2018), https://arxiv.org/abs/1802.05957
"""

import keras
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.two_player import GAN
from keras_gans.hints import Loss, Tensor
from keras_gans.optimizers import Adam


@register_scheme("sngan")
class SNGAN(GAN):
    """D minimises E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))), and G minimises -E D(G(z)).

    That D is Lipschitz, with each weight W as W / sigma(W), is its network's part: normalization="spectral". With
    another normalization or a penalty it is the hinge GAN of Lim and Ye, "Geometric GAN" (2017).

    Curves: `real_score` is the mean D(x), `fake_score` the mean D(G(z)).
    """

    log_names = ("real_score", "fake_score")

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # The authors' settings for ImageNet.
        return {player: Adam(2e-4, beta_1=0.0, beta_2=0.9) for player in self.players}

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Loss:
        real_scores, fake_scores = self.scores(real, fake)
        loss = losses.hinge_discriminator(real_scores, fake_scores)
        return loss, {"real_score": ops.mean(real_scores), "fake_score": ops.mean(fake_scores)}

    def generator_loss(self, fake: Tensor) -> Loss:
        return losses.hinge_generator(self.score(fake)), {}
