"""What trainer profiles show of each sample, and whether it can be answered from that: one row per sample and profile.

Nothing is decoded: the frames of a cut are taken to stand at the medium's average rate, so at a variable rate the plan
is near the truth, not exact; packages repeat the judgement with the true timestamps of what they cut. Media of a sample
other than its first are judged only where their rows are at hand (a medium's own and its twins').
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field, field_validator

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Stage, Unit, UnitAnnotator
from ...engine.answering.answerable import Answerability, Shown, answerability, roles, show_stills, show_video
from ...engine.answering.samplers import window_facts
from ...engine.answering.trainer_profiles import Profile, ProfileError, load_profile
from ...engine.kept import stored_samples
from ...schemas.boxcodec import box_codec
from ...schemas.ids import derive_id
from ...schemas.sample import MediumRef, Sample


class Params(BaseParams):
    """Parameters of frame_plans."""

    profiles: tuple[str, ...] = Field(
        ("llava-video-64", "qwen2.5-vl-2fps", "llamafactory-128"),
        min_length=1,
        description="Trainer profiles: names that `chronotope profiles` lists, or files of your own ending in .yaml.",
    )

    @field_validator("profiles")
    @classmethod
    def _readable(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        called = [load_profile(name).name for name in names]
        if len(set(called)) < len(called):
            raise ProfileError(f"two profiles have one name: {', '.join(called)}; rename a file")
        return names


class FramePlans(UnitAnnotator[Params]):
    """Frames, tokens and answerability of the samples of one medium for each profile."""

    name: ClassVar[str] = "frame_plans"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("samples", "media")
    writes: ClassVar[tuple[str, ...]] = ("frame_plans",)
    stage: ClassVar[Stage] = "task"
    light: ClassVar[bool] = True

    @cached_property
    def profiles(self) -> tuple[Profile, ...]:
        """The profiles, read."""
        return tuple(load_profile(name) for name in self.params.profiles)

    def code_digest(self) -> str:
        """Digest of the profiles."""
        return derive_id("frame plans", [profile.digest for profile in self.profiles])

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """One row per well-formed sample and profile; what is malformed is for the verdict to say."""
        media = {row["media_id"]: row for row in rows["media"]}
        if not rows["samples"]:
            raise SkipUnit("no samples")
        for sample_id, sample in stored_samples(rows):
            for profile in self.profiles:
                shown, found = _plan(sample, profile, media)
                yield "frame_plans", _row(sample_id, profile.name, sample, shown, found)


def _plan(
    sample: Sample, profile: Profile, media: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[int, Shown], Answerability]:
    shown = {i: _show(ref, profile, media[ref.media_id]) for i, ref in enumerate(sample.media) if ref.media_id in media}
    said, boxes = profile.language, None
    if 0 in shown and shown[0].frames:
        first = shown[0].frames[0]
        boxes = box_codec(said.boxes, width=first.width, height=first.height, decimals=said.box_decimals)
    return shown, answerability(sample, shown, profile.least, times=said.codec(), boxes=boxes, sound=profile.sound)


def _show(ref: MediumRef, profile: Profile, medium: Mapping[str, Any]) -> Shown:
    """What the profile shows of one medium: its stills, or the frames of a cut at the medium's rate and size."""
    length_s = ref.end_s - ref.start_s
    width, height, fps = int(medium["width"] or 0), int(medium["height"] or 0), float(medium["fps"] or 0.0)
    if ref.kind == "image" or ref.frame_times:
        return show_stills(profile, ref.frame_times or (ref.start_s,), length_s, width, height)
    if ref.kind in ("audio", "text") or not width or fps <= 0:
        return Shown((), length_s)
    facts, zero_s = window_facts(ref.start_s, min(ref.end_s, medium["duration_s"] or ref.end_s), fps)
    return show_video(profile, facts, zero_s, width, height)


def _row(
    sample_id: str, profile: str, sample: Sample, shown: Mapping[int, Shown], found: Answerability
) -> dict[str, Any]:
    frames = [
        {"medium": medium + 1, "t_s": f.t_s, "role": role, "width": f.width, "height": f.height, "tokens": f.tokens}
        for medium, view in sorted(shown.items())
        for f, role in zip(view.frames, roles(sample, medium, view), strict=True)
    ]
    return {
        "media_id": sample.media[0].media_id,
        "sample_id": sample_id,
        "profile": profile,
        "frames": frames,
        "tokens": sum(f["tokens"] for f in frames),
        "frames_in_evidence": found.frames_in_evidence,
        "coverage": found.coverage,
        "object_px": found.object_px,
        "codec_error_s": found.codec_error_s,
        "evidence_s": found.evidence_s,
        "answerable": found.answerable,
        "rule": found.rule,
        "detail": found.detail or None,
    }


ANNOTATOR = FramePlans
