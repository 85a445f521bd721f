"""Files that appear whole or not at all."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

_PARTIAL = re.compile(r"\.(\d+)\.partial\..+")


@contextlib.contextmanager
def atomically(path: str | Path) -> Iterator[Path]:
    """Gives a temporary path beside `path` that becomes `path` when the block ends without an error.

    Args:
        path: the file to write; its folder is made.

    Yields:
        pathlib.Path to write to, with the same suffix.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.partial.{path.name}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def clear_left_over(folder: str | Path) -> None:
    """Deletes what `atomically` could not clear away because its process was killed.

    Args:
        folder: where to look; it need not exist.
    """
    for path in Path(folder).glob(".*.partial.*"):
        match = _PARTIAL.fullmatch(path.name)
        if match and not _is_running(int(match[1])):
            path.unlink(missing_ok=True)


def _is_running(process):
    try:
        # Another user's process is one that runs, too.
        with contextlib.suppress(PermissionError):
            os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
