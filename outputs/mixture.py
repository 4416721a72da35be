"""What a package should be made of: quotas by columns of `sample_view`, a cap on made footage, samples per medium.

This module reads what a recipe asks for and turns it into plain `Quota` values; `mixture_draw.py` applies them to the
samples of a split and `mixture_solver.py` finds out how many to take of what. A quota's name may be any column of
`sample_view`, or an SQL expression over it; its parts are values of that column, or ranges of numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

REST = "*"
NONE = "none"
"""How a quota names NULL and an empty list."""
_NUMBER = r"-?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"^\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*$")
_BOUND = re.compile(rf"^\s*(<=|>=|<|>)\s*({_NUMBER})\s*$")
_EXACT_SLACK = 1 - 1e-4
"""How far a count may be from its exact share: less than one (rounding up or down) by more than the solver's tolerance."""


@dataclass(frozen=True)
class Share:
    """A part's share of the package: at least `low`, at most `high`; exact ones are met up to rounding."""

    low: float
    high: float

    @property
    def exact(self) -> bool:
        return self.low == self.high

    @property
    def slack(self) -> float:
        """By how much a count may miss its bounds."""
        return _EXACT_SLACK if self.exact else 0.0

    def least(self, size: int) -> int:
        """The smallest count that a package of `size` samples allows."""
        return max(0, math.ceil(self.low * size - self.slack - 1e-9))

    def most(self, size: int) -> int:
        """The largest one."""
        return min(size, math.floor(self.high * size + self.slack + 1e-9))

    def __str__(self) -> str:
        if self.exact:
            return f"{self.low:g}"
        if self.high >= 1:
            return f">={self.low:g}"
        return f"<={self.high:g}" if self.low <= 0 else f"{self.low:g}..{self.high:g}"


def share_of(given: float | str) -> Share:
    """`0.3`, `">=0.2"`, `"<=0.5"` or `"0.2..0.4"` as a share. Raises ValueError for anything else, or outside 0..1."""
    text = str(given)
    if isinstance(given, str) and (found := _RANGE.match(text)):
        share = Share(float(found[1]), float(found[2]))
    elif isinstance(given, str) and (found := _BOUND.match(text)) and "=" in found[1]:
        share = Share(float(found[2]), 1.0) if found[1] == ">=" else Share(0.0, float(found[2]))
    else:
        try:
            share = Share(float(given), float(given))
        except ValueError:
            raise ValueError(f"{text!r} is no share: write 0.3, '>=0.2', '<=0.5' or '0.2..0.4'") from None
    if not 0 <= share.low <= share.high <= 1:
        raise ValueError(f"{text!r} is no share: shares lie between 0 and 1, the smaller one first")
    return share


@dataclass(frozen=True)
class Quota:
    """Shares of the parts of one column."""

    column: str
    parts: tuple[tuple[str, Share], ...]

    def belongs(self, value: Any) -> tuple[bool, ...]:
        """Which parts a sample with this value belongs to: of a list any that it holds, `*` when no other one."""
        inside = [name != REST and _is(name, value) for name, _ in self.parts]
        return tuple(
            not any(inside) if name == REST else hit for (name, _), hit in zip(self.parts, inside, strict=True)
        )


def _is(name: str, value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_is(name, item) for item in value) or (not value and name == NONE)
    if value is None:
        return name == NONE
    if isinstance(value, bool):
        return name == str(value).lower()
    if isinstance(value, int | float) or type(value).__name__ == "Decimal":
        return _in_range(name, float(value))
    return name == str(value)


def _in_range(name: str, value: float) -> bool:
    """`0.2..0.4` holds its lower end and not its upper one, so that neighbours do not overlap."""
    if found := _RANGE.match(name):
        return float(found[1]) <= value < float(found[2])
    if found := _BOUND.match(name):
        bound = float(found[2])
        return {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[found[1]]
    try:
        return float(name) == value
    except ValueError:
        return False


class Mixture(BaseModel):
    """What a package should be made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int | None = Field(None, ge=1, description="Samples of each mixed split; as many as possible when not given.")
    quotas: Mapping[str, Mapping[str, float | str]] = Field(
        default_factory=dict,
        description="Column of `sample_view` (or an SQL expression over it): its values or ranges of numbers, each with a share: 0.3 (met up to "
        "rounding), '>=0.2', '<=0.5' or '0.2..0.4'. '*' is everything not named, 'none' is NULL; what is not named at all is free.",
    )
    composed_share_max: float = Field(
        0.2, ge=0, le=1, description="Largest share of samples on composed, rendered and edited footage."
    )
    per_medium_max: int | None = Field(
        None, ge=1, description="Samples of one medium at most; twins count to the medium that they were made from."
    )
    near_duplicate_questions: Literal["drop", "keep"] = Field(
        "drop",
        description="Whether a question in the same words about overlapping windows of one medium is asked once only.",
    )
    same_question_max: int | None = Field(
        None, ge=1, description="How often a question in the same words may be asked in the whole split."
    )
    where: str | None = Field(None, description="SQL condition over `sample_view` that every sample must meet.")
    pairs: Literal["together", "free"] = Field(
        "together", description="Whether samples that share a `pair_id` are taken all or none."
    )
    splits: tuple[str, ...] = Field(("train",), min_length=1, description="Splits that are mixed; others stay whole.")
    short: Literal["error", "shrink"] = Field(
        "error", description="When `size` cannot be reached: say what is short, or write the largest package there is."
    )
    seed: int = Field(0, description="Decides which samples of a kind are taken.")

    @field_validator("quotas", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            raise ValueError("quotas are written column: {value: share, ...}")
        named: dict[str, Any] = {}
        for column, parts in given.items():
            if not isinstance(parts, Mapping) or not parts:
                raise ValueError(f"the quota of {column} is written {column}: {{value: share, ...}}")
            named[str(column)] = {_key(name): share for name, share in parts.items()}
        return named

    @field_validator("quotas")
    @classmethod
    def _possible(cls, given: Mapping[str, Mapping[str, float | str]]) -> Mapping[str, Mapping[str, float | str]]:
        for column, parts in given.items():
            try:
                shares = {name: share_of(share) for name, share in parts.items()}
            except ValueError as error:
                raise ValueError(f"quota of {column}: {error}") from None
            if REST in shares and sum(s.high for s in shares.values()) < 1 - 1e-9:
                raise ValueError(
                    f"quota of {column}: with '*' the shares cover everything, but they sum to less than 1"
                )
        return given

    def parsed(self) -> tuple[Quota, ...]:
        """The quotas, in the order of their names."""
        return tuple(
            Quota(column, tuple((name, share_of(share)) for name, share in sorted(parts.items())))
            for column, parts in sorted(self.quotas.items())
        )


def _key(name: Any) -> str:
    if name is None:
        return NONE
    return str(name).lower() if isinstance(name, bool) else str(name)
