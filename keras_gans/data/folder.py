"""Folders of image files."""

import dataclasses
import itertools
import os
import statistics
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans.data import cache, pictures
from keras_gans.data.captions import read_captions, table_in
from keras_gans.data.opening import DEFAULT_IMAGE_SIZE
from keras_gans.data.pairs import Halves
from keras_gans.data.source import Column, Source, class_column, sample_column, unpaired
from keras_gans.data.texts import TextArray
from keras_gans.errors import DamageWarning, NoSplitError, UserError, nearest
from keras_gans.fields import Texts
from keras_gans.files import at_home
from keras_gans.printing import printable

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
SPLITS = ("train", "validation", "val", "test")
# What every convolutional network of the zoo can make, or nearly every one.
KEPT_SIZES = (8, 16, 28, 32, 64, 128)
_REPORTED_FILES = 5
_SHOWN_FOLDERS = 5
_CHUNK = 1024
_HINT = "Pass labels=True to open_source too."


def open_folder(
    folder: str | Path,
    *,
    split: str = "train",
    image_size: int | None = None,
    channels: int | None = None,
    labels: Any = False,
    progress: bool = False,
    skip_unreadable: bool = False,
) -> "Source":
    """Opens every image below a folder, in the order of their paths.

    Subfolders called train, validation, val or test, where there are any, are the folder's splits, and whatever lies
    beside them is left out, which the source's `note` says. Train and Test are splits too, where no others lie beside
    them. A folder without them is one split, "train". Where all images of the split lie in subfolders, of which there
    are several, these are the classes, numbered in alphabetical order; where some lie beside such subfolders, the
    source's `note` says that they are none. Hidden files and `__MACOSX` are left out. Subfolders trainA and trainB
    (testA, testB) are two collections that do not belong together, fields `image_a` and `image_b`, with `label_a` and
    `label_b` likewise. A split with a table metadata.csv or metadata.jsonl has those images that it names, and their
    captions as the field `text`.

    Args:
        folder: path of the folder.
        split: name of the split.
        image_size: side of the squares the images are cropped and resized to, in pixels; by default the size that all
            of them share, if that is one of `KEPT_SIZES`, else 64.
        channels: 1 or 3; by default 1 where every file is stored as grey, else 3.
        labels: whether there must be classes.
        progress: whether to draw a progress bar.
        skip_unreadable: whether to leave out images that cannot be read, which the source's `note` then names; each
            is read twice. Otherwise they are an error.

    Returns:
        A `Source` of uint8 images.

    Raises:
        NoSplitError: the folder has no such split.
        UserError: there is no such folder or class, no image, or an image that cannot be read.
    """
    root = check_folder(folder)
    splits = split_folders(root)
    sides = [splits[name] for name in (f"{split}A", f"{split}B") if name in splits]
    if len(sides) == 1 and split not in splits:
        missing = "".join({f"{split}A", f"{split}B"} - set(splits))
        raise (UserError if split == "train" else NoSplitError)(
            f"{sides[0]} is one of two collections, and the other, {missing}, is not beside it. Add it, or name "
            f"{sides[0]} itself for images of one kind."
        )
    if len(sides) == 2:
        opened = [
            _open_directory(folder, split, side, image_size, channels, labels, progress, skip_unreadable)
            for side in sides
        ]
        note = _sentences(*dict.fromkeys(each.note for each in opened))
        found = Source(str(folder), split, unpaired(*opened), _HINT, note=note)
    else:
        directory = _split_directory(root, split, splits)
        table = table_in(directory)
        options = (image_size, channels, labels, progress, skip_unreadable)
        if table is not None:
            found = _captioned(folder, split, table, *options)
        else:
            found = _open_directory(folder, split, directory, *options)
        found = dataclasses.replace(found, note=_sentences(_left_beside(root, splits), found.note))
    return dataclasses.replace(found, skip_unreadable=skip_unreadable)


def _open_directory(folder, split, directory, image_size, channels, labels, progress, skip_unreadable):
    files = sorted(image_files(directory), key=lambda file: file.relative_to(directory).parts)
    files, left_out = readable(files, directory, progress) if skip_unreadable else (files, "")
    loose, subfolders = _by_place(directory, files)
    has_classes = not loose and len(subfolders) > 1
    numbers, class_names = _classes(directory, files) if labels or has_classes else (None, None)
    images, note = open_files(files, directory, image_size, channels, progress)
    found = Source.of_samples(str(folder), split, images, numbers, class_names, _HINT)
    return dataclasses.replace(found, note=_sentences(left_out, _why_no_classes(loose, subfolders, len(files)), note))


def _captioned(folder, split, table, image_size, channels, labels, progress, skip_unreadable):
    captions = read_captions(table)
    files, left_out = readable(captions, table.parent, progress) if skip_unreadable else (list(captions), "")
    images, note = open_files(files, table.parent, image_size, channels, progress)
    texts = TextArray.of([captions[file] for file in files])
    columns = {"image": sample_column(images), "text": Column(Texts(), texts)}
    if labels:
        columns["label"] = class_column(*_classes(table.parent, files))
    return Source(str(folder), split, columns, _HINT, note=_sentences(left_out, note))


def _sentences(*notes):
    return "\n".join(filter(None, notes))


def open_halves(
    halves: Halves,
    *,
    split: str,
    image_size: int | None,
    channels: int | None,
    progress: bool,
    skip_unreadable: bool = False,
) -> "Source":
    """Opens a folder of images that each hold a pair side by side, as fields `image_a` and `image_b`.

    Args:
        halves: which folder, and which half is which.
        split, image_size, channels, progress, skip_unreadable: see `open_folder`; each half is cropped and resized by
            itself.

    Raises:
        UserError: as `open_folder`; or an image whose width is odd.
    """
    root = check_folder(halves.folder)
    directory = _split_directory(root, split, split_folders(root))
    files = sorted(image_files(directory), key=lambda file: file.relative_to(directory).parts)
    if not files:
        raise _no_images(directory)
    files, left_out = readable(files, directory, progress, pictures.decode_halves) if skip_unreadable else (files, "")
    found = [each.half() for each in headers(files)]
    if channels is None:
        channels = _channels_of(found)
    size = size_for(found) if image_size is None else image_size
    both = cache.filled_array(
        (len(files), 2, size, size, channels),
        np.uint8,
        lambda array: _decode_into(array, files, progress, pictures.decode_halves),
        lambda: f"halves {_identity(files)}",
    )
    sides = (both[:, 1], both[:, 0]) if halves.reverse else (both[:, 0], both[:, 1])
    columns = {f"image_{side}": sample_column(images) for side, images in zip("ab", sides, strict=True)}
    note = _sentences(left_out, what_became(found, size, "The halves of the images"))
    return Source(str(halves), split, columns, note=note, skip_unreadable=skip_unreadable)


def readable(
    files: Iterable[Path], directory: str | Path, progress: bool, decode: Callable[..., Any] = pictures.decode
) -> tuple[list[Path], str]:
    """(the image files that can be read, a sentence that names the others, or none), each read once.

    Args:
        files: paths of the images.
        directory: where they lie, for messages.
        progress: whether to draw a bar.
        decode: what will read them.

    Raises:
        UserError: none can be read.
    """
    files = list(files)
    failures = _failures(files, lambda row, file: decode(file, 1, 3), progress, "Looking for damaged images")
    kept = [file for row, file in enumerate(files) if row not in failures]
    if files and not kept:
        raise UserError(f"None of the {len(files)} images in {directory} can be read:\n  {_listed(failures)}")
    if not failures:
        return kept, ""
    return kept, f"{len(failures)} of {len(files)} images cannot be read and are left out:\n  {_listed(failures)}"


def open_files(
    files: Any, directory: str | Path, image_size: int | None, channels: int | None, progress: bool
) -> tuple[np.ndarray, str]:
    """The images of files as one array, uint8 (n, size, size, channels), and a sentence on what became of their size.

    Args:
        files: paths of the images.
        directory: where they lie, for messages.
        image_size, channels, progress: see `open_folder`.

    Raises:
        UserError: there are none, or some cannot be read.
    """
    if not files:
        raise _no_images(directory)
    found = headers(files)
    size = size_for(found) if image_size is None else image_size
    images = cache.filled_array(
        (len(files), size, size, _channels_of(found) if channels is None else channels),
        np.uint8,
        lambda array: _decode_into(array, files, progress),
        lambda: _identity(files),
    )
    return images, what_became(found, size)


def headers(files: Iterable[Path]) -> list[pictures.Header]:
    """The headers of those image files that can be read."""
    with pictures.decoding_pool() as pool:
        return [found for found in pool.map(pictures.header, files) if found is not None]


def size_for(found: list[pictures.Header]) -> int:
    """The side that all images share, if that is one of `KEPT_SIZES`, else `DEFAULT_IMAGE_SIZE`."""
    sides = {side for each in found for side in each.size}
    return min(sides) if len(sides) == 1 and sides <= set(KEPT_SIZES) else DEFAULT_IMAGE_SIZE


def _channels_of(found):
    return 1 if all(each.is_grey for each in found) else 3


def what_became(found: list[pictures.Header], size: int, what: str = "The images") -> str:
    """A sentence for people on images that do not keep their size; none where all do.

    Args:
        found: the images' headers.
        size: side of the squares that they become, in pixels.
        what: what they are called.
    """
    sizes = sorted({each.size for each in found}, key=lambda pair: pair[0] * pair[1])
    if not sizes or sizes == [(size, size)]:
        return ""
    ends = " to ".join("x".join(map(str, pair)) for pair in dict.fromkeys((sizes[0], sizes[-1])))
    cropped = " cropped to the middle square and" if any(width != height for width, height in sizes) else ""
    middle = statistics.median(min(each.size) for each in found)
    near = min(KEPT_SIZES, key=lambda side: abs(side - middle))
    offered = "" if near == size else f", {near} being nearest to theirs"
    return (
        f"{what}, of {ends} pixels, are{cropped} resized to {size}x{size}. --image-size chooses another "
        f"size{offered}; most networks make {', '.join(map(str, KEPT_SIZES[:-1]))} or {KEPT_SIZES[-1]}."
    )


def check_folder(folder: str | Path) -> Path:
    """The folder as a `Path`.

    Raises:
        UserError: there is no such folder, no image in it, or its name is not UTF-8.
    """
    root = at_home(folder)
    _require_utf8(root, "folder")
    # Unlike those of `Path` these take names too long for a file.
    if os.path.isfile(root):
        raise UserError(
            f"A folder of images is expected, but {root} is a file. Two text files whose lines belong together are "
            "written 'A = B'."
        )
    if not os.path.isdir(root):
        raise UserError(f"There is no folder {root}.{_similar_folders(root)}")
    if next(image_files(root), None) is None:
        raise _no_images(root)
    return root


def _require_utf8(path, what):
    """Raises `UserError` for a name that no JSON file, checkpoint or exported model can hold."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise UserError(
            f"The name of the {what} {shown} is not valid UTF-8, so that neither a run nor an exported model could "
            "hold it. Rename it."
        ) from None


def _similar_folders(missing):
    parent = next((folder for folder in missing.absolute().parents if os.path.isdir(folder)), None)
    if parent is None:
        return ""
    wanted = missing.absolute().relative_to(parent).parts[0]
    siblings = [entry.name for entry in parent.iterdir() if entry.is_dir() and not _is_hidden(entry.name)]
    close = nearest(wanted, siblings)
    if close:
        return f" Did you mean {' or '.join(str(parent / name) for name in close)}?"
    listed = ", ".join(sorted(siblings)[:10]) or "none"
    return f" Folders in {parent}: {listed}{', ...' if len(siblings) > 10 else ''}."


def _no_images(folder):
    return UserError(f"The folder {folder} holds no images. Looked, in subfolders too, for: {', '.join(EXTENSIONS)}.")


def _is_hidden(name):
    return name.startswith(".") or name == "__MACOSX"


def image_files(directory: str | Path) -> Iterator[Path]:
    """Yields the paths of the images below `directory`, links followed, in no particular order.

    Warns:
        DamageWarning: something with an image's name is no regular file, such as a FIFO, and was passed over.
    """
    seen = set()
    for parent, folders, files in os.walk(directory, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:  # A link back to a folder above would never end.
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not _is_hidden(name)]
        for name in files:
            if _is_hidden(name) or not name.lower().endswith(EXTENSIONS):
                continue
            path = Path(parent, name)
            if pictures.is_regular(path):
                yield path
            else:
                warnings.warn(
                    f"{path} is no image but a FIFO, socket or device, and was passed over.",
                    DamageWarning,
                    stacklevel=2,
                )


def split_folders(root: Path) -> dict[str, Path]:
    """{split: its subfolder}, and of two collections {"trainA": ..., "trainB": ...}.

    Written otherwise, as Train and Test, they are splits where no other subfolder lies beside them: of Bus, Car and
    Train they are none.

    Args:
        root: an existing folder.
    """
    names = [f"{split}{side}" for split in SPLITS for side in ("", "A", "B")]
    with os.scandir(root) as entries:
        folders = {entry.name for entry in entries if not _is_hidden(entry.name) and entry.is_dir()}
    written = {name: name for name in names if name in folders}
    if not written and folders and {name.casefold() for name in folders} <= {name.casefold() for name in names}:
        written = {name: each for name in names for each in sorted(folders) if each.casefold() == name.casefold()}
    return {name: root / each for name, each in written.items()}


def _split_directory(root, split, splits):
    found = [name for name in SPLITS if name in splits]
    if split in found:
        return splits[split]
    if not splits and split == "train":
        return root
    held = f"it has: {', '.join(splits)}" if splits else "without subfolders train and test, all of it is 'train'"
    raise NoSplitError(f"The folder {root} has no split {split!r}: {held}.")


def _why_no_classes(loose, subfolders, count):
    """A sentence for people on subfolders that would be classes but for images beside them; none where they are not."""
    if not loose or len(subfolders) < 2:
        return ""
    lie = "lies" if len(loose) == 1 else "lie"
    return (
        f"The subfolders {_some_of(subfolders)} are no classes, because {len(loose):,} of {count:,} images {lie} "
        f"beside them, such as {printable(loose[0].name)}. Where each lies in a subfolder they are classes."
    )


def _left_beside(root, splits):
    """A sentence for people on subfolders beside the splits, whose images are left out; none where there are none."""
    if not splits:
        return ""
    with os.scandir(root) as entries:
        others = sorted(entry.name for entry in entries if not _is_hidden(entry.name) and entry.is_dir())
    others = [name for name in others if root / name not in splits.values() and any(image_files(root / name))]
    if not others:
        return ""
    return (
        f"In {printable(root)} the images in {_some_of(others)} are left out, because they lie beside "
        f"{', '.join(splits)}."
    )


def _some_of(folders):
    return ", ".join(map(printable, folders[:_SHOWN_FOLDERS])) + (", ..." if len(folders) > _SHOWN_FOLDERS else "")


def _by_place(directory, files):
    """(the images that lie right in a folder, the names of its subfolders that hold others)."""
    parts = [(file, file.relative_to(directory).parts) for file in files]
    return [file for file, each in parts if len(each) == 1], sorted({each[0] for _, each in parts if len(each) > 1})


def _classes(directory, files):
    """(int64 labels of the files, class names), from the subfolders right below `directory`."""
    tops = [file.relative_to(directory).parts for file in files]
    loose, class_names = _by_place(directory, files)
    if loose:
        raise UserError(
            f"Labels are wanted, but {len(loose)} of {len(files)} images in {directory} lie in no class's subfolder, "
            f"such as {loose[0].name}. Put the images of each class in a subfolder of its own, named after the class."
        )
    for name in class_names:
        _require_utf8(directory / name, "class's folder")
    number = {name: index for index, name in enumerate(class_names)}
    return np.array([number[parts[0]] for parts in tops], "int64"), tuple(class_names)


def _decode_into(array, files, progress, decode=pictures.decode):
    """Writes each file's pixels to its row; raises `UserError` naming the files that could not be read."""
    size, channels = array.shape[-2:]

    def write(row, file):
        array[row] = decode(file, size, channels)

    failures = _failures(files, write, progress, "Reading images")
    if failures:
        raise UserError(
            f"{len(failures)} of {len(files)} images cannot be read. Repair or remove them, or leave them out by "
            f"keras-gans train --skip-unreadable or skip_unreadable=True:\n  {_listed(failures)}"
        )


def _failures(files, act, progress, title):
    """{row: file and reason} of those for which act(row, file) raises."""

    def attempt(item):
        row, file = item
        try:
            act(row, file)
        except Exception as error:  # Pillow's plug-ins raise anything at all on damaged files.
            return row, f"{file.absolute()} ({error or type(error).__name__})"
        return None

    failures = []
    with (
        pictures.decoding_pool() as pool,
        pictures.progress_bar(title, len(files), progress) as advance,
    ):
        items = iter(enumerate(files))
        while chunk := list(itertools.islice(items, _CHUNK)):
            failures += [failure for failure in pool.map(attempt, chunk) if failure]
            advance(len(chunk))
    return dict(failures)


def _listed(failures):
    more = len(failures) - _REPORTED_FILES
    shown = [printable(failure) for failure in list(failures.values())[:_REPORTED_FILES]]
    return "\n  ".join(shown) + (f"\n  and {more} more" if more > 0 else "")


def _identity(files):
    status = [(str(file.resolve()), file.stat()) for file in files]
    return repr([(path, found.st_size, found.st_mtime_ns) for path, found in status])
