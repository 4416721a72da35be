"""Motion again: another flow method, at other moments and sizes, pooled over the packaged window by the tasks' own rules.

Agreement is the same label. A window in which the rules name no label is no disagreement but "cannot say", and tells why.
With the evidence taken away, every picture is the first one: motion is gone, and only the answers "still" can be left, about
which nothing can be said so; without a picture there is nothing to measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

from ...schemas.motion import CameraRule, Motion, ObjectRule, Pooled, pool_camera, pool_object
from ...schemas.sample import ChoiceAnswer, Sample
from ...schemas.span import Span
from ..tasks import camera_motion, motion_direction
from .flow import SIDE_PX, motion_of
from .footage import Look
from .method import Opinion, Removed, SecondMethod, SecondParams, Shown

CAMERA = CameraRule(min_inliers=0.4, min_consistency=0.8)
THING = ObjectRule(min_consistency=0.75, min_moving=0.6)
"""A little wider than the tasks' rules: a second opinion should name a label where the first one just could."""
AT_REST = ("static", "still")
APART = 2
"""Pictures between the two that motion is measured between, plus one: a longer step than the first method takes."""


class MotionAgain(SecondMethod):
    """Camera motion and the direction of what moves by itself."""

    name: ClassVar[str] = "motion"
    removes: ClassVar[tuple[Removed, ...]] = ("evidence", "picture")

    def __init__(self, params: SecondParams) -> None:
        super().__init__(params)
        self.method = f"motion: Farneback flow, {SIDE_PX} px, {params.motion_fps:g} fps"

    def prepare(self, shown: Shown, removed: Sequence[Removed] = ()) -> None:
        film, window = shown.film, shown.sample.window
        if film is not None:
            start, end = film.to_file(window.start_s), film.to_file(window.end_s)
            film.want([Look("motion", start, end, self.params.motion_fps, lambda frame: frame.luma(SIDE_PX))])

    def judge(self, shown: Shown, removed: Removed = "nothing") -> Opinion:
        wanted = label_of(shown.sample)
        if wanted is None:
            return Opinion(self.method, None, None, "the sample asks about no motion that has a label")
        label, camera = wanted
        if shown.film is None:
            return Opinion(self.method, False, 0.0, "the sample shows no film")
        if removed == "picture":
            return Opinion(self.method, False, 0.0, "no picture")
        if removed == "evidence" and label in AT_REST:
            return Opinion(self.method, None, None, "rest cannot be taken away by holding the picture")
        film, window = shown.film, shown.sample.window
        inside = Span(max(0.0, film.to_file(window.start_s)), max(1e-6, film.to_file(window.end_s)))
        pictures = film.seen("motion", inside)
        if len(pictures) < 4:
            return Opinion(self.method, False, 0.0, f"the file shows {len(pictures)} pictures of the window")
        if removed == "evidence":
            pictures = [(t, pictures[0][1]) for t, _ in pictures]
        pooled = pool(pictures, camera)
        if pooled.label is None:
            return Opinion(self.method, False if removed != "nothing" else None, None, pooled.reason)
        score = (pooled.scores or {}).get(label, 0.0)
        return Opinion(
            self.method, pooled.label == label, min(1.0, score), f"{pooled.label} ({pooled.speed:.3f} frame widths/s)"
        )


def pool(pictures: Sequence[tuple[float, Any]], camera: bool) -> Pooled:
    """The label of a run of pictures (time, uint8 luma) in time order."""
    motions: list[Motion] = []
    for (before_s, before), (t_s, now) in zip(pictures, pictures[APART:], strict=False):
        found = motion_of(before, now, t_s - before_s, t_s)
        if found is None:
            return Pooled(None, f"the pictures around {t_s:.2f} s are not joined by motion")
        motions.append(found)
    height, width = pictures[0][1].shape
    return (
        pool_camera(motions, width / height, CameraRule())
        if camera
        else pool_object(motions, width / height, ObjectRule())
    )


@cache
def _labels() -> dict[str, tuple[str, bool]]:
    found = {text: (label, True) for label, text in camera_motion.TEXTS.items()}
    return found | {text: (label, False) for label, text in motion_direction.TEXTS.items()}


def label_of(sample: Sample) -> tuple[str, bool] | None:
    """The label that the sample's answer stands for, and whether it is the camera's."""
    if not isinstance(sample.answer, ChoiceAnswer) or not 0 <= sample.answer.index < len(sample.options):
        return None
    return _labels().get(sample.options[sample.answer.index].text)


METHOD = MotionAgain
