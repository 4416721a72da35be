"""Fitting a calibration from proposals and the truth: first the curve of each localiser, then the fused events.

Every description of the truth may happen several times in a medium; a proposal or event is right when it matches one of them.
All events are fused without any rule that drops them, so that the probability is learned from bad ones as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...schemas.span import Span, tiou
from .calibration import Calibration, ScoreCurve, features_of, fit, fit_curve
from .fusion import Fused, FusionRules, Setting, fuse
from .proposals import Candidate

HIT_TIOU = 0.5
LEAST_PROPOSALS = 10


@dataclass(frozen=True)
class Known:
    """A description of one medium with all spans at which it is true, and what localisers proposed for it."""

    media_id: str
    text: str
    truth: tuple[Span, ...]
    candidates: tuple[Candidate, ...]
    setting: Setting

    def is_hit(self, span: Span, least: float = HIT_TIOU) -> bool:
        """Whether a span matches one of the true ones."""
        return any(tiou(span, true) >= least for true in self.truth)


def calibrate(name: str, known: Sequence[Known], rules: FusionRules, hit_tiou: float = HIT_TIOU) -> Calibration:
    """Fit curves and probability. Raises ValueError when there is too little truth."""
    curves = curves_of(known, hit_tiou)
    first = Calibration(
        name=name, hit_tiou=hit_tiou, events=0, media=0, right=0, curves=curves, features=(), mean=(), scale=(),
        weights=(), bias=0.0, reliability=(), ece=0.0, brier=0.0,
    )  # fmt: skip
    features: list[Mapping[str, float]] = []
    hits: list[bool] = []
    groups: list[str] = []
    for one in known:
        for event in fuse(one.text, one.candidates, one.setting, lenient(rules), first.weigh):
            if isinstance(event, Fused):
                features.append(features_of(event, one.setting.duration_s, first))
                hits.append(one.is_hit(event.span, hit_tiou))
                groups.append(one.media_id)
    return fit(name, features, hits, groups, curves=curves, hit_tiou=hit_tiou, rules=rules.model_dump(mode="json"))


def curves_of(known: Sequence[Known], hit_tiou: float = HIT_TIOU) -> dict[str, ScoreCurve]:
    """The curve of each localiser with at least ten proposals."""
    scores: dict[str, list[float]] = {}
    hits: dict[str, list[bool]] = {}
    for one in known:
        for c in one.candidates:
            scores.setdefault(c.localiser, []).append(c.score)
            hits.setdefault(c.localiser, []).append(one.is_hit(c.span, hit_tiou))
    return {n: fit_curve(scores[n], hits[n]) for n in sorted(scores) if len(scores[n]) >= LEAST_PROPOSALS}


def lenient(rules: FusionRules) -> FusionRules:
    """The rules without those that drop a description: one span for whatever was proposed."""
    free = {"margin": 0.0, "min_localisers": 1, "min_score": 0.0, "per_query": 1, "max_share": 1.0, "min_length_s": 0.0}
    return rules.model_copy(update=free)
