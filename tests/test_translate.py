"""`keras-gans translate`: a user's own two folders of pictures, trained, translated and exported."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans.runs import run_directory
from tests.test_training_cli import TINY, run_here, unwrapped

ROLES = ("a_to_b", "b_to_a", "discriminator_a", "discriminator_b")
SMALL = [f"--set={role}.base_filters=4" for role in ROLES] + ["--set=batch_size=4"]


def picture(size, seed, mode="RGB"):
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3)).astype("uint8")
    return Image.fromarray(pixels).convert(mode)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A user's folder: summer in colour and winter in grey, of odd sizes, and a short run on them."""
    folder = tmp_path_factory.mktemp("user")
    for name, mode in (("summer", "RGB"), ("winter", "L")):
        for seed in range(6):
            (folder / name / "more").mkdir(parents=True, exist_ok=True)
            picture((24 + seed, 20), seed, mode).save(folder / name / ("more" if seed % 2 else ".") / f"{seed}.jpg")
    code, output, errors = run_here(
        "train", "cyclegan", "--data", "summer + winter", "--image-size", "16", "--steps", "3", *SMALL, cwd=folder
    )
    assert code == 0, errors
    # It has nothing to sample from.
    assert "keras-gans translate runs/" in output and "keras-gans sample" not in output
    return folder


def translate(folder, *arguments):
    code, output, errors = run_here("translate", *map(str, arguments), cwd=folder)
    assert "Traceback" not in errors
    return code, unwrapped(output), unwrapped(errors)


def test_a_folder_keeps_names_and_places(folder, tmp_path):
    code, output, errors = translate(folder, "latest", "summer", tmp_path / "made")
    assert code == 0, errors
    assert "6 of 6 pictures translated a to b, by step 3" in output
    made = sorted(path.relative_to(tmp_path / "made").as_posix() for path in (tmp_path / "made").rglob("*.*"))
    assert made == ["0.png", "2.png", "4.png", "more/1.png", "more/3.png", "more/5.png"]
    with Image.open(tmp_path / "made/0.png") as image:
        assert image.size == (16, 16) and image.mode == "L", "summer is in colour, winter in grey"
        shown = np.asarray(image)
    run = next((folder / "runs").iterdir())
    with Image.open(folder / "summer/0.jpg") as image:
        middle = image.crop((2, 0, 22, 20)).resize((16, 16), Image.Resampling.LANCZOS, reducing_gap=3.0)
    expected = run_directory.load_run(run).translate(np.asarray(middle)[np.newaxis], "a_to_b")
    np.testing.assert_array_equal(shown, expected[0, ..., 0])


def test_the_other_direction_and_the_pictures_own_size(folder, tmp_path):
    code, _, errors = translate(
        folder, "latest", "winter/4.jpg", tmp_path / "x.jpg", "--direction", "b_to_a", "--size", "input"
    )
    assert code == 0, errors
    with Image.open(tmp_path / "x.jpg") as image:
        assert image.size == (28, 20) and image.mode == "RGB" and image.format == "JPEG"


def test_any_kind_of_picture_is_taken_and_what_cannot_be_read_is_named(folder, tmp_path):
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name, mode in (("grey.png", "L"), ("palette.png", "P"), ("clear.png", "RGBA"), ("print.jpg", "CMYK")):
        picture((30, 17), 0, mode).save(mixed / name)
    picture((9, 9), 0).save(mixed / "clear.bmp")
    Image.fromarray(np.arange(400, dtype="uint16").reshape(20, 20)).save(mixed / "deep.png")
    (mixed / "torn.png").write_bytes((mixed / "grey.png").read_bytes()[:60])
    (mixed / "note.txt").write_text("no picture")
    code, output, _ = translate(folder, "latest", mixed, tmp_path / "made")
    assert code == 1 and "6 of 7 pictures" in output
    assert f"Left out: {mixed}/torn.png" in output.replace("\n", "")
    made = {path.name for path in (tmp_path / "made").iterdir()}
    assert made == {"grey.png", "palette.png", "clear.png.png", "clear.bmp.png", "print.png", "deep.png"}


def test_nothing_is_overwritten_unless_asked(folder, tmp_path):
    assert translate(folder, "latest", "summer/0.jpg", tmp_path / "x.png")[0] == 0
    code, _, errors = translate(folder, "latest", "summer/0.jpg", tmp_path / "x.png")
    assert code == 2 and "x.png is there already" in errors and "--overwrite" in errors
    assert translate(folder, "latest", "summer/0.jpg", tmp_path / "x.png", "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["latest", "sumer", "made"], "There is no sumer"),
        (["latest", "summer", "summer/made"], "OUTPUT lies within INPUT"),
        (["latest", "~nobody_of_that_name", "made"], "There is no ~nobody_of_that_name"),
        (["latest", "s" * 300, "made"], "There is no sss"),
        (["latest", "summer/0.jpg", "summer/0.jpg"], "its original's place"),
        (["latest", "summer/0.jpg", "made.tif"], "ends in .png"),
        (["latest", "runs", "made"], "There is no picture in runs"),
        (["latest", "summer", "made", "--direction", "a_to_c"], "Unknown direction 'a_to_c'. Did you mean 'a_to_b'"),
        (["latest", "summer", "made", "--size", "imput"], "Unknown size 'imput'. Did you mean 'input'"),
        (["99", "summer", "made"], "99"),
    ],
)
def test_mistakes_are_named_and_write_nothing(folder, arguments, message):
    if arguments[1] == "runs":
        (folder / "runs" / "empty").mkdir(exist_ok=True)
        arguments = [arguments[0], "runs/empty", *arguments[2:]]
        message = "There is no picture in runs/empty"
    code, _, errors = translate(folder, *arguments)
    assert code == 2 and message in errors
    assert not (folder / "made").exists() and not (folder / "summer/made").exists()


def test_a_run_that_translates_nothing_says_which_would(folder, tmp_path):
    code, _, errors = run_here("train", "dcgan", "--steps", "1", *TINY, cwd=tmp_path)
    assert code == 0, errors
    code, _, errors = translate(tmp_path, "latest", folder / "summer", "made")
    assert code == 2 and "DCGAN translates nothing" in errors and "cyclegan" in errors


@pytest.mark.slow
def test_the_export_answers_files_of_any_size_both_ways(folder, tmp_path):
    code, _, errors = run_here("export", "latest", "--to", str(tmp_path / "exported"), cwd=folder)
    assert code == 0, errors
    model = run_directory.load_run(sorted((folder / "runs").glob("0*"))[0])
    served = tf.saved_model.load(tmp_path / "exported" / "1")
    for direction, name in (("a_to_b", "summer/0.jpg"), ("b_to_a", "winter/0.jpg")):
        data = (folder / name).read_bytes()
        answer = served.signatures[f"translate_{direction}_png"](image_bytes=tf.constant([data, data]))["image_bytes"]
        with Image.open(io.BytesIO(answer.numpy()[1])) as image:
            assert image.size == (16, 16) and image.mode == ("L" if direction == "a_to_b" else "RGB")
        shape = model.fields()[f"image_{direction[0]}"].shape
        pixels = np.random.default_rng(0).integers(0, 256, (1, *shape)).astype("uint8")
        answer = served.signatures[f"translate_{direction}"](image=tf.constant(pixels))["image"].numpy()
        np.testing.assert_array_equal(answer, model.translate(pixels, direction))
        lite = tf.lite.Interpreter(str(tmp_path / f"exported/1/tflite/{direction}_float32.tflite"))
        floats = pixels.astype("float32") / 127.5 - 1.0
        answer = lite.get_signature_runner("serving_default")(image=floats)["image"]
        network = getattr(model, direction)
        np.testing.assert_allclose(answer, network(floats, training=False), atol=1e-4)
