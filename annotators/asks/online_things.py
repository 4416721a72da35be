"""Questions of a walk about things seen so far: on which side of me, how far, when was it nearest or ahead of me?

A thing is one that its label names alone, that stays still, and that was clearly seen in some picture so far, not
necessarily now. Directions are of its centre on the ground as I face now; distances are from my place to the nearest point
of its box (`point_box`). In `*_when`, every turn so far counts, also those before it was first seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from ...engine.distractors.vocabulary import OPPOSITE, OTHER_DIRECTION, OTHER_OBJECT
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.directions import OPPOSITE_QUARTER, QUARTERS
from ...schemas.geometry.distances import point_box
from ...schemas.geometry.numbers import round_half_up
from ...schemas.space import SpaceObject
from ..tasks.common import Withheld
from .ask import About, Number, Pick, Second, Solved, Wrong
from .certainty import agree, away_by_points
from .online import OnlineKind, bearing_deg, off_ahead
from .view import View, ordinal

_TOLERANCE_M, _TOLERANCE = 0.1, 0.1
"""Distances from boxes and from points agree within 0.1 m or a tenth."""


def away(camera: Camera, thing: SpaceObject) -> float:
    """Distance from where one stands to the nearest point of the thing's box."""
    return float(point_box(camera.centre, thing.box))


class _OneThing(OnlineKind):
    """A question about one thing, now."""

    def candidates(self, view: View) -> Iterable[About]:
        """Every known thing."""
        end = (view.stills[-1],)
        return (About(objects=(o.object_id,), times=end) for o in view.named_still())

    def now(self, view: View, about: About) -> Camera:
        """Where I stand. Raises `Withheld` unless the question is about now."""
        walk = self.walk(view)
        if len(about.times) != 1 or walk.turn_of(about.times[0]) != walk.now:
            raise Withheld("it is asked where one stands now")
        return walk.stand(walk.now)


class DirectionJudgement(_OneThing):
    """On which side of me is it: ahead, left, behind or right, quarters of the circle around my heading."""

    name = "direction_judgement"
    gravity = True

    def candidates(self, view: View) -> Iterable[About]:
        """Things that the last picture does not show come first: what is seen is ahead."""
        last = {s.object_id for s in view.space.seen_at(view.stills[-1])}
        found = sorted(super().candidates(view), key=lambda a: a.objects[0] in last)
        return found

    def solve(self, view: View, about: About) -> Solved:
        """One of four sides."""
        (thing,), seen = self.known(view, about, 1)
        angle = bearing_deg(self.now(view, about), thing, view.least(self.rule.aside_m))
        margin = QUARTERS.margin_deg(angle)
        if margin < self.rule.sector_deg:
            raise Withheld("between two directions")
        right = QUARTERS.name(angle)
        wrong = tuple(
            Wrong(w, OPPOSITE if w == OPPOSITE_QUARTER[right] else OTHER_DIRECTION, round(_gap_deg(angle, w), 6))
            for w in ("ahead", "left", "behind", "right")
            if w != right
        )
        return Solved(
            Pick(right, wrong), {"thing": thing.label}, says=f"{angle:.4f}", margin=round(margin, 6), margin_unit="deg",
            rationale=(f"I keep in mind where I saw the {thing.label}, and how I have moved and turned since.",
                       f"As I face now, it is {_placed(right)}."),
            labels=(thing.label,), sightings=seen, source="boxes3d and cameras",
            difficulty={"seen_turns_back": _back(self, view, thing)},
        )  # fmt: skip


class DirectionEstimation(_OneThing):
    """By how many degrees would I have to turn to face it, the shorter way round: whole degrees of [0, 180]."""

    name = "direction_estimation"
    gravity = True

    def solve(self, view: View, about: About) -> Solved:
        """Degrees; not asked below the least turn that has a side."""
        (thing,), seen = self.known(view, about, 1)
        off = off_ahead(bearing_deg(self.now(view, about), thing, view.least(self.rule.aside_m)))
        if off < self.rule.turn_deg[0]:
            raise Withheld("nearly ahead")
        number = Number(round_half_up(off), "deg")
        return Solved(
            number, {"thing": thing.label}, says=f"{off:.6f}", margin_unit="deg",
            rationale=(f"The {thing.label} lies {number.text} degrees away from where I look.",),
            labels=(thing.label,), sightings=seen, source="boxes3d and cameras",
            difficulty={"seen_turns_back": _back(self, view, thing)},
        )  # fmt: skip


class DirectionWhen(_OneThing):
    """At the end of which turn did I face it most directly: its number, the runner-up `ahead_deg` worse at least."""

    name = "direction_when"
    gravity = True

    def solve(self, view: View, about: About) -> Solved:
        """A turn's number."""
        (thing,), seen = self.known(view, about, 1)
        self.now(view, about)
        stands = self.walk(view).stands()
        offs = [off_ahead(bearing_deg(c, thing, view.least(self.rule.aside_m))) for c in stands]
        turn, lead = _least(offs)
        if lead < self.rule.ahead_deg:
            raise Withheld("two turns are much alike")
        return Solved(
            Number(float(turn), "set"), {"thing": thing.label}, says=" ".join(f"{v:.3f}" for v in offs),
            margin=round(lead, 6), margin_unit="deg",
            rationale=(f"I follow how the {thing.label} lay to where I looked, from one set of pictures to the next.",
                       f"It was most nearly ahead in the {ordinal(turn)} set of pictures."),
            labels=(thing.label,), sightings=seen, cameras=tuple(c.t_s for c in stands), source="boxes3d and cameras",
            difficulty={"turns": float(len(stands))},
        )  # fmt: skip


class DistanceEstimation(_OneThing):
    """How far is its nearest point from where I stand now, to 0.1 m."""

    name = "distance_estimation"
    scale = True

    def solve(self, view: View, about: About) -> Solved:
        """Metres."""
        (thing,), seen = self.known(view, about, 1)
        now = self.now(view, about)
        metres = away(now, thing)
        if metres < self.rule.least_m:
            raise Withheld("nearly touching")
        second = away_by_points(now, thing)
        number = Number(round_half_up(metres, 1), "m", 1)
        return Solved(
            number, {"thing": thing.label}, says=f"{metres:.6f}",
            rationale=(f"From where I stand, the nearest part of the {thing.label} is {number.text} m away.",),
            labels=(thing.label,), sightings=seen, points=(thing.object_id,) if second is not None else (),
            second=None if second is None else Second("points", f"{second:.6f}", agree(metres, second, _TOLERANCE_M, _TOLERANCE)),
            source="boxes3d and cameras", difficulty={"seen_turns_back": _back(self, view, thing)},
        )  # fmt: skip


class DistanceWhen(_OneThing):
    """At the end of which turn was I nearest to it: its number, the runner-up `change_m` farther at least."""

    name = "distance_when"

    def solve(self, view: View, about: About) -> Solved:
        """A turn's number."""
        (thing,), seen = self.known(view, about, 1)
        self.now(view, about)
        stands = self.walk(view).stands()
        apart = [away(c, thing) for c in stands]
        turn, lead = _least(apart)
        if lead < view.least(self.rule.change_m):
            raise Withheld("two turns are much alike")
        return Solved(
            Number(float(turn), "set"), {"thing": thing.label}, says=" ".join(f"{v:.4f}" for v in apart),
            margin=round(lead, 6),
            rationale=(f"I compare my distance to the {thing.label} from one set of pictures to the next.",
                       f"I was nearest to it in the {ordinal(turn)} set of pictures."),
            labels=(thing.label,), sightings=seen, cameras=tuple(c.t_s for c in stands), source="boxes3d and cameras",
            difficulty={"turns": float(len(stands))},
        )  # fmt: skip


class DistanceChange(OnlineKind):
    """Am I nearer to it than in an earlier turn, or farther: a difference of `change_m` at least."""

    name = "distance_change"

    def candidates(self, view: View) -> Iterable[About]:
        """Every known thing with every earlier turn."""
        pairs = list(self.walk(view).pairs())
        return (About(objects=(o.object_id,), times=pair) for o in view.named_still() for pair in pairs)

    def solve(self, view: View, about: About) -> Solved:
        """Nearer or farther."""
        (thing,), seen = self.known(view, about, 1)
        turn, before, now = self.walk(view).earlier(about)
        change = away(now, thing) - away(before, thing)
        if abs(change) < view.least(self.rule.change_m):
            raise Withheld("the distance hardly changed")
        right, other = ("farther", "nearer") if change > 0 else ("nearer", "farther")
        return Solved(
            Pick(right, (Wrong(other, OPPOSITE, round(2 * abs(change), 6)),)),
            {"thing": thing.label, "turn": ordinal(turn)}, says=f"{change:.6f}", margin=round(abs(change), 6),
            rationale=(f"I compare my distance to the {thing.label} now and in the {ordinal(turn)} set of pictures: I am {right} now.",),
            labels=(thing.label,), sightings=seen, source="boxes3d and cameras",
            difficulty={"turns_back": float(self.walk(view).now - turn)},
        )  # fmt: skip


class DistanceJudgement(OnlineKind):
    """Which of two things is nearer to me now: a gap of `change_m` and of `change_share` of the greater distance at least."""

    name = "distance_judgement"

    def candidates(self, view: View) -> Iterable[About]:
        """Every two known things."""
        end = (view.stills[-1],)
        return (About((a.object_id, b.object_id), end) for a, b in combinations(view.named_still(), 2))

    def solve(self, view: View, about: About) -> Solved:
        """One of the two."""
        things, seen = self.known(view, about, 2)
        walk = self.walk(view)
        if len(about.times) != 1 or walk.turn_of(about.times[0]) != walk.now:
            raise Withheld("it is asked where one stands now")
        now = walk.stand(walk.now)
        apart = [away(now, o) for o in things]
        gap = abs(apart[0] - apart[1])
        if gap < view.least(self.rule.change_m) or gap < self.rule.change_share * max(apart):
            raise Withheld("about as far")
        near, far = things if apart[0] < apart[1] else things[::-1]
        clouds = [d for o in things if (d := away_by_points(now, o)) is not None]
        second = None
        if len(clouds) == 2:
            first = things[int(clouds[0] > clouds[1])]
            second = Second("points", first.label, first is near)
        return Solved(
            Pick(near.label, (Wrong(far.label, OTHER_OBJECT, round(gap, 6)),)),
            {"first": things[0].label, "second": things[1].label}, says=f"{apart[0]:.6f} {apart[1]:.6f}", margin=round(gap, 6),
            rationale=(f"From where I stand now, the {near.label} is nearer than the {far.label}.",),
            labels=tuple(sorted({o.label for o in things})), sightings=seen,
            points=tuple(about.objects) if second is not None else (), second=second, source="boxes3d and cameras",
            difficulty={"seen_turns_back": max(_back(self, view, o) for o in things)},
        )  # fmt: skip


def _least(values: list[float]) -> tuple[int, float]:
    """Number of the turn with the least value, and how much greater the next one is. Raises `Withheld` for one turn."""
    if len(values) < 2:
        raise Withheld("there is one turn so far")
    first, second = sorted(range(len(values)), key=lambda i: (values[i], i))[:2]
    return first + 1, values[second] - values[first]


def _gap_deg(angle: float, side: str) -> float:
    """How far an angle is from a quarter that it does not lie in."""
    middle = {"ahead": 0.0, "left": 90.0, "behind": 180.0, "right": 270.0}[side]
    return max(0.0, off_ahead((angle - middle) % 360.0) - 45.0)


def _placed(side: str) -> str:
    return {"ahead": "ahead of me", "behind": "behind me", "left": "to my left", "right": "to my right"}[side]


def _back(kind: OnlineKind, view: View, thing: SpaceObject) -> float:
    """How many turns ago it was last in a picture."""
    walk = kind.walk(view)
    times = [s.t_s for s in view.sightings(thing)]
    last = max((turn for turn in range(1, walk.now + 1) for t in walk.pictures(turn) if t in times), default=0)
    return float(walk.now - last)
