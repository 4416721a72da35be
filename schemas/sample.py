"""The sample model: one instruction example with a typed answer, neutral markup and its evidence.

A sample is immutable and carries no letters, tokens or pixels: packagers render those. Tasks build `Sample` values;
`to_row` gives the stored row, `from_row` reads it back, `problems` says what is malformed without looking at evidence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .box import Box, box_or_none
from .ids import derive_id
from .markup import media_shown, validate
from .span import Span, to_us

Need = Literal["vision", "audio", "speech_text", "on_screen_text", "motion", "3d"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SpanAnswer(_Frozen):
    """A span on the source clock of the first medium."""

    kind: Literal["span"] = "span"
    start_s: float
    end_s: float


class SpansAnswer(_Frozen):
    """Several spans, in time order."""

    kind: Literal["spans"] = "spans"
    spans: tuple[tuple[float, float], ...]


class BoxAnswer(_Frozen):
    """A box at a time, normalised display coordinates."""

    kind: Literal["box"] = "box"
    t_s: float
    box: tuple[float, float, float, float]


class SpanBoxAnswer(_Frozen):
    """When and where: a span and a box inside it."""

    kind: Literal["span_box"] = "span_box"
    start_s: float
    end_s: float
    box: tuple[float, float, float, float]


class TubeAnswer(_Frozen):
    """When and where, of a thing that may move: a span, and its box at each of the times asked for (t_s, x1, y1, x2, y2).

    `said` is what the answer states: both; the boxes with their times, where the question gives the span; or the places
    alone in order of time, where the times are still to be asked for.
    """

    kind: Literal["tube"] = "tube"
    start_s: float
    end_s: float
    boxes: tuple[tuple[float, float, float, float, float], ...]
    said: Literal["both", "boxes", "places"] = "both"

    @property
    def middle(self) -> tuple[float, float, float, float, float]:
        """The box in the middle: the one to show where there is room for one."""
        return self.boxes[len(self.boxes) // 2]

    @property
    def track(self) -> dict[float, Box]:
        """{t_s: box}; where times are not said, {0: the first, 1: the second ...}."""
        return {float(i) if self.said == "places" else t: Box(*edges) for i, (t, *edges) in enumerate(self.boxes)}


class ChoiceAnswer(_Frozen):
    """Index of the right option in canonical order."""

    kind: Literal["choice"] = "choice"
    index: int


class OrderAnswer(_Frozen):
    """Option indices (canonical order) in the right sequence."""

    kind: Literal["order"] = "order"
    order: tuple[int, ...]


class NumberAnswer(_Frozen):
    """A number with its unit."""

    kind: Literal["number"] = "number"
    value: float
    unit: str


class TextAnswer(_Frozen):
    """Words, in neutral markup."""

    kind: Literal["text"] = "text"
    text: str


class AbsentAnswer(_Frozen):
    """It does not happen."""

    kind: Literal["absent"] = "absent"


PartAnswer = Annotated[
    SpanAnswer
    | SpansAnswer
    | BoxAnswer
    | SpanBoxAnswer
    | TubeAnswer
    | ChoiceAnswer
    | OrderAnswer
    | NumberAnswer
    | TextAnswer
    | AbsentAnswer,
    Field(discriminator="kind"),
]
"""An answer of one turn."""


class TurnPart(_Frozen):
    """One question and answer of a conversation."""

    task: str
    """The task whose question it is."""
    turn: int
    """Index in `turns` of the message that answers."""
    answer: PartAnswer
    """Indices of a choice or order count from the part's first option."""
    options: tuple[int, int] = (0, 0)
    """Range in the sample's options, half-open."""
    scope: tuple[float, float]
    """The span that the question is about."""
    at_s: float | None = None
    """When it is asked, in a streaming conversation: nothing later may be needed."""
    trained: bool = True
    """False: the loss of this answer is masked."""
    lead: str
    """Wording that leads over to the question."""
    form: str
    """Wording around the answer."""


class TurnsAnswer(_Frozen):
    """The answers of a conversation, in the order in which they are given."""

    kind: Literal["turns"] = "turns"
    parts: tuple[TurnPart, ...]


Answer = Annotated[
    SpanAnswer
    | SpansAnswer
    | BoxAnswer
    | SpanBoxAnswer
    | TubeAnswer
    | ChoiceAnswer
    | OrderAnswer
    | NumberAnswer
    | TextAnswer
    | AbsentAnswer
    | TurnsAnswer,
    Field(discriminator="kind"),
]


class Turn(_Frozen):
    """One message, in neutral markup."""

    role: Literal["user", "assistant"]
    text: str


class Option(_Frozen):
    """A choice, or an item to put in order. The kind and margin say why a wrong one is wrong, and by how much."""

    text: str
    distractor_kind: str | None = None
    margin: float | None = None


class Evidence(_Frozen):
    """A row that the answer rests on, with the values used, so that a changed row is told from a wrong answer."""

    table: str
    row_id: str
    values: Mapping[str, Any]


class MediumRef(_Frozen):
    """What a sample shows of a medium: the span [start_s, end_s), or stills at `frame_times` (seconds).

    Of kind `text` nothing is shown: the sample tells the span in words, and packages carry no file of it.
    """

    media_id: str
    kind: Literal["video", "image", "audio", "text"] = "video"
    start_s: float
    end_s: float
    frame_times: tuple[float, ...] = ()


class Sample(_Frozen):
    """One instruction example."""

    task: str
    recipe: str
    clip_id: str | None = None
    media: tuple[MediumRef, ...]
    turns: tuple[Turn, ...]
    answer: Answer
    options: tuple[Option, ...] = ()
    rationale: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...]
    needs: tuple[Need, ...]
    origin: str = "real"
    wording: str
    answer_form: str
    pair_id: str | None = None
    difficulty: Mapping[str, float] = Field(default_factory=dict)
    generator: str

    @property
    def window(self) -> Span:
        """The shown window of the first medium."""
        return Span(self.media[0].start_s, self.media[0].end_s)

    @property
    def sample_id(self) -> str:
        """Derived from task, media, question and answer; not from wording identifiers or evidence."""
        return derive_id(
            "sample",
            self.task,
            [m.model_dump() for m in self.media],
            [t.model_dump() for t in self.turns],
            self.answer.model_dump(),
            [o.text for o in self.options],
        )

    def problems(self) -> list[str]:
        """What is malformed in itself: markup, windows, option indices, empty evidence. Empty means well-formed."""
        found: list[str] = []
        windows = [Span(m.start_s, m.end_s) for m in self.media]
        talk = isinstance(self.answer, TurnsAnswer)
        for i, turn in enumerate(self.turns):
            part = i // 2 + 1 if talk else None
            found += validate(turn.text, media=len(self.media), windows=windows, part=part)
        found += self._shown_though_told()
        if isinstance(self.answer, TurnsAnswer):
            found += _turn_problems(self.answer.parts, self.turns, self.options, windows[0])
        else:
            found += _answer_problems(self.answer, self.options, windows[0])
        if not self.evidence:
            found.append("no evidence")
        return found

    def _shown_though_told(self) -> list[str]:
        """Tags that show a medium of which the sample only tells."""
        told = {i for i, ref in enumerate(self.media, start=1) if ref.kind == "text"}
        if not told:
            return []
        texts = (*(turn.text for turn in self.turns), *(option.text for option in self.options))
        shown = {medium for text in texts for medium in media_shown(text)}
        return [f"medium {n} is told in words, but a tag shows it" for n in sorted(told & shown)]

    def to_row(self) -> dict[str, Any]:
        """Values for table `samples` (`media_id` is that of the first medium)."""
        return {
            "media_id": self.media[0].media_id,
            "sample_id": self.sample_id,
            "task": self.task,
            "recipe": self.recipe,
            "clip_id": self.clip_id,
            "media": [{**m.model_dump(), "frame_times": list(m.frame_times)} for m in self.media],
            "window_start_s": self.media[0].start_s,
            "window_end_s": self.media[0].end_s,
            "turns": [t.model_dump() for t in self.turns],
            "answer_kind": self.answer.kind,
            "answer_json": _dumps(self.answer.model_dump()),
            "options": [o.model_dump() for o in self.options],
            "rationale": list(self.rationale),
            "evidence": [
                {"source_table": e.table, "row_id": e.row_id, "values_json": _dumps(dict(e.values))}
                for e in self.evidence
            ],
            "needs": list(self.needs),
            "origin": self.origin,
            "wording": self.wording,
            "answer_form": self.answer_form,
            "pair_id": self.pair_id,
            "difficulty_json": _dumps(dict(self.difficulty)),
            "generator": self.generator,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Sample:
        """The sample of a stored row. Raises pydantic's `ValidationError` when the row is malformed."""
        return cls.model_validate(
            {
                "task": row["task"],
                "recipe": row["recipe"],
                "clip_id": row["clip_id"],
                "media": [{**m, "frame_times": m["frame_times"] or ()} for m in row["media"]],
                "turns": row["turns"],
                "answer": json.loads(row["answer_json"]),
                "options": row["options"] or (),
                "rationale": row["rationale"] or (),
                "evidence": [
                    {
                        "table": e["source_table"],
                        "row_id": e["row_id"],
                        "values": json.loads(e["values_json"]),
                    }
                    for e in row["evidence"] or ()
                ],
                "needs": row["needs"],
                "origin": row["origin"],
                "wording": row["wording"],
                "answer_form": row["answer_form"],
                "pair_id": row["pair_id"],
                "difficulty": json.loads(row["difficulty_json"] or "{}"),
                "generator": row["generator"],
            }
        )


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _answer_problems(answer: PartAnswer, options: Sequence[Option], window: Span) -> list[str]:
    found: list[str] = []
    n = len(options)
    if isinstance(answer, ChoiceAnswer) and not 0 <= answer.index < n:
        found.append(f"answer names option {answer.index} of {n}")
    if isinstance(answer, OrderAnswer) and sorted(answer.order) != list(range(n)):
        found.append(f"order {list(answer.order)} is not a permutation of the {n} options")
    if isinstance(answer, (SpanAnswer, SpanBoxAnswer, TubeAnswer)):
        found += _span_problems([(answer.start_s, answer.end_s)], window)
    if isinstance(answer, TubeAnswer):
        found += _tube_problems(answer)
    if isinstance(answer, SpansAnswer):
        found += _span_problems(answer.spans, window)
    if len({o.text for o in options}) < n:
        found.append("two options have the same text")
    return found


def _turn_problems(
    parts: Sequence[TurnPart], turns: Sequence[Turn], options: Sequence[Option], window: Span
) -> list[str]:
    """Questions and answers alternate, each part has its own options in order, and answers stay in their scope."""
    found: list[str] = []
    if [t.role for t in turns] != ["user", "assistant"] * len(parts):
        found.append("a conversation needs a question and an answer for each part, in turn")
    if [p.turn for p in parts] != list(range(1, 2 * len(parts), 2)):
        found.append("the parts do not name the answering turns in order")
    ends = [0, *(p.options[1] for p in parts)]
    if any(p.options[0] != end for p, end in zip(parts, ends, strict=False)) or ends[-1] != len(options):
        found.append("the parts do not share out the options in order")
    for i, part in enumerate(parts, start=1):
        if not (part.scope[0] < part.scope[1] and window.contains_span(Span(*part.scope))):
            found.append(f"part {i}: scope {part.scope} leaves the window")
            continue
        problems = _answer_problems(part.answer, options[slice(*part.options)], Span(*part.scope))
        found += [f"part {i}: {problem}" for problem in problems]
    return found


def _tube_problems(tube: TubeAnswer) -> list[str]:
    """Boxes stand in order of time, each time once, inside the span and inside the picture."""
    times = [to_us(t) for t, *_ in tube.boxes]
    found = [] if times else ["a tube without boxes"]
    if any(b <= a for a, b in pairwise(times)):
        found.append("the boxes of a tube are not in order of time")
    if any(not to_us(tube.start_s) <= t <= to_us(tube.end_s) for t in times):
        found.append("a box of a tube lies outside its span")
    if any(box_or_none(*edges) is None for _, *edges in tube.boxes):
        found.append("a box of a tube is out of range, inverted or empty")
    return found


def _span_problems(spans: Any, window: Span) -> list[str]:
    found = []
    for start, end in spans:
        if not start < end:
            found.append(f"answer span {start:g}..{end:g} is empty or inverted")
        elif start < window.start_s - 1e-6 or end > window.end_s + 1e-6:
            found.append(f"answer span {start:g}..{end:g} leaves the window {window.start_s:g}..{window.end_s:g}")
    return found
