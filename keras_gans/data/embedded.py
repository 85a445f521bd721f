"""The embedded data sets: their names and the numbers that define them. NumPy only."""

import math

import numpy as np

DEFAULT_CONFIG = "narrow"
RING_RADII = {"narrow": 1.0, "wide": 2.0 / 1.414}
RING_SIGMAS = {"narrow": 0.01, "wide": 0.1 / 1.414}
GRID_SIGMA = 0.05
# Those that hold points; the others hold images.
POINTS = ("ring", "grid")

_DESCRIPTIONS = {
    "digits": "1,797 handwritten digits (scikit-learn), 8x8x1, 10 classes: 1,297 train, 500 test",
    "stacked_digits": "a digit in each channel, 8x8x3, 1,000 modes: 50,000 train, 26,000 test",
    "stacked_digits/mnist": "the same of MNIST, 28x28x3; needs MNIST itself",
    "ring": "2-D points of 8 Gaussians on a circle, radius 1, sigma 0.01: 50,000 train, 10,000 test",
    "ring/wide": "the same with radius 1.414 and sigma 0.0707: neighbouring modes are easier to reach",
    "grid": "2-D points of 25 Gaussians at {-4, -2, 0, 2, 4} squared, sigma 0.05: 50,000 train, 10,000 test",
    "digits_over_photographs": "digits, 8x8x1, and others over photographs, 8x8x3: 500 and 3,600, 397 test in both",
    "digits_over_photographs/mnist": "the same of MNIST, 28x28: 30,000 in either, 10,000 test; needs MNIST itself",
    "photographed_digits": "pairs of a digit over a photograph, 8x8x3, and itself, 8x8x1: 5,600 train, 397 test",
    "shapes": "drawn shapes with captions, 32x32x3: 8,000 train, 1,000 test, 1,000 held_out of other combinations",
    "shapes/16": "the same, 16x16x3",
    "shapes/64": "the same, 64x64x3",
    "digit_styles": "the digits in two styles, 8x8x1: 700 as they are and 700 others inverted, 397 test in both",
    "numbers_and_dates": "pairs of texts, numbers and dates in digits and in words: 12,000 train, 600 test",
}


def names() -> dict[str, str]:
    """The data sets that come with keras_gans and need no network.

    Returns:
        A dict from each name that `load` takes to a one-line description.
    """
    return dict(_DESCRIPTIONS)


def ring_centres(radius: float = RING_RADII[DEFAULT_CONFIG], modes: int = 8) -> np.ndarray:
    """Centres of Gaussians spread evenly on a circle around the origin, the first at angle 0.

    Args:
        radius: of the circle, in the units of the points.
        modes: how many Gaussians.

    Returns:
        A float32 array (modes, 2); row i is the centre of the points labelled i.
    """
    angles = 2.0 * math.pi * np.arange(modes) / modes
    return (radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype("float32")


def grid_centres() -> np.ndarray:
    """Centres of the 25 Gaussians of "grid".

    Returns:
        A float32 array (25, 2); row i is the centre of the points labelled i.
    """
    ticks = np.arange(-4.0, 5.0, 2.0)
    return np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2).astype("float32")


def sample_modes(centres: np.ndarray, sigma: float, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of a balanced mixture of round Gaussians.

    Args:
        centres: (modes, 2).
        sigma: standard deviation of each coordinate around its centre.
        count: how many points.
        seed: of a NumPy generator; an int or a list of ints.

    Returns:
        (points, labels): float32 (count, 2) and int64 (count,), the labels cycling through the modes.
    """
    labels = np.arange(count) % len(centres)
    noise = np.random.default_rng(seed).normal(scale=sigma, size=(count, 2))
    return (centres[labels] + noise).astype("float32"), labels


class PhotographPatches:
    """Square patches of the two photographs that scikit-learn carries, drawn in an order that is always the same.

    Args:
        side: of a patch, in pixels; squares of 3 to 12 times as much, where the photographs are that large, are shrunk
            to it.
        training: whether from the left three quarters of the photographs, or from the rest.
    """

    def __init__(self, side: int, training: bool):
        from sklearn.datasets import load_sample_images

        self._side = side
        self._photographs = []
        for photograph in load_sample_images().images:
            cut = photograph.shape[1] * 3 // 4
            self._photographs.append(photograph[:, :cut] if training else photograph[:, cut:])
        self._generator = np.random.default_rng([side, int(training)])

    def draw(self) -> np.ndarray:
        """The next patch: float32 (side, side, 3) in 0..255."""
        from PIL import Image

        photograph = self._photographs[self._generator.integers(len(self._photographs))]
        most = min(photograph.shape[:2])
        size = min(most, int(self._side * self._generator.uniform(3, 12)))
        top, left = (self._generator.integers(length - size + 1) for length in photograph.shape[:2])
        square = Image.fromarray(photograph[top : top + size, left : left + size])
        shrunk = square.resize((self._side, self._side), Image.Resampling.BOX)
        return np.asarray(shrunk, np.float32)


_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = ["", "", *"twenty thirty forty fifty sixty seventy eighty ninety".split()]
_MONTHS = "january february march april may june july august september october november december".split()
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_ORDINALS |= {"twelve": "twelfth"}
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def number_in_words(number: int) -> str:
    """A whole number from 0 to 9,999 in British English, "four thousand and ninety six"."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f" {_ONES[number % 10]}" if number % 10 else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    rest = number % size
    joint = " and " if rest < 100 else " "
    return f"{number_in_words(number // size)} {name}" + (joint + number_in_words(rest) if rest else "")


def date_in_words(year: int, month: int, day: int) -> str:
    """A date from 1900 to 2099, the day first: "the twenty third of july nineteen eighty seven"."""
    *tens, last = number_in_words(day).split()
    last = _ORDINALS.get(last, f"{last.removesuffix('y')}ieth" if last.endswith("y") else f"{last}th")
    century, rest = divmod(year, 100)
    if century == 20 and rest < 10:
        spoken = "two thousand" + (f" and {_ONES[rest]}" if rest else "")
    elif rest == 0:
        spoken = f"{number_in_words(century)} hundred"
    else:
        spoken = f"{number_in_words(century)} {'oh ' if rest < 10 else ''}{number_in_words(rest)}"
    return f"the {' '.join([*tens, last])} of {_MONTHS[month - 1]} {spoken}"


def numbers_and_dates(counts: tuple[int, ...]) -> list[list[tuple[str, str]]]:
    """Numbers, dates, and dates with a number, in digits and in words, of which no two are the same.

    A date has its year first in digits and its day first in words, and the number that follows a date in digits comes
    before it in words: "1987-07-23 512" is "five hundred and twelve on the twenty third of july nineteen eighty seven".

    Args:
        counts: how many pairs each list is to have.

    Returns:
        A list of (digits, words) for each count, always the same; a third of each is of each kind.
    """
    generator = np.random.default_rng(0)
    seen: set[str] = set()
    lists = []
    for count in counts:
        pairs: list[tuple[str, str]] = []
        while len(pairs) < count:
            number, month = int(generator.integers(10_000)), int(generator.integers(12))
            year, day = int(generator.integers(1900, 2100)), int(generator.integers(_DAYS[month])) + 1
            digits, words = f"{year}-{month + 1:02d}-{day:02d}", date_in_words(year, month + 1, day)
            pair = (
                (str(number), number_in_words(number)),
                (digits, words),
                (f"{digits} {number}", f"{number_in_words(number)} on {words}"),
            )[len(pairs) % 3]
            if pair[0] not in seen:
                seen.add(pair[0])
                pairs.append(pair)
        lists.append(pairs)
    return lists
