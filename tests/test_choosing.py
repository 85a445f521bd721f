"""Data without a recipe: which one is chosen, and what is said of it."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_gans as kg
from keras_gans import registry
from keras_gans.errors import UserError
from keras_gans.training import choosing, strategy
from keras_gans.training.choosing import choose, with_size_kept
from keras_gans.training.recipe import all_names, named, parse_assignment, with_settings
from tests.test_training_cli import run, run_here, unwrapped


def write(folder, count, size=(16, 16), mode="RGB", prefix=""):
    """`count` different images in a folder, size (width, height)."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(len(str(folder)))
    for number in range(count):
        shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
        Image.fromarray(random.integers(0, 256, shape, np.uint8)).save(folder / f"{prefix}{number:03d}.png")
    return folder


def made(kind, root):
    """(what --data is told, the recipe to be chosen, words of the reason) of data of a kind, made in a folder."""
    if kind == "images":
        return str(write(root, 140)), "dcgan_images", "140 images of 16x16, in colour, without classes"
    if kind == "grey":
        return str(write(root, 140, mode="L")), "dcgan_images", "grey"
    if kind == "classes":
        for name in ("cat", "dog"):
            write(root / name, 80)
        return str(root), "cgan_images", "160 images of 16x16, in colour, in 2 classes, so they are drawn by class"
    if kind == "splits of classes":
        for name in ("train/cat", "train/dog", "test/cat", "test/dog"):
            write(root / name, 70)
        return str(root), "cgan_images", "140 images"
    if kind == "few a class":
        for name in range(20):
            write(root / f"class{name}", 7)
        return str(root), "dcgan_images", "fewer than 10 images of each"
    if kind == "captions":
        write(root, 130, (32, 32))
        rows = "".join(f"{number:03d}.png,a red thing\n" for number in range(130))
        (root / "metadata.csv").write_text("file_name,text\n" + rows)
        return str(root), "text_to_image", "with captions"
    if kind == "halves":
        write(root, 130, (64, 32))
        return f"halves:{root}", "pix2pix_unet", "in pairs"
    if kind == "pairs":
        for side in "ab":
            write(root / side, 130)
        return f"{root}/a = {root}/b", "pix2pix", "in pairs"
    if kind == "two folders":
        write(root / "a", 130, (32, 32))
        write(root / "b", 150, (32, 32))
        return f"{root}/a + {root}/b", "cyclegan_resnet", "of 130 and 150 images"
    if kind == "trainA and trainB":
        for side in "AB":
            write(root / f"train{side}", 130)
        return str(root), "cyclegan", "no two of which belong together"
    if kind == "sentences":
        for language, line in (("en", "a dog\n"), ("de", "ein Hund\n")):
            (root / f"train.{language}").write_text(line * 140)
        return f"{root}/train.en = {root}/train.de", "adversarial_nmt_rnn", "140 pairs of sentences"
    if kind == "points":
        return "made_points", "wgan_gp_ring", "600 points"
    raise AssertionError(kind)


KINDS = ("images", "grey", "classes", "splits of classes", "few a class", "captions", "halves", "pairs", "two folders")
KINDS += ("trainA and trainB", "sentences", "points")


@pytest.fixture(autouse=True)
def in_float32(monkeypatch):
    """As on a machine without bfloat16 units, whatever this one has."""
    monkeypatch.setattr(choosing, "suited_precision", lambda: "float32")


def points(**options):
    """A source of points in memory."""
    return kg.data.Source.of({"point": np.random.default_rng(0).normal(size=(600, 2)).astype("float32")})


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_found_decides(kind, tmp_path, monkeypatch):
    monkeypatch.setitem(registry.sources._registered, "made_points", points)
    monkeypatch.setattr(choosing, "is_seen_often", lambda recipe, rows: False)
    told, name, reason = made(kind, tmp_path)
    found = choose(told, hold_out=0)
    assert found.name == name and reason in found.chosen and found.data == told
    assert found.chosen.endswith(".") and "  " not in found.chosen and "\n" not in found.chosen
    # Nothing else in it is other than in the recipe of that name.
    named = found.replace(chosen="")
    assert dataclasses.replace(named, image_size=None) == dataclasses.replace(
        kg.training.recipe.named(name), data=told, image_size=None
    )


@pytest.mark.parametrize(
    ("count", "side", "channels", "classes", "name"),
    [
        (10_000, 28, 1, None, "dcgan_r1"),
        (10_000, 28, 3, None, "dcgan_r1"),
        (10_000, 28, 1, 1001, "dcgan_r1"),
        (10_000, 28, 1, 1000, "cgan_images"),
        (9999, 28, 1, None, "dcgan_images"),
        (10_000, 32, 1, None, "dcgan_images"),
        (10_000, 16, 1, None, "dcgan_images"),
    ],
)
def test_many_grey_images_of_28_pixels_are_held_by_a_penalty(count, side, channels, classes, name, monkeypatch):
    grey = np.random.default_rng(0).integers(0, 256, (count, side, side, 1), np.uint8)
    arrays = {"image": np.repeat(grey, channels, axis=-1)}
    if classes is not None:
        arrays["label"] = np.arange(count) % classes
    monkeypatch.setitem(registry.sources._registered, "made_images", lambda **_: kg.data.Source.of(arrays))
    assert choose("made_images").name == name
    # One that is not grey.
    if channels == 3:
        arrays["image"][-1, 0, 0] = (255, 0, 0)
        assert choose("made_images").name == "dcgan_images"


def test_few_labels_of_classes_are_for_a_classifier(tmp_path):
    told, _, _ = made("classes", tmp_path)
    assert choose(told, labels_per_class=5).name == "sgan"


@pytest.mark.parametrize(
    ("sizes", "chosen", "said"),
    [
        ([(16, 16)], None, ""),
        ([(64, 64)], None, ""),
        ([(48, 48)], 32, "48 pixels"),
        ([(40, 90), (50, 36), (60, 45)], 32, "36 to 45 pixels on their shorter side become 32x32"),
        ([(200, 300), (90, 700)], 64, "90 to 200 pixels"),
        ([(5, 6), (7, 7)], 8, "5 to 7 pixels"),
    ],
)
def test_the_size_fits_the_images(sizes, chosen, said, tmp_path):
    for place, size in enumerate(sizes):
        write(tmp_path, 20, size, prefix=f"{place}-")
    found = choose(str(tmp_path))
    assert found.image_size == chosen and said in found.chosen
    assert choose(str(tmp_path), image_size=28).image_size == 28


@pytest.mark.parametrize(
    ("kind", "size", "chosen", "said"),
    [
        ("halves", (96, 48), 32, "Images of 48 pixels"),
        ("halves", (64, 32), None, ""),
        ("halves", (400, 200), 64, "200 pixels"),
        ("pairs", (40, 50), 32, "40 pixels"),
        ("two folders", (40, 50), 32, "40 pixels"),
        ("two folders", (16, 16), None, ""),
    ],
)
def test_the_size_fits_pairs_too(kind, size, chosen, said, tmp_path):
    write(tmp_path / "a", 70, size)
    write(tmp_path / "b", 70, size)
    told = {"halves": f"halves:{tmp_path}", "pairs": f"{tmp_path}/a = {tmp_path}/b"}
    found = choose(told.get(kind, f"{tmp_path}/a + {tmp_path}/b"))
    assert found.image_size == chosen and said in found.chosen


@pytest.mark.parametrize(("count", "batch"), [(140, 64), (128, 64), (127, 32), (40, 16), (9, 4), (5, 4)])
def test_a_batch_is_no_more_than_half_of_the_data(count, batch, tmp_path):
    found = choose(str(write(tmp_path, count, (8, 8))), hold_out=0)
    assert found.batch_size == batch
    assert (f"a batch has {batch}" in found.chosen) == (batch < 64)
    assert choose(str(tmp_path), batch_size=7).batch_size == 64, "what was asked for is set after the choice"


def test_rows_that_are_held_out_are_not_trained_on(tmp_path):
    source = kg.data.open_source(str(write(tmp_path, 140, (8, 8))))
    rows = len(kg.data.hold_out(source, named("dcgan_images").hold_out))
    assert 100 < rows < 128, "a tenth, by the images' own numbers"
    found = choose(str(tmp_path))
    assert found.batch_size == 32 and f"With {rows} rows to train on a batch has 32" in found.chosen
    assert f"seen some {10_000 * 32 / rows:,.0f} times" in found.chosen
    assert "140 images" in found.chosen
    assert choose(str(tmp_path), hold_out=0).batch_size == 64


@pytest.mark.parametrize(
    ("batch", "steps"), [(64, 10_000), (20, 10_000), (16, 12_000), (8, 24_000), (4, 30_000), (2, 30_000)]
)
def test_more_images_are_worth_more_steps_up_to_a_limit(batch, steps):
    # 1,297 digits, 150 times each.
    found = choose("digits", batch_size=batch)
    assert found.steps == steps
    assert (f"1,297 to train on are worth {steps:,} steps" in found.chosen) == (steps > 10_000)


@pytest.mark.parametrize(
    "asked", [{"batch_size": "abc"}, {"steps": "many"}, {"channels": "grey"}, {"hold_out": 2}, {"image_size": "64"}]
)
def test_what_no_recipe_takes_is_refused_before_it_is_calculated_with(asked):
    with pytest.raises(UserError, match=next(iter(asked))):
        choose("digits", **asked)


def test_steps_that_are_asked_for_are_those_that_are_taken():
    found = choose("digits", batch_size=16, steps=7)
    assert "worth" not in found.chosen and found.steps == named(found.name).steps, "set after the choice"


def test_images_seen_often_are_changed_before_the_discriminator_sees_them(tmp_path):
    # 8 rows a batch, 10,000 steps.
    found = choose(str(write(tmp_path, 30, (8, 8))), hold_out=0)
    assert found.networks["discriminator"]["augmentation"] == choosing.AUGMENTATION
    assert "seen some 2,667 times" in found.chosen
    # The very setting that the recipe has by itself.
    _, _, told = found.chosen.partition("--set '")
    otherwise = with_settings(found, dict([parse_assignment(told.partition("'")[0])]))
    assert otherwise.networks == named(found.name).networks
    named_by_itself = named(found.name).networks
    assert named_by_itself["discriminator"]["augmentation"].keys() == {"shift"}, "by a pixel in any case"
    assert found.networks.keys() == named_by_itself.keys()
    asked = choose(str(tmp_path), augmentation=False)
    assert asked.networks == named(found.name).networks and "by heart" not in asked.chosen
    without = with_settings(found, {"discriminator.augmentation": None})
    assert without.networks["discriminator"]["augmentation"] is None
    with pytest.raises(UserError, match="discriminator.augmentation is of type dict"):
        with_settings(found, {"discriminator.augmentation": 3})


@pytest.mark.parametrize(
    ("asked", "augmented"),
    [
        ({}, True),
        ({"batch_size": 7}, False),
        ({"batch_size": 7, "steps": 10_001}, True),
        ({"steps": 15_000, "batch_size": 2}, False),
        ({"steps": 15_001, "batch_size": 2}, True),
        ({"steps": 3751}, False),
    ],
    ids=["2667", "2333", "2334 in more steps", "1000 in more", "1001 in more", "1000"],
)
def test_what_is_asked_for_decides_how_often_images_are_seen(asked, augmented, tmp_path):
    found = choose(str(write(tmp_path, 30, (8, 8))), hold_out=0, **asked)
    assert (found.networks["discriminator"]["augmentation"] == choosing.AUGMENTATION) == augmented
    assert ("by heart" in found.chosen) == augmented


def test_images_in_classes_are_changed_sooner():
    in_classes, alone = named("cgan_images"), named("dcgan_images")
    assert in_classes.steps == alone.steps and in_classes.batch_size == alone.batch_size
    most = in_classes.steps * in_classes.batch_size // 1000
    found = [choosing.is_seen_often(recipe, rows) for recipe in (in_classes, alone) for rows in (most, most - 1)]
    assert found == [False, True, False, False]


def test_all_sets_of_fewer_than_256_images_without_classes_are_changed():
    recipe = named("dcgan_images")
    for rows in range(8, 300):
        batch = choosing._batch_for(rows, recipe.batch_size) or recipe.batch_size
        assert choosing.is_seen_often(recipe.replace(batch_size=batch), rows) == (rows < 256), rows


def test_grey_images_stored_in_colour_are_drawn_in_one_channel(tmp_path):
    folder = write(tmp_path, 300, (8, 8), mode="L")
    for file in folder.glob("*.png"):
        Image.open(file).convert("RGB").save(file)
    found = choose(str(folder))
    assert found.channels == 1 and "8x8, grey," in found.chosen and "three equal channels" in found.chosen
    asked = choose(str(folder), channels=3)
    assert asked.channels is None and "three equal channels" not in asked.chosen
    # One pixel of the last image is not.
    last = sorted(folder.glob("*.png"))[-1]
    pixels = np.array(Image.open(last))
    pixels[0, 0] = (255, 0, 0)
    Image.fromarray(pixels).save(last)
    coloured = choose(str(folder))
    assert coloured.channels is None and "in colour" in coloured.chosen


def test_any_images_are_trained_on_in_bfloat16_where_the_hardware_has_it(monkeypatch, tmp_path):
    monkeypatch.setattr(choosing, "suited_precision", lambda: "bfloat16")
    found = choose(str(write(tmp_path / "images", 140)))
    assert found.precision == "bfloat16" and "In bfloat16" in found.chosen and "precision=float32" in found.chosen
    # Of what is asked for nothing else is said.
    asked = choose(str(tmp_path / "images"), precision="float32")
    assert asked.precision == "float32" and "bfloat16" not in asked.chosen
    # Others were not measured in it.
    for side in "ab":
        write(tmp_path / side, 130)
    assert choose(f"{tmp_path}/a = {tmp_path}/b").precision == "float32"


@pytest.mark.parametrize(
    ("gpus", "units", "half", "suited"),
    [
        ([], True, None, "bfloat16"),
        ([], False, None, "float32"),
        ([], None, None, "float32"),
        (["gpu"], False, "bfloat16", "bfloat16"),
        (["gpu"], True, "float16", "float32"),
    ],
)
def test_the_precision_that_suits_is_what_the_devices_multiply(gpus, units, half, suited, monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: gpus)
    monkeypatch.setattr(strategy, "has_fast_bfloat16", lambda: units)
    monkeypatch.setattr(strategy, "fast_precision", lambda: half)
    assert strategy.suited_precision() == suited


def test_every_choice_is_a_recipe():
    table = choose.__doc__
    names = {name for name in table.replace("`", " ").replace(";", " ").split() if name in all_names()}
    assert {"cgan_images", "sgan", "dcgan_images", "text_to_image", "pix2pix_unet", "cyclegan_resnet"} <= names
    assert {"text_to_image_small", "pix2pix", "cyclegan", "adversarial_nmt_rnn", "wgan_gp_ring"} <= names


def test_what_nothing_fits_is_said(monkeypatch):
    def labels_alone(**options):
        return kg.data.Source.of({"label": np.arange(40) % 2})

    monkeypatch.setitem(registry.sources._registered, "labels_alone", labels_alone)
    with pytest.raises(UserError, match="No recipe fits .*labels of 2 classes.*Name one"):
        choose("labels_alone")


@pytest.mark.slow
def test_the_command_says_which_and_why_and_notes_it(tmp_path):
    for name in ("cat", "dog"):
        write(tmp_path / "photos" / name, 20, (8, 8))
    options = ["--set", "generator.base_filters=4", "--set", "discriminator.base_filters=4", "--doctor", "off"]
    options += ["--set", "learning_rate_schedule=constant"]
    code, output, errors = run_here("train", "--data", "photos", "--steps", "2", *options, cwd=tmp_path)
    assert code == 0, errors
    said = unwrapped(output)
    assert "cgan_images: 40 images of 8x8, in colour, in 2 classes, so they are drawn by class." in said
    assert "a batch has 16" in said and "keras-gans list" in said
    run = tmp_path / "runs" / "00001-cgan_images-photos"
    noted = json.loads((run / "recipe.json").read_text())
    assert noted["name"] == "cgan_images" and noted["chosen"].startswith("40 images") and noted["batch_size"] == 16
    # It goes on without choosing again, and a named recipe has no such reason.
    code, output, errors = run_here("train", "--resume", "1", "--steps", "3", cwd=tmp_path)
    assert code == 0 and "so they are drawn" not in output, errors
    assert json.loads((run / "recipe.json").read_text())["chosen"] == noted["chosen"]


def test_without_recipe_and_data_it_says_what_to_give(tmp_path):
    code, _, errors = run_here("train", cwd=tmp_path)
    assert code == 2 and "With --data FOLDER alone one is chosen" in unwrapped(errors)
    code, _, errors = run_here("train", "--data", "no/such/folder", cwd=tmp_path)
    assert code == 2 and "There is no folder" in unwrapped(errors)


@pytest.mark.parametrize(
    ("recipe", "size", "kept"),
    [("gan", (40, 40), 40), ("dcgan", (40, 40), None), ("gan", (40, 30), None), ("gan", (200, 200), None)],
)
def test_dense_networks_keep_a_size_that_all_images_share_and_others_cannot_make(tmp_path, recipe, size, kept):
    wanted = named(recipe).replace(data=str(write(tmp_path, 3, size)))
    assert with_size_kept(wanted) == wanted.replace(image_size=kept)
    assert with_size_kept(wanted.replace(image_size=16)).image_size == 16
    assert with_size_kept(named(recipe)) == named(recipe)


def test_a_run_of_dense_networks_keeps_the_size_and_records_it(tmp_path):
    write(tmp_path / "drawings", 140, (40, 40))
    code, output, errors = run_here("train", "gan", "--data", "drawings", "--dry-run", cwd=tmp_path)
    assert code == 0, errors
    assert '"image_size": 40' in output and "resized" not in output + errors


def test_to_choose_shows_none_of_what_tensorflow_greets_with(tmp_path):
    """In a process of its own, which has not imported it; opening this data set does."""
    code, _, errors = run("train", "--data", "digits", "--dry-run", cwd=tmp_path)
    assert code == 0 and errors == ""


@pytest.mark.parametrize("name", ["digits", "shapes/16", "photos", "./photos", "fashion_mnist"])
def test_data_in_the_place_of_a_recipe_are_told_from_one(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match=f"'{name}' is no recipe but data.*train --data {name}$"):
        named(name)
    with pytest.raises(UserError, match="Unknown recipe './elsewhere'"):
        named("./elsewhere")
