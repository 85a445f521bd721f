"""Batches of like lengths: every row once in each epoch, no more tokens than asked for, and an order that resumes."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.data.bucketing import Buckets
from keras_gans.errors import UserError
from keras_gans.training.recipe import named
from keras_gans.training.train import to_dataset

COUNT, TOKENS = 300, 60
LENGTHS = np.random.default_rng(0).integers(0, 31, COUNT)
IMAGES = np.zeros((COUNT, 2, 2, 1), "uint8")
ROWS = [f"row{number}" for number in range(COUNT)]


def source():
    return kg.data.Source.of({"source": ROWS, "target": [row.upper() for row in ROWS]})


def batches(count, **options):
    """Numbers of the rows of the first batches, a list of arrays."""
    dataset = kg.data.to_bucketed_dataset(source(), LENGTHS, TOKENS, fields=["source", "target"], **options)
    found = []
    for first, second in itertools.islice(dataset.as_numpy_iterator(), count):
        assert [row.upper() for row in first] == list(second)
        found.append(np.array([int(row[3:]) for row in first if row]))
    return found


def test_buckets_hold_every_row_of_some_length_once_within_the_tokens():
    for lengths in (LENGTHS, LENGTHS[:9], np.full(7, 30), np.r_[np.full(50, 3), 60], np.arange(1, 61)):
        buckets = Buckets.of(lengths, TOKENS)
        assert sorted(buckets.rows) == np.flatnonzero(lengths).tolist()
        parts = [buckets.rows[start:stop] for start, stop in itertools.pairwise(buckets.firsts)]
        assert len(parts) == len(buckets) and min(map(len, parts)) >= 1
        for part, bucket in zip(parts, buckets.bucket_of, strict=True):
            assert lengths[part].max() <= buckets.lengths[bucket]
            assert len(part) * buckets.lengths[bucket] <= TOKENS


def test_little_of_a_batch_is_padding():
    lengths = np.random.default_rng(1).gamma(8, 2, 20_000).astype(int) + 1
    buckets = Buckets.of(lengths, 1000)
    parts = [lengths[buckets.rows[start:stop]] for start, stop in itertools.pairwise(buckets.firsts)]
    padded = sum(len(part) * part.max() for part in parts)
    assert padded < 1.08 * lengths.sum()
    assert padded / len(parts) > 900, "batches are as full as they may be"


def test_every_epoch_holds_every_row_once_in_an_order_of_its_own():
    count = len(Buckets.of(LENGTHS, TOKENS))
    found = batches(3 * count)
    epochs = [found[start : start + count] for start in (0, count, 2 * count)]
    for epoch in epochs:
        assert sorted(np.concatenate(epoch)) == np.flatnonzero(LENGTHS).tolist()
    assert len({tuple(np.concatenate(epoch)) for epoch in epochs}) == 3
    # Neither the batches nor their places are those of another epoch.
    assert len({tuple(sorted(part)) for epoch in epochs for part in epoch}) > 2 * count
    longest = [[LENGTHS[part].max() for part in epoch] for epoch in epochs]
    assert longest[0] != longest[1] and longest[0] != sorted(longest[0])


@pytest.mark.parametrize("skipped", [1, 40, 333])
def test_skipped_batches_continue_where_they_left_off(skipped):
    whole, resumed = batches(skipped + 9, seed=3), batches(9, seed=3, skip_batches=skipped)
    for one, other in zip(whole[skipped:], resumed, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(not np.array_equal(one, other) for one, other in zip(batches(9), batches(9, seed=1), strict=True))


def test_replicas_get_as_many_rows_each():
    dataset = kg.data.to_bucketed_dataset(source(), LENGTHS, TOKENS, fields=["source", "target"], multiple_of=4)
    found = list(itertools.islice(dataset.as_numpy_iterator(), 60))
    assert all(len(first) % 4 == 0 for first, _ in found)
    assert any(b"" in first for first, _ in found)
    for one, (first, second) in zip(batches(60), found, strict=True):
        assert [int(row[3:]) for row in first if row] == one.tolist()
        assert [row == b"" for row in first] == [row == b"" for row in second]


def test_a_recipe_takes_batches_by_tokens():
    recipe = named("adversarial_nmt").replace(batch_tokens=80)
    texts = {"source": ["a b", "b", "c a b", "a", "c"] * 4, "target": ["b", "a b c", "b", "a", "b c"] * 4}
    source = kg.data.Source.of(texts)
    model = small_for(recipe, source)
    lengths = model.pair_lengths(texts)
    rows = [next(iter(to_dataset(recipe, source, skip_batches=skip, model=model))) for skip in (0, 0, 1)]
    for batch in rows:
        assert [part.dtype for part in batch] == [tf.string] * 2
        pairs = list(zip(*([text.decode() for text in part.numpy()] for part in batch), strict=True))
        assert set(pairs) <= set(zip(*texts.values(), strict=True))
        assert len(pairs) * lengths.max() <= 80
    np.testing.assert_array_equal(rows[0][0], rows[1][0])


def small_for(recipe, source):
    from keras_gans.training.train import build_for

    small = {"name": "transformer_translator", "units": 4, "layer_count": 1, "heads": 2}
    return build_for(recipe.replace(generator=small, tokenizer={"vocabulary_size": 12}), source)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_tokens": 29}, "does not hold the longest row, of 30. Take at least batch_tokens=30"),
        ({"batch_tokens": 0}, "batch_tokens is a whole number from 1. Received: 0"),
        ({"lengths": LENGTHS[:9]}, "Each of the 300 rows has a length. Received: 9"),
        ({"lengths": np.zeros(COUNT, int)}, "There is no row to make batches of"),
        ({"lengths": LENGTHS / 2}, "whole numbers of tokens from 0, one a row. Received: float64"),
        ({"fields": ["source", "targets"]}, "Unknown field 'targets'. Did you mean 'target'"),
        ({"seed": -1}, "seed is a whole number"),
        ({"skip_batches": -1}, "skip_batches is a whole number from 0. Received: -1"),
        ({"multiple_of": 0}, "multiple_of is a whole number from 1. Received: 0"),
        (
            {"source": kg.data.Source.of({"image": np.zeros((COUNT, 2, 2, 1), "uint8")}), "fields": ["image"]},
            "of texts",
        ),
    ],
)
def test_what_cannot_be_cut_into_batches(change, message):
    options = {"source": source(), "lengths": LENGTHS, "batch_tokens": TOKENS, "fields": ["source", "target"]} | change
    with pytest.raises(UserError, match=message):
        kg.data.to_bucketed_dataset(**options)


def test_batches_by_tokens_are_of_sentences():
    with pytest.raises(UserError, match="batch_tokens is for schemes that translate.*batch_tokens=64 for gan"):
        to_dataset(named("gan").replace(batch_tokens=64), kg.data.open_source("digits"))
    with pytest.raises(UserError, match="batch_tokens must be a whole number of 1 or more. Received: 0"):
        named("adversarial_nmt").replace(batch_tokens=0)
