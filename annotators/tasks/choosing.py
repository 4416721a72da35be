"""Multiple-choice samples about a window: what they have in common, from the options to writing and checking
them.

A task brings one pure function from what is shown to a `Choice` (or `Withheld`). The options stand in a
fixed canonical order, so where the right one stands says nothing about the window; packagers assign letters.
Windows with rare answers are taken first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import split_of
from ...engine.task import EvidenceRow
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.sample import ChoiceAnswer, Evidence, MediumRef, Need, Option, Sample
from ...schemas.span import Span
from ...schemas.verifying import Check
from .common import RowDict, Withheld, dialogue, kind_of, rebuilt, shuffled, spread, wordings_of
from .shown import ClipParams, Shown, evidence_of, pieces_of, shown_by, twins_of, windows_of


@dataclass(frozen=True)
class Choice:
    """A multiple-choice answer: options in canonical order, which is right, why, and how hard it is."""

    options: tuple[Option, ...]
    index: int
    rationale: tuple[str, ...]
    difficulty: Mapping[str, float]
    needs: tuple[Need, ...]
    kind: str = "choice"
    slots: Mapping[str, str] = field(default_factory=dict)
    chain: Callable[[Trail], None] | None = None
    """Writes the way to the answer, from the values that it was made of."""

    @property
    def answer(self) -> str:
        """Text of the right option."""
        return self.options[self.index].text


Judge = Callable[[Shown], Choice]


class ChoiceParams(ClipParams):
    """Parameters of choices with a fixed list of answers."""

    per_answer: int = Field(
        2,
        ge=1,
        description="Samples per medium with the same answer, at most: a camera at rest would else be most of them.",
    )
    twins: int = Field(
        1,
        ge=0,
        description="Edited twins asked about beside a clip, at most: answers that every edit turns would else be most.",
    )


def choice_sample(
    task: str,
    version: int,
    recipe: str,
    media: RowDict,
    clip_id: str | None,
    window: Span,
    evidence: tuple[Evidence, ...],
    choice: Choice,
    wording: str,
    form: str,
    pair_id: str | None = None,
    stills: tuple[MediumRef, ...] = (),
) -> Sample:
    """The sample about a window of `media`, with `stills` that options show. Raises `Withheld` for an unknown wording."""
    wordings = wordings_of(task)
    question, answer = wordings.question(choice.kind, wording), wordings.answer(choice.kind, form)
    if question is None or answer is None:
        raise Withheld(f"unknown wording {wording} or answer form {form}")
    asked, said = question.fill(choice.slots), answer.fill({"answer": "<answer>"})
    shown = kind_of(media)
    return Sample(
        task=task,
        recipe=recipe,
        clip_id=clip_id,
        media=(MediumRef(media_id=media["media_id"], kind=shown, start_s=window.start_s, end_s=window.end_s), *stills),
        turns=dialogue(f"<{shown}>", asked, said, options=True),
        answer=ChoiceAnswer(index=choice.index),
        options=choice.options,
        rationale=choice.rationale,
        evidence=evidence,
        needs=choice.needs,
        origin=media["origin"] or "real",
        wording=wording,
        answer_form=form,
        pair_id=pair_id,
        difficulty=choice.difficulty,
        generator=f"{task}@{version}",
    )


def choice_rows(
    task: str, version: int, params: ChoiceParams, unit: Unit, rows: Rows, judge: Judge, *, unflipped: bool
) -> Iterable[Row]:
    """`samples` rows of a medium and of the edited twins of its clips.

    A twin whose answer stays the same (left out unless `unflipped`) or which `judge` withholds gets no
    sample. Raises `SkipUnit` for a medium without measured motion, and for a twin: its samples come with its
    source's.
    """
    assert unit.medium is not None
    media_id = unit.medium.media_id
    if unit.medium.row.get("origin") == "edited":
        raise SkipUnit("an edited twin; its samples are made with those of its source")
    if not rows["signals"]:
        raise SkipUnit("no motion signals")
    split = split_of(rows, media_id)
    good: list[tuple[Shown, Choice]] = []
    per_clip: dict[str, int] = {}
    for shown in shuffled(windows_of(rows, media_id, params.length_s), unit.seed, task, key=_key):
        clip_id = str(shown.clip["clip_id"])
        if per_clip.get(clip_id, 0) < params.per_clip:
            try:
                good.append((shown, judge(shown)))
            except Withheld:
                continue
            per_clip[clip_id] = per_clip.get(clip_id, 0) + 1
    answers: Counter[str] = Counter()
    kept = []
    for shown, choice in good:
        answers[choice.answer] += 1
        if answers[choice.answer] <= params.per_answer:
            kept.append((shown, choice))
    for shown, choice in spread(kept, lambda pair: pair[1].answer, params.per_medium):
        group = [(shown, choice)]
        for twin in shuffled(twins_of(shown, rows), unit.seed, task, "twin", key=_twin_key):
            if len(group) > params.twins:
                break
            try:
                turned = judge(twin)
            except Withheld:
                continue
            if unflipped or turned.answer != choice.answer:
                group.append((twin, turned))
        for each, answer in group:
            question, form = wordings_of(task).choose(
                answer.kind, unit.seed, _key(each), each.media["media_id"], split=split
            )
            pair_id = each.pair_id if len(group) > 1 else None
            sample = choice_sample(
                task, version, unit.recipe, each.media, each.clip["clip_id"], each.window, evidence_of(each),
                answer, question.id, form.id, pair_id,
            )  # fmt: skip
            yield "samples", sample.to_row()


def choice_check(
    task: str,
    version: int,
    length_s: tuple[float, float],
    sample: Sample,
    evidence: Sequence[EvidenceRow],
    judge: Judge,
) -> Check:
    """Whether a stored sample is what `judge` makes of its evidence."""

    def build() -> Sample:
        shown = shown_by(sample, evidence)
        if shown.edit is None and shown.window not in pieces_of(shown.clip, shown.media, length_s):
            raise Withheld("the window is not a piece of its clip")
        pair_id = shown.pair_id if sample.pair_id is not None else None
        return choice_sample(
            task, version, sample.recipe, shown.media, shown.clip["clip_id"], shown.window, evidence_of(shown),
            judge(shown), sample.wording, sample.answer_form, pair_id,
        )  # fmt: skip

    return rebuilt(sample, build)


def traced(choice: Choice) -> tuple[Step, ...]:
    """The way to a choice, as typed steps; none when it has none."""
    trail = Trail()
    if choice.chain is not None:
        choice.chain(trail)
    return trail.steps


def _twin_key(shown: Shown) -> str:
    return str(shown.media["media_id"])


def _key(shown: Shown) -> list[object]:
    return [shown.clip["clip_id"], [row["row_id"] for row in shown.signals]]
