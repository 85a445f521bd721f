"""Numbered version directories: a version appears whole, by one rename, and is never touched again.

TensorFlow Serving looks at names that are numbers only. On an object store there is no atomic rename: export to a disk
and copy the version there under a name that is no number first.
"""

import contextlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:
    # Windows has no such locks.
    fcntl = None

_STAGING_PREFIX, _REMOVED_PREFIX = ".exporting-", ".removing-"
_SCRATCH_PREFIX = "keras_gans_export_"
# Between making a directory and locking it there is a moment.
_YOUNG_SECONDS = 60
# Where there are no locks: no export takes a day, so an older directory is a dead one's.
_ABANDONED_SECONDS = 24 * 3600


def versions(folder: str | Path) -> list[int]:
    """The version numbers in a folder, ascending; whatever is not named by a number does not count."""
    folder = Path(folder)
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


@contextlib.contextmanager
def staging(folder: str | Path) -> Iterator[Path]:
    """A directory beside the versions of a folder, to be filled and published; removed unless it was published.

    What killed exports left beside the versions is removed first.

    Yields:
        pathlib.Path of an empty directory. If the block fails, the folder is as it was before, or absent again.
    """
    folder = Path(folder).absolute()
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder, (_STAGING_PREFIX, _REMOVED_PREFIX))
    # Not tempfile.mkdtemp: only its owner, and so perhaps not the server, could read what is published.
    path = folder / f"{_STAGING_PREFIX}{uuid.uuid4().hex}"
    try:
        path.mkdir()
        with _held(path):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        for created in missing:
            # What holds a version, or another export's work, is not empty and stays.
            with contextlib.suppress(OSError):
                created.rmdir()


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A directory for what an export needs on the way; removed in the end, as are those of exports that were killed."""
    _remove_abandoned(Path(tempfile.gettempdir()), (_SCRATCH_PREFIX,))
    with tempfile.TemporaryDirectory(prefix=_SCRATCH_PREFIX) as path, _held(Path(path)):
        yield Path(path)


def publish(path: str | Path, folder: str | Path, seal: Callable[[int], None]) -> Path:
    """Renames a staged directory to the number after the highest version, once all of it is on the disk.

    Args:
        path: what `staging` yielded, filled.
        folder: the folder of the versions.
        seal: function of the version's number, called before the rename to write that number into `path`.

    Returns:
        pathlib.Path of the published version.
    """
    while True:
        number = max(versions(folder), default=0) + 1
        target = Path(folder) / str(number)
        seal(number)
        # Or a power cut after the rename could leave a version of empty files.
        for each in (*sorted(Path(path).rglob("*")), Path(path)):
            _synchronise(each)
        try:
            os.rename(path, target)
        except OSError:
            # A directory that is not empty refuses the rename: another export took the number first.
            if number not in versions(folder):
                raise
        else:
            _synchronise(Path(folder))
            return target


def remove_old(folder: str | Path, keep: int, needed: Iterable[int | None] = ()) -> list[int]:
    """Removes all versions but the highest ones; each vanishes by one rename before its files go.

    Args:
        folder: the folder of the versions.
        keep: so many of the highest stay.
        needed: numbers that stay in any case.

    Returns:
        The numbers of those removed.
    """
    removed = [number for number in versions(folder)[:-keep] if number not in set(needed)]
    for number in removed:
        gone = Path(folder) / f"{_REMOVED_PREFIX}{uuid.uuid4().hex}"
        os.rename(Path(folder) / str(number), gone)
        shutil.rmtree(gone, ignore_errors=True)
    return removed


@contextlib.contextmanager
def _held(path):
    """Holds a lock on a directory, which the operating system gives up when the process ends, however it ends."""
    file = None
    with contextlib.suppress(OSError):
        file = os.open(path, os.O_RDONLY)
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        if file is not None:
            os.close(file)


def _remove_abandoned(folder, prefixes):
    for path in (path for prefix in prefixes for path in folder.glob(f"{prefix}*")):
        with contextlib.suppress(OSError):
            is_held = _is_held(path)
            if time.time() - path.stat().st_mtime > (_ABANDONED_SECONDS if is_held is None else _YOUNG_SECONDS):
                if not is_held:
                    shutil.rmtree(path, ignore_errors=True)


def _is_held(path):
    """Whether a process holds a directory; None where that cannot be known."""
    if fcntl is None:
        return None
    file = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(file)
    return False


def _synchronise(path):
    """Has the operating system write a file, or a directory's list of names, to the disk."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        # Windows opens no directories.
        return
    try:
        os.fsync(file)
    finally:
        os.close(file)
