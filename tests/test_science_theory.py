"""The optimal discriminator and what is left of the game against it, on two Gaussians of one dimension.

Everywhere p = N(0, 1) is the data and q = N(1.5, 0.7) what the generator makes, unless said otherwise.
"""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import losses
from keras_gans.optimizers import Adam
from tests.science import SEEDS, report
from tests.test_science_points import identity_generator, train_critic

P = (0.0, 1.0)
Q = (1.5, 0.7)
GRID = np.linspace(-12.0, 12.0, 240_001)
CODINGS = [(0.0, 1.0, 1.0), (-1.0, 1.0, 0.0)]


def density(points, mean, deviation):
    return np.exp(-0.5 * np.square((points - mean) / deviation)) / (deviation * math.sqrt(2.0 * math.pi))


def quantiles(mean, deviation, count=200_000):
    """Points in the middle of so many equally likely intervals: a mean over them is an integral to about 1e-6."""
    levels = (np.arange(count) + 0.5) / count
    return mean + deviation * tf.math.ndtri(tf.constant(levels, tf.float64)).numpy()


def integral(values):
    """The trapezoidal rule on the grid, at whose ends everything here is nothing."""
    return float(np.sum(values) * (GRID[1] - GRID[0]))


def jensen_shannon(p, q):
    """JSD of two densities on the grid: (KL(p || m) + KL(q || m)) / 2 with m = (p + q) / 2, in nats."""
    middle = np.maximum((p + q) / 2.0, 1e-300)

    def divergence(density):
        return integral(density * np.log(np.maximum(density, 1e-300) / middle))

    return (divergence(p) + divergence(q)) / 2.0


def pearson(r, s):
    """Pearson's chi-squared(r || s) in the LSGAN paper's order: the integral of (s - r)^2 / r."""
    return integral(np.square(s - r) / np.maximum(r, 1e-300))


def optimal_least_squares(points, targets, q=Q):
    """D* = (b p + a q) / (p + q), Mao et al. (2017), equation 5."""
    a, b, _ = targets
    p, q = density(points, *P), density(points, *q)
    return tf.constant((b * p + a * q) / (p + q), tf.float32)


def log_ratio(points, q=Q):
    """The scores of Goodfellow's D* = p / (p + q): log p - log q, as a sum of logarithms."""

    def log_density(mean, deviation):
        return -0.5 * np.square((points - mean) / deviation) - math.log(deviation)

    return tf.constant(log_density(*P) - log_density(*q), tf.float32)


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
    bins = [np.digitize(quantiles(*parameters, count=20_000), edges) for parameters in (P, Q)]
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


@pytest.mark.parametrize(("q", "expected"), [(Q, 0.28777), (P, 0.0)])
def test_the_minimax_game_is_the_jensen_shannon_divergence(q, expected):
    """C(G) = V(G, D*) = -log 4 + 2 JSD(p || q), Goodfellow et al. (2014), theorem 1; V is the negative loss."""
    divergence = jensen_shannon(density(GRID, *P), density(GRID, *q))
    assert divergence == pytest.approx(expected, abs=1e-5)
    value = -float(losses.minimax_discriminator(log_ratio(quantiles(*P), q), log_ratio(quantiles(*q), q)))
    assert value == pytest.approx(-math.log(4.0) + 2.0 * divergence, abs=1e-4)
    # The generator's side of the game is the part of V that it moves.
    generators = float(losses.minimax_generator(log_ratio(quantiles(*q), q)))
    others = -float(tf.reduce_mean(tf.nn.softplus(-log_ratio(quantiles(*P), q))))
    assert generators + others == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize(
    ("targets", "expected", "is_pearson"), [((-1.0, 1.0, 0.0), 0.95713, True), ((0.0, 1.0, 1.0), 0.73928, False)]
)
def test_only_one_coding_is_pearsons_divergence(targets, expected, is_pearson):
    """2 C(G) = chi-squared(p + q || 2 q) where b - c = 1 and b - a = 2, Mao et al. (2017), equations 6 to 8.

    C(G) adds to the generator's loss the same of the real samples, which the generator cannot change.
    """
    p, q = density(GRID, *P), density(GRID, *Q)
    divergence = pearson(p + q, 2.0 * q)
    assert divergence == pytest.approx(0.95713, abs=1e-5)
    terms = [
        losses.least_squares_generator(optimal_least_squares(quantiles(*parameters), targets), targets[2])
        for parameters in (P, Q)
    ]
    value = 2.0 * float(sum(terms))
    assert value == pytest.approx(expected, abs=1e-4)
    assert (abs(value - divergence) < 1e-4) == is_pearson


def trained_critic(scheme, seed, **options):
    """The model whose critic has seen p and q for 1,500 steps of 512."""
    keras.utils.set_random_seed(seed)
    critic = kg.networks.mlp_discriminator((1,), (64, 64))
    model = scheme(identity_generator(1), critic, seed=seed, **options)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, 1500)
    model.compile(optimizers={"discriminator": Adam(rate, beta_1=0.9)})

    def draw(parameters):
        mean, deviation = parameters
        return lambda seeds, rows: mean + deviation * seeds.normal((rows, 1))

    train_critic(model, draw(P), 1500, 512, draw(Q))
    return model


def scores_of(model, points):
    chunks = np.array_split(points.astype("float32")[:, np.newaxis], 10)
    return tf.concat([model.score(tf.constant(chunk)) for chunk in chunks], axis=0)[:, 0]


def mean_error(found, expected):
    """The mean over (p + q) / 2 of |found - expected| on the grid."""
    middle = (density(GRID, *P) + density(GRID, *Q)) / 2.0
    return integral(np.abs(found.numpy() - expected) * middle)


@pytest.mark.slow
def test_a_trained_discriminator_is_the_optimal_one():
    p, q = density(GRID, *P), density(GRID, *Q)
    expected = -math.log(4.0) + 2.0 * jensen_shannon(p, q)
    errors, values = [], []
    for seed in SEEDS:
        model = trained_critic(kg.schemes.VanillaGAN, seed)
        errors.append(mean_error(tf.sigmoid(scores_of(model, GRID)), tf.sigmoid(log_ratio(GRID)).numpy()))
        real, fake = (scores_of(model, quantiles(*parameters)) for parameters in (P, Q))
        values.append(-float(losses.minimax_discriminator(real, fake)))
    assert report("gan: |D - p / (p + q)|", errors, "at most 0.01") <= 0.01
    limit = f"{expected:.5f} within 0.005"
    assert report("gan: V(D)", values, limit) == pytest.approx(expected, abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize(("targets", "formula"), zip(CODINGS, ("p / (p + q)", "(p - q) / (p + q)"), strict=True))
def test_a_trained_least_squares_discriminator_is_the_optimal_one(targets, formula):
    p, q = density(GRID, *P), density(GRID, *Q)
    expected = {"p / (p + q)": p, "(p - q) / (p + q)": p - q}[formula] / (p + q)
    errors = [
        mean_error(scores_of(trained_critic(kg.schemes.LSGAN, seed, targets=targets), GRID), expected) for seed in SEEDS
    ]
    assert report(f"lsgan {targets}: |D - {formula}|", errors, "at most 0.01") <= 0.01
