"""Edited twins of kept clips: a clip is cut once more, mirrored or reversed, as a medium of its own.

A twin shows the same pictures with another truth, so a sample on it cannot be answered from a single frame's
content. Only short clips with one clear motion that the edit changes are worth one. The row of `edits` maps
times and boxes from the source, so nothing about a twin needs to be measured. Files are named after their
content and encoded bit-exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, one_producer
from ...engine.media.cut import CutFacts, cut_media
from ...engine.media.hashing import media_id_of
from ...engine.media.probe import probe
from ...schemas.ids import seeded_fraction
from ...schemas.motion import CameraRule, Edit, Motion, ObjectRule, measured, pool_camera, pool_object
from ...schemas.span import Span

Operation = Literal["mirror", "reverse"]


class TwinParams(Params):
    """Which clips get a twin, and how large it is."""

    per_medium: int = Field(4, ge=1, description="Twins per medium, at most.")
    length_s: tuple[float, float] = Field((1.0, 12.0), description="Shortest and longest clip that gets a twin.")
    max_side_px: int = Field(640, ge=32, description="Longest side of the twin's picture, pixels.")
    every: bool = Field(
        False, description="Whether every clip of that length may get one, whatever moves: where its tasks know more."
    )
    keep_audio: bool = Field(True, description="Whether a mirrored twin keeps its sound; a reversed one has none.")


def compose_twins(unit: Unit, rows: Rows, operation: Operation, params: TwinParams) -> Iterable[Row]:
    """Rows of `media`, `sources` and `edits` about the twins of one medium, whose files are below
    `unit.output_dir`.

    Raises `SkipUnit` for a medium without pictures, one that is a twin itself, and one without a clip worth
    a twin.
    """
    assert unit.medium is not None and unit.medium.path is not None and unit.output_dir is not None
    source = medium_row(rows, unit.medium.media_id)
    if source["origin"] == "edited":
        raise SkipUnit("an edited twin itself")
    if not unit.medium.has_video:
        raise SkipUnit("no pictures")
    clips = worth_a_twin(rows, source, operation, params)
    if not clips:
        raise SkipUnit(
            f"no kept clip of {params.length_s[0]:g} to {params.length_s[1]:g} s whose motion the edit changes"
        )
    clips.sort(key=lambda c: seeded_fraction(unit.seed, operation, c["clip_id"]))
    for clip in sorted(clips[: params.per_medium], key=lambda c: (c["start_s"], c["end_s"])):
        yield from _twin(unit.medium.path, unit.output_dir, source, clip, operation, params)


def worth_a_twin(
    rows: Rows, source: Mapping[str, Any], operation: Operation, params: TwinParams
) -> list[Mapping[str, Any]]:
    """Kept clips with one clear camera or object motion that the operation turns into another one; or all (`every`)."""
    signals = sorted(one_producer(rows["signals"]), key=lambda s: s["t_s"])
    aspect = source["width"] / source["height"]
    found = []
    for clip in kept_clips(rows, source["media_id"]):
        span = Span(clip["start_s"], clip["end_s"])
        if params.length_s[0] <= span.length_s <= params.length_s[1]:
            if params.every:
                found.append(clip)
                continue
            motions = measured([s for s in signals if span.contains(s["t_s"])][1:])
            if motions is not None and len(motions) >= 3 and _changes(motions, aspect, operation):
                found.append(clip)
    return found


def mapping(operation: Operation, start_s: float, end_s: float) -> Edit:
    """Mapping of a twin made from [start_s, end_s) of its source: mirrored left to right, or played
    backwards.
    """
    if operation == "mirror":
        return Edit(1.0, -start_s, (-1.0, 0.0, 1.0, 0.0, 1.0, 0.0))
    return Edit(-1.0, end_s, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0))


def _changes(motions: Sequence[Motion], aspect: float, operation: Operation) -> bool:
    edit = mapping(operation, 0.0, 0.0)
    turned = sorted((edit.motion(m) for m in motions), key=lambda m: m.t_s)
    pairs = (
        (pool_camera(motions, aspect, CameraRule()), pool_camera(turned, aspect, CameraRule())),
        (pool_object(motions, aspect, ObjectRule()), pool_object(turned, aspect, ObjectRule())),
    )
    return any(before.label is not None and before.label != after.label for before, after in pairs)


def _twin(
    path: Path,
    folder: Path,
    source: Mapping[str, Any],
    clip: Mapping[str, Any],
    operation: Operation,
    params: TwinParams,
) -> Iterable[Row]:
    draft = folder / f".{clip['clip_id']}.{operation}.mp4"
    try:
        cut = cut_media(
            path, clip["start_s"], clip["end_s"], draft,
            max_side_px=params.max_side_px, keep_audio=params.keep_audio,
            mirror=operation == "mirror", reverse=operation == "reverse",
        )  # fmt: skip
        media_id = media_id_of(draft)
        file = draft.replace(folder / f"{media_id}.mp4")
    finally:
        draft.unlink(missing_ok=True)
    copied = {name: source[name] for name in ("licence", "group_id", "official_split")}
    yield (
        "media",
        {
            **probe(file),
            **copied,
            "media_id": media_id,
            "title": file.name,
            "origin": "edited",
            "user_json": None,
        },
    )
    yield (
        "sources",
        {
            **copied,
            "media_id": media_id,
            "uri": f"media/{file.name}",
            "size": file.stat().st_size,
            "origin": "edited",
        },
    )
    yield "edits", {"media_id": media_id, **_edit_row(cut, source, clip, operation)}


def _edit_row(
    cut: CutFacts, source: Mapping[str, Any], clip: Mapping[str, Any], operation: Operation
) -> dict[str, Any]:
    edit = mapping(operation, cut.source_start_s, cut.source_end_s)
    return {
        "step": 0,
        "operation": operation,
        "source_media_id": source["media_id"],
        "source_clip_id": clip["clip_id"],
        "start_s": cut.source_start_s,
        "end_s": cut.source_end_s,
        "parameters_json": "{}",
        "time_scale": edit.time_scale,
        "time_offset_s": edit.time_offset_s,
        "box_affine": list(edit.box_affine),
    }
