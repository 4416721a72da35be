"""A walk as a graph of places, and questions that need it: turns on the way, landmarks, places come back to, shortest ways.

After Mem4Nav's sparse octree and topology graph: the pictures are the waypoints of a clip's walk, the graph is made again from
the cited cameras whenever a sample is checked (`schemas/nav_graph.py`, `asks/walks.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pydantic import Field

from ...schemas.space import Space
from ...schemas.span import Span
from ..asks.ask import Kind
from ..asks.view import View
from ..asks.walks import NearestLandmark, Revisit, ShortestWay, TurnSequence, Walked, WalkKind, WalkRule
from .common import RowDict, Withheld
from .space_task import SpaceParams, SpaceTask


class Params(SpaceParams):
    """Parameters of spatial_graph_memory."""

    rule: WalkRule = Field(WalkRule(), description="How a walk becomes a graph, and when there is one answer.")
    waypoints: tuple[int, int] = Field(
        (4, 20), description="Fewest and most pictures; a longer walk is cut after the last of them."
    )


class SpatialGraphMemory(SpaceTask[Params]):
    """Samples from the rows of one space."""

    name = "spatial_graph_memory"
    version = 1
    Params = Params

    def kinds(self) -> Sequence[Kind]:
        """Four questions."""
        return tuple(kind(self.params.rule) for kind in (TurnSequence, NearestLandmark, Revisit, ShortestWay))

    def views(
        self, kind: Kind, space: Space, media: RowDict, clips: Sequence[RowDict]
    ) -> Iterator[tuple[View, list[RowDict]]]:
        """Each kept clip as the pictures of its waypoints."""
        assert isinstance(kind, WalkKind)
        least, most = self.params.waypoints
        for view, clip in super().views(kind, space, media, clips):
            whole = replace(view, stills=())
            try:
                found = Walked(whole, self.params.rule).graph.waypoints
                while len(found) > most:
                    end = min(found[most - 1].t_s + 0.02, whole.window.end_s)
                    whole = replace(whole, window=Span(whole.window.start_s, end).quantised())
                    found = Walked(whole, self.params.rule).graph.waypoints
            except Withheld:
                continue
            if len(found) >= least:
                yield replace(whole, stills=tuple(w.t_s for w in found)), clip


ANNOTATOR = SpatialGraphMemory
