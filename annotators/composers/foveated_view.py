"""Pictures as the eye saw them: the frame of each recorded fixation, sharp around its point and blurred towards the edges.

One PNG per fixation, because only a lossless picture keeps the sharp part bit by bit. Fixations come with the material
(`import: fixations`); where none is recorded, nothing is made up, unless `at` says where to look. Boxes and words of the
material are not carried over: what is blurred may no longer be seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.composing import ComposeError, Draft, Material, MediaComposer
from ...engine.media.container import MediaError
from ...engine.media.decode import VideoReader
from ...engine.media.frame import Frame
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.span import to_us
from ..compose.foveation import Picture, foveate


class Params(BaseParams):
    """Parameters of foveated_view."""

    per_medium: int = Field(20, ge=1, description="Fixations of a medium that are shown, drawn by the seed.")
    radius: float = Field(0.12, gt=0, lt=1, description="Radius of the sharp part, as a share of the diagonal.")
    slope: float = Field(
        0.04,
        gt=0,
        le=1,
        description="Growth of the blur: px of standard deviation per px of distance from the sharp part.",
    )
    max_side_px: int = Field(1280, ge=32, description="Longest side of the picture, px; never enlarged.")
    at: tuple[float, float] | None = Field(
        None,
        description="Where to look, as shares of width and height, in media without fixations (their middle frame).",
    )


class FoveatedView(MediaComposer[Params]):
    """Foveated pictures of the material."""

    name: ClassVar[str] = "foveated_view"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params

    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """A draft per fixation, in order. Raises `ComposeError` where there is none."""
        drafts = [
            self._draft(m, fixation, frames)
            for m in material
            if m.media.get("width")
            for chosen in [self._fixations(m, seed)]
            for frames in [_Frames(m.path, [f["t_s"] for f in chosen], self.params.max_side_px)]
            for fixation in chosen
        ]
        if not drafts:
            raise ComposeError(
                f"foveated_view finds no fixation in {len(material)} media; import some (`import: fixations`), or say `at: [0.5, 0.5]`"
            )
        return drafts

    def _fixations(self, m: Material, seed: int) -> list[Mapping[str, Any]]:
        """Those that are shown, in order of observer and time."""
        found = list(m.rows.get("fixations", ()))
        if not found and self.params.at is not None:
            x, y = self.params.at
            middle = float(m.media["duration_s"] or 0.0) / 2
            found = [{"observer": "", "position": 0, "t_s": middle, "duration_s": None, "x": x, "y": y}]
        drawn = sorted(found, key=lambda f: seeded_fraction("foveated", seed, m.media_id, f["observer"], f["position"]))
        return sorted(drawn[: self.params.per_medium], key=lambda f: (f["observer"], f["position"]))

    def _draft(self, m: Material, fixation: Mapping[str, Any], frames: _Frames) -> Draft:
        p = self.params
        x, y, t_s = float(fixation["x"]), float(fixation["y"]), float(fixation["t_s"])
        told = {"radius": p.radius, "slope": p.slope, "x": x, "y": y, "t_s": t_s, "max_side_px": p.max_side_px}
        kept = {name: fixation[name] for name in ("observer", "duration_s", "x", "y")}
        step = {
            "step": 0, "operation": "foveate", "source_media_id": m.media_id, "start_s": t_s, "end_s": t_s,
            "parameters_json": json.dumps(told, sort_keys=True), "box_affine": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        }  # fmt: skip
        return Draft(
            digest=derive_id(
                self.name, self.version, m.media_id, sorted(told.items()), fixation["observer"], fixation["position"]
            ),
            suffix=".png",
            write=partial(_write, frames, t_s, x, y, p.radius, p.slope),
            duration_s=0.0,
            rows={"fixations": [{"position": 0, "t_s": 0.0, **kept}], "edits": [step]},
            sources=(m,),
            parameters=told,
        )


class _Frames:
    """Frames of one file at some times, decoded in one pass when the first is asked for."""

    def __init__(self, path: Path, times: Sequence[float], max_side_px: int) -> None:
        self._path, self._side = path, max_side_px
        self._wanted = sorted({to_us(t) for t in times})
        self._found: dict[int, Picture] = {}

    def at(self, t_s: float) -> Picture:
        """The frame that stands at a time; after the end the last one. uint8 rgb."""
        if not self._found:
            self._decode()
        return self._found[to_us(t_s)]

    def _decode(self) -> None:
        left = list(self._wanted)
        stands: Frame | None = None
        for frame in VideoReader(self._path):
            while left and stands is not None and left[0] < to_us(frame.t_s):
                self._found[left.pop(0)] = np.array(stands.rgb(self._side))
            if not left:
                return
            stands = frame
        if stands is None:
            raise MediaError(str(self._path), "it has no frame", "leave it out of the material")
        self._found |= {wanted: np.array(stands.rgb(self._side)) for wanted in left}


def _write(frames: _Frames, t_s: float, x: float, y: float, radius: float, slope: float, path: Path) -> None:
    from PIL import Image

    Image.fromarray(foveate(frames.at(t_s), x, y, radius, slope)).save(path, format="PNG", compress_level=6)


COMPOSER = FoveatedView
