"""Which way does the main moving thing go? Left, right, up, down, or nothing moves of its own, pooled from
residual motion.

Residual motion is what the flow holds beyond the camera's part, so a pan over a still scene answers "nothing
moves", and a thing that the camera follows moves against its background. Withheld when direction, region or
camera fit are unclear (`schemas/motion.py`). Samples on mirrored and reversed twins flip the answer by
arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from ...engine.annotator import Row, Rows, Unit
from ...engine.distractors.vocabulary import MOVING_FOR_STILL, OPPOSITE, OTHER_AXIS, STILL_FOR_MOVING
from ...engine.task import EvidenceRow, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.motion import OBJECT_LABELS, ObjectRule, pool_object
from ...schemas.sample import Need, Option, Sample
from ...schemas.verifying import Check
from .chain_of_choices import motion_chain
from .choosing import Choice, ChoiceParams, choice_check, choice_rows, traced
from .common import Withheld, moment, wordings_of
from .shown import Shown, shown_by

TEXTS = {
    "left": "to the left",
    "right": "to the right",
    "up": "upwards",
    "down": "downwards",
    "still": "nowhere: nothing moves by itself",
}
_OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}


class Params(ChoiceParams):
    """Parameters of motion_direction."""

    per_answer: int = Field(1, ge=1, description="Samples per medium with the same answer, at most.")
    rule: ObjectRule = Field(ObjectRule(), description="When a clip has one direction of motion, or none.")
    unflipped_twins: bool = Field(
        False, description="Also ask about twins whose answer stays the same (upwards, mirrored)."
    )


class MotionDirection(Task[Params]):
    """Samples from `signals` of one medium and the `edits` of its clips."""

    name = "motion_direction"
    version = 4
    Params = Params
    reads = ("media", "clips", "selection", "signals", "edits", "footage_groups")
    optional_reads = ("selection", "edits", "footage_groups")
    second = "motion"
    must_hurt = ("prior", "options_only", "question_only", "middle_frame", "first_frame")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_clip` and `per_medium` samples, and one per twin of each."""
        return choice_rows(
            self.name, self.version, self.params, unit, rows, self._judge, unflipped=self.params.unflipped_twins
        )

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Pool the cited signals again (through the edit, on a twin) and rebuild the sample."""
        return choice_check(self.name, self.version, self.params.length_s, sample, evidence, self._judge)

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """The measured motion, pooled."""
        return traced(self._judge(shown_by(sample, evidence)))

    def _judge(self, shown: Shown) -> Choice:
        pooled = pool_object(shown.motions(), shown.aspect, self.params.rule)
        if pooled.label is None or pooled.scores is None:
            raise Withheld(pooled.reason)
        label, scores = pooled.label, pooled.scores
        options = tuple(
            Option(
                text=TEXTS[name],
                distractor_kind=_distractor(name, label),
                margin=None if name == label else round(1.0 - scores[name], 6),
            )
            for name in OBJECT_LABELS
        )
        during = f"From {moment(shown.window.start_s)} to {moment(shown.window.end_s)}"
        if label == "still":
            steps = (
                f"{during}, I take the camera's own motion out of what changes in the picture.",
                "No region is left that goes another way than its surroundings.",
                "So nothing moves by itself.",
            )
        else:
            steps = (
                f"{during}, one region of the picture moves against its surroundings.",
                f"Against the background it goes {TEXTS[label]}, and it does so throughout.",
                f"So it moves {TEXTS[label]}.",
            )
        difficulty = {
            "margin": round(pooled.margin, 6),
            "speed": round(pooled.speed, 6),
            "consistency": round(pooled.consistency, 6),
        }

        def chain(trail: Trail) -> None:
            motion_chain(
                trail, "thing", shown.signals, shown.edit, shown.aspect, self.params.rule.model_dump(), OBJECT_LABELS,
                "What is left of the motion when the camera's own is taken out tells one way throughout.",
            )  # fmt: skip

        needs: tuple[Need, ...] = ("vision", "motion")
        return Choice(options, OBJECT_LABELS.index(label), steps, difficulty, needs, chain=chain)


def _distractor(name: str, label: str) -> str | None:
    if name == label:
        return None
    if "still" in (name, label):
        return MOVING_FOR_STILL if label == "still" else STILL_FOR_MOVING
    return OPPOSITE if _OPPOSITE[label] == name else OTHER_AXIS


ANNOTATOR = MotionDirection
