"""What strangers send to an exported model: a wrong row is answered as invalid, and no other row is touched by it."""

import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from keras_gans.engine import image_files, validity
from tests.small import small_model

GOOD = 3


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Function of a scheme's name that returns (small model, signatures of its SavedModel), each made once."""
    made = {}

    def get(scheme):
        if scheme not in made:
            model = small_model(scheme)
            folder = tmp_path_factory.mktemp(scheme)
            model.export(folder, verbose=False)
            made[scheme] = model, tf.saved_model.load(folder)
        model, loaded = made[scheme]
        return model, loaded.signatures

    return get


def ask(signature, **inputs):
    specifications = signature.structured_input_signature[1]
    answer = signature(**{name: tf.constant(rows, specifications[name].dtype) for name, rows in inputs.items()})
    return {name: value.numpy() for name, value in answer.items()}


def png(width=8, height=8, mode="L"):
    file = io.BytesIO()
    PIL.Image.effect_noise((width, height), 60).convert(mode).save(file, "PNG")
    return file.getvalue()


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def check_alone(signature, good, bad):
    """One bad row within a request of others, as TensorFlow Serving merges those of several clients.

    Args:
        signature: of a SavedModel.
        good: {input: array of `GOOD` rows}.
        bad: {input: one row}, those inputs that are wrong.
    """
    expected = ask(signature, **good)
    assert expected["valid"].all()
    row = {name: bad.get(name, rows[0]) for name, rows in good.items()}
    place = 1
    merged = {name: np.concatenate([rows[:place], [row[name]], rows[place:]]) for name, rows in good.items()}
    answered = ask(signature, **merged)
    np.testing.assert_array_equal(answered["valid"], [True, False, True, True])
    for name, values in answered.items():
        others = np.delete(values, place, axis=0)
        if values.dtype.kind == "f":
            np.testing.assert_allclose(others, expected[name], atol=1e-5)
        else:
            np.testing.assert_array_equal(others, expected[name])
        filler = {"label": -1}.get(name, b"" if values.dtype == object else 0)
        assert np.all(values[place] == filler), name


LIMITS = np.iinfo(np.int64)


@pytest.mark.parametrize("label", [-1, 3, 2**40, LIMITS.min, LIMITS.max])
def test_a_label_that_is_no_class_fails_alone(models, label):
    _, served = models("cgan")
    good = {"seed": np.arange(GOOD), "label": np.arange(GOOD)}
    check_alone(served["sample"], good, {"label": label})
    check_alone(served["sample_png"], good, {"label": label})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_latents_that_are_no_numbers_fail_alone(models, value):
    model, served = models("cgan")
    latents = np.random.default_rng(0).normal(size=(GOOD, model.latent_dim)).astype("float32")
    wrong = latents[0].copy()
    wrong[2] = value
    check_alone(served["serving_default"], {"z": latents, "label": np.arange(GOOD)}, {"z": wrong})


@pytest.mark.parametrize("fraction", [-0.1, 1.1, np.nan, np.inf])
def test_a_fraction_that_is_not_between_the_two_fails_alone(models, fraction):
    _, served = models("cgan")
    good = {"from_seed": np.arange(GOOD), "to_seed": np.arange(GOOD)[::-1], "fraction": np.linspace(0, 1, GOOD)}
    check_alone(served["interpolate"], good | {"label": np.arange(GOOD)}, {"fraction": fraction})


WRONG_IMAGES = {
    "nan": np.full((8, 8, 1), np.nan, "float32"),
    "one infinite": np.where(np.arange(64).reshape(8, 8, 1) == 40, np.inf, 0.0).astype("float32"),
    "levels from 0 to 255": (4.0 * np.arange(64).reshape(8, 8, 1)).astype("float32"),
    "below the range": np.full((8, 8, 1), -1.02, "float32"),
}


@pytest.mark.parametrize("wrong", WRONG_IMAGES.values(), ids=WRONG_IMAGES)
@pytest.mark.parametrize("scheme, signature", [("sgan", "classify"), ("vae", "encode"), ("vae", "reconstruct")])
def test_an_image_out_of_its_range_fails_alone(models, scheme, signature, wrong):
    _, served = models(scheme)
    images = np.random.default_rng(0).uniform(-1, 1, (GOOD, 8, 8, 1)).astype("float32")
    check_alone(served[signature], {"image": images}, {"image": wrong})


def test_an_images_ends_are_in_range(models):
    _, served = models("vae")
    ends = np.stack([np.full((8, 8, 1), value, "float32") for value in (-1.0, 1.0, 1.005)])
    assert ask(served["encode"], image=ends)["valid"].all()


WRONG_FILES = {
    "empty": b"",
    "a text": b"not a picture",
    "cut in the middle": png()[:60],
    "a signature alone": b"\x89PNG\r\n\x1a\n",
    "another checksum": png()[:40] + bytes([png()[40] ^ 1]) + png()[41:],
    "half a JPEG header": b"\xff\xd8\xff\xe0",
    # A few bytes that claim four gigapixels.
    "a bomb": b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 65_000, 65_000, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0" * 100))
    + chunk(b"IEND", b""),
}


@pytest.mark.parametrize("wrong", WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_file_that_is_no_picture_fails_alone(models, wrong):
    for scheme, signature in (("sgan", "classify_png"), ("vae", "encode_png"), ("vae", "reconstruct_png")):
        _, served = models(scheme)
        check_alone(served[signature], {"image_bytes": np.array([png()] * GOOD, object)}, {"image_bytes": wrong})


def test_files_of_any_kind_and_size_are_answered_as_their_pixels_are(models):
    _, served = models("sgan")
    picture = PIL.Image.effect_noise((8, 8), 60)
    files = []
    for kind in ("PNG", "BMP", "GIF"):
        file = io.BytesIO()
        picture.save(file, kind)
        files.append(file.getvalue())
    floats = np.asarray(picture, "float32")[np.newaxis, ..., np.newaxis] / 127.5 - 1.0
    expected = ask(served["classify"], image=np.repeat(floats, 3, axis=0))
    found = ask(served["classify_png"], image_bytes=np.array(files, object))
    assert found.keys() == expected.keys() == {"probabilities", "label", "name", "valid"}
    np.testing.assert_allclose(found["probabilities"], expected["probabilities"], atol=1e-5)
    other_sizes = []
    for kind, size, mode in (("JPEG", (40, 30), "RGB"), ("PNG", (3, 5), "RGBA"), ("PNG", (9, 9), "P")):
        file = io.BytesIO()
        picture.resize(size).convert(mode).save(file, kind)
        other_sizes.append(file.getvalue())
    assert ask(served["classify_png"], image_bytes=np.array(other_sizes, object))["valid"].all()


def test_a_reconstruction_of_a_file_is_a_file(models):
    model, served = models("vae")
    file = png()
    floats = np.asarray(PIL.Image.open(io.BytesIO(file)), "float32")[np.newaxis, ..., np.newaxis] / 127.5 - 1.0
    answer = ask(served["reconstruct_png"], image_bytes=np.array([file], object))["image_bytes"][0]
    expected = np.rint((np.clip(model.reconstruct(floats), -1, 1) + 1.0) * 127.5)
    found = np.asarray(PIL.Image.open(io.BytesIO(answer)), "float32")[np.newaxis, ..., np.newaxis]
    np.testing.assert_allclose(found, expected, atol=1)
    codes = ask(served["encode_png"], image_bytes=np.array([file], object))["z"]
    np.testing.assert_allclose(codes, model.encode(floats), atol=1e-4)


def test_what_can_not_be_wrong_has_no_verdict(models):
    _, served = models("vae")
    assert list(ask(served["sample_png"], seed=[LIMITS.min, LIMITS.max])) == ["image_bytes"]


def test_more_rows_than_the_limit_and_unequal_lengths_are_refused(models):
    _, served = models("cgan")
    rows = np.zeros(validity.BATCH_LIMIT, "int64")
    assert len(ask(served["sample"], seed=rows, label=rows)["image"]) == validity.BATCH_LIMIT
    more = np.zeros(validity.BATCH_LIMIT + 1, "int64")
    with pytest.raises(tf.errors.InvalidArgumentError, match="256 rows at the most, not.*257"):
        ask(served["sample"], seed=more, label=more)
    with pytest.raises(tf.errors.InvalidArgumentError, match="(?s)from_seed and to_seed have equally many rows"):
        ask(served["interpolate"], from_seed=[1, 2], to_seed=[1], fraction=[0.5, 0.5], label=[0, 0])


def test_no_rows_are_answered_by_none(models):
    _, served = models("sgan")
    assert ask(served["classify_png"], image_bytes=np.array([], object))["probabilities"].shape == (0, 3)
    assert ask(served["sample_png"], seed=np.array([], "int64"))["image_bytes"].shape == (0,)


def test_the_limit_is_the_exports(tmp_path):
    model = small_model("gan")
    model.export(tmp_path, batch_limit=2, verbose=False)
    served = tf.saved_model.load(tmp_path).signatures["sample"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="2 rows at the most"):
        ask(served, seed=[1, 2, 3])


@pytest.mark.parametrize("channels", [1, 3])
def test_colours_of_a_file_are_those_of_its_picture(channels):
    picture = PIL.Image.effect_noise((16, 16), 60).convert("RGB").quantize(16)
    pixels = np.asarray(picture.convert("RGB"), "float32")
    levels = pixels if channels == 3 else (pixels @ np.array(image_files._LUMA, "float32"))[..., np.newaxis]
    for kind in ("BMP", "PNG", "GIF"):
        file = io.BytesIO()
        picture.save(file, kind)
        found, valid = image_files.images_from_files(tf.constant([file.getvalue()]), (16, 16, channels))
        assert valid[0], kind
        np.testing.assert_allclose((found[0] + 1.0) * 127.5, levels, atol=1.5, err_msg=kind)
    # Four inks have no level of grey of their own.
    inks = PIL.Image.new("RGB", (16, 16), (200, 90, 30))
    file = io.BytesIO()
    inks.convert("CMYK").save(file, "JPEG", quality=100)
    found, valid = image_files.images_from_files(tf.constant([file.getvalue()]), (16, 16, channels))
    expected = np.array([200.0, 90.0, 30.0]) if channels == 3 else np.dot((200.0, 90.0, 30.0), image_files._LUMA)
    assert valid[0]
    np.testing.assert_allclose((found[0, 8, 8] + 1.0) * 127.5, np.broadcast_to(expected, channels), atol=3)


def test_a_file_is_as_large_as_its_image_whatever_it_says_of_its_screen():
    def gif(**options):
        file = io.BytesIO()
        PIL.Image.new("P", (90, 30), 3).save(file, "GIF", **options)
        return file.getvalue()

    plain = gif()
    small_screen = plain[:6] + (1).to_bytes(2, "little") * 2 + plain[10:]
    several = gif(save_all=True, append_images=[PIL.Image.new("P", (90, 30), 5)], comment=b"x" * 600, loop=0)
    for file in (plain, small_screen, several):
        assert image_files._pixels(tf.constant(file)) == 2700
        assert image_files.images_from_files(tf.constant([file]), (8, 8, 3))[1][0]
    assert image_files._pixels(tf.constant(plain[:22])) > image_files.PIXEL_LIMIT
    # Of what is none of the four kinds nobody knows.
    file = io.BytesIO()
    PIL.Image.new("RGB", (9, 9)).save(file, "WEBP")
    assert image_files._pixels(tf.constant(file.getvalue())) > image_files.PIXEL_LIMIT
    assert not image_files.images_from_files(tf.constant([file.getvalue()]), (8, 8, 3))[1][0]


def test_pixels_are_told_from_a_files_first_bytes():
    for kind in ("PNG", "JPEG", "GIF", "BMP"):
        file = io.BytesIO()
        PIL.Image.new("L", (300, 7)).save(file, kind)
        assert image_files._pixels(tf.constant(file.getvalue())) == 2100, kind
    top_down = b"BM" + bytes(16) + struct.pack("<ii", 300, -7)
    assert image_files._pixels(tf.constant(top_down)) == 2100


@pytest.mark.slow
def test_tokens_and_texts_fail_alone(models):
    """Of the two kinds of scheme that read texts."""
    model, served = models("text_to_image")
    tokens = np.asarray(model.example_inputs("sample", GOOD)["tokens"])
    for number in (-1, len(model.tokenizer.vocabulary), 2**31 - 1):
        check_alone(served["sample"], {"seed": np.arange(GOOD), "tokens": tokens}, {"tokens": tokens[0] * 0 + number})
    texts = np.array([b"a red circle", b"", b"\xff\xfe"], object)
    check_alone(served["text"], {"seed": np.arange(GOOD), "text": texts}, {"text": b"a" * (validity.TEXT_LIMIT + 1)})
    model, served = models("adversarial_nmt")
    tokens = np.asarray(model.example_inputs("translate_tokens", GOOD)["tokens"])
    wrong = tokens[0] * 0 + len(model.source_vocabulary)
    check_alone(served["translate_tokens"], {"tokens": tokens}, {"tokens": wrong})
    check_alone(served["translate_text"], {"text": texts}, {"text": b"a " * validity.TEXT_LIMIT})
