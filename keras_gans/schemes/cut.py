"""Contrastive unpaired translation: one direction, in which each patch has to be told from the image's other patches.

Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation" (2020), https://arxiv.org/abs/2007.15651
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_gans import losses
from keras_gans.checks import check_number, check_whole
from keras_gans.engine.base import register_scheme
from keras_gans.engine.contrasting import at_places, features_of, projection_heads, sizes_of
from keras_gans.engine.translating import TranslatingModel
from keras_gans.errors import UserError
from keras_gans.hints import Tensor
from keras_gans.optimizers import Adam
from keras_gans.penalties import check_weight
from keras_gans.randomness import uniform


@register_scheme("cut")
class CUT(TranslatingModel):
    """G minimises L_GAN(G, D) + lambda_X L_NCE(X) + lambda_Y L_NCE(Y) (equation 5), with the heads H.

    L_NCE(X) asks that a patch of G(x) be nearer to the patch of x at its place than to the other patches of x, in the
    features of G's first half seen through H (equations 3 and 4); L_NCE(Y) the same of G(y) and y, so that what is of B
    already stays. The generator and the discriminator move on one pass. The authors' code halves the sum of both.

    Curves: `nce_loss` and `identity_nce_loss` are both terms; `real_score` and `fake_score` the discriminator's means.

    Args:
        a_to_b: keras.Model, images of A -> images of B.
        discriminator_b: keras.Model, images of B -> raw scores of patches.
        nce_weight: lambda_X; 1 in the paper, and 10 in its faster form.
        identity_nce_weight: lambda_Y; 1 in the paper, and 0 in its faster form.
        temperature: of the contrast; 0.07 in the paper.
        patches: how many places of an image are compared at each of the features; 256 in the paper.
        units: of the heads; 256 in the paper.
        **kwargs: as `TranslatingModel`.

    Raises:
        UserError: networks that do not fit together, domains of which only one is grey, or numbers out of range.
    """

    players = {"generator": ("a_to_b", "heads"), "discriminator": ("discriminator_b",)}
    built_networks = ("heads",)
    aligned = False
    rivals = {"generator": ("discriminator",)}
    judged_fields = ("image_b",)
    log_names = ("nce_loss", "identity_nce_loss", "real_score", "fake_score")

    def __init__(
        self,
        a_to_b: keras.Model,
        discriminator_b: keras.Model,
        *,
        nce_weight: float = 1.0,
        identity_nce_weight: float = 1.0,
        temperature: float = 0.07,
        patches: int = 256,
        units: int = 256,
        **kwargs: Any,
    ):
        check_weight("nce_weight", nce_weight)
        check_weight("identity_nce_weight", identity_nce_weight)
        for name, value in (("patches", patches), ("units", units)):
            check_whole(name, value)
        check_number("temperature", temperature, above=True, example="the paper's 0.07")
        super().__init__(a_to_b, **kwargs)
        self.discriminator_b = discriminator_b
        self.nce_weight, self.identity_nce_weight = nce_weight, identity_nce_weight
        self.temperature, self.patches, self.units = temperature, patches, units
        self.check_judge("discriminator_b", self.shape_b)
        self.features = features_of(a_to_b)
        # Translations go through the first half once more, and so must have as many channels as originals.
        if self.shape_a != self.shape_b:
            raise UserError(
                f"The generator's first half sees originals and translations alike. Open both collections in grey or "
                f"both in colour. Received: {self.shape_a} and {self.shape_b}."
            )
        self.heads = projection_heads(self.features, units, self.seed)

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # The authors' code.
        return {player: Adam(2e-4, beta_1=0.5) for player in self.players}

    def judged_pairs(self, real: dict, made: dict, training: bool) -> dict:
        return {"discriminator": super().judged_pairs(real, made, training)["discriminator_b"]}

    def play(self, real_a: Tensor, real_b: Tensor) -> None:
        self.update_together({player: {player: 1.0} for player in self.players}, self.player_losses, real_a, real_b)

    def player_losses(self, real_a: Tensor, real_b: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """({player: loss}, curves) of one pass over a batch of each domain."""
        fake_b = self.a_to_b(real_a, training=True)
        real_scores, fake_scores = (
            self.discriminator_b(images, training=True) for images in (real_b, ops.stop_gradient(fake_b))
        )
        contrast = self.contrast(real_a, fake_b)
        loss = 2.0 * losses.least_squares_generator(self.discriminator_b(fake_b, training=True))
        loss += self.nce_weight * contrast
        identity = ops.zeros(())
        if self.identity_nce_weight:
            identity = self.contrast(real_b, self.a_to_b(real_b, training=True))
            loss += self.identity_nce_weight * identity
        player_losses = {
            "generator": loss,
            "discriminator": losses.least_squares_discriminator(real_scores, fake_scores),
        }
        curves = {
            "nce_loss": contrast,
            "identity_nce_loss": identity,
            "real_score": ops.mean(real_scores),
            "fake_score": ops.mean(fake_scores),
        }
        return player_losses, curves

    def contrast(self, originals: Tensor, translations: Tensor) -> Tensor:
        """L_NCE: the mean of `losses.patch_nce` over the features."""
        places = [_drawn(size, self.patches, self.next_seed()) for size in sizes_of(self.features)]
        queries, keys = (
            self.heads([at_places(*pair) for pair in zip(self.features(images, training=True), places, strict=True)])
            for images in (translations, originals)
        )
        each = [losses.patch_nce(*pair, self.temperature) for pair in zip(queries, keys, strict=True)]
        return sum(each) / len(each)


def _drawn(size, count, seed):
    """Up to `count` of so many places in a random order, the same for all images and on all replicas."""
    return tf.argsort(uniform([size], seed))[:count]
