"""One process at a time writes to a run directory."""

import contextlib
import errno
import json
import os
import socket
import warnings
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from keras_gans.errors import DamageWarning, UserError

try:
    import fcntl
except ImportError:
    # Windows has no such locks.
    fcntl = None

NAME = ".lock"
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


@contextlib.contextmanager
def locked(run: str | Path) -> Iterator[None]:
    """Keeps other processes that ask likewise from writing to a run directory while the block runs.

    The operating system holds the lock for the process, so that one that was killed holds it no longer. The file
    `.lock` in the directory says who has it, and is gone after the block.

    Args:
        run: path of the run directory.

    Raises:
        UserError: another process has it; the message says which, on which machine and since when.

    Warns:
        DamageWarning: the file system has no locks, so that nothing keeps a second process out.
    """
    path = Path(run) / NAME
    file = _acquired(path)
    try:
        yield
    finally:
        if file is not None:
            # Before the lock is given up, or another process might hold a lock on a file that is gone.
            path.unlink(missing_ok=True)
            os.close(file)


@contextlib.contextmanager
def alone_in(folder: str | Path) -> Iterator[None]:
    """Has others that ask likewise for a folder wait while the block runs; where there are no locks nobody waits.

    Args:
        folder: path of an existing folder.
    """
    if fcntl is None:
        yield
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def holder(run: str | Path) -> str | None:
    """Which process writes to a run directory, in words; None where none does, or where there are no locks.

    Args:
        run: path of the run directory.
    """
    try:
        file = os.open(Path(run) / NAME, os.O_RDONLY)
    except OSError:
        return None
    try:
        if fcntl is not None:
            # Given up at once: for a moment, another process that asks likewise is answered "another process".
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _described(file)
    except OSError:
        return None
    finally:
        os.close(file)
    return None


def _acquired(path):
    """The descriptor of the locked file, None where there are no locks."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not _lock(file, path):
                os.close(file)
                return None
            if _is_at(file, path):
                os.ftruncate(file, 0)
                os.pwrite(file, json.dumps(_holder()).encode(), 0)
                return file
        except BaseException:
            os.close(file)
            raise
        # Whoever had it has just deleted it.
        os.close(file)


def _lock(file, path):
    """Whether the file could be locked; False where there are no locks."""
    try:
        if fcntl is None:
            raise OSError(errno.ENOSYS, "this system has no such locks")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(
            f"{path.parent} is being written to by {_described(file)}. Two at once would mix their files. Wait for "
            "it, end it, or train a new run."
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        path.unlink(missing_ok=True)
        warnings.warn(
            f"{path.parent} lies where files cannot be locked ({error.strerror}): see to it that no other process "
            "trains this run.",
            DamageWarning,
            stacklevel=4,
        )
        return False
    return True


def _is_at(file, path):
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


def _holder():
    since = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"process": os.getpid(), "host": socket.gethostname(), "since": since}


def _described(file):
    try:
        holder = json.loads(os.pread(file, 4096, 0))
        return f"process {holder['process']} on {holder['host']} since {holder['since']}"
    except (ValueError, TypeError, KeyError):
        # It has the lock and is about to write its name.
        return "another process"
