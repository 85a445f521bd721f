"""Names and sentences as a terminal may show them: what a user's file or class is called must not act on it."""

import re
import shlex
import unicodedata
from collections.abc import Iterable
from typing import Any

from rich import console, markup, segment

# Marks that turn the direction of whatever follows: a name could make a line read as another.
_TURNS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Control characters, halves of characters that a name of no UTF-8 is read as, and breaks of lines and paragraphs.
_ACTING = ("Cc", "Cs", "Zl", "Zp")


def printable(text: Any, lines: bool = False) -> str:
    """A text with its escape sequences, breaks and marks of direction written out, as Python's literals have them.

    Args:
        text: str, or anything that str() makes one of, such as a path.
        lines: whether the text is several lines for people, whose breaks stay.
    """
    return "".join(_written(character) if _acts(character, lines) else character for character in str(text))


def _acts(character, lines):
    if character == "\n" and lines:
        return False
    return character in _TURNS or unicodedata.category(character) in _ACTING


def _written(character):
    return character.encode("unicode_escape").decode("ascii")


def escape(text: Any, lines: bool = False) -> str:
    """The same for Rich, which then shows square brackets as they are and takes none for markup."""
    return markup.escape(printable(text, lines))


def quoted(text: Any) -> str:
    """A path or another word as a shell reads it, for commands to copy: $'...' where it is not `printable`."""
    text = str(text)
    if printable(text) == text:
        return shlex.quote(text)
    # Bytes as bash, zsh and ksh write them out, so that what is copied names the same file.
    written = "".join(
        "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
        if _acts(character, lines=False)
        else re.sub(r"(['\\])", r"\\\1", character)
        for character in text
    )
    return f"$'{written}'"


def cell(text: Any) -> str:
    """A text as a cell of a table of TensorBoard's, which are Markdown, has it: `printable`, its bars no borders."""
    return printable(text).replace("|", "\\|")


class Console(console.Console):
    """As `rich.console.Console`, and whatever is printed on it is `printable`, whoever made its text."""

    def render(
        self, renderable: console.RenderableType, options: console.ConsoleOptions | None = None
    ) -> Iterable[segment.Segment]:
        """As Rich's, whose own control codes pass."""
        for part in super().render(renderable, options):
            yield part if part.control else segment.Segment(printable(part.text, lines=True), part.style)
