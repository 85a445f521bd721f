"""Files that appear whole or not at all."""

import contextlib
import json
import os
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from keras_gans.errors import DamageWarning

_PARTIAL = re.compile(r"\.(\d+)\.partial\..+")


def at_home(path: str | Path) -> Path:
    """The path with ~ and ~USER replaced; unlike `Path.expanduser`, the home of nobody stays as it is written."""
    return Path(os.path.expanduser(path))


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
    except OSError as error:
        # The name that was asked for is the one that says something.
        if error.filename is not None and str(error.filename) == str(partial):
            error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


def clear_left_over(folder: str | Path, at_the_start: bool = False) -> None:
    """Deletes what `atomically` could not clear away because its process was killed.

    Args:
        folder: where to look; it need not exist.
        at_the_start: whether this process has written nothing there yet. Then what bears its number is left over too:
            in a container the process that is started again often has the number of the one that was killed.
    """
    for path in Path(folder).glob(".*.partial.*"):
        match = _PARTIAL.fullmatch(path.name)
        if match and (not _is_running(int(match[1])) or at_the_start and int(match[1]) == os.getpid()):
            path.unlink(missing_ok=True)


def json_lines(path: str | Path, is_sound: Callable[[Any], bool]) -> list[Any]:
    """The lines of a file of JSON lines, those left out that a crash or a full disk cut short, or that are other bytes.

    Args:
        path: of the file.
        is_sound: whether a line's value is what the file is made of.

    Returns:
        List of the lines' values.

    Warns:
        DamageWarning: lines were left out; it says how many, and which is the first.
    """
    kept, broken = [], []
    for number, line in enumerate(Path(path).read_bytes().splitlines(), start=1):
        try:
            value = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            broken.append(number)
            continue
        kept.append(value) if is_sound(value) else broken.append(number)
    if broken:
        count = "1 line cannot be read and is" if len(broken) == 1 else f"{len(broken)} lines cannot be read and are"
        warnings.warn(
            f"{path}: {count} left out, the first of them line {broken[0]}. Whatever can be read is kept.",
            DamageWarning,
            stacklevel=2,
        )
    return kept


def _is_running(process):
    try:
        # Another user's process is one that runs, too.
        with contextlib.suppress(PermissionError):
            os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
