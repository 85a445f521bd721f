"""Runs one of this folder's scripts in a fresh Python process, which knows neither Keras nor keras_gans."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_gans.errors import UserError

# A child on the CPU: its parent may hold all of a GPU's memory. Its log is read only if it fails.
_ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
_WARM = Path(__file__).with_name("warm_process.py")
# macOS has `fork`, but not after its own libraries were used.
_CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"


class _Warm:
    """The process that the scripts within `warm` are forked from, once one was asked for."""

    is_wanted = False
    process: subprocess.Popen[str] | None = None
    # It answers one at a time.
    lock = threading.Lock()


@contextlib.contextmanager
def warm() -> Iterator[None]:
    """Within it, scripts share one import of TensorFlow: each is forked from a process that has done nothing else."""
    if _Warm.is_wanted or not _CAN_FORK:
        yield
        return
    _Warm.is_wanted = True
    try:
        yield
    finally:
        own, _Warm.process, _Warm.is_wanted = _Warm.process, None, False
        if own is not None:
            with own:
                own.kill()


def run_script(name: str, job: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """Runs a script by path as `python script.py job.json result.json`.

    Args:
        name: of a script in this folder, without ".py".
        job: what the script is to do, of JSON types.
        scratch: pathlib.Path of an existing folder for the two files and the process's log.

    Returns:
        The result that the script wrote, without its "failures".

    Raises:
        UserError: the script found failures, or ended without a result.
    """
    result, failures = _run(name, job, scratch)
    if result is None:
        raise UserError(f"{name}.py {failures[0]}, so nothing was published. Its last lines:\n{failures[1]}")
    if failures:
        raise UserError("Nothing was published:\n" + "\n".join(f"- {failure}" for failure in failures))
    return result


def run_checked(name: str, job: dict[str, Any], scratch: Path) -> tuple[dict[str, Any], list[str]]:
    """As `run_script`, for what is published already: (the result, {} where there is none, and all failures)."""
    result, failures = _run(name, job, scratch)
    if result is None:
        return {}, [f"the process that loads it {failures[0]}: {failures[1].splitlines()[-1:] or ['no word']}"]
    return result, failures


def _run(name, job, scratch):
    """(the result or None, its failures; without a result how the process ended, and the end of its log)."""
    script = Path(__file__).with_name(f"{name}.py")
    job_path, result_path, log_path = (scratch / f"{name}.{kind}" for kind in ("job.json", "result.json", "log"))
    result_path.unlink(missing_ok=True)
    job_path.write_text(json.dumps(job), encoding="utf-8")
    code = _end_of(script, [str(job_path), str(result_path)], log_path)
    if code != 0 or not result_path.is_file():
        return None, [_ending(code), _tail(log_path)]
    result = json.loads(result_path.read_text(encoding="utf-8"))
    return result, result.pop("failures")


def _end_of(script, arguments, log_path):
    """The code with which a process of a script ends."""
    with _Warm.lock:
        if _Warm.is_wanted:
            try:
                return _asked_of_the_warm(script, arguments, log_path)
            except (OSError, ValueError):
                # It has died: this script has a process of its own, below.
                _Warm.process = None
    with open(log_path, "wb") as log:
        return subprocess.run(
            [sys.executable, str(script), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_ENVIRONMENT},
        ).returncode


def _asked_of_the_warm(script, arguments, log_path):
    if _Warm.process is None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        environment = {**os.environ, **_ENVIRONMENT}
        _Warm.process = subprocess.Popen([sys.executable, str(_WARM)], env=environment, text=True, **pipes)
    log_path.write_bytes(b"")
    asked = {"script": str(script), "arguments": arguments, "log": str(log_path), "folder": os.getcwd()}
    print(json.dumps(asked), file=_Warm.process.stdin, flush=True)
    return int(_Warm.process.stdout.readline())


def _ending(code):
    if code >= 0:
        return f"ended with code {code}"
    # A crashed kernel or a lack of memory ends a process by a signal, without any Python error.
    return f"was killed by {signal.Signals(-code).name}"


def _tail(log_path, lines=8):
    return "\n".join(log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-lines:])
