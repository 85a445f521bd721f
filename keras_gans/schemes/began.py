"""BEGAN: the discriminator is an autoencoder, and a controller keeps the two players in balance.

Berthelot et al., "BEGAN: Boundary Equilibrium Generative Adversarial Networks" (2017), https://arxiv.org/abs/1703.10717
"""

import functools
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_gans import losses
from keras_gans.checks import check_number
from keras_gans.engine import undoing
from keras_gans.engine.base import register_scheme
from keras_gans.engine.replicas import mean_over_replicas
from keras_gans.engine.two_player import GAN
from keras_gans.errors import UserError
from keras_gans.hints import Tensor
from keras_gans.optimizers import Adam


@register_scheme("began")
class BEGAN(GAN):
    """With L(v) = |v - D(v)|, D minimises L(x) - k L(G(z)), G minimises L(G(z)), and k keeps E L(G(z)) = gamma E L(x).

    Curves: `real_error` is L(x), `fake_error` L(G(z)), `k` the share of the discriminator's effort that goes against
    generated samples, `convergence_measure` the paper's M_global (section 3.4.1), which falls as the samples improve.

    Args:
        discriminator: keras.Model, samples -> their reconstructions, of the samples' shape and without a tanh.
        gamma: the paper's diversity ratio; lower is sharper and less diverse.
        lambda_k: the rate at which k moves.
        latent_prior: the paper's latents are uniform.
        **kwargs: as `GAN`, but `discriminator_steps` and `shared_fakes`, as the balance is of one step each, and
            `penalties`.

    Attributes:
        k: float32 variable in [0, 1], the paper's k_t; saved with the weights and equal on all replicas.

    Raises:
        UserError: a discriminator that does not reconstruct, gamma outside of (0, 1], or lambda_k that is not positive.
    """

    log_names = ("real_error", "fake_error", "k", "convergence_measure")
    # It is an autoencoder of samples.
    scores_rows = False
    option_examples = {"discriminator_steps": (2,), "shared_fakes": (True,)}

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_dim: int | None = None,
        *,
        gamma: float = 0.5,
        lambda_k: float = 0.001,
        latent_prior: str = "uniform",
        **kwargs: Any,
    ):
        super().__init__(generator, discriminator, latent_dim, latent_prior=latent_prior, **kwargs)
        if discriminator.output_shape != discriminator.input_shape:
            raise UserError(
                f"BEGAN's discriminator is an autoencoder: it answers {discriminator.input_shape} in the same shape. "
                f"Received: {discriminator.output_shape}. networks.mlp_autoencoder makes such a one."
            )
        check_number("gamma", gamma, 0.0, 1.0, above=True, example="the paper's 0.3 to 0.7")
        check_number("lambda_k", lambda_k, above=True, example="the paper's 0.001")
        if self.discriminator_steps != 1 or self.shared_fakes:
            raise UserError("BEGAN balances one step of each player: leave discriminator_steps and shared_fakes out.")
        if self.penalties:
            raise UserError(f"BEGAN's discriminator gives no score to hold the slope of. Received: {self.penalties}.")
        self.gamma, self.lambda_k = gamma, lambda_k
        self.k = self.add_weight(
            name="k", shape=(), initializer="zeros", trainable=False, aggregation="only_first_replica"
        )

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # Section 4.1; the paper halves the rate whenever the convergence measure stalls.
        return {player: Adam(1e-4) for player in self.players}

    def play(self, real: Tensor) -> None:
        # Both gradients are of one forward pass, as in the best-known public code, and k follows.
        objectives = {"discriminator": {"real": 1.0, "fake": -self.k}, "generator": {"fake": 1.0}}
        errors = self.update_together(objectives, self.errors, real)
        # Of the global batch: k must be the same on every replica.
        real_error, fake_error = map(mean_over_replicas, (errors["real_error"], errors["fake_error"]))
        k = losses.equilibrium_control(self.k.value, real_error, fake_error, self.gamma, self.lambda_k)
        undoing.at_the_end(functools.partial(self.k.assign, k))
        measure = losses.convergence_measure(real_error, fake_error, self.gamma)
        self._log({"k": k, "convergence_measure": measure})

    def realness(self, *values: Tensor, training: bool = False) -> Tensor:
        # The better it reconstructs a sample, the more real that is.
        (samples,) = values
        errors = ops.abs(samples - self.discriminator(samples, training=training))
        return -ops.mean(ops.reshape(errors, (ops.shape(samples)[0], -1)), axis=-1)

    def errors(self, real: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """L(x) of real samples and L(G(z)) of as many generated ones, as terms and as curves."""
        (fake,) = self.generate(real.shape[0] or tf.shape(real)[0])
        real_error, fake_error = (losses.reconstruction_error(v, self.score(v)) for v in (real, fake))
        return {"real": real_error, "fake": fake_error}, {"real_error": real_error, "fake_error": fake_error}
