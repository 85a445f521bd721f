"""ACGAN: the discriminator does not see the label, it predicts it.

Odena et al., "Conditional Image Synthesis with Auxiliary Classifier GANs" (2017), https://arxiv.org/abs/1610.09585
"""

from typing import Any

import keras
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.class_conditional import ClassConditionalGAN
from keras_gans.errors import UserError
from keras_gans.hints import Loss, Tensor
from keras_gans.labels import is_right
from keras_gans.optimizers import Adam


@register_scheme("acgan")
class ACGAN(ClassConditionalGAN):
    """D maximises L_S + L_C and G maximises L_C - L_S (equations 2 and 3).

    L_S is the log-likelihood of the source (real or generated), L_C that of the class, of real and generated samples
    alike. As losses to be minimised both players add the cross-entropy of the class to the GAN's own loss.

    Curves: `real_probability` and `fake_probability` are the mean D(x) and D(G(z, c)); `real_accuracy` and
    `fake_accuracy` the shares of samples whose class the discriminator names.

    Args:
        discriminator: keras.Model, samples -> [raw scores (batch, 1), class logits (batch, K)].
        **kwargs: as `ClassConditionalGAN`.

    Raises:
        UserError: a discriminator that does not end in a score and K class logits.
    """

    log_names = ("real_probability", "fake_probability", "real_accuracy", "fake_accuracy")

    def __init__(
        self, generator: keras.Model, discriminator: keras.Model, latent_dim: int | None = None, **kwargs: Any
    ):
        super().__init__(generator, discriminator, latent_dim, **kwargs)
        shapes = [tuple(output.shape[1:]) for output in discriminator.outputs]
        if shapes != [(1,), (self.class_count,)]:
            raise UserError(
                f"ACGAN's discriminator ends in a score and {self.class_count} class logits. Received outputs of "
                f"shapes {shapes}. networks.dcgan_discriminator(..., class_count=K, head='auxiliary') makes such a one."
            )

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # Appendix A: Adam with rate 2e-4 and beta_1 0.5.
        return {player: Adam(2e-4, beta_1=0.5) for player in self.players}

    def discriminator_loss(self, real: Tensor, real_labels: Tensor, fake: Tensor, fake_labels: Tensor) -> Loss:
        real_scores, real_logits = self.score(real)
        fake_scores, fake_logits = self.score(fake)
        source = losses.minimax_discriminator(real_scores, fake_scores)
        classes = losses.class_cross_entropy(real_labels, real_logits)
        classes += losses.class_cross_entropy(fake_labels, fake_logits)
        return source + classes, {
            "real_probability": ops.mean(ops.sigmoid(real_scores)),
            "fake_probability": ops.mean(ops.sigmoid(fake_scores)),
            "real_accuracy": ops.mean(is_right(real_labels, real_logits)),
            "fake_accuracy": ops.mean(is_right(fake_labels, fake_logits)),
        }

    def generator_loss(self, fake: Tensor, fake_labels: Tensor) -> Loss:
        scores, logits = self.score(fake)
        return losses.non_saturating_generator(scores) + losses.class_cross_entropy(fake_labels, logits), {}
