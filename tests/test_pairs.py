"""A scheme of a third kind, written outside of the project, keeps the contract and goes through every command."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.runs import run_directory
from keras_gans.testing import parametrize_with_checks
from tests import pairs
from tests.processes import in_one_process
from tests.test_training_cli import unwrapped


def small_pairs():
    return pairs.PairsGAN(pairs.pairs_generator(4, [2, 1], 8), pairs.pairs_discriminator([2, 1], 8))


@parametrize_with_checks(small_pairs)
def test_it_keeps_the_contract(check):
    check()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as a user's, with the module that defines the scheme, its data and its recipe."""
    folder = tmp_path_factory.mktemp("user")
    shutil.copy(Path(pairs.__file__), folder / "own_pairs.py")
    return folder


# One after the other, in a process that has not registered the scheme.
COMMANDS = {
    "train": "train own_pairs:circle_pairs --steps 20",
    "resume": "train --resume latest --steps 40",
    "whole": "train own_pairs:circle_pairs --steps 40 --runs whole",
    "sample": "sample latest --count 8",
    "evaluate": "evaluate latest",
    "export": "export latest --to exported --formats saved_model",
    "no module": "train no_such_module:circle_pairs",
    "no recipe": "train own_pairs:circle_pair",
}


@pytest.fixture(scope="module")
def done(folder):
    """{name of `COMMANDS`: (exit code, output, errors)}."""
    return in_one_process(COMMANDS, folder)


def run_in(folder):
    return next((folder / "runs").iterdir())


def model_of(run):
    # Here the scheme is registered by the tests' own module, which no second one may do.
    return run_directory.load_checkpoint(run_directory.latest_checkpoint(run))


def test_it_trains_by_command_and_is_shown(folder, done):
    code, output, errors = done["train"]
    assert code == 0, output + errors
    run = run_in(folder)
    assert json.loads((run / "recipe.json").read_text())["name"] == "own_pairs:circle_pairs"
    names = {path.name for path in (run / "samples").iterdir()}
    assert {"real_first.png", "real_second.png", "first-00000020.png", "pairs-00000020.txt"} <= names


def test_it_goes_on(folder, done):
    for name in ("resume", "whole"):
        code, output, errors = done[name]
        assert code == 0, output + errors
    pair = [model_of(each) for each in (run_in(folder), next((folder / "whole").iterdir()))]
    assert [model.steps_taken for model in pair] == [40, 40]
    for first, second in zip(*(model.weights for model in pair), strict=True):
        np.testing.assert_array_equal(first, second)


def test_it_is_sampled_and_refuses_what_it_cannot_do(folder, done):
    code, output, errors = done["sample"]
    assert code == 0, output + errors
    assert list((run_in(folder) / "samples").glob("*seed-0*"))
    with pytest.raises(kg.errors.UserError, match="PairsGAN maps no latents to samples"):
        model_of(run_in(folder)).check_has_latents()
    code, _, errors = done["evaluate"]
    assert code == 2 and "Traceback" not in errors


def test_it_is_exported(folder, done):
    code, output, errors = done["export"]
    assert code == 0, output + errors
    served = tf.saved_model.load(folder / "exported" / "1").signatures["sample"]
    made = {name: values.numpy() for name, values in served(seed=tf.range(3, dtype=tf.int64)).items()}
    for name, values in model_of(run_in(folder)).draw(3).items():
        np.testing.assert_allclose(made[name], values, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no module", "no module 'no_such_module'"),
        ("no recipe", "Unknown recipe of own_pairs 'circle_pair'. Did you mean 'circle_pairs'"),
    ],
)
def test_a_module_or_recipe_that_is_not_there(done, name, message):
    code, _, errors = done[name]
    assert code == 2 and "Traceback" not in errors and message in unwrapped(errors)
