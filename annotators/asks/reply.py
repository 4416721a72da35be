"""What an answer about a space can be: a number with its unit, a choice, or an order. Texts are plain words, not markup."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """A number; `value` is rounded to `decimals` already (`schemas.geometry.numbers.round_half_up`)."""

    value: float
    unit: str
    decimals: int = 0

    @property
    def text(self) -> str:
        """As it is said, without its unit."""
        return f"{self.value:.{self.decimals}f}"


@dataclass(frozen=True)
class Wrong:
    """A wrong option: of which kind (`engine.distractors.vocabulary`), and how far from being right."""

    text: str
    kind: str
    margin: float | None = None


@dataclass(frozen=True)
class Pick:
    """The right option and wrong ones."""

    right: str
    wrong: tuple[Wrong, ...]


@dataclass(frozen=True)
class Ranking:
    """Things to put in order, here in the right one."""

    items: tuple[str, ...]


Reply = Number | Pick | Ranking
