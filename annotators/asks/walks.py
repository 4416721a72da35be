"""Questions about a walk as a graph of places: which turns, which landmark, the same place again, how long the shortest way.

The pictures of a view are the waypoints of its window (`schemas/nav_graph.py`), in order of time, so that "the third picture" is
a node. The graph is made again from the window's cameras, `step_s` apart, and from the first clear sighting of each landmark: a
still thing that its label names alone. Lengths are those of ways walked, so a short cut that nobody took does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

import numpy as np
from pydantic import Field

from ...engine.distractors.vocabulary import OTHER_DIRECTION, OTHER_NUMBER, OTHER_OBJECT
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.directions import TURNS, angle_deg
from ...schemas.geometry.distances import point_box
from ...schemas.geometry.numbers import round_half_up
from ...schemas.ids import seeded_fraction
from ...schemas.nav_graph import GraphRule, NavGraph, Pose, nav_graph, spaced
from ...schemas.space import Sighting, SpaceObject
from ..tasks.common import Withheld
from .ask import About, Kind, Number, Pick, Solved, Wrong
from .two_views import clear_in
from .view import View, ordinal

TURN_WORDS = {"left": "left", "right": "right", "straight": "straight on", "back": "back"}


class WalkRule(GraphRule):
    """How a walk becomes a graph, and when a question about it has one answer."""

    sector_deg: float = Field(10.0, ge=0, description="Least distance of a turn to the next class of turns, degrees.")
    turns: tuple[int, int] = Field((1, 3), description="Fewest and most turns in a sequence.")
    gap_s: float = Field(5.0, ge=0, description="Least time before a place is come back to, seconds (Mem4Nav: 10).")
    apart_leaves: float = Field(2.0, gt=0, description="Other places are at least so many leaves away.")
    near_m: float = Field(0.3, gt=0, description="Lead of the nearest landmark, metres.")
    near_share: float = Field(0.15, ge=0, description="And as a share of the runner-up's distance.")
    shorter: float = Field(
        0.8, gt=0, le=1, description="A shortest way is at most this share of the way walked in between."
    )
    least_m: float = Field(1.0, gt=0, description="Shortest way that is asked about, metres.")


@dataclass(frozen=True)
class Walked:
    """The walk of a view's window."""

    view: View
    rule: WalkRule

    @cached_property
    def cameras(self) -> tuple[Camera, ...]:
        """Cameras of the window, `step_s` apart."""
        all_ = [c for c in self.view.space.cameras if self.view.window.contains(c.t_s)]
        return tuple(all_[i] for i in spaced([c.t_s for c in all_], self.rule.step_s))

    @cached_property
    def landmarks(self) -> dict[str, Sighting]:
        """The first clear sighting of each landmark at one of these cameras, by object."""
        found: dict[str, Sighting] = {}
        for thing in self.view.space.objects:
            if thing.moving or self.view.labels[thing.label] != 1:
                continue
            seen = next((s for c in self.cameras if (s := clear_in(self.view, thing, c.t_s)) is not None), None)
            if seen is not None:
                found[thing.object_id] = seen
        return found

    @cached_property
    def graph(self) -> NavGraph:
        """The graph. Raises `Withheld` without poses or metres."""
        if not self.view.metric:
            raise Withheld("unit scale")
        if len(self.cameras) < 3:
            raise Withheld("no poses of the camera")
        new: dict[float, list[str]] = {}
        for thing, s in self.landmarks.items():
            new.setdefault(s.t_s, []).append(thing)
        poses = [
            Pose(c.t_s, (float(c.centre[0]), float(c.centre[1]), float(c.centre[2])), tuple(new.get(c.t_s, ())))
            for c in self.cameras
        ]
        return nav_graph(poses, self.rule)

    def require_shown(self) -> NavGraph:
        """The graph whose waypoints are exactly the pictures. Raises `Withheld`."""
        if tuple(w.t_s for w in self.graph.waypoints) != self.view.stills:
            raise Withheld("the pictures are not the waypoints of the walk")
        return self.graph

    def index(self, t_s: float) -> int:
        """The waypoint of a time. Raises `Withheld`."""
        found = [i for i, t in enumerate(self.view.stills) if abs(t - t_s) < 1e-6]
        if not found:
            raise Withheld("a picture that is asked about is not shown")
        return found[0]

    def place(self, waypoint: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Where the camera is at a waypoint, [3]."""
        return self.cameras[self.graph.waypoints[waypoint].step].centre

    def solved(
        self, reply: Number | Pick, slots: dict[str, str], says: str, rationale: tuple[str, ...], *,
        difficulty: Mapping[str, float], margin: float | None = None, margin_unit: str = "m",
    ) -> Solved:  # fmt: skip
        """A solved question: it rests on all cameras and on the first sighting of every landmark."""
        labels = tuple(sorted({self.view.space.by_id[i].label for i in self.landmarks}))
        return Solved(
            reply, slots, says=says, rationale=rationale, labels=labels,
            sightings=tuple(sorted(self.landmarks.values(), key=lambda s: (s.t_s, s.object_id))),
            cameras=tuple(c.t_s for c in self.cameras), source="cameras",
            difficulty={"waypoints": float(len(self.graph.waypoints)), "nodes": float(len(self.graph.keys)), **difficulty},
            margin=margin, margin_unit=margin_unit,
        )  # fmt: skip


class WalkKind(Kind):
    """A kind of question about the graph of a walk."""

    medium = "stills"
    gravity = True

    def __init__(self, rule: WalkRule) -> None:
        self.rule = rule

    def walked(self, view: View) -> Walked:
        """The walk."""
        return Walked(view, self.rule)

    @staticmethod
    def of(view: View, waypoint: int) -> str:
        """What a question calls a waypoint."""
        return ordinal(waypoint + 1)


class TurnSequence(WalkKind):
    """Which turns does the way take at the pictures between two of them: left, right, straight on, back?

    The turn at a waypoint is the angle between the legs from the waypoint before and to the one after, on the ground, in the
    sectors of `TURNS` (30, 135, 225, 330 degrees); each is `sector_deg` from the next class.
    """

    name = "turn_sequence"

    def candidates(self, view: View) -> Iterable[About]:
        """Every two waypoints with that many between them."""
        low, high = self.rule.turns
        t = view.stills
        return (About(times=(t[i], t[i + n + 1])) for n in range(low, high + 1) for i in range(len(t) - n - 1))

    def solve(self, view: View, about: About) -> Solved:
        """One of four sequences."""
        walked = self.walked(view)
        walked.require_shown()
        if len(about.times) != 2:
            raise Withheld("a way has two ends")
        start, end = (walked.index(t) for t in about.times)
        if not self.rule.turns[0] <= end - start - 1 <= self.rule.turns[1]:
            raise Withheld("too few turns, or too many")
        angles = [
            float(angle_deg(walked.place(i) - walked.place(i - 1), walked.place(i + 1) - walked.place(i)))
            for i in range(start + 1, end)
        ]
        margin = min(TURNS.margin_deg(a) for a in angles)
        if margin < self.rule.sector_deg:
            raise Withheld("between two turns")
        turns = tuple(TURNS.name(a) for a in angles)
        if all(t == "straight" for t in turns) and len(turns) > 1:
            raise Withheld("straight on all the way")
        wrong = _other_turns(turns, walked.graph.turns, *about.times)
        return walked.solved(
            Pick(_in_words(turns), tuple(Wrong(_in_words(w), OTHER_DIRECTION, None) for w in wrong)),
            {"first": self.of(view, start), "last": self.of(view, end)}, " ".join(f"{a:.3f}" for a in angles),
            (f"From the {self.of(view, start)} picture to the {self.of(view, end)}, I compare each leg with the next one.",
             f"The turns are: {_in_words(turns)}."),
            margin=round(margin, 6), margin_unit="deg", difficulty={"turns": float(len(turns))},
        )  # fmt: skip


class NearestLandmark(WalkKind):
    """Of the landmarks seen up to a picture, which is nearest to where it was taken: camera to nearest point of the box?"""

    name = "nearest_landmark"

    def candidates(self, view: View) -> Iterable[About]:
        """Every picture but the first; the landmarks follow from it."""
        walked = self.walked(view)
        for t in view.stills[1:]:
            known = self._known(walked, t)
            if len(known) >= 2:
                yield About(tuple(o.object_id for o in known), (t,))

    def _known(self, walked: Walked, t_s: float) -> list[SpaceObject]:
        found = [walked.view.space.by_id[i] for i, s in walked.landmarks.items() if s.t_s <= t_s + 1e-9]
        return sorted(found, key=lambda o: o.label)

    def solve(self, view: View, about: About) -> Solved:
        """One of up to four landmarks: the nearest, and the three next ones."""
        walked = self.walked(view)
        walked.require_shown()
        if len(about.times) != 1:
            raise Withheld("one picture is asked about")
        at = walked.index(about.times[0])
        things = view.asked(about)
        if [o.object_id for o in self._known(walked, about.times[0])] != [o.object_id for o in things]:
            raise Withheld("not the landmarks seen until then")
        place = walked.place(at)
        apart = sorted((float(point_box(place, o.box)), o.label) for o in things)
        lead = apart[1][0] - apart[0][0]
        if lead < view.least(self.rule.near_m) or lead < self.rule.near_share * apart[1][0]:
            raise Withheld("two landmarks are about as near")
        wrong = tuple(Wrong(label, OTHER_OBJECT, round(d - apart[0][0], 6)) for d, label in apart[1:4])
        return walked.solved(
            Pick(apart[0][1], wrong), {"picture": self.of(view, at)}, " ".join(f"{label} {d:.4f}" for d, label in apart),
            (f"I place what was seen so far around the place of the {self.of(view, at)} picture: the {apart[0][1]} is nearest.",),
            margin=round(lead, 6), difficulty={"landmarks": float(len(apart))},
        )  # fmt: skip


class Revisit(WalkKind):
    """Which earlier picture was taken at the place that a later one comes back to: the same leaf, `gap_s` later, and somewhere
    else in between? One earlier picture is in that leaf; wrong ones are `apart_leaves` leaves away at least.
    """

    name = "revisit"

    def candidates(self, view: View) -> Iterable[About]:
        """Every return."""
        try:
            walked = self.walked(view)
            pairs = walked.require_shown().revisits(self.rule.gap_s)
        except Withheld:
            return
        for i, j in pairs:
            yield About(times=(view.stills[i], view.stills[j]))

    def solve(self, view: View, about: About) -> Solved:
        """One of up to four pictures."""
        walked = self.walked(view)
        graph = walked.require_shown()
        if len(about.times) != 2:
            raise Withheld("two pictures are compared")
        early, late = (walked.index(t) for t in about.times)
        if (early, late) not in graph.revisits(self.rule.gap_s):
            raise Withheld("nobody came back there")
        node = graph.waypoints[late].node
        if sum(w.node == node for w in graph.waypoints[:late]) != 1:
            raise Withheld("several earlier pictures are of that place")
        far = [
            i for i in range(late)
            if float(np.linalg.norm(walked.place(i) - walked.place(late))) >= self.rule.apart_leaves * self.rule.leaf_m
        ]  # fmt: skip
        far.sort(key=lambda i: (seeded_fraction("revisit", view.stills[i], about.times[1]), i))
        if len(far) < 2:
            raise Withheld("too few other places")
        wrong = tuple(
            Wrong(
                f"the {self.of(view, i)} picture", OTHER_NUMBER,
                round(float(np.linalg.norm(walked.place(i) - walked.place(late))), 6),
            )
            for i in sorted(far[:3])
        )  # fmt: skip
        gap = about.times[1] - about.times[0]
        return walked.solved(
            Pick(f"the {self.of(view, early)} picture", wrong), {"picture": self.of(view, late)}, f"{early + 1} {late + 1}",
            (f"At the {self.of(view, late)} picture the walk is back where it was at the {self.of(view, early)}.",),
            difficulty={"gap_s": round(gap, 6), "waypoints_between": float(late - early - 1)},
        )  # fmt: skip


class ShortestWay(WalkKind):
    """How long is the shortest way from one picture to another over ways that were walked (Dijkstra over the graph), to 0.1 m?

    It is asked where it is at most `shorter` of the way walked between the two pictures, which would else be the answer.
    """

    name = "shortest_way"
    scale = True

    def candidates(self, view: View) -> Iterable[About]:
        """Every two pictures of different places."""
        t = view.stills
        return (About(times=(t[i], t[j])) for i in range(len(t)) for j in range(i + 2, len(t)))

    def solve(self, view: View, about: About) -> Solved:
        """Metres."""
        walked = self.walked(view)
        graph = walked.require_shown()
        if len(about.times) != 2:
            raise Withheld("a way has two ends")
        start, end = (walked.index(t) for t in about.times)
        a, b = graph.waypoints[start], graph.waypoints[end]
        found = graph.way(a.node, b.node) if a.node != b.node else None
        if found is None:
            raise Withheld("one place, or no way")
        metres, path = found
        steps = walked.cameras[a.step : b.step + 1]
        long = sum(float(np.linalg.norm(q.centre - p.centre)) for p, q in pairwise(steps))
        if metres < self.rule.least_m or metres > self.rule.shorter * long:
            raise Withheld("too short, or hardly shorter than the way that was walked")
        number = Number(round_half_up(metres, 1), "m", 1)
        return walked.solved(
            number, {"first": self.of(view, start), "last": self.of(view, end)}, f"{metres:.6f}",
            ("I join the places of the pictures by the ways that were walked between them, places that were come back to once.",
             f"The shortest way over them is {number.text} m long."),
            difficulty={"edges": float(len(path) - 1), "fewest_edges": float(graph.hops(a.node, b.node) or 0), "walked_m": round(long, 6)},
        )  # fmt: skip


def _in_words(turns: Sequence[str]) -> str:
    return ", then ".join(TURN_WORDS[t] for t in turns)


def _other_turns(turns: tuple[str, ...], walk: Sequence[str], *seed: object) -> list[tuple[str, ...]]:
    """Three other sequences of that length: such as occur elsewhere in the walk, then any; near misses of the right one alone
    would tell which it is.
    """
    n = len(turns)
    elsewhere = dict.fromkeys(tuple(walk[i : i + n]) for i in range(len(walk) - n + 1))
    pools = (list(elsewhere), list(product(("left", "right", "straight", "back"), repeat=n)))
    found: list[tuple[str, ...]] = []
    for pool in pools:
        ordered = sorted(pool, key=lambda o: (seeded_fraction("turns", *seed, o), o))
        found += [o for o in ordered if o != turns and all(o) and o not in found]
    return found[:3]
