"""Questions that remember by place: what was last seen there, where was that, what was new on coming back?

A walk is shown as pictures with the place of each, in order of time or place by place. Places are those of the pictures' cameras
(`schemas/places.py`), numbered as they are first visited. A visit is a run of pictures, in order of time, in one place. A thing
is seen in a visit when a picture of it shows it clearly; what is denied must not even be hinted at (half the least area).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from typing import Literal

import numpy as np

from ...engine.distractors.vocabulary import ELSEWHERE, OTHER_NUMBER
from ...schemas.ids import seeded_fraction
from ...schemas.places import PlaceRule, places_of
from ...schemas.space import Sighting, SpaceObject
from ..tasks.common import Withheld
from .ask import About, Kind, Pick, Solved, Wrong
from .two_views import clear_in, hinted
from .view import View, ordinal

Order = Literal["time", "place"]


@dataclass(frozen=True)
class Log:
    """The pictures of a view with their places."""

    view: View
    rule: PlaceRule

    @cached_property
    def times(self) -> tuple[float, ...]:
        """Times of the pictures in order of time."""
        return tuple(sorted(self.view.stills))

    @cached_property
    def numbers(self) -> dict[float, int]:
        """Number of the place of each picture, from 1 in order of first visits."""
        if self.rule.method == "cells" and not self.view.metric:
            raise Withheld("unit scale")
        at = np.asarray([self.view.camera(t).centre for t in self.times])
        known: dict[str, int] = {}
        return {
            t: known.setdefault(p, len(known) + 1) for t, p in zip(self.times, places_of(at, self.rule), strict=True)
        }  # fmt: skip

    @cached_property
    def visits(self) -> tuple[tuple[int, tuple[float, ...]], ...]:
        """(place, times of its pictures) of each visit, in order of time."""
        return tuple((k, tuple(of)) for k, of in groupby(self.times, key=lambda t: self.numbers[t]))

    def of_place(self, place: int) -> list[tuple[float, ...]]:
        """The visits of a place."""
        return [times for k, times in self.visits if k == place]

    def told(self) -> str:
        """The places of the pictures in the order in which they are shown."""
        runs = [(k, len(list(of))) for k, of in groupby(self.view.stills, key=lambda t: self.numbers[t])]
        return ", ".join(f"place {k} ({n} {'picture' if n == 1 else 'pictures'})" for k, n in runs)

    def sees(self, thing: SpaceObject, times: Sequence[float]) -> bool:
        """Whether one of these pictures shows it clearly."""
        return any(clear_in(self.view, thing, t) is not None for t in times)

    def hints(self, thing: SpaceObject, times: Sequence[float]) -> bool:
        """Whether one of these pictures may show it."""
        return any(hinted(self.view, thing, t) for t in times)


def serialised(times: Sequence[float], numbers: dict[float, int], order: Order) -> tuple[float, ...]:
    """The pictures in order of time, or place by place and in order of time within each."""
    return tuple(sorted(times, key=lambda t: (numbers[t] if order == "place" else 0, t)))


def slotted(times: Sequence[float], numbers: dict[float, int], per_place: int) -> list[float]:
    """At most `per_place` pictures of each place, spread evenly over those that there are."""
    kept: list[float] = []
    for place in sorted(set(numbers.values())):
        mine = [t for t in times if numbers[t] == place]
        n = min(per_place, len(mine))
        kept += [mine[round(i * (len(mine) - 1) / max(1, n - 1))] for i in range(n)]
    return sorted(kept)


class PlaceKind(Kind):
    """A question about a log of places."""

    medium = "stills"
    gravity = True

    def __init__(self, rule: PlaceRule, order: Order = "time", per_place: int = 8, options: int = 4) -> None:
        self.rule, self.order, self.per_place, self.options = rule, order, per_place, options

    def log(self, view: View) -> Log:
        """The pictures with their places. Raises `Withheld` where they are not in their order, or fill more than their slots."""
        log = Log(view, self.rule)
        if not all(view.camera(t).observed for t in view.stills):
            raise Withheld("not everything that is in the pictures is known")
        if view.stills != serialised(log.times, log.numbers, self.order):
            raise Withheld("the pictures are not in the order of their serialisation")
        counted = [list(log.numbers.values()).count(k) for k in set(log.numbers.values())]
        if max(counted, default=0) > self.per_place:
            raise Withheld("a place has more pictures than slots")
        if len(counted) < 2:
            raise Withheld("there is one place")
        return log

    def named(self, view: View) -> tuple[SpaceObject, ...]:
        """Things that their label names alone, clearly seen in some picture."""
        return view.named()

    def of_things(
        self, log: Log, about: About, right: SpaceObject, wrong: Sequence[SpaceObject], slots: dict[str, str], says: str,
        rationale: tuple[str, ...], difficulty: dict[str, float],
    ) -> Solved:  # fmt: skip
        """A choice of things."""
        things = (right, *wrong)
        log.view.require_named(*things)
        return Solved(
            Pick(right.label, tuple(Wrong(o.label, ELSEWHERE, None) for o in wrong)), {**slots, "places": log.told()}, says=says,
            rationale=rationale, labels=tuple(sorted({o.label for o in things})), sightings=self.sightings(log, things),
            cameras=log.times, source="boxes and cameras",
            difficulty={"pictures": float(len(log.times)), "places": float(max(log.numbers.values())), **difficulty},
        )  # fmt: skip

    @staticmethod
    def sightings(log: Log, things: Sequence[SpaceObject]) -> tuple[Sighting, ...]:
        """All sightings of things in the pictures."""
        ids = {o.object_id for o in things}
        return tuple(s for t in log.times for s in log.view.space.seen_at(t) if s.object_id in ids)

    def drawn(self, others: Sequence[SpaceObject], *seed: object) -> tuple[str, ...]:
        """Some of the things as wrong options."""
        ordered = sorted(others, key=lambda o: (seeded_fraction("places", self.name, *seed, o.label), o.label))
        return tuple(o.object_id for o in ordered[: self.options - 1])


class LastSeen(PlaceKind):
    """What was seen on the last visit of a place? About a place with two visits or more, or one that was left again.

    The right thing is clear in a picture of that visit; no picture of it hints at a wrong one, which is clear elsewhere.
    """

    name = "last_seen"

    def candidates(self, view: View) -> Iterable[About]:
        """Every place with everything seen on its last visit."""
        try:
            log = self.log(view)
        except Withheld:
            return
        for place in sorted(set(log.numbers.values())):
            last = log.of_place(place)[-1]
            others = [o for o in self.named(view) if not log.hints(o, last)]
            for thing in self.named(view):
                if log.sees(thing, last) and len(others) >= 2:
                    wrong = self.drawn(others, place, thing.label)
                    yield About((thing.object_id, *wrong), (last[0],))

    def solve(self, view: View, about: About) -> Solved:
        """One of some things."""
        log = self.log(view)
        right, *wrong = view.asked(about)
        visit = _visit(log, about.times)
        place = log.numbers[visit[0]]
        if log.of_place(place)[-1] != visit:
            raise Withheld("not the last visit")
        _require(log, right, wrong, visit, self.options)
        after = sum(t > visit[-1] for t in log.times)
        return self.of_things(
            log, about, right, wrong, {"place": str(place)}, right.label,
            (f"The last visit of place {place} is its {ordinal(len(log.of_place(place)))}.",
             f"Its pictures show the {right.label} and none of the other things."),
            {"delay": float(after), "visits": float(len(log.of_place(place)))},
        )  # fmt: skip


class WhichPlace(PlaceKind):
    """Which place showed a thing last? That of the last picture in which it is clear; no later picture of another place hints at
    it. (Hardly anything in a room is seen from one place alone.)
    """

    name = "which_place"

    def candidates(self, view: View) -> Iterable[About]:
        """Everything."""
        return (About((o.object_id,)) for o in self.named(view))

    def solve(self, view: View, about: About) -> Solved:
        """One of the places."""
        log = self.log(view)
        (thing,) = view.asked(about, 1)
        view.require_named(thing)
        clear = [t for t in log.times if clear_in(view, thing, t) is not None]
        if not clear:
            raise Withheld("not clearly visible in what is shown")
        last = clear[-1]
        place = log.numbers[last]
        if any(t > last and log.numbers[t] != place and hinted(view, thing, t) for t in log.times):
            raise Withheld("it may have been seen at another place later")
        places = sorted(set(log.numbers.values()))
        near = sorted((k for k in places if k != place), key=lambda k: (seeded_fraction("place", thing.label, k), k))
        wrong = tuple(Wrong(f"place {k}", OTHER_NUMBER, None) for k in sorted(near[: self.options - 1]))
        return Solved(
            Pick(f"place {place}", wrong), {"thing": thing.label, "places": log.told()}, says=str(place),
            rationale=(f"The last picture that shows the {thing.label} was taken at place {place}.",), labels=(thing.label,),
            sightings=self.sightings(log, (thing,)), cameras=log.times, source="boxes and cameras",
            difficulty={"pictures": float(len(log.times)), "places": float(len(places)), "delay": float(sum(t > last for t in log.times))},
        )  # fmt: skip


class NextThere(PlaceKind):
    """What did the next visit of a place show that the one before had not? The right thing is clear in the later visit and not
    hinted at in the earlier one; no picture of the later visit hints at a wrong one.
    """

    name = "next_there"

    def candidates(self, view: View) -> Iterable[About]:
        """Every two visits of a place that follow each other there, with everything new."""
        try:
            log = self.log(view)
        except Withheld:
            return
        for place in sorted(set(log.numbers.values())):
            visits = log.of_place(place)
            for before, after in pairwise(visits):
                others = [o for o in self.named(view) if not log.hints(o, after)]
                for thing in self.named(view):
                    if log.sees(thing, after) and not log.hints(thing, before) and len(others) >= 2:
                        wrong = self.drawn(others, place, thing.label, before[0])
                        yield About((thing.object_id, *wrong), (before[0], after[0]))

    def solve(self, view: View, about: About) -> Solved:
        """One of some things."""
        log = self.log(view)
        right, *wrong = view.asked(about)
        if len(about.times) != 2:
            raise Withheld("two visits are compared")
        before, after = (_visit(log, (t,)) for t in about.times)
        place = log.numbers[before[0]]
        visits = log.of_place(place)
        if after not in visits or visits.index(after) != visits.index(before) + 1:
            raise Withheld("not the next visit of that place")
        if log.hints(right, before):
            raise Withheld("the visit before shows it, or may")
        _require(log, right, wrong, after, self.options)
        number = visits.index(after) + 1
        return self.of_things(
            log, about, right, wrong, {"place": str(place), "visit": ordinal(number)}, right.label,
            (f"I compare the {ordinal(number)} visit of place {place} with the one before: the {right.label} is new there.",),
            {"visit": float(number), "delay": float(sum(before[-1] < t < after[0] for t in log.times))},
        )  # fmt: skip


def _visit(log: Log, times: Sequence[float]) -> tuple[float, ...]:
    """The visit that begins at a time. Raises `Withheld`."""
    found = [of for _, of in log.visits if len(times) == 1 and abs(of[0] - times[0]) < 1e-6]
    if len(found) != 1:
        raise Withheld("no visit begins there")
    return found[0]


def _require(log: Log, right: SpaceObject, wrong: Sequence[SpaceObject], visit: Sequence[float], options: int) -> None:
    if not 2 <= len(wrong) < options:
        raise Withheld("too few other things")
    if not log.sees(right, visit):
        raise Withheld("not clearly visible on that visit")
    if any(log.hints(o, visit) or not log.sees(o, log.times) for o in wrong):
        raise Withheld("a wrong option may be seen on that visit, or is never seen")
