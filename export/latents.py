"""Latents from seeds, as the exported model's `sample` draws them: NumPy alone, no TensorFlow.

    from latents import latents
    z = latents([7, 8, 9], 100)                   # float32 (3, 100) from N(0, I)
    z = latents([7], 12, prior="categorical_10")  # see "latents" in report.json for the prior and the size

The bits are Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011). Normal numbers are made
of them by Box and Muller, with the logarithm, sine and cosine of float32 that glibc has from Arm's optimized routines:
other libraries round one in a hundred the other way. So latents are, bit for bit, TensorFlow's on Linux with glibc
2.28 or later; priors of the plane, which TensorFlow computes by functions of its own, to a few units in the last place.
"""

import math
import re
from collections.abc import Sequence

import numpy as np

_LOW = np.uint64(0xFFFFFFFF)
_TURN = np.uint64(32)


def philox(counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Ten rounds of Philox on uint32 counters (..., 4) under keys (..., 2); uint32 (..., 4)."""
    a, b, c, d = (counter[..., place].astype(np.uint64) for place in range(4))
    k, m = (key[..., place].astype(np.uint64) for place in range(2))
    for _ in range(10):
        first, second = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b, c, d = (second >> _TURN) ^ b ^ k, second & _LOW, (first >> _TURN) ^ d ^ m, first & _LOW
        k, m = (k + np.uint64(0x9E3779B9)) & _LOW, (m + np.uint64(0xBB67AE85)) & _LOW
    return np.stack([a, b, c, d], axis=-1).astype(np.uint32)


def bits(seeds: np.ndarray, count: int) -> np.ndarray:
    """`count` uint32 for each pair of int64 seeds (rows, 2), as TensorFlow's stateless "philox" draws them."""
    pairs = np.asarray(seeds, np.int64).view(np.uint64)
    halves = np.stack([pairs & _LOW, pairs >> _TURN], axis=-1).reshape(-1, 4).astype(np.uint32)
    # TensorFlow scrambles a seed first, so that seeds that are alike give streams that are not.
    mixed = philox(halves, np.array([0x3EC8F720, 0x02461E29], np.uint32))
    blocks = np.arange(-(-count // 4), dtype=np.uint32)
    counter = np.zeros((len(mixed), len(blocks), 4), np.uint32)
    counter[..., 0] = blocks
    counter[..., 2:] = mixed[:, np.newaxis, 2:]
    drawn = philox(counter, np.broadcast_to(mixed[:, np.newaxis, :2], (*counter.shape[:2], 2)))
    return drawn.reshape(len(mixed), -1)[:, :count]


def uniform(seeds: np.ndarray, count: int) -> np.ndarray:
    """float32 numbers from [0, 1), (rows, count)."""
    return (bits(seeds, count) & np.uint32(0x7FFFFF) | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)


# glibc's: of each sixteenth of the numbers from 0.7 to 1.4 the inverse and the logarithm; and the polynomials.
_INVERSES = np.array(
    [
        1.398907162146528,
        1.3403141896637998,
        1.286432210124115,
        1.2367150214269895,
        1.1906977166711752,
        1.1479821020556429,
        1.1082251448272158,
        1.0711297413057381,
        1.036437278977283,
        1.0,
        0.9492859795739057,
        0.8951049428609004,
        0.8476821620351103,
        0.8050314851692001,
        0.7664671008843108,
        0.731428603316328,
    ]
)
_LOGARITHMS = np.array(
    [
        -0.33569133332882284,
        -0.2929040563774074,
        -0.2518726580937369,
        -0.21245868807117255,
        -0.17453945183745634,
        -0.1380057072319758,
        -0.10275976698545139,
        -0.06871392447020525,
        -0.0357891387398228,
        0.0,
        0.05204517742929496,
        0.11081431298787942,
        0.1652495223695143,
        0.21687389031699977,
        0.2659635028121397,
        0.3127556664073557,
    ]
)
_OF_LOGARITHM = np.array([-0.25089342214237154, 0.333456765744066, -0.4999997485802103])
_OF_SINE = np.array([-0.16666654943701084, 0.008332178146138854, -0.00019517298981385725])
_OF_COSINE = np.array([-0.49999999725108224, 0.041666623324344516, -0.001388676379437604, 2.4390450703564542e-05])


def _logarithm(x):
    """glibc's logf of float32 from (0, 1)."""
    a, b, c = _OF_LOGARITHM
    whole = x.view(np.uint32)
    above = whole - np.uint32(0x3F330000)
    part, exponent = above >> np.uint32(19) & np.uint32(15), above.view(np.int32) >> 23
    rest = (whole - (above & np.uint32(0xFF800000))).view(np.float32).astype(np.float64)
    r = rest * _INVERSES[part] - 1.0
    first = _LOGARITHMS[part] + exponent * math.log(2.0)
    return ((a * (r * r) + (b * r + c)) * (r * r) + (first + r)).astype(np.float32)


def _sine_and_cosine(angle):
    """glibc's sinf and cosf of float32 from [0, 2 pi)."""
    x = angle.astype(np.float64)
    quarter = np.where(angle < np.float32(math.pi / 4), 0.0, np.floor(x * (2.0 / math.pi) + 0.5))
    x = x - quarter * (math.pi / 2)
    square, cube, fourth = x * x, x * (x * x), (x * x) * (x * x)
    a, b, c = _OF_SINE
    sine = x + cube * a + cube * square * (b + square * c)
    a, b, c, d = _OF_COSINE
    cosine = 1.0 + square * a + fourth * b + fourth * square * (c + square * d)
    # A quarter of a turn further the sine is what the cosine was, and the cosine less what the sine was.
    turned = np.stack([sine, cosine, -sine, -cosine]).astype(np.float32)
    place = quarter.astype(np.int64)[np.newaxis]
    return tuple(np.take_along_axis(turned, (place + further) % 4, axis=0)[0] for further in (0, 1))


def normal(seeds: np.ndarray, count: int) -> np.ndarray:
    """float32 numbers from N(0, 1), (rows, count)."""
    even, odd = np.moveaxis(uniform(seeds, count + count % 2).reshape(len(seeds), -1, 2), -1, 0)
    length = np.sqrt(np.float32(-2) * _logarithm(np.maximum(even, np.float32(1e-7))))
    sine, cosine = _sine_and_cosine((2.0 * math.pi * odd.astype(np.float64)).astype(np.float32))
    return np.stack([length * sine, length * cosine], axis=-1).reshape(len(seeds), -1)[:, :count]


def fold_in(seeds: np.ndarray, number: int) -> np.ndarray:
    """New pairs of seeds (rows, 2) of pairs and a number."""
    low, high = bits(seeds, 2).astype(np.uint64).T
    return np.stack([(high << _TURN | low).view(np.int64), np.full(len(low), number, np.int64)], axis=-1)


def latents(seeds: Sequence[int] | np.ndarray, latent_dim: int, prior: str = "normal") -> np.ndarray:
    """One latent for each int64 seed, float32 (seeds, latent_dim); a row depends on its own seed only.

    Args:
        seeds: whole numbers from -2**63 to 2**63 - 1.
        latent_dim: size of a latent.
        prior: "normal", "uniform" for [-1, 1), "gaussian_mixture", "swiss_roll" or "categorical_K".
    """
    numbers = np.asarray(seeds, np.int64)
    pairs = np.stack([numbers, np.zeros_like(numbers)], axis=-1)
    if prior == "normal":
        return normal(pairs, latent_dim)
    if prior == "uniform":
        return np.float32(2) * uniform(pairs, latent_dim) - np.float32(1)
    place, behind = uniform(pairs, 1), fold_in(pairs, 1)
    if match := re.fullmatch(r"categorical_([1-9]\d*)", prior):
        classes = np.eye(int(match[1]), dtype=np.float32)[(np.float32(match[1]) * place[:, 0]).astype(np.int32)]
        return np.concatenate([classes, normal(behind, latent_dim - len(classes[0]))], axis=-1)
    noise = normal(behind, 2)
    if prior == "gaussian_mixture":
        angle = np.float32(2.0 * math.pi / 10) * np.floor(np.float32(10) * place[:, 0])
        radius, offset = np.float32(1.4) + np.float32(0.5) * noise[:, 0], np.float32(0.1) * noise[:, 1]
        sine, cosine = np.sin(angle), np.cos(angle)
        return np.stack([radius * cosine - offset * sine, radius * sine + offset * cosine], axis=-1)
    if prior == "swiss_roll":
        along = np.sqrt(place)
        angle = np.float32(4.0 * math.pi) * along
        spiral = np.concatenate([np.cos(angle), np.sin(angle)], axis=-1)
        return np.float32(3) * along * spiral + np.float32(0.1) * noise
    raise ValueError(f"Unknown prior {prior!r}. Known: normal, uniform, gaussian_mixture, swiss_roll, categorical_K.")


def labels_of_seeds(seeds: Sequence[int] | np.ndarray, class_prior: Sequence[float]) -> np.ndarray:
    """The class that a conditional model draws for each seed where none is asked for, int64 (seeds,).

    Args:
        seeds: as for `latents`.
        class_prior: probabilities of the classes, "class_prior" of report.json.
    """
    numbers = np.asarray(seeds, np.int64).astype(np.uint64)
    spread = (numbers * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(11)) / 2.0**53
    return np.searchsorted(np.cumsum(class_prior)[:-1], spread, side="right").astype(np.int64)
