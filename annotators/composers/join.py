"""Pseudo-untrimmed videos: clips with similar descriptions, each at its own speed if wanted, in random order, one after another.

The method is that of AVicuna (PU-VALOR): captions are clustered, several clips of one cluster are drawn, scaled in time and joined,
so that every clip is an event whose span follows by addition. Here picture and sound are scaled together (the published loader
scales pictures alone, which shifts sound against them). Without descriptions shots or windows of the same medium are taken, and the
cluster is the medium.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from ...engine.annotator import Params as BaseParams
from ...engine.composing import ComposeError, Draft, Material, MediaComposer
from ...engine.composing_graph import by_split, disjoint, graph_draft, shape_of, source_of
from ...engine.composing_parts import Part, Units, parts_of, plain
from ...schemas.edit_carry import CarryRules
from ...schemas.edit_carry import parts_of as joined_parts
from ...schemas.edit_graph import Graph
from ...schemas.edit_operations import join, speed, take
from ...schemas.edit_pieces import seconds
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.reversible import after_edit

_GROUPS_PER_POOL = 4
_TRIES = 8
"""Draws per wanted video before its cluster counts as used up."""


class Params(BaseParams):
    """Parameters of join."""

    videos: int = Field(20, ge=1, description="Videos to make, at most: fewer where the material does not give more.")
    clips: tuple[int, int] = Field((3, 6), description="Fewest and most clips per video.")
    length_s: tuple[float, float] = Field((1.0, 20.0), description="Shortest and longest clip, seconds of its source.")
    units: Units = Field(
        "auto",
        description="What a clip is: described (an event or caption), clips, shots or windows; auto takes the first that there is.",
    )
    clusters: int | None = Field(
        None, ge=1, description="Clusters of similar descriptions; default: one per 4 times the most clips per video."
    )
    pools: int = Field(
        5,
        ge=1,
        description="Disjoint parts of the material that videos are made of, at most, if it has enough groups of footage, so that "
        "videos can stand in different splits.",
    )
    scales: tuple[float, ...] = Field(
        (1.0,),
        min_length=1,
        description="Factors of length, one drawn per clip: 1.2 lasts a fifth longer. Sound is scaled too.",
    )
    keep_pitch: bool = Field(True, description="Whether scaled sound keeps its pitch.")
    distinct: bool = Field(True, description="Whether no two clips of a video have the same description.")
    event_share: float = Field(
        0.8, gt=0, le=1, description="Least share of an event that must be left for it to be told; less is left untold."
    )
    max_side_px: int = Field(640, ge=32, description="Longest side of the picture, pixels; never enlarged.")
    fps: float | None = Field(
        None, gt=0, le=120, description="Frames per second; default: the most frequent of the material."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Params:
        if not 2 <= self.clips[0] <= self.clips[1]:
            raise ValueError(f"clips {list(self.clips)}: fewest and most, at least 2")
        if not 0 < self.length_s[0] <= self.length_s[1]:
            raise ValueError(f"length_s {list(self.length_s)}: shortest and longest, above 0")
        if any(not 0.25 <= s <= 4 for s in self.scales):
            raise ValueError(f"scales {list(self.scales)} lie between 0.25 and 4")
        return self


class Join(MediaComposer[Params]):
    """Joins clips of one cluster into videos. The clips' own descriptions, words, tracks ... are carried over."""

    name: ClassVar[str] = "join"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params

    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """Up to `videos` drafts, cluster after cluster in turn. Raises `ComposeError` when no cluster has enough clips."""
        p = self.params
        pools: list[tuple[int, list[Part]]] = []
        for split, media in by_split(material):
            for number, part in enumerate(disjoint(media, p.pools, _GROUPS_PER_POOL, self.name, seed)):
                parts = parts_of(part, p.length_s, p.units)
                for pool in clusters_of(parts, p.clusters, p.clips[1], derive_id(seed, split, number)):
                    if len(pool) >= p.clips[0]:
                        pools.append((len(pools), pool))
        if not pools:
            raise ComposeError(
                f"join needs {p.clips[0]} clips of {p.length_s[0]:g} to {p.length_s[1]:g} s with similar descriptions; the "
                f"{len(material)} media of the material do not have them: allow other lengths, fewer clips or fewer clusters"
            )
        return self._drafts(pools, seed)

    def _drafts(self, pools: list[tuple[int, list[Part]]], seed: int) -> Iterator[Draft]:
        made: set[str] = set()
        empty: set[int] = set()
        turn = 0
        while len(made) < self.params.videos and len(empty) < len(pools):
            number, pool = pools[turn % len(pools)]
            turn += 1
            if number in empty:
                continue
            drafts = (self._draft(pool, number, (seed, turn, again)) for again in range(_TRIES))
            draft = next((d for d in drafts if d is not None and d.digest not in made), None)
            if draft is None:
                empty.add(number)
                continue
            made.add(draft.digest)
            yield draft

    def _draft(self, pool: list[Part], cluster: int, key: tuple[int, ...]) -> Draft | None:
        p = self.params
        wanted = p.clips[0] + int(seeded_fraction("join count", *key) * (p.clips[1] - p.clips[0] + 1))
        chosen: list[Part] = []
        for part in sorted(pool, key=lambda q: seeded_fraction("join", *key, *q.key)):
            same = p.distinct and part.text is not None and any(plain(part.text) == plain(c.text or "") for c in chosen)
            if not same and not any(part.overlaps(c) for c in chosen):
                chosen.append(part)
            if len(chosen) == wanted:
                break
        if len(chosen) < p.clips[0]:
            return None
        fps, size = shape_of([c.material for c in chosen], p.max_side_px, p.fps)
        graphs, scales = [], []
        for place, part in enumerate(chosen):
            graph, scale = self._scaled(part, fps, size, (*key, place))
            graphs.append(graph)
            scales.append(scale)
        graph = join(graphs)
        return graph_draft(
            f"{self.name}@{self.version}",
            graph,
            list({c.material.media_id: c.material for c in chosen}.values()),
            rows={table: _events(graph, chosen, table) for table in ("captions", "events")},
            rules=CarryRules(event_share=p.event_share),
            parameters={
                "cluster": cluster,
                "sub_videos": [
                    {"media_id": c.material.media_id, "start_s": c.span.start_s, "end_s": c.span.end_s, "text": c.text}
                    for c in chosen
                ],
                "scales": scales,
                "keep_pitch": p.keep_pitch,
                "ends_s": [seconds(end) for _, end, _ in joined_parts(graph)],
            },
        )

    def _scaled(self, part: Part, fps: Fraction, size: tuple[int, int], key: tuple[int, ...]) -> tuple[Graph, float]:
        """The clip at a drawn scale; at its own pace where its description speaks of pace."""
        p = self.params
        graph = take(source_of(part.material), fps, size, part.span.start_s, part.span.end_s)
        scale = p.scales[int(seeded_fraction("join scale", *key) * len(p.scales))]
        if scale == 1 or (part.text is not None and after_edit(part.text, rate=1 / scale) is None):
            return graph, 1.0
        return speed(graph, 1 / Fraction(scale).limit_denominator(1000), keep_pitch=p.keep_pitch), scale


def clusters_of(parts: Sequence[Part], clusters: int | None, most: int, seed: str) -> list[list[Part]]:
    """Described parts in clusters of similar sentences (TF-IDF, k-means), the others by medium; in order of their first part."""
    told = [p for p in parts if p.text]
    found: dict[Any, list[Part]] = {}
    for part in parts:
        if not part.text:
            found.setdefault(part.material.media_id, []).append(part)
    if told:
        for part, label in zip(
            told, _labels([str(p.text) for p in told], clusters or max(1, len(told) // (4 * most)), seed), strict=True
        ):
            found.setdefault(label, []).append(part)
    return sorted(found.values(), key=lambda pool: pool[0].key)


def _labels(texts: list[str], clusters: int, seed: str) -> list[int]:
    unique = sorted(set(texts))
    clusters = min(clusters, len(unique))
    if clusters <= 1:
        return [0] * len(texts)
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer
    from threadpoolctl import threadpool_limits

    vectors = np.round(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit_transform(unique).toarray(), 9)
    means = KMeans(clusters, n_init=4, random_state=int(derive_id("join clusters", seed)[:7], 16))
    with threadpool_limits(1):  # sums of several threads would be added in another order each time
        means.fit(vectors)
    by_text = dict(zip(unique, (int(label) for label in means.labels_), strict=True))
    return [by_text[text] for text in texts]


def _events(graph: Graph, chosen: Sequence[Part], table: str) -> list[dict[str, Any]]:
    """Every described clip is an event, in the table that its description stands in."""
    kind = {"level": "event", "model": "composer"} if table == "captions" else {"kind": "event"}
    return [
        {"start_s": seconds(begin), "end_s": seconds(end), "text": part.text, **kind}
        for (begin, end, _), part in zip(joined_parts(graph), chosen, strict=True)
        if part.text and part.table == table
    ]


COMPOSER = Join
