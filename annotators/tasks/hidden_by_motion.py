"""What shows only by its motion? The word, shape or thing that is hidden in noise, or the way that it takes (SpookyBench).

Choices are among near misses of one family, drawn so that no option looks more like an answer than another; the same is
also asked openly, for a bare name. No frame shows anything, so every picture solver of the ladder must stay at chance. It
rests on tracks that say that they are hidden (`hidden_by`), as the composer `motion_noise` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.vocabulary import ONE_EDIT, OPPOSITE, OTHER_AXIS, OTHER_SHAPE
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.masks import mask_iou
from ...schemas.sample import Evidence, MediumRef, Need, Option, Sample, TextAnswer
from ...schemas.span import Span
from ...schemas.verifying import Check
from ..compose.hidden import drawn
from .choosing import Choice, choice_sample
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
    wordings_of,
)

Ask = Literal["word", "thing", "way", "open_word", "open_thing"]
TRACK_COLUMNS = ("start_s", "end_s", "label", "phrase", "attributes_json")
ASPECT_COLUMNS = ("start_s", "end_s", "aspect", "kind", "subject", "value", "wrong")
_SIDE = 48
"""Cells on each side of the squares in which two outlines are compared."""
_AXES = {"left": "x", "right": "x", "upwards": "y", "downwards": "y"}


class Params(BaseParams):
    """Parameters of hidden_by_motion."""

    ask: tuple[Ask, ...] = Field(
        ("word", "thing", "way", "open_word", "open_thing"),
        min_length=1,
        description="Kinds of question, in this order.",
    )
    per_medium: int = Field(2, ge=1, description="Samples per medium, at most.")
    options: int = Field(4, ge=2, le=6, description="Options of a choice.")
    min_window_s: float = Field(1.0, gt=0, description="Shortest span that is shown.")


class HiddenByMotion(Task[Params]):
    """Samples from the hidden `tracks` of one medium, and the `aspects` of what moves."""

    name = "hidden_by_motion"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "tracks", "aspects", "footage_groups")
    optional_reads = ("selection", "aspects", "footage_groups")
    must_hurt = ("prior", "options_only", "question_only", "first_frame", "middle_frame", "shuffled_frames")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` samples, about the first kept clip that shows the hidden thing. `SkipUnit` without one."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, clips, split = medium_row(rows, media_id), kept_clips(rows, media_id), split_of(rows, media_id)
        tracks = [t for t in one_producer(rows["tracks"]) if _told(t).get("hidden_by") == "motion"]
        if not tracks:
            raise SkipUnit("nothing is hidden in its motion")
        aspects = [a for a in one_producer(rows["aspects"]) if a["kind"] == "hidden_motion"]
        made = 0
        for track in tracks:
            held = [c for c in clips if span_of(track).contains_span(span_of(c))]
            for ask in self.params.ask if held else ():
                about = aspects[:1] if ask == "way" else []
                question, answer = wordings_of(self.name).choose(ask, unit.seed, media_id, track["row_id"], split=split)
                try:
                    sample = self._build(unit.recipe, media, held[0], track, about, ask, question.id, answer.id)
                except Withheld:
                    continue
                yield "samples", sample.to_row()
                made += 1
                if made == self.params.per_medium:
                    return

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from the cited track and aspect."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """What the track (or the aspect) says, and which option that is."""
        built = self._rebuild(sample, evidence)
        trail = Trail()
        way = rows_of(evidence, "aspects")
        source, row, column = (
            ("aspects", way[0], "value") if way else ("tracks", only_row(evidence, "tracks"), "phrase")
        )
        said = trail.read(source, [row], column, note="What moves apart from the rest of the noise is {@.text}.")
        if built.options:
            right = trail.compute("index_of", said, options=[o.text for o in built.options])
            trail.conclude("choice", right, note="So that is the answer.")
        else:
            trail.conclude("text", said, note="So that is the answer.")
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Sample:
        ask = wordings_of(self.name).kind_of(sample.wording)
        if ask is None:
            raise Withheld(f"unknown wording {sample.wording}")
        return self._build(
            sample.recipe, only_row(evidence, "media"), only_row(evidence, "clips"), only_row(evidence, "tracks"),
            rows_of(evidence, "aspects"), ask, sample.wording, sample.answer_form,
        )  # fmt: skip

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        track: RowDict,
        aspects: Sequence[RowDict],
        ask: str,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample: a pure function of its evidence and wordings. Raises `Withheld`."""
        told, window = _told(track), span_of(clip)
        if told.get("hidden_by") != "motion":
            raise Withheld("the track is not hidden by motion")
        if not span_of(track).contains_span(window) or window.length_s < self.params.min_window_s:
            raise Withheld("the clip does not show it throughout, or is too short")
        if (ask in ("word", "open_word")) != (told["category"] == "text") and ask != "way":
            raise Withheld(f"not asked of the category {told['category']}")
        evidence = (
            cite("media", media, MEDIA_COLUMNS),
            cite("clips", clip, CLIP_COLUMNS),
            cite("tracks", track, TRACK_COLUMNS),
            *(cite("aspects", a, ASPECT_COLUMNS) for a in aspects),
        )
        if ask.startswith("open"):
            return self._open(recipe, media, clip, window, track, told, evidence, ask, wording, form)
        choice = self._way(window, aspects) if ask == "way" else self._choice(window, track, told, ask)
        return choice_sample(
            self.name, self.version, recipe, media, clip["clip_id"], window, evidence, choice, wording, form
        )

    def _choice(self, window: Span, track: RowDict, told: RowDict, ask: str) -> Choice:
        """Which member of its family it is."""
        right, family, category = str(track["phrase"]), list(told["family"]), str(told["category"])
        if right not in family or len(set(family)) < max(2, self.params.options):
            raise Withheld("too few near misses are known")
        wrong = shuffled([m for m in family if m != right], self.name, track["row_id"], key=str)
        texts = sorted([right, *wrong[: self.params.options - 1]])
        options = []
        for text in texts:
            if text == right:
                options.append(Option(text=text))
            elif category == "text":
                letters = sum(a != b for a, b in zip(text, right, strict=True))
                options.append(Option(text=text, distractor_kind=ONE_EDIT, margin=float(letters)))
            else:
                shared = mask_iou(drawn("shapes", text, _SIDE, _SIDE), drawn("shapes", right, _SIDE, _SIDE))
                options.append(Option(text=text, distractor_kind=OTHER_SHAPE, margin=round(1 - shared, 6)))
        return Choice(
            tuple(options), texts.index(right), _steps(window, f"The edge between them outlines “{right}”."),
            _difficulty(told, len(options)), _needs(category), kind=ask,
        )  # fmt: skip

    def _way(self, window: Span, aspects: Sequence[RowDict]) -> Choice:
        """Which way the hidden shape takes."""
        if len(aspects) != 1 or aspects[0]["kind"] != "hidden_motion":
            raise Withheld("it is not known to move")
        (aspect,) = aspects
        right = str(aspect["value"])
        texts = sorted([right, *aspect["wrong"]])
        options = []
        for text in texts:
            same_axis = _AXES[text.split()[-1]] == _AXES[right.split()[-1]]
            kind = OPPOSITE if same_axis else OTHER_AXIS
            options.append(
                Option(text=text)
                if text == right
                else Option(text=text, distractor_kind=kind, margin=2.0 if same_axis else 1.0)
            )
        steps = _steps(window, f"The outlined part does not stay where it is: {right}.")
        return Choice(tuple(options), texts.index(right), steps, {}, ("vision", "motion"), kind="way")

    def _open(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        window: Span,
        track: RowDict,
        told: RowDict,
        evidence: tuple[Evidence, ...],
        ask: str,
        wording: str,
        form: str,
    ) -> Sample:
        """A bare name."""
        question, answer = wordings_of(self.name).question(ask, wording), wordings_of(self.name).answer(ask, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        right = str(track["phrase"])
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clip["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.text, answer.fill({"answer": right})),
            answer=TextAnswer(text=right),
            rationale=_steps(window, f"The edge between them outlines “{right}”."),
            evidence=evidence,
            needs=_needs(str(told["category"])),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=_difficulty(told, 0),
            generator=f"{self.name}@{self.version}",
        )


def _told(track: RowDict) -> dict[str, object]:
    told = json.loads(track["attributes_json"] or "{}")
    return told if isinstance(told, dict) else {}


def _steps(window: Span, last: str) -> tuple[str, ...]:
    return (
        f"In {span_mark(window)}, no single frame shows more than noise.",
        "From frame to frame one part of the noise goes one way and the rest the other way.",
        last,
    )


def _needs(category: str) -> tuple[Need, ...]:
    return ("vision", "on_screen_text", "motion") if category == "text" else ("vision", "motion")


def _difficulty(told: RowDict, options: int) -> dict[str, float]:
    noise = told.get("noise") or {}
    facts = {name: float(noise[name]) for name in ("velocity_px", "grain_px", "contrast") if name in noise}
    return facts | ({"options": float(options)} if options else {})


ANNOTATOR = HiddenByMotion
