"""The canonical scene in a world of rows: walked around by a ring of cameras, so that all of it is clearly seen."""

from __future__ import annotations

import math
from typing import Any

from chronotope.annotators.asks.view import SeenRule, View
from chronotope.schemas.span import Span
from s0 import Rows, Stand, s0_rows, space_from

SHARP = SeenRule(area=0.0002, visibility=0.05, cut=4)
"""The clock is 10 cm wide: sharp eyes see it."""
SECONDS = 12.0


def ring(count: int = 12) -> tuple[Stand, ...]:
    """Cameras on an ellipse around the middle of the room, looking inwards, one a second."""
    turns = [2 * math.pi * k / count for k in range(count)]
    return tuple(
        Stand(float(k), (2.5 + 1.9 * math.cos(a), 2.0 + 1.5 * math.sin(a), 1.5), (-math.cos(a), -math.sin(a)))
        for k, a in enumerate(turns)
    )


def around(**scene: Any) -> Rows:
    """Rows of the scene as the ring sees it; further arguments are columns of `scenes`."""
    return s0_rows(stands=ring(), **scene)


def view_of_rows(rows: Rows, *stills: float) -> View:
    """All of it, or stills, with sharp eyes."""
    return View(space_from(rows), Span(0, SECONDS), stills, SHARP, SHARP)


def fill(world: Any, rows: Rows) -> Any:
    """Put the rows into a world as medium `s0`, one kept clip; the world."""
    world.medium("s0", SECONDS, width=640, height=480)
    world.clip("s0", 0, SECONDS)
    for table, found in rows.items():
        for row in found:
            world.tables[table][row["row_id"]] = row
    return world
