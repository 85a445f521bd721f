"""Ending a run whose tf.data service is gone."""

import os
import sys
import threading
import time

import keras

from keras_gans.data import check_service
from keras_gans.errors import UserError

PATIENCE_SECONDS = 30.0


class ServiceWatch(keras.callbacks.Callback):
    """Ends the process with a message when no step ends any more and the data service does not answer.

    TensorFlow waits without end for the next batch of a service that is gone, and while it waits no exception and no
    Ctrl-C reaches the training thread. What is saved is safe: checkpoints appear whole.

    Args:
        address: of the dispatcher.
        advice: function without arguments that says how to go on.
    """

    def __init__(self, address, advice):
        super().__init__()
        self.address, self.advice = address, advice
        self._last_step, self._ended = time.monotonic(), threading.Event()

    def on_train_begin(self, logs=None):
        self._ended.clear()
        self._last_step = time.monotonic()
        threading.Thread(target=self._watch, daemon=True).start()

    def on_train_batch_end(self, batch, logs=None):
        self._last_step = time.monotonic()

    def on_train_end(self, logs=None):
        self.end()

    def end(self):
        """Stops watching; for when `fit` ends by an exception."""
        self._ended.set()

    def _watch(self):
        while not self._ended.wait(PATIENCE_SECONDS / 4):
            if time.monotonic() - self._last_step < PATIENCE_SECONDS:
                continue
            try:
                check_service(self.address)
            except UserError as error:
                print(f"Stopped: {error} {self.advice()}", file=sys.stderr, flush=True)
                # Only so does a process end whose main thread waits inside TensorFlow.
                os._exit(1)
