"""What the encoders share: which posterior q(z|x) of the codes they give.

Makhzani et al., "Adversarial Autoencoders" (2015), section 2.
"""

from typing import Any

import keras
from keras import layers

from keras_gans.errors import unknown_name
from keras_gans.networks.blocks import Blocks

POSTERIORS = ("deterministic", "gaussian", "universal")


def check_posterior(posterior: str) -> None:
    """Raises a `UserError` unless `posterior` is one of `POSTERIORS`."""
    if posterior not in POSTERIORS:
        raise unknown_name("posterior", posterior, POSTERIORS)


def with_noise(
    features: keras.KerasTensor, latent_dim: int, posterior: str
) -> tuple[keras.KerasTensor, keras.KerasTensor | None]:
    """(features joined with a universal posterior's noise, that noise's input); (features, None) for the others."""
    if posterior != "universal":
        return features, None
    noise = keras.Input((latent_dim,), name="noise")
    return layers.Concatenate()([features, noise]), noise


def coded(
    features: keras.KerasTensor, latent_dim: int, posterior: str, blocks: Blocks, **arguments: Any
) -> keras.KerasTensor | list[keras.KerasTensor]:
    """The end of an encoder, float32: codes, or [means, logarithms of variances] of a Gaussian posterior.

    Args:
        features: symbolic tensor (batch, d), the last hidden layer.
        latent_dim: size of a code.
        posterior: one of `POSTERIORS`.
        blocks: the network's `Blocks`.
        **arguments: of the dense layers.
    """

    def dense(name):
        return blocks.dense(latent_dim, hidden=False, dtype="float32", name=name, **arguments)(features)

    return [dense("mean"), dense("log_variance")] if posterior == "gaussian" else dense("code")
