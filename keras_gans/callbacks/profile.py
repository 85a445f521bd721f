"""What a few training steps spend their time on, for TensorBoard's profiler."""

from pathlib import Path

import tensorflow as tf

from keras_gans.callbacks.every import EveryNSteps
from keras_gans.errors import UserError


class Profile(EveryNSteps):
    """Records some steps once the first ones, which trace and warm up, are over.

    The record lies in `directory/plugins/profile`; TensorBoard shows it where `xprof` (or the older
    `tensorboard-plugin-profile`) is installed.

    Args:
        directory: for TensorBoard.
        skip: steps to let pass first.
        steps: steps to record.
    """

    def __init__(self, directory: str | Path, skip: int = 10, steps: int = 10):
        super().__init__(every=1)
        if skip < 1 or steps < 1:
            raise UserError(f"A profile skips and records one step or more. Received: skip={skip!r}, steps={steps!r}.")
        self.directory = Path(directory)
        self.skip = skip
        self.steps = steps
        self._is_recording = False

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_begin(logs)
        self._from, self._began = self.step, None

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        # Of several steps an execution, those counted are not always met.
        if self._is_recording and step - self._began >= self.steps:
            self._stop()
        elif self._began is None and step - self._from >= self.skip:
            tf.profiler.experimental.start(str(self.directory))
            self._is_recording, self._began = True, step

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_end(logs)
        self._stop()

    def _stop(self):
        if self._is_recording:
            tf.profiler.experimental.stop()
            self._is_recording = False
