"""Learning rates that follow a curve."""

import keras
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.errors import UserError
from tests.small import BATCH, images, small_model


def rates(model):
    optimizers = model.optimizers.items()
    return {player: float(keras.ops.convert_to_numpy(optimizer.learning_rate)) for player, optimizer in optimizers}


def began():
    model = small_model("began", learning_rate_schedule="constant")
    model.compile(optimizers={"discriminator": keras.optimizers.SGD(0.8), "generator": keras.optimizers.SGD(0.4)})
    return model


def looked_at(values, **options):
    """The callback and its model after looks at these values, one a step."""
    callback = kg.callbacks.ReduceOnPlateau(every=1, **options)
    callback.set_model(began())
    callback.on_train_begin()
    for batch, value in enumerate(values):
        callback.on_train_batch_end(batch, {"convergence_measure": value})
    return callback, callback.model


def test_rates_halve_once_the_curve_has_stalled_for_as_many_looks():
    callback, model = looked_at([5.0, 4.0, 4.5, 4.0, 3.0, 3.5, 3.5, 3.5], patience=3)
    # 4.5 and 4.0 are two looks without a new lowest, the last three are three.
    assert callback.reductions == [8] and callback.best == 3.0
    assert rates(model) == pytest.approx({"discriminator": 0.4, "generator": 0.2})


def test_the_count_starts_anew_after_each_reduction():
    callback, model = looked_at([1.0] * 9, patience=2)
    assert callback.reductions == [3, 5, 7, 9]
    assert rates(model)["generator"] == pytest.approx(0.4 / 16)


def test_small_falls_do_not_count_and_rates_end_at_the_lowest():
    callback, model = looked_at([1.0, 0.99, 0.98, 0.5], patience=1, min_delta=0.1, min_learning_rate=0.3)
    assert callback.reductions == [2, 3] and callback.best == 0.5
    assert rates(model) == pytest.approx({"discriminator": 0.3, "generator": 0.3})


def test_lowered_rates_train_and_are_saved(tmp_path):
    model = began()
    callback = kg.callbacks.ReduceOnPlateau(patience=1, min_delta=100.0)
    model.fit(images(BATCH), batch_size=BATCH, epochs=3, verbose=0, callbacks=[callback])
    assert len(callback.reductions) == 2
    model.save(tmp_path / "model.keras")
    assert rates(keras.saving.load_model(tmp_path / "model.keras")) == rates(model)
    before = [np.array(variable) for variable in model.generator.trainable_variables]
    for optimizer in model.optimizers.values():
        optimizer.learning_rate = 0.0
    model.fit(images(BATCH), batch_size=BATCH, epochs=1, verbose=0)
    for old, variable in zip(before, model.generator.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, variable, err_msg="the step that was traced before took the new rate too")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 1.0}, "factor lies between 0 and 1.*Received: 1.0"),
        ({"patience": 0}, "patience must be 1 or more looks. Received: 0"),
        ({"monitor": "convergence"}, "Unknown curve 'convergence'.*Did you mean 'convergence_measure'"),
    ],
)
def test_what_cannot_be_watched_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        looked_at([], **options)


def test_a_rate_that_follows_a_schedule_is_refused():
    callback = kg.callbacks.ReduceOnPlateau()
    callback.set_model(small_model("began", learning_rate_schedule="halving"))
    with pytest.raises(UserError, match="learning rate follows a schedule already"):
        callback.on_train_begin()
