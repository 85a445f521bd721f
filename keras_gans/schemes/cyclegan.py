"""CycleGAN: two translators between two sets of images of which no two belong together.

Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (2017),
https://arxiv.org/abs/1703.10593
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gans import losses
from keras_gans.checks import check_whole
from keras_gans.engine.base import register_scheme
from keras_gans.engine.image_pool import ImagePool
from keras_gans.engine.translating import TranslatingModel
from keras_gans.errors import UserError, unknown_name
from keras_gans.hints import Tensor
from keras_gans.optimizers import Adam
from keras_gans.penalties import check_weight

_DISTANCES = {"l1": losses.reconstruction_error, "l2": losses.squared_reconstruction_error}
# The authors' code halves each discriminator's loss, and no translator's.
_ADVERSARIAL = {
    "least_squares": (
        losses.least_squares_discriminator,
        lambda scores: 2.0 * losses.least_squares_generator(scores),
    ),
    "log": (
        lambda real, fake: 0.5 * losses.minimax_discriminator(real, fake),
        losses.non_saturating_generator,
    ),
}

# Of a range of 2: collections of photographs of one kind are closer, an inversion is further.
_FAR_APART = 0.25


@register_scheme("cyclegan")
class CycleGAN(TranslatingModel):
    """G: A -> B and F: B -> A minimise L_GAN(G, D_B) + L_GAN(F, D_A) + lambda L_cyc + lambda w L_identity (equation 3).

    L_cyc = E |F(G(a)) - a| + E |G(F(b)) - b| (equation 2) and L_identity = E |G(b) - b| + E |F(a) - a| (section 5.2),
    all means over pixels. Both translators take one step down the joint loss; the discriminators then take theirs, on
    the translations of that same pass, exchanged with an older one from a pool in half of the cases.

    Curves: `cycle_error_a` is E |F(G(a)) - a| and `cycle_error_b` the other; `identity_error` is L_identity, where it
    is used; `real_score_a`, `fake_score_a` and `_b` are the discriminators' mean scores.

    Args:
        a_to_b, b_to_a: keras.Model, images of one domain -> images of the other.
        discriminator_a, discriminator_b: keras.Model, images of a domain -> raw scores of patches.
        adversarial_loss: "least_squares" (section 4) or "log" (equation 1).
        cycle_norm: "l1" (the paper) or "l2" (the lecture notes).
        cycle_weight: lambda.
        identity_weight: w, relative to lambda; 0.5 in the paper's paintings, 0 elsewhere. It asks for a translator that
            leaves the other domain as it is, and so holds colours; where the domains differ by what it forbids, such as
            an inversion, nothing is translated, of which `remarks_on` warns.
        pool_size: images of the history of each domain.
        **kwargs: as `TranslatingModel`.

    Raises:
        UserError: networks that do not fit together, weights out of range, or an identity loss between images of
            different channels.
    """

    translates = {"a_to_b": ("image_a", "image_b"), "b_to_a": ("image_b", "image_a")}
    aligned = False
    players = {
        "translators": ("a_to_b", "b_to_a"),
        "discriminator_a": ("discriminator_a",),
        "discriminator_b": ("discriminator_b",),
    }
    rivals = {"translators": ("discriminator_a", "discriminator_b")}
    judged_fields = ("image_a", "image_b")
    option_examples = {"adversarial_loss": ("log",), "cycle_norm": ("l2",)}
    log_names = tuple(f"{name}_{side}" for side in "ab" for name in ("cycle_error", "real_score", "fake_score"))

    def __init__(
        self,
        a_to_b: keras.Model,
        b_to_a: keras.Model,
        discriminator_a: keras.Model,
        discriminator_b: keras.Model,
        *,
        adversarial_loss: str = "least_squares",
        cycle_norm: str = "l1",
        cycle_weight: float = 10.0,
        identity_weight: float = 0.0,
        pool_size: int = 50,
        **kwargs: Any,
    ):
        for kind, value, known in (("cycle norm", cycle_norm, _DISTANCES), ("loss", adversarial_loss, _ADVERSARIAL)):
            if value not in known:
                raise unknown_name(kind, value, known)
        check_weight("cycle_weight", cycle_weight)
        check_weight("identity_weight", identity_weight)
        check_whole("pool_size", pool_size, 0)
        if identity_weight:
            self.log_names = (*self.log_names, "identity_error")
        super().__init__(a_to_b, **kwargs)
        self.b_to_a = b_to_a
        ends = {"a": (a_to_b.input_shape, b_to_a.output_shape), "b": (b_to_a.input_shape, a_to_b.output_shape)}
        for side, (taken, made) in ends.items():
            if taken[1:] != made[1:]:
                raise UserError(
                    f"One translator takes images of {side.upper()} of shape {taken[1:]}, and the other makes them of "
                    f"shape {made[1:]}."
                )
        self.discriminator_a, self.discriminator_b = discriminator_a, discriminator_b
        self.adversarial_loss, self.cycle_norm, self.pool_size = adversarial_loss, cycle_norm, pool_size
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        shapes = self.shape_a, self.shape_b
        for side, shape in zip("ab", shapes, strict=True):
            self.check_judge(f"discriminator_{side}", shape)
        if identity_weight and shapes[0] != shapes[1]:
            raise UserError(
                f"The identity loss shows each translator images of the other domain, but those of A are {shapes[0]} "
                f"and those of B {shapes[1]}. Leave identity_weight at 0. Received: {identity_weight!r}."
            )
        self.pool_a, self.pool_b = (ImagePool(pool_size, shape) for shape in shapes)

    def remarks_on(self, rows: Mapping[str, np.ndarray]) -> tuple[str, ...]:
        if not self.identity_weight:
            return ()
        apart = _colours_apart(rows["image_a"], rows["image_b"])
        if apart <= _FAR_APART:
            return ()
        return (
            f"identity_weight={self.identity_weight:g} asks each translator to leave images of the other collection as "
            f"they are, and so to hold colours, but the colours of the two lie {apart:.2f} apart (mean distance of "
            f"sorted pixels in [-1, 1]; up to {_FAR_APART:g} is usual). What makes them differ, such as an inversion, "
            "will hardly be translated: --set scheme.identity_weight=0.",
        )

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # Section 4: Adam, rate 2e-4; beta_1 0.5 as in the authors' code.
        return {player: Adam(2e-4, beta_1=0.5) for player in self.players}

    def play(self, real_a: Tensor, real_b: Tensor) -> None:
        # A gradient of the discriminators is of their weights before the step, which the translators' does not move: of
        # one pass, this is the authors' order.
        def terms():
            return self.player_losses(real_a, real_b, *self.translations(real_a, real_b))

        self.update_together({player: {player: 1.0} for player in self.players}, terms)

    def translations(self, real_a: Tensor, real_b: Tensor) -> tuple[Tensor, Tensor]:
        """(G(a), F(b)) as in training."""
        return self.a_to_b(real_a, training=True), self.b_to_a(real_b, training=True)

    def player_losses(
        self, real_a: Tensor, real_b: Tensor, fake_b: Tensor, fake_a: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """({player: loss}, curves) of a batch of each domain and its translations."""
        discriminate, deceive = _ADVERSARIAL[self.adversarial_loss]
        distance = _DISTANCES[self.cycle_norm]
        again_a, again_b = self.b_to_a(fake_b, training=True), self.a_to_b(fake_a, training=True)
        cycles = distance(real_a, again_a), distance(real_b, again_b)
        player_losses = {"translators": self.cycle_weight * sum(cycles)}
        curves = {"cycle_error_a": cycles[0], "cycle_error_b": cycles[1]}
        if self.identity_weight:
            pairs = (self.a_to_b, real_b), (self.b_to_a, real_a)
            identity = sum(distance(real, translate(real, training=True)) for translate, real in pairs)
            player_losses["translators"] += self.cycle_weight * self.identity_weight * identity
            curves["identity_error"] = identity
        sides = ("a", real_a, fake_a, self.pool_a), ("b", real_b, fake_b, self.pool_b)
        for side, real, fake, pool in sides:
            judge = getattr(self, f"discriminator_{side}")
            player_losses["translators"] += deceive(judge(fake, training=True))
            scores = judge(real, training=True), judge(pool.exchange(fake, self.next_seed()), training=True)
            player_losses[f"discriminator_{side}"] = discriminate(*scores)
            curves |= {f"real_score_{side}": ops.mean(scores[0]), f"fake_score_{side}": ops.mean(scores[1])}
        return player_losses, curves


def _colours_apart(a, b):
    """The mean distance of the sorted values of two sets of images, each channel's by itself, and then their mean."""
    # As many places in both orders: quantiles of channels.
    places = np.linspace(0.0, 1.0, 256)
    orders = [np.quantile(images.reshape(-1, images.shape[-1]), places, axis=0) for images in (a, b)]
    return float(np.abs(orders[0] - orders[1]).mean())
