"""Randomness as a pure function of (seed, step), so that a resumed run draws what the unbroken run would have.

A stream is open while a training step is being traced or run. It lives in thread-local storage because a
mirrored strategy traces each replica in a thread of its own.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

# The default algorithm may differ from one kind of device to another; Philox draws the same numbers on all.
_ALGORITHM = "philox"

_open = threading.local()


class _Stream:
    def __init__(self, root):
        self.root = root
        self.drawn = 0

    def next_seed(self):
        self.drawn += 1
        return fold_in(self.root, self.drawn)


def integers(shape: Any, seed: Any, dtype: Any) -> tf.Tensor:
    """Integers over the whole range of `dtype`.

    Args:
        shape: integers, or an int32 tensor.
        seed: integer tensor of shape (2,).
        dtype: of 32 or 64 bits.
    """
    return tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=dtype, alg=_ALGORITHM)


def uniform(shape: Any, seed: Any, minval: float = 0.0, maxval: float = 1.0) -> tf.Tensor:
    """float32 numbers from [minval, maxval), others where XLA compiles; see `integers`."""
    return tf.random.stateless_uniform(shape, seed, minval=minval, maxval=maxval, alg=_ALGORITHM)


def normal(shape: Any, seed: Any, stddev: float = 1.0) -> tf.Tensor:
    """float32 numbers from N(0, stddev^2), others where XLA compiles; see `integers`."""
    return tf.random.stateless_normal(shape, seed, stddev=stddev, alg=_ALGORITHM)


def fold_in(seed: Any, data: Any) -> tf.Tensor:
    """A new seed from a seed and an integer.

    Args:
        seed: integer tensor of shape (2,).
        data: integer or integer scalar tensor.

    Returns:
        int64 tensor of shape (2,).
    """
    # One type of integer throughout: the same number as int32 and as int64 would give two seeds.
    return tf.random.experimental.stateless_fold_in(seed, tf.cast(data, tf.int64), alg=_ALGORITHM)


def root_seed(seed: Any, step: Any) -> tf.Tensor:
    """The seed that everything random in training step `step` of a run with `seed` comes from, shape (2,)."""
    # Seeds may be any int64, and folding keeps (seed 1, step 2) apart from (seed 2, step 1).
    return fold_in(tf.stack([tf.cast(seed, tf.int64), tf.constant(0, tf.int64)]), step)


@contextlib.contextmanager
def stream(root: tf.Tensor) -> Iterator[None]:
    """Opens a stream of seeds that starts from `root`, an integer tensor of shape (2,)."""
    outer = getattr(_open, "stream", None)
    _open.stream = _Stream(root)
    try:
        yield
    finally:
        _open.stream = outer


def substream(index: Any) -> contextlib.AbstractContextManager[None]:
    """Opens a stream inside the open one, for iteration `index` (integer or scalar tensor) of a loop."""
    return stream(fold_in(_open.stream.root, -1 - index))


def is_open() -> bool:
    """Whether a stream is open in this thread."""
    return getattr(_open, "stream", None) is not None


def next_seed() -> tf.Tensor:
    """The next seed of the open stream, shape (2,)."""
    return _open.stream.next_seed()


def for_this_replica(draw: Callable[[Any], tf.Tensor], rows: Any) -> tf.Tensor:
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
