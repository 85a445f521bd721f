"""Training in phases: each phase's graph holds its own arithmetic, and a boundary changes nothing but the phase."""

import functools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

import keras_gans as kg
from keras_gans import testing
from keras_gans.doctor import examination
from keras_gans.engine import AdversarialModel, Phase
from keras_gans.fields import Points
from keras_gans.optimizers import Adam
from keras_gans.training.executions import steps_at_once

FIRST, SECOND = 2, 2


@keras.saving.register_keras_serializable(package="tests")
class PhasedErrors(AdversarialModel):
    """Two regressions, one after the other, and both together in the end."""

    takes = {"first": (Points,), "second": (Points,)}
    players = {"left": ("left",), "right": ("right",)}
    log_names = ("left_error",)

    def __init__(self, left, right, *, left_steps=FIRST, right_steps=SECOND, left_weight=1.0, noise=0.1, **kwargs):
        super().__init__(**kwargs)
        self.left, self.right, self.left_weight, self.noise = left, right, left_weight, noise
        self.left_steps, self.right_steps = left_steps, right_steps
        self.traced = []

    def phases(self):
        return (
            Phase("left", self.left_steps, ("left",)),
            Phase("right", self.right_steps, ("right",)),
            Phase("both", None, ("left", "right")),
        )

    def fields(self):
        return {"first": Points((3,)), "second": Points((2,))}

    def default_optimizers(self):
        return {player: Adam(1e-2) for player in self.players}

    def play(self, first, second):
        players = self.phase.players
        self.traced.append(self.phase.name)
        noise = self.noise * kg.randomness.for_this_replica(
            lambda rows: kg.randomness.normal([rows, 2], self.next_seed()), tf.shape(first)[0]
        )
        if "left" in players:
            self.update("left", self.error, self.left, first, second + noise, "left_error")
        if "right" in players:
            self.update("right", self.error, self.right, first, second + noise)

    def error(self, network, first, second, curve=None):
        loss = tf.reduce_mean((network(first, training=True) - second) ** 2)
        return (self.left_weight * loss if curve else loss), ({curve: loss} if curve else {})

    def example_input(self, specification, rows):
        return Points((3,)).example(rows)

    def endpoints(self):
        spec = tf.TensorSpec((None, 3), tf.float32, name="first")
        return {"serving_default": (lambda first: {"second": self.left(first) + self.right(first)}, [spec])}


def phased(**options):
    keras.utils.set_random_seed(0)
    networks = [keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]) for _ in range(2)]
    model = PhasedErrors(*networks, **options)
    model.compile()
    return model


@testing.parametrize_with_checks(phased)
def test_a_scheme_of_phases_keeps_the_contract(check):
    check()


def batches(model, skip=0):
    return testing.subject.endless(model, skip)


def trained(model, steps, **compiling):
    if compiling:
        model.compile(**compiling)
    return testing.subject.train(model, steps, skip_steps=model.steps_taken)


@functools.cache
def whole(steps):
    """The state after so many steps in one go."""
    return testing.subject.state(trained(phased(), steps))


def assert_equal(state, model):
    testing.subject.assert_same(state, testing.subject.state(model), "Both are the same")


def test_a_graph_is_traced_once_in_each_phase():
    model = trained(phased(), 8)
    assert model.traced == ["left", "right", "both"]


def test_a_phase_ends_where_it_should_and_nothing_else_moves():
    model = phased()
    start = [v.numpy() for v in model.right.variables]
    trained(model, FIRST)
    for before, now in zip(start, model.right.variables, strict=True):
        np.testing.assert_array_equal(before, now)
    assert [int(model.optimizers[player].iterations) for player in ("left", "right")] == [FIRST, 0]
    middle = [v.numpy() for v in model.left.variables]
    trained(model, SECOND)
    for before, now in zip(middle, model.left.variables, strict=True):
        np.testing.assert_array_equal(before, now)
    trained(model, 3)
    assert [int(model.optimizers[player].iterations) for player in ("left", "right")] == [FIRST + 3, SECOND + 3]


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_resuming_anywhere_equals_going_on(stop, tmp_path):
    part = trained(phased(), stop)
    part.save(tmp_path / "part.keras")
    resumed = keras.saving.load_model(tmp_path / "part.keras")
    assert_equal(whole(6), trained(resumed, 6 - stop))


def test_weights_loaded_into_another_phase_are_played_in_theirs(tmp_path):
    ahead = trained(phased(), 5)
    ahead.save_weights(tmp_path / "ahead.weights.h5")
    model = trained(phased(), 1)
    model.load_weights(tmp_path / "ahead.weights.h5")
    assert_equal(whole(6), trained(model, 1))


def test_several_steps_an_execution_are_the_same():
    assert_equal(whole(6), trained(phased(), 6, steps_per_execution=2))


def test_a_phase_of_no_steps_is_left_out():
    assert trained(phased(left_steps=0, right_steps=1), 2).traced == ["right", "both"]


def test_an_execution_that_would_run_past_a_phase_is_refused_before_it_starts():
    model = phased(left_steps=3)
    model.compile(steps_per_execution=2)
    with pytest.raises(kg.errors.UserError, match="'right' begins after 3 steps.*divides 3.*steps_per_execution=2"):
        testing.subject.train(model, 6)
    assert model.steps_taken == 0


def test_epochs_of_finite_data_cross_a_boundary():
    model = phased()
    rows = testing.subject.rows_of(model, 6)
    halves = [{name: values[part] for name, values in rows.items()} for part in (slice(0, 24), slice(24, 48))]
    model.fit(testing.subject.dataset_of(rows), epochs=1, verbose=0)
    assert_equal(whole(6), model)
    again = phased()
    for half in halves:
        again.fit(testing.subject.dataset_of(half), epochs=1, verbose=0)
    assert_equal(whole(6), again)


def test_callbacks_may_be_one_or_a_list_of_keras():
    listed = keras.callbacks.CallbackList([keras.callbacks.History()], epochs=1, steps=3)
    for callbacks in (keras.callbacks.Callback(), (keras.callbacks.Callback(),), listed):
        model = phased()
        model.fit(batches(model), steps_per_epoch=3, verbose=0, callbacks=callbacks)
        assert_equal(whole(3), model)


def test_eager_steps_are_the_graphs():
    assert_equal(whole(6), trained(phased(), 6, run_eagerly=True))


def test_curves_are_those_of_the_players_that_move(tmp_path):
    model = phased()
    callbacks = [kg.callbacks.Curves(tmp_path, every=1, metrics_file=tmp_path / "metrics.jsonl")]
    model.fit(batches(model), steps_per_epoch=6, verbose=0, callbacks=callbacks)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    found = [{name for name in line if name.startswith(("left", "right"))} for line in lines]
    left = {"left_loss", "left_gradient_norm", "left_error"}
    right = {"right_loss", "right_gradient_norm"}
    assert found == [left, left, right, right, left | right, left | right]
    texts = {}
    for file in tmp_path.glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                if value.tag == "phase":
                    texts[event.step] = value.tensor.string_val[0]
    assert texts == {0: b"left (1 of 3)", 2: b"right (2 of 3)", 4: b"both (3 of 3)"}


def test_the_progress_line_says_which_phase_it_is():
    console = Console(record=True, width=200, file=open("/dev/null", "w"))
    model = phased()
    model.fit(batches(model), steps_per_epoch=6, verbose=0, callbacks=[kg.callbacks.Progress(6, 1, console)])
    lines = console.export_text().splitlines()
    phases = ["left (1 of 3)"] * 2 + ["right (2 of 3)"] * 2 + ["both (3 of 3)"] * 2
    assert [line.split("  ")[1] for line in lines] == phases


def test_the_doctor_looks_at_those_that_move():
    model = phased()
    watch = examination.Examination(model)
    watch.look(0)
    seen = []
    for _ in range(6):
        history = model.fit(batches(model), steps_per_epoch=1, verbose=0).history
        signs = watch.look(model.steps_taken, {name: values[-1] for name, values in history.items()})
        assert signs.losses.keys() == signs.gradient_norms.keys()
        # Whoever has just come to rest is not asked why it stands still.
        assert signs.weight_changes.keys() == set(model.phase.players) & set(signs.losses)
        assert all(np.isfinite(value) for value in signs.losses.values())
        assert all(change > 0 for change in signs.weight_changes.values())
        seen.append(tuple(signs.losses))
    assert seen == [("left",)] * 2 + [("right",)] * 2 + [("left", "right")] * 2


def test_a_run_by_command_counts_the_phases_when_it_takes_several_steps_at_once():
    assert steps_at_once(32, 100, 0, [50, 30]) == 10
    model = phased(left_steps=30, right_steps=45)
    assert [start for _, start in model.phase_starts()] == [0, 30, 75]
    assert [model.steps_of(player, 100) for player in model.players] == [55, 70]
    assert [model.steps_of(player, 50) for player in model.players] == [30, 20]


def test_phases_that_cannot_be_are_refused():
    for options in ({"left_steps": None}, {"left_steps": -1}, {"right_steps": 1.5}, {"right_steps": True}):
        with pytest.raises(kg.errors.UserError, match="a whole number from 0"):
            phased(**options).phase_starts()
    model = phased()
    model.phases = lambda: (Phase("all", 3, ("left",)),)
    with pytest.raises(kg.errors.UserError, match="no end. Received: 3"):
        model.phase_starts()
    model.phases = lambda: (Phase("all", None, ("middle",)),)
    with pytest.raises(kg.errors.UserError, match="move some of left, right"):
        model.phase_starts()
