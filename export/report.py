"""The report beside an exported version: every figure, and what each file is."""

import datetime
import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_gans.registry import schemes

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


FILE_NAME = "report.json"
_LIBRARIES = ("tensorflow", "keras", "ai-edge-litert", "keras_gans")


def describe_model(model: "AdversarialModel", run: str | Path) -> dict[str, Any]:
    """The report's head: which model of which run, and what exported it.

    Args:
        model: `AdversarialModel`.
        run: path of its run directory, or None.
    """
    names = [name for name, scheme in schemes.items() if scheme is type(model)]
    tokenizer = getattr(model, "tokenizer", None)
    return {
        "run": None if run is None else Path(run).absolute().name,
        "step": model.steps_taken,
        "scheme": names[0] if names else type(model).__name__,
        "class_names": list(model.class_names) or None,
        # What a client of the TFLite files needs to know besides the vocabulary.
        "tokenizer": tokenizer and {"level": tokenizer.level, "length": tokenizer.length},
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "versions": {library: importlib.metadata.version(library) for library in _LIBRARIES},
    }


def describe_files(folder: str | Path) -> dict[str, Any]:
    """{path inside a folder: {"bytes", "sha256"}} of every file but the report, sorted by path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != FILE_NAME)
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": _sha256(path)} for path in paths
    }


def write_report(folder: str | Path, report: dict[str, Any]) -> None:
    """Writes report.json into a folder."""
    text = json.dumps(report, indent=2, allow_nan=False) + "\n"
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


def read_report(folder: str | Path) -> dict[str, Any] | None:
    """The report in a version directory as a dict, or None where there is none."""
    path = folder / FILE_NAME
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _sha256(path):
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
