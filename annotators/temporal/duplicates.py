"""Near duplicates: clips of different media that show the same footage, re-encoded, scaled or slightly
trimmed.

Clips match when most of their pictures, taken at the same time from the start, have nearly equal
perceptual hashes; dark and even pictures say nothing and are left out. Groups are connected components of
matched pairs, named by their smallest clip, so they depend on the set of clips alone. Limits: mirrored,
reversed or cropped copies are not found, and a copy cut at another place only through embeddings
(`min_cosine`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...engine.annotator import Grain as GrainName
from ...engine.annotator import Params, Row, Rows, Unit, UnitAnnotator
from .duplicate_pairs import ClipPrint, hash_candidates, hash_distance, vector_candidates
from .union import Components

Vector = NDArray[np.float64]


class DuplicatesParams(Params):
    """Parameters of `duplicates`."""

    max_bits: int = Field(default=8, ge=0, le=20, description="bits of 64 by which equal pictures' hashes may differ")
    min_share: float = Field(
        default=0.75, gt=0, le=1, description="share of pictures that must be equal for two clips to match"
    )
    min_contrast: float = Field(
        default=6.0, ge=0, description="pictures with less contrast (standard deviation of luma) are not compared"
    )
    min_cosine: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="clips also match when their mean embeddings are at least this similar (0.97 "
        "suits ViT-B-32); "
        "null: embeddings are not read",
    )
    within_medium: bool = Field(
        default=False, description="also compare clips of one medium (static footage then becomes one group)"
    )


class Duplicates(UnitAnnotator[DuplicatesParams]):
    """Writes `duplicates`: one row per clip of the corpus."""

    name: ClassVar[str] = "duplicates"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = DuplicatesParams
    reads: ClassVar[tuple[str, ...]] = ("clips", "signals", "embeddings")
    writes: ClassVar[tuple[str, ...]] = ("duplicates",)
    grain: ClassVar[GrainName] = "corpus"
    light: ClassVar[bool] = True

    def dynamic_reads(self) -> tuple[str, ...]:
        """Embeddings are read when `min_cosine` is given."""
        return self.reads if self.params.min_cosine is not None else ("clips", "signals")

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A row for every clip; one that matches no other is a group of its own."""
        p = self.params
        clips = list({str(c["clip_id"]): c for c in sorted(rows["clips"], key=_clip_key)}.values())
        distances = dict(self._by_hash(clips, rows["signals"]))
        if p.min_cosine is not None:
            for pair, distance in self._by_vector(clips, rows["embeddings"], p.min_cosine):
                distances[pair] = min(distance, distances.get(pair, distance))
        groups = Components(str(c["clip_id"]) for c in clips)
        nearest: dict[str, float] = {}
        for (i, k), distance in sorted(distances.items()):
            for a in (i, k):
                clip_id = str(clips[a]["clip_id"])
                nearest[clip_id] = min(distance, nearest.get(clip_id, distance))
            groups.join(str(clips[i]["clip_id"]), str(clips[k]["clip_id"]))
        sizes = groups.sizes()
        for clip in clips:
            clip_id = str(clip["clip_id"])
            group = groups.name(clip_id)
            yield (
                "duplicates",
                {
                    "clip_id": clip_id,
                    "media_id": clip["media_id"],
                    "duplicate_group": group,
                    "members": sizes[group],
                    "is_duplicate": group != clip_id,
                    "distance": round(nearest[clip_id], 6) if clip_id in nearest else None,
                },
            )

    def _by_hash(
        self, clips: Sequence[Mapping[str, Any]], signals: Iterable[Mapping[str, Any]]
    ) -> Iterator[tuple[tuple[int, int], float]]:
        p = self.params
        seen: dict[str, dict[float, int]] = defaultdict(dict)
        for row in sorted(signals, key=lambda s: (str(s["media_id"]), s["t_s"], str(s.get("producer")))):
            dull = row["black"] or row["phash"] is None or (row["contrast"] or 0.0) < p.min_contrast
            if not dull:
                seen[str(row["media_id"])].setdefault(row["t_s"], row["phash"])
        arrays = {
            media_id: (np.array(list(times)), np.array(list(times.values()), np.int64).view(np.uint64))
            for media_id, times in seen.items()
        }
        nothing = (np.zeros(0), np.zeros(0, np.uint64))
        prints = [_print(clip, *arrays.get(str(clip["media_id"]), nothing)) for clip in clips]
        for i, k in hash_candidates(prints):
            if self._comparable(clips[i], clips[k]):
                distance = hash_distance(prints[i], prints[k], p.max_bits, p.min_share)
                if distance is not None:
                    yield (i, k), distance

    def _by_vector(
        self, clips: Sequence[Mapping[str, Any]], embeddings: Iterable[Mapping[str, Any]], min_cosine: float
    ) -> Iterator[tuple[tuple[int, int], float]]:
        by_model: dict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for row in sorted(embeddings, key=lambda e: (str(e["media_id"]), e["t_s"])):
            by_model[str(row["model"])][str(row["media_id"])].append(row)
        for model in sorted(by_model):
            means = [_mean_vector(clip, by_model[model].get(str(clip["media_id"]), ())) for clip in clips]
            known = [i for i, mean in enumerate(means) if mean is not None]
            vectors = np.array([mean for mean in means if mean is not None])
            for a, b in vector_candidates(vectors) if known else ():
                cosine = float(vectors[a] @ vectors[b])
                if cosine >= min_cosine and self._comparable(clips[known[a]], clips[known[b]]):
                    yield (known[a], known[b]), max(0.0, 1 - cosine)

    def _comparable(self, a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
        if a["media_id"] != b["media_id"]:
            return True
        return self.params.within_medium and (a["end_s"] <= b["start_s"] or b["end_s"] <= a["start_s"])


def _clip_key(clip: Mapping[str, Any]) -> tuple[str, str]:
    return str(clip["clip_id"]), str(clip.get("producer"))


def _print(clip: Mapping[str, Any], times: Vector, hashes: NDArray[np.uint64]) -> ClipPrint:
    first, last = np.searchsorted(times, [clip["start_s"], clip["end_s"]])
    length_s = float(clip["end_s"] - clip["start_s"])
    offsets = times[first:last] - clip["start_s"]
    return ClipPrint(str(clip["clip_id"]), str(clip["media_id"]), length_s, offsets, hashes[first:last])


def _mean_vector(clip: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Vector | None:
    """Mean of the vectors that stand during a clip, weighted by how long they do, scaled to length 1."""
    total: Vector | None = None
    for row in rows:
        weight = min(row["until_s"], clip["end_s"]) - max(row["t_s"], clip["start_s"])
        if weight > 0:
            part = weight * np.asarray(row["vector"], np.float64)
            total = part if total is None else total + part
    if total is None or not np.any(total):
        return None
    return np.asarray(total / np.sqrt(total @ total))


ANNOTATOR = Duplicates
