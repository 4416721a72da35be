"""Routes through a room from thing to thing: which turns lead there?

One starts at a thing, faces another one, and walks straight from thing to thing; before each leg one turns left, right or back.
Things are stood beside, at the free place nearest to them, and every leg must be walkable. The turns that follow from the centres of
the things have to be the same as those of the standing places, so that they do not hang on where exactly one stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, permutations, product

import numpy as np
from numpy.typing import NDArray

from ...engine.distractors.vocabulary import OTHER_ORDER
from ...schemas.chain_building import Trail
from ...schemas.chain_space import PLACE_COLUMNS
from ...schemas.geometry.directions import TURNS, angle_deg
from ...schemas.geometry.walkable import Floor
from ...schemas.space import SpaceObject
from ..tasks.common import Withheld, shuffled
from .ask import About, Pick, Second, Solved, Wrong
from .certainty import sure_direction
from .room_things import RoomKind
from .view import View

Place = NDArray[np.float64]
TURN_WORDS = {"left": "turn left", "right": "turn right", "back": "turn back"}
MOST = 600
"""Routes with that many turns that are listed, at most."""


@dataclass(frozen=True)
class Turns:
    """The turns of a route, and how far the least certain one is from being another."""

    names: tuple[str, ...]
    margin_deg: float


class RoutePlan(RoomKind):
    """The turns of a route, in order."""

    name = "route_plan"
    gravity = True

    def candidates(self, view: View) -> Iterable[About]:
        """Start, what is faced, and the things walked to, along legs that can be walked and turns that are clear."""
        floor = self._floor(view)
        if floor is None:
            return
        things = view.named_still()
        places = {o.object_id: self._stand(floor, view, o) for o in things}
        low, high = (view.least(m) for m in self.rule.leg_m)
        legs: dict[str, list[str]] = {o.object_id: [] for o in things}
        for a, b in permutations(things, 2):
            start, end = places[a.object_id], places[b.object_id]
            if (
                start is not None
                and end is not None
                and low <= np.linalg.norm(end - start) <= high
                and floor.straight(start, end)
            ):
                legs[a.object_id].append(b.object_id)
        centres = {o.object_id: np.asarray(o.box.centre)[:2] for o in things}
        least, most = self.rule.turns
        for count in range(least, most + 1):
            yield from islice(self._routes(count, legs, places, centres), MOST)

    def solve(self, view: View, about: About) -> Solved:
        """The turns at the start and at each thing but the last."""
        start, face, *way = view.asked(about)
        least, most = self.rule.turns
        if not least <= len(way) <= most:
            raise Withheld("too few or too many turns")
        view.require_named(start, face, *way)
        view.require_still(start, face, *way)
        floor = self._floor(view)
        if floor is None:
            raise Withheld("no floor is known")
        stops = [start, *way]
        places = [self._stand(floor, view, o) for o in stops]
        stood = [p for p in places if p is not None]
        if len(stood) < len(stops):
            raise Withheld("no free place beside a thing")
        if not all(floor.straight(a, b) for a, b in pairwise(stood)):
            raise Withheld("something is in the way")
        ahead = np.asarray(face.box.centre)[:2]
        turns = turns_of([*stood], ahead)
        if turns is None or not sure_direction(view, turns.margin_deg, [1.0], self.rule.turn_deg):
            raise Withheld("a turn is not clear")
        by_centres = turns_of([np.asarray(o.box.centre)[:2] for o in stops], ahead)
        words = [TURN_WORDS[n] for n in turns.names]
        others = shuffled(
            (p for p in product(TURN_WORDS.values(), repeat=len(words)) if list(p) != words),
            "turns", [o.label for o in (start, face, *way)], key=list,
        )  # fmt: skip
        wrong = [
            Wrong(", ".join(p), OTHER_ORDER, float(sum(a != b for a, b in zip(p, words, strict=True))))
            for p in others[:3]
        ]
        blanks = [f"go straight to the {o.label}" for o in way]
        steps = "; ".join(f"[fill in], then {b}" for b in blanks)
        labels = tuple(dict.fromkeys(o.label for o in view.space.objects))
        return Solved(
            Pick(", ".join(words), tuple(wrong)),
            {"start": start.label, "face": face.label, "goal": way[-1].label, "steps": steps},
            says=", ".join(words), margin=turns.margin_deg, margin_unit="deg",
            rationale=(
                f"I stand at the {start.label} and look at the {face.label}.",
                *(f"To get to the {o.label} I {w}." for o, w in zip(way, words, strict=True)),
            ),
            labels=labels, sightings=tuple(view.clearest(o) for o in (start, face, *way)),
            second=Second("centres", "" if by_centres is None else ", ".join(by_centres.names),
                          by_centres is not None and by_centres.names == turns.names),
            difficulty={"turns": float(len(words))}, chain=lambda trail: _turned(trail, start, face, way),
        )  # fmt: skip

    def _floor(self, view: View) -> Floor | None:
        """The floor with all things that stay still; None where it is unknown."""
        scene, rule = view.space.scene, self.rule
        if not scene["polygon"] or scene["floor_z"] is None or not view.metric:
            return None
        boxes = tuple(o.box for o in view.space.objects if not o.moving)
        return Floor(tuple(scene["polygon"]), float(scene["floor_z"]), boxes, rule.step_m, rule.body_m, rule.tall_m)

    def _stand(self, floor: Floor, view: View, thing: SpaceObject) -> Place | None:
        return floor.beside(thing.box, 2 * self.rule.body_m + 2 * self.rule.step_m)

    def _routes(
        self, count: int, legs: dict[str, list[str]], places: dict[str, Place | None], centres: dict[str, Place]
    ) -> Iterator[About]:
        """Routes with `count` legs whose turns are clear."""
        for start in legs:
            for way in _walks(legs, start, count):
                stood = [p for p in (places[i] for i in (start, *way)) if p is not None]
                for face in legs:
                    if face in (start, *way):
                        continue
                    turns = turns_of(stood, centres[face])
                    if turns is not None and turns.margin_deg >= self.rule.turn_deg:
                        yield About(objects=(start, face, *way))


def turns_of(stops: Sequence[Place], ahead: Place) -> Turns | None:
    """The turns before each leg for who begins by looking at `ahead`; None where one of them is straight on."""
    heading = ahead - stops[0]
    names, margins = [], []
    for a, b in pairwise(stops):
        angle = float(angle_deg(heading, b - a))
        name = TURNS.name(angle)
        if name not in TURN_WORDS:
            return None
        names.append(name)
        margins.append(TURNS.margin_deg(angle))
        heading = b - a
    return Turns(tuple(names), min(margins))


def _walks(legs: dict[str, list[str]], start: str, count: int) -> Iterator[tuple[str, ...]]:
    """Ways of `count` legs from a thing, none visited twice."""
    waiting: list[tuple[str, ...]] = [(start,)]
    while waiting:
        way = waiting.pop()
        if len(way) == count + 1:
            yield way[1:]
            continue
        waiting += [(*way, following) for following in legs[way[-1]] if following not in way]


def _turned(trail: Trail, start: SpaceObject, face: SpaceObject, way: Sequence[SpaceObject]) -> str:
    """Turns from the centres of the things."""
    places = [trail.read("boxes3d", o.rows[:1], *PLACE_COLUMNS, pooled=True) for o in (start, face, *way)]
    return trail.compute("turns_by_centres", *places)
