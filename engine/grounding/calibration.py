"""Calibration: how likely a fused event is right (tIoU with the truth of at least 0.5), learned from events with known truth.

Two steps. A monotone curve per localiser turns its scores into the probability that a proposal is right, so that scores of
different localisers compare. A logistic regression over features of the fused event gives the probability of the event. Both
are stored with the set that they were fitted on, its size, and a reliability table measured on media that were held out in
turn. It speaks only about localisers that it has seen, and about footage like that of its set.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...schemas.ids import derive_id
from ...schemas.metrics import wilson_interval
from .fusion import Fused
from .proposals import FAMILIES, Candidate

CARRIED = Path(__file__).parent / "calibrations"
BINS = 10


class ScoreCurve(BaseModel):
    """Probability by score, piecewise linear and never falling."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scores: tuple[float, ...]
    p: tuple[float, ...]
    count: int

    def __call__(self, score: float) -> float:
        return float(np.interp(score, self.scores, self.p))


class Bin(BaseModel):
    """A row of the reliability table: events with a probability in [low, high), and how many of them are right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float
    count: int
    mean_p: float
    right: float


class Calibration(BaseModel):
    """What was fitted, and on what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str = "chronotope-calibration/1"
    name: str = Field(description="Name of the calibration set.")
    hit_tiou: float = Field(description="tIoU with the truth from which an event is right.")
    events: int
    media: int
    right: int
    curves: dict[str, ScoreCurve] = Field(description="By localiser.")
    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    most: float = Field(
        1.0,
        description="Greatest probability told: what the set supports at 95%, from its surest events on held-out media.",
    )
    reliability: tuple[Bin, ...] = Field(description="On media held out in turn.")
    ece: float = Field(description="Expected calibration error on media held out in turn.")
    brier: float = Field(description="Mean squared error of the probability, there.")
    rules: dict[str, Any] = Field(default_factory=dict, description="Rules of the fusion that it was fitted with.")

    @property
    def digest(self) -> str:
        """Identifies the fitted numbers and the set."""
        return derive_id("calibration", self.model_dump(mode="json"))

    @property
    def title(self) -> str:
        """As it is written beside each probability: name and digest."""
        return f"{self.name}@{self.digest[:12]}"

    def weigh(self, candidate: Candidate) -> float:
        """Probability that a proposal is right; its score where the localiser was never seen."""
        curve = self.curves.get(candidate.localiser)
        return curve(candidate.score) if curve else candidate.score

    def p(self, features: Mapping[str, float]) -> float:
        """Probability that an event with these features is right, 0..1."""
        x = np.array([features.get(name, 0.0) for name in self.features])
        z = float(((x - np.array(self.mean)) / np.array(self.scale)) @ np.array(self.weights)) + self.bias
        return round(min(self.most, 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))), 6)

    def p_of(self, event: Fused, duration_s: float) -> float | None:
        """Probability of a fused event; None where its boundaries are of a localiser that was never seen."""
        return self.p(features_of(event, duration_s, self)) if event.best.localiser in self.curves else None

    def to_json(self) -> str:
        """Stable text: the same calibration gives the same bytes."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Raises ValueError for a file that is none."""
        found = cls.model_validate_json(text)
        if found.format != "chronotope-calibration/1":
            raise ValueError(f"format {found.format!r} is not chronotope-calibration/1; fit it again")
        return found


def features_of(event: Fused, duration_s: float, calibration: Calibration | None = None) -> dict[str, float]:
    """What the probability is told from: strength, lead, agreement, length, and who is in it with which weight."""

    def weigh(c: Candidate) -> float:
        return calibration.weigh(c) if calibration else c.score

    best = event.best
    found = {
        "strength": event.strength,
        "margin": event.margin,
        "best": weigh(best),
        "families": float(len(event.families)),
        "members": float(len(event.members)),
        "spoke": float(len(event.spoke)),
        "pair_tiou": event.pair_tiou,
        "log_length": math.log(max(event.span.length_s, 0.05)),
        "share": event.span.length_s / max(duration_s, 1e-6),
    }
    for family in FAMILIES:
        found[f"best_{family}"] = float(best.family == family)
    return found


def fit_curve(scores: Sequence[float], hits: Sequence[bool]) -> ScoreCurve:
    """Isotonic regression with two prior observations, one right and one wrong, at both ends: few data never say certain."""
    from sklearn.isotonic import IsotonicRegression

    x = np.array([*scores, 0.0, 1.0, 0.0, 1.0], float)
    y = np.array([*hits, 0.0, 0.0, 1.0, 1.0], float)
    weight = np.array([1.0] * len(scores) + [1.0, 0.5, 0.25, 1.0])
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(x, y, sample_weight=weight)
    xs = [round(float(v), 6) for v in fitted.X_thresholds_]
    ps = [round(float(v), 6) for v in fitted.y_thresholds_]
    return ScoreCurve(scores=tuple(xs), p=tuple(ps), count=len(scores))


def fit(
    name: str,
    features: Sequence[Mapping[str, float]],
    hits: Sequence[bool],
    groups: Sequence[str],
    *,
    curves: Mapping[str, ScoreCurve] | None = None,
    hit_tiou: float = 0.5,
    rules: Mapping[str, Any] | None = None,
) -> Calibration:
    """Fit the probability of events. `groups` are media_ids: reliability is measured on media that the fit has not seen.

    Raises ValueError with fewer than 20 events, or when all or none of them are right.
    """
    if len(features) < 20 or len(set(hits)) < 2:
        raise ValueError(
            f"{len(features)} events with {sum(hits)} right are too few to calibrate on: at least 20, right and wrong ones"
        )
    names = tuple(sorted({n for f in features for n in f}))
    x = np.array([[f.get(n, 0.0) for n in names] for f in features])
    y = np.array(hits, float)
    media = sorted(set(groups))
    out = np.full(len(y), float(y.mean()))
    folds = min(5, len(media))
    for fold in range(folds if folds > 1 else 0):
        held = np.array([media.index(g) % folds == fold for g in groups])
        if 0 < y[~held].sum() < (~held).sum():
            out[held] = _predict(x[held], *_logistic(x[~held], y[~held]))
    mean, scale, weights, bias = _logistic(x, y)
    surest = out >= np.quantile(out, 0.5)
    most = wilson_interval(float(y[surest].sum()), float(surest.sum()))[0]
    out = np.minimum(out, most)
    bins, ece = reliability(out.tolist(), list(hits))
    return Calibration(
        name=name, hit_tiou=hit_tiou, events=len(y), media=len(media), right=int(y.sum()), curves=dict(curves or {}),
        features=names, mean=_rounded(mean), scale=_rounded(scale), weights=_rounded(weights), bias=round(bias, 6), most=round(most, 6),
        reliability=bins, ece=ece, brier=round(float(np.mean((out - y) ** 2)), 6), rules=dict(rules or {}),
    )  # fmt: skip


def reliability(p: Sequence[float], hits: Sequence[bool], bins: int = BINS) -> tuple[tuple[Bin, ...], float]:
    """The reliability table (bins without events left out) and the expected calibration error: the mean gap between
    probability and share of right ones, weighted by the events of a bin.
    """
    found, gap = [], 0.0
    for i in range(bins):
        low, high = i / bins, (i + 1) / bins
        own = [(q, h) for q, h in zip(p, hits, strict=True) if low <= q < high or (i == bins - 1 and q == 1.0)]
        if own:
            mean_p, right = math.fsum(q for q, _ in own) / len(own), sum(h for _, h in own) / len(own)
            gap += len(own) * abs(mean_p - right)
            found.append(Bin(low=low, high=high, count=len(own), mean_p=round(mean_p, 6), right=round(right, 6)))
    return tuple(found), round(gap / max(1, len(p)), 6)


def _logistic(x: Any, y: Any) -> tuple[Any, Any, Any, float]:
    from sklearn.linear_model import LogisticRegression

    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale < 1e-9, 1.0, scale)
    fitted = LogisticRegression(C=0.3, max_iter=1000).fit((x - mean) / scale, y > 0.5)
    return mean, scale, fitted.coef_[0], float(fitted.intercept_[0])


def _predict(x: Any, mean: Any, scale: Any, weights: Any, bias: float) -> Any:
    return 1 / (1 + np.exp(-(((x - mean) / scale) @ weights + bias)))


def _rounded(values: Any) -> tuple[float, ...]:
    return tuple(round(float(v), 6) for v in values)
