"""What training leaves behind and everything later reads: the run directory.

    runs/00007-wgan_gp-digits/{recipe.json, environment.json, events.*, checkpoints/, samples/, metrics.jsonl}

A checkpoint is a whole model, `checkpoints/step-00001000.keras`, renamed into place only when complete. Where training
evaluates, `checkpoints/best.keras` is the best by the figure in `best.json`; `evaluation.json` is what
`keras-gans evaluate` found last, and `doctor.jsonl` what the doctor saw. A trained model that is passed on is a run
directory too, with weights alone in place of checkpoints: see `runs.published`.
"""

import errno
import json
import os
import re
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_gans.errors import DamageWarning, NoReadableCheckpointError, UserError, nearest, unknown_name
from keras_gans.registry import readers, schemes
from keras_gans.runs import published
from keras_gans.runs.own_module import import_module, module_of

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


_RUN_NAME = re.compile(r"(\d+)-.+")
# What a checkpoint holds besides its model: whatever the run that wrote it must know to go on as it was.
NOTES, DOCTOR = "run.json", "doctor.npz"
_PARTS = {"metadata.json", "config.json", "model.weights.h5"}
_CHECKPOINT_NAME = re.compile(r"step-(\d+)\.keras")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# In a run directory until the first training step is taken.
NOT_BEGUN = ".not-begun"


def board_of(run: str | Path) -> Path:
    """The folder of a run's event files for TensorBoard, whose name there is that of the run.

    Earlier versions had a subfolder for them, in which a run that goes on keeps them.
    """
    older = Path(run) / "tensorboard"
    return older if older.is_dir() else Path(run)


def resolve(run: str | Path, root: str | Path = "runs") -> Path:
    """The folder of a run.

    Args:
        run: path of a run; or the name of one in `root`, its number ("7" or "00007"), or "latest" for the highest of
            those that have taken a training step; or "preset:NAME" or "hub:USER/REPO", see `published.working_folder`.
        root: folder that holds the runs.

    Returns:
        pathlib.Path of an existing run directory.

    Raises:
        UserError: there is no such run or preset, or several carry the number.
    """
    run, root = str(run), Path(root)
    if published.names_one(run):
        return published.working_folder(run, root)
    numbered = _numbered_runs(root)
    begun = [path for _, path in numbered if not (path / NOT_BEGUN).exists()]
    if run == "latest" and begun:
        return begun[-1]
    if run.isdecimal():
        found = [path for number, path in numbered if number == int(run)]
        if len(found) > 1:
            raise UserError(f"Run {run} is ambiguous in {root}: {', '.join(path.name for path in found)}.")
        if found:
            return found[0]
    for path in (Path(run), root / run):
        if _is_run(path):
            return path
    raise UserError(_not_found(run, root, [path.name for _, path in numbered]))


def latest_with_checkpoint(root: str | Path = "runs") -> Path | None:
    """The run with the highest number in a folder that has a checkpoint, or None."""
    with_checkpoint = [path for _, path in _numbered_runs(Path(root)) if checkpoints(path)]
    return with_checkpoint[-1] if with_checkpoint else None


def step_of(checkpoint: str | Path) -> int:
    """The training step of a checkpoint, an integer, as its file's name or a preset's description has it."""
    if Path(checkpoint).name == published.MODEL:
        return published.step_of(Path(checkpoint).parent)
    return int(_CHECKPOINT_NAME.fullmatch(Path(checkpoint).name)[1])


def checkpoints(run: str | Path) -> list[Path]:
    """The checkpoints of a run, a list of paths, the lowest step first; of a preset its one file of weights."""
    if published.is_published(run):
        return [Path(run) / published.MODEL]
    return checkpoints_in(Path(run) / "checkpoints")


def checkpoints_in(folder: str | Path) -> list[Path]:
    """The checkpoints in a folder, a list of paths, the lowest step first; other files there are none of ours."""
    found = Path(folder).glob("step-*.keras")
    return sorted((path for path in found if _CHECKPOINT_NAME.fullmatch(path.name)), key=step_of)


def latest_checkpoint(run: str | Path) -> Path:
    """The path of a run's checkpoint with the highest step.

    Raises:
        UserError: the run has no checkpoint yet.
    """
    found = checkpoints(run)
    if not found:
        raise UserError(f"Run {run} has no checkpoint yet. Train it until the first step-*.keras appears there.")
    return found[-1]


def checkpoint_file(run: str | Path, checkpoint: str = "latest") -> Path:
    """The path of one of a run's checkpoints.

    Args:
        run: path of a run directory.
        checkpoint: "latest", "best", which training keeps where it evaluates, or a step, such as "1000".

    Raises:
        UserError: no such checkpoint; the message names those that there are.
    """
    if checkpoint == "latest":
        return latest_checkpoint(run)
    if checkpoint == "best":
        best = Path(run) / "checkpoints" / "best.keras"
        if published.is_published(run):
            raise UserError(f"{run} holds the weights of one step, {published.step_of(run)}. Take the latest.")
        if not best.exists():
            raise UserError(
                f"Run {run} has no best checkpoint, as it was not evaluated while it trained. Take the latest."
            )
        return best
    found = {step_of(path): path for path in checkpoints(run)}
    if not (checkpoint.isascii() and checkpoint.isdecimal()):
        raise unknown_name("checkpoint", checkpoint, ("latest", "best", *map(str, found)))
    if int(checkpoint) not in found:
        latest_checkpoint(run)
        raise UserError(f"Run {run} has checkpoints of the steps {', '.join(map(str, found))}. Received: {checkpoint}.")
    return found[int(checkpoint)]


def load_chosen(run: str | Path, checkpoint: str = "latest") -> "AdversarialModel":
    """The compiled model of one of a run's checkpoints, see `checkpoint_file`; the latest that is whole of "latest".

    Raises:
        UserError: no such checkpoint, or it cannot be read.
    """
    path = checkpoint_file(run, checkpoint)
    if checkpoint == "latest":
        return load_run(run)
    import_own_module(run)
    if path.name != published.MODEL and not is_intact(path):
        raise UserError(f"{path} is damaged. Take another checkpoint.")
    return load_checkpoint(path)


def read_recipe(run: str | Path) -> dict[str, Any]:
    """The recipe that a run was started with, as a dict.

    Warns:
        DamageWarning: recipe.json holds none, and what the last checkpoint notes was taken.

    Raises:
        UserError: recipe.json is missing; or it holds no recipe, and no checkpoint notes one.
    """
    path = Path(run) / "recipe.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{run} is not a run directory: it has no recipe.json.") from None
    except (ValueError, RecursionError) as error:
        return recipe_as_noted(run, UserError(f"{path} is not valid JSON: {error}."))
    if isinstance(fields, dict):
        return fields
    what = f"{path} does not hold a recipe, which is an object of JSON. Received: {str(fields)[:80]}."
    return recipe_as_noted(run, UserError(what))


def recipe_as_noted(run: str | Path, error: UserError) -> dict[str, Any]:
    """The recipe that the last readable checkpoint of a run was saved with, in the place of its recipe.json.

    Args:
        run: path of a run directory.
        error: what is wrong with recipe.json.

    Warns:
        DamageWarning: always, where one was found.

    Raises:
        UserError: `error`, where there is none.
    """
    for checkpoint in [] if published.is_published(run) else reversed(checkpoints(run)):
        if is_intact(checkpoint) and (fields := notes_in(checkpoint).get("recipe")):
            warnings.warn(
                f"{error} The recipe that {checkpoint} was saved with was taken.", DamageWarning, stacklevel=3
            )
            return fields
    raise error


def load_run(run: str | Path, root: str | Path = "runs") -> "AdversarialModel":
    """The model of a run's latest checkpoint that is whole.

    Args:
        run: see `resolve`.
        root: see `resolve`.

    Returns:
        The compiled `AdversarialModel`, with its step and its optimizers' state.

    Warns:
        DamageWarning: a checkpoint that cannot be read was passed over for the one before it.

    Raises:
        UserError: no such run, or no checkpoint yet.
        NoReadableCheckpointError: none that is whole and loads.
    """
    return newest_readable(resolve(run, root))[1]


def newest_readable(run: str | Path) -> "tuple[Path, AdversarialModel]":
    """The path of a run's latest checkpoint that is whole and loads, and its model.

    Args:
        run: path of a run directory.

    Warns, raises:
        As `load_run`.
    """
    path = latest_checkpoint(run)
    if published.is_published(run):
        return path, load_checkpoint(path)
    import_own_module(run)
    reasons = []
    for path in reversed(checkpoints(run)):
        try:
            return path, _read(path)
        except UserError as error:
            reasons.append(error)
            warnings.warn(f"{error} It was passed over for the checkpoint before it.", DamageWarning, stacklevel=3)
    raise NoReadableCheckpointError(f"Run {run} has no checkpoint that can be read. The latest: {reasons[0]}")


def _read(path):
    """The model of a checkpoint that is what its name says.

    Raises:
        UserError: it is damaged, does not load or is of another step.
    """
    if not is_intact(path):
        raise UserError(f"{path} is damaged.")
    model = load_checkpoint(path)
    if model.steps_taken != step_of(path):
        raise UserError(f"{path} holds step {model.steps_taken}, not the one in its name.")
    return model


def notes_in(checkpoint: str | Path) -> dict[str, Any]:
    """What the run that wrote a checkpoint noted in it, see `callbacks.Checkpoint`; {} where it noted nothing."""
    with zipfile.ZipFile(checkpoint) as archive:
        return json.loads(archive.read(NOTES)) if NOTES in archive.namelist() else {}


def part_in(checkpoint: str | Path, name: str) -> bytes | None:
    """What lies beside the model in a checkpoint under a name, see `callbacks.Checkpoint`; None where nothing does."""
    with zipfile.ZipFile(checkpoint) as archive:
        return archive.read(name) if name in archive.namelist() else None


def import_own_module(run: str | Path) -> None:
    """Imports the module of the user's own that a run's recipe comes from, where it comes from one.

    A preset has none: what others have made names no module to import.

    Raises:
        UserError: it cannot be imported.
    """
    if published.is_published(run):
        return
    module = module_of(read_recipe(run).get("name", ""))
    if module is not None:
        import_module(module)


def load_model(path: str | Path) -> "AdversarialModel":
    """The compiled model of a `.keras` file that a scheme was saved to.

    `keras.saving.load_model` does the same once `keras_gans.schemes` and `keras_gans.layers` are imported.

    Raises:
        UserError: there is no such file, it does not load, or it holds no scheme.
    """
    if not Path(path).is_file():
        raise UserError(f"There is no file {path}. A scheme's save('model.keras') writes one.")
    return load_checkpoint(path)


def load_checkpoint(checkpoint: str | Path) -> "AdversarialModel":
    """The compiled model of one checkpoint's file.

    Args:
        checkpoint: path of a .keras file, or of a preset's `model.safetensors`.

    Raises:
        UserError: it does not load, such as where it names classes that are not registered, or is no scheme.
        OSError: there is no room to unpack it, which says nothing about the file.
    """
    if Path(checkpoint).name == published.MODEL:
        return readers[published.MODEL](Path(checkpoint).parent)
    import keras
    import tensorflow as tf

    # Whatever a checkpoint may name is registered when these are imported.
    import keras_gans.layers
    import keras_gans.schemes  # noqa: F401

    try:
        model = keras.saving.load_model(checkpoint)
    except (MemoryError, tf.errors.ResourceExhaustedError):
        # That says nothing about the file.
        raise
    except Exception as error:  # Keras, h5py and JSON raise anything at all on what is not a model of theirs.
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise OSError(
                error.errno,
                f"{checkpoint} could not be loaded, as Keras unpacks it in {tempfile.gettempdir()} first: "
                f"{os.strerror(error.errno)}. Make room there, or set TMPDIR to another folder",
            ) from error
        # Keras repeats the whole configuration at each level; the innermost reason is the last.
        reason = str(error).rsplit("Exception encountered: ", 1)[-1].split(". ")[0]
        raise UserError(
            f"{checkpoint} is whole but does not load: {reason[:300]}. If its networks use layers of your own, import "
            "the module that registers those first."
        ) from error
    known: Any = tuple(scheme for _, scheme in schemes.items())
    if not isinstance(model, known):
        raise UserError(
            f"{checkpoint} holds a {type(model).__name__} and no scheme of keras_gans, so that it is no checkpoint of "
            "a run."
        )
    return model


def _numbered_runs(root):
    """[(number, path)] of the runs in a folder, the lowest number first."""
    matches = [(_RUN_NAME.fullmatch(path.name), path) for path in root.iterdir()] if root.is_dir() else []
    return sorted((int(match[1]), path) for match, path in matches if match and _is_run(path))


def _is_run(path):
    return (path / "recipe.json").is_file()


def _not_found(run, root, names):
    if Path(run).is_dir():
        return f"{run} is not a run directory: it has no recipe.json."
    if not names:
        return f"There is no run {run!r}: {root.absolute()} holds no runs. Name another folder, or train one first."
    if run == "latest":
        return f"There is no latest run in {root}: none has taken a training step. There are: {', '.join(names[-3:])}."
    close = nearest(run, names)
    hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"The latest are {', '.join(names[-3:])}."
    return f"There is no run {run!r} in {root}. {hint}"


def is_intact(checkpoint: str | Path) -> bool:
    """Whether a file is an archive with the parts of a model, each with the checksum it was written with."""
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            return _PARTS <= set(archive.namelist()) and archive.testzip() is None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        return False
