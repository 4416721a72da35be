"""Fusion: from what several localisers propose for one description to the one span that they agree on, or to why there is none.

A seed proposal collects the best proposal of every other localiser that agrees with it (tIoU). The strength of such a cluster is
the mean score of its members over all localisers that proposed anything for the description: who disagrees weighs against it.
The strongest cluster is kept when two families agree, or when it leads clearly; its boundaries are those of its best member, or
the weighted mean of the agreeing pair, moved to edges of shots or words nearby. Every rule that drops a description has a name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import fsum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.matching import alike_descriptions
from ...schemas.metrics import normalise_words
from ...schemas.span import Span, from_us, span_or_none, tiou, to_us
from .proposals import Candidate, Family

Edge = Literal["shot", "word"]


class FusionRules(BaseModel):
    """When proposals become an event. Defaults are the rules of the InternVid-TG recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agree_tiou: float = Field(0.5, gt=0, le=1, description="tIoU from which two proposals agree.")
    min_families: int = Field(
        2, ge=1, description="Families that must agree for a description to be kept by agreement."
    )
    margin: float | None = Field(
        0.1,
        ge=0,
        description="Lead over the strongest other place from which a description is kept without agreement; null: never.",
    )
    min_localisers: int = Field(1, ge=1, description="Localisers that must have proposed something for a description.")
    min_score: float = Field(0.3, ge=0, le=1, description="Least score of the proposal whose boundaries are taken.")
    per_query: int = Field(
        1, ge=1, description="Spans per description at most; more than one where something happens several times."
    )
    max_share: float = Field(0.9, gt=0, le=1, description="Longer spans, as a share of the medium, are dropped.")
    min_length_s: float = Field(1.0, ge=0, description="Shorter spans are dropped.")
    same_text: float = Field(0.9, ge=0, le=1, description="Likeness of texts above which two events may be the same.")
    same_tiou: float = Field(0.7, gt=0, le=1, description="And the tIoU above which they are: the weaker is dropped.")
    boundaries: Literal["best", "weighted"] = Field(
        "best", description="Boundaries of the best member, or the score-weighted mean of the best agreeing pair."
    )
    snap_s: float = Field(0.5, ge=0, description="How far a boundary is moved to an edge.")
    snap_to: Mapping[Family, Edge] = Field(
        {"pixels": "shot", "captions": "shot", "speech": "word"},
        description="Which edges boundaries of a family are moved to; families that are not named keep theirs.",
    )


@dataclass(frozen=True)
class Setting:
    """What fusion knows of a medium: its length and the edges that boundaries may be moved to, sorted."""

    duration_s: float
    shot_edges_s: tuple[float, ...] = ()
    word_edges_s: tuple[float, ...] = ()


@dataclass(frozen=True)
class Fused:
    """A description with its span. `members` are the agreeing proposals, best first."""

    text: str
    span: Span
    members: tuple[Candidate, ...]
    strength: float
    margin: float
    pair_tiou: float
    """Greatest tIoU of two members of different families; 0 without."""
    spoke: tuple[str, ...]
    """Localisers that proposed anything for the description, sorted."""
    snapped: str = "none"

    @property
    def families(self) -> tuple[str, ...]:
        """Families that agree, sorted."""
        return tuple(sorted({m.family for m in self.members}))

    @property
    def best(self) -> Candidate:
        """The member whose boundaries were taken."""
        return self.members[0]


@dataclass(frozen=True)
class Dropped:
    """A description without a span, and why."""

    text: str
    rule: str
    detail: str


Weigh = Callable[[Candidate], float]
"""How much a proposal counts, 0..1: its own score, or the calibrated probability that it is right."""


def fuse(
    text: str,
    candidates: Sequence[Candidate],
    setting: Setting,
    rules: FusionRules,
    weigh: Weigh = lambda c: c.score,
) -> list[Fused | Dropped]:
    """The spans of one description (at most `per_query`), or the one rule that drops it."""
    spoke = tuple(sorted({c.localiser for c in candidates}))
    if len(spoke) < rules.min_localisers:
        return [Dropped(text, "few_localisers", f"{len(spoke)} proposed a span, {rules.min_localisers} must")]
    clusters = _apart(_clusters(text, candidates, spoke, rules, weigh), rules)
    kept: list[Fused | Dropped] = []
    for count in range(min(rules.per_query, len(clusters)), 0, -1):
        follower = clusters[count].strength if count < len(clusters) else 0.0
        chosen = [replace(c, margin=round(c.strength - follower, 6)) for c in clusters[:count]]
        if count == 1 or all(_why_not(c, rules) is None for c in chosen):
            kept = [_finished(c, setting, rules) for c in chosen]
            break
    return kept or [Dropped(text, "nothing_found", "no localiser proposed a span")]


def _clusters(
    text: str, candidates: Sequence[Candidate], spoke: Sequence[str], rules: FusionRules, weigh: Weigh
) -> list[Fused]:
    found = []
    for seed in candidates:
        members = [seed]
        for localiser in spoke:
            near = [c for c in candidates if c.localiser == localiser and tiou(c.span, seed.span) >= rules.agree_tiou]
            if localiser != seed.localiser and near:
                members.append(max(near, key=lambda c: (weigh(c), c.score, tiou(c.span, seed.span), -c.rank)))
        strength = fsum(weigh(m) for m in members) / len(spoke)
        ordered = sorted(members, key=lambda m: (-weigh(m), -m.score, m.localiser, m.rank))
        pairs = [tiou(a.span, b.span) for a, b in combinations(ordered, 2) if a.family != b.family]
        best = ordered[0].span
        found.append(Fused(text, best, tuple(ordered), round(strength, 6), 0.0, max(pairs, default=0.0), tuple(spoke)))
    return sorted(found, key=lambda c: (-c.strength, -len(c.families), -c.best.score, c.span, c.best.localiser))


def _apart(clusters: Sequence[Fused], rules: FusionRules) -> list[Fused]:
    """The strongest clusters, none of which overlaps a stronger one by more than a fifth of the shorter."""
    taken: list[Fused] = []
    for cluster in clusters:
        if all(_common(cluster.span, other.span) <= 0.2 for other in taken):
            taken.append(cluster)
    return taken


def _common(a: Span, b: Span) -> float:
    common = a.intersection(b)
    return common.length_s / min(a.length_s, b.length_s) if common else 0.0


def _why_not(cluster: Fused, rules: FusionRules) -> Dropped | None:
    if cluster.best.score < rules.min_score:
        return Dropped(cluster.text, "low_score", f"best score {cluster.best.score:.2f}, least {rules.min_score:g}")
    agreed = len(cluster.families) >= rules.min_families and (
        rules.min_families < 2 or cluster.pair_tiou >= rules.agree_tiou
    )
    if not agreed and (rules.margin is None or cluster.margin < rules.margin):
        return Dropped(
            cluster.text,
            "no_agreement",
            f"{' and '.join(cluster.families)} agree, {rules.min_families} families must; lead {cluster.margin:.2f}",
        )
    return None


def _finished(cluster: Fused, setting: Setting, rules: FusionRules) -> Fused | Dropped:
    dropped = _why_not(cluster, rules)
    if dropped is not None:
        return dropped
    span, snapped = _snapped(_boundaries(cluster, rules), cluster.best.family, setting, rules)
    if span.length_s < rules.min_length_s:
        return Dropped(cluster.text, "too_short", f"{span.length_s:.3f} s, least {rules.min_length_s:g} s")
    if span.length_s > rules.max_share * setting.duration_s:
        share = span.length_s / setting.duration_s
        return Dropped(cluster.text, "too_long", f"{share:.2f} of the medium, at most {rules.max_share:g}")
    return replace(cluster, span=span, snapped=snapped)


def _boundaries(cluster: Fused, rules: FusionRules) -> Span:
    pairs = [(tiou(a.span, b.span), a, b) for a, b in combinations(cluster.members, 2) if a.family != b.family]
    if rules.boundaries == "best" or not pairs:
        return cluster.best.span
    _, a, b = max(pairs, key=lambda pair: pair[0])
    share = a.score / (a.score + b.score) if a.score + b.score > 0 else 0.5
    start = share * a.span.start_s + (1 - share) * b.span.start_s
    end = share * a.span.end_s + (1 - share) * b.span.end_s
    return span_or_none(from_us(to_us(start)), from_us(to_us(end))) or cluster.best.span


def _snapped(span: Span, family: str, setting: Setting, rules: FusionRules) -> tuple[Span, str]:
    kind = rules.snap_to.get(family)  # type: ignore[call-overload]
    edges = {"shot": setting.shot_edges_s, "word": setting.word_edges_s}.get(kind or "", ())
    start, end = _nearest(span.start_s, edges, rules.snap_s), _nearest(span.end_s, edges, rules.snap_s)
    moved = span_or_none(from_us(to_us(start)), from_us(to_us(end)))
    if kind is None or moved is None or moved == span:
        return span, str(kind) if kind and moved == span and {span.start_s, span.end_s} & set(edges) else "none"
    return moved, kind


def _nearest(t_s: float, edges: Sequence[float], within_s: float) -> float:
    near = min(edges, key=lambda e: (abs(e - t_s), e), default=t_s)
    return near if abs(near - t_s) <= within_s else t_s


@dataclass(frozen=True)
class Outcome:
    """The events of a medium in order of time, and every description that has none, in order of its text."""

    events: tuple[Fused, ...]
    dropped: tuple[Dropped, ...] = field(default=())


def fuse_all(
    queries: Mapping[str, Sequence[Candidate]],
    setting: Setting,
    rules: FusionRules,
    weigh: Weigh = lambda c: c.score,
) -> Outcome:
    """Fuse each description of a medium, then drop the weaker of two events that are the same."""
    found = [one for text in sorted(queries) for one in fuse(text, queries[text], setting, rules, weigh)]
    dropped = [one for one in found if isinstance(one, Dropped)]
    kept: list[Fused] = []
    for one in sorted((f for f in found if isinstance(f, Fused)), key=lambda f: (-f.strength, f.text, f.span)):
        twin = next((k for k in kept if _same(one, k, rules)), None)
        if twin is None:
            kept.append(one)
        else:
            dropped.append(Dropped(one.text, "duplicate", f"the same as {twin.text!r}"))
    ordered = sorted(kept, key=lambda f: (f.span, f.text))
    return Outcome(tuple(ordered), tuple(sorted(dropped, key=lambda d: (d.text, d.rule, d.detail))))


def _same(a: Fused, b: Fused, rules: FusionRules) -> bool:
    if tiou(a.span, b.span) <= rules.same_tiou:
        return False
    return normalise_words(a.text) == normalise_words(b.text) or alike_descriptions(a.text, b.text) > rules.same_text
