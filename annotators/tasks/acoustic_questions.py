"""Questions about a scene of sounds whose answer a functional program gives (CLEAR2): written by whoever made the scene.

The question, its options and its program stand in `questions`, what sounds when in `sounds`; a sample is written only when the
program, run over the sounds, gives the stored answer and no relation in it could be the whole scene. Checking runs it again.
The same holds for detected sounds of real footage, whose questions `sound_questions` writes. Nothing but hearing answers
them: the sample needs sound.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.vocabulary import OTHER_LABEL
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Task
from ...schemas.acoustic_programs import Impossible, Program, Sound, degenerate, read_program, run, scene_of
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.sample import Option, Sample
from ...schemas.span import to_us
from ...schemas.verifying import Check
from .choosing import Choice, choice_sample
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    only_row,
    rebuilt,
    rows_of,
    span_mark,
    span_of,
    wordings_of,
)

SOUND_COLUMNS = ("start_s", "end_s", "label", "attributes_json")
QUESTION_COLUMNS = (
    "question_id",
    "question",
    "options",
    "answer_index",
    "answer_text",
    "kind",
    "program_json",
    "attributes_json",
)
_WHOLE_US = 50_000
"""How much of the medium a clip may leave out and still be all of it."""


class Params(BaseParams):
    """Parameters of acoustic_questions."""

    per_medium: int = Field(4, ge=1, description="Samples per medium, at most.")
    most_sounds: int = Field(40, ge=2, description="Scenes with more sounds are not asked about.")


class AcousticQuestions(Task[Params]):
    """Samples from `questions` with a program and the `sounds` of one medium."""

    name = "acoustic_questions"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "sounds", "questions", "footage_groups")
    optional_reads = ("selection", "footage_groups")
    must_hurt = ("prior", "options_only", "question_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` samples about the whole medium. `SkipUnit` without questions that have a program."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, split = medium_row(rows, media_id), split_of(rows, media_id)
        asked = [q for q in one_producer(rows["questions"]) if q["program_json"]]
        if not asked:
            raise SkipUnit("no question with a program")
        clip = next((c for c in kept_clips(rows, media_id) if _whole(c, media)), None)
        if clip is None:
            raise SkipUnit("no kept clip is the whole medium")
        made = 0
        for question in asked:
            sounds = _meant(one_producer(rows["sounds"]), question)
            wording, form = wordings_of(self.name).choose("scene", unit.seed, question["row_id"], split=split)
            try:
                sample = self._build(unit.recipe, media, clip, question, sounds, wording.id, form.id)
            except Withheld:
                continue
            yield "samples", sample.to_row()
            made += 1
            if made == self.params.per_medium:
                return

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Run the program over the cited sounds again and rebuild the sample."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """The sounds, the program over them, and which option its answer is."""
        built = self._rebuild(sample, evidence)
        trail = Trail()
        sounds = trail.read(
            "sounds",
            rows_of(evidence, "sounds"),
            *SOUND_COLUMNS,
            pooled=True,
            note="These are the sounds of the scene.",
        )
        program = trail.read("questions", rows_of(evidence, "questions"), "program_json")
        duration_s = only_row(evidence, "media")["duration_s"]
        said = trail.compute(
            "sound_answer", sounds, program, duration_s=duration_s, note="What is asked of them comes to {@.text}."
        )
        right = trail.compute("index_of", said, options=[o.text for o in built.options])
        trail.conclude("choice", right, note="So that is the answer.")
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Sample:
        return self._build(
            sample.recipe, only_row(evidence, "media"), only_row(evidence, "clips"), only_row(evidence, "questions"),
            rows_of(evidence, "sounds"), sample.wording, sample.answer_form,
        )  # fmt: skip

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        question: RowDict,
        sounds: Sequence[RowDict],
        wording: str,
        form: str,
    ) -> Sample:
        """The sample: a pure function of its evidence and wordings. Raises `Withheld`."""
        if not _whole(clip, media):
            raise Withheld("the clip is not the whole medium")
        if not 2 <= len(sounds) <= self.params.most_sounds:
            raise Withheld(f"{len(sounds)} sounds")
        told = json.loads(question["attributes_json"] or "{}")
        try:
            scene = scene_of(sounds, media["duration_s"])
            program = read_program(json.loads(question["program_json"]))
            answer = run(program, scene, float(told.get("shift_s", 0.0)))
            empty = degenerate(program, scene)
        except (Impossible, ValueError, TypeError) as error:
            raise Withheld(f"the program gives no answer: {error}") from None
        if empty:
            raise Withheld("a relation of the question could be the whole scene")
        options = [str(o) for o in question["options"] or ()]
        if (
            answer != question["answer_text"]
            or answer not in options
            or options.index(answer) != question["answer_index"]
        ):
            raise Withheld(f"the program says {answer!r}, the question {question['answer_text']!r}")
        window = span_of(clip)
        choice = Choice(
            options=tuple(
                Option(text=o) if o == answer else Option(text=o, distractor_kind=OTHER_LABEL, margin=1.0)
                for o in options
            ),
            index=options.index(answer),
            rationale=(
                f"In {span_mark(window)}, these sounds follow each other: {_listed(scene.sounds)}.",
                f"What is asked of them: {_steps(program)}.",
                f"That comes to “{answer}”.",
            ),
            difficulty={"sounds": float(len(sounds)), "steps": float(len(program)), "options": float(len(options))},
            needs=("audio",),
            kind="scene",
            slots={"question": str(question["question"])},
        )
        evidence = (
            cite("media", media, MEDIA_COLUMNS),
            cite("clips", clip, CLIP_COLUMNS),
            cite("questions", question, QUESTION_COLUMNS),
            *(cite("sounds", s, SOUND_COLUMNS) for s in sounds),
        )
        return choice_sample(
            self.name, self.version, recipe, media, clip["clip_id"], window, evidence, choice, wording, form
        )


def _whole(clip: RowDict, media: RowDict) -> bool:
    return to_us(clip["start_s"]) == 0 and abs(to_us(clip["end_s"]) - to_us(media["duration_s"])) <= _WHOLE_US


def _meant(sounds: Sequence[RowDict], question: RowDict) -> list[RowDict]:
    """The sounds that a question is about: all, or those of the labels that it was made from."""
    labels = json.loads(question["attributes_json"] or "{}").get("labels")
    chosen = [s for s in sounds if labels is None or s["label"] in labels]
    return sorted(chosen, key=lambda s: (s["start_s"], s["end_s"], s["label"]))


def _listed(sounds: Sequence[Sound]) -> str:
    told = [" ".join(w for w in (s.loudness, s.brightness, s.note, s.instrument) if w) for s in sounds]
    return ", ".join(told)


def _steps(program: Program) -> str:
    return ", ".join(" ".join((n.op, *n.args)).replace("_", " ") for n in program)


ANNOTATOR = AcousticQuestions
