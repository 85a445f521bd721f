"""One global batch shared by two replicas trains the model that one device trains."""

import contextlib
import functools
import unittest
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.engine.base import AdversarialModel
from keras_gans.testing.subject import (
    STEPS,
    Factory,
    assert_same,
    moved_by_sgd,
    run_of,
    step_starts,
    train,
    weights,
)

_STEPS = 3
# How far a step of each player goes, over all its weights: far enough for rounding not to count.
_STRIDE = 0.02
# Of how far a variable moved: rounding, which a few steps amplify. Half a gradient or a double one is 0.5 and more.
_TOLERANCE = 0.02
_ROUNDING = 1e-6


def prepare_devices() -> None:
    """Splits the CPU into two devices for `two_replicas`, which TensorFlow allows until it first uses them.

    Nothing happens where it is too late; the check over replicas is then skipped, with the reason.
    """
    if len(tf.config.get_logical_device_configuration(_cpu()) or ()) < 2:
        # Started already.
        with contextlib.suppress(RuntimeError):
            tf.config.set_logical_device_configuration(_cpu(), [tf.config.LogicalDeviceConfiguration()] * 2)


def _cpu() -> Any:
    return tf.config.list_physical_devices("CPU")[0]


@functools.cache
def two_replicas() -> tf.distribute.Strategy:
    """The one strategy over two devices of the CPU: a second one in a process breaks the first one's collectives.

    Raises:
        unittest.SkipTest: TensorFlow started with a single device, see `prepare_devices`.
    """
    prepare_devices()
    if len(tf.config.list_logical_devices("CPU")) < 2:
        raise unittest.SkipTest(
            "TensorFlow has started with one CPU device: call keras_gans.testing.prepare_devices() before it does"
        )
    # Default collectives fail over logical CPUs where there are several steps an execution.
    return tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.HierarchicalCopyAllReduce()
    )


def check_two_replicas_step_as_one(factory: Factory, steps: int | None = None, steps_per_execution: int = 1) -> None:
    """Two replicas that share a batch move every variable as one device does, to a fiftieth of how far it moved.

    A loss that forgets the division by the number of replicas doubles that player's step; a mean over the replica's
    own rows instead of the global batch's, or noise that every replica draws alike, bends it.

    Args:
        factory: see the package's description.
        steps: how many to compare, by default three; where there are several phases, six or more, to see them all.
            Rounding grows with them, by a factor of ten a step for some schemes.
        steps_per_execution: of the two replicas; one device takes each by itself.
    """
    rates = _rates(factory)
    runs: list[tuple[AdversarialModel, dict[str, np.ndarray], dict[str, np.ndarray]]] = []
    for scope, several in ((contextlib.nullcontext(), 1), (two_replicas().scope(), steps_per_execution)):
        with scope:
            model = moved_by_sgd(factory, rates, steps_per_execution=several)
        # One device has nothing that only a graph shows.
        model.run_eagerly = not runs
        start = weights(model)
        if len(step_starts(model)) > 1:
            # Long enough to see all phases.
            steps = max(STEPS, steps or 0)
        elif steps is None:
            steps = _STEPS
        train(model, steps)
        runs.append((model, start, weights(model)))
    (model, start, one), (_, other_start, two) = runs
    assert_same(start, other_start, "The factory gives equal models under a strategy")
    for player in model.players:
        _check_moved(model, player, start, one)
    for (name, before), after, shared in zip(start.items(), one.values(), two.values(), strict=True):
        distance, apart = _largest(after - before), _largest(after - shared)
        allowed = _TOLERANCE * distance + _rounding(before)
        assert apart <= allowed, (
            f"Two replicas step as one. Found: {name} moved {distance:.3g} in {steps} steps on one device, and ended "
            f"{apart:.3g} away from there on two."
        )
    _check_curves(model, runs[1][0])


def _rates(factory: Factory) -> dict[str, float]:
    """{player: the rate at which a step of gradient descent is about `_STRIDE` long}."""
    run = run_of(factory)
    norms = {player: run.logs[f"{player}_gradient_norm"] for player in run.model.players}
    # Not of the first step, if there are more: constraints of the weights, such as clipping, begin with it.
    return {player: _STRIDE / max(each[min(1, len(each) - 1)], 1e-12) for player, each in norms.items()}


def _check_moved(
    model: AdversarialModel, player: str, start: dict[str, np.ndarray], end: dict[str, np.ndarray]
) -> None:
    own = {id(variable) for variable in model.variables_of(player)}
    keys = [key for key, variable in zip(start, model.weights, strict=True) if id(variable) in own]
    moved = max(_largest(end[key] - start[key]) / _rounding(start[key]) for key in keys)
    assert moved > 100, f"{player!r} moves in training. Found: by {moved:.3g} times what rounding explains."


def _check_curves(one: AdversarialModel, two: AdversarialModel) -> None:
    histories = one.history.history, two.history.history
    for curve, values in histories[0].items():
        assert np.allclose(values, histories[1][curve], rtol=2e-3, atol=2e-5), (
            f"Two replicas report what one does. Found: {curve} is {values[-1]:.6g} on one device and "
            f"{histories[1][curve][-1]:.6g} on two."
        )


def _largest(difference: np.ndarray) -> float:
    return float(np.max(np.abs(difference), initial=0.0))


def _rounding(values: np.ndarray) -> float:
    return _ROUNDING * max(1.0, _largest(values))
