"""Runs one of this folder's scripts in a fresh Python process, which knows neither Keras nor keras_gans."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from keras_gans.errors import UserError

# A child on the CPU: its parent may hold all of a GPU's memory. Its log is read only if it fails.
_ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


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
    with open(log_path, "wb") as log:
        code = subprocess.run(
            [sys.executable, str(script), str(job_path), str(result_path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_ENVIRONMENT},
        ).returncode
    if code != 0 or not result_path.is_file():
        return None, [_ending(code), _tail(log_path)]
    result = json.loads(result_path.read_text(encoding="utf-8"))
    return result, result.pop("failures")


def _ending(code):
    if code >= 0:
        return f"ended with code {code}"
    # A crashed kernel or a lack of memory ends a process by a signal, without any Python error.
    return f"was killed by {signal.Signals(-code).name}"


def _tail(log_path, lines=8):
    return "\n".join(log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-lines:])
