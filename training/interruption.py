"""What ends a run early: Ctrl-C, a cluster's signal, a closed terminal or pipe. The step in hand is taken and saved."""

import signal
import threading
from collections.abc import Callable
from typing import Any

import keras

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
# Windows has none; a shell there knows no such number.
_CLOSED_PIPE = getattr(signal, "SIGPIPE", 13)


class Interruption(keras.callbacks.Callback):
    """Ends `fit` after the current step when SIGINT, SIGTERM or SIGHUP arrives; a second signal ends it at once.

    A signal that the process was started to ignore, as `nohup` has it, stays ignored.

    Args:
        output_is_lost: function without arguments that says whether nobody reads any more what the run prints, which
            ends it as SIGPIPE would, but saved.

    Attributes:
        signal: number of the signal that arrived, or None.
    """

    def __init__(self, output_is_lost: Callable[[], bool] = lambda: False):
        super().__init__()
        self.signal = None
        self._output_is_lost = output_is_lost
        self._previous = {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.model.is_interrupted = False
        # Python allows handlers in the main thread only; elsewhere there is nothing to take over.
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN or number == signal.SIGINT:
                    self._previous[number] = signal.signal(number, self._note)

    def _note(self, number, frame):
        if self.signal is not None:
            raise KeyboardInterrupt(number)
        self.signal = number

    def on_train_batch_end(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        if self.signal is None and self._output_is_lost():
            self.signal = _CLOSED_PIPE
        if self.signal is not None:
            self.model.stop_training = self.model.is_interrupted = True

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.restore()

    def restore(self) -> None:
        """Gives the signals back; for when `fit` ends by an exception."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
