"""Randomness as a pure function of (seed, step), so that a resumed run draws what the unbroken run would have.

A stream is open while a training step is being traced or run. It lives in thread-local storage because a
mirrored strategy traces each replica in a thread of its own.
"""

import contextlib
import threading

import tensorflow as tf

# The default algorithm may differ from one kind of device to another; Philox draws the same numbers on all.
ALGORITHM = "philox"

_open = threading.local()


class _Stream:
    def __init__(self, root):
        self.root = root
        self.drawn = 0

    def next_seed(self):
        self.drawn += 1
        return fold_in(self.root, self.drawn)


def fold_in(seed, data):
    """A new seed from a seed and an integer.

    Args:
        seed: integer tensor of shape (2,).
        data: integer or integer scalar tensor.

    Returns:
        Integer tensor of shape (2,).
    """
    # One type of integer throughout: the same number as int32 and as int64 would give two seeds.
    return tf.random.experimental.stateless_fold_in(seed, tf.cast(data, tf.int64), alg=ALGORITHM)


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
