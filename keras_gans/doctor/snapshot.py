"""A training run's whole state in memory, to go back to."""

from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_gans.errors import UserError
from keras_gans.private_apis import follows_a_schedule

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


class Snapshot:
    """A copy of a model's weights and of its optimizers' state, on the host; about three times the weights with Adam.

    The model's step is no part of it: time goes on. So every later step draws new random numbers and sees new data,
    TensorBoard's curves go on to the right, and a run that goes on from a checkpoint after a treatment equals the one
    that went on by itself. Optimizers get back all they had, so that a learning rate's schedule goes back too.

    Args:
        model: a compiled `AdversarialModel`.

    Attributes:
        step: training steps that the model had taken.
        restored: how often it was gone back to.
    """

    def __init__(self, model: "AdversarialModel"):
        self.step = model.steps_taken
        self.restored = 0
        self._values = [keras.ops.convert_to_numpy(variable).copy() for variable in _state(model)]

    @property
    def is_finite(self) -> bool:
        """Whether no value in it is NaN or infinite."""
        floats = [value for value in self._values if np.issubdtype(value.dtype, np.floating)]
        return all(np.isfinite(value).all() for value in floats)

    def state(self) -> dict[str, np.ndarray]:
        """Everything in it as arrays, of which `of_state` makes the same again."""
        return {"at": np.array([self.step, self.restored]), **{f"value_{i}": v for i, v in enumerate(self._values)}}

    @classmethod
    def of_state(cls, state: dict[str, np.ndarray]) -> "Snapshot":
        """The snapshot of which `state` gave these arrays."""
        made = cls.__new__(cls)
        made.step, made.restored = map(int, state["at"])
        made._values = [state[f"value_{index}"] for index in range(len(state) - 1)]
        return made

    def restore(self, model: "AdversarialModel", learning_rate_factor: float = 1.0) -> None:
        """Puts a model back into this state, each time with lower learning rates where asked.

        Args:
            model: the model that the snapshot was taken of.
            learning_rate_factor: what every learning rate is multiplied by, once more each time.
        """
        for variable, value in zip(_state(model), self._values, strict=True):
            variable.assign(value)
        self.restored += 1
        if learning_rate_factor != 1.0:
            for optimizer in map(plain, model.optimizers.values()):
                rate = keras.ops.convert_to_numpy(optimizer.learning_rate)
                optimizer.learning_rate = float(rate) * learning_rate_factor**self.restored


def plain(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer inside a loss scale, or the optimizer itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def check_learning_rates_can_change(model: "AdversarialModel") -> None:
    """Raises a `UserError` where an optimizer's learning rate follows a schedule, which cannot be multiplied."""
    for player, optimizer in model.optimizers.items():
        if follows_a_schedule(plain(optimizer)):
            raise UserError(
                f"The {player}'s learning rate follows a schedule, so learning_rate_factor cannot lower it. Leave "
                "learning_rate_factor at 1, or train with a constant rate."
            )


def _state(model):
    weights = [weight for weight in model.weights if weight is not model.step]
    return [*weights, *(variable for optimizer in model.optimizers.values() for variable in optimizer.variables)]
