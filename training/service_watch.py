"""Ending a run whose tf.data service is gone."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_gans.data import check_service
from keras_gans.errors import LostServiceError, LostWorkerError, UserError
from keras_gans.private_apis import cancellable

PATIENCE_SECONDS = 30.0


class ServiceWatch(keras.callbacks.Callback):
    """Ends `fit` when no step ends any more and the data service does not answer.

    TensorFlow waits without end for the next batch of a service that is gone, and while it waits no exception and no
    Ctrl-C reaches the training thread; what it runs can be cancelled from another one. What is saved is safe:
    checkpoints appear whole.

    Args:
        address: of the dispatcher.
        advice: function without arguments that says how to go on.
    """

    def __init__(self, address: str, advice: Callable[[], str]):
        super().__init__()
        self.address, self.advice = address, advice
        self._last_step, self._ended, self._lost = time.monotonic(), threading.Event(), None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watches over what runs inside, which is `fit`.

        Raises:
            LostServiceError: the service is gone; the message says how to go on.
        """
        self._ended.clear()
        self._last_step, self._lost = time.monotonic(), None
        try:
            with cancellable() as cancel:
                threading.Thread(target=self._watch, args=(cancel,), daemon=True).start()
                yield
        except (tf.errors.OpError, LostWorkerError):
            if self._lost is None:
                raise
            raise LostServiceError(f"{self._lost} {self.advice()}") from None
        finally:
            self._ended.set()

    def on_train_batch_end(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        self._last_step = time.monotonic()

    def _watch(self, cancel):
        while not self._ended.wait(PATIENCE_SECONDS / 4):
            if time.monotonic() - self._last_step < PATIENCE_SECONDS:
                continue
            try:
                check_service(self.address)
            except UserError as error:
                self._lost = error
                cancel()
                return
