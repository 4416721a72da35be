"""Where a composed film's own script has a thing at a time: what tests about boxes compare with."""

from __future__ import annotations

from itertools import pairwise

from chronotope.annotators.compose.truth import FilmTruth
from chronotope.schemas.box import Box


def place_in(film: FilmTruth, name: str, t_s: float) -> Box | None:
    """The box of the thing of that name (colour and shape); linear between the boxes that the script lists."""
    for thing in film.objects:
        if f"{thing.colour} {thing.shape}" != name or not thing.start_s <= t_s < thing.end_s + 1e-6:
            continue
        for a, b in pairwise(thing.boxes):
            if a.t_s - 1e-6 <= t_s <= b.t_s + 1e-6:
                share = (t_s - a.t_s) / (b.t_s - a.t_s)
                return Box(*(p + share * (q - p) for p, q in zip(a.box, b.box, strict=True)))
    return None
