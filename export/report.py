"""The report beside an exported version: every figure, and what each file is."""

import contextlib
import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_gans.data.naming import is_embedded
from keras_gans.data.opening import is_folder
from keras_gans.data.pairs import class_of, halves_of, named, pair_of
from keras_gans.errors import UserError
from keras_gans.registry import schemes

from . import run_record, signing
from .formats import VOCABULARY_FILE
from .licences import licence_of

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


FILE_NAME = "report.json"
_LIBRARIES = ("tensorflow", "keras", "ai-edge-litert", "keras_gans")


def describe_model(model: "AdversarialModel", run: str | Path | None) -> dict[str, Any]:
    """The report's head: which model of which run, what goes in and comes out, what is known of it, what exported it.

    Args:
        model: `AdversarialModel`.
        run: path of its run directory, or None.
    """
    names = [name for name, scheme in schemes.items() if scheme is type(model)]
    tokenizer = model.tokenizer if has_words(model) else None
    return {
        "run": None if run is None else Path(run).absolute().name,
        "step": model.steps_taken,
        "scheme": names[0] if names else type(model).__name__,
        "task": task_of(model),
        "class_names": list(model.class_names) or None,
        # What a client of the TFLite files needs to know besides the vocabulary.
        "tokenizer": tokenizer and {"level": tokenizer.level, "length": tokenizer.length},
        "latents": _latents(model),
        # By which `sample` draws a label for a seed where none is asked for.
        "class_prior": [float(share) for share in getattr(model, "class_prior", ())] or None,
        "images": {"layout": "NHWC", "float32": [-1.0, 1.0], "uint8": [0, 255]},
        **_describe_run(run, model.steps_taken),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "versions": {library: importlib.metadata.version(library) for library in _LIBRARIES},
        "commit": _commit(),
        "hardware": hardware(),
    }


def has_latents(model: "AdversarialModel") -> bool:
    """Whether a model draws its samples from latents of a named prior."""
    return getattr(model, "latent_prior", None) is not None and getattr(model, "latent_dim", None) is not None


def has_words(model: "AdversarialModel") -> bool:
    """Whether a model reads texts as the numbers that a `layers.Tokenizer` makes of them."""
    return Path(VOCABULARY_FILE).stem in model.vocabularies()


def task_of(model: "AdversarialModel") -> str | None:
    """What a model is for, as Hugging Face's hub calls it; None where that has no word for it."""
    from keras_gans.latent.decoding import draws_to_texts

    if model.translates:
        return "translation" if model.translates_texts() else "image-to-image"
    if draws_to_texts(model):
        return "text-to-image"
    return "unconditional-image-generation" if getattr(model, "makes_images", False) else None


def _latents(model):
    """How `z` is drawn, for clients that do it themselves; None where there are no latents."""
    return {"prior": model.latent_prior, "size": model.latent_dim} if has_latents(model) else None


def _describe_run(run, step):
    """What the run directory says of the data, the recipe, the doctor and the evaluation; None for what it does not."""
    if run is None:
        return dict.fromkeys(("data", "recipe", "doctor", "evaluation", "trained_with"))
    recipe, scores = run_record.recipe_in(run), run_record.evaluation_at(run, step)
    data = (recipe or {}).get("data")
    if data is not None:
        recipe = recipe | {"data": without_folders(data)}
    return {
        "data": None if data is None else {"name": recipe["data"], "licence": licence_of(data)},
        "recipe": recipe,
        "doctor": run_record.doctors_word(run, step),
        "evaluation": scores and scores_without_folders(scores),
        "trained_with": run_record.environment_of(run),
    }


def without_folders(data: str) -> str:
    """The name of data without the folders that lead to it, which are nobody's business."""
    if (halves := halves_of(data)) is not None:
        return str(dataclasses.replace(halves, folder=without_folders(str(halves.folder))))
    if (pair := pair_of(data)) is not None:
        return named(dataclasses.replace(pair, a=without_folders(str(pair.a)), b=without_folders(str(pair.b))))
    source, of_class = class_of(data)
    # "shapes/16" is a name.
    own = source if is_embedded(source) or not is_folder(source) else Path(source).name or source
    return own if of_class is None else f"{own}[{of_class}]"


def scores_without_folders(scores: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Filed scores whose protocols name their data without the folders that lead to it."""
    stripped = []
    for score in scores:
        protocol = score.get("protocol", {})
        stripped.append(score | {"protocol": protocol | {"data": without_folders(str(protocol.get("data")))}})
    return stripped


def hardware() -> dict[str, Any]:
    """What the latencies were measured on: {"processor", "machine", "cores"}."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"processor": name, "machine": f"{platform.system()} {platform.machine()}", "cores": cores}


def _commit():
    """The commit of a checkout of keras_gans; None of an installed one, or where git is not there."""
    # Only in a checkout, and not in whatever repository an environment may lie in.
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip() or None
    return None


def describe_files(folder: str | Path) -> dict[str, Any]:
    """{path inside a folder: {"bytes", "sha256"}} of every file but the report and its signature, sorted by path."""
    own = {Path(folder) / name for name in (FILE_NAME, signing.FILE_NAME)}
    paths = sorted(path for path in Path(folder).rglob("*") if path.is_file() and path not in own)
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": _sha256(path)} for path in paths
    }


def write_report(folder: str | Path, report: dict[str, Any]) -> None:
    """Writes report.json into a folder."""
    text = json.dumps(report, indent=2, allow_nan=False) + "\n"
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


def read_report(folder: str | Path) -> dict[str, Any] | None:
    """The report in a version directory as a dict, or None where there is none.

    Raises:
        UserError: it is no report.
    """
    path = Path(folder) / FILE_NAME
    if not path.is_file():
        return None
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {str(error)[:200]}.") from None
    if not isinstance(read, dict) or not isinstance(read.get("formats"), list):
        raise UserError(f"{path} is no report of an export. It holds: {str(read)[:80]}.")
    return read


def _sha256(path):
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
