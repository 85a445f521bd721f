"""Truncation: latents from the middle of the prior, for samples that are more typical and less varied."""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.errors import UserError
from keras_gans.latent.draw import per_seed, prior_named

# Candidates for each coordinate in one go; half of all thresholds in use are settled within one.
_CANDIDATES = 64
_SMALLEST = 0.001


def truncated_latents(seeds: np.ndarray, latent_dim: int, threshold: float, prior: Any = "normal") -> np.ndarray:
    """One latent for each seed, every coordinate drawn again until its size is at most `threshold`.

    Brock et al., "Large Scale GAN Training for High Fidelity Natural Image Synthesis" (2019), section 3.1: a lower
    threshold buys typical samples with variety. A coordinate that is small enough at once is the one that
    `latents_from_seeds` gives, so the samples of one seed at several thresholds resemble each other.

    Args:
        seeds: int64 tensor (batch,).
        latent_dim: size of a latent.
        threshold: largest size of a coordinate, 0.001 or more; under the normal prior in standard deviations, under
            the uniform one, whose coordinates end at 1 already, less than 1. There the result is uniform on
            [-threshold, threshold].
        prior: see `prior_named`.

    Returns:
        float32 tensor (batch, latent_dim).

    Raises:
        UserError: a threshold that is out of range, or no such prior.
    """
    sample = prior_named(prior)
    check_threshold(threshold, prior)
    return per_seed(_one_truncated, seeds, sample, latent_dim, float(threshold))


def check_threshold(threshold: float, prior: Any = "normal") -> None:
    """Raises `UserError` unless `threshold` truncates the prior; see `truncated_latents`."""
    if prior not in ("normal", "uniform"):
        raise UserError(f"Only the priors normal and uniform have a middle to truncate to. Received: {prior!r}.")
    is_number = isinstance(threshold, int | float) and not isinstance(threshold, bool) and math.isfinite(threshold)
    if not is_number or threshold < _SMALLEST:
        raise UserError(
            f"A threshold of truncation is a number of {_SMALLEST} or more, such as 0.5. Received: {threshold!r}. "
            "Below that every sample is the same one, of the latent 0."
        )
    if prior == "uniform" and threshold >= 1.0:
        raise UserError(
            "This model's latents are uniform on [-1, 1], so a threshold of 1 or more truncates nothing. Choose one "
            f"below 1, such as 0.5. Received: {threshold!r}."
        )


def _one_truncated(seed, sample, latent_dim, threshold):
    def candidates(rounds):
        return sample((_CANDIDATES, latent_dim), tf.stack([seed, rounds]))

    def is_unsettled(rounds, latent):
        return tf.reduce_any(tf.abs(latent) > threshold)

    def settle(rounds, latent):
        drawn = candidates(rounds)
        # The first candidate that is small enough; where there is none, row 0 is too large and the loop goes on.
        first = tf.argmax(tf.abs(drawn) <= threshold, axis=0)
        chosen = tf.gather(tf.transpose(drawn), first, batch_dims=1)
        return rounds + 1, tf.where(tf.abs(latent) > threshold, chosen, latent)

    start = sample((latent_dim,), tf.stack([seed, tf.zeros_like(seed)]))
    return tf.while_loop(is_unsettled, settle, (tf.ones_like(seed), start))[1]
