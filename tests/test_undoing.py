"""A step that meets NaN or infinity leaves nothing behind: no update, no statistic, no curve."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import NonFiniteError
from keras_gans.training.build import build_model, scheme_of
from tests.small import BATCH, FIELDS, batch_for, endless, optimizer_state, recipe_for, small_model, weights


def everything(model):
    """All weights, statistics, optimizers' states and curves."""
    found = weights(model)
    for player, values in optimizer_state(model).items():
        found.update({f"{player} {index}": value for index, value in enumerate(values)})
    for name, curve in model.curves.items():
        found.update({f"{name} {variable.name}": np.array(variable) for variable in curve.variables})
    return found


class Before(keras.callbacks.Callback):
    """Takes down everything after each step."""

    def on_train_batch_end(self, batch, logs=None):
        self.values = everything(self.model)


def poisoned(model):
    """A data set of one good step and one with a NaN in its last image."""
    data = batch_for(model, BATCH * model.batches_per_step())
    images = (data[0] if isinstance(data, tuple) else data).copy()
    images[-1, 3, 3] = np.nan
    data = (images, data[1]) if isinstance(data, tuple) else images
    return (
        endless(model)
        .take(model.batches_per_step())
        .concatenate(tf.data.Dataset.from_tensor_slices(data).batch(BATCH, drop_remainder=True))
    )


def assert_nothing_sticks(model, data, curve, steps):
    """The step after `steps` fails, and leaves everything as it was."""
    before = Before()
    with pytest.raises(NonFiniteError, match=f"{curve} is NaN or infinite. The update was not applied"):
        model.fit(data, verbose=0, callbacks=[before])
    assert model.steps_taken == steps
    for name, value in everything(model).items():
        np.testing.assert_array_equal(value, before.values[name], err_msg=name)


def normalized(scheme, /, *players, **changes):
    """A small model of a scheme with batch normalization in these players' networks."""
    recipe = recipe_for(scheme)
    networks = {player: {**recipe.networks[player], "normalization": "batch"} for player in players}
    recipe = recipe.replace(networks={**recipe.networks, **networks}, **changes)
    return build_model(recipe, {name: FIELDS[name] for name in scheme_of(recipe).takes})


MODELS = {
    "batch normalization": lambda: normalized("dcgan", "discriminator"),
    "batch normalization of a later player": lambda: normalized(
        "dcgan", "generator", scheme={"name": "dcgan", "shared_fakes": False}
    ),
    "an average of normalized weights": lambda: normalized("dcgan", "generator", "discriminator", ema=0.9),
    "a balance": lambda: small_model("began"),
    "spectral normalization": lambda: small_model("sngan"),
    "an average": lambda: small_model("dcgan", ema=0.9),
    "a loop of the graph": lambda: small_model("wgan_gp"),
    "four turns": lambda: small_model("semi_supervised_aae"),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_nothing_of_a_poisoned_batch_sticks(make):
    model = make()
    assert_nothing_sticks(model, poisoned(model), "_loss", steps=1)
    model.fit(endless(model, 1), steps_per_epoch=2, verbose=0)
    assert model.steps_taken == 3 and all(np.isfinite(value).all() for value in weights(model).values())


def spoil(loss_function):
    """The loss function, infinite in the third step."""

    def spoiled(self, *args):
        loss, curves = loss_function(self, *args)
        return tf.where(self.step.value >= 2, np.inf, 1.0) * loss, curves

    return spoiled


def test_what_a_translator_is_held_by_stays_where_its_discriminator_meets_nan():
    scheme = {**recipe_for("adversarial_nmt").scheme, "likelihood_steps": 0, "warm_up_steps": 0}
    model = small_model("adversarial_nmt", scheme=scheme)
    model.fit(endless(model), steps_per_epoch=2, verbose=0)
    weight = model.discriminator.trainable_variables[0]
    weight.assign(np.full(weight.shape, np.nan, "float32"))
    held = float(model.accuracy.value), float(model.baseline.value)
    for _ in range(5):
        with pytest.raises(NonFiniteError):
            model.fit(endless(model), steps_per_epoch=1, verbose=0)
        assert (float(model.accuracy.value), float(model.baseline.value)) == held


@pytest.mark.parametrize(("scheme", "eagerly"), [("dcgan", False), ("wgan_gp", False), ("gan", True)])
def test_the_first_players_move_is_taken_back_where_the_seconds_loss_is_infinite(scheme, eagerly, monkeypatch):
    model = small_model(scheme)
    model.compile(run_eagerly=eagerly)
    monkeypatch.setattr(type(model), "generator_loss", spoil(type(model).generator_loss))
    assert_nothing_sticks(model, endless(model), "generator_loss", steps=2)


def test_a_gradient_that_is_nan_moves_nothing_though_the_loss_is_finite(monkeypatch):
    model = small_model("dcgan")
    loss = type(model).generator_loss

    def kinked(self, fake):
        value, curves = loss(self, fake)
        # The root has no gradient at 0.
        positive = tf.where(self.step.value >= 1, 0.0, 1.0) * (fake + 2.0)
        return value + tf.reduce_sum(tf.sqrt(tf.square(positive))), curves

    monkeypatch.setattr(type(model), "generator_loss", kinked)
    assert_nothing_sticks(model, endless(model), "generator_gradient_norm", steps=1)


def test_all_replicas_take_back_what_one_of_them_has_met(two_replicas):
    with two_replicas.scope():
        model = normalized("dcgan", "discriminator")
    # The NaN is in the second replica's half.
    assert_nothing_sticks(model, poisoned(model), "discriminator_loss", steps=1)
    model.fit(endless(model, 1), steps_per_epoch=1, verbose=0)
    assert all(np.isfinite(value).all() for value in weights(model).values())
