"""What `keras-gans translate` does with a run that translates texts: a sentence, or a file line by line."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from keras_gans.errors import UserError
from keras_gans.files import atomically
from keras_gans.printing import escape

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel

_CHUNK = 256
_NAMED = 10


@dataclasses.dataclass(frozen=True)
class TextFile:
    """A file to translate and where to.

    Attributes:
        path: of the file.
        target: of the translations.
        lines: of the file.
    """

    path: Path
    target: Path
    lines: list[str]


def text_file(source: Path, target: Path) -> TextFile:
    """The file of sentences, read.

    Raises:
        UserError: it is not UTF-8 or cannot be read, is empty, or would be overwritten by its translations.
    """
    from keras_gans.data.pairs import read_lines

    if target.is_dir():
        target = target / source.name.removesuffix(".gz")
    if target.resolve() == source.resolve():
        raise UserError(f"The translations would take the place of their originals. Name another OUTPUT than {target}.")
    if target.suffix == ".gz":
        raise UserError(f"Translations are written as plain text. Name an OUTPUT without .gz. Received: {target}.")
    lines = read_lines(source)
    if not any(map(str.strip, lines)):
        raise UserError(f"There is no sentence in {source}.")
    return TextFile(source, target, lines)


def translate_sentence(model: "AdversarialModel", direction: str, method: str, text: str, console: Console) -> None:
    """Prints the translation of one sentence, and on `console` what is to be known of it.

    Raises:
        UserError: the sentence is empty.
    """
    from keras_gans.data.pairs import lines_of

    if not text.strip():
        raise UserError("There is nothing to translate: the sentence is empty.")
    if (count := len(lines_of(text))) > 1:
        raise UserError(f"A sentence is one line. Received {count}: write them to a file, and name an OUTPUT.")
    for remark in model.remarks(text):
        console.print(f"[yellow]Note:[/] {escape(remark)}.", soft_wrap=True, highlight=False)
    typer.echo(model.translate([text], direction, method)[0])


def translate_file(model: "AdversarialModel", direction: str, method: str, work: TextFile, console: Console) -> None:
    """Writes the translation of each line of a file; an empty line stays empty."""
    from keras_gans.data import pictures

    translated: list[str] = []
    with pictures.progress_bar("Translating", len(work.lines), console.is_terminal) as advance:
        for start in range(0, len(work.lines), _CHUNK):
            chunk = work.lines[start : start + _CHUNK]
            translated += model.translate(chunk, direction, method)
            advance(len(chunk))
    with atomically(work.target) as partial:
        partial.write_text("".join(f"{line}\n" for line in translated), encoding="utf-8")
    empty = sum(not line.strip() for line in work.lines)
    more = f" {empty:,} empty lines stay empty." if empty else ""
    console.print(
        f"{len(work.lines) - empty:,} of {len(work.lines):,} lines translated {direction.replace('_', ' ')}, by step "
        f"{model.steps_taken:,}: [bold]{escape(str(work.target))}[/].{more}",
        highlight=False,
        soft_wrap=True,
    )
    remarked = [(number, remark) for number, line in enumerate(work.lines, 1) for remark in model.remarks(line)]
    for number, remark in remarked[:_NAMED]:
        console.print(f"[yellow]Line {number}:[/] {escape(remark)}.", highlight=False, soft_wrap=True)
    if len(remarked) > _NAMED:
        console.print(f"... and {len(remarked) - _NAMED:,} more such notes.", highlight=False)
