"""Importing TensorFlow without the page of notices that it greets with."""

import contextlib
import importlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any


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

    def end(number, frame):
        # The line may stand beside a progress display, which hides the cursor.
        shown = "\x1b[?25h\n" if os.isatty(errors) else ""
        os.write(errors, f"{shown}Interrupted before anything began.\n".encode())
        os._exit(128 + number)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def import_quietly(module: str) -> Any:
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
