"""Texts on the command line and in what is exported: drawn, walked between, answered."""

import io
import json
import re
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import keras_gans as kg
from keras_gans import latent
from keras_gans.errors import UserError
from keras_gans.export import export_model
from keras_gans.metrics import matching
from keras_gans.training.texts import file_name, told_apart
from keras_gans.words import read_vocabulary, tokens_in_python
from tests.processes import HANGS
from tests.small import recipe_for
from tests.test_training_cli import run_here, unwrapped

CAPTIONS = {
    "0.png": ["a small red circle, top left", "a little red disc"],
    "1.png": ["two large green stars"],
    "2.png": ["a small blue square in the centre"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in whose runs 1 draws to texts and 2 does not; both are untrained."""
    from keras_gans.training import new_run
    from keras_gans.training import train as training

    root = tmp_path_factory.mktemp("texts")
    data = root / "captioned"
    data.mkdir()
    random = np.random.default_rng(0)
    for name in CAPTIONS:
        PIL.Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).save(data / name)
    rows = [{"file_name": name, "text": text} for name, texts in CAPTIONS.items() for text in texts]
    # Enough more for one half to be held out.
    for place in range(3, 30):
        PIL.Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).save(data / f"{place}.png")
    words = [f"a {size} {shape}" for size in ("small", "large") for shape in ("circle", "square", "star")]
    rows += [{"file_name": f"{place}.png", "text": words[place % 6]} for place in range(3, 30)]
    (data / "metadata.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    for scheme, source in (("text_to_image", str(data)), ("gan", "digits")):
        recipe = recipe_for(scheme)
        recipe = recipe.replace(
            data=source, batch_size=2, hold_out=0.0, **({"image_size": 16} if scheme != "gan" else {})
        )
        run = new_run.create(recipe, root / "runs")
        new_run.write_recipe(run, recipe)
        model = training.build_for(recipe, training.open_data(recipe))
        (run / "checkpoints").mkdir()
        model.save(run / "checkpoints" / "step-00000000.keras")
    return root


@pytest.fixture(scope="module")
def model(folder):
    from keras_gans.runs import run_directory

    return run_directory.load_run(run_directory.resolve("1", folder / "runs"))


def succeed(*arguments, cwd):
    code, output, errors = run_here(*arguments, cwd=cwd)
    assert code == 0, errors
    return unwrapped(output)


def fail(*arguments, cwd):
    code, output, errors = run_here(*arguments, cwd=cwd)
    assert code == 2, output
    return unwrapped(errors)


def test_each_text_has_a_row_of_samples_of_the_same_seeds(folder, model, tmp_path):
    texts = ["a small red circle", "two big green stars"]
    arguments = [f for text in texts for f in ("--text", text)]
    to = tmp_path / "rows"
    output = succeed(
        "sample", "1", *arguments, "--count", "2", "--seed", "5", "--separate", "--to", str(to), cwd=folder
    )
    assert "'two big green stars': unknown to the model" in output and "'big'" in output
    assert sorted(path.name for path in to.iterdir()) == [
        "1-a-small-red-circle-5.png",
        "1-a-small-red-circle-6.png",
        "2-two-big-green-stars-5.png",
        "2-two-big-green-stars-6.png",
    ]
    for row, text in enumerate(texts, 1):
        for place, expected in enumerate(model.sample(2, seed=5, texts=text)):
            (path,) = to.glob(f"{row}-*-{5 + place}.png")
            np.testing.assert_array_equal(np.asarray(PIL.Image.open(path)), expected)
    output = succeed("sample", "1", *arguments, "--count", "3", cwd=folder)
    (path,) = (folder / "runs").glob("*/samples/step-00000000-seed-0-a-small-red-circle-and-1-more-????????.png")
    assert path.name in output and PIL.Image.open(path).width > 600


def test_names_of_files_tell_texts_apart():
    assert file_name("A small red circle, top left") == "a-small-red-circle-top-left"
    alike = ["a bird with a red head and a white belly and wings that are " + colour for colour in ("grey", "blue")]
    names = {file_name(text) for text in (*alike, "красный круг", "синий круг", "", "!")}
    assert len(names) == 6 and all(re.fullmatch("[a-z0-9-]{1,60}", name) for name in names)
    assert told_apart("a", "b c") != told_apart("a b", "c")


def test_a_file_holds_a_text_a_line(folder, tmp_path):
    file = tmp_path / "wanted.txt"
    file.write_text("\ufeffa red circle\n\n  two stars  \r\nblue\n", encoding="utf-8")
    to = tmp_path / "drawn"
    options = ["--texts", str(file), "--text", "green", "--count", "1", "--separate", "--to", str(to)]
    assert "1 samples of each of 4 texts" in succeed("sample", "1", *options, cwd=folder)
    assert {path.name for path in to.iterdir()} == {
        "1-green-0.png",
        "2-a-red-circle-0.png",
        "3-two-stars-0.png",
        "4-blue-0.png",
    }


def test_without_a_text_captions_of_the_data_are_drawn(folder):
    assert "4 samples" in succeed("sample", "1", "--count", "4", cwd=folder)


def test_mistakes_about_texts_are_named(folder, tmp_path):
    empty, latin = tmp_path / "empty.txt", tmp_path / "latin.txt"
    empty.write_text("\n \n")
    latin.write_bytes(b"caf\xe9\n")
    for arguments, message in (
        (["--text", "  "], "Received an empty one"),
        (["--text", "red", "--label", "1"], "not both"),
        (["--texts", "nowhere.txt"], "no file nowhere.txt"),
        (["--texts", "~nobody_of_that_name"], "no file ~nobody_of_that_name"),
        (["--texts", "t" * 300], "no file ttt"),
        (["--texts", str(empty)], "holds no text"),
        (["--texts", str(latin)], "UTF-8"),
        (["--text", "xyzzy, plugh!"], "knows no word of 'xyzzy, plugh!'. What it knows best: a,"),
    ):
        assert message in fail("sample", "1", *arguments, cwd=folder)
    assert "draws to no texts" in (message := fail("sample", "2", "--text", "red", cwd=folder))
    assert "text_to_image" in message
    assert "reads the first" in succeed("sample", "1", "--text", "red " * 50, "--count", "1", cwd=folder)


def test_a_walk_between_texts_starts_and_ends_at_their_pictures(folder, model, tmp_path):
    ends = ["a small red circle", "two large green stars"]
    to = tmp_path / "way.gif"
    arguments = ["--from-text", ends[0], "--to-text", ends[1], "--from-seed", "3", "--frames", "5", "--to", str(to)]
    output = succeed("latent", "interpolate", "1", *arguments, cwd=folder)
    assert "5 samples of seed 3, a small red circle -> two large green stars" in output
    assert PIL.Image.open(to).n_frames == 5
    frames = tmp_path / "way.png"
    succeed("latent", "interpolate", "1", *arguments[:-1], str(frames), cwd=folder)
    codes = latent.path(model.encode_text(ends), 5, "linear").astype("float32")
    drawn = model.samples_from_codes(tf.fill([5], tf.constant(3, tf.int64)), tf.constant(codes)).numpy()
    np.testing.assert_array_equal(drawn[[0, 4]], [model.sample(1, seed=3, texts=text)[0] for text in ends])
    np.testing.assert_array_equal(np.asarray(PIL.Image.open(frames)), kg.picture.grid(drawn, columns=5, width=960))


def test_a_walk_between_seeds_keeps_its_text(folder, model, tmp_path):
    to = tmp_path / "way.png"
    options = ["--text", "blue square", "--frames", "3", "--to-seed", "9", "--to", str(to)]
    assert "from seed 0 -> 9" in succeed("latent", "interpolate", "1", *options, cwd=folder)
    samples = latent.decode_array(model, latent.seed_latents(model, [0, 9]), texts="blue square")
    np.testing.assert_array_equal(samples[1], model.sample(1, seed=9, texts="blue square")[0])


def test_mistakes_about_walks_are_named(folder, model, tmp_path):
    both = ["--from-text", "red", "--to-text", "blue"]
    for arguments, message in (
        (["1", *both[:2]], "give --to-text too"),
        (["1", *both[2:]], "give --from-text too"),
        (["1", *both, "--to-seed", "2"], "leave --to-seed out. Received: 2"),
        (["1", *both, "--mode", "slerp"], "straight"),
        (["2", *both], "draws to no texts"),
        (["1"], "draws to texts: say which"),
        (["1", "--from-text", "red", "--to-text", "xyzzy"], "knows no word of 'xyzzy'"),
    ):
        assert message in fail("latent", "interpolate", *arguments, "--to", str(tmp_path / "x.png"), cwd=folder)
    assert "latent interpolate walks between two texts" in fail("latent", "truncate", "1", cwd=folder)
    with pytest.raises(UserError, match="draws to no texts"):
        latent.decode_array(kg.schemes.VanillaGAN(*_points()), np.zeros((1, 100)), texts="red")


def _points():
    return kg.networks.mlp_generator((2,), output_activation=None), kg.networks.mlp_discriminator((2,))


def test_a_run_is_measured_by_its_texts(folder, monkeypatch):
    monkeypatch.setattr(matching, "_FEWEST_STEPS", 3)
    output = succeed("evaluate", "1", "--metrics", "text_retrieval,text_auc", "--samples", "12", cwd=folder)
    assert "real held-out images in the samples' place" in output and "half of train" in output
    (run,) = (folder / "runs").glob("00001*")
    scores = json.loads((run / "evaluation.json").read_text())["scores"]
    assert [score["name"] for score in scores] == ["text_retrieval", "text_auc"]
    assert all(0.0 <= score["value"] <= 1.0 and score["protocol"]["samples"] == 12 for score in scores)
    assert "needs data with columns of classes" in fail("evaluate", "1", "--metrics", "attribute_accuracy", cwd=folder)


# The export -----------------------------------------------------------------------------------------------------

SERVE = """
import sys
sys.modules.update({"keras": None, "keras_gans": None})
import tensorflow as tf
served = tf.saved_model.load(sys.argv[1])
answer = served.signatures["text_png"](text=tf.constant([sys.argv[2]]), seed=tf.constant([7], tf.int64))
sys.stdout.buffer.write(answer["image_bytes"].numpy()[0])
"""


@pytest.fixture(scope="module")
def published(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return folder / "1", export_model(model, folder)


@pytest.mark.slow
def test_an_exported_model_answers_a_sentence_with_a_png(published, model):
    text = "A small RED circle,\ntop-left; caf\u00e9"
    run = subprocess.run([sys.executable, "-c", SERVE, str(published[0]), text], capture_output=True, timeout=HANGS)
    assert run.returncode == 0, run.stderr[-2000:]
    image = np.asarray(PIL.Image.open(io.BytesIO(run.stdout)))
    np.testing.assert_array_equal(image, model.sample(1, seed=7, texts=text)[0])


@pytest.mark.slow
def test_the_tflite_file_draws_from_the_vocabulary_beside_it_what_the_saved_model_draws(published, model):
    folder, report = published
    vocabulary = read_vocabulary(folder / "vocabulary.txt")
    assert vocabulary == model.tokenizer.vocabulary
    assert report["tokenizer"] == {"level": "word", "length": model.tokenizer.length}
    assert "vocabulary.txt" in report["files"] and report["tflite"]["float32"]["checks"]["serving_default"]
    run = Interpreter(model_path=str(folder / "tflite/generator_float32.tflite")).get_signature_runner(
        "serving_default"
    )
    served = tf.saved_model.load(str(folder)).signatures
    z = latent.seed_latents(model, [4])
    for text in [text for texts in CAPTIONS.values() for text in texts] + ["", "Ein ROTER Kreis!", "red " * 99]:
        tokens = np.array([tokens_in_python(text, vocabulary, report["tokenizer"]["length"])], np.int32)
        image = run(z=z, tokens=tokens)["image"]
        expected = served["text"](text=tf.constant([text]), seed=tf.constant([4], tf.int64))["image"]
        np.testing.assert_allclose(kg.pixels.to_uint8(image).numpy().astype(int), expected, atol=1)
