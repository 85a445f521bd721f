"""Importing TensorFlow without the page of notices that it greets with, and Ctrl-C without one of files."""

import contextlib
import importlib
import os
import signal
import sys
import tempfile
import threading
import types
from collections.abc import Iterator
from typing import Any


class Interrupted(BaseException):
    """Ctrl-C on the command line, or the signal whose number it has.

    No `KeyboardInterrupt`, of which some libraries have an answer of their own.
    """


def end_if_interrupted(errors: int = 2, said: str = "Interrupted.") -> Any:
    """Has Ctrl-C end the process at once with one line, from here on.

    Args:
        errors: file descriptor to write the line to.
        said: the line.

    Returns:
        What `signal.signal` takes to have Ctrl-C do what it did before.
    """

    def end(number, frame):
        # The line may stand beside a progress display, which hides the cursor.
        shown = "\x1b[?25h\n" if os.isatty(errors) else ""
        with contextlib.suppress(OSError):
            os.write(errors, f"{shown}{said}\n".encode())
        os._exit(128 + number)

    return signal.signal(signal.SIGINT, end)


@contextlib.contextmanager
def one_line_if_interrupted(errors: int = 2) -> Iterator[None]:
    """Has Ctrl-C end the process with one line, for while modules are being imported.

    A `KeyboardInterrupt` in the middle of them would come out as a page of their files, or as an error of one of them.

    Args:
        errors: file descriptor to write the line to.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = end_if_interrupted(errors, "Interrupted before anything began.")
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def raising_if_interrupted() -> Iterator[None]:
    """Has Ctrl-C raise `Interrupted`, so that what is half done is cleared away; a second one ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number, frame):
        end_if_interrupted()
        raise Interrupted

    def unraisable(what, /):
        # Raised where Python can only print it, such as in a finalizer.
        if isinstance(what.exc_value, Interrupted):
            signal.raise_signal(signal.SIGINT)
        shown(what)

    shown, sys.unraisablehook = sys.unraisablehook, unraisable
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = shown


def import_quietly(module: str) -> types.ModuleType:
    """Imports a module, for the command line, and holds back what its native libraries write to standard error.

    Where the import fails, what was held back is written after all. Ctrl-C meanwhile is one line, as with
    `one_line_if_interrupted`.

    Args:
        module: name of the module.

    Returns:
        The module.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with held_back() as own, one_line_if_interrupted(own):
        return importlib.import_module(module)


@contextlib.contextmanager
def held_back() -> Iterator[int]:
    """Holds back what native libraries write to standard error; what was held is written where the block fails.

    Yields:
        A file descriptor of the true standard error.
    """
    sys.stderr.flush()
    own = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield own
        except BaseException:
            held.seek(0)
            os.write(own, held.read())
            raise
        finally:
            os.dup2(own, 2)
            os.close(own)
