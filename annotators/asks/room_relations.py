"""Comparisons in a room: which thing is nearest, where one lies for who stands here and faces there, which is seen first.

Nearest is by the smallest distance of boxes, over all instances of a label; directions are of centres on the ground. Margins
are two-sided, and hold in metres or, at unit scale, as shares of the scene's diagonal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, islice, pairwise, permutations, product
from typing import Literal

import numpy as np

from ...engine.distractors.vocabulary import OPPOSITE, OTHER_DIRECTION, OTHER_OBJECT, OTHER_ORDER
from ...schemas.chain_building import Trail
from ...schemas.chain_space import BOX_COLUMNS, PLACE_COLUMNS
from ...schemas.geometry.area import polygon_area
from ...schemas.geometry.directions import LEVELS, Sectors, corner_votes, ego_angle
from ...schemas.geometry.distances import box_pairs, cloud_cloud
from ...schemas.ids import seeded_fraction
from ...schemas.space import Sighting, SpaceObject
from ..tasks.common import Withheld, shuffled
from .ask import About, Pick, Ranking, Second, Solved, Wrong
from .certainty import sure_direction, sure_order, with_points
from .room_things import RoomKind
from .view import View

LEVEL_NAMES: tuple[Literal["easy", "medium", "hard"], ...] = ("easy", "medium", "hard")
MOST = 4000
"""Candidates of a kind that are listed, at most."""
OPPOSITES = {
    "left": "right", "right": "left", "front-left": "back-right", "back-right": "front-left",
    "front-right": "back-left", "back-left": "front-right",
}  # fmt: skip


class RelativeDistance(RoomKind):
    """Which of four, three or two things is nearest to a given one."""

    name = "obj_rel_dist"
    numbers = (4, 3, 2)

    def candidates(self, view: View) -> Iterable[About]:
        """A named thing, and sets of other labels; in an order that labels give."""
        labels = self.still_labels(view)
        per_number = MOST // len(self.numbers)
        for variant, number in enumerate(self.numbers):
            found = (
                About(
                    objects=(one.object_id, *(view.space.by_label[label][0].object_id for label in others)),
                    variant=variant,
                )
                for one in view.named_still()
                for others in combinations([label for label in labels if label != one.label], number)
            )
            yield from islice(found, per_number)

    def solve(self, view: View, about: About) -> Solved:
        """The label whose nearest instance is nearest; all distances differ by the gap."""
        one, *others = view.asked(about)
        if about.variant >= len(self.numbers) or len(others) != self.numbers[about.variant]:
            raise Withheld("not as many things as the question has options")
        view.require_named(one)
        groups = [view.space.by_label[o.label] for o in others]
        if one.label in {o.label for o in others} or len({o.label for o in others}) < len(others):
            raise Withheld("one label twice")
        view.require_still(one, *(o for group in groups for o in group))
        seen = [view.clearest(one)]
        for group in groups:
            seen += self._seen(view, group)
        distances = [min(_boxes_apart(one, group)) for group in groups]
        ordered = sorted(distances)
        least, gap = view.least(self.rule.nearest_m), view.least(self._gap_m(view))
        if ordered[0] < least:
            raise Withheld("the nearest one is too close")
        closest = min(b - a for a, b in pairwise(ordered))
        if closest <= gap or not sure_order(view, distances):
            raise Withheld("two of them are about as near")
        names = [o.label for o in others]
        nearest = distances.index(ordered[0])
        wrong = [
            Wrong(n, OTHER_OBJECT, round(d - ordered[0], 6))
            for n, d in zip(names, distances, strict=True)
            if n != names[nearest]
        ]
        every = [one, *(o for group in groups for o in group)]
        listed = sorted(names, key=lambda n: seeded_fraction("listed", one.label, n))
        return Solved(
            Pick(names[nearest], tuple(wrong)), {"thing": one.label, "others": _and(listed)},
            says=", ".join(f"{n} {d:.4f}" for n, d in zip(names, distances, strict=True)), margin=ordered[1] - ordered[0],
            rationale=(
                f"From the {one.label} I compare the way to each of them, always to the nearest point.",
                f"The {names[nearest]} is the nearest; the {names[distances.index(ordered[1])]} is farther away.",
            ),
            labels=(one.label, *names), sightings=tuple(seen), points=with_points(*every),
            second=_nearest_by_points(one, groups, names, nearest), difficulty={"options": float(len(names))},
            chain=lambda trail: _nearest(trail, one, groups, names),
        )  # fmt: skip

    def _gap_m(self, view: View) -> float:
        """The gap of a small room, or of a large one; a room of unknown area counts as large."""
        scene = view.space.scene
        area = scene["room_area_m2"] or (polygon_area(scene["polygon"]) if scene["polygon"] else None)
        small = view.metric and area is not None and area <= self.rule.large_m2
        return self.rule.gap_m if small else self.rule.gap_large_m

    @staticmethod
    def _seen(view: View, group: Sequence[SpaceObject]) -> list[Sighting]:
        """The best sighting of each; one of them is clear, all can be made out. Raises `Withheld`."""
        best = [max(view.sightings(o), key=lambda s: (s.area or 0.0, -s.t_s), default=None) for o in group]
        found = [s for s in best if s is not None and view.seen.holds(s)]
        if len(found) < len(group) or not any(view.clearly.holds(s) for s in found):
            raise Withheld("not clearly visible in what is shown")
        return found


class RelativeDirection(RoomKind):
    """Where the third thing lies for who stands at the first and faces the second: halves, with behind, or quarters."""

    name = "obj_rel_dir"
    gravity = True

    def candidates(self, view: View) -> Iterable[About]:
        """Ordered triples of named things, at each level."""
        triples = islice(permutations(view.named_still(), 3), MOST // 3)
        for (a, b, c), variant in product(triples, range(len(LEVEL_NAMES))):
            yield About(objects=(a.object_id, b.object_id, c.object_id), variant=variant)

    def solve(self, view: View, about: About) -> Solved:
        """The sector of the angle at the first, with a margin on both sides."""
        stand, face, query = view.asked(about, 3)
        view.require_named(stand, face, query)
        view.require_still(stand, face, query)
        level = LEVEL_NAMES[about.variant]
        sectors = LEVELS[level]
        places = [np.asarray(o.box.centre)[:2] for o in (stand, face, query)]
        apart = [float(np.linalg.norm(a - b)) for a, b in combinations(places, 2)]
        low, high = self.rule.pair_m
        if min(apart) < view.least(low) or (view.metric and max(apart) > high):
            raise Withheld("too close to each other, or too far apart")
        angle = float(ego_angle(*places))
        right, margin = sectors.name(angle), sectors.margin_deg(angle)
        if not right:
            raise Withheld("a direction that is not asked about")
        if not sure_direction(view, margin, apart, self.rule.sector_deg):
            raise Withheld("between two directions")
        if corner_votes(stand.box.centre, face.box.centre, query.box, sectors) > self.rule.corners:
            raise Withheld("the thing reaches into another direction")
        wrong = tuple(
            Wrong(n, OPPOSITE if OPPOSITES.get(right) == n else OTHER_DIRECTION, _sector_apart(angle, n, sectors))
            for n in sectors.answers
            if n != right
        )
        return Solved(
            Pick(right, wrong), {"stand": stand.label, "face": face.label, "query": query.label}, says=f"{angle:.6f}",
            margin=margin, margin_unit="deg",
            rationale=(
                f"I imagine standing at the {stand.label} and looking at the {face.label}.",
                f"Seen from there, the {query.label} is {_said(right)}.",
            ),
            labels=(stand.label, face.label, query.label),
            sightings=(view.clearest(stand), view.clearest(face), view.clearest(query)),
            points=with_points(stand, face, query), second=_sector_by_points(stand, face, query, sectors, right),
            difficulty={"angle_deg": angle, "options": float(len(sectors.answers))},
            chain=lambda trail: _direction(trail, (stand, face, query), level),
        )  # fmt: skip


class AppearanceOrder(RoomKind):
    """In which order things of four labels are first seen."""

    name = "appearance_order"

    def candidates(self, view: View) -> Iterable[About]:
        """Sets of labels of which something is clearly seen."""
        labels = [label for label, things in view.space.by_label.items() if any(view.sees(o) for o in things)]
        for chosen in islice(combinations(labels, self.rule.ordered), MOST):
            yield About(objects=tuple(view.space.by_label[label][0].object_id for label in chosen))

    def solve(self, view: View, about: About) -> Solved:
        """By the first time at which something of the label is visible; the first glimpse gives the same order."""
        things = view.asked(about, self.rule.ordered)
        names = [o.label for o in things]
        if len(set(names)) < len(names):
            raise Withheld("one label twice")
        first, glimpse, rows = [], [], []
        for name in names:
            group = view.space.by_label[name]
            seen = sorted((s for o in group for s in view.sightings(o)), key=lambda s: (s.t_s, s.object_id))
            visible = [s for s in seen if view.seen.holds(s)]
            clear = [s for s in seen if view.clearly.holds(s)]
            if not clear or not visible:
                raise Withheld("not clearly visible in what is shown")
            first.append(visible[0].t_s)
            glimpse.append(seen[0].t_s)
            rows += [seen[0], visible[0], clear[0]]
        times = tuple(sorted({s.t_s for s in rows}))
        if not all(view.camera(t).observed for t in times):
            raise Withheld("not everything that is in the picture is known")
        order = sorted(range(len(names)), key=lambda i: first[i])
        margin = min(first[b] - first[a] for a, b in pairwise(order))
        if margin <= self.rule.order_gap_s:
            raise Withheld("two appear at about the same time")
        right = tuple(names[i] for i in order)
        glimpsed = sorted(range(len(names)), key=lambda i: (glimpse[i], i))
        shuffled_names = shuffled(names, "listed", *sorted(names), key=str)
        reply = Ranking(right) if self.rule.order_as == "order" else _orders(right)
        return Solved(
            reply, {"things": _and(shuffled_names)}, says=", ".join(f"{n} {t:.3f}" for n, t in zip(names, first, strict=True)),
            margin=margin, margin_unit="s",
            rationale=(
                "I note for each of them when it comes into view for the first time.",
                f"First comes the {right[0]}, then {_then(right[1:])}.",
            ),
            labels=tuple(names), sightings=tuple(rows), cameras=times, source="boxes",
            second=Second("first glimpses", ", ".join(names[i] for i in glimpsed), glimpsed == order),
            needs=("vision",), chain=lambda trail: _order(trail, names, rows, reply),
        )  # fmt: skip


def _boxes_apart(one: SpaceObject, group: Sequence[SpaceObject]) -> list[float]:
    return [float(d) for d in box_pairs([one.box] * len(group), [o.box for o in group])]


def _nearest_by_points(
    one: SpaceObject, groups: Sequence[Sequence[SpaceObject]], names: Sequence[str], nearest: int
) -> Second | None:
    if one.points is None or any(o.points is None for group in groups for o in group):
        return None
    cloud = one.points
    found = [min(cloud_cloud(cloud, o.points) for o in group if o.points is not None) for group in groups]
    says = ", ".join(f"{n} {d:.4f}" for n, d in zip(names, found, strict=True))
    return Second("points", says, found.index(min(found)) == nearest)


def _middle(thing: SpaceObject) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    """The middle of the space that its points take up along the axes of its box, on the ground."""
    if thing.points is None:
        return None
    local = thing.box.to_local(thing.points)
    middle = (local.min(axis=0) + local.max(axis=0)) / 2
    return np.asarray((middle @ thing.box.matrix + np.asarray(thing.box.centre))[:2])


def _sector_by_points(
    stand: SpaceObject, face: SpaceObject, query: SpaceObject, sectors: Sectors, right: str
) -> Second | None:
    places = [_middle(o) for o in (stand, face, query)]
    a, b, c = places
    if a is None or b is None or c is None:
        return None
    angle = float(ego_angle(a, b, c))
    return Second("points", f"{angle:.4f}", sectors.name(angle) == right)


def _sector_apart(angle_deg: float, name: str, sectors: Sectors) -> float:
    """Degrees from an angle to the nearest direction of another sector."""
    ends = [*sectors.bounds, sectors.bounds[0] + 360]
    own = [(a, b) for a, b, n in zip(ends, ends[1:], sectors.names, strict=False) if n == name]
    return round(min(abs((edge - angle_deg + 180) % 360 - 180) for pair in own for edge in pair), 6)


def _orders(right: tuple[str, ...]) -> Pick:
    """The right order and three others, drawn by the names alone."""
    others = shuffled((p for p in permutations(right) if p != right), "orders", *sorted(right), key=list)[:3]
    return Pick(
        ", ".join(right),
        tuple(Wrong(", ".join(p), OTHER_ORDER, float(_inversions([right.index(n) for n in p]))) for p in others),
    )


def _inversions(ranks: Sequence[int]) -> int:
    return sum(a > b for a, b in combinations(ranks, 2))


def _and(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1]


def _then(names: Sequence[str]) -> str:
    return ", then ".join(f"the {n}" for n in names)


def _said(direction: str) -> str:
    return {"back": "behind"}.get(direction, f"to the {direction}")


def _nearest(trail: Trail, one: SpaceObject, groups: Sequence[Sequence[SpaceObject]], names: Sequence[str]) -> str:
    anchor = trail.read("boxes3d", one.rows[:1], *BOX_COLUMNS, pooled=True)
    distances = []
    for group in groups:
        boxes = trail.read("boxes3d", [o.rows[0] for o in group], *BOX_COLUMNS, pooled=True)
        distances.append(trail.compute("box_distance", anchor, boxes))
    return trail.compute(
        "least_of", *distances, names=list(names), note="Of these distances, the least is that to the {@.text}."
    )


def _direction(trail: Trail, things: Sequence[SpaceObject], level: str) -> str:
    places = [trail.read("boxes3d", o.rows[:1], *PLACE_COLUMNS, pooled=True) for o in things]
    return trail.compute("sector_of", *places, sectors=level, note="From there it lies to the {@.text}.")


def _order(trail: Trail, names: Sequence[str], rows: Sequence[Sighting], reply: Pick | Ranking) -> str:
    times = [trail.read("boxes", [rows[3 * i + 1].row], "t_s") for i in range(len(names))]
    found = trail.compute("names_in_order", *times, names=list(names))
    return found if isinstance(reply, Ranking) else trail.compute("in_words", found)
