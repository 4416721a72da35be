"""What only two views of a space together tell: what hides here, what is nearest over there, which way it is from there.

The three questions of MulSeT: two stills that share some things and look at the space from different places, and a question of
which each of them lacks a part (`asks/two_views.py`). The same questions about one picture that shows everything, or about
footage, are variants, to tell what the second view costs. The hidden region is marked by a box in neutral markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from pydantic import Field

from ...schemas.evenly import evenly
from ...schemas.space import Space
from ...schemas.span import Span
from ..asks.ask import Kind
from ..asks.two_views import AzimuthTransfer, DistanceComparison, OcclusionRestoration, TwoViewsKind, TwoViewsRule
from ..asks.view import View
from .common import RowDict, Withheld, span_of
from .space_task import SpaceParams, SpaceTask


class Params(SpaceParams):
    """Parameters of mulset_multiview."""

    rule: TwoViewsRule = Field(TwoViewsRule(), description="Which pairs of pictures fit, and when there is one answer.")
    looked_at: int = Field(24, ge=2, le=64, description="Pictures of a clip, spread evenly, of which pairs are made.")
    per_kind: int = Field(4, ge=1, description="Samples of a kind and medium, at most.")


class MulsetMultiview(SpaceTask[Params]):
    """Samples from the rows of one space."""

    name = "mulset_multiview"
    version = 1
    Params = Params

    def kinds(self) -> Sequence[Kind]:
        """What hides is asked of two pictures only."""
        rule = self.params.rule
        both = (DistanceComparison(rule), AzimuthTransfer(rule))
        return (OcclusionRestoration(rule), *both) if rule.variant == "two" else both

    def views(
        self, kind: Kind, space: Space, media: RowDict, clips: Sequence[RowDict]
    ) -> Iterator[tuple[View, list[RowDict]]]:
        """Every fitting pair of pictures in both orders, every picture, or the footage of every clip."""
        assert isinstance(kind, TwoViewsKind)
        for clip in clips:
            span = span_of(clip)
            window = Span(span.start_s, min(span.end_s, media["duration_s"])).quantised()
            whole = View(space, window, (), self.params.seen, self.params.clearly)
            if self.params.rule.variant == "video":
                yield whole, [clip]
                continue
            times = evenly([c.t_s for c in whole.cameras()], self.params.looked_at)
            chosen = permutations(times, 2) if self.params.rule.variant == "two" else ((t,) for t in times)
            for stills in chosen:
                view = replace(whole, stills=tuple(stills))
                if self.params.rule.variant == "two":
                    try:
                        kind.pair(view)
                    except Withheld:
                        continue
                yield view, [clip]


ANNOTATOR = MulsetMultiview
