"""Films of noise in which a word, a shape, a thing or a moving shape shows only by how the noise moves (SpookyBench).

"Time Blindness: Why Video-Language Models Can't See What Humans Can?" shows that people read such films and models do not. Here
every single frame is a draw from one and the same noise (see `moving_noise.py`), so the answer is nowhere but in time. The
truth is a track with its mask; what could stand in its place (near misses) stands in its attributes. H.264 at the given
quality keeps both properties; the annotator `hidden_mask` measures that they are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from ...engine.annotator import Params as BaseParams
from ...engine.composing import Draft, Material, MediaComposer
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.masks import box_of, encode_mask
from ...schemas.span import from_us, to_us
from ..compose.drawing import shape_mask
from ..compose.hidden import MOTION_FAMILIES, SYNONYMS, Category, Mask, drawn, families
from ..compose.moving_noise import BLOCK, Noise, noise_frames, pixels

SHARES: dict[Category, float] = {"text": 210 / 451, "objects": 156 / 451, "dynamic": 57 / 451, "shapes": 28 / 451}
"""Shares of the published set."""
MASKS_PER_S = 5
"""Masks of a moving shape that are written per second; of what rests, one per second."""


class Params(BaseParams):
    """Parameters of motion_noise."""

    videos: int = Field(20, ge=1, description="Films to make.")
    categories: dict[Category, float] = Field(
        default_factory=lambda: dict(SHARES), min_length=1, description="Share of each category; default: as published."
    )
    width: int = Field(320, ge=64, description="Width, px; a multiple of two grains.")
    height: int = Field(240, ge=48, description="Height, px; a multiple of two grains.")
    fps: int = Field(30, ge=5, le=60, description="Frames per second.")
    seconds: float = Field(4.0, gt=0, le=60, description="Length of each film.")
    grain_px: int = Field(2, ge=1, le=16, description="Side of a grain of the noise: its texture.")
    velocity_px: tuple[int, ...] = Field(
        (4,), min_length=1, description="Pixels per frame, one of them drawn; multiples of two grains."
    )
    directions: tuple[Literal["x", "y"], ...] = Field(("x", "y"), min_length=1, description="Axes, one of them drawn.")
    contrast: tuple[float, ...] = Field(
        (0.6,), min_length=1, description="Depth of the noise, 0..1, one of them drawn."
    )
    crf: int = Field(18, ge=0, le=40, description="Quality of H.264: 0 is lossless.")

    @model_validator(mode="after")
    def _fits(self) -> Params:
        block = BLOCK * self.grain_px
        odd = [n for n in (self.width, self.height, *self.velocity_px) if n % block or n == 0]
        if odd:
            raise ValueError(
                f"{odd[0]} px is no multiple of two grains ({block} px); choose size and velocity in such steps"
            )
        if any(not 0 < c <= 1 for c in self.contrast):
            raise ValueError("contrast lies above 0 and up to 1")
        return self


class MotionNoise(MediaComposer[Params]):
    """Makes films of noise with something hidden; needs no material."""

    name: ClassVar[str] = "motion_noise"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    needs_material: ClassVar[bool] = False

    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """`videos` drafts, shared out over the categories; every answer of a category comes before any comes again."""
        p = self.params
        made = {category: 0 for category in p.categories}
        for _ in range(p.videos):
            category = max(made, key=lambda c: (p.categories[c] / sum(p.categories.values()) - made[c] / p.videos, c))
            yield self._draft(category, made[category], seed)
            made[category] += 1

    def _draft(self, category: Category, number: int, seed: int) -> Draft:
        p = self.params

        def choice(name: str, of: Sequence[Any]) -> Any:
            return of[int(seeded_fraction("motion_noise", seed, category, number, name) * len(of))]

        label, family = _label(category, number, seed)
        frames = max(2, round(p.seconds * p.fps))
        noise = Noise(
            p.width, p.height, p.grain_px, choice("velocity", p.velocity_px), choice("direction", p.directions),
            choice("sign", (1, -1)), choice("contrast", p.contrast), frames, derive_id("noise", seed, category, number),
        )  # fmt: skip
        told: dict[str, Any] = {"hidden_by": "motion", "category": category, "family": list(family)}
        aspects: list[dict[str, Any]] = []
        mask_at = _still(category, label, noise)
        if category == "dynamic":
            motions = choice("motions", MOTION_FAMILIES)
            moves = choice("moves", motions)
            mask_at = partial(_moving, label, moves, noise)
            aspects.append(
                {
                    "aspect": "direction", "kind": "hidden_motion", "subject": label, "value": moves,
                    "wrong": [m for m in motions if m != moves], "start_s": 0.0, "end_s": from_us(to_us(frames / p.fps)),
                }
            )  # fmt: skip
        if label in SYNONYMS and category != "text":
            told["synonyms"] = list(SYNONYMS[label])
        drawn_for = {
            "velocity_px": noise.velocity_px, "direction": noise.direction, "sign": noise.sign, "grain_px": p.grain_px,
            "contrast": noise.contrast, "fps": p.fps, "seed": noise.seed,
        }  # fmt: skip
        digest = derive_id(
            self.name, self.version, p.width, p.height, p.crf, frames, category, label, aspects, drawn_for
        )
        duration_s = from_us(to_us(frames / p.fps))
        track_id = derive_id("track", digest)
        what = "word" if category == "text" else label
        every = p.fps // MASKS_PER_S if category == "dynamic" else p.fps
        boxes = []
        for frame in sorted({*range(0, frames, max(1, every)), frames - 1}):
            mask = pixels(mask_at(frame), noise)
            place = dict(zip(("x1", "y1", "x2", "y2"), box_of(mask), strict=True))
            row = {"track_id": track_id, "t_s": from_us(to_us(frame / p.fps)), **place}
            boxes.append({**row, "mask": encode_mask(mask), "visibility": 1.0})
        track = {
            "track_id": track_id,
            "start_s": 0.0,
            "end_s": duration_s,
            "label": what,
            "phrase": label,
            "attributes_json": json.dumps(told | {"noise": drawn_for}, sort_keys=True),
            "score": 1.0,
        }
        return Draft(
            digest=digest,
            suffix=".mp4",
            write=partial(_write, noise, mask_at, p.fps, p.crf),
            duration_s=duration_s,
            rows={"tracks": [track], "boxes": boxes, "aspects": aspects},
            parameters={"category": category, "label": label, **drawn_for},
        )


def _label(category: Category, number: int, seed: int) -> tuple[str, tuple[str, ...]]:
    """The answer number `number` of a category and the family that it is of."""
    pairs = [(label, family) for family in families(category) for label in family]
    turn, place = divmod(number, len(pairs))
    ordered = sorted(pairs, key=lambda pair: (seeded_fraction("hidden", seed, category, turn, pair), pair))
    return ordered[place]


FRAMES_PER_BLOCK = 4
"""A moving shape takes at least so many frames for the width of a block: faster ones blur, for people as for flow."""


def _still(category: Category, label: str, noise: Noise) -> Any:
    mask = drawn(category, label, *noise.blocks)
    return lambda frame: mask


def _moving(label: str, moves: str, noise: Noise, frame: int) -> Mask:
    """The shape on its way, in steps of whole blocks."""
    rows, columns = noise.blocks
    size = int(min(rows, columns) * 0.6)
    across = moves.endswith(("left", "right"))
    room = (columns if across else rows) - size
    way = min(room, round((noise.frames - 1) / FRAMES_PER_BLOCK))
    gone = round(way * frame / max(1, noise.frames - 1))
    place = (room - way) // 2 + (way - gone if moves.endswith(("left", "upwards")) else gone)
    top, left = ((rows - size) // 2, place) if across else (place, (columns - size) // 2)
    made = np.zeros((rows, columns), bool)
    made[top : top + size, left : left + size] = shape_mask(label, size) >= 0.5
    return made


def _write(noise: Noise, mask_at: Any, fps: int, crf: int, path: Path) -> None:
    """Encode the frames: H.264, one thread, bit-exact."""
    write_luma(noise_frames(noise, mask_at), noise.width, noise.height, fps, crf, path)


def write_luma(frames: Iterator[Any], width: int, height: int, fps: int, crf: int, path: Path) -> None:
    """Write luma pictures (uint8 [height, width]) as grey H.264 to `path`."""
    import av
    from av.codec.context import Flags

    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= Flags.bitexact
        stream.options = {
            "preset": "veryfast",
            "crf": str(crf),
            "threads": "1",
            "x264-params": "keyint=1:aq-mode=0:no-deblock=1",
        }
        grey = np.full((height // 2, width), 128, np.uint8)
        for index, luma in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(np.vstack([luma, grey]), format="yuv420p")
            picture.pts, picture.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


COMPOSER = MotionNoise
