"""Questions about the detected sounds of real footage, by the engine of the acoustic scenes.

Which kind of sound comes first, how many follow the longest one, where it lies: only of labels and times, and only questions
whose answer is the same however all boundaries are shifted by up to a quarter of a second. Answers are as true as the
detector: a missed sound is missing here too, so choose labels that it finds reliably.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import medium_row, one_producer
from ...schemas.acoustic_asking import Asker, Rules
from ...schemas.acoustic_programs import scene_of


class Params(BaseParams):
    """Parameters of sound_questions."""

    labels: tuple[str, ...] = Field(
        (), description="Labels of `sounds` that are asked about; empty: all but silence and onset."
    )
    per_medium: int = Field(4, ge=1, description="Questions per medium, at most.")
    shift_s: float = Field(0.25, ge=0, description="By how much boundaries may be off without changing an answer.")
    min_s: float = Field(0.0, ge=0, description="Shorter sounds are left out.")
    sounds: tuple[int, int] = Field((3, 40), description="Fewest and most sounds of a medium.")


class SoundQuestions(UnitAnnotator[Params]):
    """Writes `questions` with programs from the `sounds` of one medium."""

    name: ClassVar[str] = "sound_questions"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "sounds")
    writes: ClassVar[tuple[str, ...]] = ("questions",)
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` rows. Raises `SkipUnit` when too few or too many sounds were found, or all are alike."""
        assert unit.medium is not None
        p = self.params
        found = [
            s
            for s in one_producer(rows["sounds"])
            if (s["label"] in p.labels if p.labels else s["label"] not in ("silence", "onset"))
            and s["end_s"] - s["start_s"] >= p.min_s
        ]
        if not p.sounds[0] <= len(found) <= p.sounds[1]:
            raise SkipUnit(f"{len(found)} sounds, not {p.sounds[0]} to {p.sounds[1]}")
        labels = tuple(sorted({str(s["label"]) for s in found}))
        if len(labels) < 2:
            raise SkipUnit("all sounds are of one kind")
        plain = [{**s, "attributes_json": None} for s in found]
        scene = scene_of(plain, medium_row(rows, unit.medium.media_id)["duration_s"])
        rules = Rules(per_scene=p.per_medium, shift_s=p.shift_s, attributes=("instrument",), labels=labels)
        for number, question in enumerate(Asker(rules, unit.unit).ask(scene), start=1):
            told = {"type": question.type, "alike": question.key, "labels": list(labels), "shift_s": p.shift_s}
            yield (
                "questions",
                {
                    "question_id": f"s{number}",
                    "question": question.text,
                    "options": list(question.options),
                    "answer_index": question.options.index(question.answer),
                    "answer_text": question.answer,
                    "kind": question.template,
                    "needs": ["audio"],
                    "program_json": json.dumps([n.model_dump(mode="json") for n in question.program], sort_keys=True),
                    "attributes_json": json.dumps(told, sort_keys=True),
                },
            )


ANNOTATOR = SoundQuestions
