"""Trained models that are passed on: presets, which come along, and repositories of the Hugging Face Hub.

    dcgan_digits/{preset.json, recipe.json, model.safetensors, evaluation.json, README.md, card.json, samples.png}

Such a folder is a run directory whose one checkpoint is `model.safetensors`: weights alone, without an optimizer's
state, so that it answers and does not go on training. `preset.json` says what is needed to build the model besides its
recipe, and has the SHA-256 of what builds it and of itself. Everything here is read without TensorFlow.
"""

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

from keras_gans.errors import UserError, unknown_name
from keras_gans.files import atomically

MODEL, DESCRIPTION, RECIPE = "model.safetensors", "preset.json", "recipe.json"
# What is copied and passed on besides, where it is there.
BESIDE = ("evaluation.json", "README.md", "card.json", "samples.png")
# How a command is told of one instead of a run: "preset:dcgan_digits", "hub:USER/REPO".
PRESET, HUB = "preset", "hub"
FORMAT = 1
# More than any preset's and any recipe's; of a file that names itself one, the rest is never read.
_MOST_JSON_BYTES = 4 << 20
_PRESETS = Path(__file__).parent.parent / "presets" / "zoo"
_REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)


def is_published(run: str | Path) -> bool:
    """Whether a run directory is a preset or one of its kind."""
    return (Path(run) / DESCRIPTION).is_file()


def packaged() -> dict[str, Path]:
    """{name: folder} of the presets that come along, sorted by name."""
    found = sorted(path.parent for path in _PRESETS.glob(f"*/{DESCRIPTION}"))
    return {folder.name: folder for folder in found}


def packaged_folder(name: str) -> Path:
    """The folder of a preset that comes along.

    Raises:
        UserError: there is none of that name, with the nearest that there is.
    """
    known = packaged()
    if name not in known:
        raise unknown_name("preset", name, known)
    return known[name]


def names_one(run: str) -> bool:
    """Whether what names a run is "preset:NAME" or "hub:USER/REPO"."""
    return run.partition(":")[0] in (PRESET, HUB) and ":" in run


def working_folder(named: str, root: str | Path) -> Path:
    """The run directory of "preset:NAME" or "hub:USER/REPO" among the runs, where commands write what they draw of it.

    A preset is copied there, and again where the copy is not what comes along; what commands have written beside stays.

    Args:
        named: see `names_one`.
        root: folder of the runs.

    Raises:
        UserError: there is no such preset, it is damaged, or no such repository was pulled.
    """
    kind, _, name = named.partition(":")
    if kind == HUB:
        folder = hub_folder(name, root)
        if not is_published(folder):
            raise UserError(f"{named} has not been pulled to {root}: keras-gans pull {name}.")
        return folder
    packed = packaged_folder(name)
    check(packed)
    folder = Path(root) / f"{PRESET}-{name}"
    if not _is_same(packed, folder):
        copy(packed, folder)
    return folder


def hub_folder(repository: str, root: str | Path) -> Path:
    """Where a repository of the Hub is pulled to, among the runs.

    Raises:
        UserError: it is no name of a repository.
    """
    if not _REPOSITORY.fullmatch(repository) or ".." in repository:
        raise UserError(f"A repository of the Hub is called USER/REPO, such as ada/digits. Received: {repository!r}.")
    return Path(root) / f"{HUB}-{repository.replace('/', '--')}"


def copy(source: Path, target: Path) -> None:
    """Copies what makes up a preset, its description last, so that a folder that has one is whole."""
    target.mkdir(parents=True, exist_ok=True)
    (target / DESCRIPTION).unlink(missing_ok=True)
    for name in BESIDE:
        (target / name).unlink(missing_ok=True)
    names = [*(name for name in BESIDE if (source / name).is_file()), MODEL, RECIPE, DESCRIPTION]
    for name in names:
        with atomically(target / name) as partial:
            shutil.copyfile(source / name, partial)


def _is_same(packed, folder):
    names = (DESCRIPTION, RECIPE, MODEL)
    return all((folder / name).is_file() for name in names) and all(
        sha256_of(packed / name) == sha256_of(folder / name) for name in names
    )


def described(folder: str | Path) -> dict[str, Any]:
    """What `preset.json` says of a folder, once its own hash has been found right.

    Raises:
        UserError: it is none, of another format, or damaged.
    """
    path = Path(folder) / DESCRIPTION
    found = read_json(path)
    if found.get("format") != FORMAT:
        raise UserError(
            f"{path} is of format {str(found.get('format'))[:20]}, and this version of keras_gans reads {FORMAT}."
        )
    if found.get("sha256") != digest_of(found):
        raise UserError(f"{path} is damaged: it is not what its own SHA-256 says.{_how_to_mend(folder)}")
    return found


def read_json(path: Path) -> dict[str, Any]:
    """The object of JSON in a small file.

    Raises:
        UserError: it is not there, too large or something else.
    """
    try:
        if path.stat().st_size > _MOST_JSON_BYTES:
            raise UserError(f"{path} has {path.stat().st_size:,} bytes; at most {_MOST_JSON_BYTES:,} are read.")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path} cannot be read: {str(error)[:200]}.{_how_to_mend(path.parent)}") from None
    if not isinstance(found, dict):
        raise UserError(f"{path} is no object of JSON. Received: {str(found)[:80]}.")
    return found


def digest_of(description: dict[str, Any]) -> str:
    """The SHA-256 of a description without its own entry, of its JSON with sorted keys."""
    rest = {key: value for key, value in description.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def check(folder: str | Path) -> dict[str, Any]:
    """What `preset.json` says, once the files that build the model have been found to be those that it names.

    Raises:
        UserError: one is missing or another; in one line.
    """
    found = described(folder)
    files = found.get("files")
    for name in (RECIPE, MODEL):
        stated = files.get(name) if isinstance(files, dict) else None
        path = Path(folder) / name
        if not isinstance(stated, dict) or not path.is_file():
            raise UserError(f"{path} is missing.{_how_to_mend(folder)}")
        if path.stat().st_size != stated.get("bytes") or sha256_of(path) != stated.get("sha256"):
            raise UserError(
                f"{path} is damaged: it is not the file whose SHA-256 {DESCRIPTION} has.{_how_to_mend(folder)}"
            )
    return found


def _how_to_mend(folder):
    is_packaged = Path(folder).resolve().parent == _PRESETS.resolve()
    return " Install keras_gans again." if is_packaged else " Get it anew."


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)


def _digest(file):
    # Python 3.10 has no file_digest.
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def step_of(folder: str | Path) -> int:
    """The training step of a preset's weights."""
    step = described(folder).get("step")
    if isinstance(step, bool) or not isinstance(step, int) or step < 0:
        raise UserError(f"{Path(folder) / DESCRIPTION} has no step. Received: {step!r}.")
    return step
