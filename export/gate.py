"""What keeps a version from going live, and how a person lets it pass all the same.

Everything here is asked before TensorFlow is imported, but for the signatures, which are known once they are written.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_gans.errors import UserError, unknown_name
from keras_gans.limits import BATCH_LIMIT

from . import run_record
from .report import read_report
from .versions import versions

# {what may be overridden: what is wrong then}.
REASONS = {
    "sick": "the doctor's last word names an illness",
    "running": "another process still trains the run",
    "unfinished": "the run has not taken all of its recipe's steps",
    "signatures": "clients of the version that is served could no longer ask what they ask",
    "no-saved-model": "TensorFlow Serving could not load the version, and would go on with an older one",
}


def check_overrides(names: Sequence[str]) -> tuple[str, ...]:
    """The overrides without repetition, in the order of `REASONS`.

    Raises:
        UserError: one that does not exist.
    """
    for name in names:
        if name not in REASONS:
            raise unknown_name("override", name, REASONS)
    return tuple(name for name in REASONS if name in names)


class Gate:
    """Collects what is wrong with a version to be; refuses it, or notes that it passed under an override.

    Args:
        overrides: names of `REASONS` that are to pass.

    Attributes:
        passed: [{"override": name, "reason": text}] of what was let pass.
    """

    def __init__(self, overrides: Sequence[str] = ()) -> None:
        self.overrides = check_overrides(overrides)
        self.passed: list[dict[str, str]] = []

    def judge(self, faults: dict[str, str]) -> None:
        """Refuses faults, {name of `REASONS`: the reason in words}, that are not overridden.

        Raises:
            UserError: it names all of them and the options that let them pass.
        """
        refused = {name: reason for name, reason in faults.items() if name not in self.overrides}
        if refused:
            reasons = "\n".join(f"- {reason}" for reason in refused.values())
            options = " ".join(f"--override {name}" for name in refused)
            raise UserError(
                f"Nothing was published:\n{reasons}\nTo publish it all the same, and have the report say so: {options}."
            )
        self.passed += [{"override": name, "reason": reason} for name, reason in faults.items()]


def faults_of_run(run: str | Path, step: int) -> dict[str, str]:
    """What is wrong with exporting a run's checkpoint of a step; {} where the folder is no run directory."""
    if not (Path(run) / "recipe.json").is_file():
        return {}
    # Without the folders that lead to it: with --override they come to be published.
    faults, name = {}, Path(run).name
    word = run_record.doctors_word(run, step)
    if word is not None and word["is_sick"]:
        faults["sick"] = f"Run {name} is sick: the doctor said {word['verdict']!r} at step {word['step']:,}."
    if run_record.writer(run) is not None:
        faults["running"] = f"Run {name} is still being trained."
    missing = run_record.missing_steps(run)
    if missing is not None:
        done, wanted = missing
        faults["unfinished"] = f"Run {name} has taken {done:,} of the {wanted:,} steps of its recipe."
    return faults


class Earlier:
    """The versions that are in a folder already.

    Attributes:
        warnings: sentences about reports that cannot be read; their versions are compared with nothing.
        served: the report of the version that clients use: the stable one, or the highest with a SavedModel; or None.
    """

    def __init__(self, to: str | Path, stable: int | None = None) -> None:
        self.warnings: list[str] = []
        self.served: dict[str, Any] | None = None
        reports = {number: self._report(Path(to) / str(number)) for number in versions(to)}
        servable = {number: entry for number, entry in reports.items() if entry and "saved_model" in entry["formats"]}
        if servable:
            self.served = servable.get(stable, servable[max(servable)])

    def _report(self, folder):
        try:
            return read_report(folder)
        except UserError as error:
            told = str(error).replace(f"{folder.parent}{os.sep}", "")
            self.warnings.append(f"{told} It was compared with nothing.")
            return None

    def faults(
        self, formats: Sequence[str], signatures: dict[str, Any] | None = None, batch_limit: int | None = None
    ) -> dict[str, str]:
        """What is wrong with a version of such formats above these, and where they are given of such signatures, for so
        many rows at once."""
        if self.served is None:
            return {}
        number = self.served.get("version")
        if "saved_model" not in formats:
            return {
                "no-saved-model": f"A version without a SavedModel is none that TensorFlow Serving can load, and it "
                f"would stand above version {number}, which is."
            }
        changes = [] if signatures is None else breaking_changes(self.served.get("signatures", {}), signatures)
        before = self.served.get("batch_limit", BATCH_LIMIT)
        if batch_limit is not None and batch_limit < before:
            changes.append(f"a call may have {batch_limit} rows, not {before}")
        if not changes:
            return {}
        return {"signatures": f"The signatures differ from those of version {number}: {'; '.join(changes)}."}

    def additions(self, signatures: dict[str, Any]) -> list[str]:
        """Names of signatures that the served version does not have."""
        return [] if self.served is None else sorted(signatures.keys() - self.served.get("signatures", {}).keys())


def breaking_changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Why clients of some signatures could not go on with others, in words.

    A further signature harms none, and a further output none but where there was one alone: TensorFlow Serving's REST
    leaves the name of an only output out.

    Args:
        before: {signature: {"inputs": {name: {"dtype", "shape"}}, "outputs": likewise}}.
        after: likewise.
    """
    changes = []
    for name, old in before.items():
        if name not in after:
            changes.append(f"{name} is gone")
            continue
        for side in ("inputs", "outputs"):
            was, now = old[side], after[name][side]
            changes += [f"{name} lacks {key} among its {side}" for key in was if key not in now]
            changes += [f"{name} needs {key} as well" for key in now if side == "inputs" and key not in was]
            changes += [
                f"{key} of {name} is {_type(now[key])}, not {_type(was[key])}"
                for key in was
                if key in now and now[key] != was[key]
            ]
        if len(old["outputs"]) == 1 and len(after[name]["outputs"]) > 1:
            changes.append(f"{name} has {len(after[name]['outputs'])} outputs, not 1, which changes REST's answers")
    return changes


def _type(described):
    sizes = ["batch" if place == 0 and size is None else str(size) for place, size in enumerate(described["shape"])]
    return f"{described['dtype']} ({', '.join(sizes)})"
