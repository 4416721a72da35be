"""What is true of this film, and not of its contradicting twins? Four formats about one aspect, as TempCompass asks.

A row of `aspects` says what is true of a medium by construction, and what is true of the media that conflict with it. It is
asked for by multiple choice, by yes or no (one of each, so that half the answers are yes), by matching one of two captions, and
as a caption written from the right piece of information. All formats say the same, and contradicting media share their
questions: one frame, or no footage, gets at most one of a pair. What the row says of its edit must agree with its value.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.vocabulary import OTHER_VALUE
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import derive_id
from ...schemas.markup import escape, quote
from ...schemas.matching import common_words
from ...schemas.sample import ChoiceAnswer, MediumRef, Need, Option, Sample, TextAnswer
from ...schemas.span import Span, to_us
from ...schemas.verifying import Check
from .chain_of_grounding import window_of
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
    span_mark,
    span_of,
    wordings_of,
)
from .descriptions import sentence
from .event_words import plain
from .occurrences import clip_shown
from .told_choice import listed

Format = Literal["choice", "yes_no", "matching", "captioning"]
ASPECT_COLUMNS = ("start_s", "end_s", "aspect", "kind", "subject", "value", "wrong", "pair_id", "attributes_json")
LABELS = ("no", "yes")
THREE = ("event_order", "relative_speed")
"""Kinds whose sets are of three media: two arrangements, and both at once or at one speed."""
NEEDS: tuple[Need, ...] = ("vision", "motion")
_PACE = {"faster": 1, "slower": -1, "as fast": 0, "played at its own": 0, "played faster": 1, "played slower": -1}


class Params(BaseParams):
    """Parameters of conflict_questions."""

    formats: tuple[Format, ...] = Field(get_args(Format), min_length=1, description="How an aspect is asked for.")
    options: int = Field(
        4, ge=2, le=6, description="Most options of a multiple choice: the truth, then conflicting values."
    )
    window_s: tuple[float, float] = Field((0.2, 120.0), description="Shortest and longest footage that is shown.")


class ConflictQuestions(Task[Params]):
    """Samples from `aspects` of one medium, in up to four formats each (yes or no: two samples)."""

    name = "conflict_questions"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "aspects", "footage_groups")
    optional_reads = ("selection", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = (
        "prior", "options_only", "question_only", "middle_frame", "first_frame", "shuffled_frames",
    )  # fmt: skip

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """All formats of every aspect."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        clips, split = kept_clips(rows, unit.medium.media_id), split_of(rows, unit.medium.media_id)
        aspects = one_producer(rows["aspects"])
        if not aspects:
            raise SkipUnit("no aspects in which it conflicts with another medium")
        for row in aspects:
            for asked in self.params.formats:
                for true, against in _claims(row, asked):
                    about = _asked_of(row, asked, true, against)
                    question, form = wordings_of(self.name).choose(asked, unit.seed, about, split=split)
                    held = clip_shown(clips, span_of(row))
                    try:
                        sample = self._build(unit.recipe, media, held, row, true, against, asked, question.id, form.id)
                    except Withheld:
                        continue
                    yield "samples", sample.to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Read the aspect again, hold it against its edit, and rebuild the sample."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """What is true of the film in this respect, and which option says so."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        kind = wordings_of(self.name).kind_of(sample.wording)
        if kind is None:
            raise Withheld(f"unknown wording {sample.wording}")
        return self._build(
            sample.recipe, only_row(evidence, "media"), rows_of(evidence, "clips"), only_row(evidence, "aspects"),
            sample.difficulty.get("claim_true", 1.0) == 1.0, int(sample.difficulty.get("against", 0)), kind, sample.wording,
            sample.answer_form, trail,
        )  # fmt: skip

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        row: RowDict,
        true: bool,
        against: int,
        kind: str,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample of one format; `true` says whether a yes-or-no question claims the truth, `against` which wrong value
        is claimed or matched instead. Raises `Withheld`.
        """
        window = span_of(row)
        length = to_us(window.end_s) - to_us(window.start_s)
        if not to_us(self.params.window_s[0]) <= length <= to_us(self.params.window_s[1]):
            raise Withheld(f"the footage is {window.length_s:g} s long")
        if to_us(window.end_s) > to_us(media["duration_s"]) + 100_000 or row["media_id"] != media["media_id"]:
            raise Withheld("the aspect is of another medium, or past its end")
        window = _shown(row, media["duration_s"])
        if not clips or list(clips) != clip_shown(clips, window):
            raise Withheld("what is asked about is not inside a kept clip")
        problem = contradiction(row)
        if problem:
            raise Withheld(problem)
        values = [str(row["value"]), *map(str, row["wrong"])]
        if len(values) < 2 or len(set(values)) < len(values) or (true, against) not in _claims(row, kind):
            raise Withheld("no other value, one twice, or one that is not asked about in this format")
        question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        other = values[1 + against]
        asked = values[0] if true else other
        options, reply, slots = self._asked(row, values, asked, other, kind)
        if trail is not None:
            _chain(trail, row, window, kind, asked, [_raw(o, row, values, kind) for o in options])
        step = f"What is true in {span_mark(window)}: {quote(statement(row, values[0]))}."
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill(slots), answer.fill(slots), options=bool(options)),
            answer=reply,
            options=options,
            rationale=(step, f"So it is not the case that {quote(statement(row, other))}."),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *(cite("clips", c, CLIP_COLUMNS) for c in clips),
                cite("aspects", row, ASPECT_COLUMNS),
            ),
            needs=NEEDS,
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            pair_id=derive_id("pair", self.name, _asked_of(row, kind, true, against)),
            difficulty={
                "length_s": round(window.length_s, 6),
                "values": float(len(values)),
                "claim_true": float(true),
                "against": float(against),
            },
            generator=f"{self.name}@{self.version}",
        )

    def _asked(
        self, row: RowDict, values: Sequence[str], asked: str, other: str, kind: str
    ) -> tuple[tuple[Option, ...], ChoiceAnswer | TextAnswer, dict[str, str]]:
        """Options, answer and slots of a format. Raises `Withheld`."""
        slots = {"subject": plain(str(row["subject"])), "answer": "<answer>"}
        if kind == "yes_no":
            index = int(asked == values[0])
            said = sentence(plain(statement(row, asked)))
            return tuple(Option(text=t) for t in LABELS), ChoiceAnswer(index=index), slots | {"statement": said}
        shown = [values[0], other] if kind == "matching" else _offered(row)[: self.params.options]
        if kind == "captioning":
            told = sorted((statement(row, v) for v in shown), key=lambda t: derive_id("info", t))
            caption = plain(statement(row, values[0]))
            listed_up = "\n".join(f"- {quote(t)}" for t in told)
            return (), TextAnswer(text=caption), slots | {"information": listed_up, "text": sentence(caption)}
        texts = [plain(v) if kind == "choice" else sentence(plain(statement(row, v))) for v in shown]
        right = Option(text=texts[0])
        wrong = [
            Option(text=text, distractor_kind=OTHER_VALUE, margin=round(1 - common_words(values[0], value), 6))
            for text, value in list(zip(texts, shown, strict=True))[1:]
        ]
        ordered, index = listed(self.name, [right, *wrong], right)
        return ordered, ChoiceAnswer(index=index), slots


def _conflicting(row: RowDict) -> list[str]:
    """The values that the media of the set have, this one's first: three where two pieces or two speeds are arranged."""
    return [row["value"], *row["wrong"][: 2 if row["kind"] in THREE else 1]]


def _offered(row: RowDict) -> list[str]:
    """Values that may stand in a choice together: those of the set, and others of the same family, which are true elsewhere.

    A value that is never true next to these would be told by the options alone: no film zooms where panning is offered.
    """
    own = _family(row["value"])
    more = [v for v in row["wrong"] if row["aspect"] == "direction" and _family(v) == own]
    return list(dict.fromkeys([*_conflicting(row), *more]))


def _family(value: str) -> str:
    verb = value.partition(" ")[0]
    return "turns" if verb in ("pans", "tilts") else verb


def _claims(row: RowDict, kind: str) -> list[tuple[bool, int]]:
    """What is asked in a format: (whether the truth is claimed, index of the wrong value that is claimed or matched).

    Over the media of a set, every value is claimed once where it is true and once where it is not, and every two values are
    matched in both.
    """
    conflicting = _conflicting(row)
    if kind == "matching":
        return [(True, i) for i in range(len(conflicting) - 1)]
    if kind != "yes_no" or len(conflicting) < 2:
        return [(True, 0)]
    round_ = sorted(conflicting)
    following = round_[(round_.index(row["value"]) + 1) % len(round_)]
    return [(True, 0), (False, conflicting.index(following) - 1)]


def _asked_of(row: RowDict, kind: str, true: bool, against: int) -> list[str]:
    """What a question is about, whichever of the contradicting media it is asked of."""
    other = str(row["wrong"][against]) if against < len(row["wrong"]) else ""
    about = {"yes_no": [row["value"] if true else other], "matching": sorted([row["value"], other])}.get(kind, [])
    return [str(row["pair_id"]), kind, *about]


def statement(row: RowDict, value: str) -> str:
    """What a value says of the subject, as a clause: "a red square moves up", "the film is played faster ..."."""
    parts = [value] if row["aspect"] == "order" else [row["subject"], _link(row, value), value]
    return " ".join(" ".join(parts).split())


def _link(row: RowDict, value: str) -> str:
    """What stands between subject and value: a verb where the value has none."""
    return ("is" if value.startswith("played") else "runs") if row["aspect"] == "speed" else ""


def _shown(row: RowDict, duration_s: float) -> Span:
    """What is shown of a film: all of it; of films at several speeds as much as the shortest of their set has.

    Else how long a film is would tell how fast it is. Lengths are cut to tenths of a second, for frames round them.
    """
    said: dict[str, Any] = json.loads(row["attributes_json"] or "{}")
    factor, variant = float(said.get("factor", 1.0)), str(said.get("variant", ""))
    length_s = min(row["end_s"], duration_s) - row["start_s"]
    if variant == "original":
        length_s *= min(1.0, 1 / factor)
    elif variant in ("speed", "0"):
        length_s *= min(1.0, factor)
    if row["aspect"] == "speed" and length_s > 0.5:
        length_s = math.floor(length_s * 10 - 0.5) / 10
    return Span(row["start_s"], row["start_s"] + length_s).quantised()


def contradiction(row: RowDict) -> str:
    """Why the value of an aspect does not follow from what its row says of the edit; empty when it does, or nothing is said.

    A factor above 1 makes the altered half faster (a source names slowed clips accelerated), a splice has its pieces in
    order, and a described event says subject and value.
    """
    said: dict[str, Any] = json.loads(row["attributes_json"] or "{}")
    value, variant = str(row["value"]), str(said.get("variant", ""))
    if row["kind"] == "relative_speed" and "factor" in said:
        sign = 1 if said["factor"] > 1 else -1
        wanted = {"0": 0, "1": -sign, "2": sign}.get(variant)
        if wanted is not None and _pace(value) != wanted:
            return f"{value!r} does not follow from a factor of {said['factor']:g} in arrangement {variant}"
    if row["kind"] == "absolute_speed" and "factor" in said:
        wanted = 0 if variant == "original" else 1 if said["factor"] > 1 else -1
        if _pace(value) != wanted:
            return f"{value!r} does not follow from a factor of {said['factor']:g}"
    if row["aspect"] == "order" and "order" in said:
        events, order = said["events"], said["order"]
        wanted_text = ", then ".join(events[i] for i in order) if order else " and ".join(events) + " at the same time"
        if value != wanted_text:
            return f"{value!r} is not the order of the edit"
    shown = said.get("events") if row["aspect"] in ("direction", "action", "attribute_change") else None
    if shown and shown[0] != f"{row['subject']} {value}":
        return f"{value!r} is not what the edit shows"
    return ""


def _pace(value: str) -> int:
    return next((sign for words, sign in _PACE.items() if value.startswith(words)), 0)


def _raw(option: Option, row: RowDict, values: Sequence[str], kind: str) -> str:
    """The value that an option says."""
    texts = {escape(v) if kind == "choice" else sentence(escape(statement(row, v))): v for v in values}
    return texts.get(option.text, option.text)


def _chain(trail: Trail, row: RowDict, window: Span, kind: str, asked: str, options: Sequence[str]) -> None:
    subject = trail.read("aspects", [row], "subject")
    trail.require(subject, "equal", row["subject"])
    value = trail.read("aspects", [row], "value", note=f"Of {{{subject}.text}}, this is true: {{@.text}}.")
    place = trail.locate("aspects", [row])
    trail.require(place, "touches", window_of(window))
    if kind == "yes_no":
        claimed = trail.compute("times_told", value, query=asked, like="writing", least=1.0)
        trail.conclude("choice", claimed, note="Held against what is claimed, that is the answer.")
    elif kind == "captioning":
        parts = (value,) if row["aspect"] == "order" else (subject, value)
        caption = trail.compute("clause", *parts, link=_link(row, str(row["value"])))
        trail.conclude("text", caption, note="So that is the caption.")
    else:
        right = trail.compute("index_of", value, options=list(options))
        trail.conclude("choice", right, note=f"So the answer is {{{value}.text}}.")


ANNOTATOR = ConflictQuestions
