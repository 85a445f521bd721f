"""The one place where latents are drawn."""

import tensorflow as tf

from keras_gans.errors import unknown_name
from keras_gans.randomness import ALGORITHM, for_this_replica


def _normal(shape, seed):
    return tf.random.stateless_normal(shape, seed, alg=ALGORITHM)


def _uniform(shape, seed):
    return tf.random.stateless_uniform(shape, seed, minval=-1.0, maxval=1.0, alg=ALGORITHM)


_PRIORS = {"normal": _normal, "uniform": _uniform}


def prior_named(name):
    """The sampling function of a latent prior.

    Args:
        name: "normal" for N(0, I), or "uniform" for U(-1, 1) in each coordinate.

    Returns:
        Function of (shape, seed of shape (2,)) that returns a float32 tensor.

    Raises:
        UserError: no such prior.
    """
    if name not in _PRIORS:
        raise unknown_name("latent prior", name, _PRIORS)
    return _PRIORS[name]


def draw_latents(rows, latent_dim, seed, prior="normal"):
    """Latents for a training step, the same for a global batch on any number of replicas.

    Args:
        rows: rows on this replica.
        latent_dim: size of a latent.
        seed: integer tensor of shape (2,).
        prior: see `prior_named`.

    Returns:
        float32 tensor (rows, latent_dim).
    """
    sample = prior_named(prior)
    return for_this_replica(lambda count: sample((count, latent_dim), seed), rows)


def latents_from_seeds(seeds, latent_dim, prior="normal"):
    """One latent for each seed; a row depends on its own seed only, never on its batch.

    Args:
        seeds: int64 tensor (batch,).
        latent_dim: size of a latent.
        prior: see `prior_named`.

    Returns:
        float32 tensor (batch, latent_dim).
    """
    sample = prior_named(prior)

    def one(seed):
        return sample((latent_dim,), tf.stack([seed, tf.zeros_like(seed)]))

    return tf.map_fn(one, tf.cast(seeds, tf.int64), fn_output_signature=tf.TensorSpec((latent_dim,), tf.float32))
