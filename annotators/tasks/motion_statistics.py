"""Where most moves, which way motion changes there, which colour rules: questions from the statistics of a
short window.

The labels are those of `pixel_stats` (spec/temporal.md section 14), so the answer is a label and the window
is what it was computed from. A label is asked about only when its winner leads clearly and the window lies
inside one shot. The statistics see the middle of the picture; every question says so. "Moves" means against
its surroundings: a camera that moves everything alike counts nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.vocabulary import OTHER_LABEL
from ...engine.grounding.windows import window_problems
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.sample import ChoiceAnswer, Need, Option, Sample
from ...schemas.span import Span, from_us, to_us
from ...schemas.verifying import Check
from .chain_of_choices import statistics_chain
from .choosing import Choice, choice_sample
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    covering,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    span_of,
    wordings_of,
)

STATS_COLUMNS = ("start_s", "end_s", "motion", "appearance", "motion_margin", "appearance_margin")
SHOT_COLUMNS = ("start_s", "end_s")
Kind = Literal["quarter", "ring", "slope", "colour", "change"]

QUARTERS = ("the upper left", "the upper right", "the lower left", "the lower right")
RINGS = ("the centre", "the ring around the centre", "the third ring from the centre", "the outermost ring")
SIDES = (
    "to the right",
    "to the lower right",
    "downwards",
    "to the lower left",
    "to the left",
    "to the upper left",
    "upwards",
    "to the upper right",
)
COLOURS = ("dark", "blue", "green", "cyan", "red", "magenta", "yellow", "light")
"""Octants of RGB in the order of the labels: each channel below or from half of its range."""

AREA = "Judge by the middle of the picture only: leave out the left and right sixth and a narrow strip above and below."


class Params(BaseParams):
    """Parameters of motion_statistics."""

    ask: tuple[Kind, ...] = Field(
        ("quarter", "ring", "change"),
        min_length=1,
        description="Kinds of question. Left out unless asked for: `slope`, the direction in which motion grows at its sharpest "
        "border, exact but hard to judge by eye; `colour`, the published statistic's most frequent exact colour, which need "
        "not be the colour that rules the picture (counting all shades alike mostly names another).",
    )
    per_clip: int = Field(1, ge=1, description="Samples per kept clip, at most.")
    per_medium: int = Field(4, ge=1, description="Samples per medium, at most; rare answers first.")
    length_s: tuple[float, float] = Field((0.2, 10.0), description="Shortest and longest window of statistics.")
    min_motion_margin: float = Field(0.3, description="Least relative lead of the winning place or direction.")
    min_change_margin: float = Field(0.05, description="Least lead of the place whose colours change most, 0..1.")
    min_colour_margin: float = Field(0.3, description="Least relative lead of the dominant colour.")


class MotionStatistics(Task[Params]):
    """Samples from `pixel_stats` of one medium."""

    name = "motion_statistics"
    version = 3
    Params = Params
    reads = ("media", "clips", "selection", "shots", "pixel_stats", "footage_groups")
    optional_reads = ("selection", "shots", "footage_groups")
    second = "statistics"

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_clip` and `per_medium` samples, kinds and answers as varied as the footage allows."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        if not rows["pixel_stats"]:
            raise SkipUnit("no pixel statistics")
        clips, shots = kept_clips(rows, unit.medium.media_id), one_producer(rows["shots"])
        found: list[tuple[str, str, Sample]] = []
        split = split_of(rows, unit.medium.media_id)
        for row in shuffled(one_producer(rows["pixel_stats"]), unit.seed, self.name, key=lambda r: r["row_id"]):
            window = _window(row, media)
            held = covering(clips, [window]) if window else None
            if window is None or not held or len(held) > 1:
                continue
            shot = [s for s in shots if span_of(s).contains_span(window)][:1]
            if shots and not shot:
                continue
            for kind in self.params.ask:
                question, answer = wordings_of(self.name).choose(kind, unit.seed, row["row_id"], split=split)
                try:
                    sample = self._build(unit.recipe, media, held[0], shot, row, kind, question.id, answer.id)
                except Withheld:
                    continue
                found.append((kind, held[0]["clip_id"], sample))
        per_clip: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        answers: Counter[str] = Counter()
        for _ in range(self.params.per_medium):
            free = [f for f in found if per_clip[f[1]] < self.params.per_clip]
            if not free:
                return
            chosen = min(free, key=lambda f: (kinds[f[0]], answers[_answer(f[2])]))
            found.remove(chosen)
            per_clip[chosen[1]] += 1
            kinds[chosen[0]] += 1
            answers[_answer(chosen[2])] += 1
            yield "samples", chosen[2].to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Read the label again and rebuild the sample."""

        def build() -> Sample:
            return self._build(
                sample.recipe, only_row(evidence, "media"), only_row(evidence, "clips"), rows_of(evidence, "shots"),
                only_row(evidence, "pixel_stats"), _kind_of(sample), sample.wording, sample.answer_form,
            )  # fmt: skip

        return rebuilt(sample, build)

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """The label, how clearly it leads, and its option."""
        row, kind = only_row(evidence, "pixel_stats"), _kind_of(sample)
        trail, choice = Trail(), self._choice(row, kind)
        window = _window(row, only_row(evidence, "media"))
        if window is None:
            raise Withheld("the statistics lie past the end of the footage")
        parts, least = self._parts(row, kind)
        statistics_chain(trail, row, kind, parts, least, [o.text for o in choice.options], window)
        return trail.steps

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        shots: Sequence[RowDict],
        row: RowDict,
        kind: str,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample of one kind about one row of statistics. Raises `Withheld`."""
        window = _window(row, media)
        if window is None:
            raise Withheld("the statistics lie past the end of the footage")
        for problem in window_problems(window, [], media["duration_s"], self.params.length_s):
            raise Withheld(problem)
        if any(not span_of(r).contains_span(window) for r in (clip, *shots)):
            raise Withheld("the window leaves its clip or shot")
        if any(r["media_id"] != media["media_id"] for r in (clip, row, *shots)):
            raise Withheld("evidence of another medium is cited")
        evidence = (
            cite("media", media, MEDIA_COLUMNS),
            cite("clips", clip, CLIP_COLUMNS),
            *(cite("shots", s, SHOT_COLUMNS) for s in shots),
            cite("pixel_stats", row, STATS_COLUMNS),
        )
        return choice_sample(
            self.name, self.version, recipe, media, clip["clip_id"], window, evidence,
            self._choice(row, kind), wording, form,
        )  # fmt: skip

    def _parts(self, row: RowDict, kind: str) -> tuple[dict[str, tuple[int, ...]], float]:
        """Components of the statistics that a kind of question rests on, and the least lead of their winner."""
        if kind == "colour":
            return {"at": (12,), "margins": (12,), "moving": ()}, self.params.min_colour_margin
        if kind == "change":
            return {"at": (0,), "margins": (0,), "moving": ()}, self.params.min_change_margin
        if kind == "slope":
            first = 0 if row["motion_margin"][0] >= row["motion_margin"][2] else 2
            parts = {"at": (first + 1,), "margins": (first, first + 1), "moving": (first,)}
            return parts, self.params.min_motion_margin
        moving = tuple(c for c in (0, 2) if row["motion"][c] > 0)
        at = tuple(c + (0 if kind == "quarter" else 4) for c in moving)
        return {"at": at, "margins": at, "moving": moving}, self.params.min_motion_margin

    def _choice(self, row: RowDict, kind: str) -> Choice:
        motion, motion_margin = row["motion"], row["motion_margin"]
        looks, looks_margin = row["appearance"], row["appearance_margin"]
        moving: tuple[Need, ...] = ("vision", "motion")
        if kind in ("quarter", "ring"):
            first = 0 if kind == "quarter" else 4
            place, margin = self._agreed(motion, motion_margin, first)
            texts = QUARTERS if kind == "quarter" else RINGS
            index = _quarter(place) if kind == "quarter" else place - 1
            step = f"Most of what moves against its surroundings is in {texts[index]}."
            return _choice(kind, texts, index, margin, (step,), moving)
        if kind == "slope":
            component = 0 if motion_margin[0] >= motion_margin[2] else 2
            if motion[component] == 0:
                raise Withheld("nothing moves against its surroundings")
            margin = min(motion_margin[component], motion_margin[component + 1])
            _require(margin, self.params.min_motion_margin, "direction")
            index = motion[component + 1] - 1
            quarter = QUARTERS[_quarter(motion[component])]
            way = "rightward" if component == 0 else "downward"
            steps = (
                f"The {way} part of the motion changes most from place to place in {quarter}.",
                f"There it grows {SIDES[index]}.",
            )
            return _choice(kind, SIDES, index, margin, steps, moving, {"way": way})
        if kind == "colour":
            _require(looks_margin[12], self.params.min_colour_margin, "colour")
            index = looks[12] - 1
            step = f"The most frequent colour of all frames is {COLOURS[index]}."
            return _choice(kind, COLOURS, index, looks_margin[12], (step,), ("vision",))
        _require(looks_margin[0], self.params.min_change_margin, "place")
        index = _quarter(looks[0])
        step = f"From frame to frame, the colours stay least alike in {QUARTERS[index]}."
        return _choice(kind, QUARTERS, index, looks_margin[0], (step,), moving)

    def _agreed(self, motion: Sequence[int], margins: Sequence[float], first: int) -> tuple[int, float]:
        """The place that the moving components agree on, and the smaller margin. Raises `Withheld`."""
        moving = [c for c in (0, 2) if motion[c] > 0]
        if not moving:
            raise Withheld("nothing moves against its surroundings")
        places = {motion[first + c] for c in moving}
        if len(places) > 1:
            raise Withheld("sideways and up-and-down motion have their maximum at different places")
        margin = min(margins[first + c] for c in moving)
        _require(margin, self.params.min_motion_margin, "place")
        return places.pop(), margin


def _choice(
    kind: str,
    texts: Sequence[str],
    index: int,
    margin: float,
    steps: tuple[str, ...],
    needs: tuple[Need, ...],
    slots: dict[str, str] | None = None,
) -> Choice:
    if not 0 <= index < len(texts):
        raise Withheld(f"label {index + 1} does not exist")
    options = tuple(
        Option(text=t, distractor_kind=None if i == index else OTHER_LABEL, margin=None if i == index else round(margin, 6))
        for i, t in enumerate(texts)
    )  # fmt: skip
    return Choice(options, index, steps, {"margin": round(margin, 6)}, needs, kind, {"area": AREA, **(slots or {})})


def _kind_of(sample: Sample) -> str:
    kind = wordings_of(MotionStatistics.name).kind_of(sample.wording)
    if kind is None:
        raise Withheld(f"unknown wording {sample.wording}")
    return kind


def _require(margin: float, least: float, what: str) -> None:
    if margin < least:
        raise Withheld(f"the leading {what} leads by {margin:.2f} only")


def _answer(sample: Sample) -> str:
    assert isinstance(sample.answer, ChoiceAnswer)
    return sample.options[sample.answer.index].text


def _quarter(cell: int) -> int:
    """Quarter (from 0, row by row) that holds a cell (from 1) of the 4x4 grid."""
    row, column = divmod(cell - 1, 4)
    return row // 2 * 2 + column // 2


def _window(row: RowDict, media: RowDict) -> Span | None:
    start, end = to_us(row["start_s"]), min(to_us(row["end_s"]), to_us(media["duration_s"]))
    return Span(from_us(start), from_us(end)) if start < end else None


ANNOTATOR = MotionStatistics
