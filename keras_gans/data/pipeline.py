"""The order of the images, their batches and their range."""

import numpy as np
import tensorflow as tf

from keras_gans.data.cache import IN_MEMORY_BYTES
from keras_gans.data.opening import open_source
from keras_gans.data.source import is_whole
from keras_gans.errors import UserError
from keras_gans.pixels import from_uint8
from keras_gans.randomness import integers

_MAX_SEED = 2**63 - 1
_SHUFFLING_ROUNDS = 16
# TensorFlow's kernels take only tensors that start at a multiple of so many bytes.
_ALIGNMENT = 64


def load(
    source,
    *,
    split="train",
    batch_size=64,
    image_size=None,
    channels=None,
    labels=False,
    shuffle=True,
    seed=0,
    repeat=False,
    skip_batches=0,
    data_dir=None,
    progress=False,
):
    """A data set's images, ready for `fit`: `open_source` followed by `to_dataset`, which say what each argument does.

    Returns:
        A `tf.data.Dataset` of float32 images (batch_size, height, width, channels) in [-1, 1], or of float32 points
        (batch_size, dimensions) as they are; of tuples of these and int64 labels (batch_size,) if `labels`.

    Raises:
        UserError: the source, or a choice about it, cannot be used.
    """
    opened = open_source(
        source,
        split=split,
        image_size=image_size,
        channels=channels,
        labels=labels,
        data_dir=data_dir,
        progress=progress,
    )
    return to_dataset(
        opened,
        batch_size=batch_size,
        labels=labels,
        shuffle=shuffle,
        seed=seed,
        repeat=repeat,
        skip_batches=skip_batches,
    )


def to_dataset(source, *, batch_size=64, labels=False, shuffle=True, seed=0, repeat=False, skip_batches=0):
    """Batches of a `Source`, all of the same static shape; a last batch that would be smaller is left out.

    With `repeat` the order is a function of (seed, epoch, position), so that a run which is taken up again after k
    batches, `skip_batches=k`, sees exactly what it would have seen: every image appears once in each epoch, each
    epoch has an order of its own, and batches straddle epochs.

    Args:
        source: a `Source`.
        batch_size: images a batch; under a distribution strategy, of all replicas together.
        labels: whether to give the labels too.
        shuffle: whether to shuffle; without, the images come in the source's order.
        seed: of the order; a whole number from 0.
        repeat: whether to go on for ever, instead of once through the source with each iteration.
        skip_batches: with `repeat`, how many batches to pass over, at no cost.

    Returns:
        A `tf.data.Dataset`; see `load`.

    Raises:
        UserError: the source is smaller than one batch, has no labels, or a number is not sensible.
    """
    _check_order(source, batch_size, seed, repeat, skip_batches)
    if labels:
        source.require_labels()
    count = len(source)
    if repeat:
        indices = _endless_indices(count, batch_size, shuffle, seed, skip_batches)
    else:
        indices = tf.data.Dataset.range(count)
        if shuffle:
            indices = indices.shuffle(count, seed=seed, reshuffle_each_iteration=True)
        indices = indices.batch(batch_size, drop_remainder=True)
    dataset = indices.map(_gathering(source, labels), num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.with_options(_options()).prefetch(tf.data.AUTOTUNE)


def _check_order(source, batch_size, seed, repeat, skip_batches):
    if not is_whole(batch_size) or batch_size < 1:
        raise UserError(f"batch_size is a whole number from 1. Received: {batch_size!r}.")
    if batch_size > len(source):
        raise UserError(
            f"{source.name!r} ({source.split}) has {len(source):,} {'points' if source.is_points else 'images'}, fewer "
            f"than one batch of {batch_size:,}. The largest possible batch_size is {len(source)}."
        )
    if not is_whole(seed) or not 0 <= seed <= _MAX_SEED:
        raise UserError(f"seed is a whole number from 0 to 2**63 - 1. Received: {seed!r}.")
    if not is_whole(skip_batches) or skip_batches < 0:
        raise UserError(f"skip_batches is a whole number from 0. Received: {skip_batches!r}.")
    if skip_batches and not repeat:
        raise UserError(f"skip_batches is for repeat=True. Received: skip_batches={skip_batches!r}, repeat=False.")


def _endless_indices(count, batch_size, shuffle, seed, skip_batches):
    """An infinite dataset of int64 (batch_size,): which items make up each batch."""

    @tf.autograph.experimental.do_not_convert
    def indices_of_batch(batch):
        positions = batch * batch_size + tf.range(batch_size, dtype=tf.int64)
        epochs, places = positions // count, positions % count
        return _shuffled(places, epochs, count, seed) if shuffle else places

    batches = tf.data.Dataset.range(skip_batches, tf.int64.max // batch_size).map(indices_of_batch)
    return batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


def _shuffled(places, epochs, count, seed):
    """The items at `places` of a permutation of `range(count)` that is a function of (seed, epoch).

    Args:
        places: int64 (batch,), each less than `count`.
        epochs: int64 (batch,), never decreasing and spanning two epochs at most.
        count: how many items there are.
        seed: int.

    Returns:
        int64 (batch,).
    """

    def key(epoch):
        # The shuffling cipher turns keys that differ in a few bits into similar orders, and 0 into almost none.
        return integers([3], tf.stack([tf.constant(seed, tf.int64), epoch]), tf.uint32)

    keys = tf.where((epochs == epochs[0])[:, tf.newaxis], key(epochs[0]), key(epochs[0] + 1))
    # tf.random.experimental.index_shuffle is this with four rounds, too few to hide the items' own order, and it
    # pads a vector of seeds along the wrong axis.
    return tf.raw_ops.RandomIndexShuffle(
        index=places, seed=keys, max_index=tf.constant(count - 1, tf.int64), rounds=_SHUFFLING_ROUNDS
    )


def _gathering(source, labels):
    """The function from int64 indices (batch,) to a batch."""
    items = _host_tensor(source.images)
    numbers = _host_tensor(source.labels) if labels else None
    scaled = source.images.dtype == np.uint8

    @tf.autograph.experimental.do_not_convert
    def batch_of(indices):
        batch = tf.gather(items, indices)
        if scaled:
            batch = from_uint8(batch)
        return (batch, tf.gather(numbers, indices)) if labels else batch

    return batch_of


class _Writable:
    """Offers a read-only array's memory as if it could be written, as DLPack demands; nothing writes to it."""

    def __init__(self, array):
        self.array = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}


def _host_tensor(array):
    """The array as a tensor, without copying it if it is large: what is mapped from a file stays there.

    A `tf.numpy_function` could read the file as well, but a process whose endless dataset runs Python code hangs
    when it ends.
    """
    large = isinstance(array, np.memmap) or array.nbytes > IN_MEMORY_BYTES
    # The input pipeline runs on the host: a constant on an accelerator would be copied back for each batch.
    with tf.device("CPU:0"):
        if large and array.flags.c_contiguous and array.ctypes.data % _ALIGNMENT == 0:
            return tf.experimental.dlpack.from_dlpack(np.asarray(_Writable(array)).__dlpack__())
        return tf.constant(array)


def _options():
    options = tf.data.Options()
    options.deterministic = True
    # Every worker makes the same global batches and takes its share of each; there are no files to share out.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return options
