"""Where latents are drawn: for a training step, and from seeds that anyone can name."""

import functools
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.errors import UserError, unknown_name
from keras_gans.hints import Tensor
from keras_gans.randomness import fold_in, for_this_replica, normal, uniform

# Components of the prior "gaussian_mixture".
PETALS = 10


def _uniform(shape, seed):
    return uniform(shape, seed, minval=-1.0, maxval=1.0)


def _check_plane(shape, name):
    if shape[-1] != 2:
        raise UserError(
            f"The latent prior {name!r} lies in the plane: it needs latents of size 2. Received: {shape[-1]}."
        )


def _gaussian_mixture(place, noise):
    angle = 2.0 * math.pi / PETALS * tf.floor(PETALS * place)
    along, across = tf.unstack(noise, axis=-1)
    radius, offset = 1.4 + 0.5 * along, 0.1 * across
    sine, cosine = tf.sin(angle), tf.cos(angle)
    return tf.stack([radius * cosine - offset * sine, radius * sine + offset * cosine], axis=-1)


def _swiss_roll(place, noise):
    # The root spreads the draws evenly along the spiral.
    along = tf.sqrt(place)
    angle = 4.0 * math.pi * along
    return 3.0 * along[..., tf.newaxis] * tf.stack([tf.cos(angle), tf.sin(angle)], axis=-1) + 0.1 * noise


# Priors of the plane: functions of a place in [0, 1), float32 (...), and of noise from N(0, I), (..., 2).
_PLANES = {"gaussian_mixture": _gaussian_mixture, "swiss_roll": _swiss_roll}


def _in_the_plane(name):
    def sample(shape, seed):
        _check_plane(shape, name)
        place = uniform(shape[:-1], seed)
        return _PLANES[name](place, normal(shape, fold_in(seed, 1)))

    return sample


_PRIORS = {"normal": normal, "uniform": _uniform, **{name: _in_the_plane(name) for name in _PLANES}}


@functools.lru_cache
def _categorical(class_count):
    def sample(shape, seed):
        if shape[-1] <= class_count:
            raise UserError(
                f"The latent prior categorical_{class_count} has {class_count} coordinates for the class and one or "
                f"more for the style: it needs latents of size {class_count + 1} or more. Received: {shape[-1]}."
            )
        place = uniform(shape[:-1], seed)
        classes = tf.one_hot(tf.cast(class_count * place, tf.int32), class_count)
        style = normal((*shape[:-1], shape[-1] - class_count), fold_in(seed, 1))
        return tf.concat([classes, style], axis=-1)

    return sample


def prior_named(name: str) -> Callable[..., Tensor]:
    """The sampling function of a latent prior.

    Args:
        name: "normal" for N(0, I), or "uniform" for U(-1, 1) in each coordinate. Of the plane, after figure 3 of
            Makhzani et al., "Adversarial Autoencoders" (2015), which gives no numbers: "gaussian_mixture" for
            `PETALS` Gaussians of deviations 0.5 and 0.1 around a circle of radius 1.4, the longer one pointing away
            from 0; "swiss_roll" for a spiral of two turns that ends at radius 3, blurred with deviation 0.1. Of a
            class and a style, after section 5: "categorical_10" for one of ten classes, each as likely as the others,
            as a one-hot vector in the first ten coordinates, and N(0, I) in those behind; so for any other number.

    Returns:
        Function of (shape, seed of shape (2,)) that returns a float32 tensor; it raises a `UserError` where the prior
        lies in the plane and the shape does not end in 2, or where no coordinate is left for the style.

    Raises:
        UserError: no such prior.
    """
    if match := re.fullmatch(r"categorical_([1-9]\d*)", str(name)):
        return _categorical(int(match[1]))
    if not isinstance(name, str) or name not in _PRIORS:
        raise unknown_name("latent prior", name, _PRIORS)
    return _PRIORS[name]


def draw_latents(rows: Any, latent_dim: int, seed: int, prior: Any = "normal") -> Tensor:
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


def draw_labelled_latents(labels: Any, class_count: int | None, seed: int, prior: Any) -> Tensor:
    """Latents for a training step from that part of a prior of the plane that belongs to each row's class.

    Makhzani et al. (2015), section 2.3. Class k of K has the k-th of K equal parts: a stretch of the swiss roll or,
    where there are as many classes as petals, a petal.

    Args:
        labels: int tensor (rows,); -1, for no label, draws from the whole prior.
        class_count: K.
        seed: integer tensor of shape (2,).
        prior: "gaussian_mixture" or "swiss_roll".

    Returns:
        float32 tensor (rows, 2).

    Raises:
        UserError: a prior that has no parts.
    """
    if prior not in _PLANES:
        raise UserError(
            f"Only priors of the plane have a part for each class: {', '.join(_PLANES)}. Received: {prior!r}."
        )
    rows = labels.shape[0] or tf.shape(labels)[0]
    place = for_this_replica(lambda count: uniform([count], seed), rows)
    noise = for_this_replica(lambda count: normal((count, 2), fold_in(seed, 1)), rows)
    within = (tf.cast(labels, tf.float32) + place) / class_count
    return _PLANES[prior](tf.where(labels < 0, place, within), noise)


def latents_from_seeds(seeds: np.ndarray, latent_dim: int, prior: Any = "normal") -> Tensor:
    """One latent for each seed; a row depends on its own seed only, never on its batch.

    Args:
        seeds: int64 tensor (batch,).
        latent_dim: size of a latent.
        prior: see `prior_named`.

    Returns:
        float32 tensor (batch, latent_dim).
    """
    sample = prior_named(prior)
    return per_seed(_one_latent, seeds, sample, latent_dim)


def _one_latent(seed, sample, latent_dim):
    return sample((latent_dim,), tf.stack([seed, tf.zeros_like(seed)]))


def per_seed(draw: Any, seeds: np.ndarray, sample: Tensor, latent_dim: int, *arguments: Any) -> Tensor:
    """Draws a latent for each seed by itself, in one graph also where TensorFlow runs eagerly.

    Args:
        draw: function, defined at the top of a module, of (int64 scalar tensor, `sample`, `latent_dim`,
            *`arguments`) that returns float32 (latent_dim,).
        seeds: int64 tensor (batch,).
        sample: see `prior_named`.
        latent_dim: size of a latent.
        *arguments: hashable.

    Returns:
        float32 tensor (batch, latent_dim).
    """
    seeds = tf.cast(seeds, tf.int64)
    if tf.executing_eagerly():
        return _graph_of(draw, sample, latent_dim, *arguments)(seeds)
    return _mapped(draw, seeds, sample, latent_dim, *arguments)


def _mapped(draw, seeds, sample, latent_dim, *arguments):
    return tf.map_fn(
        lambda seed: draw(seed, sample, latent_dim, *arguments),
        seeds,
        fn_output_signature=tf.TensorSpec((latent_dim,), tf.float32),
    )


@functools.lru_cache(maxsize=64)
def _graph_of(draw, sample, latent_dim, *arguments):
    # Eagerly, map_fn starts every operation of every row from Python: dozens of times slower, for the same bits.
    function = tf.function(lambda seeds: _mapped(draw, seeds, sample, latent_dim, *arguments), autograph=False)
    return function.get_concrete_function(tf.TensorSpec((None,), tf.int64))
