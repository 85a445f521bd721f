"""What a run directory says of the run, read without TensorFlow: for the gate before a version, and for its report."""

import json
from pathlib import Path
from typing import Any

from keras_gans.errors import UserError
from keras_gans.files import json_lines
from keras_gans.runs import lock, run_directory

# Verdicts of a run that may go on as it is; every other one names an illness. See `doctor.verdict`.
NOT_SICK = ("healthy", "unclear", "missing classes")


def doctors_word(run: str | Path, step: int) -> dict[str, Any] | None:
    """The doctor's last verdict at or before a step.

    Returns:
        {"verdict": its name, "step": of the look, "is_sick"}, or None where no doctor looked by then.
    """
    path = Path(run) / "doctor.jsonl"
    if not path.is_file():
        return None
    looks = [line for line in json_lines(path, _is_verdict) if line["step"] <= step]
    if not looks:
        return None
    last = looks[-1]
    return {"verdict": last["verdict"], "step": last["step"], "is_sick": last["verdict"] not in NOT_SICK}


def _is_verdict(line):
    return isinstance(line, dict) and type(line.get("step")) is int and isinstance(line.get("verdict"), str)


def recipe_in(run: str | Path) -> dict[str, Any] | None:
    """The recipe of a run directory as a dict, or None where there is none."""
    try:
        return run_directory.read_recipe(run)
    except UserError:
        return None


def step_of(run: str | Path, checkpoint: str = "latest") -> int:
    """The step of one of a run's checkpoints, see `run_directory.checkpoint_file`; of the best as its record has it.

    Raises:
        UserError: no such checkpoint.
    """
    path = run_directory.checkpoint_file(run, checkpoint)
    if checkpoint != "best":
        return run_directory.step_of(path)
    record = _json_in(path.with_name("best.json"))
    step = record.get("step") if isinstance(record, dict) else None
    return step if isinstance(step, int) else run_directory.step_of(run_directory.latest_checkpoint(run))


def missing_steps(run: str | Path) -> tuple[int, int] | None:
    """(steps taken, steps of the recipe) of a run that has not taken all, else None."""
    wanted = (recipe_in(run) or {}).get("steps")
    found = run_directory.checkpoints(run)
    done = run_directory.step_of(found[-1]) if found else 0
    return (done, wanted) if isinstance(wanted, int) and done < wanted else None


def writer(run: str | Path) -> str | None:
    """Which process writes to the run now, in words, or None."""
    return lock.holder(run)


def evaluation_at(run: str | Path, step: int) -> list[dict[str, Any]] | None:
    """The scores of a step, each with its protocol, as `keras-gans evaluate` or training filed them; else None."""
    for path in (Path(run) / "evaluation.json", Path(run) / "checkpoints" / "best.json"):
        record = _json_in(path)
        if isinstance(record, dict) and record.get("step") == step and isinstance(record.get("scores"), list):
            return record["scores"]
    return None


def environment_of(run: str | Path) -> dict[str, Any] | None:
    """The run's `environment.json`, without the command, which may name folders of the machine; None without one."""
    record = _json_in(Path(run) / "environment.json")
    return {key: value for key, value in record.items() if key != "command"} if isinstance(record, dict) else None


def _json_in(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
