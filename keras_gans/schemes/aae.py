"""The adversarial autoencoder: a discriminator of codes makes their distribution the prior's.

Makhzani et al., "Adversarial Autoencoders" (2015), https://arxiv.org/abs/1511.05644
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from keras_gans import losses
from keras_gans.engine.base import register_scheme
from keras_gans.engine.encoding import EncodingModel
from keras_gans.engine.given import check_raw_scores
from keras_gans.errors import UserError
from keras_gans.hints import Loss, Tensor
from keras_gans.optimizers import Adam

if TYPE_CHECKING:
    from keras_gans.fields import Field


@register_scheme("aae")
class AdversarialAutoencoder(EncodingModel):
    """max E_x E_q(z|x) log p(x|z) - KL(E_x q(z|x) || p(z)), the divergence being estimated by a discriminator of codes.

    The divergence is of all codes together from the prior, where a variational autoencoder's is of each sample's. In
    each step come the reconstruction phase (encoder and decoder), then the regularization phase: the discriminator,
    and the encoder as the generator of codes (section 2). To the discriminator the prior's draws are the real ones.

    Curves: `real_probability` is the mean D(z) of the prior's draws, `fake_probability` the mean D(E(x)), and
    `divergence_estimate` the mean -log D(E(x)) / (1 - D(E(x))), which is the divergence above where D is at its best.

    Args:
        encoder: as `EncodingModel`; its posterior may be deterministic, Gaussian or universal.
        decoder: as `EncodingModel`.
        discriminator: keras.Model, codes (batch, latent_dim) -> raw scores.
        latent_prior: p(z), anything that can be drawn from: see `latent.prior_named`.
        **kwargs: as `EncodingModel`.

    Raises:
        UserError: networks that do not fit together.
    """

    players = {
        "autoencoder": ("encoder", "decoder"),
        "discriminator": ("discriminator",),
        "generator": ("encoder",),
    }
    log_names = ("real_probability", "fake_probability", "divergence_estimate")
    rivals = {"generator": ("discriminator",)}
    judged_fields = ("sample",)

    def __init__(self, encoder: keras.Model, decoder: keras.Model, discriminator: keras.Model, **kwargs: Any):
        super().__init__(encoder, decoder, **kwargs)
        self.discriminator = discriminator
        self.check_judge("discriminator")

    @classmethod
    def code_sizes(cls, latent_dim: int, class_count: int | None = None) -> dict[str, int]:
        """{judge: the size of those codes, or parts of codes, that it sees}."""
        return {"discriminator": latent_dim}

    @classmethod
    def network_arguments(cls, role: str, data_fields: "Mapping[str, Field]", latent_dim: int) -> dict[str, Any]:
        offered = super().network_arguments(role, data_fields, latent_dim)
        sizes = cls.code_sizes(latent_dim, offered.get("class_count"))
        return offered | ({"sample_shape": (sizes[role],)} if role in sizes else {})

    def check_judge(self, name: str) -> None:
        """Raises a `UserError` unless the network of that name takes what `code_sizes` says, and gives raw scores."""
        size = self.code_sizes(self.latent_dim, len(self.class_names))[name]
        taken = tuple(getattr(self, name).inputs[0].shape[1:])
        if taken != (size,):
            raise UserError(
                f"The adversarial autoencoder's {name} takes codes of shape ({size},). Received one that takes "
                f"{taken}. networks.mlp_discriminator(({size},)) makes such a one."
            )
        check_raw_scores(name, getattr(self, name))

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # The paper's SGD with momentum needs a schedule for each data set.
        return {player: Adam(1e-3, beta_1=0.5) for player in self.players}

    def play(self, real: Tensor, *labels: Any) -> None:
        self.update("autoencoder", self.reconstruction_loss, real)
        self.update("discriminator", self.discriminator_loss, real, *labels)
        self.update("generator", self.generator_loss, real, *labels)

    def reconstruction_loss(self, real: Tensor) -> Loss:
        """(loss, {}) of the reconstruction phase: the squared error of decoded codes."""
        copies = self.decoder(self.draw_codes(real), training=True)
        return losses.squared_reconstruction_error(real, copies), {}

    def discriminator_loss(self, real: Tensor, *labels: Any) -> Loss:
        """(loss, curves) of the discriminator of codes, to which the prior's draws are real."""
        prior = self.draw_prior(real.shape[0] or ops.shape(real)[0], *labels)
        real_scores = self.score(prior, *labels)
        fake_scores = self.score(self.draw_codes(real), *labels)
        return losses.minimax_discriminator(real_scores, fake_scores), {
            "real_probability": ops.mean(ops.sigmoid(real_scores)),
            "fake_probability": ops.mean(ops.sigmoid(fake_scores)),
            "divergence_estimate": -ops.mean(fake_scores),
        }

    def generator_loss(self, real: Tensor, *labels: Any) -> Loss:
        """(loss, {}) of the encoder as the generator of codes."""
        return losses.non_saturating_generator(self.score(self.draw_codes(real), *labels)), {}

    def judged(
        self, real: Tensor, made: Mapping[str, Any] | None = None, training: bool = False
    ) -> dict[str, tuple[Tensor, Tensor]]:
        return self.judged_codes(real["sample"], training=training)

    def judged_codes(
        self, samples: np.ndarray, *labels: Any, training: bool = False
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """`judged` of the prior's draws, which are the real ones, against the samples' codes."""
        samples, *labels = map(ops.convert_to_tensor, (samples, *labels))
        codes = (self.draw_codes if training else self.expected_codes)(samples)
        sides = self.draw_prior(ops.shape(samples)[0], *labels), codes
        return {
            judge: tuple(ops.reshape(score(side, *labels, training=training), [-1]) for side in sides)
            for judge, score in self.judges().items()
        }

    def judges(self) -> dict[str, Callable[..., Tensor]]:
        """{player: the function that gives its scores of codes}."""
        return {"discriminator": self.score}

    def draw_prior(self, rows: Any) -> Tensor:
        """Draws from p(z), (rows, latent_dim)."""
        return self.latents(rows)

    def score(self, codes: Tensor, *labels: Any, training: bool = True) -> Tensor:
        """The discriminator's raw scores, (batch, 1)."""
        return self.discriminator([codes, *labels] if labels else codes, training=training)
