"""Long films with needles in them: cards, frames of other footage, words or badges that are shown for about a second.

The haystack is footage laid end to end. Where needles go is drawn so that their depths are spread evenly over all films: every
tenth of the length gets as many. A needle's row in `events` says at which frame it begins and how deep it lies; everything
that was known of the haystack is carried along. Sources: VideoNIAH (VNBench), Oryx (paste at a drawn place), LV-Haystack (an
object within a scene). Limits: constant frame rate; what the haystack says or shows is not searched for things that look like
needles, but cards and badges are drawn by nobody else, and words that the haystack holds are not taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from ...engine.annotator import Params as BaseParams
from ...engine.composing import ComposeError, Draft, Material, MediaComposer
from ...engine.composing_graph import by_split, carried_rows
from ...engine.described import described_rows
from ...engine.media.render import VERSION
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.needles import (
    Insert,
    lettering_of,
    lists_of,
    name_of,
)
from ...schemas.readings import normalised
from ...schemas.reversible import standing
from .haystack import long_graph
from .needle_film import Look, Planned, film_graph, identity, needle_rows, overlays_of, write_film

Plan = Literal["one", "several", "repeated", "none"]
MOST_OTHERS = 6
TONES_HZ = tuple(220 + 40 * k for k in range(24))


class Params(BaseParams):
    """Parameters of needle."""

    videos: int = Field(8, ge=1, description="Films to make.")
    plans: tuple[Plan, ...] = Field(
        ("one", "several", "repeated", "none"),
        min_length=1,
        description="What films hold, in turn: one needle, several different ones, some of them again, or none.",
    )
    insert: tuple[Insert, ...] = Field(
        ("picture",),
        min_length=1,
        description="Kinds of needles, one drawn for each: picture, own_frame, subtitle, object.",
    )
    needles: tuple[int, int] = Field((3, 5), description="Least and greatest number of needles of films with several.")
    needle_s: float = Field(1.0, gt=0, description="How long a needle is shown.")
    min_duration_s: float = Field(
        60.0, gt=0, description="Footage is laid end to end until a film is at least so long."
    )
    hold_s: float | None = Field(
        None,
        gt=0,
        description="Haystacks of held frames, each for so long, instead of footage that plays: hours at little cost.",
    )
    pools: int = Field(
        5,
        ge=1,
        description="Films are made from so many disjoint parts of the material, if it is long enough, so that they can stand in "
        "different splits.",
    )
    gap_s: float = Field(2.0, ge=0, description="Least time between needles, and from the ends.")
    depth_bins: int = Field(10, ge=1, description="Parts of the length that get equally many needles.")
    object_share: float = Field(0.28, gt=0.05, le=0.9, description="Height of a badge, as a share of the picture's.")
    tone_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of needles that sound with a tone of their own pitch; the other cards and frames are silent.",
    )
    fps: int = Field(10, ge=1, le=60, description="Frames per second of the films.")
    width: int = Field(320, ge=32, description="Width, px (even).")
    height: int = Field(180, ge=32, description="Height, px (even).")
    crf: int = Field(20, ge=0, le=40, description="Quality of H.264: 0 is lossless.")
    sound_rate_hz: int = Field(16_000, ge=8_000, le=48_000, description="Samples of sound per second.")

    @property
    def badge_px(self) -> int:
        """Side of a badge."""
        return max(12, round(self.object_share * self.height))

    @model_validator(mode="after")
    def _fits(self) -> Params:
        if self.needle_s * self.fps < 1:
            raise ValueError(f"needles of {self.needle_s:g} s have no frame at {self.fps} fps")
        if self.needles[0] < 1 or self.needles[1] < self.needles[0]:
            raise ValueError("needles: the least number comes first, and is at least 1")
        if self.width % 2 or self.height % 2:
            raise ValueError("width and height are even")
        return self


class Needle(MediaComposer[Params]):
    """Makes long films with things hidden in them, out of footage."""

    name: ClassVar[str] = "needle"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params

    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """`videos` drafts; plans in turn, depths evenly spread over all of them."""
        films = [m for m in material if m.has_video and m.media.get("fps")]
        if not films:
            raise ComposeError("compose needle: the material holds no video")
        depths = self._depths(seed)
        pools = [pool for _, media in by_split(films) for pool in self._pools(media, seed)]
        for number in range(self.params.videos):
            yield self._draft(pools[number % len(pools)], number, depths, seed)

    def _pools(self, films: Sequence[Material], seed: int) -> list[list[Material]]:
        """Parts of the material that share no group; as many as can each fill a film without showing anything twice."""
        p = self.params
        groups: dict[str, list[Material]] = {}
        for m in films:
            groups.setdefault(str(m.media.get("group_id") or m.media_id), []).append(m)
        length = sum(float(m.media["duration_s"]) for m in films)
        fitting = len(groups) if p.hold_s is not None else int(length / p.min_duration_s)
        count = max(1, min(p.pools, fitting, len(groups) // (2 if "own_frame" in p.insert else 1)))
        ordered = sorted(groups, key=lambda g: seeded_fraction(self.name, seed, "pool", g))
        return [[m for g in ordered[k::count] for m in groups[g]] for k in range(count)]

    def _depths(self, seed: int) -> Iterator[float]:
        """Depths 0..1 without end: each round takes every part of the length once, in another order."""
        bins, turn = self.params.depth_bins, 0
        while True:
            order = sorted(range(bins), key=lambda b: seeded_fraction(self.name, seed, "bin", turn, b))
            for b in order:
                yield (b + seeded_fraction(self.name, seed, "depth", turn, b)) / bins
            turn += 1

    def _draft(self, films: Sequence[Material], number: int, depths: Iterator[float], seed: int) -> Draft:
        p = self.params
        key = (self.name, seed, number)
        inserts = self._inserts(p.plans[number % len(p.plans)], key)
        donors = [m for m in films if _still_rows(m)] if "own_frame" in inserts else []
        donor = min(donors, key=lambda m: seeded_fraction(*key, "donor", m.media_id), default=None)
        hay = [m for m in films if m is not donor]
        if "own_frame" in inserts and (donor is None or not hay):
            raise ComposeError(
                "compose needle: frames of other footage need two videos, one of them with descriptions that hold for a single frame"
            )
        fps, size = Fraction(p.fps), (p.width, p.height)
        base = long_graph(hay, p.min_duration_s, fps, size, *key, hold_s=p.hold_s)
        frames = max(1, round(p.needle_s * p.fps))
        names = self._names(inserts, p.plans[number % len(p.plans)], hay, donor, key)
        longer = sum(i in ("picture", "own_frame") for i in inserts) * frames  # what is inserted, not drawn over
        firsts = self._places(len(inserts), base.frames + longer, frames, depths)
        planned = [self._planned(names[i], inserts[i], first, frames, i, donor, key) for i, first in enumerate(firsts)]
        look = Look(p.fps, p.width, p.height, p.badge_px)
        graph, pictures, sounds = film_graph(base, planned, look)
        used = [m for m in (*hay, *([donor] if donor else [])) if m.media_id in graph.media_ids]
        rows, grades = carried_rows(graph, used)
        if grades.pop("events", None) is not None:
            rows.pop("events", None)  # what is not exact may not stand beside needles, which are
        for table, own in needle_rows(graph, planned, look).items():
            rows[table] = sorted([*rows.get(table, []), *own], key=lambda r: (r.get("start_s", r.get("t_s")), repr(r)))
        rows["edits"] = graph.edit_rows()
        return Draft(
            digest=derive_id(
                self.name, self.version, VERSION, graph.key(), [identity(n) for n in planned], p.crf, p.object_share
            ),
            suffix=".mp4",
            write=partial(
                write_film, graph, used, pictures, sounds, overlays_of(planned), p.badge_px, p.crf, p.sound_rate_hz
            ),
            duration_s=graph.duration_s,
            rows=rows,
            sources=tuple(used),
            grades=grades,
            parameters={"plan": p.plans[number % len(p.plans)], "needles": [n.text for n in planned]},
        )

    def _inserts(self, plan: Plan, key: tuple[Any, ...]) -> list[Insert]:
        p = self.params
        least, most = p.needles
        count = {"none": 0, "one": 1}.get(plan, least + int(seeded_fraction(*key, "count") * (most - least + 1)))
        return [p.insert[int(seeded_fraction(*key, "insert", i) * len(p.insert))] for i in range(count)]

    def _names(
        self, inserts: list[Insert], plan: Plan, hay: Sequence[Material], donor: Material | None, key: tuple[Any, ...]
    ) -> list[tuple[str, Any]]:
        """(name, words or described row) per needle: all different, or (repeated) some of them again."""
        taken = {normalised(r["text"]) for m in hay for r in m.rows.get("text_regions", ())}
        seen = {str(r["text"]) for m in hay for r in described_rows(_tables(m))}
        found: list[tuple[str, Any]] = []
        for i, kind in enumerate(inserts):
            if plan == "repeated" and i and (i == 1 or seeded_fraction(*key, "again", i) < 0.6):
                again = int(seeded_fraction(*key, "which", i) * i)
                inserts[i] = inserts[again]
                found.append(found[again])
                continue
            names = {name for name, _ in found}
            free = [o for o in _possible(kind, donor, taken, seen) if o[0] not in names]
            if not free and kind == "own_frame":
                inserts[i] = "picture"
                free = [o for o in _possible("picture", donor, taken, seen) if o[0] not in names]
            if not free:
                raise ComposeError(f"compose needle: no name is left for another needle of the kind {kind}")
            found.append(free[int(seeded_fraction(*key, "name", i) * len(free))])
        return found

    def _places(self, count: int, total: int, frames: int, depths: Iterator[float]) -> list[int]:
        """First frames, not sorted, at least a gap apart; depths are taken as they come, and moved as little as possible."""
        p = self.params
        gap = max(1, round(p.gap_s * p.fps))
        room = total - 2 * gap - count * frames - (count - 1) * gap
        if count and room < 0:
            raise ComposeError(
                f"compose needle: {count} needles do not fit into {total / p.fps:g} s; raise min_duration_s, or lower gap_s"
            )
        wanted = [next(depths) for _ in range(count)]
        places: dict[int, int] = {}
        low = gap
        ranked = sorted(range(count), key=lambda i: wanted[i])
        for rank, i in enumerate(ranked):
            left = count - rank
            high = total - gap - left * frames - (left - 1) * gap
            places[i] = min(max(round(wanted[i] * total - frames / 2), low), high)
            low = places[i] + frames + gap
        return [places[i] for i in range(count)]

    def _planned(
        self,
        name: tuple[str, Any],
        kind: Insert,
        first: int,
        frames: int,
        i: int,
        donor: Material | None,
        key: tuple[Any, ...],
    ) -> Planned:
        p = self.params
        text, said = name
        sounds = seeded_fraction(*key, "sounds", i) < p.tone_share
        pitch = float(TONES_HZ[int(seeded_fraction(*key, "pitch", i) * len(TONES_HZ))]) if sounds else None
        if kind == "own_frame":
            middle = (said["start_s"] + said["end_s"]) / 2
            rest = [r for r in _still_rows(donor) if not r["start_s"] <= middle < r["end_s"]]
            others = tuple(dict.fromkeys(_framed(r) for r in rest if _framed(r) != text))[:MOST_OTHERS]
            return Planned(kind, text, first, frames, ("", ""), donor, middle, others, pitch)
        size = p.badge_px
        left = seeded_fraction(*key, "left", i) * (p.width - size)
        top = seeded_fraction(*key, "top", i) * (p.height - size)
        return Planned(kind, text, first, frames, said, None, 0.0, (), pitch, round(left), round(top))


def _possible(kind: Insert, donor: Material | None, taken: set[str], seen: set[str]) -> list[tuple[str, Any]]:
    """(name, words or described row) of every needle of a kind; `taken` are letterings, `seen` descriptions of the haystack."""
    if kind == "own_frame":
        rows = [r for r in _still_rows(donor) if str(r["text"]) not in seen]
        return list({_framed(r): (_framed(r), r) for r in rows}.values())
    firsts, last = lists_of(kind)
    pairs = [(a, b) for a in firsts for b in last]
    free = [pair for pair in pairs if kind != "subtitle" or normalised(lettering_of(*pair)) not in taken]
    return [(name_of(kind, *pair), pair) for pair in free]


def _still_rows(donor: Material | None) -> list[Mapping[str, Any]]:
    """What is described of a medium and can be told from one frame of it: that something stands, or can be read."""
    return [r for r in described_rows(_tables(donor)) if standing(str(r["text"]))]


def _framed(row: Mapping[str, Any]) -> str:
    return f"a frame in which {str(row['text']).strip().rstrip('.')}"


def _tables(material: Material | None) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    rows = material.rows if material is not None else {}
    return {"captions": rows.get("captions", ()), "events": rows.get("events", ())}


COMPOSER = Needle
