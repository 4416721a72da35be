"""Optical flow between two small pictures, on a grid of blocks, with what can be believed about it.

DIS flow (Kroeger et al., 2016; OpenCV) takes half a millisecond at 160x90 but answers everywhere, also where nothing can be
followed. So each block of the grid says whether the picture has corners there and whether it came from inside the
earlier picture, and the whole flow is checked by moving the earlier picture along it: where that does not look
like the later one (a cut, a flash, motion too fast to follow) the flow is `broken`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Any

import numpy as np

Pixels = np.ndarray[Any, Any]

BLOCK_PX = 5
MIN_BLOCKS = 3
"""Blocks that a region needs to be one."""
FINEST_SCALE, ITERATIONS, PATCH_STRIDE = 1, 16, 5
"""The preset stops at a quarter of the size, which makes zooms 12% too slow and loses small things; half the size
brings that to 3% for twice the time. Patches 5 px apart instead of 4 save a quarter of it and lose nothing on composed
films; 6 px lose a few labels."""
MIN_GRADIENT = 0.7
"""Root mean square slope (0..255 per px) across the weaker direction that makes a block worth following."""
RETRY_MISMATCH = 0.3
RETRY_SHIFT_PX = 4.0
"""The flow finds lesser shifts by itself."""
BROKEN_MISMATCH = 0.33
"""Share of the picture's contrast that may be left after moving the earlier picture along the flow."""
_WARP, _EDGE = 1 | 16, 1
"""OpenCV's numbers of bilinear inverse warping and of repeating the edge."""
CONTRAST_FLOOR = 6.0
"""Contrast (0..255) below which a mismatch is measured against this: dark pictures are mostly noise."""


@dataclass(frozen=True)
class FlowGrid:
    """Flow of one pair of pictures; arrays are [rows, columns] of blocks, positions centred complex pixels."""

    before: np.ndarray[Any, Any]
    """complex: where the block's content was in the earlier picture."""
    now: np.ndarray[Any, Any]
    """complex: the block's centre in the later picture."""
    textured: np.ndarray[Any, Any]
    """bool: there is something to follow, and it was inside the earlier picture."""
    mismatch: float
    """Left-over difference over contrast, 0 (explained) to about 1 (unrelated pictures)."""
    error: np.ndarray[Any, Any]
    """Left-over difference by block, 0..255."""

    @property
    def broken(self) -> bool:
        """The pictures are not joined by motion."""
        return self.mismatch > BROKEN_MISMATCH


class FlowMeter:
    """Measures flow between pictures of one size (uint8 luma [h, w]); keeps its buffers."""

    def __init__(self, width: int, height: int) -> None:
        import cv2

        self.width, self.height = width, height
        self.columns, self.rows = max(2, width // BLOCK_PX), max(2, height // BLOCK_PX)
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        self._pixels = np.dstack([x, y])
        self._still = np.zeros_like(self._pixels)
        centre = (width - 1) / 2 + 1j * (height - 1) / 2
        bx = (np.arange(self.columns) + 0.5) * width / self.columns - 0.5
        by = (np.arange(self.rows) + 0.5) * height / self.rows - 0.5
        self._centre = centre
        self._blocks = bx[None, :] + 1j * by[:, None] - centre
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._dis.setFinestScale(FINEST_SCALE)
        self._dis.setGradientDescentIterations(ITERATIONS)
        self._dis.setPatchStride(PATCH_STRIDE)
        self._half = (max(2, width // 2), max(2, height // 2))
        self._window = cv2.createHanningWindow(self._half, cv2.CV_32F)

    def measure(self, earlier: Pixels, later: Pixels) -> FlowGrid:
        """Flow of the later picture's blocks. Fast pans get a second try from the phase correlation's shift."""
        contrast = max(_spread(earlier), _spread(later), CONTRAST_FLOOR)
        flow = self._dis.calc(later, earlier, self._still.copy())
        error = self._error(earlier, later, flow)
        if float(error.mean()) > RETRY_MISMATCH * contrast:
            dx, dy = self._shift(earlier, later)
            if hypot(dx, dy) >= RETRY_SHIFT_PX:
                guess = self._dis.calc(later, earlier, np.full_like(self._still, (dx, dy)))
                second = self._error(earlier, later, guess)
                if second.mean() < error.mean():
                    flow, error = guess, second
        mean = self._by_block(flow).astype(np.float64)
        came = mean[..., 0] + 1j * mean[..., 1]
        before = self._blocks + came
        inside = (np.abs(before.real) < self.width / 2 - 2) & (np.abs(before.imag) < self.height / 2 - 2)
        return FlowGrid(
            before=before,
            now=self._blocks,
            textured=inside & (self._gradient(later) >= MIN_GRADIENT),
            mismatch=float(error[inside].mean()) / contrast if inside.any() else 1.0,
            error=error,
        )

    def moved_error(self, earlier: Pixels, later: Pixels, a: complex, b: complex) -> Pixels:
        """Left-over difference by block when `now = a * before + b` (centred px) moves the whole picture."""
        import cv2

        moved = cv2.warpAffine(earlier, self._back(a, b), (self.width, self.height), flags=_WARP, borderMode=_EDGE)
        return self._by_block(cv2.absdiff(moved, later).astype(np.float32))

    def region_errors(
        self, earlier: Pixels, later: Pixels, region: Pixels, a: complex, shifts: list[complex]
    ) -> Pixels:
        """Mean left-over difference inside `region` (bool by block) for each b of `shifts`, as `moved_error` has it."""
        import cv2

        mask = cv2.resize(region.astype(np.uint8), (self.width, self.height), interpolation=cv2.INTER_NEAREST)
        x, y, width, height = cv2.boundingRect(mask)
        box = np.s_[y : y + height, x : x + width]
        mask, wanted = np.ascontiguousarray(mask[box]), np.ascontiguousarray(later[box])
        errors = []
        for b in shifts:
            back = self._back(a, b)
            back[:, 2] += back[:, :2] @ (x, y)
            moved = cv2.warpAffine(earlier, back, (width, height), flags=_WARP, borderMode=_EDGE)
            errors.append(cv2.mean(cv2.absdiff(moved, wanted), mask)[0])
        return np.array(errors)

    def _back(self, a: complex, b: complex) -> Pixels:
        """float64 [2, 3]: from pixels of the later picture to pixels of the earlier."""
        inverse = 1 / a
        shift = self._centre - inverse * (self._centre + b)
        return np.array([[inverse.real, -inverse.imag, shift.real], [inverse.imag, inverse.real, shift.imag]])

    def _error(self, earlier: Pixels, later: Pixels, flow: Pixels) -> Pixels:
        import cv2

        moved = cv2.remap(earlier, self._pixels + flow, None, cv2.INTER_LINEAR, borderMode=_EDGE)  # type: ignore[call-overload]
        return self._by_block(cv2.absdiff(moved, later).astype(np.float32))

    def _shift(self, earlier: Pixels, later: Pixels) -> tuple[float, float]:
        import cv2

        first, second = (cv2.resize(p, self._half, interpolation=cv2.INTER_LINEAR) for p in (later, earlier))
        (dx, dy), _ = cv2.phaseCorrelate(first.astype(np.float32), second.astype(np.float32), self._window)
        return dx * self.width / self._half[0], dy * self.height / self._half[1]

    def _gradient(self, picture: Pixels) -> Pixels:
        """Root mean square slope of each block across its weaker direction."""
        import cv2

        gx, gy = (g.astype(np.float32) for g in cv2.spatialGradient(picture))  # 8 times the slope per px
        xx, yy, xy = (cv2.blur(self._by_block(product), (3, 3)) for product in (gx * gx, gy * gy, gx * gy))
        weaker = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy * xy)
        return np.sqrt(np.maximum(weaker, 0)) / 8

    def _by_block(self, values: Pixels) -> Pixels:
        import cv2

        return cv2.resize(values, (self.columns, self.rows), interpolation=cv2.INTER_AREA)


def _spread(picture: Pixels) -> float:
    import cv2

    return float(cv2.meanStdDev(picture)[1][0, 0])


def largest_region(moving: Pixels, weight: Pixels) -> Pixels | None:
    """The connected group of at least `MIN_BLOCKS` `moving` blocks (bool [rows, columns]) with the greatest total weight,
    small gaps closed; None when there is none.
    """
    import cv2

    closed = cv2.morphologyEx(moving.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(closed, connectivity=8)
    if count < 2:
        return None
    known = np.where(moving, weight, 0.0).ravel()
    totals = np.bincount(labels.ravel(), weights=known, minlength=count)
    sizes = np.bincount(labels.ravel(), weights=moving.ravel().astype(float), minlength=count)
    totals[0] = 0
    totals[sizes < MIN_BLOCKS] = 0
    best = int(totals.argmax())
    return labels == best if totals[best] > 0 else None
