"""The light detector: regions that stand out by colour or edges, scored by a CLIP model against the queries.

Regions come from OpenCV alone: pieces of one colour, closed edges, and stable extremal regions (MSER), at a small size. Each is
cut out with some of what lies around it and compared with every query and with words for nothing in particular. The score is
how clearly the region stands out times the softmax over these. It can only find what stands out as one piece, and knows only what its CLIP model knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...schemas.box import Box, iou
from ..vision.clip_models import ClipEncoder
from .detecting import Floats, Regions, no_regions
from .stills import Pixels, Still

NOTHING = ("nothing", "an empty picture")
"""What a region may be instead of a thing."""


class Proposals:
    """A loaded detector. `most` regions per picture, at least `least_area` of it, at most `most_area`; `margin` is the share of a
    region's longer side that is shown around it; `sharpness` multiplies cosines before the softmax (CLIP's own near 100 makes every region certain).
    """

    def __init__(
        self,
        encoder: ClipEncoder,
        *,
        most: int = 40,
        least_area: float = 0.001,
        most_area: float = 0.6,
        margin: float = 0.5,
        side_px: int = 320,
        sharpness: float = 12.0,
        template: str = "a {}",
    ) -> None:
        self._encoder, self._most, self._areas = encoder, most, (least_area, most_area)
        self._margin, self._side, self._sharpness, self._template = margin, side_px, sharpness, template
        self._texts: dict[str, Floats] = {}

    @property
    def model_name(self) -> str:
        return f"proposals + {self._encoder.model_name}"

    def regions(self, stills: Sequence[Still], queries: Sequence[str]) -> list[Regions]:
        """Regions of each picture with the softmax over queries and `NOTHING`."""
        words = np.stack([self._text(q) for q in (*queries, *NOTHING)])
        made = []
        for still in stills:
            picture = still.rgb()
            proposed = propose(picture, self._most, self._areas[0], self._areas[1], self._side)
            if not proposed:
                made.append(no_regions(len(queries)))
                continue
            boxes = [box for _, box in proposed]
            crops = [around(picture, box, self._margin) for box in boxes]
            logits = self._sharpness * (self._encoder.encode_images(crops).astype(np.float64) @ words.T)
            shares = np.exp(logits - logits.max(axis=1, keepdims=True))
            shares /= shares.sum(axis=1, keepdims=True)
            shares *= np.asarray([[clear] for clear, _ in proposed])
            edges = np.asarray([b.to_pixels(still.width, still.height) for b in boxes])
            made.append(Regions(edges, np.round(shares[:, : len(queries)], 6)))
        return made

    def _text(self, query: str) -> Floats:
        if query not in self._texts:
            said = query if query in NOTHING else self._template.format(query)
            self._texts[query] = self._encoder.encode_texts([said])[0].astype(np.float64)
        return self._texts[query]


def around(picture: Pixels, box: Box, margin: float) -> Pixels:
    """A square cut-out around a box with `margin` of its longer side on each side; beyond the picture its edge is repeated."""
    import cv2

    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box.to_pixels(width, height)
    half = max(x2 - x1, y2 - y1) * (0.5 + margin)
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
    left, top, side = round(cx - half), round(cy - half), max(2, round(2 * half))
    pad = (max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width))
    whole = picture if not any(pad) else cv2.copyMakeBorder(picture, *pad, cv2.BORDER_REPLICATE)
    cut = whole[top + pad[0] : top + pad[0] + side, left + pad[2] : left + pad[2] + side]
    return np.ascontiguousarray(cut, np.uint8)


def propose(
    picture: Pixels, most: int, least_area: float, most_area: float, side_px: int = 320
) -> list[tuple[float, Box]]:
    """Boxes of what may be things, each with how clearly it stands out (0..1), clearest first; deterministic.

    That is c / (c + 2) of the distance c (CIE Lab) between the colours in the box's core and in a ring around it, in units of their
    spread.
    """
    import cv2

    height, width = picture.shape[:2]
    scale = min(1.0, side_px / max(height, width))
    small = cv2.resize(
        picture, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    smooth = cv2.medianBlur(lab, 3)
    h, w = smooth.shape[:2]
    ranked: list[tuple[float, Box]] = []
    for x, y, bw, bh in _pieces(smooth):
        box = Box.from_pixels(x, y, x + bw, y + bh, w, h)
        if box is None or not least_area <= box.area <= most_area or min(bw, bh) < 3 or (bw >= w - 1 and bh >= h - 1):
            continue
        ranked.append((_stands_out(smooth, x, y, bw, bh), box))
    ranked.sort(key=lambda r: (-round(r[0], 6), r[1]))
    kept: list[tuple[float, Box]] = []
    for contrast, box in ranked:
        if all(iou(box, other) <= 0.85 for _, other in kept):
            kept.append((contrast / (contrast + 2.0), box))
        if len(kept) == most:
            break
    return kept


def _pieces(lab: NDArray[Any]) -> Iterator[tuple[int, int, int, int]]:
    """x y width height, pixels, of pieces of one colour, closed edges and stable regions."""
    import cv2

    h, w = lab.shape[:2]
    data = lab.reshape(-1, 3).astype(np.float32)
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0)
    for colours in (4, 8):
        _, labels, _ = cv2.kmeans(data[::4], colours, np.zeros((0,), np.int32), stop, 1, cv2.KMEANS_PP_CENTERS)
        centres = np.stack(
            [data[::4][labels.ravel() == k].mean(axis=0) if (labels == k).any() else data[0] for k in range(colours)]
        )
        nearest = np.argmin(((data[:, None, :] - centres[None]) ** 2).sum(axis=2), axis=1).reshape(h, w)
        for k in range(colours):
            count, _, stats, _ = cv2.connectedComponentsWithStats((nearest == k).astype(np.uint8), connectivity=4)
            for x, y, bw, bh, pixels in stats[1:count].tolist():
                if pixels >= 12:
                    yield x, y, bw, bh
    edges = np.maximum.reduce([cv2.Canny(np.ascontiguousarray(lab[:, :, c]), 40, 110) for c in range(3)])
    closed = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    outlines, _ = cv2.findContours(closed, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for outline in outlines:
        x, y, bw, bh = cv2.boundingRect(outline)
        yield x, y, bw, bh
    stable = cv2.MSER.create(5, 30, int(0.5 * h * w))
    for c in range(3):
        _, boxes = stable.detectRegions(np.ascontiguousarray(lab[:, :, c]))
        for x, y, bw, bh in np.asarray(boxes, np.int64).reshape(-1, 4).tolist():
            yield x, y, bw, bh


def _stands_out(lab: NDArray[Any], x: int, y: int, bw: int, bh: int) -> float:
    h, w = lab.shape[:2]
    ring = max(2, round(0.15 * max(bw, bh)))
    core = lab[y + bh // 4 : y + max(bh // 4 + 1, bh - bh // 4), x + bw // 4 : x + max(bw // 4 + 1, bw - bw // 4)]
    inside = core.reshape(-1, 3).astype(np.float64)
    x0, y0, x1, y1 = max(0, x - ring), max(0, y - ring), min(w, x + bw + ring), min(h, y + bh + ring)
    strips = (lab[y0:y, x0:x1], lab[y + bh : y1, x0:x1], lab[y : y + bh, x0:x], lab[y : y + bh, x + bw : x1])
    outside = np.concatenate([s.reshape(-1, 3) for s in strips]).astype(np.float64)
    if not len(inside) or not len(outside):
        return 0.0
    spread = float(outside.std(axis=0).mean() + inside.std(axis=0).mean())
    return float(np.linalg.norm(np.median(inside, axis=0) - np.median(outside, axis=0))) / (4.0 + spread)
