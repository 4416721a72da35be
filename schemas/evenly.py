"""Some of many, evenly spread and always the same ones: pictures of a walk, frames of a scan, views of a track."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def evenly(of: Sequence[T], most: int | None) -> list[T]:
    """At most `most` (1 or more) of them, evenly spread, the first and the last among them; of one, the middle. None: all."""
    if most is None or len(of) <= most:
        return list(of)
    if most == 1:
        return [of[len(of) // 2]]
    return [of[round(k * (len(of) - 1) / (most - 1))] for k in range(most)]
