"""Seeding that keeps what TensorFlow has prepared, where that makes no difference.

`tf.random.set_seed` makes TensorFlow forget every kernel that it has prepared, so that random operations with a state
of their own begin anew; all others are prepared again too, which is a quarter of the work of building and checking a
small model. Everything here draws by stateless operations, and there is nothing to begin anew.
"""

import tensorflow as tf
from tensorflow.python.framework import random_seed

_SET, _ASK = tf.random.set_seed, random_seed.get_seed


class _Since:
    """What has happened since the seed was last set."""

    seed: object = None
    drew = True
    # What stands in a graph draws whenever that runs, without asking again.
    drew_in_graphs = False


def _get_seed(op_seed):
    # Whatever has a state of its own asks here when it is made, tf.data's shuffling too.
    _Since.drew = True
    _Since.drew_in_graphs |= not tf.executing_eagerly()
    return _ASK(op_seed)


def _set_seed(seed):
    if _Since.drew or _Since.drew_in_graphs or seed != _Since.seed:
        _SET(seed)
        _Since.seed, _Since.drew = seed, False


def keep_kernels():
    """From now on setting the seed that is set does nothing, unless something drew by it meanwhile."""
    random_seed.get_seed, tf.random.set_seed = _get_seed, _set_seed
