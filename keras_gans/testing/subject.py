"""What the checks share: a model from its factory, batches for it, a run of a few steps, and its state."""

import dataclasses
import functools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans.engine.base import AdversarialModel

Factory = Callable[[], AdversarialModel]

# Rows of a batch: two replicas have four each, which groups of two and of four divide.
ROWS = 8
STEPS = 6
HALF = 3
_EQUAL = "The factory gives equal models at every call: build the networks in it"
# More than any check trains on, so that no two steps see the same one.
_BATCHES = 32


def built(factory: Factory) -> AdversarialModel:
    """The factory's model, compiled, the same at every call.

    Args:
        factory: function of no arguments that builds the networks and the scheme.
    """
    keras.utils.set_random_seed(0)
    model = factory()
    if not model.compiled:
        model.compile()
    # Checks look at single steps.
    model.steps_per_execution = 1
    return model


def moved_by_sgd(factory: Factory, rates: dict[str, float] | float, **compiled: Any) -> AdversarialModel:
    """The factory's model with plain gradient descent, which shows the scale of gradients: Adam divides it out.

    Args:
        factory: as for `built`.
        rates: one for all players or {player: its rate}.
        **compiled: further arguments of `compile`.
    """
    model = built(factory)
    rates = rates if isinstance(rates, dict) else dict.fromkeys(model.players, rates)
    optimizers = {player: keras.optimizers.SGD(rates[player]) for player in model.players}
    model.compile(optimizers=optimizers, **compiled)
    return model


def step_batch(model: AdversarialModel, seed: int = 0) -> dict[str, np.ndarray]:
    """Random rows of each field for one training step."""
    return model.example_batch(ROWS * model.batches_per_step(), seed)


def step_starts(model: AdversarialModel) -> list[int]:
    """The number of steps before each of the scheme's phases; [0] where it has one."""
    return [start for _, start in model.phase_starts()]


def one_step(model: AdversarialModel, batch: dict[str, np.ndarray] | None = None) -> dict[str, float]:
    """One training step outside any graph, and the curves that it reports."""
    for curve in model.curves.values():
        curve.reset_state()
    rows = step_batch(model) if batch is None else batch
    logs = model.train_step({name: tf.constant(values) for name, values in rows.items()})
    return {name: float(np.mean(value)) for name, value in logs.items()}


@functools.lru_cache(maxsize=4)
def after_one_step(factory: Factory, start: int = 0) -> list[np.ndarray]:
    """The trainable weights after one step outside any graph, for checks to compare with that of a changed model.

    `start` is the number of steps that the model takes for taken before.
    """
    model = built(factory)
    model.step.assign(start)
    one_step(model)
    return trainable(model)


def trainable(model: AdversarialModel) -> list[np.ndarray]:
    """All trainable weights, in their order."""
    return [np.array(variable) for variable in model.trainable_variables]


def differ(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    """Whether any array differs from its counterpart."""
    return any(not np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def rows_of(model: AdversarialModel, batches: int) -> dict[str, np.ndarray]:
    """The rows of so many batches, each a function of its place, {field: array}."""
    drawn = [model.example_batch(ROWS, seed) for seed in range(batches)]
    return {name: np.concatenate([batch[name] for batch in drawn]) for name in drawn[0]}


def dataset_of(rows: dict[str, np.ndarray]) -> tf.data.Dataset:
    """Batches of `ROWS` rows such as `fit` takes."""
    parts = tuple(rows.values())
    slices = tf.data.Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0])
    return slices.batch(ROWS, drop_remainder=True)


def endless(model: AdversarialModel, skip_steps: int = 0) -> tf.data.Dataset:
    """Batches without an end in an order that never changes, from the given training step on."""
    return dataset_of(rows_of(model, _BATCHES)).repeat().skip(skip_steps * model.batches_per_step())


def train(
    model: AdversarialModel, steps: int, skip_steps: int = 0, callbacks: list[keras.callbacks.Callback] | None = None
) -> AdversarialModel:
    """The model after so many more steps of `fit`."""
    model.fit(endless(model, skip_steps), steps_per_epoch=steps, epochs=1, verbose=0, callbacks=callbacks or [])
    return model


def weights(model: AdversarialModel) -> dict[str, np.ndarray]:
    """{place and name: array} of every weight, statistics and the step included."""
    return {f"{place} {variable.path}": np.array(variable) for place, variable in enumerate(model.weights)}


def optimizer_state(model: AdversarialModel) -> dict[str, np.ndarray]:
    """{player, place and name: array} of every optimizer's state."""
    return {
        f"{player}'s optimizer, {place} {variable.path}": np.array(variable)
        for player, optimizer in model.optimizers.items()
        for place, variable in enumerate(optimizer.variables)
    }


def state(model: AdversarialModel) -> dict[str, np.ndarray]:
    """Everything that a run goes on from."""
    return weights(model) | optimizer_state(model)


def assert_same(first: dict[str, np.ndarray], second: dict[str, np.ndarray], promise: str) -> None:
    """Raises an `AssertionError` unless two states are equal bit for bit, but for the names of layers."""
    assert len(first) == len(second), f"{promise}. Found: {len(first)} variables in one and {len(second)} in the other."
    pairs = zip(first.items(), second.values(), strict=True)
    other = [name for (name, a), b in pairs if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f")]
    assert not other, f"{promise}. Found: {len(other)} of {len(first)} variables differ, the first being {other[0]}."


@dataclasses.dataclass
class Run:
    """A training run of `STEPS` steps that was saved, and backed up by Keras, after `HALF` of them.

    Attributes:
        model: at the end.
        logs: {curve: its value in each step that reports it}.
        end: the model's state at the end.
        folder: of the files.
    """

    model: AdversarialModel
    logs: dict[str, list[float]]
    end: dict[str, np.ndarray]
    folder: tempfile.TemporaryDirectory

    @property
    def half(self) -> Path:
        """The file that was saved in the middle."""
        return Path(self.folder.name) / "half.keras"

    def restore(self) -> None:
        """Sets the model back to the end of the run."""
        variables = [*self.model.weights, *(v for each in self.model.optimizers.values() for v in each.variables)]
        for variable, value in zip(variables, self.end.values(), strict=True):
            variable.assign(value)

    @property
    def backup(self) -> Path:
        """What `keras.callbacks.BackupAndRestore` had written by then."""
        return Path(self.folder.name) / "half.weights.h5"


class _Watcher(keras.callbacks.Callback):
    def __init__(self, folder: Path):
        super().__init__()
        self.folder = folder
        self.means: list[dict[str, float]] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.means.append({name: float(value) for name, value in (logs or {}).items()})
        if batch + 1 == HALF:
            self.model.save(self.folder / "half.keras")
            # The next step writes over it.
            shutil.copy(self.folder / "backup" / "latest.weights.h5", self.folder / "half.weights.h5")


# Two, as tests that compare a scheme with another need; checks run scheme by scheme.
@functools.lru_cache(maxsize=2)
def run_of(factory: Factory) -> Run:
    """The one run that all checks of a factory share; whichever goes on with the model restores it."""
    folder = tempfile.TemporaryDirectory()
    model = built(factory)
    last = step_starts(model)[-1]
    assert last < STEPS, (
        f"A scheme of several phases is built for checks with phases of few steps, so that {STEPS} steps see all of "
        f"them. Found: the last begins after {last}."
    )
    start = weights(model)
    backup = keras.callbacks.BackupAndRestore(Path(folder.name) / "backup", save_freq=HALF, delete_checkpoint=False)
    watcher = _Watcher(Path(folder.name))
    train(model, STEPS, callbacks=[backup, watcher])
    assert_same(start, weights(built(factory)), _EQUAL)
    reported = dict.fromkeys(name for means in watcher.means for name in means)
    logs = {name: _single([means[name] for means in watcher.means if name in means]) for name in reported}
    return Run(model, logs, state(model), folder)


def _single(means: list[float]) -> list[float]:
    """Each step's own value: Keras reports the mean over the steps so far."""
    totals = [mean * (place + 1) for place, mean in enumerate(means)]
    return [total - before for total, before in zip(totals, [0.0, *totals], strict=False)]


def scheme_name(model: AdversarialModel) -> str:
    """The scheme's name for people."""
    return type(model).__name__
