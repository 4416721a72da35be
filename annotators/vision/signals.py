"""Signals: a sampled frame's numbers, from light and sharpness to what the camera and the things in it do.

Motion is dense optical flow (DIS) between a sampled frame and the one before, at a small size, averaged over blocks
and believed only where the picture has corners. A similarity fitted to it is the camera; what it leaves over
is residual motion, reported where a connected group of blocks exceeds the noise. Flow across a cut or a flash is
detected (the earlier frame, moved by the flow, does not look like the later one) and written as NULL; flat or
contradictory flow is called `unknown`. Limits: things faster than about an eighth of the picture per sample
are lost, and parallax counts as residual motion.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ...engine.annotator import FrameAnnotator, FrameSession, Medium, Params, Row, Sampling
from .camera_fit import Fit, fit_similarity, name_motion, rates
from .flow_grid import MIN_BLOCKS, FlowGrid, FlowMeter, largest_region
from .picture_numbers import dark_bars, dct_hash, is_black, sharpness

if TYPE_CHECKING:
    from ...engine.media.frame import Frame


MIN_CHANGE = 3.0
"""Least difference (0..255) that the camera's motion must leave in a block that moves by itself."""


MAX_UNEXPLAINED = 0.7
"""Share of that difference which a region's own flow may leave; more is not motion but something that appears."""
MIN_COHERENCE = 0.8
"""Least length of a region's mean flow, as a share of its blocks' mean length: a thing moves one way."""
STRETCH_STEP = 0.35
STRETCHES = tuple(0.8 + STRETCH_STEP * k for k in range(5))
"""Lengths that are tried for a region's velocity, as multiples of its mean flow."""
Pixels = np.ndarray[Any, Any]


class SignalsParams(Params):
    """How often and how closely to look."""

    fps: float = Field(4.0, gt=0, le=60, description="rows per second of footage; motion spans one step")
    analysis_side_px: int = Field(
        320, ge=32, description="longest side of the picture for light, contrast, sharpness and bars"
    )
    flow_side_px: int = Field(160, ge=64, le=640, description="longest side of the picture for the flow")
    static_below: float = Field(
        0.01, gt=0, description="a camera that moves a typical pixel less is static, frame widths per second"
    )
    min_inlier_share: float = Field(
        0.5, ge=0, le=1, description="camera is unknown where the fit explains a smaller share of the flow"
    )
    min_textured_share: float = Field(
        0.08, ge=0, le=1, description="camera is unknown where less of the picture has corners to follow"
    )
    residual_px: float = Field(
        0.6, gt=0, description="least residual flow of a moving block, pixels of the flow picture per step"
    )


class SignalsSession(FrameSession):
    """Keeps the last sampled picture; a row never waits for a later frame."""

    def __init__(self, params: SignalsParams) -> None:
        self._params = params
        self._meter: FlowMeter | None = None
        self._earlier: Pixels | None = None
        self._earlier_s = 0.0

    def see(self, frame: Frame) -> Iterable[Row]:
        import cv2

        luma = frame.luma(self._params.analysis_side_px)
        mean, spread = (float(v[0, 0]) for v in cv2.meanStdDev(luma))
        black = mean < 16 and is_black(luma)
        row: dict[str, Any] = {
            "t_s": frame.t_s,
            "luma": mean,
            "contrast": spread,
            "sharpness": sharpness(luma),
            "black": black,
            "letterbox": None if black else dark_bars(luma),
            "phash": dct_hash(frame.luma_at(32, 32)),
        }
        later = np.ascontiguousarray(frame.luma(self._params.flow_side_px))
        if self._earlier is not None and self._earlier.shape == later.shape:
            seconds = frame.t_s - self._earlier_s
            if 0 < seconds <= max(1.0, 2.5 / self._params.fps):
                row |= self._motion(self._earlier, later, seconds)
        self._earlier, self._earlier_s = later, frame.t_s
        return [("signals", row)]

    def _motion(self, earlier: Pixels, later: Pixels, seconds: float) -> dict[str, Any]:
        """The motion columns; empty where the two pictures are not joined by motion."""
        params = self._params
        height, width = later.shape
        if self._meter is None:
            self._meter = FlowMeter(width, height)
        grid = self._meter.measure(earlier, later)
        if grid.broken:
            return {}
        textured = grid.textured
        if textured.mean() < params.min_textured_share:
            return {"camera": "unknown"}
        before, now = grid.before[textured], grid.now[textured]
        per_second = 1 / (width * seconds)
        row: dict[str, Any] = {"motion": float(np.abs(now - before).mean()) * per_second}
        fit = fit_similarity(before, now, tolerance_px=params.residual_px)
        if fit is None:
            return row | {"camera": "unknown"}
        found = rates(fit, width, height, seconds)
        certain = fit.inlier_share >= params.min_inlier_share
        row |= {
            "pan": found.pan,
            "tilt": found.tilt,
            "zoom": found.zoom,
            "roll": found.roll,
            "inlier_share": fit.inlier_share,
            "camera": name_motion(found, width / height, params.static_below) if certain else "unknown",
        }
        if certain:
            row |= self._residual(earlier, later, grid, fit, per_second)
        return row

    def _residual(self, earlier: Pixels, later: Pixels, grid: FlowGrid, fit: Fit, per_second: float) -> dict[str, Any]:
        """What moves by itself: a region of blocks whose flow leaves the camera's by more than the noise, and explains
        them better than the camera's motion does. `per_second` turns pixels into frame widths per second.
        """
        assert self._meter is not None
        left = grid.now - fit.predict(grid.before)
        strength, camera_px = np.abs(left), np.abs(grid.now - grid.before - left)
        least = np.maximum(max(self._params.residual_px, 4 * fit.noise_px), 0.1 * camera_px)
        moving = grid.textured & (strength > least)
        if np.count_nonzero(moving) < MIN_BLOCKS:
            return {"residual": 0.0, "residual_area": 0.0}
        camera_error = self._meter.moved_error(earlier, later, fit.a, fit.b)
        moving &= (camera_error > MIN_CHANGE) & (grid.error < MAX_UNEXPLAINED * camera_error)
        region = largest_region(moving, strength)
        if region is None:
            return {"residual": 0.0, "residual_area": 0.0}
        if grid.error[region].mean() > MAX_UNEXPLAINED * camera_error[region].mean():
            return {}
        inside = region & moving
        velocity = complex(np.average(left[inside], weights=camera_error[inside]))
        if abs(velocity) < MIN_COHERENCE * np.average(np.abs(left[inside]), weights=camera_error[inside]):
            return {}
        velocity *= self._stretch(earlier, later, fit, velocity, region)
        rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
        height, width = later.shape
        return {
            "residual": abs(velocity) * per_second,
            "residual_area": float(region.mean()),
            "residual_dx": velocity.real * per_second,
            "residual_dy": velocity.imag * per_second * width / height,
            "residual_x1": float(columns[0]) / region.shape[1],
            "residual_y1": float(rows[0]) / region.shape[0],
            "residual_x2": float(columns[-1] + 1) / region.shape[1],
            "residual_y2": float(rows[-1] + 1) / region.shape[0],
        }

    def _stretch(self, earlier: Pixels, later: Pixels, fit: Fit, velocity: complex, region: Pixels) -> float:
        """By how much to lengthen a region's velocity. Flow inside plain things falls short, since only their outlines
        tell; so try lengths and take the one whose shift makes the earlier picture look most like the later.
        """
        assert self._meter is not None
        errors = self._meter.region_errors(
            earlier, later, region, fit.a, [fit.b + k * velocity for k in STRETCHES]
        ).tolist()
        best = int(np.argmin(errors))
        if best in (0, len(errors) - 1):
            return STRETCHES[best]
        low, mid, high = errors[best - 1 : best + 2]
        curve = low - 2 * mid + high
        return STRETCHES[best] + STRETCH_STEP * ((low - high) / (2 * curve) if curve > 1e-9 else 0.0)


class Signals(FrameAnnotator[SignalsParams]):
    """One row per sampled frame: light, sharpness, hash, camera motion and what moves by itself."""

    name = "signals"
    version = 2
    Params = SignalsParams
    writes = ("signals",)

    def sampling(self, medium: Medium) -> Sampling:
        return Sampling(fps=self.params.fps)

    def open(self, medium: Medium) -> FrameSession:
        return SignalsSession(self.params)


ANNOTATOR = Signals
