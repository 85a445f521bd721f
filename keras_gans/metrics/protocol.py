"""What a figure was measured on and how, kept with it, so that figures of two protocols are never compared silently.

How much a protocol moves a figure: Parmar et al., "On Aliased Resizing and Surprising Subtleties in GAN Evaluation"
(2022); Chong and Forsyth, "Effectively Unbiased FID and Inception Score and Where to Find Them" (2020).
"""

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np

from keras_gans.errors import UserError

# Raised when a measure's computation changes, so that old figures are not compared with new ones.
VERSION = 1
_PACKAGES = ("keras_gans", "tensorflow", "keras", "numpy", "scipy")
_NUMBERS = ("value", "standard_error", "floor")


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Everything that a figure depends on besides the generator.

    Attributes:
        data: name of the data set.
        split: the part of it that samples were compared with.
        data_identity: first 16 hexadecimal digits of the SHA-256 of the items compared with.
        reference_samples: how many items of the data the figure was computed from.
        samples: how many generated samples it was computed from.
        resize: how images were fitted to the extractor, or "none".
        extractor: its name, or None where samples were compared as they are.
        extractor_identity: its hash, or None.
        seed: of the samples and of whatever the measure draws.
        settings: the measure's own, a tuple of (name, value); of one that compares with training items too, theirs:
            `training_identity` and `training_samples`.
        version: of the measures' code.
        packages: (name, version) of what computed it; for information, as a new version is no new protocol.
    """

    data: str
    split: str
    data_identity: str
    reference_samples: int
    samples: int
    resize: str
    extractor: str | None
    extractor_identity: str | None
    seed: int
    settings: tuple = ()
    version: int = VERSION
    packages: tuple = dataclasses.field(default=(), compare=False)

    def differences(self, other: Any) -> list[str]:
        """Lines "field: this one's -> the other's" for whatever makes two protocols two."""
        fields = [field.name for field in dataclasses.fields(self) if field.compare]
        pairs = [(name, getattr(self, name), getattr(other, name)) for name in fields]
        return [f"{name}: {mine!r} -> {theirs!r}" for name, mine, theirs in pairs if mine != theirs]

    def to_dict(self) -> dict[str, Any]:
        """The protocol as JSON takes it."""
        described = dataclasses.asdict(self)
        return {**described, "settings": dict(self.settings), "packages": dict(self.packages)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Protocol":
        """The protocol that `to_dict` described."""
        pairs = {name: tuple(fields.get(name, {}).items()) for name in ("settings", "packages")}
        return cls(**{**fields, **pairs})


@dataclasses.dataclass(frozen=True)
class Score:
    """One figure, with what it was measured by.

    Attributes:
        name: what was measured, such as "frechet_distance".
        value: the figure.
        standard_error: over other draws of the samples, or None where it is not known.
        floor: the same figure with training data in the samples' place, or held-out data where the distance is to the
            training data: what no generator should be expected to pass.
        floor_samples: how many items that was computed from; fewer than `samples` where there are no more.
        higher_is_better: which way is better.
        protocol: a `Protocol`.
    """

    name: str
    value: float
    standard_error: float | None
    floor: float
    floor_samples: int
    higher_is_better: bool
    protocol: Protocol

    def require_comparable(self, other: Any) -> None:
        """Raises `UserError`, naming what differs, unless both are the same figure under the same protocol."""
        if self.name != other.name:
            raise UserError(f"Two different figures cannot be compared: {self.name!r} and {other.name!r}.")
        differing = self.protocol.differences(other.protocol)
        if differing:
            raise UserError(
                f"Two values of {self.name} were measured by different protocols, so comparing them says nothing. What "
                "differs:\n  " + "\n  ".join(differing) + "\nMeasure one of them again as the other was."
            )

    def better_than(self, other: Any) -> bool:
        """Whether this value is strictly better; a value that is not a number is never better.

        Raises:
            UserError: another figure or another protocol.
        """
        self.require_comparable(other)
        if math.isnan(self.value) or math.isnan(other.value):
            return math.isnan(other.value) and not math.isnan(self.value)
        return self.value > other.value if self.higher_is_better else self.value < other.value

    def to_dict(self) -> dict[str, Any]:
        """The score as JSON takes it, infinite and undefined numbers as "inf" and "nan"; `from_dict` reads it again."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        numbers = {name: json_number(fields[name]) for name in _NUMBERS}
        return {**fields, **numbers, "protocol": self.protocol.to_dict()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Score":
        """The score that `to_dict` described."""
        numbers = {name: None if fields[name] is None else float(fields[name]) for name in _NUMBERS}
        return cls(**{**fields, **numbers, "protocol": Protocol.from_dict(fields["protocol"])})


def json_number(value: Any) -> float | str | None:
    """A float as JSON takes it: infinities and NaN, which JSON has not, as text; None stays None."""
    return value if value is None or math.isfinite(value) else str(value)


def identity_of(items: np.ndarray) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of an array, its type and shape included."""
    digest = hashlib.sha256(f"{items.dtype} {items.shape}".encode())
    digest.update(np.ascontiguousarray(items))
    return digest.hexdigest()[:16]


def packages() -> tuple[tuple[str, str], ...]:
    """(name, version) of what computes figures."""
    return tuple((name, metadata.version(name)) for name in _PACKAGES)
