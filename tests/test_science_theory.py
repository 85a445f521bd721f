"""The optimal discriminator and what is left of the game against it, on two Gaussians of one dimension.

Everywhere p = N(0, 1) is the data and q = N(1.5, 0.7) what the generator makes, unless said otherwise.
"""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import losses
from keras_gans.metrics.divergence import jensen_shannon_divergence
from keras_gans.training.theory.gaussian import DATA, GRID, MADE, integral, optimal_least_squares, optimal_scores
from keras_gans.training.theory.optimal_discriminator import CODINGS
from tests.test_theory import assert_medians_hold


def pearson(r, s):
    """Pearson's chi-squared(r || s) in the LSGAN paper's order: the integral of (s - r)^2 / r."""
    return integral(np.square(s - r) / np.maximum(r, 1e-300))


def log_ratio(points, made=MADE):
    """The scores of Goodfellow's D* = p / (p + q)."""
    return tf.constant(optimal_scores(points, DATA, made), tf.float32)


@pytest.mark.parametrize(
    ("loss", "optimum"),
    [
        (losses.minimax_discriminator, lambda p, q: np.log(p / q)),
        *[
            (
                lambda real, fake, a=a, b=b: losses.least_squares_discriminator(real, fake, a, b),
                lambda p, q, a=a, b=b: (b * p + a * q) / (p + q),
            )
            for a, b, _ in CODINGS
        ],
    ],
    ids=["minimax", "lsgan 0,1", "lsgan -1,1"],
)
def test_the_discriminators_losses_are_stationary_at_the_papers_optimum(loss, optimum):
    # A discriminator with one free score a bin: the bins' shares are the two distributions.
    edges = np.linspace(-1.0, 2.0, 13)
    bins = [np.digitize(gaussian.quantiles(20_000), edges) for gaussian in (DATA, MADE)]
    p, q = (np.bincount(rows, minlength=len(edges) + 1) / len(rows) for rows in bins)
    assert p.min() > 0 and q.min() > 0
    best = tf.Variable(optimum(p, q), dtype=tf.float32)

    def value():
        return loss(*(tf.gather(best, rows) for rows in bins))

    with tf.GradientTape() as tape:
        least = value()
    np.testing.assert_allclose(tf.convert_to_tensor(tape.gradient(least, best)), 0.0, atol=1e-5)
    for bin_ in range(len(p)):
        for change in (-0.5, 0.5):
            best.scatter_nd_add([[bin_]], [change])
            assert float(value()) > float(least)
            best.scatter_nd_add([[bin_]], [-change])


@pytest.mark.parametrize(("made", "expected"), [(MADE, 0.28777), (DATA, 0.0)])
def test_the_minimax_game_is_the_jensen_shannon_divergence(made, expected):
    """C(G) = V(G, D*) = -log 4 + 2 JSD(p || q), Goodfellow et al. (2014), theorem 1; V is the negative loss."""
    divergence = jensen_shannon_divergence(DATA.density(GRID), made.density(GRID))
    assert divergence == pytest.approx(expected, abs=1e-5)
    real, fake = (log_ratio(gaussian.quantiles(), made) for gaussian in (DATA, made))
    value = -float(losses.minimax_discriminator(real, fake))
    assert value == pytest.approx(-math.log(4.0) + 2.0 * divergence, abs=1e-4)
    # The generator's side of the game is the part of V that it moves.
    generators, others = float(losses.minimax_generator(fake)), -float(tf.reduce_mean(tf.nn.softplus(-real)))
    assert generators + others == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize(
    ("targets", "expected", "is_pearson"), [((-1.0, 1.0, 0.0), 0.95713, True), ((0.0, 1.0, 1.0), 0.73928, False)]
)
def test_only_one_coding_is_pearsons_divergence(targets, expected, is_pearson):
    """2 C(G) = chi-squared(p + q || 2 q) where b - c = 1 and b - a = 2, Mao et al. (2017), equations 6 to 8.

    C(G) adds to the generator's loss the same of the real samples, which the generator cannot change.
    """
    p, q = DATA.density(GRID), MADE.density(GRID)
    divergence = pearson(p + q, 2.0 * q)
    assert divergence == pytest.approx(0.95713, abs=1e-5)
    scores = [tf.constant(optimal_least_squares(gaussian.quantiles(), targets)) for gaussian in (DATA, MADE)]
    value = 2.0 * float(sum(losses.least_squares_generator(found, targets[2]) for found in scores))
    assert value == pytest.approx(expected, abs=1e-4)
    assert (abs(value - divergence) < 1e-4) == is_pearson


@pytest.mark.slow
@pytest.mark.parametrize("name", ["optimal_discriminator", "game_value", "disjoint_supports", "vanishing_gradient"])
def test_what_is_trained_meets_the_theory(name):
    assert_medians_hold(name)
