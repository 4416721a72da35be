"""How does the camera move? One of nine motions, pooled from the per-frame global fit of the flow over a
clip.

Withheld when the fit is weak, the camera moves two ways at once or not one way throughout
(`schemas/motion.py`). A picture cannot tell turning from travelling, nor zooming from approaching: the
options name both. Samples on mirrored and reversed twins flip the answer by arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from ...engine.annotator import Row, Rows, Unit
from ...engine.distractors.vocabulary import MOVING_FOR_STILL, OPPOSITE, OTHER_MOTION, STILL_FOR_MOVING
from ...engine.task import EvidenceRow, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.motion import CAMERA_LABELS, CameraRule, pool_camera
from ...schemas.sample import Need, Option, Sample
from ...schemas.verifying import Check
from .chain_of_choices import motion_chain
from .choosing import Choice, ChoiceParams, choice_check, choice_rows, traced
from .common import Withheld, moment, wordings_of
from .shown import Shown, shown_by

TEXTS = {
    "pan_left": "it pans or moves to the left",
    "pan_right": "it pans or moves to the right",
    "tilt_up": "it tilts or moves up",
    "tilt_down": "it tilts or moves down",
    "zoom_in": "it zooms in or moves closer",
    "zoom_out": "it zooms out or moves back",
    "roll_cw": "it rolls clockwise, which turns the picture counter-clockwise",
    "roll_ccw": "it rolls counter-clockwise, which turns the picture clockwise",
    "static": "it stays still",
}
_SEEN = {
    "pan_left": "the whole scene slides to the right through the picture",
    "pan_right": "the whole scene slides to the left through the picture",
    "tilt_up": "the whole scene sinks in the picture",
    "tilt_down": "the whole scene rises in the picture",
    "zoom_in": "everything grows away from the centre",
    "zoom_out": "everything shrinks towards the centre",
    "roll_cw": "everything turns counter-clockwise around the centre",
    "roll_ccw": "everything turns clockwise around the centre",
    "static": "the background keeps its place",
}
_OPPOSITE = {
    "pan_left": "pan_right",
    "tilt_up": "tilt_down",
    "zoom_in": "zoom_out",
    "roll_cw": "roll_ccw",
}
_OPPOSITE |= {b: a for a, b in _OPPOSITE.items()}


class Params(ChoiceParams):
    """Parameters of camera_motion."""

    rule: CameraRule = Field(CameraRule(), description="When a clip has one camera motion.")
    unflipped_twins: bool = Field(
        False, description="Also ask about twins whose answer stays the same (a mirrored tilt)."
    )


class CameraMotion(Task[Params]):
    """Samples from `signals` of one medium and the `edits` of its clips."""

    name = "camera_motion"
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
        motions = shown.motions()
        pooled = pool_camera(motions, shown.aspect, self.params.rule)
        if pooled.label is None or pooled.scores is None:
            raise Withheld(pooled.reason)
        if pooled.label == "static" and len(motions) < len(shown.signals):
            raise Withheld("the camera rests, but may have jumped in the unmeasured frames")
        label, scores = pooled.label, pooled.scores
        options = tuple(
            Option(
                text=TEXTS[name],
                distractor_kind=_distractor(name, label),
                margin=None if name == label else round(1.0 - scores[name], 6),
            )
            for name in CAMERA_LABELS
        )
        steps = (
            f"From {moment(shown.window.start_s)} to {moment(shown.window.end_s)}, {_SEEN[label]}.",
            "Nothing large contradicts that, so it tells about the camera and not about a thing in the scene.",
            f"So this is what the camera does: {TEXTS[label]}.",
        )
        difficulty = {
            "margin": round(pooled.margin, 6),
            "speed": round(pooled.speed, 6),
            "consistency": round(pooled.consistency, 6),
        }

        def chain(trail: Trail) -> None:
            motion_chain(
                trail, "camera", shown.signals, shown.edit, shown.aspect, self.params.rule.model_dump(), CAMERA_LABELS,
                "What the whole picture does from frame to frame goes one way throughout.",
            )  # fmt: skip

        needs: tuple[Need, ...] = ("vision", "motion")
        return Choice(options, CAMERA_LABELS.index(label), steps, difficulty, needs, chain=chain)


def _distractor(name: str, label: str) -> str | None:
    if name == label:
        return None
    if "static" in (name, label):
        return MOVING_FOR_STILL if label == "static" else STILL_FOR_MOVING
    return OPPOSITE if _OPPOSITE[label] == name else OTHER_MOTION


ANNOTATOR = CameraMotion
