"""The kinds of wrong options (`distractor_kind`) and what the margin of each one measures.

A margin says how far a wrong option is from the truth, in a unit of its kind: small margins are hard. Margins of
different kinds cannot be compared; those of one kind can, which is what selecting by difficulty needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

NEAR_IN_TIME = "near in time"
ELSEWHERE = "elsewhere"
OTHER_ATTRIBUTE = "other attribute"
EMBEDDING_NEIGHBOUR = "embedding neighbour"
ONE_EDIT = "one edit"
SHIFTED_SPAN = "shifted span"
MIRRORED = "mirrored"
REVERSED = "reversed"
OPPOSITE = "opposite"
OTHER_AXIS = "other axis"
OTHER_MOTION = "other motion"
STILL_FOR_MOVING = "still instead of moving"
MOVING_FOR_STILL = "moving instead of still"
OTHER_LABEL = "other label"
OTHER_SHAPE = "other shape"
OTHER_ORDER = "other order"
OTHER_VALUE = "other value"
OTHER_NUMBER = "other number"
OTHER_OBJECT = "other object"
OTHER_DIRECTION = "other direction"

MARGINS: dict[str, tuple[str, str]] = {
    NEAR_IN_TIME: ("seconds", "time between the asked moment and the one at which the option is true"),
    ELSEWHERE: ("seconds", "the same, for something of this footage outside what is shown"),
    OTHER_ATTRIBUTE: ("letters", "letters to change: the same text with another colour, side, size ..."),
    EMBEDDING_NEIGHBOUR: ("1 - cosine", "distance of the two pictures' embeddings"),
    ONE_EDIT: ("letters", "letters to change in a text that is said or shown: one word replaced or dropped"),
    SHIFTED_SPAN: ("1 - tIoU", "the share of the union that the true span and this one do not share"),
    MIRRORED: ("frame widths", "how far mirroring moves what proves it; 1 for writing, which nobody overlooks"),
    REVERSED: ("bits", "perceptual-hash distance to what the footage played backwards shows at the asked moment"),
    OPPOSITE: ("1 - score", "1 - how much speaks for this label against the right one (0: as much, 2: the contrary)"),
    OTHER_AXIS: ("1 - score", "the same: a direction across the right one"),
    OTHER_MOTION: ("1 - score", "the same: another kind of camera motion"),
    STILL_FOR_MOVING: ("1 - score", "the same: nothing moves, though something does"),
    MOVING_FOR_STILL: ("1 - score", "the same: something moves, though nothing does"),
    OTHER_SHAPE: ("1 - IoU", "how much of the union of the two outlines they do not share, drawn in one place"),
    OTHER_LABEL: ("relative lead", "lead of the right label over all others, as a share of its count"),
    OTHER_ORDER: ("pairs", "pairs of events that the list has in the wrong relative order"),
    OTHER_VALUE: ("1 - common words", "share of words that it does not have in common with what is true"),
    OTHER_NUMBER: ("relative error", "distance to the right number, as a share of it"),
    OTHER_OBJECT: ("metres", "how much farther (or less far) than the right one this object is, in units of the scene"),
    OTHER_DIRECTION: ("degrees", "how far the true direction is from the nearest one that the option stands for"),
}
"""Kind -> (unit of its margin, what it measures). `opposite` to `other label` are kinds of "other attribute"."""


@dataclass(frozen=True)
class Distractor(Generic[T]):
    """A proposed wrong option: what it is, of which kind, and how far from the truth in the unit of its kind."""

    value: T
    kind: str
    margin: float

    def __post_init__(self) -> None:
        if self.kind not in MARGINS:
            raise ValueError(f"unknown kind of distractor {self.kind!r}; known are {', '.join(MARGINS)}")
        if not self.margin >= 0:
            raise ValueError(f"margin {self.margin} of a distractor {self.kind!r}; margins are 0 or more")


def first_that(proposals: list[Distractor[T]], problem: Callable[[Distractor[T]], str]) -> Distractor[T] | None:
    """The first proposal that no test finds fault with; None when all fail."""
    return next((p for p in proposals if not problem(p)), None)
