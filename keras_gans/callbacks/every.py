"""The one way a callback counts training steps."""

from typing import Any

import keras

from keras_gans.errors import UserError


class EveryNSteps(keras.callbacks.Callback):
    """Calls `on_step(step, logs)` every so many training steps, and once more at the end of `fit`.

    Steps are the model's own (`model.step`), so that they go on after a resume. Where something from outside interrupts
    `fit`, and has set the model's `is_interrupted`, the call at the end is left out: the run goes on later, and what it
    records is then what it would have been.

    Args:
        every: steps between calls; None calls it at the end of each epoch.

    Attributes:
        step: training steps taken, without a read from the device.
    """

    even_if_interrupted = False

    def __init__(self, every: int | None = None):
        super().__init__()
        if every is not None and every < 1:
            raise UserError(f"every must be 1 or more steps, or None for each epoch. Received: {every!r}.")
        self.every = every

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        """What to do; `logs` are {curve: value}."""
        raise NotImplementedError(f"{type(self).__name__} must define on_step().")

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.step = self._called_at = self.model.steps_taken
        self._batch = -1

    def on_train_batch_end(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        # With several steps an execution, the index jumps by as many; a new epoch starts it at 0 again.
        taken = batch - self._batch if batch > self._batch else batch + 1
        self._batch = batch
        before, self.step = self.step, self.step + taken
        self._logs = logs
        if self.every and self.step // self.every > before // self.every:
            self._call(logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._batch = -1
        if not self.every:
            self._call(logs)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        left_out = getattr(self.model, "is_interrupted", False) and not self.even_if_interrupted
        if self._called_at < self.step and not left_out:
            # The last step's: those of the epoch, which Keras gives here, are empty where the means were just reset.
            self._call(self._logs)

    def _call(self, logs):
        self._called_at = self.step
        self.on_step(self.step, logs or {})
