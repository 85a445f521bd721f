"""Two collections as one source: unpaired ones, of which no two items belong together, and paired ones."""

import dataclasses
import gzip
import os
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans.data.source import Column, Source, unpaired
from keras_gans.data.texts import TextArray
from keras_gans.errors import NoSplitError, UserError, nearest
from keras_gans.fields import Images, Texts
from keras_gans.files import at_home

UNPAIRED, PAIRED = " + ", " = "
_HALVES, _REVERSED = "halves:", "reversed-halves:"
_CLASS = re.compile(r"(?P<source>.+)\[(?P<label>[^\[\]]+)\]")
_SHOWN_LINES = 3
_OF_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclasses.dataclass(frozen=True)
class Unpaired:
    """Two collections of images that have nothing to do with each other; as a string "A + B".

    Args:
        a, b: whatever `open_source` takes; or a string "SOURCE[CLASS]" for one class of it, by name or number.
    """

    a: Any
    b: Any


@dataclasses.dataclass(frozen=True)
class Paired:
    """Two collections whose items belong together; as a string "A = B".

    Two text files belong together line by line, two folders of images by the files' names without their extensions.
    `{split}` in a path stands for the split that is opened.

    Args:
        a, b: paths of two text files, UTF-8 and .gz if they end so; or of two folders of images.
    """

    a: str | os.PathLike
    b: str | os.PathLike


@dataclasses.dataclass(frozen=True)
class Halves:
    """A folder of images that each hold a pair side by side; as a string "halves:FOLDER".

    Args:
        folder: path of it; its subfolders train, test and val are splits.
        reverse: whether the right half is A and the left one B; as a string "reversed-halves:FOLDER".
    """

    folder: str | os.PathLike
    reverse: bool = False

    def __str__(self) -> str:
        return f"{_REVERSED if self.reverse else _HALVES}{self.folder}"


def halves_of(source: Any) -> Halves | None:
    """The `Halves` that a source is, or that a string describes, or None where it is neither."""
    if isinstance(source, Halves):
        return source
    for prefix in (_HALVES, _REVERSED):
        if isinstance(source, str) and source.startswith(prefix):
            return Halves(source.removeprefix(prefix), prefix == _REVERSED)
    return None


def pair_of(source: Any) -> Unpaired | Paired | None:
    """The pair that a source is, or that a string describes, or None where it is neither."""
    if isinstance(source, Unpaired | Paired):
        return source
    if not isinstance(source, str) or _exists(source):
        return None
    for separator, kind in ((UNPAIRED, Unpaired), (PAIRED, Paired)):
        parts = [part.strip() for part in source.split(separator)]
        if len(parts) == 2 and all(parts):
            return kind(*parts)
        if len(parts) > 1:
            raise UserError(f"Two collections are written 'A{separator}B'. Received: {source!r}, of {len(parts)}.")
    return None


def _exists(path: str) -> bool:
    # Unlike `Path.exists` this takes names too long for a file and null characters.
    return os.path.exists(at_home(path))


def named(pair: Unpaired | Paired) -> str:
    """A pair as its string, in which an array is just that."""
    a, b = (str(side) if isinstance(side, str | os.PathLike) else "array" for side in (pair.a, pair.b))
    return f"{a}{UNPAIRED if isinstance(pair, Unpaired) else PAIRED}{b}"


def short_name(source: str) -> str:
    """What a run on a data set is called by: the last part of a path, and of a pair those of both sides.

    `{split}` and the endings .gz and .txt are left out; where `{split}` leaves little of a file's name, the folder of
    its files stands before it, once.
    """
    pair = pair_of(source)
    if pair is None:
        return Path(source).name
    parts: list[str] = []
    for side in (pair.a, pair.b):
        path = Path(str(side))
        name = path.name.removesuffix(".gz").removesuffix(".txt")
        if "{split}" in str(side):
            folder = next((part.name for part in path.parents if "{split}" not in part.name), "")
            name = name.replace("{split}", "").strip(".-_ ")
            parts += [folder] if folder and folder not in parts else []
        parts += [name] if name else []
    return "-".join(parts)


def class_of(source: Any) -> tuple[Any, str | None]:
    """("SOURCE", "CLASS") of "SOURCE[CLASS]", and (source, None) of anything else; a slice is part of a split."""
    match = _CLASS.fullmatch(source) if isinstance(source, str) and not _exists(source) else None
    return (match["source"].strip(), match["label"].strip()) if match else (source, None)


def only_class(source: Source, label: str) -> Source:
    """The rows of a source that are of one class, without their labels.

    Raises:
        UserError: the source has no labels, or no such class.
    """
    source.require_labels()
    names = source.class_names
    if label not in names and not (label.isdecimal() and int(label) < len(names)):
        close = nearest(label, names)
        hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise UserError(f"{source.name!r} has no class {label!r}.{hint} It has: {', '.join(names)}.")
    number = names.index(label) if label in names else int(label)
    chosen = source.take(np.flatnonzero(source.labels == number))
    return dataclasses.replace(
        chosen,
        name=f"{source.name}[{label}]",
        columns={name: column for name, column in chosen.columns.items() if isinstance(column.field, Images)},
        label_hint=f"It is one class of several: leave [{label}] out for all, with labels.",
    )


def unpaired_source(pair: Unpaired, a: Source, b: Source) -> Source:
    """The source of two collections of images: fields `image_a` and `image_b`, each with rows of its own.

    Raises:
        UserError: one of them holds no images.
    """
    for source in (a, b):
        if source.is_points:
            raise UserError(f"Two collections of images are asked for. Received: {source.name!r}, which holds points.")
    note = "\n".join(dict.fromkeys(source.note for source in (a, b) if source.note))
    skips = a.skip_unreadable or b.skip_unreadable
    return Source(named(pair), a.split, unpaired(a, b), note=note, skip_unreadable=skips)


# Paired collections ---------------------------------------------------------------------------------------------


def open_paired(
    pair: Paired,
    *,
    split: str,
    image_size: int | None,
    channels: int | None,
    progress: bool,
    skip_unreadable: bool = False,
) -> Source:
    """Opens two text files, as fields `source` and `target`, or two folders, as `image_a` and `image_b`.

    Where `skip_unreadable`, a pair of images goes with either of the two that cannot be read.

    Raises:
        UserError: they are not two of a kind, do not fit each other, or cannot be read.
    """
    paths = check_paired(pair, split)
    if paths[0].is_dir():
        return _paired_folders(pair, paths, split, image_size, channels, progress, skip_unreadable)
    for option, value in (
        ("image_size", image_size),
        ("channels", channels),
        ("skip_unreadable", skip_unreadable or None),
    ):
        if value is not None:
            raise UserError(f"Text files hold no images: leave {option} out. Received: {option}={value!r}.")
    lines = [read_lines(path) for path in paths]
    counts = [len(each) for each in lines]
    if counts[0] != counts[1]:
        raise UserError(
            f"Line i of one file belongs to line i of the other, but {paths[0]} has {counts[0]:,} lines and {paths[1]} "
            f"{counts[1]:,}."
        )
    if not counts[0]:
        raise UserError(f"{paths[0]} and {paths[1]} are empty.")
    empty = [number for number, pair_ in enumerate(zip(*lines, strict=True), 1) if not all(map(str.strip, pair_))]
    if empty:
        shown = ", ".join(map(str, empty[:_SHOWN_LINES])) + (", ..." if len(empty) > _SHOWN_LINES else "")
        raise UserError(
            f"{len(empty)} of {counts[0]:,} lines are empty in {paths[0]} or {paths[1]} (line {shown}), and nothing "
            "can be learned from them. Remove these lines from both files."
        )
    columns = zip(("source", "target"), lines, strict=True)
    return Source(named(pair), split, {name: Column(Texts(), TextArray.of(each)) for name, each in columns})


def check_paired(pair: Paired, split: str = "train") -> list[Path]:
    """The two paths of a pair.

    Raises:
        UserError: one of them does not exist, or one is a folder and the other is not.
    """
    templates = [os.fspath(part) for part in (pair.a, pair.b)]
    paths = [at_home(template.replace("{split}", split)) for template in templates]
    for template, path in zip(templates, paths, strict=True):
        if not os.path.exists(path):
            siblings = [entry.name for entry in path.parent.iterdir()] if os.path.isdir(path.parent) else []
            close = nearest(path.name, siblings)
            hint = f" Did you mean {' or '.join(str(path.parent / name) for name in close)}?" if close else ""
            # Of the training data it is a mistake, of another split an answer.
            kind = NoSplitError if split != "train" and "{split}" in template else UserError
            raise kind(f"There is no {path}.{hint}")
    if paths[0].is_dir() != paths[1].is_dir():
        raise UserError(f"Two text files or two folders belong together. Received: {paths[0]} and {paths[1]}.")
    if split != "train" and not any("{split}" in template for template in templates):
        raise NoSplitError(
            f"{named(pair)!r} has one split, 'train'; write {{split}} in the paths where there are more. Received: "
            f"split={split!r}."
        )
    return paths


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, UTF-8, of a .gz file too.

    Raises:
        UserError: it is in another encoding, or cannot be read.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            read = file.read()
        text = read.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        place = f"byte {error.start:,}: {read[error.start : error.start + 1]!r}"
        raise _not_utf8(path, place, "utf-16" if read.startswith(_OF_UTF16) else "latin1") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    if "\0" in text:
        # UTF-16 of plain letters is valid UTF-8, with a null between every two of them.
        place = text.index("\0")
        raise _not_utf8(path, f"character {place:,} is null", "utf-16be" if place == 0 else "utf-16le")
    return lines_of(text)


def lines_of(text: str) -> list[str]:
    """The lines of a text as editors and `wc` count them: ended by \\n or \\r\\n, or by \\r where there is no \\n.

    `str.splitlines` would end them at separators within sentences too, which pages of the web are full of.
    """
    ending = "\n" if "\n" in text else "\r"
    lines = text.removesuffix(ending).split(ending) if text else []
    return [line.removesuffix("\r") for line in lines]


def _not_utf8(path, place, encoding):
    return UserError(
        f"{path} is not UTF-8 ({place}). Convert it, for instance by: iconv -f {encoding} -t utf-8 {path} > converted"
    )


def _paired_folders(pair, paths, split, image_size, channels, progress, skip_unreadable):
    from keras_gans.data.folder import headers, image_files, open_files, readable, size_for, what_became

    found = [{file.relative_to(path).with_suffix("").as_posix(): file for file in image_files(path)} for path in paths]
    shared = sorted(found[0].keys() & found[1].keys())
    if not shared:
        raise UserError(f"No image in {paths[0]} has the name of one in {paths[1]}, so that none belong together.")
    note = ""
    if skip_unreadable:
        both = [files[name] for name in shared for files in found]
        kept, note = readable(both, f"{paths[0]} and {paths[1]}", progress)
        kept = set(kept)
        shared = [name for name in shared if all(files[name] in kept for files in found)]
        if not shared:
            raise UserError(f"Of no pair in {paths[0]} and {paths[1]} both images can be read.")
    columns = {}
    opened = headers(files[name] for files in found for name in shared)
    if image_size is None:
        image_size = size_for(opened)
    note = "\n".join(filter(None, (note, what_became(opened, image_size))))
    for side, path, files in zip("ab", paths, found, strict=True):
        images, _ = open_files([files[name] for name in shared], path, image_size, channels, progress)
        columns[f"image_{side}"] = Column(Images(tuple(images.shape[1:])), images)
    return Source(named(pair), split, columns, note=note, skip_unreadable=skip_unreadable)
