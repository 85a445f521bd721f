"""Models saved by an earlier version, whose modules and arguments have other places now, load and draw the same."""

from pathlib import Path

import keras
import numpy as np
import pytest

import keras_gans as kg

SAVED = Path(__file__).parent / "saved"


@pytest.mark.parametrize("name", ["gan_r1", "cgan"])
def test_a_model_saved_before_draws_what_it_drew(name):
    assert kg.schemes.DCGAN  # importing the schemes registers what a file may name
    model = keras.saving.load_model(SAVED / f"{name}.keras")
    np.testing.assert_array_equal(model.sample(3, seed=5), np.load(SAVED / f"{name}.npy"))
    assert model.steps_taken == 2


def test_a_penalty_saved_as_an_argument_is_still_one():
    model = keras.saving.load_model(SAVED / "gan_r1.keras")
    assert model.real_gradient_penalty_weight == 0.5 and "real_gradient_penalty" in model.log_names
    rows = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 1)).astype("float32")
    history = model.fit(rows, batch_size=8, epochs=1, verbose=0).history
    assert history["real_gradient_penalty"][0] > 0
