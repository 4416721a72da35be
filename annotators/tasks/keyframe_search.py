"""Which one to five moments of long footage does a question need? (LV-Haystack)

The question is quoted; the answer are the spans in which what it asks about can be seen, and frame numbers stand beside
them, counted in the medium and in the clip. Questions about needles are made here, and kept only if their answer follows
from the marked moments and is lost without any one of them; questions that people asked come with their moment, of which
only the place is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...engine.wordings import Outcome
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.markup import quote
from ...schemas.needles import COLUMNS, Needle, needles_of
from ...schemas.sample import MediumRef, Sample
from ...schemas.span import Span
from ...schemas.verifying import Check
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    dialogue,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    spread,
    wordings_of,
)
from .keyframe_asks import ASKS, Ask, AskKind, ask_of, possible
from .occurrences import answer_of, placed, slots_of, worded

SHOWN_COLUMNS = (*MEDIA_COLUMNS, "fps")
QUESTION_COLUMNS = ("question_id", "question", "answer_text", "start_s", "end_s", "needs")
KIND = "moments"


class Params(BaseParams):
    """Parameters of keyframe_search."""

    per_clip: int = Field(6, ge=1, description="Samples per clip, at most.")
    most_moments: int = Field(5, ge=1, le=12, description="Moments that a question needs, at most.")
    share_max: float = Field(0.2, gt=0, le=1, description="Greatest share of the clip that the moments may take.")


class KeyframeSearch(Task[Params]):
    """Samples from `events` of the kind needle, and from `questions` with a moment, of one medium."""

    name: ClassVar[str] = "keyframe_search"
    version: ClassVar[int] = 1
    Params = Params
    reads = ("media", "clips", "selection", "events", "questions", "footage_groups")
    optional_reads = ("selection", "events", "questions", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = (
        "prior", "question_only", "fixed_interval", "middle_frame", "first_frame", "shuffled_frames",
    )  # fmt: skip

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_clip` samples per kept clip; kinds of question in turn."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, split = medium_row(rows, media_id), split_of(rows, media_id)
        events = one_producer([e for e in rows["events"] if e["kind"] == "needle"])
        asked = one_producer([q for q in rows["questions"] if q["start_s"] is not None and q["end_s"] is not None])
        if not events and not asked:
            raise SkipUnit("no needles (composer `needle`), and no questions with their moments")
        for clip in kept_clips(rows, media_id):
            window = span_of(clip)
            needles = [n for n in needles_of(events) if window.contains_span(n.span)]
            made: list[tuple[str, Sample]] = []
            for kind, marked in possible(needles, self.params.most_moments):
                key = [kind, [n.row["row_id"] for n in marked]]
                question, form = wordings_of(self.name).choose(
                    KIND, unit.seed, key, split=split, outcome=_outcome(marked)
                )
                try:
                    made.append(
                        (kind, self._build(unit.recipe, media, clip, kind, marked, needles, None, question.id, form.id))
                    )
                except Withheld:
                    continue
            for row in asked:
                question, form = wordings_of(self.name).choose(KIND, unit.seed, row["row_id"], split=split)
                try:
                    made.append(
                        ("asked", self._build(unit.recipe, media, clip, None, (), (), row, question.id, form.id))
                    )
                except (Withheld, ValueError):
                    continue
            mixed = shuffled(made, unit.seed, self.name, key=lambda m: m[1].sample_id)
            for _, sample in spread(mixed, lambda m: m[0], self.params.per_clip):
                yield "samples", sample.to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Ask the same of the cited needles, or of the cited question, again."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """Which rows are the moments."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        needles, said = needles_of(rows_of(evidence, "events")), sample.difficulty
        questions = rows_of(evidence, "questions")
        wanted = [int(said.get(f"target_{i}", -1)) for i in range(int(said.get("moments", 0)))]
        code = int(said.get("ask", -1))
        if questions:
            if len(questions) != 1:
                raise Withheld("one question is asked")
            kind, marked = None, []
        elif not 0 <= code < len(ASKS) or any(not 0 <= i < len(needles) for i in wanted):
            raise Withheld("a needle that is asked about is not cited")
        else:
            kind, marked = ASKS[code], [needles[i] for i in wanted]
        return self._build(
            sample.recipe, only_row(evidence, "media"), only_row(evidence, "clips"), kind, marked, needles,
            questions[0] if questions else None, sample.wording, sample.answer_form, trail,
        )  # fmt: skip

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        kind: AskKind | None,
        marked: Sequence[Needle],
        needles: Sequence[Needle],
        asked: RowDict | None,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about the marked needles, or about a question that was asked. Raises `Withheld`."""
        window = span_of(clip)
        ask = ask_of(kind, marked, needles) if kind is not None else None
        spans = [n.span for n in ask.marked] if ask else [span_of(asked)] if asked else []
        if not 1 <= len(spans) <= self.params.most_moments:
            raise Withheld(f"{len(spans)} moments")
        if any(not window.contains_span(s) for s in (*spans, *(n.span for n in needles))):
            raise Withheld("a moment lies outside the clip")
        if sum(s.length_s for s in spans) > self.params.share_max * window.length_s:
            raise Withheld("the moments are too much of the clip")
        if asked is not None and not str(asked["question"] or "").strip():
            raise Withheld("the question has no words")
        text = ask.question if ask else str(asked["question"]) if asked else ""
        told = ask.answer if ask else asked["answer_text"] if asked else None
        outcome: Outcome = "unique" if len(spans) == 1 else "repeated"
        question, answer = worded(self.name, KIND, wording, form, outcome)
        if trail is not None:
            rows = [n.row for n in ask.marked] if ask else [asked] if asked else []
            table = "events" if ask else "questions"
            places = [trail.locate(table, [row], note="What is asked about is in {@}.") for row in rows]
            for place in places:
                trail.require(place, "within", (window.start_s, window.end_s))
            trail.conclude("span" if len(places) == 1 else "spans", *places)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clip["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill({"question": quote(text)}), answer.fill(slots_of(spans))),
            answer=answer_of(spans),
            rationale=_rationale(ask, spans, told),
            evidence=(
                cite("media", media, SHOWN_COLUMNS),
                cite("clips", clip, CLIP_COLUMNS),
                *(cite("events", n.row, COLUMNS) for n in needles),
                *([cite("questions", asked, QUESTION_COLUMNS)] if asked else ()),
            ),
            needs=("vision", "on_screen_text") if kind == "word" else tuple((asked or {}).get("needs") or ("vision",)),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={
                **placed(window, spans),
                **_frames(spans, window, float(media["fps"] or 0.0)),
                "moments": float(len(spans)),
                "needles": float(len(needles)),
                "ask": float(ASKS.index(kind)) if kind else -1.0,
                **{f"target_{i}": float(list(needles).index(n)) for i, n in enumerate(marked)},
            },
            generator=f"{self.name}@{self.version}",
        )


def _outcome(marked: Sequence[Needle]) -> Outcome:
    return "unique" if len(marked) == 1 else "repeated"


def _frames(spans: Sequence[Span], window: Span, fps: float) -> dict[str, float]:
    """Numbers of the middle frames, counted in the medium and in the clip, and how many frames the clip has.

    The two differ by `round(fps * start of the clip)`, as in LV-Haystack. Empty without a frame rate.
    """
    if fps <= 0:
        return {}
    first = round(window.start_s * fps)
    found = {"haystack_frames": float(round(window.length_s * fps))}
    for i, span in enumerate(spans):
        middle = int(span.centre_s * fps + 1e-6)
        found |= {f"frame_in_video_{i}": float(middle), f"frame_in_clip_{i}": float(middle - first)}
    return found


def _rationale(ask: Ask | None, spans: Sequence[Span], told: str | None) -> tuple[str, ...]:
    """What can be seen at each moment, and the answer that follows."""
    seen = (
        [f"{n.text[0].upper()}{n.text[1:]} can be seen" for n in ask.marked]
        if ask
        else ["What is asked about is"] * len(spans)
    )
    steps = [f"{text} in {span_mark(s)}." for text, s in zip(seen, spans, strict=True)]
    return (*steps, f"So the answer is {quote(told)}.") if told else tuple(steps)


ANNOTATOR = KeyframeSearch
