"""Ctrl-C, and the signal by which a cluster asks a job to end, stop training after the step in hand."""

import signal
import threading
from typing import Any

import keras


class Interruption(keras.callbacks.Callback):
    """Ends `fit` after the current step when SIGINT or SIGTERM arrives; a second signal ends it at once.

    Attributes:
        signal: number of the signal that arrived, or None.
    """

    def __init__(self):
        super().__init__()
        self.signal = None
        self._previous = {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        # Python allows handlers in the main thread only; elsewhere there is nothing to take over.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._note)

    def _note(self, number, frame):
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number

    def on_train_batch_end(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        if self.signal is not None:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.restore()

    def restore(self) -> None:
        """Gives the signals back; for when `fit` ends by an exception."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
