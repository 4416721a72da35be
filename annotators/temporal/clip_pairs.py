"""Clip pairs: two spans of one medium that a trainer shows together, with what is done to the pictures of each.

Three kinds. `contrastive` (CVRL, arXiv 2008.03800): two clips whose distance is drawn from a falling density, each with one
crop, flip and colour change for all its frames. `long_short` (selective state spaces, arXiv 2303.14526): a short clip inside
a long one of a fixed ratio, with the region that moves by itself as a hint of what is informative. `flow_snippet` (TS-LSTM,
arXiv 1703.10667): of each of K equal segments one picture and a stack of frames for flow, under one crop. Nothing is
decoded; a medium shorter than two frames of a clip has no pairs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Grade, Medium, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import one_producer
from ...schemas.ids import seeded_fraction
from ...schemas.span import from_us, to_us

Kind = Literal["contrastive", "long_short", "flow_snippet"]


class ClipPairsParams(Params):
    """Parameters of `clip_pairs`."""

    kinds: tuple[Kind, ...] = Field(
        ("contrastive", "long_short", "flow_snippet"), min_length=1, description="Which pairs to make."
    )
    pairs: int = Field(4, ge=1, description="contrastive and long_short: pairs of a medium.")
    clip_s: float = Field(2.0, gt=0, description="contrastive: length of a clip (ours; the source counts frames).")
    power: float = Field(
        1.0, ge=0, description="contrastive: the distance t of a greatest distance T has density (1 - t/T)^power."
    )
    crop_area: tuple[float, float] = Field((0.3, 1.0), description="Least and greatest share of the picture of a crop.")
    crop_aspect: tuple[float, float] = Field(
        (0.5, 2.0), description="Least and greatest aspect of a crop, relative to the picture's."
    )
    flip_share: float = Field(
        0.5, ge=0, le=1, description="Share of clips that are mirrored; 0 where left and right matter."
    )
    colour: float = Field(0.4, ge=0, lt=1, description="Greatest change of brightness, contrast and saturation.")
    long_s: float = Field(16.0, gt=0, description="long_short: length of the long clip, at most the medium's.")
    ratio: float = Field(
        0.25, gt=0, lt=1, description="long_short: length of the short clip as a share of the long one."
    )
    segments: int = Field(3, ge=1, description="flow_snippet: equal segments of the medium.")
    flow_frames: int = Field(10, ge=1, description="flow_snippet: flow fields, between neighbouring frames.")


class ClipPairs(UnitAnnotator[ClipPairsParams]):
    """Writes `clip_pairs` of one medium."""

    name: ClassVar[str] = "clip_pairs"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = ClipPairsParams
    reads: ClassVar[tuple[str, ...]] = ("media", "signals")
    optional_reads: ClassVar[tuple[str, ...]] = ("signals",)
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "signals": ("t_s", "residual_area", "residual_x1", "residual_y1", "residual_x2", "residual_y2")
    }
    writes: ClassVar[tuple[str, ...]] = ("clip_pairs",)
    grade: ClassVar[Grade] = "exact"
    """A pair says which footage is meant."""
    light: ClassVar[bool] = True

    def dynamic_reads(self) -> tuple[str, ...]:
        """Signals only for hints of what is informative."""
        return self.reads if "long_short" in self.params.kinds else ("media",)

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Pairs in order of kind and number. Skips stills and sound."""
        medium = unit.medium
        assert medium is not None
        if not medium.has_video or not medium.fps or (medium.frames or 0) < 2:
            raise SkipUnit("fewer than two frames")
        makers = {"contrastive": self._contrastive, "long_short": self._long_short, "flow_snippet": self._snippets}
        for kind in sorted(set(self.params.kinds)):
            for number, (first, second, augmentation) in enumerate(makers[kind](unit, medium, rows)):
                starts = [from_us(to_us(t)) for t in (*first, *second)]
                yield (
                    "clip_pairs",
                    {
                        "kind": kind,
                        "number": number,
                        "first_start_s": starts[0],
                        "first_end_s": starts[1],
                        "second_start_s": starts[2],
                        "second_end_s": starts[3],
                        "interval_s": from_us(to_us(starts[2] - starts[0])),
                        "augmentation_json": json.dumps(augmentation, sort_keys=True),
                    },
                )

    def _contrastive(self, unit: Unit, medium: Medium, rows: Rows) -> Iterator[_Pair]:
        p = self.params
        greatest = medium.duration_s - p.clip_s
        if greatest <= 0:
            return
        for k in range(p.pairs):
            draw = _Draw(unit, "contrastive", k)
            interval = greatest * distance(draw("interval"), p.power)
            start = draw("start") * (greatest - interval)
            first, second = (start, start + p.clip_s), (start + interval, start + interval + p.clip_s)
            yield (
                first,
                second,
                {"first": self._augmentation(draw, "first"), "second": self._augmentation(draw, "second")},
            )

    def _long_short(self, unit: Unit, medium: Medium, rows: Rows) -> Iterator[_Pair]:
        p = self.params
        length = min(p.long_s, medium.duration_s)
        moving = [r for r in one_producer(rows["signals"]) if r["residual_area"] and r["residual_x1"] is not None]
        for k in range(p.pairs):
            draw = _Draw(unit, "long_short", k)
            start = draw("long") * (medium.duration_s - length)
            inner = start + draw("short") * length * (1 - p.ratio)
            short = (inner, inner + length * p.ratio)
            boxes = [
                [r[f"residual_{c}"] for c in ("x1", "y1", "x2", "y2")]
                for r in moving
                if short[0] <= r["t_s"] < short[1]
            ]
            hint = None
            if boxes:
                x1, y1, x2, y2 = zip(*boxes, strict=True)
                hint = [round(v, 4) for v in (min(x1), min(y1), max(x2), max(y2))]
            yield short, (start, start + length), {"informative_box": hint}

    def _snippets(self, unit: Unit, medium: Medium, rows: Rows) -> Iterator[_Pair]:
        p, fps, count = self.params, float(medium.fps or 1.0), int(medium.frames or 0)
        wanted = p.flow_frames + 1
        edges = [k * count // p.segments for k in range(p.segments + 1)]
        if min(b - a for a, b in pairwise(edges)) < wanted:
            return
        for k, (a, b) in enumerate(pairwise(edges)):
            first = a + (b - a - wanted) // 2
            crop = self._augmentation(_Draw(unit, "flow_snippet", k), "both")
            picture, stack = (first / fps, (first + 1) / fps), (first / fps, (first + wanted) / fps)
            yield picture, stack, {"both": crop, "flow_fields": p.flow_frames}

    def _augmentation(self, draw: _Draw, clip: str) -> dict[str, Any]:
        """Crop, flip and colour of one clip, the same for all its frames."""
        p = self.params
        area = p.crop_area[0] + draw(f"{clip} area") * (p.crop_area[1] - p.crop_area[0])
        low, high = (math.log(a) for a in p.crop_aspect)
        aspect = math.exp(low + draw(f"{clip} aspect") * (high - low))
        width, height = min(1.0, math.sqrt(area * aspect)), min(1.0, math.sqrt(area / aspect))
        x, y = draw(f"{clip} x") * (1 - width), draw(f"{clip} y") * (1 - height)
        change = {
            c: round(1 + p.colour * (2 * draw(f"{clip} {c}") - 1), 4) for c in ("brightness", "contrast", "saturation")
        }
        return {
            "crop": [round(v, 4) for v in (x, y, x + width, y + height)],
            "flip": draw(f"{clip} flip") < p.flip_share,
            **change,
        }


_Pair = tuple[tuple[float, float], tuple[float, float], dict[str, Any]]


class _Draw:
    """Seeded numbers in [0, 1) of one pair, by what they are for."""

    def __init__(self, unit: Unit, kind: str, number: int) -> None:
        self.of = ("clip pair", unit.seed, unit.unit, kind, number)

    def __call__(self, what: str) -> float:
        return seeded_fraction(*self.of, what)


def distance(u: float, power: float) -> float:
    """The share of the greatest distance below which a share `u` of all distances with density (1 - x)^power lies."""
    return 1 - (1 - u) ** (1 / (power + 1))


ANNOTATOR = ClipPairs
