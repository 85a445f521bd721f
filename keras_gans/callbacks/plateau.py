"""Lower learning rates where a curve has stopped falling."""

import keras

from keras_gans.callbacks.every import EveryNSteps
from keras_gans.doctor.snapshot import plain
from keras_gans.errors import UserError, unknown_name
from keras_gans.private_apis import follows_a_schedule


class ReduceOnPlateau(EveryNSteps):
    """Multiplies every player's learning rate by a factor when a curve stalls.

    Berthelot et al., "BEGAN" (2017), section 4.1, halve the rate when the convergence measure stalls. What is looked at
    is the curve's mean as `fit` reports it: over the epoch so far, or since `callbacks.Curves` last wrote. The rates
    are saved with the optimizers; the count of looks is not, and starts anew where a run goes on.

    Args:
        monitor: name of the curve, one that falls while training succeeds.
        every: steps between looks; None looks at the end of each epoch.
        factor: what the rates are multiplied by, in (0, 1).
        patience: looks in a row without a new lowest value before the rates are lowered.
        min_delta: by how much a value must be lower than the lowest before to count.
        min_learning_rate: no rate is lowered past this.

    Attributes:
        best: the lowest value so far, or None.
        reductions: list of the steps at which the rates were lowered.

    Raises:
        UserError: arguments out of range; at the beginning of training, a curve that the model does not have, or a rate
            that follows a schedule.
    """

    def __init__(
        self,
        monitor: str = "convergence_measure",
        every: int | None = None,
        *,
        factor: float = 0.5,
        patience: int = 5,
        min_delta: float = 0.0,
        min_learning_rate: float = 0.0,
    ):
        super().__init__(every)
        if not 0.0 < factor < 1.0:
            raise UserError(f"factor lies between 0 and 1, such as 0.5. Received: {factor!r}.")
        if patience < 1:
            raise UserError(f"patience must be 1 or more looks. Received: {patience!r}.")
        self.monitor, self.factor, self.patience = monitor, factor, patience
        self.min_delta, self.min_learning_rate = min_delta, min_learning_rate
        self.best, self.reductions, self._waited = None, [], 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_begin(logs)
        if self.monitor not in self.model.curves:
            raise unknown_name("curve", self.monitor, self.model.curves)
        for player, optimizer in self.model.optimizers.items():
            if follows_a_schedule(plain(optimizer)):
                raise UserError(f"The {player}'s learning rate follows a schedule already. Give it a constant rate.")

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        value = float(logs[self.monitor])
        if self.best is None or value < self.best - self.min_delta:
            self.best, self._waited = value, 0
            return
        self._waited += 1
        if self._waited >= self.patience:
            self._lower()
            self.reductions.append(step)
            self._waited = 0

    def _lower(self):
        for optimizer in map(plain, self.model.optimizers.values()):
            rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
            optimizer.learning_rate = max(rate * self.factor, min(rate, self.min_learning_rate))
