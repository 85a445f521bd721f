"""R3GAN: pairs of a real and a generated sample, and slopes held at both.

Huang et al., "The GAN is dead; long live the GAN! A Modern Baseline GAN" (2024), https://arxiv.org/abs/2501.05441
"""

import keras
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.two_player import GAN
from keras_gans.hints import Loss, Tensor
from keras_gans.optimizers import Adam
from keras_gans.penalties import R1, R2


@register_scheme("r3gan")
class R3GAN(GAN):
    """D minimises E softplus(D(G(z)) - D(x)) + gamma / 2 (R1 + R2), and G minimises E softplus(D(x) - D(G(z))).

    Curve: `score_difference` is the mean D(x) - D(G(z)), which tends to 0.

    Penalties other than of gamma 1 are given as `penalties`; the paper's gammas are 0.05 to 150, by the data.
    """

    generator_sees_real = True
    default_penalties = (R1(1.0), R2(1.0))
    log_names = ("score_difference",)

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # The authors' training script at its start: rate 2e-4, no momentum.
        return {player: Adam(2e-4, beta_1=0.0, beta_2=0.9) for player in self.players}

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Loss:
        real_scores, fake_scores = self.scores(real, fake)
        loss = losses.relativistic_pairing_discriminator(real_scores, fake_scores)
        return loss, {"score_difference": ops.mean(real_scores - fake_scores)}

    def overfitting(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        # Of scores that are only compared the sign of one says nothing.
        return ops.mean(ops.sign(real_scores - fake_scores))

    def generator_loss(self, fake: Tensor, real: Tensor) -> Loss:
        # In one pass the gradient would also go back through the real samples, which nobody asks for.
        return losses.relativistic_pairing_generator(self.score(real), self.score(fake)), {}
