"""Standard output that may go away while a run goes on."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console


class Output(io.TextIOBase):
    """What is written goes on to a stream, or nowhere once that is broken: a closed pipe, terminal or a full disk.

    Args:
        stream: name of the stream in `sys`, "stdout" or "stderr"; or the stream itself.

    Attributes:
        is_lost: whether a write has failed.
    """

    def __init__(self, stream: Any = "stdout"):
        super().__init__()
        self._of, self.is_lost = stream, False

    @property
    def _stream(self):
        stream = getattr(sys, self._of) if isinstance(self._of, str) else self._of
        # While Rich draws on a terminal, `sys` holds a proxy that prints on the console, which would write here again.
        return getattr(stream, "rich_proxied_file", stream)

    @property
    def encoding(self) -> str:
        """The stream's."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The stream's file descriptor."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Writes `text`, or loses it."""
        with self._noting_the_loss():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hands on what is buffered, or loses it."""
        with self._noting_the_loss():
            self._stream.flush()

    @contextlib.contextmanager
    def _noting_the_loss(self):
        try:
            yield
        except OSError:
            self.is_lost = True
            # Or Python would fail once more when it empties its buffers at the end.
            with contextlib.suppress(OSError, ValueError, AttributeError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


@contextlib.contextmanager
def surviving(console: Console) -> Iterator[Output]:
    """Has a console write to an `Output` for a while, so that no failing write ends what goes on.

    Args:
        console: rich.console.Console.

    Yields:
        The `Output`, which is the console's own where it has one.
    """
    before = console.file
    if isinstance(before, Output):
        yield before
        return
    console.file = Output(before)
    try:
        yield console.file
    finally:
        console.file = before
