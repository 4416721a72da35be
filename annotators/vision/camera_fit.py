"""What the camera did between two frames: the similarity that most of the optical flow agrees on.

Positions are complex numbers x + iy in pixels from the picture's centre (y down), so a similarity is
`now = a * before + b`: |a| is zoom, arg(a) is roll (positive turns the content clockwise), b is the shift of the
content. A moving object is an outlier: the fit takes the hypothesis (of two flow vectors each, fixed draws) with
the most support, then refines it on its supporters by least squares with biweights. It holds while the
camera's part explains more vectors than anything else does, and fits a plane scene or a far one: parallax shows
up as fewer inliers.

Method: RANSAC (Fischler and Bolles, 1981) and iteratively reweighted least squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import atan2, degrees, hypot, log
from typing import Any

import numpy as np

Vectors = np.ndarray[Any, np.dtype[np.complex128]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

_DRAWS = 32
"""Two of two vectors are background with chance 0.42 when 35% move by themselves: a miss in 10^7."""
_SCORED = 96
"""Vectors, at most, on which a hypothesis is scored; more only cost time."""
_ROUNDS = 2
"""Rounds of reweighting; the third changes nothing for the better."""
_STRICTNESS = 0.5
"""Hypotheses are scored at this share of the tolerance, so that a thing that is hardly faster than the tolerance does
not vote with the background."""
_BIWEIGHT = 4.685
"""Distance, in robust spreads, from which a vector has no weight (Tukey's constant)."""
_RADIUS = 0.3
"""Mean distance of a pixel from the centre, in frame widths: turns zoom and roll into lengths like pan."""


@dataclass(frozen=True)
class Fit:
    """`now = a * before + b` in centred pixels; `inliers` says which vectors it explains."""

    a: complex
    b: complex
    inliers: Flags
    noise_px: float
    """Robust spread (1.48 x median) of the inliers' distance from the fit."""

    @property
    def inlier_share(self) -> float:
        """Share of the vectors that the fit explains."""
        return float(self.inliers.mean())

    def predict(self, before: Vectors) -> Vectors:
        """Where the camera alone takes these positions."""
        return self.a * before + self.b


@dataclass(frozen=True)
class Rates:
    """A fit as speeds. Signs as in table `signals`: a camera turning right or up is positive, growing content is
    positive, content turning clockwise is positive.
    """

    pan: float
    """Frame widths per second."""
    tilt: float
    """Frame heights per second."""
    zoom: float
    """Relative growth per second (natural logarithm of the scale)."""
    roll: float
    """Degrees per second."""


def fit_similarity(before: Vectors, now: Vectors, tolerance_px: float) -> Fit | None:
    """The dominating similarity of matched positions (each [n], centred pixels).

    A vector is explained within `tolerance_px` plus 5% of its length. None when there are fewer than 8 vectors or
    they all lie in one place.
    """
    n = len(before)
    if n < 8 or float(np.ptp(before.real) + np.ptp(before.imag)) < 4 * tolerance_px:
        return None
    allowed = tolerance_px + 0.05 * np.abs(now - before)
    a, b = _best_hypothesis(before, now, allowed)
    error = np.abs(now - a * before - b)
    inliers = error <= allowed
    for _ in range(_ROUNDS):
        if np.count_nonzero(inliers) < 4:
            return None
        scale = max(_spread(error[inliers]), 0.02)
        weights = np.maximum(0.0, 1.0 - (error / (_BIWEIGHT * scale)) ** 2) ** 2 * inliers
        a, b = _least_squares(before, now, weights)
        error = np.abs(now - a * before - b)
        inliers = error <= allowed
    return Fit(a, b, inliers, _spread(error[inliers]) if inliers.any() else 0.0)


def _spread(distances: np.ndarray[Any, Any]) -> float:
    """1.48 x the (upper) median."""
    middle = len(distances) // 2
    return 1.4826 * float(np.partition(distances, middle)[middle])


@lru_cache(maxsize=2048)
def _draws(n: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Fixed draws among n vectors: int [draws] and int [draws, 4]."""
    rng = np.random.default_rng(7)
    return rng.integers(n, size=_DRAWS), rng.integers(n, size=(_DRAWS, 4))


def _best_hypothesis(before: Vectors, now: Vectors, allowed: np.ndarray[Any, Any]) -> tuple[complex, complex]:
    """Each hypothesis goes through two vectors at least a fifth of the picture apart, where that can be had."""
    n = len(before)
    first, others = _draws(n)
    apart = np.abs(before[others] - before[first][:, None])
    second = others[np.arange(_DRAWS), apart.argmax(axis=1)]
    span = before[second] - before[first]
    usable = np.abs(span) > 1e-6
    a = np.where(usable, (now[second] - now[first]) / np.where(usable, span, 1), 1.0)
    b = now[first] - a * before[first]
    step = -(-n // _SCORED)
    z, w, allow = before[::step], now[::step], allowed[::step]
    weight = 1 / (_STRICTNESS * allow)
    error = (a[:, None] * z + (b[:, None] - w)) * weight
    squares = error.real * error.real
    squares += error.imag * error.imag
    support = -np.minimum(squares, 1.0).sum(axis=1)
    best = int(support.argmax())
    return complex(a[best]), complex(b[best])


def _least_squares(before: Vectors, now: Vectors, weights: np.ndarray[Any, Any]) -> tuple[complex, complex]:
    total = weights.sum()
    z0, w0 = (weights * before).sum() / total, (weights * now).sum() / total
    z, w = before - z0, now - w0
    spread = float((weights * np.abs(z) ** 2).sum())
    a = complex((weights * np.conj(z) * w).sum() / spread) if spread > 1e-9 else 1.0 + 0j
    return a, complex(w0 - a * z0)


def rates(fit: Fit, width: int, height: int, seconds: float) -> Rates:
    """Speeds of a fit over `seconds` in a picture of `width` x `height` pixels."""
    # the shift is taken halfway between the frames, so that it is the centre's path whatever the zoom is
    shift = fit.b / ((1 + fit.a) / 2)
    return Rates(
        pan=-shift.real / width / seconds,
        tilt=shift.imag / height / seconds,
        zoom=log(max(abs(fit.a), 1e-6)) / seconds,
        roll=degrees(atan2(fit.a.imag, fit.a.real)) / seconds,
    )


def name_motion(found: Rates, aspect: float, static_below: float, dominance: float = 2.0) -> str:
    """The camera's motion in a word, as in column `camera` of table `signals`.

    Each part is weighed by how far it moves a typical pixel (frame widths per second; `aspect` is width / height).
    `static` when all parts together stay below `static_below`; `mixed` when the largest is not `dominance` times the
    next. Names say what the camera does: `roll_cw` is a camera turning clockwise, so its content turns
    counter-clockwise.
    """
    parts = {
        ("pan_left", "pan_right"): found.pan,
        ("tilt_down", "tilt_up"): found.tilt / aspect,
        ("zoom_out", "zoom_in"): found.zoom * _RADIUS,
        ("roll_cw", "roll_ccw"): found.roll / 57.29578 * _RADIUS,
    }
    if hypot(*parts.values()) < static_below:
        return "static"
    (names, largest), (_, second), *_ = sorted(parts.items(), key=lambda part: -abs(part[1]))
    if abs(largest) < dominance * abs(second):
        return "mixed"
    return names[largest > 0]
