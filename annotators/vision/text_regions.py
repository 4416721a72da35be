"""Text in the picture: what stands where, read by RapidOCR (PP-OCR detection and recognition, ONNX, no
torch).

Each picture is read for itself, and a reading holds for the time that is nearer to its picture than to the
neighbours on the grid of 1/fps, so that its ends are off by half a step at most, to either side; pictures that
did not change are not read again. Boxes are the axis-aligned hulls of the found lines. Cost on one core for a
640x360 picture: about 50 ms without text, 15 ms more for each line. Limits:
vertical and strongly turned text is mostly lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from ...engine.annotator import BatchAnnotator, FrameSet, Params, Picture, Resources, Row
from ...engine.models import Carried, ModelRef, resolve
from ...schemas.box import Box

_REMEDY = "pip install 'chronotope[ocr]'"


class TextRegionsParams(Params):
    """Parameters of `text_regions`."""

    fps: float = Field(default=1.0, gt=0, description="pictures looked at per second")
    max_side_px: int = Field(default=960, ge=32, description="longest side of the pictures; letters are cut from them")
    quality: int = Field(default=90, ge=1, le=100, description="JPEG quality of the pictures")
    min_change: float = Field(
        default=0.003,
        ge=0,
        lt=1,
        description="pictures that differ less from the last one read (mean luma difference at 32 "
        "px, share of full "
        "scale) are not read again; 0 reads every picture",
    )
    detection_side_px: int = Field(
        default=640, ge=32, description="longest side at which lines of text are looked for; smaller is quicker"
    )
    min_confidence: float = Field(default=0.6, ge=0, le=1, description="readings below this score are dropped")
    min_letters: int = Field(
        default=2, ge=0, description="readings with fewer letters and digits are dropped: specks read as punctuation"
    )
    threads: int = Field(default=1, ge=1, description="processor threads of the models; fixed, for reproducible rows")


class TextRegions(BatchAnnotator[TextRegionsParams]):
    """Writes `text_regions`: one row per line of text and picture."""

    name: ClassVar[str] = "text_regions"
    version: ClassVar[int] = 2
    Params: ClassVar[type[Params]] = TextRegionsParams
    writes: ClassVar[tuple[str, ...]] = ("text_regions",)
    needs_extra: ClassVar[str | None] = "ocr"

    def __init__(self, params: TextRegionsParams) -> None:
        super().__init__(params)
        self._reader: Any = None

    def models(self) -> Sequence[ModelRef]:
        """Detection and recognition models that the package carries."""
        return [_model("detection", "*_det_*.onnx"), _model("recognition", "*_rec_*.onnx")]

    def resources(self) -> Resources:
        """One processor per thread."""
        return Resources(cpus=float(self.params.threads))

    def frame_set(self) -> FrameSet:
        """The pictures that are read."""
        p = self.params
        return FrameSet(p.fps, p.max_side_px, p.quality, p.min_change)

    def setup(self) -> None:
        """Load both models. Raises `ModelNotFound` when the package or its weights are missing."""
        detection, recognition = self.models()
        from rapidocr import RapidOCR

        p = self.params
        self._reader = RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.use_cls": False,
                "Global.text_score": p.min_confidence,
                "Det.model_path": detection.path,
                "Det.limit_type": "max",
                "Det.limit_side_len": p.detection_side_px,
                "Rec.model_path": recognition.path,
                "EngineConfig.onnxruntime.intra_op_num_threads": p.threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def look(self, pictures: Sequence[Picture]) -> list[list[Row]]:
        """Readings of each picture, from top to bottom."""
        if self._reader is None:
            self.setup()
        return [self._read(picture) for picture in pictures]

    def _read(self, picture: Picture) -> list[Row]:
        import cv2
        import numpy as np

        image = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"the picture of {picture.media_id} at {picture.t_s:g} s is no JPEG")
        found = self._reader(image)
        half = 0.5 / self.params.fps
        rows: dict[tuple[float, float, str], Row] = {}
        for corners, text, score in zip(*_lines(found), strict=True):
            xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
            box = Box.from_pixels(min(xs), min(ys), max(xs), max(ys), image.shape[1], image.shape[0])
            letters = sum(c.isalnum() for c in text)
            if box is None or not text.strip() or letters < self.params.min_letters:
                continue
            if score < self.params.min_confidence:
                continue
            x1, y1, x2, y2 = (round(edge, 6) for edge in box.edges)
            row = {
                "start_s": max(0.0, picture.t_s - half),
                "end_s": max(picture.until_s - half, picture.t_s),
                "text": " ".join(text.split()),
                "confidence": round(float(score), 6),
                **{"x1": x1, "y1": y1, "x2": x2, "y2": y2},
            }
            rows.setdefault((y1, x1, str(row["text"])), ("text_regions", row))
        return [rows[key] for key in sorted(rows)]


def _lines(found: Any) -> tuple[Sequence[Any], Sequence[str], Sequence[float]]:
    """Corners, texts and scores; RapidOCR says None when there is nothing."""
    if found.boxes is None or found.txts is None or found.scores is None:
        return (), (), ()
    return found.boxes, found.txts, found.scores


def _model(what: str, pattern: str) -> ModelRef:
    """A model file inside the package rapidocr. Raises `ModelNotFound` when there is none."""
    folder = resolve("rapidocr", carried=[Carried("rapidocr", "models")], remedy=_REMEDY)
    files = sorted(Path(folder.path).glob(pattern))
    inside = [Carried("rapidocr", f"models/{files[-1].name}")] if files else []
    return resolve(f"RapidOCR {what}", carried=inside, remedy=_REMEDY)


ANNOTATOR = TextRegions
