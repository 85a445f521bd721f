"""Folders of image files."""

import os
import time

import numpy as np
import pytest
from PIL import Image

import keras_gans as kg
from keras_gans.data import cache, holding_out
from keras_gans.data.folder import KEPT_SIZES
from keras_gans.errors import NoSplitError, UserError
from keras_gans.fields import SAMPLE, Classes
from keras_gans.networks.dcgan import SIZES

RED = (200, 30, 60)


def save(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def flat(colour=RED, size=(8, 8), mode="RGB"):
    return Image.new(mode, size, colour)


def pixels(folder, **options):
    """The one image of a folder."""
    images = kg.data.open_source(folder, **options).samples
    assert len(images) == 1
    return images[0]


def half_transparent_palette():
    """Left half red, right half the transparent index, of a palette where that index is black."""
    image = Image.new("P", (8, 8), 0)
    image.putpalette([*RED, 0, 0, 0])
    image.paste(1, (4, 0, 8, 8))
    return image


def halves(left, right):
    expected = np.empty((8, 8, 3), "uint8")
    expected[:, :4], expected[:, 4:] = left, right
    return expected


WHITE = (255, 255, 255)


def test_palette_with_transparency_lies_on_white(tmp_path):
    save(tmp_path / "one.png", half_transparent_palette(), transparency=1)
    np.testing.assert_array_equal(pixels(tmp_path, image_size=8), halves(RED, WHITE))


def test_palette_without_transparency(tmp_path):
    save(tmp_path / "one.png", half_transparent_palette())
    np.testing.assert_array_equal(pixels(tmp_path, image_size=8), halves(RED, (0, 0, 0)))


def test_rgba_is_composited_by_its_alpha(tmp_path):
    image = flat((*RED, 255), mode="RGBA")
    image.paste((0, 0, 0, 128), (4, 0, 8, 8))
    save(tmp_path / "one.png", image)
    np.testing.assert_array_equal(pixels(tmp_path, image_size=8), halves(RED, (127, 127, 127)))


def test_transparent_colour_of_an_rgb_file(tmp_path):
    image = flat()
    image.paste((0, 0, 0), (4, 0, 8, 8))
    save(tmp_path / "one.png", image, transparency=(0, 0, 0))
    np.testing.assert_array_equal(pixels(tmp_path, image_size=8), halves(RED, WHITE))


def test_grey_with_alpha_stays_grey(tmp_path):
    image = Image.new("LA", (8, 8), (40, 255))
    image.paste((40, 0), (4, 0, 8, 8))
    save(tmp_path / "one.png", image)
    result = pixels(tmp_path, image_size=8)
    assert result.shape == (8, 8, 1)
    assert result[0, :, 0].tolist() == [40] * 4 + [255] * 4


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path):
    values = np.repeat(np.array([0, 257, 32896, 65535], "uint16"), 2)
    save(tmp_path / "one.png", Image.fromarray(np.tile(values, (8, 1))))
    assert pixels(tmp_path, image_size=8)[0, :, 0].tolist() == [0, 0, 1, 1, 128, 128, 255, 255]


def test_bilevel(tmp_path):
    image = Image.new("1", (8, 8), 1)
    image.paste(0, (4, 0, 8, 8))
    save(tmp_path / "one.bmp", image)
    assert pixels(tmp_path, image_size=8)[0, :, 0].tolist() == [255] * 4 + [0] * 4


def test_cmyk_jpeg(tmp_path):
    save(tmp_path / "one.jpg", flat((0, 255, 255, 0), mode="CMYK"), quality=95)
    np.testing.assert_allclose(pixels(tmp_path, image_size=8)[4, 4].astype(int), (255, 0, 0), atol=4)


def test_exif_orientation(tmp_path):
    image = flat((0, 0, 0), (8, 8))
    image.paste(WHITE, (0, 0, 8, 4))
    exif = Image.Exif()
    exif[0x0112] = 6  # Shown rotated by a quarter turn clockwise: the top becomes the right.
    save(tmp_path / "one.png", image, exif=exif)
    np.testing.assert_array_equal(pixels(tmp_path, image_size=8), halves((0, 0, 0), WHITE))


def test_first_frame_of_an_animation(tmp_path):
    save(tmp_path / "one.gif", flat((255, 0, 0)), save_all=True, append_images=[flat((0, 255, 0))])
    assert pixels(tmp_path, image_size=8)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("extension", ["png", "jpg", "JPEG", "bmp", "webp", "tif", "TIFF"])
def test_formats(tmp_path, extension):
    save(tmp_path / f"one.{extension}", flat(), **({"quality": 100} if extension == "webp" else {}))
    np.testing.assert_allclose(pixels(tmp_path, image_size=8)[4, 4].astype(int), RED, atol=4)


def test_centre_crop_then_resize(tmp_path):
    image = flat((0, 0, 0), (60, 20))
    image.paste(RED, (20, 0, 40, 20))
    save(tmp_path / "one.png", image)
    np.testing.assert_array_equal(pixels(tmp_path, image_size=10), np.full((10, 10, 3), RED))


def test_a_large_jpeg_keeps_its_picture(tmp_path):
    ramp = np.linspace(0, 255, 2000).astype("uint8")
    save(tmp_path / "one.jpg", Image.fromarray(np.tile(ramp, (1500, 1))), quality=95)
    result = pixels(tmp_path, image_size=16)
    centres = 250 + (np.arange(16) + 0.5) * 1500 / 16
    np.testing.assert_allclose(result[8, :, 0], centres * 255 / 2000, atol=3)


def test_default_size_and_channels(tmp_path):
    save(tmp_path / "a.png", flat(9, (30, 20), mode="L"))
    assert kg.data.open_source(tmp_path).sample_shape == (64, 64, 1)
    save(tmp_path / "b.png", flat())
    assert kg.data.open_source(tmp_path).sample_shape == (64, 64, 3)
    assert kg.data.open_source(tmp_path, channels=1).sample_shape == (64, 64, 1)


@pytest.mark.parametrize(("sides", "size"), [((28, 28), 28), ((32, 32), 32), ((28, 32), 64), ((30, 30), 64)])
def test_a_size_that_all_images_share_and_networks_can_make_is_kept(tmp_path, sides, size):
    for index, side in enumerate(sides):
        save(tmp_path / f"{index}.png", flat(size=(side, side)))
    source = kg.data.open_source(tmp_path)
    assert source.sample_shape == (size, size, 3)
    # Whatever changes an image is said.
    assert (source.note == "") == (sides == (size, size))


def test_the_sizes_that_are_kept_are_those_that_networks_make():
    assert KEPT_SIZES == SIZES


def test_what_becomes_of_images_is_said(tmp_path):
    save(tmp_path / "a.png", flat(size=(20, 30)))
    save(tmp_path / "b.png", flat(size=(400, 300)))
    assert kg.data.open_source(tmp_path, image_size=32).note == (
        "The images, of 20x30 to 400x300 pixels, are cropped to the middle square and resized to 32x32. --image-size "
        "chooses another size, 128 being nearest to theirs; most networks make 8, 16, 28, 32, 64 or 128."
    )
    for side, offered in ((28, "size, 32 being nearest to theirs;"), (32, "size; most")):
        folder = save(tmp_path / "one" / "a.png", flat(size=(40, 31))).parent
        assert offered in kg.data.open_source(folder, image_size=side).note


def test_two_folders_of_two_sizes_meet_at_the_default(tmp_path):
    for name, side in (("a", 28), ("b", 32), ("c", 28)):
        save(tmp_path / name / "1.png", flat(size=(side, side)))
    for pair, size in (("a + b", 64), ("a + c", 28)):
        a, b = pair.split(" + ")
        source = kg.data.open_source(f"{tmp_path / a} + {tmp_path / b}")
        assert [column.field.shape for column in source.columns.values()] == [(size, size, 3)] * 2


def test_what_stands_for_the_data_is_drawn_from_all_of_it(tmp_path):
    for index in range(30):
        save(tmp_path / f"{'abc'[index // 10]}" / f"{index}.png", flat(index, (8, 8), "L"))
    source = kg.data.open_source(tmp_path)
    rows = source.shown_rows({"sample": SAMPLE, "label": (Classes,)}, 12, seed=3)
    # The classes take turns, and within a class the rows are not the first ones.
    assert rows["label"].tolist() == [0, 1, 2] * 4
    shades = rows["sample"][:, 0, 0, 0]
    assert (shades // 10).tolist() == rows["label"].tolist() and sorted(shades[::3]) != [0, 1, 2, 3]
    again, other = (source.shown_rows({"sample": SAMPLE}, 12, seed)["sample"][:, 0, 0, 0] for seed in (3, 4))
    assert again.tolist() == shades.tolist() != other.tolist()


def test_order_is_that_of_paths_and_hidden_files_are_left_out(tmp_path):
    for value, name in enumerate(["b/2.png", "a.png", "b/1.png", ".x.png", ".y/1.png", "__MACOSX/1.png"]):
        save(tmp_path / name, flat(value * 10, mode="L"))
    (tmp_path / "notes.txt").write_text("no image")
    images = kg.data.open_source(tmp_path, image_size=8).samples
    assert images[:, 0, 0, 0].tolist() == [10, 20, 0]


def test_classes_are_the_top_subfolders(tmp_path):
    for value, name in enumerate(["dog/1.png", "cat/x/1.png", "cat/2.png"]):
        save(tmp_path / name, flat(value * 10, mode="L"))
    source = kg.data.open_source(tmp_path, image_size=8, labels=True)
    assert source.class_names == ("cat", "dog")
    assert dict(zip(source.samples[:, 0, 0, 0].tolist(), source.labels.tolist(), strict=True)) == {
        0: 1,
        10: 0,
        20: 0,
    }


def test_loose_images_have_no_class(tmp_path):
    save(tmp_path / "1.png", flat())
    save(tmp_path / "cat" / "1.png", flat())
    with pytest.raises(UserError, match="1 of 2 images.*1.png.*subfolder of its own"):
        kg.data.open_source(tmp_path, labels=True)


def test_one_image_beside_subfolders_makes_them_no_classes_and_that_is_said(tmp_path):
    for name in ("cat", "dog"):
        save(tmp_path / name / "1.png", flat())
    assert kg.data.open_source(tmp_path).class_names == ("cat", "dog")
    save(tmp_path / "stray.png", flat())
    source = kg.data.open_source(tmp_path)
    assert not source.class_names
    assert source.note == (
        "The subfolders cat, dog are no classes, because 1 of 3 images lies beside them, such as stray.png. Where "
        "each lies in a subfolder they are classes."
    )
    # One subfolder would be no classes either.
    save(tmp_path / "other" / "a" / "1.png", flat())
    save(tmp_path / "other" / "2.png", flat())
    assert kg.data.open_source(tmp_path / "other").note == ""


def test_splits_written_in_capitals(tmp_path):
    for name in ("Train", "TEST"):
        for kind in ("cat", "dog"):
            save(tmp_path / name / kind / "1.png", flat())
    save(tmp_path / "TEST" / "cat" / "2.png", flat())
    (tmp_path / ".cache").mkdir()
    assert [len(kg.data.open_source(tmp_path, split=split)) for split in ("train", "test")] == [2, 3]
    source = kg.data.open_source(tmp_path)
    assert source.class_names == ("cat", "dog") and source.note == ""
    assert kg.data.hold_out(source, 0.5) is source and len(holding_out.held_out_of(source)) == 3
    # A class may be called so.
    for name in ("Bus", "Train"):
        save(tmp_path / "vehicles" / name / "1.png", flat())
    assert kg.data.open_source(tmp_path / "vehicles").class_names == ("Bus", "Train")


def test_images_beside_the_splits_are_left_out_and_that_is_said(tmp_path):
    for name in ("train", "bus", "car"):
        save(tmp_path / name / "1.png", flat())
    (tmp_path / "notes").mkdir()
    source = kg.data.open_source(tmp_path)
    assert len(source) == 1
    assert source.note == (f"In {tmp_path} the images in bus, car are left out, because they lie beside train.")


def test_one_collection_of_two_is_no_data(tmp_path):
    for name in ("trainB", "testB"):
        save(tmp_path / name / "1.png", flat())
    with pytest.raises(UserError, match="trainB is one of two collections, and the other, trainA, is not beside it"):
        kg.data.open_source(tmp_path)
    save(tmp_path / "trainA" / "1.png", flat())
    source = kg.data.open_source(tmp_path)
    assert set(source.columns) == {"image_a", "image_b"}
    # Half of a test split is none to measure with.
    assert holding_out.held_out_of(source) is None
    with pytest.raises(NoSplitError, match="the other, testA, is not beside it"):
        kg.data.open_source(tmp_path, split="test")
    with pytest.raises(NoSplitError, match="it has: trainA, trainB, testB"):
        kg.data.open_source(tmp_path, split="validation")


def test_pairs_keep_their_size_or_say_what_becomes_of_it(tmp_path):
    save(tmp_path / "kept" / "1.png", flat(size=(64, 32)))
    kept = kg.data.open_source(f"halves:{tmp_path / 'kept'}")
    assert kept.columns["image_a"].field.shape == (32, 32, 3) and kept.note == ""
    save(tmp_path / "other" / "1.png", flat(size=(80, 40)))
    other = kg.data.open_source(f"halves:{tmp_path / 'other'}")
    assert other.columns["image_b"].field.shape == (64, 64, 3)
    assert other.note.startswith("The halves of the images, of 40x40 pixels, are resized to 64x64.")
    pair = kg.data.open_source(f"{tmp_path / 'kept'} = {tmp_path / 'other'}", image_size=16)
    assert pair.note.startswith("The images, of 64x32 to 80x40 pixels, are cropped to the middle square and resized")


def test_splits_are_subfolders(tmp_path):
    for value, name in enumerate(["train/a/1.png", "train/b/1.png", "test/a/1.png"]):
        save(tmp_path / name, flat(value * 10, mode="L"))
    train = kg.data.open_source(tmp_path, image_size=8, labels=True)
    assert (len(train), train.class_names) == (2, ("a", "b"))
    assert kg.data.open_source(tmp_path, image_size=8, split="test").samples[0, 0, 0, 0] == 20
    with pytest.raises(UserError, match="no split 'validation': it has: train, test"):
        kg.data.open_source(tmp_path, split="validation")


def test_without_split_folders_all_is_train(tmp_path):
    save(tmp_path / "1.png", flat())
    with pytest.raises(UserError, match="no split 'test'.*all of it is 'train'"):
        kg.data.open_source(tmp_path, split="test")


def test_links_are_followed_once(tmp_path):
    save(tmp_path / "real" / "1.png", flat())
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "loop").symlink_to(tmp_path / "data")
    assert len(kg.data.open_source(tmp_path / "data")) == 1


def test_a_name_in_the_working_directory(tmp_path, monkeypatch):
    save(tmp_path / "portraits" / "1.png", flat())
    save(tmp_path / "digits" / "1.png", flat())
    monkeypatch.chdir(tmp_path)
    kg.data.check_source("portraits")
    assert len(kg.data.open_source("portraits")) == 1
    assert len(kg.data.open_source("./digits")) == 1


def test_missing_folder_names_its_siblings(tmp_path):
    (tmp_path / "flowers").mkdir()
    for use in (kg.data.open_source, kg.data.check_source):
        with pytest.raises(UserError, match="no folder .*flowres.*Did you mean .*flowers"):
            use(str(tmp_path / "flowres"))


def test_missing_parent_folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(UserError, match="Did you mean .*pictures"):
        kg.data.open_source(tmp_path / "picturs" / "cats")


def test_empty_folder(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    for use in (kg.data.open_source, kg.data.check_source):
        with pytest.raises(UserError, match=r"holds no images.*\.png, \.jpg"):
            use(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    with pytest.raises(UserError, match="is a file"):
        kg.data.open_source(save(tmp_path / "1.png", flat()))


LONG = "x" * 300


@pytest.mark.parametrize("name", ["sentences.en", LONG, "~nobody_of_that_name", "a\0b", f"./{LONG}/y", ""])
def test_a_name_that_is_no_folder_has_one_clear_error(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sentences.en").write_text("one\n")
    known = {"sentences.en": "is a file. Two text files .* 'A = B'", "": "Received: ''"}
    said = known.get(name, "Unknown data set|no folder")
    for use in (kg.data.open_source, kg.data.check_source):
        with pytest.raises(UserError, match=said):
            use(name)


def test_damaged_images_are_named_and_counted(tmp_path):
    save(tmp_path / "good.png", flat())
    for number in range(7):
        (tmp_path / f"bad{number}.png").write_bytes(b"no image")
    truncated = save(tmp_path / "aa.jpg", Image.effect_noise((64, 64), 50))
    truncated.write_bytes(truncated.read_bytes()[:400])
    with pytest.raises(UserError) as caught:
        kg.data.open_source(tmp_path)
    message = str(caught.value)
    assert message.startswith("8 of 9 images cannot be read")
    assert str(truncated) in message and str(tmp_path / "bad3.png") in message
    assert "bad6.png" not in message and "and 3 more" in message


def save_class_folders(folder):
    """Ten images in two class folders, the third of each damaged, another cut off."""
    for shade, name in enumerate("ab"):
        for number in range(5):
            path = save(folder / name / f"{number}.png", Image.effect_noise((16, 16), 20 + 40 * shade + number))
            if number == 2:
                path.write_bytes(path.read_bytes()[:100])
    save(folder / "b/5.jpg", Image.effect_noise((64, 64), 50))
    (folder / "b/5.jpg").write_bytes((folder / "b/5.jpg").read_bytes()[:1500])


def test_damaged_images_are_left_out_and_named_on_request(tmp_path):
    save_class_folders(tmp_path / "all")
    with pytest.raises(UserError, match=r"3 of 11 images cannot be read.*skip_unreadable=True"):
        kg.data.open_source(tmp_path / "all")
    source = kg.data.open_source(tmp_path / "all", skip_unreadable=True)
    assert len(source) == 8 and source.labels.tolist() == [0] * 4 + [1] * 4 and source.sample_shape == (16, 16, 1)
    assert "3 of 11 images cannot be read and are left out" in source.note
    assert all(str(tmp_path / "all" / name) in source.note for name in ("a/2.png", "b/2.png", "b/5.jpg"))
    for name in ("a/2.png", "b/2.png", "b/5.jpg"):
        (tmp_path / "all" / name).unlink()
    whole = kg.data.open_source(tmp_path / "all")
    assert np.array_equal(whole.samples, source.samples) and not whole.note


def test_whatever_belongs_to_a_damaged_image_goes_with_it(tmp_path):
    for side in ("one", "two"):
        for number in range(4):
            save(tmp_path / side / f"{number}.png", Image.effect_noise((16, 16), 10 + number))
    (tmp_path / "one/1.png").write_bytes(b"no image")
    (tmp_path / "two/3.png").write_bytes(b"no image")
    pairs = kg.data.open_source(f"{tmp_path}/one = {tmp_path}/two", skip_unreadable=True)
    assert len(pairs) == 2 and "2 of 8 images" in pairs.note
    unpaired = kg.data.open_source(f"{tmp_path}/one + {tmp_path}/two", skip_unreadable=True)
    assert [len(column) for column in unpaired.columns.values()] == [3, 3]
    table = "file_name,text\n0.png,nought\n1.png,one\n2.png,two\n"
    (tmp_path / "one/metadata.csv").write_text(table)
    captioned = kg.data.open_source(tmp_path / "one", skip_unreadable=True)
    assert [captioned.columns["text"].values[row] for row in range(2)] == [("nought",), ("two",)]


def test_only_files_can_be_unreadable(tmp_path):
    for source in ("digits", np.zeros((4, 8, 8, 1), "uint8"), "digits[3] + digits[8]"):
        with pytest.raises(UserError, match="leave --skip-unreadable"):
            kg.data.open_source(source, skip_unreadable=True)
    (tmp_path / "1.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="None of the 1 images"):
        kg.data.open_source(tmp_path, skip_unreadable=True)


def test_large_folders_are_mapped_and_follow_their_files(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "IN_MEMORY_BYTES", 10)
    path = save(tmp_path / "data" / "1.png", flat())
    first = kg.data.open_source(tmp_path / "data").samples
    assert isinstance(first, np.memmap) and first[0, 0, 0].tolist() == list(RED)
    save(path, flat((1, 2, 3)))
    os.utime(path, (time.time() + 5, time.time() + 5))
    assert kg.data.open_source(tmp_path / "data").samples[0, 0, 0].tolist() == [1, 2, 3]


def test_progress_is_drawn_only_on_request(tmp_path, capfd):
    save(tmp_path / "1.png", flat())
    kg.data.open_source(tmp_path)
    assert capfd.readouterr() == ("", "")
    kg.data.open_source(tmp_path, progress=True)
    shown = capfd.readouterr()
    assert "Reading images" in shown.err and "1/1" in shown.err and not shown.out


def test_batches_of_a_folder(tmp_path):
    for value in range(6):
        save(tmp_path / f"{value}.png", flat(value * 51, mode="L"))
    batches = list(kg.data.load(tmp_path, image_size=8, batch_size=2, shuffle=False))
    assert [batch.shape for batch in batches] == [(2, 8, 8, 1)] * 3
    np.testing.assert_allclose([batch.numpy().mean() for batch in batches], [-0.8, 0.0, 0.8], atol=1e-6)
    with pytest.raises(UserError, match="largest possible batch_size is 6"):
        kg.data.load(tmp_path, image_size=8)
