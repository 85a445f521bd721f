"""Numbered version directories: a version appears whole, by one rename, and is never touched again.

TensorFlow Serving looks at names that are numbers only. On an object store there is no atomic rename: export to a disk
and copy the version there under a name that is no number first.
"""

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

_STAGING_PREFIX = ".exporting-"
# No export takes a day, so an older staging directory is a crashed one's.
_ABANDONED_SECONDS = 24 * 3600


def versions(folder: str | Path) -> list[int]:
    """The version numbers in a folder, ascending; whatever is not named by a number does not count."""
    folder = Path(folder)
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


@contextlib.contextmanager
def staging(folder: str | Path) -> Iterator[Path]:
    """A directory beside the versions of a folder, to be filled and published; removed unless it was published.

    Yields:
        pathlib.Path of an empty directory. If the block fails, the folder is as it was before, or absent again.
    """
    folder = Path(folder).absolute()
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder)
    # Not tempfile.mkdtemp: only its owner, and so perhaps not the server, could read what is published.
    path = folder / f"{_STAGING_PREFIX}{uuid.uuid4().hex}"
    try:
        path.mkdir()
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        for created in missing:
            # What holds a version, or another export's work, is not empty and stays.
            with contextlib.suppress(OSError):
                created.rmdir()


def publish(path: str | Path, folder: str | Path, seal: Callable[[int], None]) -> Path:
    """Renames a staged directory to the number after the highest version.

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
        try:
            os.rename(path, target)
            return target
        except OSError:
            # A directory that is not empty refuses the rename: another export took the number first.
            if number not in versions(folder):
                raise


def _remove_abandoned(folder):
    for path in folder.glob(f"{_STAGING_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
