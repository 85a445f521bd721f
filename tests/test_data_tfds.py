"""Data sets by name: the embedded builders, TensorFlow Datasets, and no network."""

import itertools
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import keras_gans as kg
from keras_gans.data import embedded, network
from keras_gans.errors import UserError
from keras_gans.fields import Texts
from tests.processes import HANGS, forked


def run_python(script, **environment):
    finished = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=HANGS,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    return finished


def test_importing_is_light():
    run_python(
        "import sys, keras_gans as kg; kg.data.names(); kg.data.ring_centres(); kg.data.check_source('digits')\n"
        "heavy = {'tensorflow', 'tensorflow_datasets', 'sklearn', 'keras', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )


def test_checking_a_tfds_name_needs_no_tensorflow():
    run_python("import sys, keras_gans as kg; kg.data.check_source('mnist'); assert 'tensorflow' not in sys.modules")


@pytest.mark.parametrize("order", ["keras_gans.data, tensorflow_datasets", "tensorflow_datasets, keras_gans.data"])
def test_tfds_knows_the_embedded_names(order):
    run_python(
        f"import {order}\nimport keras_gans as kg, tensorflow_datasets as tfds\nkg.data.register_with_tfds()\n"
        "assert {'digits', 'ring', 'grid'} <= set(tfds.list_builders(with_community_datasets=False))\n"
        "assert sorted(tfds.builder_cls('ring').builder_configs) == ['narrow', 'wide']"
    )


def test_tfds_load_prepares_the_embedded(tmp_path):
    import tensorflow_datasets as tfds

    kg.data.register_with_tfds()
    dataset, info = tfds.load("digits", split="test", data_dir=tmp_path, with_info=True)
    assert len(dataset) == 500
    assert "CC BY 4.0" in info.description and "Alpaydin" in info.citation


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    digits = load_digits()
    parts = [kg.data.open_source("digits", split=split) for split in ("train", "test")]
    assert [len(part) for part in parts] == [1297, 500]
    assert {part.sample_shape for part in parts} == {(8, 8, 1)}

    def collection(images, labels):
        return sorted(image.tobytes() + bytes([label]) for image, label in zip(images, labels, strict=True))

    images, labels = (np.concatenate([getattr(part, name) for part in parts]) for name in ("samples", "labels"))
    expected = np.round(digits.images * 255 / 16).astype("uint8")
    assert collection(images, labels) == collection(expected, digits.target)
    shares = np.bincount(parts[1].labels) / np.bincount(digits.target)
    np.testing.assert_allclose(shares, 500 / 1797, atol=0.004)


@pytest.mark.parametrize(
    ("name", "centres", "sigma"),
    [
        ("ring", kg.data.ring_centres(), 0.01),
        ("ring/wide", kg.data.ring_centres(kg.data.RING_RADII["wide"]), 0.1 / 1.414),
        ("grid", kg.data.grid_centres(), 0.05),
    ],
)
def test_points_are_balanced_gaussians(name, centres, sigma):
    test = kg.data.open_source(name, split="test")
    assert test.is_points and test.samples.dtype == np.float32 and test.sample_shape == (2,)
    assert set(np.bincount(test.labels)) == {10_000 // len(centres)}
    residual = test.samples - centres[test.labels]
    np.testing.assert_allclose(residual.std(axis=0), sigma, rtol=0.03)
    np.testing.assert_allclose(residual.mean(axis=0), 0.0, atol=4 * sigma / 100)


def test_train_and_test_points_differ():
    train, test = (kg.data.open_source("ring", split=split) for split in ("train", "test"))
    assert (len(train), len(test)) == (50_000, 10_000)
    assert not set(map(bytes, train.samples)) & set(map(bytes, test.samples))


@pytest.mark.slow
def test_stacked_digits_hold_a_digit_in_each_channel():
    splits = {split: kg.data.open_source("stacked_digits", split=split).samples for split in ("train", "test")}
    assert {split: rows.shape for split, rows in splits.items()} == {
        "train": (50_000, 8, 8, 3),
        "test": (26_000, 8, 8, 3),
    }
    for split, stacked in splits.items():
        _assert_stacked(stacked[:20_000], split)


def test_stacked_digits_are_of_their_own_split(tmp_path):
    from keras_gans.data.builders import StackedDigits

    for split in ("train", "test"):
        rows = StackedDigits(data_dir=tmp_path)._generate_examples(split)
        _assert_stacked(np.stack([row["image"] for _, row in itertools.islice(rows, 20_000)]), split)


def _assert_stacked(stacked, split):
    digits = {image.tobytes() for image in kg.data.open_source("digits", split=split).samples}
    channels = {image.tobytes() for rows in np.moveaxis(stacked, -1, 0) for image in rows}
    assert channels == digits, "every digit of the split, and none of the other"


def test_centres():
    np.testing.assert_allclose(np.linalg.norm(kg.data.ring_centres(3.0, modes=5), axis=1), 3.0, rtol=1e-6)
    assert kg.data.ring_centres().shape == (8, 2) and kg.data.ring_centres()[0].tolist() == [1.0, 0.0]
    assert {tuple(centre) for centre in kg.data.grid_centres().tolist()} == {
        (float(x), float(y)) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)
    }


def test_names_describe_what_can_be_opened():
    names = kg.data.names()
    translated = ["digits_over_photographs", "digits_over_photographs/mnist", "photographed_digits", "digit_styles"]
    captioned = ["shapes", "shapes/16", "shapes/64"]
    others = ["digits", "stacked_digits", "stacked_digits/mnist", "ring", "ring/wide", "grid", "numbers_and_dates"]
    assert {*names} == {*others, *translated, *captioned}
    for name, description in names.items():
        kg.data.check_source(name)
        assert description and "\n" not in description


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("0", "zero"),
        ("1001", "one thousand and one"),
        ("4096", "four thousand and ninety six"),
        ("9312", "nine thousand three hundred and twelve"),
    ],
)
def test_numbers_in_words(digits, words):
    assert embedded.number_in_words(int(digits)) == words


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ((1900, 5, 12), "the twelfth of may nineteen hundred"),
        ((1905, 2, 20), "the twentieth of february nineteen oh five"),
        ((1987, 7, 23), "the twenty third of july nineteen eighty seven"),
        ((2000, 1, 1), "the first of january two thousand"),
        ((2007, 12, 30), "the thirtieth of december two thousand and seven"),
        ((2031, 3, 31), "the thirty first of march twenty thirty one"),
    ],
)
def test_dates_in_words(date, words):
    assert embedded.date_in_words(*date) == words


def test_numbers_and_dates_are_pairs_of_which_none_is_in_both_splits():
    pairs = {}
    for split, count in (("train", 12_000), ("test", 600)):
        source = kg.data.open_source("numbers_and_dates", split=split)
        assert {name: type(field) for name, field in source.fields.items()} == {"source": Texts, "target": Texts}
        rows = source.rows_for({"source": (Texts,), "target": (Texts,)})
        pairs[split] = dict(zip(rows["source"], rows["target"], strict=True))
        assert len(pairs[split]) == count, "no text in digits occurs twice"
    assert not pairs["train"].keys() & pairs["test"].keys()
    assert pairs["train"]["2034-10-01 2773"] == (
        "two thousand seven hundred and seventy three on the first of october twenty thirty four"
    )
    kinds = [sum(mark in text for text in pairs["test"]) for mark in ("-", " ")]
    assert kinds == [400, 200], "a third are numbers, a third dates, a third a date with a number"


def test_digits_resized_in_colour_with_labels():
    dataset = kg.data.load("digits", image_size=16, channels=3, labels=True, batch_size=32)
    images, labels = next(iter(dataset))
    assert images.shape == (32, 16, 16, 3) and labels.shape == (32,)
    np.testing.assert_array_equal(images[..., 0], images[..., 2])
    assert images.numpy().min() >= -1.0 and images.numpy().max() <= 1.0


def test_a_slice_of_a_split():
    whole = kg.data.open_source("digits", split="test")
    half = kg.data.open_source("digits", split="test[:250]")
    np.testing.assert_array_equal(half.samples, whole.samples[:250])
    assert whole.class_names == tuple("0123456789")


@pytest.mark.slow
def test_points_are_parsed_once_and_again_where_what_was_kept_is_damaged(tmp_path, monkeypatch):
    from keras_gans.data import tfds_source

    parse, parsed = tfds_source._read, []
    monkeypatch.setattr(tfds_source, "_read", lambda *args: parsed.append(args[1]) or parse(*args))
    first, second = (kg.data.open_source("ring", split="test", data_dir=tmp_path) for _ in range(2))
    assert parsed == ["test"]
    np.testing.assert_array_equal(first.samples, second.samples)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert second.samples.dtype == np.float32 and second.class_names == first.class_names
    (kept,) = tmp_path.rglob("*.npz")
    whole = kept.read_bytes()
    for damaged in (b"", whole[:1000], whole[:-1000], b"x" * 5000):
        kept.write_bytes(damaged)
        again = kg.data.open_source("ring", split="test", data_dir=tmp_path)
        np.testing.assert_array_equal(first.samples, again.samples)
        assert kept.read_bytes() == whole
    assert parsed == ["test"] * 5
    half = kg.data.open_source("ring", split="test[:50%]", data_dir=tmp_path)
    assert len(half) == 5000, "a part of a split is kept by itself"


def test_preparing_is_silent_and_leaves_tfds_data_dir_alone(tmp_path):
    finished = run_python(
        "import keras_gans as kg; kg.data.open_source('digits')",
        KERAS_GANS_CACHE=str(tmp_path / "cache"),
        TFDS_DATA_DIR=str(tmp_path / "tfds"),
    )
    assert finished.stdout == ""
    assert "WARNING:absl" not in finished.stderr and "examples" not in finished.stderr
    assert not (tmp_path / "tfds").exists()
    assert (tmp_path / "cache" / "tfds" / "digits" / "1.0.0").is_dir()


def prepare_digits(cache):
    os.environ["KERAS_GANS_CACHE"] = cache
    assert len(kg.data.open_source("digits", split="test")) == 500


def test_two_processes_prepare_at_once(tmp_path):
    both = [forked.Process(target=prepare_digits, args=(str(tmp_path),)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(HANGS)
        assert process.exitcode == 0
    assert [entry.name for entry in (tmp_path / "tfds" / "digits").iterdir()] == ["1.0.0"]


def test_an_interrupted_preparation_does_no_harm(tmp_path, monkeypatch):
    from keras_gans.data.builders import Digits

    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path))
    examples = Digits._generate_examples

    def interrupted(self, *rows):
        for number, example in enumerate(examples(self, *rows)):
            if number == 50:
                raise KeyboardInterrupt
            yield example

    monkeypatch.setattr(Digits, "_generate_examples", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kg.data.open_source("digits")
    assert list((tmp_path / "tfds" / "digits").iterdir()) == []
    monkeypatch.setattr(Digits, "_generate_examples", examples)
    assert len(kg.data.open_source("digits")) == 1297


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="KERAS_GANS_CACHE"):
        kg.data.open_source("digits")


def test_embedded_data_in_a_folder_of_ones_own(tmp_path):
    kg.data.open_source("digits", data_dir=tmp_path)
    assert (tmp_path / "digits" / "1.0.0" / "dataset_info.json").is_file()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnits", "Unknown data set 'mnits'. Did you mean .*'mnist'.*digits.*tfds.list_builders"),
        ("digts", "Did you mean .*'digits'"),
        ("ring/wid", "'ring/wide'"),
        ("digits/large", "Unknown data set 'digits/large'"),
    ],
)
def test_unknown_names(name, message):
    for use in (kg.data.open_source, kg.data.check_source):
        with pytest.raises(UserError, match=message):
            use(name)


def test_unknown_names_are_refused_without_a_long_list():
    with pytest.raises(UserError) as caught:
        kg.data.check_source("zzzzzz")
    assert len(str(caught.value)) < 400


def test_unknown_split():
    with pytest.raises(UserError, match="no split 'valid'. It has: .*train"):
        kg.data.open_source("digits", split="valid")


def test_points_take_no_image_options():
    with pytest.raises(UserError, match="holds points"):
        kg.data.open_source("ring", image_size=32)


def test_unknown_configuration(tmp_path):
    with pytest.raises(UserError, match="horse2zebra"):
        kg.data.open_source("cycle_gan/horse2zebr", data_dir=tmp_path)


def test_a_data_set_without_images(tmp_path):
    with pytest.raises(UserError, match=r"no feature 'image'.*image_sequence"):
        kg.data.open_source("moving_mnist", data_dir=tmp_path)


@pytest.fixture
def closed_port(monkeypatch):
    """An address at which nothing answers, probed instead of the internet."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = unused.getsockname()
    monkeypatch.setattr(network, "PROBED_ADDRESSES", [address])
    monkeypatch.setattr(network, "TIMEOUT_SECONDS", HANGS)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_not_prepared_and_no_network(closed_port, tmp_path):
    with pytest.raises(UserError, match="(?s)'mnist' is not prepared.*no network.*TFDS_DATA_DIR.*digits, .*ring"):
        kg.data.open_source("mnist", data_dir=tmp_path)


def test_the_probe(closed_port, monkeypatch):
    assert not network.is_reachable()
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(network, "PROBED_ADDRESSES", [*network.PROBED_ADDRESSES, server.getsockname()])
        assert network.is_reachable()


def test_a_name_server_that_does_not_answer_holds_nobody_up(closed_port, monkeypatch):
    answered = threading.Event()

    def hang(*args, **kwargs):
        answered.wait(HANGS)
        raise OSError

    monkeypatch.setattr(network, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(network.socket, "create_connection", hang)
    assert not network.is_reachable(), "which returns although nobody has answered yet"
    answered.set()


def test_a_proxy_is_trusted(closed_port, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert network.is_reachable()


def test_what_the_user_registers_needs_no_network(closed_port, tmp_path):
    """A builder of the user's own, with images of several sizes and labels withheld in one split."""
    import tensorflow_datasets as tfds

    class OwnPictures(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(None, None, 3)),
                "label": tfds.features.ClassLabel(names=["dark", "light"]),
            }
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples(True), "test": self._generate_examples(False)}

        def _generate_examples(self, labelled):
            for number in range(6):
                image = np.full((10 + number, 20, 3), 255 * (number % 2), "uint8")
                yield number, {"image": image, "label": number % 2 if labelled else -1}

    try:
        source = kg.data.open_source("own_pictures", data_dir=tmp_path, labels=True)
        assert source.sample_shape == (64, 64, 3) and source.class_names == ("dark", "light")
        np.testing.assert_array_equal(source.samples[:, 0, 0, 0], source.labels * 255)
        assert kg.data.open_source("own_pictures", data_dir=tmp_path, image_size=8).sample_shape == (8, 8, 3)
        with pytest.raises(UserError, match="Labels are wanted.*withholds"):
            kg.data.open_source("own_pictures", split="test", data_dir=tmp_path, labels=True)
    finally:
        from tensorflow_datasets.core import registered

        registered._DATASET_REGISTRY.pop("own_pictures")


def test_large_data_sets_are_mapped_with_their_labels(monkeypatch, tmp_path):
    from keras_gans.data import cache

    in_memory = kg.data.open_source("digits", split="test")
    monkeypatch.setattr(cache, "IN_MEMORY_BYTES", 10)
    for _ in range(2):
        mapped = kg.data.open_source("digits", split="test")
        assert isinstance(mapped.samples, np.memmap)
        np.testing.assert_array_equal(mapped.samples, in_memory.samples)
        np.testing.assert_array_equal(mapped.labels, in_memory.labels)


@pytest.mark.parametrize(
    ("name", "shape", "sizes"),
    [
        ("mnist", (28, 28, 1), (60_000, 10_000)),
        ("fashion_mnist", (28, 28, 1), (60_000, 10_000)),
        ("cifar10", (32, 32, 3), (50_000, 10_000)),
    ],
)
def test_prepared_data_sets_need_no_network(closed_port, name, shape, sizes):
    folder = os.environ.get("TFDS_DATA_DIR")
    if not folder or not (Path(folder) / name).is_dir():
        pytest.skip(f"TFDS_DATA_DIR holds no prepared {name}")
    source = kg.data.open_source(name, split="test", labels=True)
    assert (source.sample_shape, len(source), source.samples.dtype) == (shape, sizes[1], np.uint8)
    assert np.bincount(source.labels).size == len(source.class_names) == 10
    images, labels = next(iter(kg.data.to_dataset(source, labels=True)))
    assert images.shape == (64, *shape) and labels.shape == (64,)
    tenth = kg.data.open_source(name, split="train[:10%]", image_size=16)
    assert (len(tenth), tenth.sample_shape) == (sizes[0] // 10, (16, 16, shape[-1]))
