"""Questions that only two views of a space together answer: what hides here, what is nearest there, where is that from here?

A pair of pictures fits when they share some visible things but look at the space from clearly different places. Nothing asked
may follow from one picture alone: of what a question is about, each picture has to lack something, not even hinted at (a
sighting of half the least area). With one still, or footage, as the view (`single`, `video`), that rule and the pair's fall away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, permutations
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...engine.distractors.vocabulary import OTHER_DIRECTION, OTHER_OBJECT
from ...schemas.box import Box, box_or_none, iou
from ...schemas.chain_building import Trail
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.directions import LEVELS, corner_votes, ego_angle
from ...schemas.geometry.distances import box_box
from ...schemas.geometry.visibility import outline, picture_box
from ...schemas.markup import BoxMark, render
from ...schemas.space import Sighting, SpaceObject
from ..tasks.common import Withheld
from .ask import About, Kind, Pick, Solved, Wrong
from .online import turned_deg
from .online_seen import HINT
from .room_things import read_box
from .view import View

Variant = Literal["two", "single", "video"]


class TwoViewsRule(BaseModel):
    """Which pairs of pictures fit, and when a question about them has one answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variant: Variant = Field(
        "two",
        description="two: what no single picture answers; single: one picture shows all; video: the footage does.",
    )
    shared: tuple[int, int] = Field((2, 8), description="Least and greatest number of things visible in both pictures.")
    yaw_deg: tuple[float, float] = Field(
        (30.0, 150.0), description="Least and greatest difference of heading, degrees."
    )
    baseline_m: float = Field(0.5, ge=0, description="Least distance of the two places, metres.")
    hidden: float = Field(0.05, ge=0, le=1, description="Greatest visibility of what counts as hidden.")
    inside: float = Field(0.5, gt=0, le=1, description="Least share of a hidden thing's outline inside the picture.")
    others_iou: float = Field(0.1, ge=0, lt=0.5, description="Greatest overlap of another option with the mark.")
    near_m: float = Field(0.3, gt=0, description="Least lead of the nearest candidate, metres.")
    near_share: float = Field(0.2, ge=0, description="And as a share of the runner-up's distance.")
    level: Literal["easy", "medium", "hard"] = Field("medium", description="Sectors of directions, as in VSI-Bench.")
    pair_m: tuple[float, float] = Field(
        (0.3, 5.0), description="Least and greatest distance of the three places, metres."
    )
    sector_deg: float = Field(10.0, ge=0, description="Least distance of a direction to the next sector, degrees.")
    corners: int = Field(
        2, ge=0, le=8, description="Corners of the queried box in another sector than its centre, at most."
    )
    options: int = Field(4, ge=3, le=6, description="Options of a question about things, at most.")
    candidates: int = Field(2, ge=2, description="Candidates of a comparison of distances, at least.")


def hinted(view: View, thing: SpaceObject, t_s: float) -> bool:
    """Whether a picture may show it: a sighting of half the least area, or of an unknown one."""
    found = [s for s in view.space.seen_at(t_s) if s.object_id == thing.object_id]
    return any(s.area is None or s.area >= HINT * view.seen.area for s in found)


def clear_in(view: View, thing: SpaceObject, t_s: float) -> Sighting | None:
    """Its clear sighting in a picture; None where there is none."""
    found = [s for s in view.space.seen_at(t_s) if s.object_id == thing.object_id and view.clearly.holds(s)]
    return found[0] if found else None


def projected(camera: Camera, thing: SpaceObject) -> tuple[Box | None, float, bool]:
    """The rectangle around the projected box of a still thing, clipped to the picture and rounded as markup is; the share of
    the whole rectangle that is inside; and whether its middle is. (None, 0, False) where a corner lies behind the camera.
    """
    if float(camera.project(thing.box.corners)[1].min()) <= 0:
        return None, 0.0, False
    pixels = outline(thing.box, camera) / [camera.width, camera.height]
    (x1, y1), (x2, y2) = pixels.min(axis=0), pixels.max(axis=0)
    box = box_or_none(*(round(min(max(float(v), 0.0), 1.0), 6) for v in (x1, y1, x2, y2)))
    area = float((x2 - x1) * (y2 - y1))
    if box is None or area <= 0:
        return None, 0.0, False
    return box, box.area / area, bool(0 < x1 + x2 < 2 and 0 < y1 + y2 < 2)


class TwoViewsKind(Kind):
    """A kind of question about a pair of pictures, or (variants) about one, or about footage."""

    medium = "stills"
    gravity = True

    def __init__(self, rule: TwoViewsRule) -> None:
        self.rule = rule

    def pair(self, view: View) -> tuple[Camera, Camera]:
        """The two cameras. Raises `Withheld` unless the pair fits and all that is seen in it is known."""
        if len(view.stills) != 2:
            raise Withheld("two pictures are needed")
        first, second = (view.camera(t) for t in view.stills)
        if not (first.observed and second.observed):
            raise Withheld("not everything that is in the pictures is known")
        least, most = self.rule.yaw_deg
        if not least <= abs(turned_deg(first, second)) <= most:
            raise Withheld("the pictures look the same way, or opposite ways")
        if float(np.linalg.norm(first.centre - second.centre)) < view.least(self.rule.baseline_m):
            raise Withheld("the pictures are taken from nearly one place")
        both = {o.object_id for o in view.in_frame(first.t_s)} & {o.object_id for o in view.in_frame(second.t_s)}
        if not self.rule.shared[0] <= len(both) <= self.rule.shared[1]:
            raise Withheld("too few or too many things are in both pictures")
        return first, second

    def only_in(self, view: View, thing: SpaceObject) -> int | None:
        """Number (0, 1) of the one picture that shows it clearly while the other does not even hint at it; else None."""
        for own, other in ((0, 1), (1, 0)):
            if clear_in(view, thing, view.stills[own]) and not hinted(view, thing, view.stills[other]):
                return own
        return None

    def shared_sightings(self, view: View) -> tuple[Sighting, ...]:
        """All sightings of the pictures: what the pair, and what is not seen, rest on; of footage the clearest ones."""
        return tuple(s for t in view.stills for s in view.space.seen_at(t))

    def evidence(self, view: View, asked: Sequence[SpaceObject]) -> tuple[Sighting, ...]:
        """What a question about `asked` rests on. Raises `Withheld` where the view does not show them as the variant says."""
        if self.rule.variant == "two":
            self.pair(view)
            return self.shared_sightings(view)
        if self.rule.variant == "single":
            if len(view.stills) != 1:
                raise Withheld("one picture is needed")
            return tuple(view.at(o, view.stills[0]) for o in asked)
        return tuple(view.clearest(o) for o in asked)

    def labels_of(self, view: View, asked: Sequence[SpaceObject]) -> tuple[str, ...]:
        """Labels whose objects are cited: those of all that the pair shows."""
        seen = {s.object_id for s in self.shared_sightings(view)} if self.rule.variant == "two" else set()
        by_id = view.space.by_id
        return tuple(sorted({o.label for o in asked} | {by_id[i].label for i in seen if i in by_id}))


class OcclusionRestoration(TwoViewsKind):
    """What is hidden in the marked region of the second picture? Something that the first shows.

    The right thing is clear in the first picture; in the second the rectangle around its projected box has its centre and
    `inside` of its area in the picture, and its visibility is below `hidden` (or it has no sighting). That rectangle, clipped,
    is the mark. Wrong options are clear in the first picture and overlap the mark by less than `others_iou`: as IoU, or, where
    the second picture does not hint at them, as the share of the mark that they cover. One of the latter is needed at least, so
    that leaving out what the picture shows does not give the answer away.
    """

    name = "occlusion_restoration"

    def candidates(self, view: View) -> Iterable[About]:
        """Things clear in the first picture and hidden in the second, with wrong options."""
        if self.rule.variant != "two" or len(view.stills) != 2:
            return
        try:
            _, camera = self.pair(view)
        except Withheld:
            return
        clear = [o for o in view.named_still() if clear_in(view, o, view.stills[0])]
        for thing in clear:
            mark = self._mark(view, camera, thing)
            if mark is None:
                continue
            wrong = [o for o in clear if o is not thing and self._overlap(view, camera, o, mark) < self.rule.others_iou]
            wrong.sort(key=lambda o: (hinted(view, o, camera.t_s), o.label))
            yield About((thing.object_id, *(o.object_id for o in wrong[: self.rule.options - 1])), view.stills)

    def solve(self, view: View, about: About) -> Solved:
        """One of three or four things."""
        thing, *others = view.asked(about)
        view.require_named(thing, *others)
        view.require_still(thing, *others)
        _, camera = self.pair(view)
        if not 3 <= len(others) + 1 <= self.rule.options:
            raise Withheld("too few other things are in the first picture")
        if any(clear_in(view, o, view.stills[0]) is None for o in (thing, *others)):
            raise Withheld("not clearly visible in the first picture")
        mark = self._mark(view, camera, thing)
        if mark is None:
            raise Withheld("not hidden within the second picture")
        overlaps = [self._overlap(view, camera, o, mark) for o in others]
        if max(overlaps) >= self.rule.others_iou:
            raise Withheld("another option would be in the same place")
        unseen = sum(not hinted(view, o, camera.t_s) for o in others)
        if not unseen:
            raise Withheld("the second picture shows all other options")
        return Solved(
            Pick(thing.label, tuple(Wrong(o.label, OTHER_OBJECT, _metres(thing, o)) for o in others)), {},
            marks={"region": render([BoxMark(*mark.edges)])},
            says=thing.label, margin=round(1.0 - max(overlaps), 6), margin_unit="IoU",
            rationale=(f"The first picture shows where the {thing.label} stands.",
                       "Seen from the second picture's place it would be in the marked region, behind what stands in front.",),
            labels=self.labels_of(view, (thing, *others)), sightings=self.shared_sightings(view),
            source="boxes3d, cameras and boxes", difficulty={"unseen_options": float(unseen + 1)},
        )  # fmt: skip

    def _mark(self, view: View, camera: Camera, thing: SpaceObject) -> Box | None:
        seen = [s for s in view.space.seen_at(camera.t_s) if s.object_id == thing.object_id]
        if any(s.visibility is None or s.visibility >= self.rule.hidden for s in seen):
            return None
        box, share, central = projected(camera, thing)
        return box if box is not None and central and share >= self.rule.inside else None

    @staticmethod
    def _overlap(view: View, camera: Camera, thing: SpaceObject, mark: Box) -> float:
        box = picture_box(thing.box, camera)
        shared = box.intersection(mark) if box is not None else None
        if box is None or shared is None:
            return 0.0
        return iou(box, mark) if hinted(view, thing, camera.t_s) else shared.area / mark.area


class DistanceComparison(TwoViewsKind):
    """Which of some things is nearest to another one, which only the other picture shows: `box_box` of their boxes.

    The reference is clear in one picture only, all candidates are clear in the other one only. The runner-up is `near_m` and
    `near_share` of its own distance farther.
    """

    name = "distance_comparison"

    def candidates(self, view: View) -> Iterable[About]:
        """Every reference with every set of candidates of the greatest size that there is."""
        things = view.named_still()
        for reference in things:
            others = [o for o in things if o is not reference and self._apart(view, reference, o)]
            if len(others) < self.rule.candidates:
                continue
            for chosen in combinations(others, min(self.rule.options, len(others))):
                yield About((reference.object_id, *(o.object_id for o in chosen)), view.stills)

    def _apart(self, view: View, reference: SpaceObject, other: SpaceObject) -> bool:
        if self.rule.variant != "two":
            return True
        own, theirs = self.only_in(view, reference), self.only_in(view, other)
        return own is not None and theirs is not None and own != theirs

    def solve(self, view: View, about: About) -> Solved:
        """One of some things."""
        reference, *others = view.asked(about)
        view.require_named(reference, *others)
        view.require_still(reference, *others)
        if not self.rule.candidates <= len(others) <= self.rule.options:
            raise Withheld("too few candidates in the other picture")
        sightings = self.evidence(view, (reference, *others))
        if not all(self._apart(view, reference, o) for o in others):
            raise Withheld("one picture shows the reference and a candidate")
        apart = sorted(((box_box(reference.box, o.box), o) for o in others), key=lambda p: (p[0], p[1].label))
        (best, nearest), (runner_up, _) = apart[:2]
        lead = runner_up - best
        if lead < view.least(self.rule.near_m) or lead < self.rule.near_share * runner_up:
            raise Withheld("two candidates are about as near")
        wrong = tuple(Wrong(o.label, OTHER_OBJECT, round(d - best, 6)) for d, o in apart[1:])
        return Solved(
            Pick(nearest.label, wrong), {"thing": reference.label},
            says=" ".join(f"{o.label} {d:.4f}" for d, o in apart), margin=round(lead, 6),
            rationale=(f"What the pictures share tells how they fit together, and so where the {reference.label} stands among "
                       "the others.", f"The {nearest.label} is nearest to it."),
            labels=self.labels_of(view, (reference, *others)), sightings=sightings, source="boxes3d",
            difficulty={"candidates": float(len(others))},
            chain=lambda trail: _nearest(trail, reference, others, view.least(self.rule.near_m)),
        )  # fmt: skip


class AzimuthTransfer(TwoViewsKind):
    """Standing at one thing and facing a second, where is a third that only the other picture shows?

    `ego_angle` of the centres on the ground, in the sectors of the level. The stand and the faced thing are clear in one
    picture, which does not hint at the third; the third is clear in the other, which lacks the stand or the faced thing. All
    distances on the ground lie in `pair_m`, no more than `corners` corners of the third lie in another sector than its centre.
    """

    name = "azimuth_transfer"

    def candidates(self, view: View) -> Iterable[About]:
        """Every stand, faced thing and third thing."""
        return (
            About(tuple(o.object_id for o in three), view.stills)
            for three in permutations(view.named_still(), 3)
            if self._apart(view, *three)
        )  # fmt: skip

    def _apart(self, view: View, stand: SpaceObject, face: SpaceObject, query: SpaceObject) -> bool:
        if self.rule.variant != "two":
            return True
        theirs = self.only_in(view, query)
        if theirs is None:
            return False
        own = view.stills[1 - theirs]
        if clear_in(view, stand, own) is None or clear_in(view, face, own) is None:
            return False
        return not (hinted(view, stand, view.stills[theirs]) and hinted(view, face, view.stills[theirs]))

    def solve(self, view: View, about: About) -> Solved:
        """A direction."""
        three = view.asked(about, 3)
        stand, face, query = three
        view.require_named(*three)
        view.require_still(*three)
        sightings = self.evidence(view, three)
        if not self._apart(view, *three):
            raise Withheld("one picture shows all three")
        places = [np.asarray(o.box.centre, np.float64) for o in three]
        low, high = self.rule.pair_m
        for a, b in combinations(places, 2):
            apart = float(np.linalg.norm((a - b)[:2]))
            if apart < view.least(low) or (view.metric and apart > high):
                raise Withheld("too near to each other, or too far")
        sectors, angle = LEVELS[self.rule.level], float(ego_angle(*places))
        right, margin = sectors.name(angle), sectors.margin_deg(angle)
        if not right or margin < self.rule.sector_deg:
            raise Withheld("between two directions")
        if corner_votes(places[0], places[1], query.box, sectors) > self.rule.corners:
            raise Withheld("it spreads over two directions")
        wrong = tuple(
            Wrong(_said(w), OTHER_DIRECTION, round(_to_sector(angle, i, sectors.bounds), 6))
            for i, w in enumerate(sectors.names)
            if w and w != right
        )
        return Solved(
            Pick(_said(right), wrong), {"stand": stand.label, "face": face.label, "thing": query.label}, says=f"{angle:.4f}",
            margin=round(margin, 6), margin_unit="deg",
            rationale=(f"I imagine standing at the {stand.label}, facing the {face.label}, and place the {query.label} by what "
                       "the pictures share.", f"It is to the {right}." if right != "back" else "It is behind."),
            labels=self.labels_of(view, three), sightings=sightings, source="boxes3d",
            difficulty={"corner_votes": float(corner_votes(places[0], places[1], query.box, sectors))},
        )  # fmt: skip


def _nearest(trail: Trail, reference: SpaceObject, others: Sequence[SpaceObject], least: float) -> str:
    """The steps: the boxes, their distances, and which is least."""
    own = read_box(trail, reference)
    apart = [trail.compute("box_distance", own, read_box(trail, o)) for o in others]
    return trail.compute("least_of", *apart, names=[o.label for o in others], gap=round(least - 1e-9, 9))


def _said(sector: str) -> str:
    return "behind" if sector == "back" else sector


def _to_sector(angle: float, index: int, bounds: Sequence[float]) -> float:
    """Degrees from an angle to the nearer end of a sector that it does not lie in."""
    ends = (bounds[index], bounds[(index + 1) % len(bounds)])
    return float(min(abs((angle - e + 180.0) % 360.0 - 180.0) for e in ends))


def _metres(a: SpaceObject, b: SpaceObject) -> float:
    return round(float(np.linalg.norm(np.subtract(a.box.centre, b.box.centre))), 6)
