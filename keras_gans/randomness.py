"""Randomness as a pure function of (seed, step), so that a resumed run draws what the unbroken run would have.

A stream is open while a training step is being traced or run. It lives in thread-local storage because a
mirrored strategy traces each replica in a thread of its own.
"""

import contextlib
import threading

import numpy as np
import tensorflow as tf

# The default algorithm may differ from one kind of device to another; Philox draws the same numbers on all.
_PHILOX = 1
# How TensorFlow spreads seeds out: the generator's numbers under this key are a seed's own key and counter.
_SCRAMBLING_KEY = 0x02461E293EC8F720
# The upper half of the counter is the seed's, the lower one counts numbers from 0.
_UPPER_HALF = np.array([0, 2**64 - 1], np.uint64)

_open = threading.local()


class _Stream:
    def __init__(self, root):
        self.root = root
        self.drawn = 0

    def next_seed(self):
        self.drawn += 1
        return fold_in(self.root, self.drawn)


def _place(seed):
    """Where a seed's numbers begin, {"key", "counter", "alg"} of TensorFlow's raw operations.

    TensorFlow's Python does this in some forty operations, which for every draw took time to trace and to run. Its
    operation StatelessRandomGetKeyCounter does it alone, but to other numbers where XLA compiles it. This is the same
    place in ten, constants included.
    """
    key = tf.constant([_SCRAMBLING_KEY], tf.uint64)
    own = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[2], key=key, counter=tf.cast(seed, tf.uint64), alg=_PHILOX, dtype=tf.uint64
    )
    counter = tf.bitwise.bitwise_and(own, tf.constant(_UPPER_HALF))
    return {"key": own[:1], "counter": counter, "alg": _PHILOX}


def integers(shape, seed, dtype):
    """Integers over the whole range of `dtype`, those of `tf.random.stateless_uniform` with Philox.

    Args:
        shape: integers, or an int32 tensor.
        seed: integer tensor of shape (2,).
        dtype: of 32 or 64 bits.
    """
    shape = tf.convert_to_tensor(shape, tf.int32)
    return tf.raw_ops.StatelessRandomUniformFullIntV2(shape=shape, dtype=dtype, **_place(seed))


def uniform(shape, seed, minval=0.0, maxval=1.0):
    """float32 numbers from [minval, maxval), those of `tf.random.stateless_uniform` with Philox; see `integers`."""
    shape = tf.convert_to_tensor(shape, tf.int32)
    drawn = tf.raw_ops.StatelessRandomUniformV2(shape=shape, dtype=tf.float32, **_place(seed))
    return drawn * (maxval - minval) + minval


def normal(shape, seed, stddev=1.0):
    """float32 numbers from N(0, stddev^2), those of `tf.random.stateless_normal` with Philox; see `integers`."""
    shape = tf.convert_to_tensor(shape, tf.int32)
    return tf.raw_ops.StatelessRandomNormalV2(shape=shape, dtype=tf.float32, **_place(seed)) * stddev


def fold_in(seed, data):
    """A new seed from a seed and an integer.

    Args:
        seed: integer tensor of shape (2,).
        data: integer or integer scalar tensor.

    Returns:
        Integer tensor of shape (2,).
    """
    # One type of integer throughout: the same number as int32 and as int64 would give two seeds.
    return tf.stack([integers([], seed, tf.int64), tf.cast(data, tf.int64)])


def root_seed(seed, step):
    """The seed that everything random in training step `step` of a run with `seed` comes from, shape (2,)."""
    # Seeds may be any int64, and folding keeps (seed 1, step 2) apart from (seed 2, step 1).
    return fold_in(tf.stack([tf.cast(seed, tf.int64), tf.constant(0, tf.int64)]), step)


@contextlib.contextmanager
def stream(root):
    """Opens a stream of seeds that starts from `root`, an integer tensor of shape (2,)."""
    outer = getattr(_open, "stream", None)
    _open.stream = _Stream(root)
    try:
        yield
    finally:
        _open.stream = outer


def substream(index):
    """Opens a stream inside the open one, for iteration `index` (integer or scalar tensor) of a loop."""
    return stream(fold_in(_open.stream.root, -1 - index))


def is_open():
    """Whether a stream is open in this thread."""
    return getattr(_open, "stream", None) is not None


def next_seed():
    """The next seed of the open stream, shape (2,)."""
    return _open.stream.next_seed()


def for_this_replica(draw, rows):
    """Draws the rows that belong to this replica out of the global batch's.

    The whole global batch is drawn on every replica and each keeps its own part, so that the number of
    replicas changes nothing. Only cheap draws (latents, mixing weights) should go through here.

    Args:
        draw: function of a row count that returns a tensor with that many rows.
        rows: number of rows on this replica; equal on all replicas.

    Returns:
        Tensor with `rows` rows.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return draw(rows)
    first = context.replica_id_in_sync_group * rows
    return draw(rows * context.num_replicas_in_sync)[first : first + rows]
