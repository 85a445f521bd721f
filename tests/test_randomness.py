"""That what is drawn for a seed is what TensorFlow's own operations draw, in far fewer operations."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import randomness

LIMITS = np.iinfo(np.int64)
SEEDS = [(0, 0), (1, 2), (-1, -5), (2**40, -(2**33)), (LIMITS.min, LIMITS.max)]
WITH_PHILOX = {"alg": "philox"}
# (ours, TensorFlow's), functions of a seed.
PAIRS = {
    "uniform": (
        lambda seed: randomness.uniform((3, 5), seed),
        lambda seed: tf.random.stateless_uniform((3, 5), seed, **WITH_PHILOX),
    ),
    "uniform in a range": (
        lambda seed: randomness.uniform([7], seed, minval=-1.0, maxval=1.0),
        lambda seed: tf.random.stateless_uniform([7], seed, minval=-1.0, maxval=1.0, **WITH_PHILOX),
    ),
    "normal": (
        lambda seed: randomness.normal(tf.constant([2, 4]), seed, stddev=0.3),
        lambda seed: tf.random.stateless_normal([2, 4], seed, stddev=0.3, **WITH_PHILOX),
    ),
    "integers": (
        lambda seed: randomness.integers([3], seed, tf.uint32),
        lambda seed: tf.random.stateless_uniform([3], seed, None, None, tf.uint32, **WITH_PHILOX),
    ),
    "fold_in": (
        lambda seed: randomness.fold_in(seed, 12),
        lambda seed: tf.random.experimental.stateless_fold_in(seed, tf.constant(12, tf.int64), **WITH_PHILOX),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "XLA"])
def test_what_a_seed_draws_is_what_tensorflow_draws_bit_for_bit(name, compiled):
    ours, theirs = (tf.function(draw, jit_compile=compiled) for draw in PAIRS[name])
    for seed in SEEDS:
        seed = tf.constant(seed, tf.int64)
        np.testing.assert_array_equal(ours(seed), theirs(seed))
        if not compiled:
            np.testing.assert_array_equal(PAIRS[name][0](seed), theirs(seed))


def test_seeds_of_32_bits_draw_too():
    seed = tf.constant((-1, 2**31 - 1))
    np.testing.assert_array_equal(
        randomness.normal([6], seed), tf.random.stateless_normal([6], seed, **WITH_PHILOX), strict=True
    )


def test_a_draw_takes_less_than_half_of_tensorflows_operations():
    signature = tf.TensorSpec((2,), tf.int64)
    ours, theirs = (
        len(tf.function(draw).get_concrete_function(signature).graph.get_operations()) for draw in PAIRS["normal"]
    )
    assert 2 * ours < theirs
