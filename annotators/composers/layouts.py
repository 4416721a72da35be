"""Pictures of two coloured shapes whose places satisfy a relation with margin, and their reflections in which it is turned round.

VSRE asks for controlled positions with exactly one of each thing (`peijin360/vsre`). Here the picture is drawn, so no generator
and no detector stand between layout and truth: places are drawn until the boxes of the drawn shapes pass SCOP's constraints and
stand to each other in exactly one direction. Both pictures of a group show the same shapes before the same ground; the second
has their places reflected, left for right or top for bottom. Truth: tracks, boxes with masks, and `aspects` with the group.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.composing import ComposeError, Draft, Material, MediaComposer
from ...schemas.box import Box
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.masks import encode_mask
from ...schemas.relations import INVERSE, Relation, directions
from ...schemas.scop import ScopRule, refused
from ..compose.drawing import COLOURS, SHAPES, mask_box, paste, shape_mask, shape_sprite, texture

RELATIONS: tuple[Relation, ...] = ("left of", "above", "right of", "below")
STILL_S = 0.2
"""Span of the tracks of a picture, which has no length of its own."""
_TRIES = 4000
_GROUNDS = (((70, 90, 110), (150, 170, 180)), ((96, 110, 84), (170, 178, 150)), ((120, 104, 92), (190, 176, 160)))


class Params(BaseParams):
    """Parameters of layouts."""

    groups: int = Field(25, ge=1, description="Groups of two pictures.")
    width: int = Field(320, ge=64, description="Width, px.")
    height: int = Field(320, ge=64, description="Height, px.")
    side: tuple[float, float] = Field(
        (0.38, 0.5), description="Least and greatest side of a shape, in shorter sides of the picture."
    )
    rule: ScopRule = Field(default_factory=ScopRule, description="Constraints that the drawn boxes pass.")


class Layouts(MediaComposer[Params]):
    """Makes pictures; needs no material."""

    name: ClassVar[str] = "layouts"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    needs_material: ClassVar[bool] = False

    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """Two drafts per group; the four directions take turns. Raises `ComposeError` where no layout fits."""
        for number in range(self.params.groups):
            yield from self._group(number, seed)

    def _group(self, number: int, seed: int) -> Iterable[Draft]:
        relation = RELATIONS[number % len(RELATIONS)]
        things = _things(number, seed)
        for attempt in range(_TRIES):
            places = self._places(relation, number, seed, attempt)
            if not _beside(places, relation):
                continue
            turned = [self._reflected(p, relation) for p in places]
            drawn = [self._boxes(things, p) for p in (places, turned)]
            if all(drawn) and self._fits(drawn[0], relation) and self._fits(drawn[1], INVERSE[relation]):
                break
        else:
            raise ComposeError(
                f"compose layouts: no layout of {relation} in {_TRIES} tries; make the picture larger, or `side` smaller"
            )
        group = derive_id("layout", self.version, self.params.model_dump(mode="json"), number, seed)
        for where, held in ((places, relation), (turned, INVERSE[relation])):
            yield self._draft(group, number, seed, things, where, held)

    def _places(self, relation: Relation, number: int, seed: int, attempt: int) -> list[tuple[int, int, int]]:
        """(left, top, side) of both shapes, px."""
        p = self.params

        def drawn(name: str) -> float:
            return seeded_fraction("layouts", seed, number, attempt, name)

        sides = [
            round((p.side[0] + drawn(f"side{i}") * (p.side[1] - p.side[0])) * min(p.width, p.height)) for i in (0, 1)
        ]
        return [
            (
                int(drawn(f"x{i}") * max(1, p.width - s)),
                int(drawn(f"y{i}") * max(1, p.height - s)),
                s,
            )
            for i, s in enumerate(sides)
        ]

    def _reflected(self, place: tuple[int, int, int], relation: Relation) -> tuple[int, int, int]:
        left, top, side = place
        if relation in ("left of", "right of"):
            return self.params.width - left - side, top, side
        return left, self.params.height - top - side, side

    def _boxes(self, things: Sequence[tuple[str, str]], places: Sequence[tuple[int, int, int]]) -> list[Box]:
        found = []
        for (_, shape), (left, top, side) in zip(things, places, strict=True):
            x1, y1, x2, y2 = mask_box(shape_mask(shape, side))
            box = Box.from_pixels(left + x1, top + y1, left + x2, top + y2, self.params.width, self.params.height)
            found += [box] if box is not None else []
        return found

    def _fits(self, boxes: Sequence[Box], relation: Relation) -> bool:
        a, b = boxes
        p = self.params
        passes = not refused(a, b, ("a", "b"), p.rule, p.width, p.height)
        return passes and a.intersection(b) is None and directions(a, b) == (relation,)

    def _draft(
        self,
        group: str,
        number: int,
        seed: int,
        things: Sequence[tuple[str, str]],
        places: Sequence[tuple[int, int, int]],
        relation: Relation,
    ) -> Draft:
        p = self.params
        digest = derive_id(self.name, self.version, group, relation)
        tracks: list[dict[str, Any]] = []
        boxes: list[dict[str, Any]] = []
        for (colour, shape), (left, top, side), box in zip(things, places, self._boxes(things, places), strict=True):
            track_id = derive_id("track", digest, colour, shape)
            mask = np.zeros((p.height, p.width), bool)
            mask[top : top + side, left : left + side] = shape_mask(shape, side) > 0.5
            tracks.append(
                {
                    "track_id": track_id, "start_s": 0.0, "end_s": STILL_S, "label": shape, "phrase": f"{colour} {shape}",
                    "attributes_json": json.dumps({"colour": colour}), "score": 1.0,
                }
            )  # fmt: skip
            edges = dict(zip(("x1", "y1", "x2", "y2"), box.edges, strict=True))
            boxes.append(
                {
                    "track_id": track_id, "t_s": 0.0, **edges, "mask": encode_mask(mask), "visibility": 1.0,
                    "area": round(float(mask.mean()), 6), "truncated": 0,
                }
            )  # fmt: skip
        names = [f"{colour} {shape}" for colour, shape in things]
        aspect = {
            "aspect": "relation", "kind": "layout", "subject": names[0], "value": relation, "wrong": [INVERSE[relation]],
            "pair_id": group, "start_s": 0.0, "end_s": STILL_S, "attributes_json": json.dumps({"object": names[1]}),
        }  # fmt: skip
        return Draft(
            digest=digest,
            suffix=".png",
            write=partial(_write, p.width, p.height, number, seed, tuple(things), tuple(places)),
            duration_s=0.0,
            rows={"tracks": tracks, "boxes": boxes, "aspects": [aspect]},
            parameters={"group": group, "relation": relation, "things": names},
        )


def _beside(places: Sequence[tuple[int, int, int]], relation: Relation) -> bool:
    """Whether the squares around the shapes hardly overlap along the axis, the right one first: the rest need not be drawn."""
    axis = 0 if relation in ("left of", "right of") else 1
    first, second = places if relation in ("left of", "above") else places[::-1]
    return first[axis] + 0.8 * first[2] <= second[axis] + 0.2 * second[2]


def _things(number: int, seed: int) -> list[tuple[str, str]]:
    """Two things of different colours and shapes."""

    def ordered(what: str, of: Iterable[str]) -> list[str]:
        return sorted(of, key=lambda v: (seeded_fraction("layouts", seed, number, what, v), v))

    return list(zip(ordered("colour", COLOURS)[:2], ordered("shape", SHAPES)[:2], strict=True))


def _write(
    width: int,
    height: int,
    number: int,
    seed: int,
    things: Sequence[tuple[str, str]],
    places: Sequence[tuple[int, int, int]],
    path: Path,
) -> None:
    """Draw and write the picture."""
    from PIL import Image

    ground = _GROUNDS[int(seeded_fraction("layouts", seed, number, "ground") * len(_GROUNDS))]
    picture = texture(height, width, int(seeded_fraction("layouts", seed, number, "noise") * 2**31), list(ground))
    for (colour, shape), (left, top, side) in zip(things, places, strict=True):
        paste(picture, shape_sprite(shape, COLOURS[colour], side, relief=0.15), left, top)
    Image.fromarray(picture).save(path, format="PNG", compress_level=6)


COMPOSER = Layouts
