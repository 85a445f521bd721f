"""Latents from seeds, as the exported model's `sample` draws them: NumPy alone, no TensorFlow.

    from latents import latents
    z = latents([7, 8, 9], 100)                   # float32 (3, 100) from N(0, I)
    z = latents([7], 12, prior="categorical_10")  # see "latents" in report.json for the prior and the size

The bits are Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011), and are TensorFlow's,
as are latents of the prior "uniform". Normal numbers are made of them by Box and Muller's logarithm, sine and cosine,
which no two mathematical libraries round alike: they differ from the server's by a few units in the last place.
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


def normal(seeds: np.ndarray, count: int) -> np.ndarray:
    """float32 numbers from N(0, 1), (rows, count)."""
    even, odd = np.moveaxis(uniform(seeds, count + count % 2).reshape(len(seeds), -1, 2), -1, 0)
    length = np.sqrt(np.float32(-2) * np.log(np.maximum(even, np.float32(1e-7)).astype(np.float64)).astype(np.float32))
    angle = (2.0 * math.pi * odd.astype(np.float64)).astype(np.float32).astype(np.float64)
    pairs = length * np.sin(angle).astype(np.float32), length * np.cos(angle).astype(np.float32)
    return np.stack(pairs, axis=-1).reshape(len(seeds), -1)[:, :count]


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
