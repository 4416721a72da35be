"""Sound and text, told apart and together: when something is heard, what is heard in a span, and all that is heard in order.

Labels with times become instructions, as in the audio-text half of AVicuna's data (A5-222K): instrument notes, silences, tones,
tags of a model, and what is said. A description is asked for only where nothing else in the window is called the same; options
are what is heard just before and after, and which of them is asked about is drawn, so that they tell nothing. Pairs whose
audio-text similarity is known and low are dropped. Limits: what no row tells cannot be ruled out, so labels of
detectors are as good as the detector.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.style import style_problem
from ...engine.distractors.texts import gap_s
from ...engine.distractors.vocabulary import NEAR_IN_TIME
from ...engine.grounding.windows import NoWindow, choose_window, window_problems
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.heard import heard_words
from ...schemas.ids import seeded_fraction
from ...schemas.sample import ChoiceAnswer, MediumRef, Need, Option, Sample, SpanAnswer, TextAnswer
from ...schemas.span import Span, overlap_s
from ...schemas.verifying import Check
from .chain_of_grounding import window_of
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    covering,
    dialogue,
    kind_of,
    only_row,
    placement,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)

Kind = Literal["when", "what", "list"]
COLUMNS = {
    "sounds": ("start_s", "end_s", "label", "attributes_json"),
    "speech": ("start_s", "end_s", "text"),
    "clip_scores": ("t_s", "until_s", "name", "value"),
}


class Params(BaseParams):
    """Parameters of sound_description."""

    kinds: tuple[Kind, ...] = Field(("when", "what", "list"), min_length=1, description="What is asked.")
    labels: tuple[str, ...] = Field((), description="Labels of `sounds` that are asked about; empty: all but onset.")
    speech: bool = Field(True, description="Whether what is said is asked about as well.")
    per_medium: int = Field(3, ge=1, description="Samples per medium and kind, at most.")
    options: int = Field(4, ge=2, le=6, description="Options of a choice, at most; at least two.")
    min_s: float = Field(0.25, gt=0, description="Shorter sounds are not asked about.")
    most_words: int = Field(14, ge=1, description="What is said is quoted up to so many words.")
    window_s: tuple[float, float] = Field((5.0, 60.0), description="Shortest and longest window, drawn log-uniformly.")
    evidence_share_max: float = Field(0.8, gt=0, le=1, description="Greatest share of the window that is asked about.")
    listed: tuple[int, int] = Field((2, 8), description="Fewest and most sounds of a list.")
    most_sounds: int = Field(60, ge=1, description="Windows with more sounds are not asked about.")
    min_similarity: float = Field(
        0.25,
        description="Dropped where `clip_scores` named like the label (or `speech`) are there and their mean over the span is lower.",
    )


@dataclass(frozen=True)
class _Ground:
    """What is asked about (the asked one, or all of a list; then the other options), and what else the window holds."""

    asked: tuple[RowDict, ...]
    witnesses: tuple[RowDict, ...]
    scores: tuple[RowDict, ...]


class SoundDescription(Task[Params]):
    """Samples from `sounds` and `speech` of one medium."""

    name = "sound_description"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "sounds", "speech", "clip_scores", "footage_groups")
    optional_reads = ("selection", "speech", "clip_scores", "footage_groups")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` samples of each kind. Raises `SkipUnit` where nothing is heard."""
        heard = self._heard(rows)
        if not heard:
            raise SkipUnit("nothing that is heard is known")
        for kind in self.params.kinds:
            made = 0
            for asked in self._chosen(kind, heard, unit.seed):
                sample = self._one(unit, rows, heard, kind, asked)
                if sample is not None:
                    yield "samples", sample.to_row()
                    made += 1
                if made == self.params.per_medium:
                    break

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Describe the cited rows again and rebuild the sample."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """Which row is so called and when it is, or what the row of the span is called; none for lists."""
        built = self._rebuild(sample, evidence)
        asked = _cited(evidence)[0]
        table, trail = _table(asked), Trail()
        if isinstance(built.answer, TextAnswer):
            return ()
        record = trail.read(table, [asked], *COLUMNS[table][2:], *(() if table == "sounds" else ("start_s",)))
        words = trail.compute("heard", record, note="This is heard: {@.text}.")
        span = trail.locate(table, [asked], note="It is heard in {@}.")
        if isinstance(built.answer, SpanAnswer):
            trail.require(words, "equal", heard_words(asked))
            trail.conclude("span", span, note="So the answer is {" + span + "}.")
        else:
            trail.require(span, "same_span", window_of(span_of(asked)))
            right = trail.compute("index_of", words, options=[o.text for o in built.options])
            trail.conclude("choice", right, note="So that is the answer.")
        return trail.steps

    # -- choosing ---------------------------------------------------------------------------------------------------

    def _heard(self, rows: Rows) -> list[RowDict]:
        """What is heard, in order of time."""
        p = self.params
        sounds = [
            s for s in one_producer(rows["sounds"]) if (s["label"] in p.labels if p.labels else s["label"] != "onset")
        ]
        speech = one_producer(rows["speech"]) if p.speech else []
        return sorted(
            (r for r in (*sounds, *speech) if r["end_s"] > r["start_s"]), key=lambda r: (span_of(r), r["row_id"])
        )

    def _chosen(self, kind: str, heard: Sequence[RowDict], seed: int) -> Iterable[tuple[RowDict, ...]]:
        """Rows that may be asked about, in a drawn order: single ones, or runs of neighbours of which one is drawn."""
        fit = [r for r in heard if self._askable(r)]
        if kind == "when":
            return [(r,) for r in shuffled(fit, seed, self.name, kind, key=lambda r: r["row_id"])]
        if kind == "list":
            return self._runs(heard, seed)
        groups, waiting = [], list(fit)
        while waiting:
            group: list[RowDict] = []
            for row in waiting:
                texts = [heard_words(r) for r in (*group, row)]
                if len(set(texts)) == len(texts) and not style_problem(texts):
                    group.append(row)
                if len(group) == self.params.options:
                    break
            waiting = [r for r in waiting if r not in group] if group else []
            if len(group) >= 2:
                asked = group[int(seeded_fraction(seed, self.name, kind, group[0]["row_id"]) * len(group))]
                groups.append((asked, *(r for r in group if r is not asked)))
        return shuffled(groups, seed, self.name, kind, key=lambda g: g[0]["row_id"])

    def _runs(self, heard: Sequence[RowDict], seed: int) -> list[tuple[RowDict, ...]]:
        """Sounds that follow each other, as many as are drawn; runs do not share sounds."""
        least, most = self.params.listed
        found, at = [], 0
        while at + least <= len(heard):
            length = least + int(seeded_fraction(seed, self.name, "run", heard[at]["row_id"]) * (most - least + 1))
            found.append(tuple(heard[at : at + length]))
            at += length
        return shuffled(found, seed, self.name, "list", key=lambda run: run[0]["row_id"])

    @staticmethod
    def _around(heard: Sequence[RowDict], run: Sequence[RowDict], duration_s: float) -> Span | NoWindow:
        """From the middle of the pause before a run to the middle of the one after it: nothing is heard in part."""
        first, last = heard.index(run[0]), heard.index(run[-1])
        before = max((r["end_s"] for r in heard[:first]), default=0.0)
        after = heard[last + 1]["start_s"] if last + 1 < len(heard) else duration_s
        begun, ended = run[0]["start_s"], max(r["end_s"] for r in run)
        if before > begun or after < ended:
            return NoWindow("the run touches other sounds")
        return Span(
            (before + begun) / 2 if first else 0.0, (ended + after) / 2 if last + 1 < len(heard) else duration_s
        ).quantised()

    def _askable(self, row: RowDict) -> bool:
        told = row.get("text")
        return span_of(row).length_s >= self.params.min_s and (
            told is None or 2 <= len(str(told).split()) <= self.params.most_words
        )

    def _one(
        self, unit: Unit, rows: Rows, heard: Sequence[RowDict], kind: Kind, asked: tuple[RowDict, ...]
    ) -> Sample | None:
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, split = medium_row(rows, media_id), split_of(rows, media_id)
        hull = Span(min(r["start_s"] for r in asked), max(r["end_s"] for r in asked)).quantised()
        window = self._around(heard, asked, media["duration_s"]) if kind == "list" else choose_window(
            hull, media["duration_s"], self.params.window_s, unit.seed, self.name, kind, asked[0]["row_id"],
            evidence_share_max=self.params.evidence_share_max,
        )  # fmt: skip
        if isinstance(window, NoWindow):
            return None
        clips = covering(kept_clips(rows, media_id), [span_of(r) for r in asked] if kind == "list" else [hull])
        if not clips:
            return None
        within = [r for r in heard if overlap_s(span_of(r), window) > 0]
        chosen = {r["row_id"] for r in asked}
        question, form = wordings_of(self.name).choose(kind, unit.seed, asked[0]["row_id"], window.start_s, split=split)
        scores = [s for s in rows["clip_scores"] if any(_scores(s, r) for r in asked[: 1 if kind != "list" else None])]
        ground = _Ground(asked, tuple(r for r in within if r["row_id"] not in chosen), tuple(scores))
        try:
            return self._build(unit.recipe, media, clips, ground, window, kind, question.id, form.id)
        except Withheld:
            return None

    # -- building ---------------------------------------------------------------------------------------------------

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Sample:
        kind = wordings_of(self.name).kind_of(sample.wording)
        found, n = _cited(evidence), int(sample.difficulty.get("asked", 0))
        if kind is None or not 1 <= n <= len(found):
            raise Withheld("unknown wording, or fewer sounds than are asked about")
        ground = _Ground(tuple(found[:n]), tuple(found[n:]), tuple(rows_of(evidence, "clip_scores")))
        return self._build(
            sample.recipe, only_row(evidence, "media"), rows_of(evidence, "clips"), ground, sample.window, kind,
            sample.wording, sample.answer_form,
        )  # fmt: skip

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        ground: _Ground,
        window: Span,
        kind: str,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample: a pure function of its evidence and wordings. Raises `Withheld`."""
        p = self.params
        spans = [span_of(r) for r in ground.asked]
        hull = Span(min(s.start_s for s in spans), max(s.end_s for s in spans))
        share = 1.0 if kind == "list" else p.evidence_share_max
        for problem in window_problems(window, [hull], media["duration_s"], p.window_s, evidence_share_max=share):
            raise Withheld(problem)
        if not clips or covering(clips, spans) != list(clips):
            raise Withheld("what is asked about is not inside kept clips")
        if len(ground.asked) + len(ground.witnesses) > p.most_sounds:
            raise Withheld("too many sounds")
        self._require_alike(ground, kind)
        texts = [heard_words(r) for r in ground.asked]
        question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        shown = kind_of(media)
        options: tuple[Option, ...] = ()
        typed: SpanAnswer | ChoiceAnswer | TextAnswer
        others = (*ground.asked[1:], *ground.witnesses)
        if kind == "when":
            if any(heard_words(r) == texts[0] for r in others):
                raise Withheld("something else in the window is called the same")
            mark = span_mark(spans[0])
            turns = dialogue(f"<{shown}>", question.fill({"heard": texts[0]}), answer.fill({"span": mark}))
            typed = SpanAnswer(start_s=spans[0].start_s, end_s=spans[0].end_s)
        elif kind == "what":
            if any(overlap_s(span_of(r), spans[0]) > 0 for r in others):
                raise Withheld("something else is heard in the span")
            if len(set(texts)) < len(texts) or style_problem(texts) or not 2 <= len(texts) <= p.options:
                raise Withheld("the options do not do")
            listed = sorted(range(len(texts)), key=lambda i: texts[i])
            options = tuple(
                Option(text=texts[i])
                if i == 0
                else Option(text=texts[i], distractor_kind=NEAR_IN_TIME, margin=gap_s(spans[0], spans[i]))
                for i in listed
            )
            asked_for = question.fill({"span": span_mark(spans[0])})
            turns = dialogue(f"<{shown}>", asked_for, answer.fill({"answer": "<answer>"}), options=True)
            typed = ChoiceAnswer(index=listed.index(0))
        else:
            if not p.listed[0] <= len(ground.asked) <= p.listed[1] or spans != sorted(spans) or ground.witnesses:
                raise Withheld("the window does not hold a list of whole sounds")
            lines = "\n".join(f"{span_mark(s)} {text}" for s, text in zip(spans, texts, strict=True))
            turns = dialogue(f"<{shown}>", question.text, answer.fill({"answer": lines}))
            typed = TextAnswer(text=lines)
        needs: tuple[Need, ...] = (
            ("audio", "speech_text") if any(_table(r) == "speech" for r in ground.asked) else ("audio",)
        )
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], kind=shown, start_s=window.start_s, end_s=window.end_s),),
            turns=turns,
            answer=typed,
            options=options,
            rationale=tuple(f"In {span_mark(s)}, {t} is heard." for s, t in zip(spans, texts, strict=True))
            if kind != "what"
            else (f"In {span_mark(spans[0])}, {texts[0]} is heard; the other options are heard at other times.",),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *(cite("clips", c, CLIP_COLUMNS) for c in clips),
                *(cite(_table(r), r, COLUMNS[_table(r)]) for r in (*ground.asked, *ground.witnesses)),
                *(cite("clip_scores", s, COLUMNS["clip_scores"]) for s in ground.scores),
            ),
            needs=needs,
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={
                "asked": float(len(ground.asked)),
                "witnesses": float(len(ground.witnesses)),
                **placement(window, hull),
            },
            generator=f"{self.name}@{self.version}",
        )

    def _require_alike(self, ground: _Ground, kind: str) -> None:
        """Drops pairs of sound and text that are known to be unlike."""
        for row in ground.asked[: None if kind == "list" else 1]:
            values = [s["value"] for s in ground.scores if _scores(s, row)]
            if values and fmean(values) < self.params.min_similarity:
                raise Withheld(f"sound and text are alike by {fmean(values):.2f} only")


def _cited(evidence: Sequence[EvidenceRow]) -> list[RowDict]:
    return [e.row for e in evidence if e.table in ("sounds", "speech")]


def _table(row: RowDict) -> str:
    return "sounds" if row.get("label") is not None else "speech"


def _scores(score: RowDict, row: RowDict) -> bool:
    """Whether a similarity is of what a row is called, at its time."""
    name = row.get("label") or "speech"
    return bool(score["name"] == name and score["t_s"] < row["end_s"] and score["until_s"] > row["start_s"])


ANNOTATOR = SoundDescription
