"""Long films out of footage that is there: media laid end to end, as an edit graph, until they are long enough.

What composers that hide things share. Media come in an order that a seed gives, and all of them before any comes again. Held
frames instead of footage that plays give hours at little cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from ...engine.composing import Material
from ...engine.composing_graph import source_of
from ...schemas.edit_graph import Graph
from ...schemas.edit_operations import join, letterbox, take
from ...schemas.edit_pieces import Piece, Source, exact
from ...schemas.ids import seeded_fraction


def long_graph(
    material: Sequence[Material],
    least_s: float,
    fps: Fraction,
    size: tuple[int, int],
    *seed: Any,
    hold_s: float | None = None,
) -> Graph:
    """Media in an order that the seed gives, again and again until the film is at least `least_s` long.

    `hold_s`: instead of playing, each shows one of its frames for so long: hours of haystack for little work, and silent.
    """
    parts: list[Graph] = []
    length, turn = 0.0, 0
    while length < least_s or not parts:
        ordered = sorted(material, key=lambda m: seeded_fraction("haystack", *seed, turn, m.media_id))
        for m in ordered:
            source = source_of(m)
            if hold_s is None:
                parts.append(take(source, fps, size))
            else:
                at = float(source.duration) * (0.05 + 0.9 * seeded_fraction("held", *seed, turn, m.media_id))
                parts.append(held(source, at, hold_s, fps, size))
            length += parts[-1].duration_s
            if length >= least_s:
                break
        turn += 1
    return parts[0] if len(parts) == 1 else join(parts)


def held(source: Source, at_s: float, hold_s: float, fps: Fraction, size: tuple[int, int]) -> Graph:
    """The frame of a source that stands at `at_s`, and nothing else, for `hold_s` seconds."""
    start = Fraction(int(exact(at_s) * source.fps + Fraction(1, 100))) / source.fps
    piece = Piece(source, max(1, round(exact(hold_s) * fps)), start, Fraction(0), letterbox(source, *size))
    return Graph(fps, *size, ((replace(piece, operations=("freeze",)),),))
