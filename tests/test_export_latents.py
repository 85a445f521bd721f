"""Latents from seeds without TensorFlow, in Python and in JavaScript: they are TensorFlow's, bit for bit."""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import randomness
from keras_gans.export import latents as export_latents
from keras_gans.latent import latents_from_seeds
from tests.small import small_model

SCRIPT = Path(export_latents.__file__).with_suffix(".mjs")
SEEDS = np.array([0, 7, -1, 2**53 + 1, -(2**63), 2**63 - 1, *range(100, 140)], np.int64)
PRIORS = {"normal": 101, "uniform": 101, "gaussian_mixture": 2, "swiss_roll": 2, "categorical_10": 15}
# Of a plane TensorFlow computes the sine and the cosine by functions of its own; elsewhere normal numbers are others.
PLANES = ("gaussian_mixture", "swiss_roll")
IS_GLIBC = platform.libc_ver()[0] == "glibc"


def in_javascript(expression):
    """The value of an expression in which everything of latents.mjs is there."""
    if shutil.which("node") is None:
        pytest.skip("there is no node on this machine")
    code = f"import * as all from {json.dumps(SCRIPT.as_uri())};\nconsole.log(JSON.stringify({expression}))"
    done = subprocess.run(["node", "--input-type=module", "-e", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


SEEDS_IN_JAVASCRIPT = json.dumps([str(seed) for seed in SEEDS])


def test_the_bits_are_tensorflows():
    pairs = np.stack([SEEDS, np.zeros_like(SEEDS)], axis=-1)
    expected = [randomness.integers([7], tf.constant(pair), tf.uint32).numpy() for pair in pairs]
    np.testing.assert_array_equal(export_latents.bits(pairs, 7), expected)
    folded = [randomness.fold_in(tf.constant(pair), 1).numpy() for pair in pairs]
    np.testing.assert_array_equal(export_latents.fold_in(pairs, 1), folded)
    drawn = in_javascript(f"{SEEDS_IN_JAVASCRIPT}.map((seed) => all.bits([BigInt(seed), 0n], 7))")
    np.testing.assert_array_equal(drawn, expected)


@pytest.mark.parametrize("prior", PRIORS)
def test_latents_are_those_of_sample(prior):
    expected = latents_from_seeds(SEEDS, PRIORS[prior], prior).numpy()
    in_python = export_latents.latents(SEEDS, PRIORS[prior], prior)
    assert in_python.dtype == np.float32
    call = f'Array.from(all.latents(BigInt(seed), {PRIORS[prior]}, "{prior}"))'
    for drawn in (in_python, np.array(in_javascript(f"{SEEDS_IN_JAVASCRIPT}.map((seed) => {call})"), np.float32)):
        if prior == "uniform" or IS_GLIBC and prior not in PLANES:
            np.testing.assert_array_equal(drawn, expected)
        np.testing.assert_allclose(drawn, expected, rtol=0, atol=1e-6)


def test_classes_of_seeds_are_those_of_the_model():
    model = small_model("cgan")
    (expected,) = model.sampled_labels(SEEDS, None)
    np.testing.assert_array_equal(export_latents.labels_of_seeds(SEEDS, model.class_prior), expected)
    call = f"all.labelOfSeed(seed, {json.dumps(list(model.class_prior))})"
    assert in_javascript(f"{SEEDS_IN_JAVASCRIPT}.map((seed) => {call})") == expected.tolist()


def test_seeds_that_a_javascript_number_does_not_hold_are_refused():
    refused = "(() => { try { all.latents(%s, 4); return null } catch (error) { return error.message } })()"
    assert "written as a BigInt" in in_javascript(refused % "2 ** 53")
    assert "written as a BigInt" in in_javascript(refused % "0.5")
    assert "64 bits" in in_javascript(refused % "2n ** 63n")
    assert in_javascript(refused % "2n ** 63n - 1n") is None
    with pytest.raises(OverflowError):
        export_latents.latents([2**63], 4)
    with pytest.raises(ValueError, match="Unknown prior 'norml'"):
        export_latents.latents([1], 4, "norml")


@pytest.mark.parametrize("prior", ["uniform", "normal"])
def test_the_client_of_litert_asks_for_the_models_prior_and_the_class(tmp_path, monkeypatch, prior):
    asked = {}

    class Interpreter:
        def __init__(self, model_path):
            asked["path"] = model_path

        def get_signature_runner(self, name):
            assert name == "serving_default"
            return self

        def get_input_details(self):
            return {"z": {"shape": [2, 4], "dtype": np.float32}, "label": {"shape": [2], "dtype": np.int32}}

        def __call__(self, **inputs):
            asked.update(inputs)
            return {"image": np.linspace(-1, 1, 2 * 3).reshape(2, 3, 1, 1).astype("float32")}

    # The client puts the version's own latents.py before all else.
    monkeypatch.setattr(sys, "path", list(sys.path))
    shutil.copyfile(export_latents.__file__, tmp_path / "latents.py")
    source = Path(export_latents.__file__).with_name("clients") / "litert.py"
    names = {"__name__": "litert"}
    exec(compile(source.read_text(), "litert.py", "exec"), names)
    names["Interpreter"] = Interpreter
    (tmp_path / "tflite").mkdir()
    (tmp_path / "report.json").write_text(json.dumps({"latents": {"size": 4, "prior": prior}}))
    image = names["draw"](str(tmp_path / "tflite" / "generator.tflite"), 5, 3)
    np.testing.assert_array_equal(asked["z"], export_latents.latents([5, 6], 4, prior))
    assert asked["label"].tolist() == [3, 3] and asked["label"].dtype == np.int32
    assert image[:, 0, 0].tolist() == [0, 51, 102]
