"""keras_gans's own folder on disk, in which every entry appears whole or not at all."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans.errors import UserError

VARIABLE = "KERAS_GANS_CACHE"
IN_MEMORY_BYTES = 2**30
_PARTIAL = ".partial-"
_ABANDONED_SECONDS = 24 * 3600


def cache_path(*parts: Any) -> Path:
    """A path below $KERAS_GANS_CACHE, or below ~/.cache/keras_gans. What lies there may be deleted at any time."""
    root = os.environ.get(VARIABLE) or Path.home() / ".cache" / "keras_gans"
    return Path(root).expanduser().joinpath(*parts)


def require_writable(folder: str | Path) -> None:
    """Makes `folder`, a `Path`, if need be.

    Raises:
        UserError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"The folder {folder} cannot be written: {error.strerror or error}. "
            f"Set the environment variable {VARIABLE} to a folder that can, for what keras_gans prepares."
        ) from error


@contextlib.contextmanager
def made_atomically(target: Any) -> Iterator[Path]:
    """Yields a fresh folder to write in, and moves its entry called `target.name` to `target` on success.

    Processes that make the same target at once do not disturb each other: the first to finish provides it.

    Raises:
        UserError: the folder around `target` cannot be written to.
    """
    parent = target.parent
    require_writable(parent)
    _remove_abandoned(parent)
    workshop = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=parent))
    try:
        yield workshop
        try:
            os.rename(workshop / target.name, target)
        except OSError:
            # A folder cannot be renamed onto one that another process has finished meanwhile.
            if not target.exists():
                raise
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _remove_abandoned(parent):
    """Clears what a killed process left behind in `parent`."""
    for leftover in parent.glob(f"{_PARTIAL}*"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)


def filled_array(
    shape: Sequence[int], dtype: Any, fill: Callable[[np.ndarray], None], identity: Callable[[], str]
) -> np.ndarray:
    """An array of `shape` in memory or, above about 1 GiB, a read-only memory map of a file in the cache.

    Args:
        shape: of the array.
        dtype: of the array.
        fill: function that writes every element of the array it is given.
        identity: function without arguments giving a string that is different for different contents; called for
            large arrays only, whose file is then found again instead of being filled a second time.

    Returns:
        A NumPy array.

    Raises:
        UserError: the cache folder cannot hold it.
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if size <= IN_MEMORY_BYTES:
        array = np.empty(shape, dtype)
        fill(array)
        return array
    digest = hashlib.sha256(f"{identity()} {shape} {np.dtype(dtype)}".encode()).hexdigest()
    path = cache_path("arrays", f"{digest[:32]}.npy")
    if not path.exists():
        with made_atomically(path) as workshop:
            _check_free_space(workshop, size)
            array = np.lib.format.open_memmap(workshop / path.name, mode="w+", dtype=dtype, shape=shape)
            fill(array)
            array.flush()
    return np.load(path, mmap_mode="r")


def kept_arrays(file: Path, names: Iterable[str]) -> dict[str, np.ndarray] | None:
    """The arrays of those names that `keep_arrays` wrote, or None where the file is not there or not whole."""
    try:
        with np.load(file, allow_pickle=False) as kept:
            return {name: kept[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def keep_arrays(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays to a file, whole or not at all; not where its folder cannot be written to."""
    with contextlib.suppress(UserError, OSError), made_atomically(file) as workshop:
        np.savez(workshop / file.name, **arrays)


def _check_free_space(folder, size):
    # Writing a memory map to a full disk kills the process instead of raising.
    free = shutil.disk_usage(folder).free
    if size > free:
        raise UserError(
            f"The images need {size / 2**30:.1f} GiB in {folder.parent}, which has {free / 2**30:.1f} GiB "
            f"free. Choose a smaller image_size, or set {VARIABLE} to a folder on a larger disk."
        )
