"""Where a composed film's own script has a thing at a time: what tests about boxes compare with."""

from __future__ import annotations

from itertools import pairwise

from chronotope.annotators.compose.truth import FilmTruth, ObjectTruth
from chronotope.schemas.box import Box


def place_in(film: FilmTruth, name: str, t_s: float) -> Box | None:
    """The box of the thing of that name (colour and shape)."""
    found = (place_of(o, t_s) for o in film.objects if f"{o.colour} {o.shape}" == name)
    return next((box for box in found if box is not None), None)


def place_of(thing: ObjectTruth, t_s: float) -> Box | None:
    """The box of one object; linear between the boxes that the script lists."""
    if not thing.start_s <= t_s < thing.end_s + 1e-6:
        return None
    for a, b in pairwise(thing.boxes):
        if a.t_s - 1e-6 <= t_s <= b.t_s + 1e-6:
            share = (t_s - a.t_s) / (b.t_s - a.t_s)
            return Box(*(p + share * (q - p) for p, q in zip(a.box, b.box, strict=True)))
    return None


def thing_at(film: FilmTruth, t_s: float, edges: list[float]) -> ObjectTruth:
    """The object that the script has at these edges."""
    placed = [(o, box) for o in film.objects if (box := place_of(o, t_s)) is not None]
    return min(placed, key=lambda p: max(abs(a - b) for a, b in zip(p[1].edges, edges, strict=True)))[0]
