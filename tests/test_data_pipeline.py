"""Order, batches and range."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.data import pipeline
from keras_gans.errors import UserError
from tests.processes import HANGS

COUNT, BATCH = 23, 5


@pytest.fixture(params=["memory", "map"])
def source(request, tmp_path, monkeypatch):
    """Images whose every pixel is the image's number, in memory or as a memory map."""
    images = np.arange(COUNT, dtype="uint8")[:, None, None, None] * np.ones((1, 2, 3, 1), "uint8")
    if request.param == "map":
        np.save(tmp_path / "images.npy", images)
        images = np.load(tmp_path / "images.npy", mmap_mode="r")
    return kg.data.open_source((images, np.arange(COUNT) % 4))


def numbers(dataset, batches=None):
    """The images' numbers, one row a batch."""
    taken = itertools.islice(dataset.as_numpy_iterator(), batches)
    return np.stack([np.round((images[:, 0, 0, 0] + 1.0) * 127.5).astype(int) for images in taken])


def test_range_shape_and_type(source):
    dataset = kg.data.to_dataset(source, batch_size=BATCH, shuffle=False)
    assert dataset.element_spec == tf.TensorSpec((BATCH, 2, 3, 1), tf.float32)
    batch = next(iter(dataset)).numpy()
    np.testing.assert_allclose(batch[:, 1, 2, 0], np.arange(BATCH) / 127.5 - 1.0, atol=1e-7)


def test_black_and_white_are_the_ends_of_the_range():
    images = np.array([0, 255], "uint8").reshape(2, 1, 1, 1)
    assert next(iter(kg.data.load(images, batch_size=2, shuffle=False))).numpy().ravel().tolist() == [
        -1.0,
        1.0,
    ]


def test_labels_stay_with_their_images(source):
    dataset = kg.data.to_dataset(source, batch_size=BATCH, labels=True, repeat=True)
    assert dataset.element_spec[1] == tf.TensorSpec((BATCH,), tf.int64)
    for images, labels in itertools.islice(dataset.as_numpy_iterator(), 10):
        np.testing.assert_array_equal(np.round((images[:, 0, 0, 0] + 1) * 127.5).astype(int) % 4, labels)


def test_one_finite_pass(source):
    dataset = kg.data.to_dataset(source, batch_size=BATCH)
    assert dataset.cardinality() == COUNT // BATCH
    first, second = numbers(dataset), numbers(dataset)
    assert first.shape == (COUNT // BATCH, BATCH)
    assert len(set(first.ravel())) == first.size
    assert first.tolist() != second.tolist()
    assert numbers(kg.data.to_dataset(source, batch_size=BATCH)).tolist() == first.tolist()
    assert numbers(kg.data.to_dataset(source, batch_size=BATCH, seed=1)).tolist() != first.tolist()


def test_every_epoch_holds_every_image_once_in_an_order_of_its_own(source):
    dataset = kg.data.to_dataset(source, batch_size=BATCH, repeat=True)
    assert dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    epochs = numbers(dataset, COUNT).reshape(BATCH, COUNT)
    for epoch in epochs:
        assert sorted(epoch) == list(range(COUNT))
    assert len({tuple(epoch) for epoch in epochs}) == len(epochs)


def test_seeds_give_different_orders(source):
    orders = {
        tuple(numbers(kg.data.to_dataset(source, batch_size=COUNT, repeat=True, seed=seed), 1)[0])
        for seed in (0, 1, 2, 2**31, 2**32, 2**33, 2**63 - 1)
    }
    assert len(orders) == 7


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("skipped", [1, 4, 5, 37])
def test_skipped_batches_continue_where_they_left_off(source, shuffle, skipped):
    options = {"batch_size": BATCH, "repeat": True, "seed": 3, "shuffle": shuffle}
    whole = numbers(kg.data.to_dataset(source, **options), skipped + 12)
    resumed = numbers(kg.data.to_dataset(source, skip_batches=skipped, **options), 12)
    assert resumed.tolist() == whole[skipped:].tolist()


def test_the_global_seed_does_not_matter_to_an_endless_order(source):
    orders = []
    for seed in (1, 2):
        tf.random.set_seed(seed)
        orders.append(numbers(kg.data.to_dataset(source, batch_size=BATCH, repeat=True), 9).tolist())
    assert orders[0] == orders[1]


def test_batch_of_the_whole_source(source):
    batches = numbers(kg.data.to_dataset(source, batch_size=COUNT, repeat=True), 3)
    assert [sorted(batch) for batch in batches] == [list(range(COUNT))] * 3


def test_unshuffled_order_is_the_sources(source):
    batches = numbers(kg.data.to_dataset(source, batch_size=BATCH, shuffle=False, repeat=True), 10)
    assert batches.ravel().tolist() == [position % COUNT for position in range(10 * BATCH)]


@pytest.mark.parametrize("count", [100, 1297])
def test_orders_are_as_random_as_numpys(count):
    """Neither do items stay near their place, nor does one epoch resemble the next."""
    places = tf.range(count, dtype=tf.int64)
    orders = np.stack(
        [
            pipeline.shuffled(places, tf.fill([count], tf.constant(epoch, tf.int64)), count, seed)
            for seed in range(3)
            for epoch in range(20)
        ]
    )
    own = [np.corrcoef(order, np.arange(count))[0, 1] for order in orders]
    following = [np.corrcoef(*pair)[0, 1] for pair in itertools.pairwise(orders)]
    # The correlation of a random order has a standard deviation of count ** -0.5: 60 of them reach no more than
    # about three times that, and their own deviation is within a third of it.
    for correlations in (own, following):
        assert np.max(np.abs(correlations)) * count**0.5 < 4.5
        assert 0.7 < np.std(correlations) * count**0.5 < 1.35
    assert np.mean(orders == np.arange(count)) * count < 2.5


def test_too_few_images(source):
    with pytest.raises(UserError, match="has 23 images, fewer than one batch of 64.*batch_size is 23"):
        kg.data.to_dataset(source)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.0}, "2.0"),
        ({"seed": -1}, "seed"),
        ({"seed": None}, "None"),
        ({"skip_batches": -1, "repeat": True}, "skip_batches"),
        ({"skip_batches": 3}, "repeat=True"),
    ],
)
def test_unusable_numbers(source, options, message):
    with pytest.raises(UserError, match=message):
        kg.data.to_dataset(source, **{"batch_size": BATCH, **options})


def test_labels_where_there_are_none():
    source = kg.data.open_source(np.zeros((4, 2, 2, 1), "uint8"))
    with pytest.raises(UserError, match="has no labels"):
        kg.data.to_dataset(source, batch_size=2, labels=True)


def test_a_source_describes_itself_briefly(source):
    assert repr(source) == "Source('array', 'train': 23 rows of image: images of 2x3x1, label: labels of 4 classes)"


def test_keras_fit_takes_an_endless_dataset(source):
    import keras

    class Sum(keras.Model):
        def train_step(self, images):
            return {"mean": tf.reduce_mean(images)}

    model = Sum()
    model.built = True
    model.compile()
    history = model.fit(
        kg.data.to_dataset(source, batch_size=COUNT, repeat=True), epochs=1, steps_per_epoch=3, verbose=0
    )
    assert history.history["mean"][0] == pytest.approx(np.mean(np.arange(COUNT)) / 127.5 - 1.0, abs=1e-5)


def test_replicas_share_each_batch(two_replicas, tmp_path):
    np.save(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 256, (20, 2, 2, 1), dtype="uint8"))
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    options = {"batch_size": 6, "repeat": True, "skip_batches": 2}
    plain = iter(kg.data.load(images, **options))
    shared = iter(two_replicas.experimental_distribute_dataset(kg.data.load(images, **options)))
    for _ in range(5):
        parts = [part.numpy() for part in two_replicas.experimental_local_results(next(shared))]
        assert [part.shape for part in parts] == [(3, 2, 2, 1)] * 2, parts
        np.testing.assert_array_equal(np.concatenate(parts), next(plain))


@pytest.mark.slow
def test_a_process_that_leaves_an_endless_dataset_ends(tmp_path):
    np.save(tmp_path / "images.npy", np.zeros((20, 2, 2, 1), "uint8"))
    script = (
        "import sys, numpy as np, keras_gans as kg\n"
        "batches = iter(kg.data.load(np.load(sys.argv[1], mmap_mode='r'), batch_size=4, repeat=True))\n"
        "next(batches)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "images.npy")], check=True, timeout=HANGS)


def test_a_map_is_read_where_it_lies(tmp_path):
    """What changes in the file afterwards shows in the batches, so nothing was copied into memory."""
    np.save(tmp_path / "images.npy", np.zeros((4, 8, 8, 1), "uint8"))
    dataset = kg.data.load(np.load(tmp_path / "images.npy", mmap_mode="r"), batch_size=4)
    writable = np.load(tmp_path / "images.npy", mmap_mode="r+")
    writable[:] = 255
    writable.flush()
    assert next(iter(dataset)).numpy().min() == 1.0


def test_a_map_that_starts_at_an_odd_byte(tmp_path):
    np.save(tmp_path / "images.npy", np.arange(7, dtype="uint8").reshape(7, 1, 1, 1))
    part = np.load(tmp_path / "images.npy", mmap_mode="r")[1:]
    assert numbers(kg.data.load(part, batch_size=6, shuffle=False)).tolist() == [[1, 2, 3, 4, 5, 6]]
