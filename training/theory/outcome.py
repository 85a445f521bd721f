"""What a check finds: claims with bounds, what to draw, and the result of it all."""

import dataclasses
import math
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Claim:
    """One figure beside the theory's.

    Attributes:
        quantity: what was measured.
        measured: its value; may be infinite.
        expected: the theory's value.
        low, high: the claim holds where low <= measured <= high; where both are finite, `expected` is in their middle.
    """

    quantity: str
    measured: float
    expected: float
    low: float = -math.inf
    high: float = math.inf

    def holds_for(self, value: float) -> bool:
        """Whether a value, such as a median over seeds, lies within the bound. NaN never does."""
        return self.low <= value <= self.high

    @property
    def passed(self) -> bool:
        """Whether the measured value lies within the bound."""
        return self.holds_for(self.measured)

    @property
    def bound(self) -> str:
        """The bound in words."""
        if self.low == self.high:
            return "exact"
        if self.low == -math.inf:
            return f"at most {self.high:g}"
        if self.high == math.inf:
            return f"at least {self.low:g}"
        return f"within {(self.high - self.low) / 2.0:.3g}"

    def to_dict(self) -> dict[str, Any]:
        """The claim for JSON, which knows no infinity: such numbers become text."""
        fields = {**dataclasses.asdict(self), "bound": self.bound, "passed": self.passed}
        return {key: _finite_or_text(value) for key, value in fields.items()}


def within(quantity: str, measured: float, expected: float, tolerance: float) -> Claim:
    """The claim that `measured` is `expected` up to `tolerance`."""
    return Claim(quantity, float(measured), float(expected), float(expected - tolerance), float(expected + tolerance))


def exactly(quantity: str, measured: float, expected: float) -> Claim:
    """The claim that `measured` equals `expected`, which may be infinite."""
    return Claim(quantity, float(measured), float(expected), float(expected), float(expected))


def at_most(quantity: str, measured: float, limit: float, expected: float = 0.0) -> Claim:
    """The claim that `measured` is `limit` or less, where the theory says `expected`."""
    return Claim(quantity, float(measured), float(expected), high=float(limit))


def at_least(quantity: str, measured: float, limit: float, expected: float) -> Claim:
    """The claim that `measured` is `limit` or more, where the theory says `expected`."""
    return Claim(quantity, float(measured), float(expected), low=float(limit))


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """What a check's module returns.

    Attributes:
        claims: tuple of `Claim`.
        panels: list of `keras_gans.drawing.plot.Panel` that show them.
        columns: panels in a row of the picture.
        skipped: tuple of the cases that --quick left out, in words.
    """

    claims: tuple
    panels: list
    columns: int = 1
    skipped: tuple = ()


@dataclasses.dataclass(frozen=True)
class CheckResult:
    """A check that has run.

    Attributes:
        name: of the check.
        statement: what the theory says.
        source: the paper and the place in it.
        seed: of everything random in it.
        claims: tuple of `Claim`.
        figure: path of its picture, PNG.
        skipped: tuple of the cases that --quick left out, in words.
        seconds: it took.
    """

    name: str
    statement: str
    source: str
    seed: int
    claims: tuple
    figure: Path
    skipped: tuple
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every claim holds."""
        return all(claim.passed for claim in self.claims)

    @property
    def measured(self) -> dict[str, float]:
        """{quantity: measured value}."""
        return {claim.quantity: claim.measured for claim in self.claims}

    @property
    def expected(self) -> dict[str, float]:
        """{quantity: the theory's value}."""
        return {claim.quantity: claim.expected for claim in self.claims}

    @property
    def bound(self) -> dict[str, str]:
        """{quantity: the bound in words}."""
        return {claim.quantity: claim.bound for claim in self.claims}

    def to_dict(self) -> dict[str, Any]:
        """The result for JSON; the figure is named relative to the file."""
        return {
            "name": self.name,
            "statement": self.statement,
            "source": self.source,
            "seed": self.seed,
            "passed": self.passed,
            "seconds": round(self.seconds, 2),
            "figure": self.figure.name,
            "skipped": list(self.skipped),
            "claims": [claim.to_dict() for claim in self.claims],
        }


def _finite_or_text(value):
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
