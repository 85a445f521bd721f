"""Texts on the command line: from options and files, checked against what a run can read."""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keras_gans import words
from keras_gans.errors import UserError
from keras_gans.files import at_home

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel

_LONGEST_NAME = 48


def texts_of(options: Sequence[str] | None, file: Path | None) -> list[str]:
    """The texts of `--text` options, then those of a file of `--texts`, one a line; empty lines do not count.

    Raises:
        UserError: an empty text, or a file that is not there, not in UTF-8 or empty.
    """
    texts = list(options or ())
    if any(not text.strip() for text in texts):
        raise UserError(
            '--text takes what is to be drawn, such as "a small red circle, top left". Received an empty one.'
        )
    if file is not None:
        texts += _read(at_home(file))
    return texts


def _read(file):
    if not os.path.isfile(file):
        raise UserError(f"--texts takes a file with a text on each line. There is no file {file}.")
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not a text in UTF-8: {error}.") from None
    if not (texts := [line.strip() for line in lines if line.strip()]):
        raise UserError(f"{file} holds no text.")
    return texts


def check_reads(model: "AdversarialModel", texts: Sequence[str]) -> list[str]:
    """What a user should know of how a model reads texts, in lines: words that it does not know, ends that it cuts off.

    Raises:
        UserError: the model draws to no texts, or knows no word of one of them.
    """
    from keras_gans.latent.decoding import draws_to_texts
    from keras_gans.registry import schemes

    if not draws_to_texts(model):
        those = ", ".join(name for name, scheme in schemes.items() if draws_to_texts(scheme))
        raise UserError(f"{type(model).__name__} draws to no texts: leave them out. Schemes that do: {those}.")
    tokenizer = model.tokenizer
    return words.check_reads(texts, tokenizer.vocabulary, tokenizer.length, tokenizer.level)


def file_name(text: str) -> str:
    """A text as a part of a file's name: "a-small-red-circle-top-left".

    Of a long text, and of one in other letters, it ends in what tells it from others that begin alike.
    """
    plain = re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")
    is_whole = len(plain) <= _LONGEST_NAME and not any(letter.isalnum() and not letter.isascii() for letter in text)
    return plain if plain and is_whole else f"{plain[:_LONGEST_NAME].strip('-') or 'text'}-{told_apart(text)}"


def told_apart(*texts: str) -> str:
    """Eight digits and letters that tell texts from others."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:8]
