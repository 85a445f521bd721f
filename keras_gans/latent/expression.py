"""Latent arithmetic as people write it: "4:thick - 4:thin + 9:thin"."""

import collections
import dataclasses
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.errors import UserError, unknown_name
from keras_gans.latent.attributes import LEVELS

if TYPE_CHECKING:
    from keras_gans.hints import Tensor


SEEDS = "seeds:"


@dataclasses.dataclass(frozen=True)
class Term:
    """One concept of an expression.

    Attributes:
        sign: 1 or -1.
        text: as it was written.
        class_name: of a class, or None for all.
        level: a key of `LEVELS`, or None.
        seeds: seeds of the samples that are its exemplars, or () where a classifier or a measure finds them.
    """

    sign: int
    text: str
    class_name: str | None = None
    level: str | None = None
    seeds: tuple = ()


def parse(text: str) -> list[Term]:
    """The terms of an expression, in which " + " and " - " stand between blanks.

    A term is a class ("7", "Ankle boot"), a level ("thick"), a level within a class ("7:thick"), or samples that
    you picked yourself ("seeds:3,7,21").

    Args:
        text: the expression.

    Returns:
        list of `Term`.

    Raises:
        UserError: it is no such expression.
    """
    first, *rest = re.split(r"(?:^|\s+)([+-])\s+", text.strip())
    if rest and not first:
        sign, first, *rest = rest
        if sign == "-":
            raise UserError(f"An expression starts with what is added. Received: {text!r}.")
    pairs = [("+", first), *zip(rest[::2], rest[1::2], strict=True)]
    return [_term(1 if sign == "+" else -1, part.strip(), text) for sign, part in pairs]


def _term(sign, part, text):
    if not part:
        raise UserError(
            "An expression is terms with + or - between them, and blanks around those, such as "
            f"'4:thick - 4:thin + 9:thin'. Received: {text!r}."
        )
    if part.startswith(SEEDS):
        numbers = part.removeprefix(SEEDS).split(",")
        if not all(re.fullmatch(r"\s*-?\d+\s*", number) for number in numbers):
            raise UserError(f"Seeds are whole numbers separated by commas, such as seeds:3,7,21. Received: {part!r}.")
        return Term(sign, part, seeds=tuple(map(int, numbers)))
    if part in LEVELS:
        return Term(sign, part, level=part)
    class_name, colon, level = part.rpartition(":")
    if not colon:
        return Term(sign, part, class_name=part)
    if level not in LEVELS:
        raise unknown_name("attribute", level, LEVELS)
    return Term(sign, part, class_name=class_name, level=level)


def target_of(terms: Any) -> tuple[str | None, str | None]:
    """What an expression should come to, where its terms cancel: "4:thick - 4:thin + 9:thin" is a thick 9.

    Args:
        terms: list of `Term`.

    Returns:
        (class name or None, level or None); both None where they do not cancel to one class, or one level, or both.
    """
    if any(term.seeds for term in terms):
        return None, None
    left = [_left(terms, "class_name"), _left(terms, "level")]
    return (None, None) if "" in left else tuple(left)


def _left(terms, facet):
    """The one value that is left of a facet; None if nothing is; "" if no single one is."""
    sums = collections.Counter()
    for term in terms:
        sums[getattr(term, facet)] += term.sign
    rest = {value: count for value, count in sums.items() if value is not None and count}
    if not rest:
        return None
    return next(iter(rest)) if list(rest.values()) == [1] else ""


def class_number(name: str, class_names: Sequence[str] | None) -> int:
    """The number of a class given by its name or number.

    Raises:
        UserError: there is no such class.
    """
    by_name = {known.lower(): number for number, known in enumerate(class_names)}
    if name.lower() in by_name:
        return by_name[name.lower()]
    if name.isdecimal() and int(name) < len(class_names):
        return int(name)
    raise unknown_name("class", name, class_names)


def exemplar_rows(
    term: Any, scores: "Tensor", assigned: np.ndarray, class_names: Sequence[str] | None, share: float = 0.2
) -> np.ndarray | None:
    """Row numbers of the samples that show what a term names.

    Args:
        term: a `Term` without seeds.
        scores: function of a level that returns float (n,), see `attributes.level_scores`.
        assigned: class number of each of the n samples; None where no term names a class.
        class_names: names of the classes, or None.
        share: of a class's samples that count as having a level: those that have most of it.

    Returns:
        int array.

    Raises:
        UserError: no such class.
    """
    from keras_gans.latent.arithmetic import highest_rows, rows_of_class

    among = None if term.class_name is None else rows_of_class(assigned, class_number(term.class_name, class_names))
    if term.level is None:
        return among
    return highest_rows(scores(term.level), share, among)


def is_target(
    target: Any, scores: "Tensor", assigned: np.ndarray, class_names: Sequence[str] | None, reference: Any
) -> np.ndarray:
    """Which samples are what an expression should come to.

    A sample has a level if it has more of it than the median of its class among the samples of ordinary latents.

    Args:
        target: what `target_of` returns, not (None, None).
        scores: float (n,) of the target's level, or None without one.
        assigned: class numbers (n,), or None without a class.
        class_names: names of the classes, or None.
        reference: (scores, assigned) of samples of ordinary latents, either None likewise.

    Returns:
        bool array (n,).
    """
    class_name, level = target
    count = len(assigned if scores is None else scores)
    right = np.ones(count, bool)
    usual_scores, usual_classes = reference
    ordinary = slice(None)
    if class_name is not None:
        number = class_number(class_name, class_names)
        right &= np.asarray(assigned) == number
        ordinary = np.asarray(usual_classes) == number
    if level is not None:
        right &= np.asarray(scores) > np.median(np.asarray(usual_scores)[ordinary])
    return right
