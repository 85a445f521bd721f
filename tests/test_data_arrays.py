"""Arrays as data sets."""

import os

import numpy as np
import pytest

import keras_gans as kg
from keras_gans.data import cache
from keras_gans.errors import UserError


def random_images(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")


def test_images_are_taken_as_they_are():
    images = random_images(5, 6, 7, 3)
    source = kg.data.open_source(images)
    assert source.samples is images
    assert (source.sample_shape, len(source), source.is_points, source.labels) == ((6, 7, 3), 5, False, None)


def test_images_without_channels_get_one():
    assert kg.data.open_source(random_images(5, 6, 7)).sample_shape == (6, 7, 1)


def test_labelled_images():
    source = kg.data.open_source((random_images(3, 4, 4, 1), [2, 0, 1]), labels=True)
    assert source.labels.dtype == np.int64
    assert source.labels.tolist() == [2, 0, 1]
    assert source.class_count == 3


def test_floats_keep_their_values():
    images = np.linspace(-1, 1, 2 * 4 * 4).reshape(2, 4, 4, 1)
    batch = next(iter(kg.data.load(images, batch_size=2, shuffle=False))).numpy()
    np.testing.assert_array_equal(batch, images.astype("float32"))


def test_floats_that_look_unscaled_warn():
    with pytest.warns(UserWarning, match=r"2 \* images - 1"):
        kg.data.open_source(np.full((2, 4, 4, 1), 0.5, "float32"))


def test_points_are_unscaled():
    points = np.random.default_rng(0).normal(scale=9, size=(8, 2))
    source = kg.data.open_source(points)
    assert source.is_points and source.sample_shape == (2,)
    batch = next(iter(kg.data.to_dataset(source, batch_size=8, shuffle=False)))
    assert batch.dtype == "float32"
    np.testing.assert_allclose(batch, points, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_centre_crop_and_resize(dtype):
    left, middle, right = (0, 128, 255) if dtype == "uint8" else (-1.0, 0.25, 1.0)
    images = np.full((1, 8, 16, 1), middle, dtype)
    images[:, :, :4] = left
    images[:, :, 12:] = right
    source = kg.data.open_source(images, image_size=4)
    assert source.samples.dtype == dtype
    np.testing.assert_allclose(source.samples, np.full((1, 4, 4, 1), middle), atol=1e-6)


def test_channels_are_converted():
    colour = np.zeros((1, 2, 2, 3), "uint8")
    colour[..., 0] = 200
    assert kg.data.open_source(colour, channels=1).samples[0, 0, 0].tolist() == [60]
    grey = np.full((1, 2, 2, 1), 60, "uint8")
    assert kg.data.open_source(grey, channels=3).samples[0, 0, 0].tolist() == [60, 60, 60]
    floats = np.full((1, 2, 2, 3), [0.5, -1.0, 0.0], "float32")
    value = kg.data.open_source(floats, channels=1).samples[0, 0, 0, 0]
    np.testing.assert_allclose(value, 0.5 * 0.299 - 0.587, rtol=1e-5)


def test_resized_floats_stay_in_range():
    images = np.sign(np.random.default_rng(0).normal(size=(2, 8, 8, 3))).astype("float32")
    resized = kg.data.open_source(images, image_size=32).samples
    assert np.abs(resized).max() == 1.0


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3, 4, 4), "uint8"), r"\(2, 3, 4, 4\)"),
        (np.zeros((2, 4, 4, 3), "int64"), "int64"),
        (np.zeros((2, 4), "uint8"), "points is float"),
        (np.zeros((0, 4, 4, 3), "uint8"), r"\(0, 4, 4, 3\)"),
        (np.full((2, 4, 4, 3), 200.0), r"\[200, 200\]"),
        (np.full((2, 4, 4, 3), np.nan), "NaN"),
        ((np.zeros((2, 4, 4, 3), "uint8"), [1, 2, 3]), "labels of 2 images"),
        ((np.zeros((2, 4, 4, 3), "uint8"), [0.5, 1.0]), "float64"),
    ],
)
def test_unusable_arrays(array, message):
    with pytest.raises(UserError, match=message):
        kg.data.open_source(array)
    with pytest.raises(UserError, match=message):
        kg.data.check_source(array)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "image_size"),
        ({"image_size": 32.0}, "32.0"),
        ({"image_size": True}, "True"),
        ({"channels": 4}, "channels is 1"),
        ({"split": "test"}, "one split"),
        ({"labels": True}, r"\(images, labels\)"),
        ({"data_dir": "/tmp"}, "data_dir"),
    ],
)
def test_unusable_options(options, message):
    with pytest.raises(UserError, match=message):
        kg.data.open_source(random_images(2, 4, 4, 3), **options)


def test_points_take_no_image_options():
    with pytest.raises(UserError, match="image_size"):
        kg.data.open_source(np.zeros((4, 2), "float32"), image_size=8)


def test_what_is_no_data_set():
    with pytest.raises(UserError, match="int"):
        kg.data.open_source(3)


def test_large_results_are_mapped_whole_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path))
    images = random_images(6, 8, 8, 1)
    in_memory = kg.data.open_source(images, image_size=4).samples
    monkeypatch.setattr(cache, "IN_MEMORY_BYTES", 10)
    mapped = kg.data.open_source(images, image_size=4).samples
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, in_memory)
    (path,) = (tmp_path / "arrays").iterdir()
    written = path.stat().st_mtime_ns
    kg.data.open_source(images, image_size=4)
    assert [entry.stat().st_mtime_ns for entry in (tmp_path / "arrays").iterdir()] == [written]
    kg.data.open_source(255 - images, image_size=4)
    assert len(list((tmp_path / "arrays").iterdir())) == 2


def test_an_interrupted_filling_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path))
    monkeypatch.setattr(cache, "IN_MEMORY_BYTES", 10)

    def interrupted(array):
        array[0] = 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.filled_array((100,), "uint8", interrupted, lambda: "one")
    assert list((tmp_path / "arrays").iterdir()) == []
    filled = cache.filled_array((100,), "uint8", lambda array: array.fill(7), lambda: "one")
    assert filled.tolist() == [7] * 100


def test_a_disk_too_small(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="KERAS_GANS_CACHE"):
        cache.filled_array((2**62,), "uint8", lambda array: None, lambda: "huge")


def test_what_killed_processes_left_is_cleared(tmp_path, monkeypatch):
    abandoned, recent = tmp_path / ".partial-old", tmp_path / ".partial-new"
    abandoned.mkdir()
    recent.mkdir()
    os.utime(abandoned, (0, 0))
    with cache.made_atomically(tmp_path / "thing") as workshop:
        (workshop / "thing").write_text("whole")
    assert {entry.name for entry in tmp_path.iterdir()} == {"thing", ".partial-new"}


def test_whoever_finishes_first_provides_a_folder(tmp_path):
    target = tmp_path / "made"
    with cache.made_atomically(target) as workshop:
        (workshop / "made").mkdir()
        target.mkdir()
        (target / "theirs").touch()
    assert [entry.name for entry in target.iterdir()] == ["theirs"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["made"]
