"""What is set aside to measure with: how much, which rows, of which data."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

import keras_gans as kg
from keras_gans.data import cache
from keras_gans.data.holding_out import has_held_out_split, held_out_of
from keras_gans.errors import NoSplitError, UserError
from keras_gans.metrics import Evaluation, TextEvaluation
from keras_gans.registry import sources


def noise(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 1), np.uint8)


def save_all(folder, images):
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        Image.fromarray(image[..., 0]).save(folder / f"{index:04d}.png")


def rows_of(source):
    return {row.tobytes() for row in source.samples}


def test_a_share_is_set_aside_and_nothing_is_lost():
    whole = kg.data.open_source(noise(2000))
    training = kg.data.hold_out(whole, 0.1)
    assert len(training) + len(training.held_out) == 2000 and 150 <= len(training.held_out) <= 250
    assert not rows_of(training) & rows_of(training.held_out)
    assert rows_of(training) | rows_of(training.held_out) == rows_of(whole)


def test_copies_of_an_image_stay_on_one_side():
    images = noise(300)
    training = kg.data.hold_out(kg.data.open_source(np.concatenate([images, images[::-1], images])), 0.3)
    assert not rows_of(training) & rows_of(training.held_out)
    assert len(training.held_out) % 3 == 0


def test_which_rows_depends_on_nothing_but_what_they_hold():
    images = noise(300)
    few, many = (kg.data.hold_out(kg.data.open_source(each), 0.2).held_out for each in (images[:200][::-1], images))
    assert rows_of(few) == rows_of(many) & {row.tobytes() for row in images[:200]}


def test_labels_stay_with_their_images(tmp_path):
    images = noise(60)
    for index, name in enumerate("abc"):
        save_all(tmp_path / name, images[index::3])
    training = kg.data.hold_out(kg.data.open_source(tmp_path), 0.25)
    known = {image.tobytes(): index % 3 for index, image in enumerate(images)}
    for source in (training, training.held_out):
        assert source.labels.tolist() == [known[row.tobytes()] for row in source.samples]


def test_a_test_split_that_cannot_be_read_is_not_none(tmp_path):
    save_all(tmp_path / "train", noise(40))
    save_all(tmp_path / "test", noise(20, 1))
    (tmp_path / "test/0000.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="1 of 20 images cannot be read"):
        held_out_of(kg.data.open_source(tmp_path))
    assert len(held_out_of(kg.data.open_source(tmp_path, skip_unreadable=True))) == 19


def test_a_test_split_without_labels_is_passed_over(monkeypatch):
    @kg.data.register_source("withheld")
    def withheld(*, split="train", **options):
        if split == "val":
            raise NoSplitError("there are train, test and validation")
        labels = {} if split == "test" else {"label": [0, 1] * 10}
        return kg.data.Source.of({"image": noise(20), **labels}, name="withheld", split=split)

    try:
        training = kg.data.open_source("withheld")
        assert held_out_of(training).split == "test" and held_out_of(training, labels=True).split == "validation"
    finally:
        sources._registered.pop("withheld")


def test_captions_are_measured_with_what_was_held_out(tmp_path):
    save_all(tmp_path, noise(200))
    rows = [f"{number:04d}.png,noise of number {number}" for number in range(200)]
    (tmp_path / "metadata.csv").write_text("file_name,text\n" + "\n".join(rows) + "\n")
    training = kg.data.hold_out(kg.data.open_source(tmp_path), 0.3)
    held, split = TextEvaluation(training, samples=32)._opened[""]
    assert split == "held out of train" and rows_of(held) == rows_of(training.held_out)


def test_two_collections_each_give_a_share(tmp_path):
    save_all(tmp_path / "a", noise(200, 1))
    save_all(tmp_path / "b", noise(100, 2))
    training = kg.data.hold_out(kg.data.open_source(f"{tmp_path / 'a'} + {tmp_path / 'b'}"), 0.2)
    counts = {name: (len(column), len(training.held_out.columns[name])) for name, column in training.columns.items()}
    assert sum(counts["image_a"]) == 200 and sum(counts["image_b"]) == 100
    assert min(held for _, held in counts.values()) >= 10


def test_sentences_are_held_out_with_their_translations(tmp_path):
    for side in ("en", "de"):
        (tmp_path / side).write_text("".join(f"{side} {number}\n" for number in range(200)))
    training = kg.data.hold_out(kg.data.open_source(f"{tmp_path / 'en'} = {tmp_path / 'de'}"), 0.2)
    for source in (training, training.held_out):
        pairs = zip(*(column.values.first(200) for column in source.columns.values()), strict=True)
        assert all(a.removeprefix("en") == b.removeprefix("de") for a, b in pairs)


def test_data_with_a_split_of_their_own_are_left_whole(tmp_path):
    save_all(tmp_path / "train", noise(20))
    save_all(tmp_path / "test", noise(10, 1))
    for name in (str(tmp_path), "digits", "ring", "digit_styles"):
        assert has_held_out_split(name)
        assert kg.data.hold_out(kg.data.open_source(name), 0.5).held_out is None
    assert not has_held_out_split(str(tmp_path / "train"))
    assert len(held_out_of(kg.data.open_source(tmp_path))) == 10


def test_what_was_held_out_is_what_samples_are_compared_with(tmp_path):
    save_all(tmp_path, noise(200))
    training = kg.data.hold_out(kg.data.open_source(tmp_path), 0.2)
    evaluation = Evaluation(training, ["sliced_wasserstein_distance"], 50)
    protocol = evaluation.protocols()["sliced_wasserstein_distance"]
    assert protocol.split == "held out of train"
    assert evaluation.prepare()._reference.count == len(training.held_out)


def test_refuses():
    source = kg.data.open_source(noise(10))
    for share in (1, -0.1, True, "half"):
        with pytest.raises(UserError, match="share of the data, from 0 .* Received: "):
            kg.data.hold_out(source, share)
    with pytest.raises(UserError, match="3 row.s., all alike.*--hold-out 0"):
        kg.data.hold_out(kg.data.open_source(np.zeros((3, 8, 8, 1), np.uint8)), 0.1)
    assert len(kg.data.hold_out(kg.data.open_source(noise(2)), 0.001).held_out) == 1


def test_what_does_not_fit_in_memory_stays_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "IN_MEMORY_BYTES", 0)
    images = noise(3000)
    save_all(tmp_path / "photos", images)
    training = kg.data.hold_out(kg.data.open_source(tmp_path / "photos"), 0.1)
    for source in (training, training.held_out):
        assert isinstance(source.samples, np.memmap)
    assert rows_of(training) | rows_of(training.held_out) == {row.tobytes() for row in images}


def test_halves_that_do_not_fit_in_memory_are_not_taken_for_each_other(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "IN_MEMORY_BYTES", 0)
    images = np.concatenate([noise(40), 255 - noise(40)], axis=2)
    save_all(tmp_path / "pairs", images)
    training = kg.data.hold_out(kg.data.open_source(f"halves:{tmp_path / 'pairs'}"), 0.2)
    for source in (training, training.held_out):
        a, b = (source.columns[f"image_{side}"].values for side in "ab")
        assert isinstance(a, np.memmap)
        # Where they are scaled, a half of a grey level is rounded up in either.
        assert np.abs(a.astype(int) - (255 - b)).max() <= 1


def test_labels_of_a_split_are_in_the_numbers_of_the_training_data(tmp_path):
    for split, names in (("train", "abc"), ("test", "bc")):
        for index, name in enumerate(names):
            save_all(tmp_path / split / name, noise(4, seed=index))
    source = kg.data.open_source(tmp_path, labels=True)
    found = held_out_of(source, labels=True)
    assert found.class_names == source.class_names == ("a", "b", "c")
    assert sorted(set(found.labels.tolist())) == [1, 2]
    # A class that the training data do not have keeps its own number, and its name tells.
    save_all(tmp_path / "test" / "d", noise(4, seed=9))
    other = held_out_of(source, labels=True)
    assert other.class_names == ("b", "c", "d")


def test_rows_without_a_label_stay_without_one():
    from keras_gans.data.holding_out import in_classes_of
    from keras_gans.data.source import class_column
    from keras_gans.fields import Classes

    def labelled(labels, names):
        field = Classes(names, allows_unlabelled=True)
        column = dataclasses.replace(class_column(np.abs(labels), names), field=field, values=labels)
        return dataclasses.replace(kg.data.open_source(noise(len(labels))), columns={"label": column})

    found = in_classes_of(labelled(np.array([0, 1, 2]), ("a", "b", "c")), labelled(np.array([-1, 0, 1]), ("c", "a")))
    assert found.columns["label"].values.tolist() == [-1, 2, 0]
