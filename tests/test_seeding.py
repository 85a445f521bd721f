"""Setting a seed in the tests does what TensorFlow's own `set_seed` does, also where it keeps kernels."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import random_seed

from tests import seeding


@tf.function
def in_graph():
    return tf.random.normal((3,))


DRAWS = {
    "eager": lambda: tf.random.normal((3,)),
    "with a seed of its own": lambda: tf.random.normal((3,), seed=4),
    "in a graph": in_graph,
    "shuffled": lambda: next(iter(tf.data.Dataset.range(50).shuffle(50).batch(3))),
    "by Keras": lambda: keras.random.normal((3,)),
}


@pytest.fixture
def begun(monkeypatch):
    monkeypatch.setattr(seeding._Since, "drew_in_graphs", False)
    keras.utils.set_random_seed(0)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_seed_set_again_draws_again_what_it_drew(draw, begun):
    first, second = np.array(draw()), np.array(draw())
    assert not np.array_equal(first, second)
    for _ in range(2):
        keras.utils.set_random_seed(0)
        np.testing.assert_array_equal(draw(), first)
        np.testing.assert_array_equal(draw(), second)
    keras.utils.set_random_seed(1)
    # A graph keeps the seed that it was traced under.
    assert np.array_equal(draw(), first) == (draw is in_graph)


def test_only_where_something_drew_is_tensorflow_asked(begun, monkeypatch):
    asked = []
    monkeypatch.setattr(seeding, "_SET", lambda seed: asked.append(seed))
    keras.utils.set_random_seed(0)
    tf.random.stateless_normal((3,), (1, 2))
    keras.layers.Dense(3).build((None, 2))
    keras.utils.set_random_seed(0)
    assert not asked
    tf.random.normal((3,))
    keras.utils.set_random_seed(0)
    assert asked == [0]
    keras.utils.set_random_seed(2)
    keras.utils.set_random_seed(2)
    assert asked == [0, 2]
    in_graph.python_function()
    with tf.Graph().as_default():
        random_seed.get_seed(None)
    for _ in range(2):
        keras.utils.set_random_seed(2)
    assert asked == [0, 2, 2, 2]
