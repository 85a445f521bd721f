"""The conditional GAN: both players see the label.

Mirza and Osindero, "Conditional Generative Adversarial Nets" (2014), https://arxiv.org/abs/1411.1784
"""

from typing import Any

import keras
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.class_conditional import ClassConditionalGAN
from keras_gans.errors import UserError
from keras_gans.hints import Loss, Tensor
from keras_gans.optimizers import Adam


@register_scheme("cgan")
class CGAN(ClassConditionalGAN):
    """min_G max_D E log D(x|y) + E log(1 - D(G(z|c)|c)), equation 2.

    A real sample is judged with its own label, a generated one with the label that it was generated for.

    Curves: `real_probability` is the mean D(x|y), `fake_probability` the mean D(G(z|c)|c).

    Args:
        discriminator: keras.Model, [samples, integer labels (batch,)] -> raw scores.
        **kwargs: as `ClassConditionalGAN`.

    Raises:
        UserError: a discriminator that does not take labels.
    """

    judged_fields = ("sample", "label")
    log_names = ("real_probability", "fake_probability")

    def __init__(
        self, generator: keras.Model, discriminator: keras.Model, latent_dim: int | None = None, **kwargs: Any
    ):
        super().__init__(generator, discriminator, latent_dim, **kwargs)
        if len(discriminator.inputs) != 2:
            raise UserError(
                f"CGAN's discriminator takes [samples, labels]. Received one with {len(discriminator.inputs)} input. "
                "networks.dcgan_discriminator(..., class_count=K, conditioning='projection') makes such a one."
            )

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # The paper's SGD with momentum belongs to its maxout networks; these are DCGAN's settings.
        return {player: Adam(2e-4, beta_1=0.5) for player in self.players}

    def discriminator_loss(self, real: Tensor, real_labels: Tensor, fake: Tensor, fake_labels: Tensor) -> Loss:
        real_scores, fake_scores = self.scores([real, real_labels], [fake, fake_labels])
        return losses.minimax_discriminator(real_scores, fake_scores), {
            "real_probability": ops.mean(ops.sigmoid(real_scores)),
            "fake_probability": ops.mean(ops.sigmoid(fake_scores)),
        }

    def generator_loss(self, fake: Tensor, fake_labels: Tensor) -> Loss:
        return losses.non_saturating_generator(self.score([fake, fake_labels])), {}
