"""The order of the images, their batches and their range."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.checks import is_whole
from keras_gans.data.cache import IN_MEMORY_BYTES
from keras_gans.data.opening import open_source
from keras_gans.data.texts import TextArray
from keras_gans.errors import UserError, unknown_name
from keras_gans.fields import SAMPLE, Classes
from keras_gans.pixels import from_uint8
from keras_gans.randomness import integers

_MAX_SEED = 2**63 - 1
_SHUFFLING_ROUNDS = 16
# TensorFlow's kernels take only tensors that start at a multiple of so many bytes.
_ALIGNMENT = 64
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def load(
    source: Any,
    *,
    split: str = "train",
    batch_size: int = 64,
    image_size: int | None = None,
    channels: int | None = None,
    labels: Any = False,
    shuffle: bool = True,
    seed: int = 0,
    repeat: bool = False,
    skip_batches: int = 0,
    data_dir: str | Path | None = None,
    progress: bool = False,
) -> tf.data.Dataset:
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


def to_dataset(
    source: Any,
    *,
    batch_size: int = 64,
    labels: Any = False,
    shuffle: bool = True,
    seed: int = 0,
    repeat: bool = False,
    skip_batches: int = 0,
    fields: Iterable[str] | None = None,
) -> tf.data.Dataset:
    """Batches of a `Source`, all of the same static shape; a last batch that would be smaller is left out.

    With `repeat` the order is a function of (seed, epoch, position), so that a run which is taken up again after k
    batches, `skip_batches=k`, sees exactly what it would have seen: every row appears once in each epoch, each
    epoch has an order of its own, and batches straddle epochs. Groups of rows that do not belong together have orders
    and epochs of their own; without `repeat`, a pass goes once through the largest. Of several texts in a row, one is
    chosen, by (seed, epoch, row).

    Args:
        source: a `Source`.
        batch_size: rows a batch; under a distribution strategy, of all replicas together.
        labels: whether to give the labels too, where `fields` are not given.
        shuffle: whether to shuffle; without, the rows come in the source's order.
        seed: of the order; a whole number from 0.
        repeat: whether to go on for ever, instead of once through the source with each iteration.
        skip_batches: with `repeat`, how many batches to pass over, at no cost.
        fields: names of the source's fields to give; its samples unless given.

    Returns:
        A `tf.data.Dataset` of one tensor a batch, or of a tuple of them in the order of `fields`: float32 images
        (batch_size, height, width, channels) in [-1, 1], float32 points (batch_size, d) as they are, int64 labels
        (batch_size,), int32 tokens (batch_size, length), strings (batch_size,).

    Raises:
        UserError: the source is smaller than one batch, has no labels, or a number is not sensible.
    """
    columns = _chosen_columns(source, fields, labels)
    _check_order(source, columns, batch_size, seed, repeat, skip_batches)
    places = {group: place for place, group in enumerate(sorted({column.group for column in columns}))}
    counts = {column.group: len(column) for column in columns}
    indices = tuple(
        _endless_indices(counts[group], batch_size, shuffle, seed_of(seed, group), skip_batches) for group in places
    )
    if len(counts) == 1 and not repeat:
        indices = (_one_pass(*counts.values(), batch_size, shuffle, seed),)
    dataset = indices[0] if len(indices) == 1 else tf.data.Dataset.zip(*indices)
    if len(counts) > 1 and not repeat:
        dataset = dataset.take(max(counts.values()) // batch_size)
    gather = gathering([(column, places[column.group]) for column in columns], seed, len(places))
    dataset = dataset.map(gather, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.with_options(options()).prefetch(tf.data.AUTOTUNE)


def _chosen_columns(source, fields, labels):
    if fields is None:
        if labels:
            source.require_labels()
        takes = {"sample": SAMPLE} | ({"label": (Classes,)} if labels else {})
        fields = source.match(takes).values()
    for name in fields:
        if name not in source.columns:
            raise unknown_name("field", name, source.columns)
    return [source.columns[name] for name in fields]


def seed_of(seed: int, group: int) -> int:
    """The seed of a group's order: the first group's is the seed itself."""
    digest = hashlib.sha256(f"{seed} {group}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1 if group else seed


def _one_pass(count, batch_size, shuffle, seed):
    """A dataset of (int64 (batch_size,), epoch 0) that ends: which rows make up each batch."""
    indices = tf.data.Dataset.range(count)
    if shuffle:
        indices = indices.shuffle(count, seed=seed, reshuffle_each_iteration=True)
    indices = indices.batch(batch_size, drop_remainder=True)
    return indices.map(lambda rows: (rows, tf.zeros_like(rows)))


def _check_order(source, columns, batch_size, seed, repeat, skip_batches):
    if not is_whole(batch_size) or batch_size < 1:
        raise UserError(f"batch_size is a whole number from 1. Received: {batch_size!r}.")
    smallest = min(columns, key=len)
    if batch_size > len(smallest):
        kind = smallest.field.describe().split(" of ")[0]
        raise UserError(
            f"{source.name!r} ({source.split}) has {len(smallest):,} {kind}, fewer than one batch of {batch_size:,}. "
            f"The largest possible batch_size is {len(smallest)}."
        )
    check_seed(seed)
    if not is_whole(skip_batches) or skip_batches < 0:
        raise UserError(f"skip_batches is a whole number from 0. Received: {skip_batches!r}.")
    if skip_batches and not repeat:
        raise UserError(f"skip_batches is for repeat=True. Received: skip_batches={skip_batches!r}, repeat=False.")


def check_seed(seed: Any) -> None:
    """Refuses what is no seed of an order."""
    if not is_whole(seed) or not 0 <= seed <= _MAX_SEED:
        raise UserError(f"seed is a whole number from 0 to 2**63 - 1. Received: {seed!r}.")


def _endless_indices(count, batch_size, shuffle, seed, skip_batches):
    """An infinite dataset of int64 (batch_size,) twice: which rows make up each batch, and of which epoch each is."""

    @tf.autograph.experimental.do_not_convert
    def indices_of_batch(batch):
        positions = batch * batch_size + tf.range(batch_size, dtype=tf.int64)
        epochs, places = positions // count, positions % count
        return (shuffled(places, epochs, count, seed) if shuffle else places), epochs

    batches = tf.data.Dataset.range(skip_batches, tf.int64.max // batch_size).map(indices_of_batch)
    return batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


def shuffled(places: tf.Tensor, epochs: tf.Tensor, count: Any, seed: Any) -> tf.Tensor:
    """The items at `places` of a permutation of `range(count)` that is a function of (seed, epoch).

    Args:
        places: int64 (batch,), each less than `count`.
        epochs: int64 (batch,), never decreasing and spanning two epochs at most.
        count: how many items there are; an integer or a scalar tensor.
        seed: likewise.

    Returns:
        int64 (batch,).
    """

    def key(epoch):
        # The shuffling cipher turns keys that differ in a few bits into similar orders, and 0 into almost none.
        return integers([3], tf.stack([tf.cast(seed, tf.int64), epoch]), tf.uint32)

    keys = tf.where((epochs == epochs[0])[:, tf.newaxis], key(epochs[0]), key(epochs[0] + 1))
    # tf.random.experimental.index_shuffle is this with four rounds, too few to hide the items' own order, and it
    # pads a vector of seeds along the wrong axis.
    return tf.raw_ops.RandomIndexShuffle(
        index=places, seed=keys, max_index=tf.cast(count - 1, tf.int64), rounds=_SHUFFLING_ROUNDS
    )


def gathering(columns: list[tuple[Any, int]], seed: int, groups: int) -> Callable[..., Any]:
    """The function from each group's (rows, epochs), int64 (batch,), to a batch.

    Args:
        columns: list of (column, place of its group).
        seed: of the choice among several texts of a row.
        groups: how many there are.
    """
    gathers = [(_gathering_of(column, seed), place) for column, place in columns]

    @tf.autograph.experimental.do_not_convert
    def batch_of(*indices):
        places = [indices] if groups == 1 else indices
        batch = tuple(gather(*places[place]) for gather, place in gathers)
        return batch if len(batch) > 1 else batch[0]

    return batch_of


def _gathering_of(column, seed):
    if isinstance(column.values, TextArray):
        return _gathering_texts(column.values, seed)
    items, is_scaled = _host_tensor(column.values), column.values.dtype == np.uint8

    def rows_of(rows, epochs):
        batch = tf.gather(items, rows)
        return from_uint8(batch) if is_scaled else batch

    return rows_of


def _gathering_texts(texts, seed):
    characters, starts, firsts = (_host_tensor(part) for part in (texts.characters, texts.starts, texts.rows))
    is_several = texts.most > 1

    def rows_of(rows, epochs):
        chosen = tf.gather(firsts, rows)
        if is_several:
            chosen += _choice(rows, epochs, seed, tf.gather(firsts, rows + 1) - chosen)
        positions = tf.ragged.range(tf.gather(starts, chosen), tf.gather(starts, chosen + 1))
        strings = tf.strings.unicode_encode(tf.gather(characters, positions), "UTF-8")
        return tf.ensure_shape(strings, rows.shape)

    return rows_of


def _choice(rows, epochs, seed, counts):
    """Which of `counts` texts each row shows in an epoch, int64 (batch,), by the mixer of SplitMix64.

    Steele et al., "Fast Splittable Pseudorandom Number Generators" (2014), figure 16.
    """
    mixed = tf.cast(rows, tf.uint64) * _GOLDEN + tf.cast(epochs, tf.uint64) * _MIXERS[0] + np.uint64(seed)
    for shift, factor in ((30, _MIXERS[0]), (27, _MIXERS[1]), (31, np.uint64(1))):
        mixed = tf.bitwise.bitwise_xor(mixed, tf.bitwise.right_shift(mixed, tf.constant(shift, tf.uint64))) * factor
    # The upper half, whose numbers an int64 can hold.
    return tf.cast(tf.bitwise.right_shift(mixed, tf.constant(32, tf.uint64)), tf.int64) % counts


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


def options() -> tf.data.Options:
    """What all data sets here are: in one order, shared out among workers by their rows, and not tuned."""
    chosen = tf.data.Options()
    chosen.autotune.enabled = False  # see `keras_gans.autotuning`
    chosen.deterministic = True
    # Every worker makes the same global batches and takes its share of each; there are no files to share out.
    chosen.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return chosen
