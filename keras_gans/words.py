"""How texts become numbers of words or characters, in a few lines of Python; `layers.Tokenizer` does it in a graph.

    import re

    SEPARATORS = r"[\\x00-/:-@\\[-`{-\\x7f\\xa0-\\xbf\\u2000-\\u206f\\u3000-\\u303f]+"

    def tokens(text, vocabulary, length):
        text = text.encode().lower().decode()  # A to Z alone, whatever the language
        known = {word: number for number, word in enumerate(vocabulary)}
        words = [word for word in re.split(SEPARATORS, text) if word]
        numbers = [known.get(word, 1) for word in words[:length]]
        return numbers + [0] * (length - len(numbers))

This is `tokens_in_python` at the level of words; at that of characters, `words` is the list of the characters of
`" ".join(re.split(r"[\\t-\\r ]+", text)).strip(" ")`.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from keras_gans.errors import UserError, nearest

LEVELS = ("word", "character")
PADDING, UNKNOWN = 0, 1
SPECIAL = ("", "[UNK]")
# Between words: what ASCII has besides letters and digits, Latin-1's signs, and the blanks and marks of Unicode's
# blocks of general and of East Asian punctuation.
SEPARATORS = r"[\x00-/:-@\[-`{-\x7f\xa0-\xbf\u2000-\u206f\u3000-\u303f]+"
BLANKS = r"[\t-\r ]+"
# Of unknown words, those that are shown.
_NAMED = 5


def pieces(text: str, level: str) -> list[str]:
    """The words or the characters of a text, all of them, in order."""
    text = text.encode().lower().decode()  # A to Z alone: other letters' cases are a matter of language and version.
    if level == "word":
        return [word for word in re.split(SEPARATORS, text) if word]
    return list(" ".join(re.split(BLANKS, text)).strip(" "))


def tokens_in_python(text: str, vocabulary: Sequence[str], length: int, level: str = "word") -> list[int]:
    """What a `layers.Tokenizer` makes of a text: `length` numbers, 1 for unknown and 0 for padding."""
    known = {token: number for number, token in enumerate(vocabulary)}
    numbers = [known.get(token, UNKNOWN) for token in pieces(text, level)[:length]]
    return numbers + [PADDING] * (length - len(numbers))


def read_vocabulary(path: str | Path) -> tuple[str, ...]:
    """The vocabulary that `layers.Tokenizer.write_vocabulary` wrote."""
    return tuple(Path(path).read_bytes().decode().split("\n")[:-1])


def unknown_pieces(text: str, vocabulary: Sequence[str], level: str = "word") -> list[str]:
    """Those words or characters of a text that are not in the vocabulary, once each and in order."""
    return list(dict.fromkeys(token for token in pieces(text, level) if token not in vocabulary))


def check_reads(texts: Sequence[str], vocabulary: Sequence[str], length: int, level: str = "word") -> list[str]:
    """What a user should know of how texts are read, in lines: words that are not known, ends that are cut off.

    Args:
        texts: to be read.
        vocabulary: the token of each number.
        length: tokens of a text.
        level: "word" or "character".

    Raises:
        UserError: the vocabulary has no word of one of them.
    """
    lines = []
    for text in texts:
        found, unknown = pieces(text, level), unknown_pieces(text, vocabulary, level)
        if not set(found) - set(unknown):
            frequent = ", ".join(word for word in vocabulary[2:14] if word.strip())
            raise UserError(f"The model knows no {level} of {text!r}. What it knows best: {frequent}.")
        close = {word: nearest(word, vocabulary[2:]) for word in unknown[:_NAMED]}
        named = [repr(word) + (f" (did you mean {near[0]!r}?)" if near else "") for word, near in close.items()]
        if named:
            lines.append(f"{text!r}: unknown to the model, and read as one unknown word: {', '.join(named)}.")
        if len(found) > length:
            lines.append(f"{text!r}: the model reads the first {length} of its {len(found)} {level}s.")
    return lines
