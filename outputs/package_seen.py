"""Whether a trainer sees what a packaged sample asks: the packaged files go through the trainer's profile.

The same pure function as in the annotator `frame_plans` decides (`engine/answering/answerable.py`), here with the true timestamps
of the cut, its size, and the package's own way of writing times. A package without a profile is not checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..engine.answering.answerable import Shown, answerability, show_frames, show_stills, show_video
from ..engine.answering.samplers import window_facts
from ..engine.answering.trainer_profiles import Profile
from ..schemas.sample import MediumRef, Sample
from .package_sources import Medium
from .packager import Packager
from .rendering import Language, LeftOut, View


def require_answerable(
    sample: Sample, views: Sequence[View], packager: Packager[Any], language: Language, media: Mapping[str, Medium]
) -> None:
    """Raises `LeftOut` with the first rule that the packaged sample does not meet for the package's profile."""
    profile = packager.profile
    if profile is None:
        return
    shown = {
        i: _shown(profile, ref, view, media[ref.media_id])
        for i, (ref, view) in enumerate(zip(sample.media, views, strict=True))
    }
    # Boxes that the package's codec cannot say were refused while rendering.
    sound = "audio" in packager.params.modalities
    found = answerability(sample, shown, profile.least, times=language.times, boxes=None, sound=sound)
    if found.rule is not None:
        raise LeftOut(f"unanswerable: {found.rule}", found.detail)


def _shown(profile: Profile, ref: MediumRef, view: View, medium: Medium) -> Shown:
    if not view.parts:
        return Shown((), view.duration_s)
    if view.parts[0].kind == "image":
        if view.drawn_s is not None:  # planned frames of a video, shown as pictures
            times = [view.zero_s + t for t in view.drawn_s]
            stills = show_stills(profile, times, view.duration_s, view.width, view.height)
            return replace(stills, stills=ref.kind == "image")
        return show_stills(profile, ref.frame_times or (ref.start_s,), view.duration_s, view.width, view.height)
    if view.parts[0].kind == "audio" or not view.width:
        return Shown((), view.duration_s)
    if view.drawn_s is None:  # a part of a whole file: its frames are known only by the medium's rate
        facts, zero_s = window_facts(ref.start_s, ref.end_s, medium.fps)
        return show_video(profile, facts, zero_s, view.width, view.height)
    drawn = [view.zero_s + t for t in view.drawn_s]
    return show_frames(profile, drawn, view.duration_s, view.width, view.height)
