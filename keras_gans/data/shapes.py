"""The embedded data set "shapes": what is drawn, how, and what its captions say. NumPy only."""

import itertools
import math
from typing import NamedTuple

import numpy as np

# The values of each attribute, by which the captions speak and a measure scores.
ATTRIBUTES = {
    "colour": ("red", "green", "blue", "yellow", "purple", "white"),
    "size": ("small", "large"),
    "shape": ("circle", "square", "triangle", "star"),
    "position": ("top left", "top right", "bottom left", "bottom right", "centre"),
    "count": ("one", "two"),
}
CAPTIONS = 4
SIZES = {"16": 16, "32": 32, "64": 64}
DEFAULT_CONFIG = "32"
# Images in each split.
COUNTS = {"train": 8000, "test": 1000, "held_out": 1000}

_LEVELS = {
    "red": (220, 40, 40),
    "green": (40, 190, 60),
    "blue": (60, 90, 235),
    "yellow": (235, 215, 45),
    "purple": (165, 60, 205),
    "white": (240, 240, 240),
}
_RADII = {"small": 0.085, "large": 0.125}
_GAP, _MARGIN, _SHIFT = 0.05, 0.035, 0.02
# How far a shape of radius 1 reaches from its middle to the side.
_REACH = {"circle": 1.0, "square": 1.0, "triangle": 1.2, "star": 1.26}
_MAX_TURN = 0.12
_SYNONYMS = {
    "small": ("small", "little"),
    "large": ("large", "big"),
    "circle": ("circle", "disc"),
    "purple": ("purple", "violet"),
}
_HELD_OUT_EVERY, _HELD_OUT_REMAINDER = 10, 3


class Combination(NamedTuple):
    """One value of each attribute of `ATTRIBUTES`."""

    colour: str
    size: str
    shape: str
    position: str
    count: str

    @property
    def labels(self) -> dict[str, int]:
        """{attribute: index of its value}."""
        return {name: ATTRIBUTES[name].index(value) for name, value in zip(ATTRIBUTES, self, strict=True)}


def combinations(held_out: bool) -> list[Combination]:
    """All combinations that are held out from training, one in ten, or all others, in a fixed order.

    What is held out does not depend on the count. Any two values of different attributes are seen together in
    training, and each value is held out equally often, to one combination.
    """
    every = itertools.starmap(Combination, itertools.product(*ATTRIBUTES.values()))
    return [each for each in every if is_held_out(each) == held_out]


def is_held_out(combination: Combination) -> bool:
    """Whether a combination never occurs in the splits "train" and "test"."""
    place = combination.labels
    number = place["colour"] + 4 * place["shape"] + 2 * place["position"] + 5 * place["size"]
    return number % _HELD_OUT_EVERY == _HELD_OUT_REMAINDER


def draw(combination: Combination, side: int, random: np.random.Generator) -> np.ndarray:
    """A picture of a combination: uint8 (side, side, 3), bright shapes with smooth edges on a dark ground.

    Where exactly the shapes lie, how far they are turned and how bright everything is, is drawn by `random`.
    """
    ground = np.full(3, random.uniform(12, 45))
    colour = np.clip(np.array(_LEVELS[combination.colour]) * random.uniform(0.9, 1.0) + random.normal(0, 5, 3), 0, 255)
    radius = _RADII[combination.size] * random.uniform(0.95, 1.05)
    turn = random.uniform(-_MAX_TURN, _MAX_TURN)
    centres = _centres(combination, radius, random)
    # Coverage by the distance from the edge in pixels, half of one on either side.
    distances = [_distance(combination.shape, side, centre, radius, turn) for centre in centres]
    coverage = np.clip(0.5 - side * np.min(distances, axis=0), 0.0, 1.0)[..., np.newaxis]
    return np.round(ground + coverage * (colour - ground)).astype(np.uint8)


def _centres(combination, radius, random):
    """Middles (x, y) of one shape, or of two side by side, in 0..1 from the top left."""
    reach = radius * _REACH[combination.shape]
    apart = (2.0 * reach + _GAP) / 2.0 if combination.count == "two" else 0.0
    # As far to the side as the shapes leave room for.
    left = max(0.25, reach + apart + _MARGIN + _SHIFT)
    x = left if "left" in combination.position else 1.0 - left if "right" in combination.position else 0.5
    y = 0.25 if "top" in combination.position else 0.75 if "bottom" in combination.position else 0.5
    x, y = x + random.uniform(-_SHIFT, _SHIFT), y + random.uniform(-_SHIFT, _SHIFT)
    return [(x - apart, y), (x + apart, y)] if apart else [(x, y)]


def _distance(shape, side, centre, radius, turn):
    """How far each pixel's middle lies outside of a shape's edge, negative inside; (side, side)."""
    ticks = (np.arange(side) + 0.5) / side
    x, y = ticks[np.newaxis] - centre[0], ticks[:, np.newaxis] - centre[1]
    distance = np.hypot(x, y)
    if shape == "circle":
        return distance - radius
    # Clockwise from straight up, folded into half of one of the equal sectors.
    angle = np.arctan2(x, -y) + turn
    corners = {"square": 4, "triangle": 3, "star": 5}[shape]
    angle = angle + math.pi / 4 if shape == "square" else angle
    sector = 2.0 * math.pi / corners
    folded = np.abs(np.mod(angle + sector / 2.0, sector) - sector / 2.0)
    outer = radius * {"square": 1.25, "triangle": 1.3, "star": 1.3}[shape]
    inner = outer * (0.45 if shape == "star" else math.cos(sector / 2.0))
    tip = np.array([0.0, outer])
    notch = inner * np.array([math.sin(sector / 2.0), math.cos(sector / 2.0)])
    edge = (notch - tip) / np.linalg.norm(notch - tip)
    across, along = distance * np.sin(folded) - tip[0], distance * np.cos(folded) - tip[1]
    return edge[0] * along - edge[1] * across


def caption(combination: Combination) -> str:
    """The plain caption: "a small red circle, top left"."""
    return f"{_phrase(combination, lambda word: word)}, {combination.position}"


def captions(combination: Combination, random: np.random.Generator, count: int = CAPTIONS) -> list[str]:
    """The plain caption and others that say the same: `count` in all, no two alike, each naming every attribute."""
    found = [caption(combination)]
    while len(found) < count:
        other = _another(combination, random)
        if other not in found:
            found.append(other)
    return found


def _another(combination, random):
    def chosen(word):
        return str(random.choice(_SYNONYMS.get(word, (word,))))

    phrase, place = _phrase(combination, chosen), _place(combination.position, random)
    verb = "is" if combination.count == "one" else "are"
    return str(
        random.choice(
            [
                f"{phrase}, {combination.position}",
                f"{phrase} {place}",
                f"{place}, {phrase}",
                f"there {verb} {phrase} {place}",
                f"a picture of {phrase} {place}",
            ]
        )
    )


def _phrase(combination, chosen):
    size, colour, shape = map(chosen, (combination.size, combination.colour, combination.shape))
    if combination.count == "one":
        return f"{chosen('a')} {size} {colour} {shape}"
    return f"{chosen('two')} {size} {colour} {shape}s"


def _place(position, random):
    if position == "centre":
        return str(random.choice(["in the centre", "in the middle"]))
    upper = position.replace("top", "upper").replace("bottom", "lower")
    return str(random.choice([f"in the {position} corner", f"at the {position}", f"in the {upper}"]))
