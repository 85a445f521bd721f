"""pix2pix: a translator that learns from pairs, and a discriminator that sees both images of a pair.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks" (2017), https://arxiv.org/abs/1611.07004
"""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.translating import TranslatingModel
from keras_gans.errors import unknown_name
from keras_gans.fields import Field
from keras_gans.hints import Tensor
from keras_gans.optimizers import Adam
from keras_gans.penalties import check_weight

_ADVERSARIAL = {
    "log": (losses.minimax_discriminator, losses.non_saturating_generator),
    "least_squares": (
        lambda real, fake: 2.0 * losses.least_squares_discriminator(real, fake),
        lambda scores: 2.0 * losses.least_squares_generator(scores),
    ),
}


@register_scheme("pix2pix")
class Pix2Pix(TranslatingModel):
    """G minimises L_cGAN(G, D) + lambda E |b - G(a)| (equation 4), D the halved loss of telling (a, b) from (a, G(a)).

    The paper's noise is dropout in the translator while it trains; translations are drawn without it. Both players move
    on one pass.

    Curves: `error` is E |b - G(a)|, a mean over pixels in [-1, 1]; `real_score` and `fake_score` the discriminator's
    means.

    Args:
        a_to_b: keras.Model, images of A -> images of B.
        discriminator: keras.Model, images of A and B joined in their channels -> raw scores of patches.
        adversarial_loss: "log" (the paper) or "least_squares".
        adversarial_weight: of the adversarial loss; 0 leaves regression alone.
        error_weight: lambda; 100 in the paper.
        **kwargs: as `TranslatingModel`.

    Raises:
        UserError: networks that do not fit together, images of two sizes, or weights out of range.
    """

    players = {"generator": ("a_to_b",), "discriminator": ("discriminator",)}
    rivals = {"generator": ("discriminator",)}
    # Its noise is its layers'.
    is_generative = False
    judged_fields = ("image_a", "image_b")
    option_examples = {"adversarial_loss": ("least_squares",)}
    log_names = ("error", "real_score", "fake_score")

    def __init__(
        self,
        a_to_b: keras.Model,
        discriminator: keras.Model,
        *,
        adversarial_loss: str = "log",
        adversarial_weight: float = 1.0,
        error_weight: float = 100.0,
        **kwargs: Any,
    ):
        if adversarial_loss not in _ADVERSARIAL:
            raise unknown_name("loss", adversarial_loss, _ADVERSARIAL)
        check_weight("adversarial_weight", adversarial_weight)
        check_weight("error_weight", error_weight)
        super().__init__(a_to_b, **kwargs)
        self.discriminator, self.adversarial_loss = discriminator, adversarial_loss
        self.adversarial_weight, self.error_weight = adversarial_weight, error_weight
        self.check_judge("discriminator", (*self.shape_a[:2], self.shape_a[-1] + self.shape_b[-1]))

    @classmethod
    def network_arguments(cls, role: str, data_fields: Mapping[str, Field], latent_dim: int) -> dict:
        if role != "discriminator":
            return super().network_arguments(role, data_fields, latent_dim)
        a, b = (data_fields[name].shape for name in cls.takes)
        return {"sample_shape": (*a[:2], a[-1] + b[-1])}

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # Section 3.3.
        return {player: Adam(2e-4, beta_1=0.5) for player in self.players}

    def judged_pairs(self, real: dict, made: dict, training: bool) -> dict:
        joined = [ops.concatenate([real["image_a"], images["image_b"]], axis=-1) for images in (real, made)]
        return {"discriminator": tuple(self.patch_scores("discriminator", pair, training) for pair in joined)}

    def play(self, real_a: Tensor, real_b: Tensor) -> None:
        self.update_together({player: {player: 1.0} for player in self.players}, self.player_losses, real_a, real_b)

    def player_losses(self, real_a: Tensor, real_b: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """({player: loss}, curves) of one pass over a batch of pairs."""
        discriminate, deceive = _ADVERSARIAL[self.adversarial_loss]
        fake_b = self.a_to_b(real_a, training=True)
        error = losses.reconstruction_error(real_b, fake_b)
        real_scores, fake_scores = (self._scores(real_a, image) for image in (real_b, ops.stop_gradient(fake_b)))
        adversarial = deceive(self._scores(real_a, fake_b))
        player_losses = {
            "generator": self.adversarial_weight * adversarial + self.error_weight * error,
            "discriminator": 0.5 * discriminate(real_scores, fake_scores),
        }
        scores = {"real_score": ops.mean(real_scores), "fake_score": ops.mean(fake_scores)}
        return player_losses, {"error": error, **scores}

    def _scores(self, a, b):
        return self.discriminator(ops.concatenate([a, b], axis=-1), training=True)

    def beside(self, real: dict, direction: str, translated: Any) -> Any:
        return real["image_b"][: len(translated)]
