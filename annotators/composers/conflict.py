"""Sets of films that contradict each other in one respect, as TempCompass makes them: every single frame fits both answers.

A clip and the same backwards or mirrored (direction, action, change), two clips in both orders and at once (order), a clip beside
itself at another speed in three arrangements (relative speed), a clip and the same at another speed (speed). What is true of each
film in that respect is a row of `aspects`; the films of a set share its `pair_id`. Directions and actions are turned only where the
list of opposites turns them (`schemas/reversible.py`), and only for a subject that does one thing in the clip. Limit: on footage
that is not described completely, a second thing of the same description may do something else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from ...engine.annotator import Params as BaseParams
from ...engine.check import lowest_grade
from ...engine.composing import ComposeError, Draft, Material, MediaComposer
from ...engine.composing_graph import by_split, graph_draft, known_of, shape_of, source_of
from ...engine.composing_parts import Part, Units, described, parts_of, plain
from ...schemas.aspects import Described, described_aspect, turned_predicate
from ...schemas.edit_carry import CarryRules
from ...schemas.edit_graph import Graph
from ...schemas.edit_operations import join, mirror, reverse, speed, stack, take
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.object_motion import MotionRule, motion_of
from ...schemas.objects import phrase_of, placed_track, with_article
from ...schemas.reversible import standing
from ...schemas.span import Span

Kind = Literal["reverse", "splice", "speed_stack", "speed", "mirror"]
KINDS: tuple[Kind, ...] = ("reverse", "splice", "speed_stack", "speed", "mirror")
_MOVES = {
    "moves left": "moves to the left",
    "moves right": "moves to the right",
    "moves up": "moves up",
    "moves down": "moves down",
}
_THAN = {
    "faster": "faster than the bottom half",
    "slower": "slower than the bottom half",
    "same": "as fast as the bottom half",
}
_PLAYED = {
    "faster": "played faster than it was filmed",
    "slower": "played slower than it was filmed",
    "same": "played at its own speed",
}


class Params(BaseParams):
    """Parameters of conflict."""

    sets: int = Field(20, ge=1, description="Sets of contradicting films, at most; kinds take turns.")
    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="Which sets are made.")
    length_s: tuple[float, float] = Field((1.0, 12.0), description="Shortest and longest clip, seconds.")
    units: Units = Field(
        "auto", description="What a clip is: described (an event or caption), clips, shots or windows."
    )
    factors: tuple[float, ...] = Field(
        (0.5, 2.0, 4.0), min_length=1, description="Speeds, one drawn per set: 2 is twice as fast."
    )
    max_side_px: int = Field(
        640, ge=64, description="Longest side of the picture, pixels; halves of a stack have half of it."
    )
    fps: float | None = Field(None, gt=0, le=120, description="Frames per second; default: those of the clip's medium.")
    least_s: float = Field(0.5, gt=0, description="Shortest film, seconds: no clip is sped up to less.")

    @model_validator(mode="after")
    def _usable(self) -> Params:
        if not 0 < self.length_s[0] <= self.length_s[1]:
            raise ValueError(f"length_s {list(self.length_s)}: shortest and longest, above 0")
        if any(not 0.1 <= f <= 16 or f == 1 for f in self.factors):
            raise ValueError(f"factors {list(self.factors)} lie between 0.1 and 16 and are not 1")
        return self


@dataclass(frozen=True)
class Film:
    """One film of a set: its graph, and what is true of it."""

    variant: str
    graph: Graph
    aspect: Mapping[str, Any]


class Conflict(MediaComposer[Params]):
    """Makes sets of contradicting films, each with its rows of `aspects`."""

    name: ClassVar[str] = "conflict"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params

    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """The films set after set. Raises `ComposeError` when no set can be made."""
        drafts = list(self._drafts(material, seed))
        if not drafts:
            raise ComposeError(
                f"conflict can make none of {', '.join(self.params.kinds)} of {len(material)} media: it needs clips of "
                f"{self.params.length_s[0]:g} to {self.params.length_s[1]:g} s with a described or tracked motion "
                "(speed sets: anything that does not stand still)"
            )
        return drafts

    def _drafts(self, material: Sequence[Material], seed: int) -> Iterator[Draft]:
        p = self.params
        pools = []
        for _, media in by_split(material):
            parts = parts_of(media, p.length_s, p.units)
            pools.append(sorted(parts, key=lambda q: seeded_fraction("conflict", seed, *q.key)))
        seen: set[str] = set()
        used: set[tuple[Any, ...]] = set()
        made = turn = idle = 0
        while pools and made < p.sets and idle < len(p.kinds) * len(pools):
            kind, pool = p.kinds[turn % len(p.kinds)], pools[turn // len(p.kinds) % len(pools)]
            turn, idle = turn + 1, idle + 1
            for part in pool:
                if part.key in used:
                    continue
                films, partners = self._films(kind, part, pool, used, seed)
                drafts = [self._draft(film, kind, partners) for film in films]
                if not drafts or len(seen | {d.digest for d in drafts}) < len(seen) + len(drafts):
                    continue
                seen |= {d.digest for d in drafts}
                used |= {q.key for q in partners}
                made, idle = made + 1, 0
                yield from drafts
                break

    def _draft(self, film: Film, kind: Kind, parts: Sequence[Part]) -> Draft:
        said = {
            "set": film.aspect["pair_id"],
            "kind": kind,
            "variant": film.variant,
            "clips": [list(q.key) for q in parts],
        }
        media = list({q.material.media_id: q.material for q in parts}.values())
        return graph_draft(
            f"{self.name}@{self.version}",
            film.graph,
            media,
            rows={"aspects": [dict(film.aspect)]},
            rules=CarryRules(event_share=0.8),
            parameters=said,
            grades={} if kind in ("speed", "speed_stack") else {"aspects": lowest_grade([_grade(q) for q in parts])},
        )

    # -- the sets -------------------------------------------------------------------------------------------------------

    def _films(
        self, kind: Kind, part: Part, pool: Sequence[Part], used: set[tuple[Any, ...]], seed: int
    ) -> tuple[list[Film], list[Part]]:
        """The films of a set that starts from a part, and the parts that it uses; no films where the part does not do."""
        if kind in ("speed", "speed_stack"):
            return self._speeds(kind, part, seed), [part]
        told = _told(part)
        if told is None:
            return [], [part]
        if kind != "splice":
            return self._turned(kind, part, told), [part]
        for other in pool:
            if other.key != part.key and other.key not in used and _tellable_together(part, other):
                return self._spliced(part, other), [part, other]
        return [], [part]

    def _turned(self, kind: Kind, part: Part, told: Described) -> list[Film]:
        turned = turned_predicate(told.subject, told.value, backwards=kind == "reverse", mirrored=kind == "mirror")
        if turned is None or turned == told.value:
            return []
        graph = self._take(part)
        pair = derive_id("conflict", kind, *part.key)
        others = [w for w in told.wrong if w not in (told.value, turned)]
        films = []
        for variant, shown, value, wrong in (
            ("original", graph, told.value, turned),
            (kind, reverse(graph) if kind == "reverse" else mirror(graph), turned, told.value),
        ):
            said = {"operation": variant, "events": [f"{told.subject} {value}"]}
            row = _row(told.aspect, told.kind, told.subject, value, [wrong, *others], pair, shown, said)
            films.append(Film(variant, shown, row))
        return films

    def _spliced(self, a: Part, b: Part) -> list[Film]:
        fps, size = shape_of([a.material, b.material], self.params.max_side_px, self.params.fps)
        _, half = shape_of([a.material, b.material], self.params.max_side_px // 2, self.params.fps)
        one, two = self._take(a, fps, size), self._take(b, fps, size)
        both = stack([self._take(a, fps, half), self._take(b, fps, half)])
        pair = derive_id("conflict", "splice", *sorted((a.key, b.key)))
        first, second = _told_text(a), _told_text(b)
        values = [f"{first}, then {second}", f"{second}, then {first}", f"{first} and {second} at the same time"]
        films = []
        for number, (variant, graph) in enumerate((("1", join([one, two])), ("2", join([two, one])), ("stack", both))):
            said: dict[str, Any] = {
                "operation": "stack" if number == 2 else "splice",
                "events": [first, second],
                "variant": variant,
            }
            said["order"] = [[0, 1], [1, 0], None][number]
            wrong = [v for v in values if v != values[number]]
            films.append(
                Film(
                    variant, graph, _row("order", "event_order", "the events", values[number], wrong, pair, graph, said)
                )
            )
        return films

    def _speeds(self, kind: Kind, part: Part, seed: int) -> list[Film]:
        p = self.params
        factor = p.factors[int(seeded_fraction("conflict factor", seed, *part.key) * len(p.factors))]
        too_short = part.span.length_s / max(1.0, factor) < p.least_s
        if too_short or (part.text is not None and standing(part.text)):
            return []
        pair = derive_id("conflict", kind, factor, *part.key)
        pace = "faster" if factor > 1 else "slower"
        if kind == "speed":
            graph = self._take(part)
            shown = {"original": (graph, "same"), "speed": (speed(graph, factor), pace)}
            words, subject, finer = _PLAYED, "the film", "absolute_speed"
        else:
            _, size = shape_of([part.material], p.max_side_px // 2, p.fps)
            graph = self._take(part, None, size)
            altered = speed(graph, factor)
            top = {"faster": "slower", "slower": "faster"}[pace]
            shown = {
                "0": (stack([altered, altered]), "same"),
                "1": (stack([graph, altered]), top),
                "2": (stack([altered, graph]), pace),
            }
            words, subject, finer = _THAN, "the top half", "relative_speed"
        films = []
        for variant, (film, value) in shown.items():
            wrong = dict.fromkeys([*(words[v] for _, v in shown.values()), *words.values()])
            said = {"operation": kind, "factor": factor, "variant": variant, "events": [part.text] if part.text else []}
            row = _row("speed", finer, subject, words[value], [w for w in wrong if w != words[value]], pair, film, said)
            films.append(Film(variant, film, row))
        return films

    def _take(self, part: Part, fps: Fraction | None = None, size: tuple[int, int] | None = None) -> Graph:
        own_fps, own_size = shape_of([part.material], self.params.max_side_px, self.params.fps)
        source = source_of(part.material)
        return take(source, fps or own_fps, size or own_size, part.span.start_s, part.span.end_s)


def _row(
    aspect: str,
    kind: str,
    subject: str,
    value: str,
    wrong: Sequence[str],
    pair: str,
    graph: Graph,
    said: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "aspect": aspect,
        "kind": kind,
        "subject": subject,
        "value": value,
        "wrong": list(wrong),
        "pair_id": pair,
        "start_s": 0.0,
        "end_s": graph.duration_s,
        "attributes_json": json.dumps(said, sort_keys=True, ensure_ascii=False),
    }


def _told(part: Part) -> Described | None:
    """What the part is described to show, or what its only thing of a name does by its boxes; None where a subject does two
    things in it.
    """
    if part.text is None:
        return _by_boxes(part)
    told = described_aspect(part.text)
    if told is None:
        return None
    for row in _during(part):
        other = described_aspect(str(row["text"]))
        if (
            other is not None
            and plain(other.subject) == plain(told.subject)
            and plain(other.value) != plain(told.value)
        ):
            return None
    return told


def _grade(part: Part) -> str:
    """Grade of what an aspect rests on: a description, or tracks and their boxes."""
    if part.text is not None:
        return part.grade
    return lowest_grade([str(part.material.grades.get(table, "exact")) for table in ("tracks", "boxes")])


def _told_text(part: Part) -> str:
    told = _told(part)
    assert told is not None
    return f"{told.subject} {told.value}"


def _during(part: Part) -> list[dict[str, Any]]:
    return [r for r in described(part.material) if r["start_s"] < part.span.end_s and r["end_s"] > part.span.start_s]


def _tellable_together(a: Part, b: Part) -> bool:
    """Whether two parts show different footage and different events, neither of which happens in the other."""
    one, two = _told(a), _told(b)
    if one is None or two is None or a.overlaps(b) or _told_text(a) == _told_text(b):
        return False
    return not any(
        plain(str(row["text"])) == plain(_told_text(event)) for part, event in ((a, b), (b, a)) for row in _during(part)
    )


def _by_boxes(part: Part) -> Described | None:
    known = known_of(part.material, part.span)
    tracks = [t for t in known["tracks"] if Span(t["start_s"], t["end_s"]).intersection(part.span) is not None]
    names = [phrase_of(t) for t in tracks]
    media = part.material.media
    for track in sorted(tracks, key=lambda t: str(t["track_id"])):
        if names.count(phrase_of(track)) > 1:
            continue
        thing = placed_track(track, known["boxes"])
        motion = None
        if thing is not None and thing.span.contains_span(part.span):
            motion, _ = motion_of(thing, part.span, MotionRule(), float(media["width"]) / float(media["height"]))
        if motion in _MOVES:
            return described_aspect(f"{with_article(phrase_of(track))} {_MOVES[motion]}")
    return None


COMPOSER = Conflict
