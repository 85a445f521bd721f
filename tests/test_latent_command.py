"""The `keras-gans latent` commands as a user meets them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.fields import Images
from keras_gans.metrics import features
from keras_gans.training import new_run
from keras_gans.training import train as training
from keras_gans.training.latent_command import latent_app
from keras_gans.training.latent_inversion import targets_of
from tests.small import recipe_for

ROOT = Path(__file__).parent.parent


def make_run(root, scheme, **options):
    """A run directory with an untrained small model, as training would leave it; `options` are the scheme's."""
    recipe = recipe_for(scheme)
    recipe = recipe.replace(data="digits", scheme={**recipe.scheme, **options})
    run = new_run.create(recipe, root)
    new_run.write_recipe(run, recipe)
    model = training.build_for(recipe, training.open_data(recipe))
    (run / "checkpoints").mkdir()
    model.save(run / "checkpoints" / "step-00000000.keras")
    return model


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """(folder of the runs, {number: model}): 1 is a gan, 2 class-conditional, 3 has uniform latents."""
    root = tmp_path_factory.mktemp("runs")
    models = [make_run(root, "gan"), make_run(root, "cgan"), make_run(root, "gan", latent_prior="uniform")]
    return root, dict(enumerate(models, 1))


def run(runs, *arguments):
    """Output of a command that must succeed."""
    result = CliRunner().invoke(latent_app, [*arguments, "--runs", str(runs[0])], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def error(runs, *arguments):
    """Message of the `UserError` of a command that must fail."""
    result = CliRunner().invoke(latent_app, [*arguments, "--runs", str(runs[0])])
    assert isinstance(result.exception, UserError), result.output
    return str(result.exception)


def test_interpolating_moves_from_one_seed_to_the_other(runs, tmp_path):
    to = tmp_path / "way.gif"
    output = run(runs, "interpolate", "1", "--from-seed", "3", "--to-seed", "8", "--frames", "5", "--to", str(to))
    assert "5 samples from seed 3 -> 8, slerp" in output and "way.gif" in output
    with Image.open(to) as gif:
        assert gif.n_frames == 5
        first = np.asarray(gif.convert("L"))
        gif.seek(4)
        last = np.asarray(gif.convert("L"))
    for drawn, seed in ((first, 3), (last, 8)):
        sample = kg.picture.grid(runs[1][1].sample(1, seed=seed), gap=0, width=192)[..., 0]
        np.testing.assert_allclose(drawn.astype(int), sample, atol=2)


def test_interpolating_in_one_picture_through_a_seed_on_the_way(runs, tmp_path):
    to = tmp_path / "way.png"
    way = ["--via", "5", "--frames", "6", "--loop", "--mode", "linear", "--to", str(to)]
    assert "seed 0 -> 5 -> 1 -> 0, linear" in run(runs, "interpolate", "1", *way)
    assert Image.open(to).width > 300
    assert "linear" in run(runs, "interpolate", "3", "--frames", "2", "--to", str(to)), "uniform latents go straight"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["interpolate", "1", "--to-seed", str(2**63)], "Seeds are whole numbers of 64 bits"),
        (["truncate", "1", "--seed", str(2**63 - 8)], "Seeds are whole numbers of 64 bits"),
        (["arithmetic", "1", "seeds:1,2", "--seed", str(2**63 - 1)], "Seeds are whole numbers of 64 bits"),
        (["arithmetic", "1", "thick - thin", "--judge", "digits"], "--judge finds classes, and no term is one"),
    ],
)
def test_seeds_and_judges_that_cannot_be_are_refused(runs, arguments, message):
    assert message in error(runs, *arguments)


def test_images_of_the_training_split_are_those_that_were_trained_on(tmp_path):
    for index, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), "uint8")):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    model = type("Model", (), {"takes": {"sample": (Images,)}, "takes_labels": False})()
    recipe = {"data": str(tmp_path), "image_size": None, "channels": None, "hold_out": 0.3}
    (training,) = targets_of(model, recipe, None, ["train"], 100, None)
    held_out, likewise = targets_of(model, recipe, None, [], 100, None)
    assert training.name == "train" and 40 - len(held_out.images) == len(training.images) == len(likewise.images) < 40


def test_interpolating_needs_the_class_where_there_are_classes(runs, tmp_path):
    to = tmp_path / "way.png"
    assert "on the command line by --label" in error(runs, "interpolate", "2", "--to", str(to))
    assert "not class-conditional" in error(runs, "interpolate", "1", "--label", "1", "--to", str(to))
    run(runs, "interpolate", "2", "--label", "1", "--frames", "2", "--to", str(to))
    assert to.exists()


def test_truncating_reports_a_smaller_spread(runs, tmp_path):
    to = tmp_path / "rows.png"
    output = run(runs, "truncate", "1", "--threshold", "0.2", "--threshold", "1", "--count", "4", "--to", str(to))
    words = output.replace("│", " ").replace("┃", " ").split()
    spread = {name: float(words[words.index(name) + 1]) for name in ("0.2", "1.0", "none")}
    assert spread["0.2"] < spread["1.0"] < spread["none"] == 1.0
    picture = Image.open(to)
    assert 3 * picture.width == pytest.approx(4 * picture.height, rel=0.1), "three rows of four"
    assert "truncates nothing" in error(runs, "truncate", "3", "--threshold", "1")


def test_arithmetic_of_levels_says_how_often_it_came_out(runs, tmp_path):
    to = tmp_path / "sum.png"
    arguments = ["--pool", "60", "--draws", "40", "--exemplars", "3", "--to", str(to)]
    output = run(runs, "arithmetic", "1", "bright - dark + dark", *arguments)
    assert "Should come to: bright. It did in" in output and "of ordinary samples 50% are that" in output
    # Three terms of three exemplars, a gap and the mean; a white row; three rows of results.
    picture = Image.open(to)
    assert 7 * picture.width == pytest.approx(5 * picture.height, rel=0.1)
    first = np.asarray(picture)
    run(runs, "arithmetic", "1", "bright - dark + dark", *arguments, "--own-length")
    assert (np.asarray(Image.open(to)) != first).any()
    output = run(runs, "arithmetic", "1", "bright - seeds:3,4 + seeds:5", *arguments)
    assert "Nothing is judged" in output
    output = run(runs, "arithmetic", "2", "bright", "--label", "1", *arguments)
    assert "Should come to: bright" in output


class _Judge:
    """Takes bright images for "day" and dark ones for "night"."""

    class_names = ("night", "day")
    accuracy = 0.875

    def probabilities(self, images):
        bright = images.mean(axis=(1, 2, 3)) > 127
        return np.stack([~bright, bright], axis=1).astype(np.float32)


def test_arithmetic_of_classes_asks_the_classifier(runs, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(features, "extractor", lambda name: asked.append(name) or _Judge())
    arguments = ["--pool", "200", "--draws", "50", "--to", str(tmp_path / "sum.png")]
    output = run(runs, "arithmetic", "1", "day - night + night", *arguments)
    share = float(output.split("It did in ")[1].split("%")[0])
    assert share > 80, "an untrained generator's brightness is nearly linear in the latent"
    assert "87.5% of test images" in output and asked == ["digits"]
    assert "What the classifier takes the results for: " in run(
        runs, "arithmetic", "1", "day + day - night", *arguments
    )
    assert "Unknown class 'dai'. Did you mean 'day'" in error(runs, "arithmetic", "1", "dai", *arguments)
    assert "the class is the label" in error(runs, "arithmetic", "2", "day", "--label", "1", *arguments)


def test_arithmetic_without_a_classifier_names_the_other_way(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "name_for", lambda data: "inception")
    message = error(runs, "arithmetic", "1", "smile", "--to", str(tmp_path / "sum.png"))
    assert "No classifier knows the classes of 'digits'" in message and "seeds:3,7,21" in message


def test_inverting_the_runs_own_data(runs, tmp_path):
    to = tmp_path / "both.png"
    arguments = ["--count", "5", "--steps", "3", "--to", str(to)]
    output = run(runs, "invert", "1", "--restarts", "2", *arguments)
    assert "after 3 steps from the best of 2 starts" in output and "test" in output and "train" in output
    picture = Image.open(to)
    assert 4 * picture.width == pytest.approx(5 * picture.height, rel=0.1), "four rows of five"
    output = run(runs, "invert", "2", "--split", "train", *arguments)
    assert "test" not in output.replace(str(to), "")
    assert "bring their labels" in error(runs, "invert", "2", "--label", "1", *arguments)


def test_inverting_an_image_of_ones_own(runs, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for index in range(2):
        Image.fromarray(runs[1][1].sample(1, seed=index)[0, ..., 0]).resize((30, 20)).save(folder / f"{index}.png")
    to = tmp_path / "both.png"
    assert "0.png" in run(runs, "invert", "1", str(folder / "0.png"), "--steps", "2", "--to", str(to))
    output = run(runs, "invert", "1", str(folder), "--steps", "2", "--to", str(to))
    assert "mine" in output and to.exists()
    (folder / "0.png").write_bytes(b"no image")
    assert "cannot be read" in error(runs, "invert", "1", str(folder / "0.png"), "--to", str(to))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["interpolate", "1", "--to", "way.jpg"], "ends in .gif or .png"),
        (["interpolate", "1", "--mode", "slurp"], "Unknown interpolation 'slurp'. Did you mean 'slerp'"),
        (["interpolate", "99"], "99"),
        (["arithmetic", "1", "7:thik"], "Unknown attribute 'thik'. Did you mean 'thick'"),
        (["truncate", "1", "--threshold", "0"], "0.001 or more"),
        (["invert", "1", "nowhere.png"], "There is no image or folder nowhere.png"),
        (["invert", "1", "setup.cfg"], "An image ends in .png"),
        (["invert", "1", "tests", "--split", "test"], "not both"),
    ],
)
def test_a_mistake_is_one_message(runs, arguments, message, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert message in error(runs, *arguments)


def test_help_teaches_without_tensorflow(tmp_path):
    script = (
        "import sys; from keras_gans.training.latent_command import latent_app\n"
        "for arguments in (['--help'], ['arithmetic', '--help'], ['invert', '--help']):\n"
        "    try: latent_app(arguments)\n"
        "    except SystemExit: pass\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "4:thick - 4:thin + 9:thin" in done.stdout and "memorised" in done.stdout
