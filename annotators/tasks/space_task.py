"""The frame of tasks about space: a task names its kinds, everything else is here.

One medium's rows become a `Space`; each kind lists candidates, which are solved in a seeded order that names of objects and times
give (never their identifiers), and the answers of those that are kept are as varied as the scene allows. A sample cites what its
answer rests on; checking it builds the space of the cited rows and solves the question again. How an answer was verified
goes to `spatial_checks`, what was not asked and why to `withheld`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.spaces import SPACE_TABLES, space_in
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas import scale
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.evenly import evenly
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.markup import escape
from ...schemas.sample import ChoiceAnswer, MediumRef, NumberAnswer, Option, OrderAnswer, PartAnswer, Sample
from ...schemas.space import Space
from ...schemas.span import Span, to_us
from ...schemas.verifying import Check
from ..asks.ask import About, Kind, Number, Pick, Ranking, Solved
from ..asks.balance import balanced, stake_of
from ..asks.gate import GateRule, certain, why_not
from ..asks.numbers import ChoiceRule
from ..asks.view import CLEARLY, SEEN, SeenRule, View
from .common import RowDict, Withheld, dialogue, only_row, rebuilt, rows_of, shuffled, span_of, wordings_of
from .space_evidence import asked_of, evidence_of, view_of

Format = Literal["number", "choice"]
ASKED = ""
"""Reason in `withheld` for what was asked."""


class SpaceParams(Params):
    """Parameters that all tasks about space share."""

    per_kind: int = Field(4, ge=1, description="Samples of a kind and medium, at most.")
    caps: Mapping[str, int] = Field(
        default_factory=dict, description="The same for single kinds by name; 0 leaves one out."
    )
    tries: int = Field(240, ge=1, description="Candidates of a kind and medium that are solved, at most.")
    formats: tuple[Format, ...] = Field(
        ("number",), min_length=1, description="How numbers are asked for; of several, one is drawn for each sample."
    )
    choices: ChoiceRule = Field(default_factory=ChoiceRule, description="How numbers become choices.")
    gate: GateRule = Field(
        default_factory=GateRule, description="What the scene's scale and vertical must be good for."
    )
    seen: SeenRule = Field(default=SEEN, description="When an object counts as visible.")
    clearly: SeenRule = Field(default=CLEARLY, description="When it is seen well enough to be asked about.")
    pictures: int = Field(8, ge=1, le=32, description="Stills shown by questions about single pictures.")
    imbalance: float = Field(
        0.75,
        ge=0,
        description="How often more than its share an answer may be right in the questions of a kind and medium.",
    )
    unconfirmed: bool = Field(
        True, description="Whether an answer that no second representation can confirm is asked for."
    )


P = TypeVar("P", bound=SpaceParams)


@dataclass(frozen=True)
class Candidate:
    """A solved question, ready to be asked."""

    kind: Kind
    view: View
    clips: tuple[RowDict, ...]
    about: About
    solved: Solved


class SpaceTask(Task[P]):
    """Base of tasks about space. A subclass sets `name`, `version`, `Params` and `kinds`; its wordings file has a kind of
    wordings for each name in `kinds()`.
    """

    reads: ClassVar[tuple[str, ...]] = ("media", "clips", "selection", *SPACE_TABLES, "footage_groups")
    optional_reads: ClassVar[tuple[str, ...]] = (
        "selection", "boxes3d", "cameras", "points", "tracks", "boxes", "footage_groups",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("samples", "spatial_checks", "withheld")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only", "question_only")

    @abstractmethod
    def kinds(self) -> Sequence[Kind]:
        """The kinds that these parameters ask for."""

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def space(self, rows: Rows) -> Space:
        """The space of one medium; tasks may leave out cameras that they do not show. Raises `SkipUnit` where there is none."""
        return space_in(rows)

    # -- writing ---------------------------------------------------------------------------------------------------

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_kind` samples of each kind, with their `spatial_checks`; then what was withheld."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        space = self.space(rows)
        media, split = medium_row(rows, media_id), split_of(rows, media_id)
        clips = kept_clips(rows, media_id)
        if not clips:
            raise SkipUnit("no clip is kept")
        for kind in self.kinds():
            cap = self.params.caps.get(kind.name, self.params.per_kind)
            if cap == 0:
                continue
            reasons: Counter[str] = Counter()
            for candidate in self._chosen(unit, kind, space, media, clips, cap, reasons):
                about = self._key(candidate.view, candidate.about)
                question, form = wordings_of(self.name).choose(kind.name, unit.seed, kind.name, about, split=split)
                drawn = seeded_fraction(unit.seed, self.name, "format", kind.name, about)
                format_ = self.params.formats[int(drawn * len(self.params.formats))]
                try:
                    sample = self.build(unit.recipe, media, candidate, question.id, form.id, format_)
                except Withheld as reason:
                    reasons[str(reason)] += 1
                    continue
                reasons[ASKED] += 1
                yield "samples", sample.to_row()
                yield "spatial_checks", self._check_row(sample, candidate)
            for why, count in sorted((+reasons).items()):
                yield "withheld", {"task": self.name, "kind": kind.name, "reason": why, "candidates": count}

    def views(
        self, kind: Kind, space: Space, media: RowDict, clips: Sequence[RowDict]
    ) -> Iterator[tuple[View, list[RowDict]]]:
        """What a kind may be shown: each kept clip, as footage or as stills spread evenly over its cameras."""
        for clip in clips:
            window = window_of(clip, media)
            view = View(space, window, (), self.params.seen, self.params.clearly)
            if kind.medium == "stills":
                times = [c.t_s for c in view.cameras()]
                view = View(space, window, tuple(evenly(times, self.params.pictures)), view.seen, view.clearly)
                if not view.stills:
                    continue
            yield view, [clip]

    def _chosen(
        self,
        unit: Unit,
        kind: Kind,
        space: Space,
        media: RowDict,
        clips: Sequence[RowDict],
        cap: int,
        reasons: Counter[str],
    ) -> list[Candidate]:
        """At most `cap` solved candidates, answers balanced; `reasons` counts the others."""
        asked = [
            (view, shown, about)
            for view, shown in self.views(kind, space, media, clips)
            for about in kind.candidates(view)
        ]
        refused = why_not(kind, space, self.params.gate)
        if not asked:
            reasons[refused or "nothing that is shown fits"] += len(clips)
            return []
        if refused:
            reasons[refused] += len(asked)
            return []
        ordered = shuffled(
            asked, unit.seed, self.name, kind.name, key=lambda a: [a[0].window.start_s, *self._key(a[0], a[2])]
        )
        good = []
        for view, shown, about in ordered[: self.params.tries]:
            try:
                solved = self._solved(kind, view, about)
            except Withheld as reason:
                reasons[str(reason)] += 1
                continue
            good.append(Candidate(kind, view, tuple(shown), about, solved))
        if len(ordered) > self.params.tries:
            reasons["not tried"] += len(ordered) - self.params.tries
        taken, left_out = balanced(
            [stake_of(c.about.variant, c.solved) for c in good], cap, self.params.imbalance, even=kind.even
        )
        reasons["its answer would be too common"] += left_out
        reasons["enough of its kind"] += len(good) - len(taken) - left_out
        return [good[i] for i in taken]

    def _solved(self, kind: Kind, view: View, about: About) -> Solved:
        """Raises `Withheld` where scale or second source do not allow what the kind finds."""
        solved = kind.solve(view, about)
        if not certain(kind, solved, view.space, self.params.gate):
            raise Withheld("the number is too uncertain")
        if solved.second is None and not self.params.unconfirmed:
            raise Withheld("no second representation")
        if solved.second is not None and not solved.second.agrees:
            raise Withheld("the second representation answers otherwise")
        return solved

    # -- a sample --------------------------------------------------------------------------------------------------

    def build(
        self, recipe: str, media: RowDict, asked: Candidate, wording: str, form: str, format_: Format,
        trail: Trail | None = None,
    ) -> Sample:  # fmt: skip
        """The sample of a solved question. Raises `Withheld`."""
        wordings, view, solved = wordings_of(self.name), asked.view, asked.solved
        question, answer = wordings.question(asked.kind.name, wording), wordings.answer(asked.kind.name, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        _require_window(view, asked.clips, media)
        reply: Number | Pick | Ranking = solved.reply
        if isinstance(reply, Number) and format_ == "choice":
            reply = asked.kind.choice(
                reply, self.params.choices, self.name, asked.kind.name, self._key(view, asked.about)
            )
        typed, options, said = _typed(self.name, reply)
        if trail is not None:
            _concluded(trail, asked, typed, options)
        shown: Literal["image", "video"] = "image" if view.stills else "video"
        slots = {**{name: escape(text) for name, text in solved.slots.items()}, **solved.marks}
        factors = {
            **solved.difficulty,
            "objects": float(len(asked.about.objects)),
            "cameras": float(len(asked.about.times)),
            "variant": float(asked.about.variant),
            "approximate": float(asked.kind.scale and scale.approximate(view.space.scene)),
        }
        evidence = evidence_of(media, asked.clips, view, asked.about, solved)
        factors["rows"] = float(len(evidence))
        if solved.margin is not None:
            factors["margin"] = round(solved.margin, 6)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=asked.clips[0]["clip_id"],
            media=(
                MediumRef(
                    media_id=media["media_id"], kind=shown, start_s=view.window.start_s,
                    end_s=view.window.end_s, frame_times=view.stills,
                ),
            ),
            turns=dialogue(f"<{shown}>", question.fill(slots), answer.fill({**slots, "answer": said}), options=bool(options)),
            answer=typed,
            options=options,
            rationale=tuple(map(escape, solved.rationale)),
            evidence=evidence,
            needs=solved.needs,
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=factors,
            generator=f"{self.name}@{self.version}",
        )  # fmt: skip

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Build the space of the cited rows, solve the question there, and rebuild the sample."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """The steps that the kind records; none where it records none."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        name = wordings_of(self.name).kind_of(sample.wording)
        kind = next((k for k in self.kinds() if k.name == name), None)
        if kind is None:
            raise Withheld(f"the wording {sample.wording} belongs to no kind that is asked")
        view = view_of(sample, evidence, self.params.seen, self.params.clearly)
        refused = why_not(kind, view.space, self.params.gate)
        if refused:
            raise Withheld(refused)
        about = asked_of(sample, evidence)
        solved = self._solved(kind, view, about)
        asked = Candidate(kind, view, tuple(rows_of(evidence, "clips")), about, solved)
        format_: Format = "choice" if sample.answer.kind == "choice" else "number"
        media = only_row(evidence, "media")
        if not asked.clips:
            raise Withheld("no clip is cited")
        return self.build(sample.recipe, media, asked, sample.wording, sample.answer_form, format_, trail)

    # -- bookkeeping -----------------------------------------------------------------------------------------------

    def _check_row(self, sample: Sample, asked: Candidate) -> dict[str, Any]:
        """The row of `spatial_checks`."""
        space, solved = asked.view.space, asked.solved
        return {
            "sample_id": sample.sample_id,
            "kind": asked.kind.name,
            "scale_status": space.scale_status,
            "scale_sigma": space.scale_sigma,
            "margin": solved.margin,
            "margin_unit": solved.margin_unit if solved.margin is not None else None,
            "confidence": round(confidence(asked), 6),
            "tier": tier(asked),
            "first_source": solved.source,
            "first_answer": solved.says,
            "second_source": solved.second.source if solved.second else None,
            "second_answer": solved.second.says if solved.second else None,
            "agree": solved.second.agrees if solved.second else None,
        }

    @staticmethod
    def _key(view: View, about: About) -> list[Any]:
        """What a question is about, by names and times: the same however objects are numbered."""
        things = [view.space.by_id[i] for i in about.objects if i in view.space.by_id]
        return [[[t.label, t.phrase] for t in things], list(about.times), about.variant]


def window_of(clip: RowDict, media: RowDict) -> Span:
    """What is shown of a clip: all of it, up to the end of the footage."""
    span = span_of(clip)
    return Span(span.start_s, min(span.end_s, media["duration_s"])).quantised()


def _require_window(view: View, clips: Sequence[RowDict], media: RowDict) -> None:
    """Raises `Withheld` unless a whole clip is shown; of stills the window may end behind the last one."""
    whole, shown = window_of(clips[0], media), view.window
    ends = to_us(shown.end_s) == to_us(whole.end_s)
    if view.stills:
        ends = to_us(max(view.stills)) < to_us(shown.end_s) <= to_us(whole.end_s)
    if to_us(shown.start_s) != to_us(whole.start_s) or not ends:
        raise Withheld("the window is not that of its clip")


def confidence(asked: Candidate) -> float:
    """Product of the scores of objects and cameras asked about, and of what the kind's own steps are certain of."""
    space, about = asked.view.space, asked.about
    cameras = [space.camera_at(t) for t in about.times]
    return scale.confidence(
        [
            asked.solved.confidence,
            *(space.by_id[i].score for i in about.objects),
            *(c.confidence for c in cameras if c is not None),
        ]
    )


def tier(asked: Candidate) -> str:
    """How the answer is verified; boxes that no points were fitted to are annotated ones."""
    space, second = asked.view.space, asked.solved.second
    annotated = all(row.get("points") is None for i in asked.about.objects for row in space.by_id[i].rows)
    return scale.tier(space.scene, annotated=annotated, agree=None if second is None else second.agrees)


def _typed(task: str, reply: Number | Pick | Ranking) -> tuple[PartAnswer, tuple[Option, ...], str]:
    """The typed answer, the options in canonical order, and what stands for the answer in its turn."""
    match reply:
        case Number():
            return NumberAnswer(value=reply.value, unit=reply.unit), (), reply.text
        case Pick():
            right = Option(text=escape(reply.right))
            options = [
                right,
                *(Option(text=escape(w.text), distractor_kind=w.kind, margin=w.margin) for w in reply.wrong),
            ]
            ordered = _canonical(task, options)
            return ChoiceAnswer(index=ordered.index(right)), ordered, "<answer>"
        case Ranking():
            items = [Option(text=escape(text)) for text in reply.items]
            ordered = _canonical(task, items)
            return OrderAnswer(order=tuple(ordered.index(item) for item in items)), ordered, "<answer>"


def _canonical(task: str, options: Sequence[Option]) -> tuple[Option, ...]:
    """In an order that hashing their texts gives. Raises `Withheld` when two have one text."""
    if len({o.text for o in options}) < len(options):
        raise Withheld("two options have the same text")
    return tuple(sorted(options, key=lambda o: (derive_id("option", task, o.text), o.text)))


def _concluded(trail: Trail, asked: Candidate, typed: PartAnswer, options: Sequence[Option]) -> None:
    """The kind's steps, and the typed answer made of their result; nothing where the kind records none."""
    if asked.solved.chain is None:
        return
    result, reply = asked.solved.chain(trail), asked.solved.reply
    texts = [o.text for o in options]
    match typed:
        case NumberAnswer():
            trail.conclude("number", result, unit=typed.unit, note="That is the answer.")
        case ChoiceAnswer() if isinstance(reply, Number):
            said = trail.compute("number_text", result, decimals=reply.decimals)
            trail.conclude("choice", trail.compute("index_of", said, options=texts), note="That is the answer.")
        case ChoiceAnswer():
            trail.conclude("choice", trail.compute("index_of", result, options=texts), note="That is the answer.")
        case OrderAnswer():
            trail.conclude("order", trail.compute("places_of", result, options=texts), note="That is the order.")
