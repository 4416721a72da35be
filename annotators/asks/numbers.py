"""A number as the right one of several, so that the list of numbers alone says nothing.

With wrong numbers drawn evenly around it, as the sources do (`schemas.geometry.numbers.mc_numeric`), the right one mostly stands
in the middle of the list. Here it takes every rank equally often: first is drawn how many are less, then those and the rest.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ...engine.distractors.vocabulary import OTHER_NUMBER
from ...schemas.geometry.numbers import apart, least_gap, number_text, round_half_up
from ...schemas.ids import seeded_fraction
from ..tasks.common import Withheld
from .reply import Number, Pick, Wrong


class ChoiceRule(BaseModel):
    """How a number becomes a choice; ranges and margin are VSI-Bench's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    options: int = Field(4, ge=2, le=6, description="Numbers to choose from.")
    low: float = Field(0.25, gt=0, lt=1, description="Least wrong number, as a share of the right one.")
    high: float = Field(1.75, gt=1, description="Greatest wrong number, as a share of the right one.")
    margin: float = Field(0.2, gt=0, lt=1, description="Least gap of any two numbers, as a share of the right one.")
    tries: int = Field(30, ge=1, description="Draws before the question is given up.")


def numeric_choice(number: Number, rule: ChoiceRule, *seed: Any) -> Pick:
    """The number beside wrong ones; how many are less than it is drawn evenly. Raises `Withheld` where they do not fit."""
    if number.value <= 0:
        raise Withheld("no wrong numbers around zero")
    below = int(seeded_fraction(*seed, "rank") * rule.options)
    for attempt in range(rule.tries):
        found = _drawn(number, below, rule, *seed, attempt)
        if found is not None:
            wrong = [
                Wrong(number_text(v, number.decimals), OTHER_NUMBER, round(abs(v - number.value) / number.value, 6))
                for v in found
            ]
            return Pick(number.text, tuple(wrong))
    raise Withheld("no room for wrong numbers")


def _drawn(number: Number, below: int, rule: ChoiceRule, *seed: Any) -> list[float] | None:
    """Wrong numbers, `below` of them less than the right one; None where two are too near."""
    gap = least_gap(number.value, rule.margin, number.decimals) - 1e-9
    kept: list[float] = []
    for k in range(rule.options - 1):
        start, end = (rule.low, 1.0) if k < below else (1.0, rule.high)
        for attempt in range(rule.tries):
            share = start + (end - start) * seeded_fraction(*seed, k, attempt)
            drawn = round_half_up(number.value * share, number.decimals)
            if drawn > 0 and apart([*kept, number.value, drawn]) >= gap:
                kept.append(drawn)
                break
        else:
            return None
    return kept
