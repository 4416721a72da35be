"""Questions about things and the camera of single pictures: how far away, which is nearest, how that changes, on which side.

A thing is the only visible one of its label in that picture, and clearly seen. How two things lie to each other is asked in
`camera_pairs.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, islice, pairwise

import numpy as np

from ...engine.distractors.vocabulary import OPPOSITE, OTHER_DIRECTION, OTHER_OBJECT
from ...schemas.chain_building import Trail
from ...schemas.chain_space import BOX_COLUMNS, PLACE_COLUMNS, POSE_COLUMNS
from ...schemas.geometry.box3d import Box3D
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.directions import OPPOSITE_QUARTER, QUARTERS, ego_angle
from ...schemas.geometry.distances import point_box
from ...schemas.geometry.numbers import round_half_up
from ...schemas.ids import seeded_fraction
from ...schemas.space import SpaceObject
from ..tasks.common import Withheld
from .ask import About, Kind, Number, Pick, Second, Solved, Wrong
from .camera_rule import PictureRule
from .certainty import agree, away_by_points, sure_direction, sure_order, with_points
from .numbers import ChoiceRule
from .view import View

MOST = 1500
"""Candidates of a kind that are listed, at most."""


class CameraKind(Kind):
    """A kind about stills and where they were taken from."""

    medium = "stills"

    def __init__(self, rule: PictureRule) -> None:
        self.rule = rule

    def one(self, view: View, about: About, count: int) -> tuple[float, Camera, tuple[SpaceObject, ...]]:
        """Time, camera and things of a question about one picture; each the only one of its label there. Raises `Withheld`."""
        if len(about.times) != 1:
            raise Withheld("it is asked about one picture")
        t_s = about.times[0]
        things = view.asked(about, count)
        view.picture(t_s)
        view.require_alone(t_s, *things)
        return t_s, view.camera(t_s), things


def box_at(thing: SpaceObject, t_s: float) -> Box3D:
    """Its box at a time. Raises `Withheld` where a moving thing has none."""
    box = thing.at(t_s)
    if box is None:
        raise Withheld("where it is at that time is unknown")
    return box


class CameraDistance(CameraKind):
    """How far the camera is from the nearest point of a thing, to a tenth of a metre."""

    name = "cam_obj_abs_dist"
    scale = True

    def candidates(self, view: View) -> Iterable[About]:
        """Every picture and every thing alone in it."""
        return (About((o.object_id,), (t,)) for t in view.stills for o in view.alone_in_frame(t) if not o.moving)

    def solve(self, view: View, about: About) -> Solved:
        """Distance from the camera's centre to the box; to the points."""
        t_s, camera, (thing,) = self.one(view, about, 1)
        view.require_still(thing)
        away = float(point_box(camera.centre, thing.box))
        low, high = self.rule.distance_m
        if not low <= away <= high:
            raise Withheld("too near or too far")
        number = Number(round_half_up(away, 1), "m", 1)
        return Solved(
            number, {"picture": view.picture(t_s), "thing": thing.label}, says=f"{away:.6f}",
            rationale=(f"In {view.picture(t_s)} I look for the part of the {thing.label} that is nearest to the camera.",
                       f"From there to the camera it is about {number.text} m."),
            labels=(thing.label,), sightings=view.of_labels(t_s, thing), points=with_points(thing),
            second=_by_points(camera, thing, away, self.rule), source="boxes3d and cameras",
            chain=lambda trail: trail.compute("rounded", _away(trail, camera, thing), decimals=1),
        )  # fmt: skip


class CameraNearest(CameraKind):
    """Which of four, three or two things in a picture is nearest to the camera."""

    name = "cam_obj_rel_dist"
    even = True
    numbers = (4, 3, 2)

    def candidates(self, view: View) -> Iterable[About]:
        """Sets of things alone in a picture."""
        for variant, number in enumerate(self.numbers):
            found = (
                About(tuple(o.object_id for o in chosen), (t,), variant)
                for t in view.stills
                for chosen in combinations([o for o in view.alone_in_frame(t) if not o.moving], number)
            )
            yield from islice(found, MOST // len(self.numbers))

    def solve(self, view: View, about: About) -> Solved:
        """The least distance from the camera's centre to a box; all differ by the gap."""
        if about.variant >= len(self.numbers):
            raise Withheld("not as many things as the question has options")
        t_s, camera, things = self.one(view, about, self.numbers[about.variant])
        view.require_still(*things)
        away = [float(point_box(camera.centre, o.box)) for o in things]
        ordered = sorted(away)
        if ordered[0] < view.least(self.rule.nearest_m):
            raise Withheld("too near or too far")
        gap = view.least(self.rule.gap_m)
        if min(b - a for a, b in pairwise(ordered)) < gap or not sure_order(view, away):
            raise Withheld("two of them are about as near")
        names = [o.label for o in things]
        right = names[away.index(ordered[0])]
        wrong = tuple(
            Wrong(n, OTHER_OBJECT, round(d - ordered[0], 6)) for n, d in zip(names, away, strict=True) if n != right
        )
        found = [away_by_points(camera, o) for o in things]
        known = [d for d in found if d is not None]
        second = None
        if len(known) == len(found):
            says = ", ".join(f"{n} {d:.4f}" for n, d in zip(names, known, strict=True))
            second = Second("points", says, names[known.index(min(known))] == right)
        listed = sorted(names, key=lambda n: seeded_fraction("listed", n, sorted(names)))
        return Solved(
            Pick(right, wrong), {"picture": view.picture(t_s), "others": ", ".join(listed[:-1]) + " and " + listed[-1]},
            says=", ".join(f"{n} {d:.4f}" for n, d in zip(names, away, strict=True)), margin=ordered[1] - ordered[0],
            rationale=(f"I compare how far they are from the camera in {view.picture(t_s)}, to their nearest points.",
                       f"The {right} is nearest."),
            labels=tuple(names), sightings=view.of_labels(t_s, *things), points=with_points(*things), second=second,
            source="boxes3d and cameras", difficulty={"options": float(len(names))},
            chain=lambda trail: trail.compute("least_of", *(_away(trail, camera, o) for o in things), names=names),
        )  # fmt: skip


class CameraDistanceChange(CameraKind):
    """By how many metres the distance from camera to thing changes from one picture to a later one: negative is nearer."""

    name = "cam_obj_dist_change"
    scale = True

    def candidates(self, view: View) -> Iterable[About]:
        """Things alone in both of two pictures."""
        alone = {t: {o.object_id: o for o in view.alone_in_frame(t) if not o.moving} for t in view.stills}
        for a, b in combinations(view.stills, 2):
            yield from (About((i,), (a, b)) for i in alone[a] if i in alone[b])

    def solve(self, view: View, about: About) -> Solved:
        """The later distance less the earlier one."""
        (thing,) = view.asked(about, 1)
        first, second = two_pictures(view, about)
        for t in about.times:
            view.require_alone(t, thing)
        view.require_still(thing)
        before, after = (float(point_box(c.centre, thing.box)) for c in (first, second))
        change = after - before
        low, high = self.rule.distance_m
        if not low <= min(before, after) <= max(before, after) <= high:
            raise Withheld("too near or too far")
        if abs(change) < self.rule.change_m:
            raise Withheld("hardly any change")
        number = Number(round_half_up(change, 1), "m", 1)
        found = [away_by_points(c, thing) for c in (first, second)]
        other = None
        if found[0] is not None and found[1] is not None:
            other = Second(
                "points",
                f"{found[1] - found[0]:.6f}",
                agree(change, found[1] - found[0], self.rule.tolerance_m, self.rule.tolerance),
            )
        words = "nearer" if change < 0 else "farther away"
        return Solved(
            number, {"first": view.picture(about.times[0]), "second": view.picture(about.times[1]), "thing": thing.label},
            says=f"{change:.6f}", margin=abs(change), group=words,
            rationale=(f"I estimate how far the camera is from the {thing.label} in both pictures.",
                       f"In the later one it is {words}, so the change is {number.text} m."),
            labels=(thing.label,), sightings=(*view.of_labels(about.times[0], thing), *view.of_labels(about.times[1], thing)),
            points=with_points(thing), second=other, source="boxes3d and cameras",
            chain=lambda trail: trail.compute("rounded", _changed(trail, first, second, thing), decimals=1),
        )  # fmt: skip

    def choice(self, number: Number, rule: ChoiceRule, *seed: object) -> Pick:
        """Numbers of the right sign and of the wrong one: as many wrong ones mirrored as not."""
        size = super().choice(Number(abs(number.value), number.unit, number.decimals), rule, *seed)
        sign = "-" if number.value < 0 else ""
        other = "" if sign else "-"
        wrong = [Wrong(other + size.right, OPPOSITE, round(2.0, 6))]
        near = min(size.wrong, key=lambda w: seeded_fraction(*seed, "kept", w.text))
        wrong += [Wrong(sign + near.text, near.kind, near.margin), Wrong(other + near.text, OPPOSITE, near.margin)]
        return Pick(sign + size.right, tuple(wrong))


class CameraDirection(CameraKind):
    """Where a thing that another picture shows lies for who holds the camera of this one: ahead, left, right or behind."""

    name = "cam_obj_direction"
    gravity = True

    def candidates(self, view: View) -> Iterable[About]:
        """Named things that are clearly seen in some picture, and pictures that do not show them."""
        for t in view.stills:
            shown = {s.object_id for s in view.space.seen_at(t)}
            yield from (About((o.object_id,), (t,)) for o in view.named() if o.object_id not in shown and not o.moving)

    def solve(self, view: View, about: About) -> Solved:
        """The quarter of the circle around the camera's heading on the ground."""
        (thing,) = view.asked(about, 1)
        if len(about.times) != 1:
            raise Withheld("it is asked about one picture")
        t_s = about.times[0]
        camera = view.camera(t_s)
        view.require_named(thing)
        view.require_still(thing)
        if not camera.observed or any(s.object_id == thing.object_id for s in view.space.seen_at(t_s)):
            raise Withheld("the picture may show it")
        ahead = camera.centre + camera.forward
        away = float(np.linalg.norm(np.asarray(thing.box.centre)[:2] - camera.centre[:2]))
        if away < view.least(self.rule.aside_m) or float(np.hypot(*camera.forward[:2])) < 0.5:
            raise Withheld("no direction on the ground")
        angle = float(ego_angle(camera.centre[:2], ahead[:2], np.asarray(thing.box.centre)[:2]))
        right, margin = QUARTERS.name(angle), QUARTERS.margin_deg(angle)
        if not sure_direction(view, margin, [away], self.rule.sector_deg):
            raise Withheld("between two directions")
        seen = view.clearest(thing)
        wrong = tuple(
            Wrong(n, OPPOSITE if OPPOSITE_QUARTER[right] == n else OTHER_DIRECTION, round(margin, 6))
            for n in OPPOSITE_QUARTER
            if n != right
        )
        return Solved(
            Pick(right, wrong), {"picture": view.picture(t_s), "thing": thing.label}, says=f"{angle:.6f}", margin=margin,
            margin_unit="deg",
            rationale=(f"The {thing.label} is seen in {view.picture(seen.t_s)}, from where I can place it in the room.",
                       f"For who took {view.picture(t_s)} it lies {_lies(right)}."),
            labels=(thing.label,), sightings=(seen,), source="boxes3d and cameras",
            chain=lambda trail: _side(trail, camera, thing),
        )  # fmt: skip


def _by_points(camera: Camera, thing: SpaceObject, away: float, rule: PictureRule) -> Second | None:
    found = away_by_points(camera, thing)
    return (
        None
        if found is None
        else Second("points", f"{found:.6f}", agree(away, found, rule.tolerance_m, rule.tolerance))
    )


def two_pictures(view: View, about: About) -> tuple[Camera, Camera]:
    """The cameras of two pictures, the earlier one first. Raises `Withheld`."""
    if len(about.times) != 2 or not about.times[0] < about.times[1]:
        raise Withheld("it is asked about an earlier and a later picture")
    for t in about.times:
        view.picture(t)
    return view.camera(about.times[0]), view.camera(about.times[1])


def _lies(side: str) -> str:
    return {"ahead": "ahead", "behind": "behind"}.get(side, f"to the {side}")


def read_pose(trail: Trail, camera: Camera) -> str:
    """The step that looks up where a camera is."""
    assert camera.row is not None
    return trail.read("cameras", [camera.row], *POSE_COLUMNS, pooled=True)


def read_box(trail: Trail, thing: SpaceObject) -> str:
    """The step that looks up where a thing is."""
    return trail.read("boxes3d", thing.rows[:1], *BOX_COLUMNS, pooled=True)


def _away(trail: Trail, camera: Camera, thing: SpaceObject) -> str:
    return trail.compute("camera_distance", read_pose(trail, camera), read_box(trail, thing))


def _changed(trail: Trail, first: Camera, second: Camera, thing: SpaceObject) -> str:
    return trail.compute("difference", _away(trail, first, thing), _away(trail, second, thing))


def _side(trail: Trail, camera: Camera, thing: SpaceObject) -> str:
    place = trail.read("boxes3d", thing.rows[:1], *PLACE_COLUMNS, pooled=True)
    return trail.compute("side_of", read_pose(trail, camera), place)
