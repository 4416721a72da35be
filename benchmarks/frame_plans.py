"""How many true scenes does each frame policy meet, beside as many uniform frames, and how much of what samples rest on?

`python benchmarks/frame_plans.py ROOT` takes a finished dataset with true shots (composed films) and embeddings or signals. A scene
is met by a policy when a frame that opens one of its segments (or is not merely context) lies in it; evidence is met when any
planned frame lies in the span that a sample's answer names. `--features` says what the policies compare.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chronotope.annotators.temporal.sampling_plans import SamplingPlans, SamplingPlansParams
from chronotope.engine.annotator import Rows, SkipUnit, Unit
from chronotope.engine.catalog import Catalog

POLICIES = ("slow_fast_similarity", "temporal_dynamic_context", "density_cubes", "frame_carrier_stream", "keyframe")
LESSER = ("context", "fast")
"""Roles of frames that a policy shows small or merged."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--features", choices=("embeddings", "signals"), default="embeddings")
    given = parser.parse_args()
    with Catalog(given.root) as catalog:
        media = catalog.rows("SELECT * FROM media WHERE origin = 'composed' AND frames > 0 ORDER BY media_id")
        by_table = {t: _by_medium(catalog, t) for t in ("shots", given.features)}
        spans = _asked(catalog)
    met: dict[str, list[tuple[int, int, int]]] = {}
    covered: dict[str, list[bool]] = {}
    params = SamplingPlansParams(
        plans=(*POLICIES, {"uniform": {"frames": 8}}, {"fps": {"fps": 1}}), features=given.features
    )
    for medium in media:
        media_id = medium["media_id"]
        rows = Rows({"media": [medium], **{t: found.get(media_id, []) for t, found in by_table.items()}})
        scenes = [(s["start_s"], s["end_s"]) for s in rows["shots"]]
        try:
            plans = [row for _, row in SamplingPlans(params).annotate(Unit(media_id, "medium", None, "b", 0), rows)]
        except SkipUnit as skipped:
            print(f"{medium['title']}: {skipped}")
            continue
        for plan in plans:
            frames = plan["frames"] or []
            opening = _opening(frames) if len(plan["segments"] or []) > 1 else [f["t_s"] for f in frames]
            even = [(i + 0.5) * medium["duration_s"] / len(opening) for i in range(len(opening))]
            met.setdefault(plan["policy"], []).append((_met(scenes, opening), _met(scenes, even), len(scenes)))
            times = [f["t_s"] for f in frames]
            covered.setdefault(plan["policy"], []).extend(_met([span], times) == 1 for span in spans.get(media_id, []))
    print(
        f"{len(media)} films, {sum(n for _, _, n in met[POLICIES[0]])} scenes, {len(covered[POLICIES[0]])} spans asked about"
    )
    print(f"{'policy':<28}{'scenes met':>12}{'as many uniform':>17}{'evidence met':>14}")
    for policy, found in met.items():
        own, even, scenes_n = (sum(column) for column in zip(*found, strict=True))
        share = sum(covered[policy]) / max(1, len(covered[policy]))
        print(f"{policy:<28}{own / scenes_n:>12.2f}{even / scenes_n:>17.2f}{share:>14.2f}")


def _opening(frames: Sequence[dict[str, Any]]) -> list[float]:
    """Times of the frames that open a segment, or that are not shown as lesser ones."""
    found: dict[int, float] = {}
    for frame in frames:
        if frame["role"] not in LESSER:
            found.setdefault(frame["segment"], frame["t_s"])
    return list(found.values())


def _by_medium(catalog: Catalog, table: str) -> dict[str, list[dict[str, Any]]]:
    told = {r["producer"] for r in catalog.rows(f"SELECT DISTINCT producer FROM {table}")}
    one = min(told, key=lambda p: (p != "composed_truth", p))
    order = "start_s" if table == "shots" else "t_s"
    found: dict[str, list[dict[str, Any]]] = {}
    for row in catalog.rows(f"SELECT * FROM {table} WHERE producer = ? ORDER BY media_id, {order}", [one]):
        found.setdefault(row["media_id"], []).append(row)
    return found


def _asked(catalog: Catalog) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for row in catalog.rows("SELECT media_id, answer_json FROM samples WHERE answer_kind = 'span' ORDER BY sample_id"):
        answer = json.loads(row["answer_json"])
        found.setdefault(row["media_id"], []).append((answer["start_s"], answer["end_s"]))
    return found


def _met(spans: Sequence[tuple[float, float]], times: Sequence[float]) -> int:
    return sum(any(a <= t < b for t in times) for a, b in spans)


if __name__ == "__main__":
    main()
