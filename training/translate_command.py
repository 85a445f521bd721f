"""The command `keras-gans translate`, of pictures and of texts.

Every option is checked before TensorFlow is imported, which takes seconds.
"""

import collections
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keras_gans.errors import UserError, unknown_name
from keras_gans.files import at_home
from keras_gans.printing import Console, escape
from keras_gans.quiet import import_quietly
from keras_gans.runs import run_directory

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel

SIZES = ("network", "input")
METHODS = ("greedy", "beam")
# What a single translation may be written as; those of a folder are PNG, which loses nothing.
_WRITTEN = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_BATCH = 16
_NAMED = 10


def translate_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its number, latest or preset:NAME.")],
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="A picture, or a folder of pictures, its subfolders too; or a sentence, or a file with one a line.",
        ),
    ],
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUTPUT",
            help="A file for one picture or for texts, else a folder: each translation has its original's place and "
            "name there, and is a PNG. None for a sentence, whose translation is printed.",
        ),
    ] = None,
    direction: Annotated[
        str | None,
        typer.Option(
            metavar="a_to_b|b_to_a",
            help="From the first of the two collections, which is the default, or from the second.",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(metavar="greedy|beam", help="Of texts: the likeliest token at each place, or beam search.")
    ] = "greedy",
    size: Annotated[
        str,
        typer.Option(
            metavar="network|input",
            help="network: the middle square of each picture, shrunk as for training, and a translation of that size. "
            "input: the whole picture squeezed to it, and the translation stretched back to the picture's size.",
        ),
    ] = "network",
    checkpoint: Annotated[str, typer.Option(metavar="latest|best|STEP", help="Which checkpoint.")] = "latest",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace translations of before.")] = False,
    runs: Annotated[Path, typer.Option("--runs", help="Folder of the run directories.")] = Path("runs"),
) -> None:
    """Translates pictures by a run of cyclegan or another scheme that translates them, texts by one of adversarial_nmt.

    Pictures may be of any size and kind: JPEG, PNG, WebP, BMP, TIFF or GIF (its first frame), in grey or colour;
    transparency becomes white. One that cannot be read is named and left out, and the exit status is then 1.

        keras-gans translate latest holiday.jpg holiday-in-winter.png

        keras-gans translate latest photos/summer photos/made --direction a_to_b --size input

        keras-gans translate latest "1987-07-23 512"

        keras-gans translate latest sentences.txt translated.txt --method beam
    """
    from .translate_texts import TextFile, text_file, translate_file, translate_sentence

    if size not in SIZES:
        raise unknown_name("size", size, SIZES)
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    folder = run_directory.resolve(run, runs)
    run_directory.checkpoint_file(folder, checkpoint)
    work: TextFile | dict[Path, Path] | None = None
    # A sentence may be longer than any path, which `Path.is_file` and `Path.exists` do not forgive.
    if target is not None:
        place = at_home(source)
        is_text = os.path.isfile(place) and place.suffix.lower() not in _extensions()
        work = text_file(place, at_home(target)) if is_text else _work(place, target)
        if not overwrite:
            _refuse_existing([work.target] if isinstance(work, TextFile) else list(work.values()))
    # What is printed of a sentence is its translation alone.
    console = Console(stderr=work is None)
    with console.status("importing TensorFlow and loading the model ..."):
        import_quietly("tensorflow")
        model = run_directory.load_chosen(folder, checkpoint)
    direction = _direction(model, direction)
    if model.translates_texts():
        if isinstance(work, dict):
            raise UserError(f"{type(model).__name__} translates texts, not pictures. Received: {source}.")
        if size != SIZES[0]:
            raise UserError(f"--size is of pictures, and {type(model).__name__} translates texts. Received: {size}.")
        if work is not None:
            translate_file(model, direction, method, work, console)
        elif os.path.isfile(source):
            raise UserError(f"{source} is a file: name an OUTPUT for its translations.")
        else:
            translate_sentence(model, direction, method, source, console)
        return
    if not isinstance(work, dict):
        wanted = "INPUT is a picture or a folder of pictures" if work else "an OUTPUT is needed"
        raise UserError(f"{type(model).__name__} translates pictures, and {wanted}. Received: {source}.")
    if method != METHODS[0]:
        raise UserError(f"--method is of texts, and {type(model).__name__} translates pictures. Received: {method}.")
    unread = _translate(model, direction, work, size == "network", console.is_terminal)
    done = len(work) - len(unread)
    console.print(
        f"{done:,} of {len(work):,} pictures translated {direction.replace('_', ' ')}, by step {model.steps_taken:,}: "
        f"[bold]{escape(str(target))}[/]",
        highlight=False,
        soft_wrap=True,
    )
    if unread:
        for path, reason in unread[:_NAMED]:
            console.print(f"[bold red]Left out:[/] {escape(str(path))}: {escape(reason)}", soft_wrap=True)
        if len(unread) > _NAMED:
            console.print(f"... and {len(unread) - _NAMED:,} more.")
        raise typer.Exit(1)


def _work(source: Path, target: Path) -> dict[Path, Path]:
    """{picture: file of its translation}."""
    from keras_gans.data.folder import EXTENSIONS, image_files

    source, target = at_home(source), at_home(target)
    if not os.path.exists(source):
        raise UserError(
            "INPUT is a picture, a folder of pictures or a file of sentences where there is an OUTPUT. There is no "
            f"{str(source):.80}."
        )
    if not source.is_dir():
        if target.is_dir():
            target = target / f"{source.stem}.png"
        if target.suffix.lower() not in _WRITTEN:
            raise UserError(
                f"The translation of one picture goes to a folder that exists or to a file whose name ends in "
                f"{', '.join(_WRITTEN)}. Received: {target}."
            )
        if target.resolve() == source.resolve():
            raise UserError(f"The translation would take its original's place. Name another OUTPUT than {target}.")
        return {source: target}
    if target.exists() and not target.is_dir():
        raise UserError(f"INPUT is a folder, and so must OUTPUT be. Received: {target}, which is a file.")
    if target.resolve().is_relative_to(source.resolve()):
        raise UserError(f"OUTPUT lies within INPUT, so that translations would mix with originals: {target}.")
    files = sorted(image_files(source))
    if not files:
        raise UserError(f"There is no picture in {source}. Pictures' names end in {', '.join(EXTENSIONS)}.")
    stems = collections.Counter(path.with_suffix("") for path in files)
    # Two of one name but for the ending keep it, and so does one whose name without it another then has.
    kept = {path for path in files if stems[path.with_suffix("")] > 1}
    while taken := {path for path in files if path not in kept and path.with_suffix("") in kept}:
        kept |= taken
    names = {path: (path if path in kept else path.with_suffix("")).relative_to(source) for path in files}
    return {path: target / name.with_name(f"{name.name}.png") for path, name in names.items()}


def _refuse_existing(files: list[Path]) -> None:
    there = [path for path in files if path.exists()]
    if there:
        more = f" and {len(there) - 1:,} more are" if len(there) > 1 else " is"
        raise UserError(f"{there[0]}{more} there already. Name another OUTPUT, or add --overwrite to replace them.")


def _extensions() -> tuple[str, ...]:
    from keras_gans.data.folder import EXTENSIONS

    return tuple(EXTENSIONS)


def _direction(model: "AdversarialModel", direction: str | None) -> str:
    """The direction asked for, or the first that there is."""
    from keras_gans.registry import schemes

    if not model.translates:
        those = ", ".join(name for name, scheme in schemes.items() if scheme.translates)
        raise UserError(
            f"{type(model).__name__} translates nothing; it draws samples: keras-gans sample. Schemes that translate: "
            f"{those}."
        )
    if direction is None:
        return next(iter(model.translates))
    if direction not in model.translates:
        raise unknown_name("direction", direction, model.translates)
    return direction


def _translate(
    model: "AdversarialModel", direction: str, work: dict[Path, Path], crops: bool, shows_progress: bool
) -> list[tuple[Path, str]]:
    """Writes the translations; returns [(picture that cannot be read, why)]."""
    from keras_gans.data import pictures
    from keras_gans.drawing.picture import save_image

    shape, unread = model.fields()[model.translates[direction][0]].shape, []
    paths = list(work)
    with (
        pictures.decoding_pool() as pool,
        pictures.progress_bar("Translating", len(paths), shows_progress) as advance,
    ):
        for start in range(0, len(paths), _BATCH):
            batch = paths[start : start + _BATCH]
            read = list(pool.map(lambda path: _read(path, shape, crops), batch))
            unread += [(path, why) for path, (pixels, _, why) in zip(batch, read, strict=True) if pixels is None]
            kept = [(path, *each[:2]) for path, each in zip(batch, read, strict=True) if each[0] is not None]
            if kept:
                translated = model.translate(_stacked([pixels for _, pixels, _ in kept]), direction)
                for (path, _, size), image in zip(kept, translated, strict=True):
                    save_image(image, work[path], None if crops else size)
            advance(len(batch))
    return unread


def _read(path, shape, crops):
    """(uint8 pixels or None, (width, height) of the file, why it cannot be read)."""
    from keras_gans.data import pictures

    try:
        return *pictures.decode_to(path, shape, crops), ""
    except Exception as error:  # Whatever Pillow raises for a file it cannot read.
        return None, None, str(error) or type(error).__name__


def _stacked(images):
    import numpy as np

    return np.stack(images)
