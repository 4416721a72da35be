"""How clearly motion shows something: four signal-to-noise ratios of the optical flow, and their weighted mean (SpookyBench).

Flow is Farneback's between neighbouring frames, every second frame, averaged over five. Its edges (Sobel) above the 90th
percentile, opened and closed, part the picture into a figure and the rest. All in decibels, 10 log10(S / N): *basic* edges
against the variance of the first frame, *perceptual* both weighted by f exp(-f / 0.1) per frequency, *coherence* how
direction agrees over time against how it varies from place to place, *contrast* the difference of the two regions' flow
against its spread within them. No truth is needed. Limits: motion of more than about a quarter of a window of 15 px per frame
is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from ...engine.annotator import FrameAnnotator, FrameSession, Medium, Params, Row, Sampling, SkipUnit

if TYPE_CHECKING:
    from ...engine.media.frame import Frame

WEIGHTS = {"basic": 0.2, "perceptual": 0.3, "coherence": 0.2, "contrast": 0.3}
Plane = np.ndarray[Any, Any]
_TINY = 1e-9


class MotionSnrParams(Params):
    """Parameters of motion_snr; defaults are those of the source."""

    every: int = Field(2, ge=1, description="Flow is measured at every so manieth frame, to the one after it.")
    average: int = Field(5, ge=1, description="Flows that are averaged.")
    window_px: int = Field(15, ge=5, description="Window of the flow.")
    percentile: float = Field(90.0, gt=0, lt=100, description="Edges of the flow above it belong to the figure.")
    analysis_side_px: int = Field(640, ge=32, description="Longest side of the picture that is looked at.")


class MotionSnrSession(FrameSession):
    """Keeps a few flows; every full window gives one set of numbers."""

    def __init__(self, params: MotionSnrParams) -> None:
        self._params = params
        self._seen = 0
        self._earlier: Plane | None = None
        self._first: Plane | None = None
        self._flows: deque[Plane] = deque(maxlen=params.average)
        self._found: list[dict[str, float]] = []

    def see(self, frame: Frame) -> Iterable[Row]:
        import cv2

        p = self._params
        luma = np.ascontiguousarray(frame.luma(p.analysis_side_px))
        if self._first is None:
            self._first = luma.astype(np.float32)
        if self._earlier is not None and self._earlier.shape == luma.shape:
            flow = cv2.calcOpticalFlowFarneback(self._earlier, luma, None, 0.5, 3, p.window_px, 3, 5, 1.2, 0)  # type: ignore[call-overload]
            self._flows.append(np.asarray(flow, np.float32))
            if len(self._flows) == p.average:
                self._found.append(snr(np.stack(self._flows), self._first, p.percentile))
        self._earlier = luma if self._seen % p.every == 0 else None
        self._seen += 1
        return ()

    def close(self) -> Iterable[Row]:
        if not self._found:
            return
        mean = {name: float(np.mean([f[name] for f in self._found])) for name in WEIGHTS}
        mean["combined"] = sum(WEIGHTS[name] * mean[name] for name in WEIGHTS)
        for name, value in mean.items():
            yield "measurements", {"t_s": 0.0, "name": f"motion_snr_{name}", "value": round(value, 4)}


class MotionSnr(FrameAnnotator[MotionSnrParams]):
    """Writes `measurements` of one film: motion_snr_basic, _perceptual, _coherence, _contrast and _combined, dB."""

    name: ClassVar[str] = "motion_snr"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = MotionSnrParams
    writes: ClassVar[tuple[str, ...]] = ("measurements",)

    def sampling(self, medium: Medium) -> Sampling:
        return Sampling()

    def open(self, medium: Medium) -> FrameSession:
        if not medium.has_video:
            raise SkipUnit("no video stream")
        return MotionSnrSession(self.params)


def snr(flows: Plane, first: Plane, percentile: float = 90.0) -> dict[str, float]:
    """The four ratios in dB, from flows [n, height, width, 2] (px per frame) and the first frame's luma."""
    import cv2

    flow = flows.mean(axis=0)
    edges = np.zeros(flow.shape[:2], np.float32)
    for channel in (flow[..., 0], flow[..., 1]):
        plane = np.ascontiguousarray(channel)
        edges += cv2.Sobel(plane, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(plane, cv2.CV_32F, 0, 1) ** 2
    square = np.ones((5, 5), np.uint8)
    figure = (edges > np.percentile(edges, percentile)).astype(np.uint8)
    figure = cv2.morphologyEx(cv2.morphologyEx(figure, cv2.MORPH_OPEN, square), cv2.MORPH_CLOSE, square)
    inside = figure.astype(bool)
    length = np.linalg.norm(flows, axis=-1, keepdims=True)
    coherence = np.linalg.norm((flows / np.maximum(length, _TINY)).mean(axis=0), axis=-1).astype(np.float32)
    local = cv2.blur(coherence * coherence, (5, 5)) - cv2.blur(coherence, (5, 5)) ** 2
    if inside.any() and not inside.all():
        apart = float(((flow[inside].mean(axis=0) - flow[~inside].mean(axis=0)) ** 2).sum())
        spread = float((flow[inside].var(axis=0).sum() + flow[~inside].var(axis=0).sum()) / 2)
    else:
        apart, spread = 0.0, 1.0
    return {
        "basic": _decibel(float(edges.mean()), float(first.var())),
        "perceptual": _decibel(_weighted(edges), _weighted(first - first.mean())),
        "coherence": _decibel(float(coherence.var()), float(np.clip(local, 0, None).mean())),
        "contrast": _decibel(apart, spread),
    }


def _weighted(plane: Plane) -> float:
    """Mean square of a plane after weighting each frequency f (cycles per pixel) with f exp(-f / 0.1)."""
    f = np.hypot(np.fft.fftfreq(plane.shape[0])[:, None], np.fft.rfftfreq(plane.shape[1])[None, :])
    weight = f * np.exp(-f / 0.1)
    return float(np.square(np.fft.irfft2(np.fft.rfft2(plane) * weight, plane.shape)).mean())


def _decibel(signal: float, noise: float) -> float:
    return 10 * float(np.log10(max(signal, _TINY) / max(noise, _TINY)))


ANNOTATOR = MotionSnr
