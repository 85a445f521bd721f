"""Which version is live: `models.config`, with the labels "stable" and "canary" as TensorFlow Serving reads them.

The file is the only state, and is replaced as a whole. A server that is started with `--model_config_file` and
`--model_config_file_poll_wait_seconds` follows it; clients ask for `/v1/models/NAME/labels/stable:predict`.
"""

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path

from keras_gans.errors import UserError
from keras_gans.files import atomically

from .formats import model_name
from .report import read_report
from .versions import versions

FILE_NAME = "models.config"
_HISTORY = re.compile(r"^# stable before: (.*)$", re.MULTILINE)
# Enough to go back step by step.
_REMEMBERED = 10


@dataclasses.dataclass(frozen=True)
class Live:
    """What is live in a folder of versions.

    Attributes:
        stable: the version for all traffic, or None.
        canary: the one that is being tried, or None.
        before: versions that were stable before, the last one first.
    """

    stable: int | None = None
    canary: int | None = None
    before: tuple[int, ...] = ()

    @property
    def needed(self) -> set[int]:
        """Versions that must not be removed: those that are served, and that which a rollback goes to."""
        return {number for number in (self.stable, self.canary, *self.before[:1]) if number is not None}


def read_live(folder: str | Path) -> Live:
    """What `models.config` in a folder of versions says; nothing is live where there is none.

    Raises:
        UserError: the file is not what TensorFlow Serving reads, or is about more than one model.
    """
    from google.protobuf import text_format

    from .protos import model_server_config_pb2

    path = Path(folder) / FILE_NAME
    if not path.is_file():
        return Live()
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        parsed = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except text_format.ParseError as error:
        raise UserError(f"{path} is not what TensorFlow Serving reads: {error}.") from None
    configs = parsed.model_config_list.config
    if len(configs) != 1:
        raise UserError(
            f"{path} is about {len(configs)} models, where keras-gans writes one. Keep such a file elsewhere."
        )
    labels = dict(configs[0].version_labels)
    found = _HISTORY.search(text)
    before = tuple(int(word) for word in re.findall(r"\d+", found[1])) if found else ()
    return Live(labels.get("stable"), labels.get("canary"), before)


def write_live(folder: str | Path, live: Live) -> Path:
    """Writes `models.config` for what is to be live; returns its path.

    The model's folder is named as the container sees it, `/models/NAME`.
    """
    from google.protobuf import text_format

    from .protos import model_server_config_pb2

    config = model_server_config_pb2.ModelServerConfig()
    name = model_name(Path(folder))
    model = config.model_config_list.config.add(name=name, base_path=f"/models/{name}", model_platform="tensorflow")
    for label, number in (("stable", live.stable), ("canary", live.canary)):
        if number is not None:
            model.version_labels[label] = number
    numbers = sorted({number for number in (live.stable, live.canary) if number is not None})
    model.model_version_policy.specific.versions.extend(numbers)
    head = "# Written by keras-gans export --stage, promote and rollback.\n"
    if live.before:
        head += f"# stable before: {', '.join(map(str, live.before))}\n"
    path = Path(folder) / FILE_NAME
    with atomically(path) as partial:
        partial.write_text(head + text_format.MessageToString(config), encoding="utf-8")
    return path


def servable(folder: str | Path) -> list[int]:
    """The versions of a folder that TensorFlow Serving can load, ascending."""
    return [number for number in versions(folder) if (Path(folder) / str(number) / "saved_model.pb").is_file()]


def stage(folder: str | Path, version: int) -> Live:
    """Makes a version the canary; what is stable stays so."""
    live = dataclasses.replace(read_live(folder), canary=version)
    write_live(folder, live)
    return live


def promote(folder: str | Path, version: int | None = None) -> tuple[Live, Live]:
    """Makes a version stable.

    Args:
        folder: of the versions.
        version: its number; the canary unless given.

    Returns:
        What was live before, and is now. A canary that is promoted is none any more.

    Raises:
        UserError: there is no canary, or no such version that TensorFlow Serving could load.
    """
    was = read_live(folder)
    if version is None and was.canary is None:
        raise UserError(f"{folder} has no canary. Name a version: {_named(servable(folder))}.")
    chosen = _check_servable(folder, was.canary if version is None else version)
    if chosen == was.stable:
        raise UserError(f"Version {chosen} is stable already.")
    before = was.before if was.stable is None else (was.stable, *was.before)
    now = Live(chosen, None if was.canary == chosen else was.canary, before[:_REMEMBERED])
    write_live(folder, now)
    return was, now


def rollback(folder: str | Path, canary_only: bool = False) -> tuple[Live, Live]:
    """Makes that version stable which was so before; a canary is withdrawn.

    Args:
        folder: of the versions.
        canary_only: whether what is stable stays so.

    Returns:
        What was live before, and is now.

    Raises:
        UserError: none was stable before, or it is gone; or there is no canary to withdraw.
    """
    was = read_live(folder)
    if canary_only:
        if was.canary is None:
            raise UserError(f"{folder} has no canary to withdraw.")
        now = dataclasses.replace(was, canary=None)
        write_live(folder, now)
        return was, now
    if not was.before:
        raise UserError(
            f"No version of {folder} was stable before. Name the one to go to: keras-gans promote {folder} VERSION."
        )
    now = Live(_check_servable(folder, was.before[0]), None, was.before[1:])
    write_live(folder, now)
    return was, now


def _check_servable(folder, number):
    known = servable(folder)
    if number not in known:
        raise UserError(f"{folder} has no version {number} with a SavedModel. Those with one: {_named(known)}.")
    return number


def _named(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def reasons_against(folder: str | Path, version: int) -> list[str]:
    """What the report of a version says was let pass when it was published, in words."""
    report = read_report(Path(folder) / str(version)) or {}
    return [entry["reason"] for entry in report.get("gate", {}).get("overridden", [])]
