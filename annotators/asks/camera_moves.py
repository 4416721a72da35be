"""Questions about the camera's own way between two pictures: how far, along which way, how it moved and turned.

A movement or turn is named only when one axis clearly leads and most steps between the pictures go that way: a camera that went
forward and back has no net movement, and one that wandered has no direction. The second answer comes from the poses between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

import numpy as np

from ...engine.distractors.vocabulary import OPPOSITE, OTHER_AXIS
from ...schemas.chain_building import Trail
from ...schemas.chain_space import POSE_COLUMNS, turn_words
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.numbers import round_half_up
from ...schemas.geometry.poses import Turn, move_between, path_length, turn_between
from ...schemas.ids import seeded_fraction
from ...schemas.span import to_us
from ..tasks.common import Withheld
from .ask import About, Number, Pick, Second, Solved, Wrong
from .camera_things import CameraKind, read_pose, two_pictures
from .view import View

OPPOSITES = {
    "forward": "backward", "backward": "forward", "left": "right", "right": "left", "up": "down", "down": "up",
    "clockwise": "anticlockwise", "anticlockwise": "clockwise",
}  # fmt: skip
MOVES = ("forward", "backward", "left", "right")


class Between(CameraKind):
    """A kind about two pictures, the earlier one first."""

    variants = 1

    def candidates(self, view: View) -> Iterable[About]:
        """All pairs of pictures, in all variants."""
        for a, b in combinations(view.stills, 2):
            yield from (About((), (a, b), variant) for variant in range(self.variants))

    def steps(self, view: View, about: About) -> tuple[Camera, ...]:
        """Cameras from the first picture to the second, `step_s` apart; both ends among them."""
        start, end = about.times
        every = view.between(start, end)
        kept = [every[0]]
        for camera in every[1:-1]:
            if to_us(camera.t_s) - to_us(kept[-1].t_s) >= to_us(self.rule.step_s):
                kept.append(camera)
        return (*kept, every[-1])

    def slots(self, view: View, about: About) -> dict[str, str]:
        """What the question calls both pictures."""
        return {"first": view.picture(about.times[0]), "second": view.picture(about.times[1])}

    def agreeing(self, values: Sequence[float]) -> bool:
        """Whether enough of the steps that count go the way of their sum."""
        total = sum(values)
        moving = [v for v in values if abs(v) > 1e-9]
        return bool(moving) and sum((v > 0) == (total > 0) for v in moving) >= self.rule.consistent * len(moving)


class Displacement(Between):
    """The straight line between the two places, to a tenth of a metre; not the way."""

    name = "cam_displacement"
    scale = True

    def solve(self, view: View, about: About) -> Solved:
        """Distance of the cameras' centres."""
        first, second = two_pictures(view, about)
        apart = float(np.linalg.norm(second.centre - first.centre))
        low, high = self.rule.distance_m
        if not low <= apart <= high:
            raise Withheld("too near or too far")
        number = Number(round_half_up(apart, 1), "m", 1)
        return Solved(
            number, self.slots(view, about), says=f"{apart:.6f}",
            rationale=("I compare where the camera stands in the two pictures.",
                       f"In a straight line the two places are about {number.text} m apart."),
            source="cameras", needs=("vision", "motion", "3d"),
            chain=lambda trail: _apart(trail, first, second),
        )  # fmt: skip


class PathLength(Between):
    """The length of the way from one place to the other, to a tenth of a metre."""

    name = "cam_path_length"
    scale = True

    def solve(self, view: View, about: About) -> Solved:
        """Sum of the steps between; not shorter than the straight line."""
        first, second = two_pictures(view, about)
        between = self.steps(view, about)
        way, line = path_length(between), float(np.linalg.norm(second.centre - first.centre))
        low, high = self.rule.distance_m
        if not low <= way <= high:
            raise Withheld("too near or too far")
        if len(between) < 4:
            raise Withheld("too few cameras between")
        coarse = path_length((*between[:-1:2], between[-1]))
        number = Number(round_half_up(way, 1), "m", 1)
        return Solved(
            number, self.slots(view, about), says=f"{way:.6f}", margin=way - line,
            rationale=("I follow the camera from place to place and add up the pieces of its way.",
                       f"Together they make about {number.text} m."),
            cameras=tuple(c.t_s for c in between), source="cameras", needs=("vision", "motion", "3d"),
            second=Second("every other camera", f"{coarse:.6f}",
                          abs(way - coarse) <= max(self.rule.tolerance_m, self.rule.tolerance * way)),
            chain=lambda trail: _way(trail, between),
        )  # fmt: skip


class MoveDirection(Between):
    """Forward, backward, left or right: the way in which the camera moved, as it looked in the first picture."""

    name = "cam_move_dir"
    variants = 3
    numbers = (4, 3, 2)

    def solve(self, view: View, about: About) -> Solved:
        """The axis along which it moved most, with dominance and consistent steps."""
        first, second = two_pictures(view, about)
        x, _, z = (float(v) for v in move_between(first, second))
        along_z = abs(z) >= abs(x)
        strong, weak = (abs(z), abs(x)) if along_z else (abs(x), abs(z))
        number = self.numbers[about.variant]
        least = view.least(self.rule.move_m[0 if number == 4 else 1])
        if strong <= least:
            raise Withheld("hardly any movement")
        if strong < self.rule.dominance * weak:
            raise Withheld("no axis is clearly the one")
        right = ("forward" if z > 0 else "backward") if along_z else ("right" if x > 0 else "left")
        axis = first.rotation[:, 2 if along_z else 0]
        between = self.steps(view, about)
        parts = [float((b.centre - a.centre) @ axis) for a, b in pairwise(between)]
        parts = [p for p, (a, b) in zip(parts, pairwise(between), strict=True)
                 if np.linalg.norm(b.centre - a.centre) > view.least(self.rule.still_m)]  # fmt: skip
        if not self.agreeing(parts):
            raise Withheld("not a consistent movement")
        wrong = _others(right, MOVES, number, *about.times)
        return Solved(
            Pick(right, tuple(Wrong(n, OPPOSITE if OPPOSITES[right] == n else OTHER_AXIS, round(strong - weak, 6)) for n in wrong)),
            self.slots(view, about), says=f"{x:.4f} right, {z:.4f} forward", margin=strong - least,
            rationale=("I take the way in which the camera looks in the earlier picture as forward.",
                       f"From there to the later picture it moves {_way_words(right)}."),
            cameras=tuple(c.t_s for c in between), source="cameras", needs=("vision", "motion", "3d"),
            second=Second("cameras between", f"{sum(p * np.sign(sum(parts)) > 0 for p in parts)} of {len(parts)} steps", True),
            difficulty={"options": float(number)},
            chain=lambda trail: _moved(trail, first, second, least, self.rule.dominance),
        )  # fmt: skip


class Rotation(Between):
    """To the right, left, up, down, clockwise or anticlockwise: the way in which the camera turned."""

    name = "cam_rotation"

    def solve(self, view: View, about: About) -> Solved:
        """The axis about which it turned most; the steps between add up to the same turn."""
        first, second, turn, name = self.turned(view, about)
        size = max(turn)
        between = self.steps(view, about)
        return Solved(
            Pick(turn_words(name), (Wrong(turn_words(OPPOSITES[name]), OPPOSITE, round(size, 6)),)),
            self.slots(view, about), says=f"{size:.4f} {name}", margin=size - self.rule.turn_deg[0], margin_unit="deg",
            rationale=("I compare what the camera looks at in the two pictures.", f"It has turned {turn_words(name)}."),
            cameras=tuple(c.t_s for c in between), source="cameras", needs=("vision", "motion"),
            second=self.summed(between, name, size), chain=lambda trail: _turned(trail, first, second, self.rule.turn_deg[0], self.rule.dominance),
        )  # fmt: skip

    def turned(self, view: View, about: About) -> tuple[Camera, Camera, tuple[float, float, float], str]:
        """Both cameras, the three parts of the turn, degrees, and the name of the greatest. Raises `Withheld`."""
        first, second = two_pictures(view, about)
        turn = turn_between(first, second)
        parts = [
            ("right", "left", turn.right_deg),
            ("up", "down", turn.up_deg),
            ("clockwise", "anticlockwise", turn.clockwise_deg),
        ]
        parts.sort(key=lambda p: -abs(p[2]))
        size, next_one = abs(parts[0][2]), abs(parts[1][2])
        least, most = self.rule.turn_deg
        if not least <= size <= most:
            raise Withheld("hardly any turn, or nearly all the way round")
        if size < self.rule.dominance * next_one:
            raise Withheld("no axis is clearly the one")
        name = parts[0][0] if parts[0][2] > 0 else parts[0][1]
        sizes = (abs(parts[0][2]), abs(parts[1][2]), abs(parts[2][2]))
        between = self.steps(view, about)
        steps = [_part(turn_between(a, b), name) for a, b in pairwise(between)]
        if not self.agreeing(steps):
            raise Withheld("not a consistent turn")
        return first, second, sizes, name

    def summed(self, between: Sequence[Camera], name: str, size: float) -> Second:
        """The same turn added up step by step, which also tells a turn of 100 degrees from one of 460."""
        total = sum(_part(turn_between(a, b), name) for a, b in pairwise(between))
        return Second("cameras between", f"{total:.4f}", abs(total - size) <= max(5.0, 0.15 * size))


class RotationDegrees(Rotation):
    """By how many degrees the camera turned, whichever way."""

    name = "cam_rotation_deg"

    def solve(self, view: View, about: About) -> Solved:
        """The size of the turn about its greatest axis, whole degrees."""
        first, second, turn, name = self.turned(view, about)
        number = Number(round_half_up(max(turn)), "deg")
        between = self.steps(view, about)
        return Solved(
            number, self.slots(view, about), says=f"{max(turn):.6f}", margin_unit="deg",
            rationale=(f"I see that the camera has turned {turn_words(name)}.", f"It is a turn of about {number.text} degrees."),
            cameras=tuple(c.t_s for c in between), source="cameras", needs=("vision", "motion"),
            second=self.summed(between, name, max(turn)),
            chain=lambda trail: trail.compute("turn_size", read_pose(trail, first), read_pose(trail, second), decimals=0),
        )  # fmt: skip


def _part(turn: Turn, name: str) -> float:
    """The part of a small turn in the way of that name, degrees."""
    sign = {"left": -1.0, "down": -1.0, "anticlockwise": -1.0}.get(name, 1.0)
    of = {"right": turn.right_deg, "left": turn.right_deg, "up": turn.up_deg, "down": turn.up_deg}
    return sign * of.get(name, turn.clockwise_deg)


def _others(right: str, names: Sequence[str], count: int, *seed: object) -> list[str]:
    """Wrong names, each equally likely to be among fewer than all: what stands beside the right one says nothing."""
    drawn = sorted((n for n in names if n != right), key=lambda n: seeded_fraction(*seed, n))
    return drawn[: count - 1]


def _way_words(name: str) -> str:
    return f"to the {name}" if name in ("left", "right") else name


def _apart(trail: Trail, first: Camera, second: Camera) -> str:
    found = trail.compute("displacement", read_pose(trail, first), read_pose(trail, second))
    return trail.compute("rounded", found, decimals=1)


def _way(trail: Trail, between: Sequence[Camera]) -> str:
    poses = trail.read("cameras", [c.row for c in between if c.row is not None], *POSE_COLUMNS, pooled=True)
    return trail.compute("rounded", trail.compute("way_length", poses), decimals=1)


def _moved(trail: Trail, first: Camera, second: Camera, least: float, ratio: float) -> str:
    return trail.compute("move_axis", read_pose(trail, first), read_pose(trail, second), least=least, ratio=ratio)


def _turned(trail: Trail, first: Camera, second: Camera, least: float, ratio: float) -> str:
    found = trail.compute("turn_axis", read_pose(trail, first), read_pose(trail, second), least=least, ratio=ratio)
    return trail.compute("turn_words", found)
