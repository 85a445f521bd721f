"""That a seed draws the numbers that it always drew: a run that goes on, and a latent of a seed, depend on them."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import randomness

LIMITS = np.iinfo(np.int64)
# {seed: what it draws first}, recorded with TensorFlow 2.21: two uniform from [-1, 1), two normal with a standard
# deviation of 0.3, one uint32, and the first half of the seed folded with 12.
DRAWN = {
    (0, 0): ((-0.5779690742492676, 0.4120199680328369), (-0.5091102, -0.14441302), 3885695630, -6856063536328932722),
    (1, 2): ((0.6881208419799805, -0.6159093379974365), (0.16323304, 0.062214095), 1105988140, 7464880146280614444),
    (-1, -5): ((-0.2654457092285156, -0.17520689964294434), (0.22209422, -0.3618965), 2871984880, 7941193498641761008),
    (2**40, -(2**33)): (
        (0.5978600978851318, 0.5138659477233887),
        (-0.20082359, 0.008753613),
        3932570455,
        -4440299441946737833,
    ),
    (LIMITS.min, LIMITS.max): (
        (0.281496524810791, -0.6215667724609375),
        (0.2626638, 0.10549444),
        2496791562,
        -209355532646874102,
    ),
}


def draw(seed):
    return (
        randomness.uniform((2,), seed, minval=-1.0, maxval=1.0),
        randomness.normal(tf.constant([2]), seed, stddev=0.3),
        randomness.integers([1], seed, tf.uint32)[0],
        randomness.fold_in(seed, 12),
    )


@pytest.mark.parametrize("how", ["eager", "graph", "XLA"])
def test_a_seed_draws_what_it_always_drew_bit_for_bit(how):
    drawing = draw if how == "eager" else tf.function(draw, jit_compile=how == "XLA")
    for seed, (uniform, normal, integer, folded) in DRAWN.items():
        drawn = drawing(tf.constant(seed, tf.int64))
        assert (drawn[2].numpy(), *drawn[3].numpy()) == (integer, folded, 12)
        # XLA's kernels make other real numbers of the same random bits.
        if how != "XLA":
            np.testing.assert_array_equal(drawn[0], np.float32(uniform))
            np.testing.assert_array_equal(drawn[1], np.float32(normal))


def test_seeds_of_32_bits_draw_too():
    drawn = randomness.normal([2], tf.constant((-1, 2**31 - 1)))
    np.testing.assert_array_equal(drawn, np.float32((-0.11156617105007172, 1.5955711603164673)), strict=True)


def test_a_step_has_seeds_of_its_own_whatever_type_its_number_has():
    for step in (3, tf.constant(3, tf.int32), tf.constant(3, tf.int64)):
        np.testing.assert_array_equal(randomness.root_seed(7, step), (996995366859546695, 3))
    assert list(randomness.root_seed(3, 7).numpy()) != [996995366859546695, 7]
