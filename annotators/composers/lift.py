"""Whole episodes from their clips, with the clips' questions moved along (TVQA-long of Goldfish).

Clips of one episode (media of one group; without groups, footage cut into clips of about `clip_s`) are joined in order. A question
about a clip becomes one about the episode: its moment is the short one plus the clip's offset, in whole microseconds, and its
row says which clip it was asked about. Clips without questions get some from what is said, written and seen in them; a
question that two clips were asked has no one answer and is left out. Speech,
words, lettering and events follow by the same addition.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pydantic import Field, model_validator

from ...engine.annotator import Params as BaseParams
from ...engine.composing import ComposeError, Draft, Material, MediaComposer
from ...engine.composing_graph import by_split, graph_draft, shape_of, source_of
from ...engine.kept import one_producer
from ...schemas.edit_carry import parts_of
from ...schemas.edit_operations import join, take
from ...schemas.edit_pieces import Placed, exact, seconds
from ...schemas.ids import derive_id
from ...schemas.readings import normalised
from ...schemas.span import Span, from_us, span_or_none, to_us
from .lift_questions import made_questions


class Params(BaseParams):
    """Parameters of lift."""

    videos: int = Field(20, ge=1, description="Episodes to make, at most.")
    clips: tuple[int, int] = Field((2, 40), description="Fewest and most clips of an episode.")
    clip_s: float | None = Field(
        15.0,
        gt=0,
        description="Media of no group are cut into clips of about so long, at shots where it may be; none: not cut.",
    )
    asked: int = Field(3, ge=0, description="Questions made for a clip that has none, at most.")
    max_side_px: int = Field(640, ge=32, description="Longest side of the picture, pixels; never enlarged.")
    fps: float | None = Field(
        None, gt=0, le=120, description="Frames per second; default: the most frequent of the material."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Params:
        if not 2 <= self.clips[0] <= self.clips[1]:
            raise ValueError(f"clips {list(self.clips)}: fewest and most, at least 2")
        return self


@dataclass(frozen=True)
class Clip:
    """A clip of an episode: all of a medium (`end_s` None), or a part of it."""

    material: Material
    name: str
    start_s: float = 0.0
    end_s: float | None = None


class Lift(MediaComposer[Params]):
    """Joins the clips of an episode and lifts their questions."""

    name: ClassVar[str] = "lift"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params

    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """Up to `videos` episodes, in order of their names. Raises `ComposeError` when there are too few clips."""
        episodes = [e for _, media in by_split(material) for e in self._episodes([m for m in media if m.has_video])]
        if not episodes:
            raise ComposeError(
                f"lift needs {self.params.clips[0]} clips per episode; give more footage, groups of clips, or a smaller clip_s"
            )
        for name, clips in episodes[: self.params.videos]:
            yield self._draft(name, clips, seed)

    def _episodes(self, media: Sequence[Material]) -> Iterator[tuple[str, list[Clip]]]:
        """Clips by episode: those of a group; else footage in order of its names, cut into clips."""
        least, most = self.params.clips
        groups: dict[str, list[Material]] = {}
        for m in sorted(media, key=_title):
            groups.setdefault(str(m.media.get("group_id") or ""), []).append(m)
        loose = [
            clip
            for name, mine in groups.items()
            if not name or len(mine) < least
            for m in mine
            for clip in self._cut(m)
        ]
        found = [
            (name, [Clip(m, _title(m)) for m in mine]) for name, mine in groups.items() if name and len(mine) >= least
        ]
        found += [("", loose)] if loose else []
        for name, clips in found:
            for first in range(0, len(clips), most):
                if len(clips[first : first + most]) >= least:
                    yield f"{name}:{first // most}", clips[first : first + most]

    def _cut(self, m: Material) -> Iterator[Clip]:
        """A medium in clips of about `clip_s`: at the shot border nearest to each multiple, if one is near."""
        length, wanted = float(m.media["duration_s"]), self.params.clip_s
        count = 1 if wanted is None else max(1, round(length / wanted))
        borders = [float(s["start_s"]) for s in one_producer(m.rows.get("shots", ()))]
        edges = [0.0]
        for k in range(1, count):
            ideal = length * k / count
            near = [b for b in borders if abs(b - ideal) < length / count / 3 and b > edges[-1] + 0.5]
            edges.append(min(near, key=lambda b: abs(b - ideal), default=ideal))
        ends: list[float | None] = [*edges[1:], None]
        for k, (start, end) in enumerate(zip(edges, ends, strict=True)):
            yield Clip(m, f"{_title(m)}#{k}" if count > 1 else _title(m), start, end)

    def _draft(self, name: str, clips: Sequence[Clip], seed: int) -> Draft:
        p = self.params
        media = list({c.material.media_id: c.material for c in clips}.values())
        fps, size = shape_of(media, p.max_side_px, p.fps)
        graph = join([take(source_of(c.material), fps, size, c.start_s, c.end_s) for c in clips])
        draft = graph_draft(
            f"{self.name}@{self.version}",
            graph,
            media,
            parameters={"episode": name, "clips": [c.name for c in clips]},
        )
        questions: list[dict[str, Any]] = []
        for number, (clip, (begin, end, placed)) in enumerate(zip(clips, parts_of(graph), strict=True)):
            part = Span(seconds(begin), seconds(end))
            asked = list(_asked(clip, placed[0], part)) or list(self._made(draft.rows, part, seed, name, number))
            for key, row, short in asked:
                questions.append(_lifted(row, derive_id("lifted", name, number, key), clip.name, number, part, short))
        times = Counter(
            normalised(str(q["question"])) for q in questions
        )  # asked of two clips: of the whole it has two answers
        questions = [q for q in questions if times[normalised(str(q["question"]))] == 1]
        rows = {table: mine for table, mine in draft.rows.items() if table != "questions"}
        digest = derive_id(draft.digest, [sorted(map(repr, q.items())) for q in questions])
        return replace(draft, digest=digest, rows=rows | ({"questions": questions} if questions else {}))

    def _made(
        self, rows: Mapping[str, Sequence[Mapping[str, Any]]], part: Span, *seed: Any
    ) -> Iterator[tuple[str, dict[str, Any], Span]]:
        for made in made_questions(rows, part, self.params.asked, *seed):
            row = {
                "question": made.question, "options": list(made.options), "answer_index": made.right,
                "answer_text": made.options[made.right], "kind": "made", "needs": list(made.needs),
            }  # fmt: skip
            start, end = (from_us(to_us(t) - to_us(part.start_s)) for t in (made.moment.start_s, made.moment.end_s))
            yield made.question, row, Span(start, end)


def _asked(clip: Clip, placed: Placed, part: Span) -> Iterator[tuple[str, dict[str, Any], Span]]:
    """The questions that people asked about a clip, with their moments on the clip's own clock."""
    for q in one_producer(clip.material.rows.get("questions", ())):
        if q.get("start_s") is None or q.get("end_s") is None:
            continue
        start, end = (seconds(exact(float(q[c])) - placed.piece.start) for c in ("start_s", "end_s"))
        short = span_or_none(start, end)
        if short is not None and to_us(short.end_s) <= to_us(part.end_s) - to_us(part.start_s):
            said = {name: q[name] for name in ("question", "options", "answer_index", "answer_text", "kind", "needs")}
            yield str(q["question_id"]), said, short.quantised()


def _lifted(row: dict[str, Any], question_id: str, clip: str, number: int, part: Span, short: Span) -> dict[str, Any]:
    """A row of `questions` on the episode's clock, which says where it came from."""
    start, end = (from_us(to_us(part.start_s) + to_us(t)) for t in (short.start_s, short.end_s))
    said = {
        "clip": clip,
        "part": number,
        "part_s": [part.start_s, part.end_s],
        "short_s": [short.start_s, short.end_s],
    }
    return {
        **row,
        "question_id": question_id,
        "start_s": start,
        "end_s": end,
        "attributes_json": json.dumps(said, sort_keys=True),
    }


def _title(m: Material) -> str:
    return str(m.media.get("title") or m.uri.rsplit("/", 1)[-1])


COMPOSER = Lift
