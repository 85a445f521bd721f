"""Feature extractors: classifiers trained here, kept whole, and found again; Inception where it is at hand."""

import dataclasses
import json
import os
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

import keras_gans as kg
from keras_gans import data, metrics
from keras_gans.data import cache, network
from keras_gans.errors import UserError
from keras_gans.metrics import classifiers, features

QUICK = dataclasses.replace(classifiers.CLASSIFIERS["digits"], blocks=((8, 3, 2),), features=16, epochs=2)


@pytest.fixture(scope="module")
def trained():
    """(network, record) of a digits classifier that is trained in a few seconds."""
    return classifiers.train(QUICK)


@pytest.fixture
def quick(tmp_path, monkeypatch, trained):
    """A cache of its own, in which "training" gives `trained`; returns (the classifiers' folder, list of trainings)."""
    trainings = []

    def train(definition, **options):
        trainings.append(definition)
        return trained

    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    monkeypatch.setitem(classifiers.CLASSIFIERS, "digits", QUICK)
    monkeypatch.setattr(classifiers, "train", train)
    return tmp_path / "classifiers", trainings


@pytest.fixture(scope="module")
def digits_extractor():
    return metrics.extractor("digits")


def test_the_digits_classifier_classifies_held_out_digits(digits_extractor):
    held_out = kg.data.open_source("digits", split="test", labels=True)
    found, probabilities = digits_extractor.features_and_probabilities(held_out.samples)
    accuracy = (probabilities.argmax(axis=1) == held_out.labels).mean()
    assert accuracy >= 0.97
    assert digits_extractor.accuracy == pytest.approx(accuracy)
    assert found.shape == (500, digits_extractor.dimensions) and found.dtype == probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)
    assert digits_extractor.class_names == tuple("0123456789") and digits_extractor.image_shape == (8, 8, 1)


def test_features_have_a_mean_square_of_one(digits_extractor):
    train = digits_extractor.features(kg.data.open_source("digits").samples)
    assert np.mean(np.square(train)) == pytest.approx(1.0, rel=0.02)


def test_uint8_and_float_images_give_the_same(digits_extractor):
    images = kg.data.open_source("digits", split="test").samples[:20]
    floats = images.astype("float32") / 127.5 - 1.0
    expected = digits_extractor.features(images)
    np.testing.assert_allclose(digits_extractor.features(floats), expected, atol=1e-4)
    np.testing.assert_allclose(digits_extractor.features(images, batch_size=3), expected, atol=1e-4)


def test_images_of_another_shape_are_fitted_by_the_rule():
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype("uint8")
    grey = images @ np.array([0.2989, 0.587, 0.114])
    fitted = np.asarray(features.fitted(images, (16, 16, 1)))
    np.testing.assert_allclose(fitted[..., 0], grey / 127.5 - 1.0, atol=1e-3)
    colour = np.asarray(features.fitted(images[..., :1], (16, 16, 3)))
    np.testing.assert_allclose(colour, np.repeat(images[..., :1] / 127.5 - 1.0, 3, axis=-1), atol=1e-5)
    # Halved with antialiasing, a checkerboard is grey; without, it would stay black or white.
    board = np.indices((16, 16)).sum(axis=0) % 2 * 255
    halved = np.asarray(features.fitted(board[np.newaxis, ..., np.newaxis].astype("uint8"), (8, 8, 1)))
    assert np.abs(halved[:, 1:-1, 1:-1]).max() < 0.05


def test_a_classifier_is_trained_once_and_found_again(quick):
    folder, trainings = quick
    first, second = metrics.extractor("digits"), metrics.extractor("digits")
    assert trainings == [QUICK]
    assert second.identity == first.identity and second.accuracy == first.accuracy
    record = json.loads(next(folder.glob("digits-*/record.json")).read_text())
    assert record["identity"] == first.identity and record["test_images"] == 500 and record["seconds"] > 0


def test_another_definition_is_another_classifier(quick, monkeypatch):
    folder, trainings = quick
    metrics.extractor("digits")
    monkeypatch.setitem(classifiers.CLASSIFIERS, "digits", dataclasses.replace(QUICK, epochs=1))
    metrics.extractor("digits")
    assert len(trainings) == len(list(folder.iterdir())) == 2


def test_a_classifier_is_a_function_of_its_seed_under_any_precision(trained):
    drawn = np.random.get_state()[1].copy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        again, _ = classifiers.train(QUICK)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert classifiers.identity_of(again) == trained[1]["identity"]
    np.testing.assert_array_equal(np.random.get_state()[1], drawn)
    first, other = (classifiers.build(QUICK, (8, 8, 1), 10, seed)[0] for seed in (0, 1))
    assert classifiers.identity_of(first) != classifiers.identity_of(other)


def test_a_failure_while_training_leaves_nothing_behind(quick, monkeypatch):
    def broken(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", broken)
    with pytest.raises(OSError, match="No space left"):
        metrics.extractor("digits")
    assert not list(quick[0].iterdir())


@pytest.mark.parametrize("damage", ["cut", "swapped"])
def test_a_damaged_classifier_is_named(quick, damage):
    metrics.extractor("digits")
    (folder,) = quick[0].iterdir()
    if damage == "cut":
        whole = (folder / "network.keras").read_bytes()
        (folder / "network.keras").write_bytes(whole[: len(whole) // 2])
    else:
        record = json.loads((folder / "record.json").read_text())
        (folder / "record.json").write_text(json.dumps({**record, "identity": "0" * 16}))
    with pytest.raises(UserError, match=f"{folder.name} cannot be used.*Delete that folder"):
        metrics.extractor("digits")


def test_the_identity_is_of_weights_and_settings():
    def network_of(scale, strides=1, seed=0):
        inputs = keras.Input((4, 4, 1))
        initial = keras.initializers.GlorotUniform(seed=seed)
        values = keras.layers.Conv2D(2, 3, strides, "same", kernel_initializer=initial)(inputs)
        return keras.Model(inputs, keras.layers.Rescaling(scale)(keras.layers.Flatten()(values)))

    identity = classifiers.identity_of
    assert identity(network_of(1.0)) == identity(network_of(1.0)), "layers' automatic names differ and do not matter"
    others = {identity(each) for each in (network_of(2.0), network_of(1.0, strides=2), network_of(1.0, seed=1))}
    assert len(others | {identity(network_of(1.0))}) == 4


def test_an_extractor_without_a_classifier_says_so():
    inputs = keras.Input((8, 8, 1))
    plain = features.Extractor("plain", keras.Model(inputs, keras.layers.Flatten()(inputs)))
    images = np.zeros((3, 8, 8, 1), np.uint8)
    assert plain.features(images).shape == (3, 64) and plain.accuracy is None and plain.class_names is None
    with pytest.raises(UserError, match="'plain' has no classifier.*digits"):
        plain.probabilities(images)


def test_points_and_names_that_are_none_are_refused(digits_extractor):
    with pytest.raises(UserError, match="takes images.*not points"):
        digits_extractor.features(np.zeros((5, 2), np.float32))
    with pytest.raises(UserError, match="Unknown extractor 'minst'. Did you mean 'mnist'"):
        metrics.extractor("minst")
    with pytest.raises(UserError, match="'ring/wide' holds points.*digits, mnist"):
        metrics.extractor_for("ring/wide")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("digits", "digits"),
        ("mnist:3.0.1", "mnist"),
        ("cifar10", "cifar10"),
        ("./mnist", "patches"),
        ("celeb_a", "patches"),
    ],
)
def test_a_data_set_has_an_extractor_that_fits(data, expected):
    assert features.name_for(data) == expected


def test_without_network_inception_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(network, "is_reachable", lambda: False)
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **_: pytest.fail("a download was tried"))
    with pytest.raises(UserError, match="no network.*inception_v3_weights.*digits, mnist"):
        metrics.extractor("inception")


def test_any_images_have_features_without_labels_or_network(monkeypatch):
    monkeypatch.setattr(network, "is_reachable", lambda: pytest.fail("a network was asked for"))
    images = data.open_source("digits", image_size=16).samples[:400]
    random = features.random_extractor((16, 16, 1))
    # The weights are a function of the shape alone.
    assert features.random_extractor((16, 16, 1)).identity == random.identity
    patches = metrics.Evaluation(images, ["frechet_distance"], 100).prepare().extractor
    worse = [
        images[200:],
        (images[200:] * 0.5 + np.roll(images[200:], 1, axis=2) * 0.5).astype(np.uint8),
        np.repeat(images[200:210], 20, axis=0),
        np.random.default_rng(0).integers(0, 256, (200, 16, 16, 1), np.uint8),
    ]
    for extractor, name in ((random, "random"), (patches, "patches")):
        assert (extractor.name, extractor.dimensions, extractor.class_count) == (name, 64, 0)
        evaluation = metrics.Evaluation(images[:200], ["frechet_distance"], 100, 0, extractor)
        found = [evaluation.of_samples(samples)[0].value for samples in worse]
        assert found == sorted(found) and found[-1] > 5 * found[0], "held-out, blurred, few, noise"


def test_images_with_too_few_patches_to_learn_from_have_random_features():
    images = np.random.default_rng(0).integers(0, 256, (65, 8, 9, 3), np.uint8)
    found = [features.name_for(data.open_source(some)) for some in (images, images[1:], images[:, :7])]
    assert found == ["patches", "random", "random"], "65 of them, 64 and of 7 pixels"


def folder_of_classes(folder, each):
    """Class folders of digits of 8x8 pixels, so many of every class."""
    source = data.open_source("digits", labels=True)
    for number in range(3):
        (folder / f"kind {number}").mkdir(parents=True)
        for index, image in enumerate(source.samples[source.labels == number][:each]):
            Image.fromarray(image[..., 0]).save(folder / f"kind {number}" / f"{index}.png")
    return folder


def test_images_in_class_folders_are_compared_in_features_of_their_own_classes(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(classifiers, "_FEWEST_STEPS", 100)
    folder = folder_of_classes(tmp_path / "images", 60)
    source = data.hold_out(data.open_source(folder), 0.2)
    extractor = metrics.extractor_for(source)
    assert (extractor.name, extractor.class_names) == ("own_classes", ("kind 0", "kind 1", "kind 2"))
    found = extractor.probabilities(source.held_out.samples).argmax(axis=1)
    assert extractor.accuracy == pytest.approx((found == source.held_out.labels).mean()) and extractor.accuracy > 0.9
    # Whether a scheme trains on the labels or not: both runs' figures may be compared.
    evaluation = metrics.Evaluation(source, samples=30).prepare()
    assert evaluation.extractor.identity == extractor.identity and "classifier_score" in evaluation.names
    protocol = evaluation.protocols()["frechet_distance"]
    assert (protocol.extractor, protocol.extractor_identity) == ("own_classes", extractor.identity)


def test_fewer_images_than_a_batch_of_classifiers_have_one_too(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(classifiers, "_FEWEST_STEPS", 60)
    folder = folder_of_classes(tmp_path / "images", 31)
    shutil.rmtree(folder / "kind 2")
    source = data.open_source(folder)
    assert len(source) == 62 and metrics.extractor_for(source).name == "own_classes"


def test_a_test_split_without_a_class_is_asked_in_the_numbers_of_the_training_data(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(classifiers, "_FEWEST_STEPS", 100)
    folder_of_classes(tmp_path / "images" / "train", 60)
    tested = folder_of_classes(tmp_path / "images" / "test", 60)
    shutil.rmtree(tested / "kind 0")
    source = data.open_source(tmp_path / "images", labels=True)
    assert metrics.extractor_for(source).accuracy > 0.9
    # A class that training data do not have is not asked for.
    (tested / "kind 1").rename(tested / "another")
    assert metrics.extractor_for(source).accuracy is None


def test_too_few_images_of_a_class_are_compared_in_features_that_need_no_classes(tmp_path):
    source = data.open_source(folder_of_classes(tmp_path / "images", 29))
    assert features.name_for(source) == "patches"
    with pytest.raises(UserError, match="30 on average.*has 87 of 3 classes.*'random'"):
        metrics.Evaluation(source, extractor="own_classes")
    with pytest.raises(UserError, match="two classes or more.*has none"):
        features.own_classes_extractor(data.open_source(source.samples))


def test_without_a_classifier_there_is_no_classifier_score():
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
    names = metrics.Evaluation(images).names
    assert "frechet_distance" in names and "classifier_score" not in names
    with pytest.raises(UserError, match="'classifier_score' needs a classifier.*--extractor"):
        metrics.Evaluation(images, ["classifier_score"])
    with pytest.raises(UserError, match=r"'random' is made for the shape.*random_extractor\(image_shape\)"):
        metrics.extractor("random")


@pytest.mark.slow
def test_inceptions_probabilities_and_features_are_those_of_its_layers(monkeypatch):
    make = keras.applications.InceptionV3
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda weights, **options: make(weights=None, **options))
    monkeypatch.setattr(network, "is_reachable", lambda: True)
    inception = metrics.extractor("inception")
    assert (inception.image_shape, inception.dimensions, inception.class_count) == ((299, 299, 3), 2048, 1000)
    found, probabilities = inception.features_and_probabilities(np.zeros((2, 8, 8, 1), np.uint8))
    assert found.shape == (2, 2048) and probabilities.shape == (2, 1000)


@pytest.mark.network
def test_inception_recognises_what_imagenet_taught_it():
    inception = metrics.extractor("inception")
    assert inception.identity == metrics.extractor("inception").identity


@pytest.mark.slow
@pytest.mark.parametrize(("name", "accuracy"), [("mnist", 0.985), ("fashion_mnist", 0.88), ("cifar10", 0.6)])
def test_the_other_classifiers_reach_their_accuracy(name, accuracy):
    if not os.path.isdir(os.path.join(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets"), name)):
        pytest.skip(f"{name} is not prepared in $TFDS_DATA_DIR")
    trained = metrics.extractor(name)
    print(f"\n{trained}")
    assert trained.accuracy >= accuracy
