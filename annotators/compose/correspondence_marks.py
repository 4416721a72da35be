"""The same numeral on the same object in picture after picture, so that a model may tell which is which across views.

After the coarse correspondences of Oryx: some pictures of a clip become a film of one picture a second, and up to ten objects that
can be made out in three of them or more carry a numeral at the innermost point of their mask (where the distance to its edge is
greatest). A disc never leaves its mask; where an object is too small for one, that picture does not mark it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...engine.annotator import Composer, Params, Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, one_producer
from ...engine.media.decode import VideoReader
from ...engine.media.hashing import media_id_of
from ...engine.media.probe import probe
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.masks import Mask, decode_mask
from ...schemas.objects import object_of, phrase_of
from ...schemas.span import Span, from_us, to_us
from ..rooms.film import write_pictures

Picture = NDArray[np.uint8]
OPERATION = "mark"


class MarkParams(Params):
    """Which pictures are shown, and which objects are marked."""

    pictures: int = Field(
        8, ge=3, le=64, description="Pictures of a clip, evenly spread over the times at which masks are known."
    )
    objects: int = Field(10, ge=1, le=20, description="Objects that are marked, at most (Oryx: ten).")
    least_pictures: int = Field(3, ge=2, description="Pictures in which an object can be marked, at least.")
    least_radius_px: float = Field(5.0, gt=0, description="Smallest disc, pixels of the film.")
    most_radius: float = Field(0.05, gt=0, le=0.5, description="Largest disc, share of the picture's height.")
    per_medium: int = Field(1, ge=1, description="Clips of a medium that are marked, at most.")
    crf: int = Field(18, ge=0, le=40, description="Quality of H.264: 0 is lossless.")


@dataclass(frozen=True)
class Mark:
    """A numeral's place in a picture: normalised centre, and radius as a share of the height."""

    x: float
    y: float
    radius: float


def inner_point(mask: Mask) -> tuple[float, float, float]:
    """Innermost point of a mask [h, w] in its pixels (centre of the first pixel at 0.5), and its distance to the edge; the
    picture's border is an edge. The first such pixel of a row by row walk wins. Raises ValueError for an empty mask.
    """
    import cv2

    if not mask.any():
        raise ValueError("an empty mask has no inner point")
    padded = np.pad(np.asarray(mask, np.uint8), 1)
    far = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(far)), far.shape)
    return float(x) + 0.5, float(y) + 0.5, float(far[y, x])


def mark_of(row: Mapping[str, Any], height_px: int, params: MarkParams) -> Mark | None:
    """Where a sighting (row of `boxes`) is marked; None without a mask, or where no disc fits."""
    if not row["mask"]:
        return None
    mask = decode_mask(str(row["mask"]))
    if not mask.any():
        return None
    height, width = mask.shape
    x, y, far = inner_point(mask)
    # half a pixel of the mask is lost at its edge, and a disc is drawn with soft edges
    radius = min((far - 1.0) / height, params.most_radius)
    if radius * height_px < params.least_radius_px:
        return None
    return Mark(round(x / width, 6), round(y / height, 6), round(radius, 6))


def draw_numeral(picture: Picture, numeral: int, mark: Mark) -> Picture:
    """The picture with a dark disc and a light numeral in it."""
    from PIL import Image, ImageDraw, ImageFont

    height, width = picture.shape[:2]
    scale = 4  # drawn large and made small, for soft edges
    radius = mark.radius * height
    side = 2 * int(np.ceil(radius)) + 2
    x, y = mark.x * width, mark.y * height
    left, top = int(np.floor(x)) - side // 2, int(np.floor(y)) - side // 2
    patch = Image.new("L", (side * scale, side * scale), 0)
    ink = Image.new("L", patch.size, 0)
    centre = ((x - left) * scale, (y - top) * scale)
    ImageDraw.Draw(patch).ellipse(
        [centre[0] - radius * scale, centre[1] - radius * scale, centre[0] + radius * scale, centre[1] + radius * scale], fill=255
    )  # fmt: skip
    font = ImageFont.load_default(max(8.0, radius * scale * (1.5 if numeral < 10 else 1.15)))
    ImageDraw.Draw(ink).text(centre, str(numeral), fill=255, font=font, anchor="mm")
    disc, text = (
        np.asarray(p.resize((side, side), Image.Resampling.BOX), np.float32)[..., None] / 255 for p in (patch, ink)
    )
    out = picture.copy()
    y0, y1, x0, x1 = max(0, top), min(height, top + side), max(0, left), min(width, left + side)
    window = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    area: NDArray[np.float64] = out[y0:y1, x0:x1].astype(np.float64)
    area = area * (1 - disc[window]) + 16 * disc[window]
    area = area * (1 - text[window] * disc[window]) + 250 * text[window] * disc[window]
    out[y0:y1, x0:x1] = np.clip(np.rint(area), 0, 255).astype(np.uint8)
    return out


class CorrespondenceMarks(Composer[MarkParams]):
    """Writes a film of marked pictures for kept clips, with rows of `media`, `sources`, `edits` and `marks`."""

    name = "correspondence_marks"
    version = 1
    Params = MarkParams
    reads = ("media", "clips", "selection", "tracks", "boxes")
    optional_reads = ("selection",)
    writes = ("media", "sources", "edits", "marks")
    grade = "exact"
    quick_units: ClassVar[int] = 4

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """The films of one medium. Raises `SkipUnit` where nothing can be marked."""
        assert unit.medium is not None and unit.medium.path is not None and unit.output_dir is not None
        source = medium_row(rows, unit.medium.media_id)
        if source["origin"] == "edited" or not unit.medium.has_video:
            raise SkipUnit("an edited twin, or no pictures")
        tracks = {str(t["track_id"]): t for t in one_producer(rows["tracks"])}
        boxes = [b for b in one_producer(rows["boxes"]) if str(b["track_id"]) in tracks and b["mask"]]
        made = 0
        for clip in kept_clips(rows, unit.medium.media_id):
            if made == self.params.per_medium:
                break
            chosen = self._chosen(unit, clip, boxes, tracks, int(source["height"]))
            if chosen is not None:
                made += 1
                yield from self._film(unit.medium.path, unit.output_dir, source, clip, tracks, *chosen)
        if not made:
            raise SkipUnit("no objects with masks in enough pictures")

    def _chosen(
        self, unit: Unit, clip: Mapping[str, Any], boxes: Sequence[Mapping[str, Any]], tracks: Mapping[str, Mapping[str, Any]],
        height_px: int,
    ) -> tuple[list[float], dict[str, int], dict[tuple[str, float], tuple[Mark, Mapping[str, Any]]]] | None:  # fmt: skip
        """Times of the pictures, the numeral of each object, and the marks of (object, time)."""
        span = Span(clip["start_s"], clip["end_s"])
        times = sorted({float(b["t_s"]) for b in boxes if span.contains(b["t_s"])})
        if len(times) < self.params.least_pictures:
            return None
        step = max(1, (len(times) - 1) // max(1, self.params.pictures - 1))
        times = times[::step][: self.params.pictures]
        shown = set(times)
        marks: dict[tuple[str, float], tuple[Mark, Mapping[str, Any]]] = {}
        for row in sorted(boxes, key=lambda b: (b["t_s"], str(b["track_id"]))):
            if row["t_s"] not in shown:
                continue
            mark = mark_of(row, height_px, self.params)
            name = object_of(tracks[str(row["track_id"])])
            if mark is not None and (name, row["t_s"]) not in marks:
                marks[name, row["t_s"]] = (mark, row)
        seen = sorted({name for name, _ in marks})
        often = {name: sum(n == name for n, _ in marks) for name in seen}
        kept = [n for n in seen if often[n] >= self.params.least_pictures]
        if not kept:
            return None
        kept.sort(key=lambda n: (-often[n], n))
        drawn = sorted(
            kept[: self.params.objects], key=lambda n: (seeded_fraction(unit.seed, self.name, clip["clip_id"], n), n)
        )
        return times, {n: i for i, n in enumerate(drawn, start=1)}, marks

    def _film(
        self, path: Path, folder: Path, source: Mapping[str, Any], clip: Mapping[str, Any], tracks: Mapping[str, Mapping[str, Any]],
        times: Sequence[float], numerals: Mapping[str, int], marks: Mapping[tuple[str, float], tuple[Mark, Mapping[str, Any]]],
    ) -> Iterable[Row]:  # fmt: skip
        pictures = []
        for t, picture in zip(times, _pictures_at(path, times), strict=True):
            for name, numeral in numerals.items():
                if (name, t) in marks:
                    picture = draw_numeral(picture, numeral, marks[name, t][0])
            pictures.append(picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2])
        draft = folder / f".{derive_id('marks', clip['clip_id'], self.params.model_dump())}.mp4"
        try:
            height, width = pictures[0].shape[:2]
            write_pictures(pictures, 1.0, (width, height), self.params.crf, draft)
            media_id = media_id_of(draft)
            file = draft.replace(folder / f"{media_id}.mp4")
        finally:
            draft.unlink(missing_ok=True)
        copied = {name: source[name] for name in ("licence", "group_id", "official_split")}
        own = {"media_id": media_id, "title": file.name, "origin": "edited", "user_json": None}
        yield "media", {**probe(file), **copied, **own}
        yield "sources", {
            **copied, "media_id": media_id, "uri": f"media/{file.name}", "size": file.stat().st_size, "origin": "edited",
        }  # fmt: skip
        # the pictures follow each other evenly, so the mapping of times is linear: a picture a second
        scale = (len(times) - 1) / (times[-1] - times[0])
        yield "edits", {
            "media_id": media_id, "step": 0, "operation": OPERATION, "source_media_id": source["media_id"],
            "source_clip_id": clip["clip_id"], "start_s": times[0], "end_s": from_us(to_us(times[-1]) + 1), "parameters_json": "{}",
            "time_scale": scale, "time_offset_s": -times[0] * scale, "box_affine": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        }  # fmt: skip
        for (name, t), (mark, row) in sorted(marks.items(), key=lambda m: (numerals.get(m[0][0], 0), m[0][1])):
            if name in numerals:
                track = tracks[str(row["track_id"])]
                yield "marks", {
                    "media_id": media_id, "t_s": float(times.index(t)), "source_t_s": t, "numeral": numerals[name],
                    "object_id": name, "track_id": str(row["track_id"]), "label": str(track["label"]), "phrase": phrase_of(track),
                    "x": mark.x, "y": mark.y, "radius": mark.radius,
                }  # fmt: skip


def _pictures_at(path: Path, times: Sequence[float]) -> Iterable[Picture]:
    """The frame that stands at each time, in order, full size."""
    waiting = [to_us(t) for t in times]
    stands: Picture | None = None
    for frame in VideoReader(path):
        now = to_us(frame.t_s)
        while waiting and waiting[0] < now - 1 and stands is not None:
            yield stands
            waiting.pop(0)
        if not waiting:
            return
        if now <= waiting[0] + 1:
            stands = np.array(frame.rgb(max(frame.width, frame.height)))
    for _ in waiting:
        if stands is not None:
            yield stands


ANNOTATOR = CorrespondenceMarks
