"""What a decode pass hands out while it runs: rows, pictures, and how each consumer ended."""

from __future__ import annotations

from dataclasses import dataclass

from ..annotator import Picture, Row


@dataclass(frozen=True)
class RowsOut:
    """Rows of one producer, in the order in which it yielded them."""

    producer: str
    rows: list[Row]


@dataclass(frozen=True)
class PictureOut:
    """A picture of a frame set; it comes when its successor, and so its `until_s`, is known."""

    frame_set_name: str
    picture: Picture


@dataclass(frozen=True)
class Finished:
    """A producer (or a frame set, by its name) is done: with an error, skipped by a rule, or well (both
    None).

    `seconds` is the time spent in it; a product shared by several counts for the first one that asked.
    """

    producer: str
    error: BaseException | None
    skipped: str | None
    seconds: float


@dataclass(frozen=True)
class PassDone:
    """The last event of every pass: seconds of footage (or sound) decoded, and presented frames (or sound
    packets).
    """

    decoded_s: float
    frames: int
    damaged: int = 0
    """Packets that did not decode; more than one in a hundred fails the pass instead."""


PassEvent = RowsOut | PictureOut | Finished | PassDone
