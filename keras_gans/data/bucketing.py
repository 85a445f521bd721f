"""Batches of rows of like lengths, each of about as many tokens: which rows make up which batch, and their order."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.checks import is_whole
from keras_gans.data import pipeline
from keras_gans.data.source import Source
from keras_gans.data.texts import TextArray
from keras_gans.errors import UserError, unknown_name

# A bucket's longest row has less than so many times the tokens of its shortest, where there are rows enough.
_GROWTH = 1.125
# A stream of random orders of its own, which no group of columns has.
_OF_BATCHES, _OF_BUCKETS = -1, -2


def to_bucketed_dataset(
    source: Source,
    lengths: Any,
    batch_tokens: int,
    *,
    fields: Sequence[str],
    seed: int = 0,
    skip_batches: int = 0,
    multiple_of: int = 1,
) -> tf.data.Dataset:
    """Endless batches of rows of like lengths: as many rows as have `batch_tokens` tokens, padding counted.

    Which rows make up a batch, and the order of the batches, are functions of (seed, epoch, position), so that a run
    which is taken up again after k batches sees exactly what it would have seen. Every row that is used appears once in
    each epoch; no batch straddles two.

    Args:
        source: a `Source`, whose fields are texts of one row each.
        lengths: whole numbers (rows,), tokens of each row, the longer side's; a row of 0 is left out.
        batch_tokens: see `Buckets.of`.
        fields: names of the source's fields to give.
        seed: of the order; a whole number from 0.
        skip_batches: how many batches to pass over, at no cost.
        multiple_of: replicas among which a batch is to divide; what is missing is filled up with empty texts, of which
            a scheme learns nothing.

    Returns:
        A `tf.data.Dataset` of tuples of strings (rows,), in the order of `fields`.

    Raises:
        UserError: a field that is no text, lengths that do not fit, or numbers that are not sensible.
    """
    for name in fields:
        if name not in source.columns:
            raise unknown_name("field", name, source.columns)
    columns = [source.columns[name] for name in fields]
    if len({column.group for column in columns}) > 1 or not all(isinstance(c.values, TextArray) for c in columns):
        held = ", ".join(f"{name} ({source.columns[name].field.describe()})" for name in fields)
        raise UserError(f"Batches by tokens are of texts that belong together row by row. Received: {held}.")
    if len(lengths) != len(columns[0]):
        raise UserError(f"Each of the {len(columns[0]):,} rows has a length. Received: {len(lengths):,} lengths.")
    for option, value, least in (("skip_batches", skip_batches, 0), ("multiple_of", multiple_of, 1)):
        if not is_whole(value) or value < least:
            raise UserError(f"{option} is a whole number from {least}. Received: {value!r}.")
    pipeline.check_seed(seed)
    indices = _endless_indices(Buckets.of(lengths, batch_tokens), seed, skip_batches)
    gather = pipeline.gathering([(column, 0) for column in columns], seed, 1)

    def batch_of(rows, epochs):
        batch = gather(rows, epochs)
        missing = -tf.shape(rows)[0] % multiple_of
        empty = tf.fill((missing,), "")
        return tuple(tf.concat([texts, empty], axis=0) for texts in (batch if len(columns) > 1 else (batch,)))

    dataset = indices.map(tf.autograph.experimental.do_not_convert(batch_of), num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.with_options(pipeline.options()).prefetch(tf.data.AUTOTUNE)


def _endless_indices(buckets, seed, skip_batches):
    """An infinite dataset of int64 (rows,) twice: which rows make up each batch, and of which epoch each is."""
    rows, starts, bucket_of, firsts = (
        tf.constant(each, tf.int64) for each in (buckets.rows, buckets.starts, buckets.bucket_of, buckets.firsts)
    )
    of_batches = pipeline.seed_of(seed, _OF_BATCHES)
    of_buckets = [pipeline.seed_of(seed, _OF_BUCKETS - bucket) for bucket in range(len(buckets.lengths))]

    @tf.autograph.experimental.do_not_convert
    def indices_of_batch(position):
        epoch = position // len(buckets)
        batch = pipeline.shuffled((position % len(buckets))[tf.newaxis], epoch[tf.newaxis], len(buckets), of_batches)[0]
        bucket = bucket_of[batch]
        places = tf.range(firsts[batch], firsts[batch + 1]) - starts[bucket]
        epochs = tf.fill(tf.shape(places), epoch)
        count = starts[bucket + 1] - starts[bucket]
        drawn = pipeline.shuffled(places, epochs, count, tf.constant(of_buckets, tf.int64)[bucket])
        return tf.gather(rows, starts[bucket] + drawn), epochs

    batches = tf.data.Dataset.range(skip_batches, tf.int64.max).map(indices_of_batch)
    return batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


@dataclasses.dataclass(frozen=True, eq=False)
class Buckets:
    """Rows sorted into buckets by their lengths, and each bucket cut into batches of nearly equal numbers of rows.

    Attributes:
        rows: int64, the numbers of the rows that are used, those of each bucket together.
        starts: int64 (buckets + 1,), where each bucket begins in `rows`, and where the last one ends.
        lengths: int64 (buckets,), of the longest row of each.
        bucket_of: int64 (batches,), the bucket of each batch of an epoch.
        firsts: int64 (batches + 1,), where each batch begins in `rows`, and where the last one ends.
    """

    rows: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    bucket_of: np.ndarray
    firsts: np.ndarray

    @classmethod
    def of(cls, lengths: Any, batch_tokens: int) -> "Buckets":
        """Buckets of rows of so many tokens each.

        Args:
            lengths: whole numbers (rows,); a row of 0 is left out.
            batch_tokens: rows of a batch times the tokens of its bucket's longest row, at the most.

        Raises:
            UserError: numbers that are not sensible, no row that is used, or one that is longer than a batch.
        """
        lengths = np.asarray(lengths)
        if lengths.ndim != 1 or not np.issubdtype(lengths.dtype, np.integer) or (lengths < 0).any():
            raise UserError(
                f"lengths are whole numbers of tokens from 0, one a row. Received: {lengths.dtype} of shape "
                f"{lengths.shape}."
            )
        if not is_whole(batch_tokens) or batch_tokens < 1:
            raise UserError(f"batch_tokens is a whole number from 1. Received: {batch_tokens!r}.")
        used = np.flatnonzero(lengths)
        if not len(used):
            raise UserError("There is no row to make batches of: all are too long, or empty.")
        longest = int(lengths.max())
        if longest > batch_tokens:
            raise UserError(
                f"A batch of {batch_tokens} tokens does not hold the longest row, of {longest}. Take at least "
                f"batch_tokens={longest}."
            )
        used = used[np.argsort(lengths[used], kind="stable")]
        starts = _bounds(lengths[used], batch_tokens)
        longest_of = lengths[used[starts[1:] - 1]].astype(np.int64)
        counts = -(-np.diff(starts) // (batch_tokens // longest_of))
        bucket_of = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(bucket_of)) - np.repeat(np.cumsum(counts) - counts, counts)
        # Of nearly equal numbers of rows, so that none is left with a few.
        firsts = starts[bucket_of] + place * np.diff(starts)[bucket_of] // counts[bucket_of]
        return cls(used, starts, longest_of, bucket_of, np.append(firsts, len(used)))

    def __len__(self) -> int:
        """Batches of an epoch."""
        return len(self.bucket_of)

    @property
    def mean_rows(self) -> float:
        """Rows of a batch, on average."""
        return len(self.rows) / len(self)


def _bounds(lengths, batch_tokens):
    """Where buckets begin and end among rising lengths: a bucket of too few rows for a batch joins a neighbour."""
    ends, stop = [], len(lengths)
    while stop:
        longest = int(lengths[stop - 1])
        start = int(np.searchsorted(lengths, longest / _GROWTH, side="right"))
        start = min(start, max(0, stop - batch_tokens // longest))
        # Rows of one length stay together.
        start = int(np.searchsorted(lengths, lengths[start], side="left"))
        if 0 < start < batch_tokens // int(lengths[start - 1]):
            start = 0
        ends.append(stop)
        stop = start
    return np.array([0, *reversed(ends)], np.int64)
