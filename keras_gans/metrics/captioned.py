"""Images with what is said of them, as measures of schemes that draw to texts look at them."""

import dataclasses
from typing import NamedTuple

import numpy as np

from keras_gans.data.source import Source
from keras_gans.errors import UserError
from keras_gans.fields import Classes, Images, Texts
from keras_gans.pixels import as_uint8


class Captioned(NamedTuple):
    """Images that the model was not trained on, with what is said of them.

    Attributes:
        images: uint8 (n, height, width, channels).
        texts: one of each image's captions, as list of str.
        attributes: {name: int64 (n,)}.
        groups: int64 (n,), equal where texts describe each other's images.
        wrong: int64 (n,), for each row another one whose text does not describe its image.
        one_wrong: int64 (n,), for each row another one that differs from it in one attribute; -1 where there is none.
    """

    images: np.ndarray
    texts: list[str]
    attributes: dict[str, np.ndarray]
    groups: np.ndarray
    wrong: np.ndarray
    one_wrong: np.ndarray


def drawn_from(source: Source, attributes: tuple[str, ...], random: np.random.Generator) -> Captioned:
    """A source's rows with one of each image's captions, and with others whose texts are wrong.

    Args:
        source: with columns `image` and `text`, see `with_captions`.
        attributes: names of its columns of classes that the texts speak of.
        random: chooses captions and others.

    Raises:
        UserError: all texts say the same.
    """
    every = source.columns["text"].values
    texts = [captions[random.integers(len(captions))] for captions in (every[row] for row in range(len(every)))]
    values = {name: np.asarray(source.columns[name].values) for name in attributes}
    groups = groups_of(source, attributes)
    if len(np.unique(groups)) < 2:
        raise UserError(f"All texts of {source.name!r} ({source.split}) say the same: there is no wrong one.")
    return Captioned(
        as_uint8(source.columns["image"].values),
        texts,
        values,
        groups,
        _others(groups, random),
        _with_one_changed(values, random) if values else np.full(len(texts), -1),
    )


def with_captions(source: Source) -> Source:
    """The source with its image and its text by these names, and its columns of classes."""
    names = source.match({"image": (Images,), "text": (Texts,)})
    classes = {name: column for name, column in source.columns.items() if isinstance(column.field, Classes)}
    return dataclasses.replace(
        source,
        columns={name: source.columns[names[name]] for name in names} | classes,
        held_out=source.held_out and with_captions(source.held_out),
    )


def groups_of(source: Source, attributes: tuple[str, ...]) -> np.ndarray:
    """int64 (n,): equal for rows with the same attributes, or without attributes with a text in common."""
    if attributes:
        values = np.stack([source.columns[name].values for name in attributes], axis=1)
        return np.unique(values, axis=0, return_inverse=True)[1].reshape(-1)
    # Rows that share a text are one group, as are those that share one with these.
    texts, leader = source.columns["text"].values, np.arange(len(source))

    def top(row):
        while leader[row] != row:
            row = leader[row] = leader[leader[row]]
        return row

    first = {}
    for row in range(len(source)):
        for text in texts[row]:
            leader[top(row)] = top(first.setdefault(text, row))
    return np.unique([top(row) for row in range(len(source))], return_inverse=True)[1].reshape(-1)


def _others(groups, random):
    """For each row another one of another group."""
    found = random.permutation(len(groups))
    while len(same := np.flatnonzero(groups[found] == groups)):
        found[same] = random.integers(len(groups), size=len(same))
    return found


def _with_one_changed(attributes, random):
    """For each row another one that differs in exactly one attribute, each attribute equally often; -1 without one."""
    values = np.stack(list(attributes.values()), axis=1)
    found = np.full(len(values), -1)
    for row, own in enumerate(values):
        differing = values != own
        candidates = np.flatnonzero(differing.sum(axis=1) == 1)
        if len(candidates):
            which = differing[candidates].argmax(axis=1)
            chosen = random.choice(np.unique(which))
            found[row] = random.choice(candidates[which == chosen])
    return found
