"""How true triples and spatial captions of composed films are, against the films' own plans.

    python benchmarks/space.py FOLDER [DATASET]

FOLDER holds films of `chronotope compose` with their `.truth.json`. Boxes are those that `composed_truth` writes; clips are the
films' shots and the camera is known from their events, or both are taken from a built DATASET (its kept clips and `signals`).
Triples without a model are compared with those that the plan gives frame by frame: right when subject, predicate and object
agree and the spans overlap by half. Captions: a writer who is wrong as often as a coin relates all pairs of things in various
words; a sentence is true when centres (sizes) of both stand as it says in 90% of the frames that show both. Printed is a
Markdown table: how many of the written and of the kept sentences are true, and how many of the true ones are kept.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from chronotope.annotators.compose.truth import FilmTruth, ObjectTruth
from chronotope.annotators.importers.composed_truth import SUFFIX, ComposedTruth
from chronotope.annotators.tasks.spatial_scene import spatial_scene
from chronotope.annotators.tasks.spatial_sentences import (
    Judge,
    SpatialClaimReply,
    SpatialRecaptionReply,
    SpatialSentenceReply,
)
from chronotope.annotators.text.triples import Triples, TriplesParams
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.engine.catalog import Catalog
from chronotope.schemas.ids import clip_id, seeded_fraction
from chronotope.schemas.relations import RelationRule
from chronotope.schemas.span import Span, overlap_s, tiou
from chronotope.schemas.tables import TABLES
from numpy.typing import NDArray

STEP_S = 0.04
MIN_S = 0.8
"""Shortest time for which a relation counts, as `TripleRule.min_run_s`."""
PHRASES = {
    "left of": ("is to the left of", "stands left of", "can be seen on the left side of"),
    "right of": ("is to the right of", "lies right of", "is placed to the right of"),
    "above": ("is above", "is located higher in the picture than", "sits directly above"),
    "below": ("is below", "is underneath", "lies beneath"),
    "larger than": ("is larger than", "looks bigger than"),
    "smaller than": ("is smaller than", "seems smaller in size than"),
}
Statement = tuple[str, str, str, Span]


@dataclass(frozen=True)
class Film:
    """A film's plan and the rows that an annotator sees of it."""

    truth: FilmTruth
    objects: dict[str, ObjectTruth]
    rows: Rows
    media: dict[str, Any]

    @property
    def aspect(self) -> float:
        return self.truth.width / self.truth.height


def film_of(path: Path, catalog: Catalog | None) -> Film:
    """The film behind a truth file."""
    truth = FilmTruth.from_json(path.read_text(encoding="utf-8"))
    name = path.name.removesuffix(SUFFIX)
    stored = catalog.rows("SELECT * FROM media WHERE title LIKE ?", [f"{name}.%"]) if catalog else []
    media_id = stored[0]["media_id"] if stored else name
    media = {"media_id": media_id, "width": truth.width, "height": truth.height, "duration_s": truth.duration_s}
    medium = Medium(
        media_id, name, None, "video", truth.duration_s, truth.fps, truth.frames, truth.width, truth.height, True, True
    )
    unit = Unit(media_id, "medium", medium, "benchmark", 0)
    sidecars = {"sources": [{"uri": name, "sidecars_json": f'[{{"uri": "{path}"}}]'}], "media": [media]}
    made: dict[str, list[dict[str, Any]]] = {"media": [media], "clips": [], "selection": []}
    for table, row in ComposedTruth(ComposedTruth.Params()).annotate(unit, Rows(sidecars)):
        made.setdefault(table, []).append(TABLES[table].complete(row, "composed_truth", media_id, media_id))
    spans = [(s.start_s, s.end_s) for s in truth.shots]
    if catalog:
        kept = catalog.rows("SELECT start_s, end_s FROM kept_clips WHERE media_id = ? ORDER BY start_s", [media_id])
        spans = [(k["start_s"], k["end_s"]) for k in kept]
        made["signals"] = catalog.rows("SELECT * FROM signals WHERE media_id = ?", [media_id])
        made["captions"] = []
    for start, end in spans:
        clip = {"media_id": media_id, "clip_id": clip_id(media_id, start, end), "start_s": start, "end_s": end}
        made["clips"].append(clip)
    objects = dict(zip((t["track_id"] for t in made["tracks"]), truth.objects, strict=True))
    return Film(truth, objects, Rows(made), media)


def places(thing: ObjectTruth, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes (x1, y1, x2, y2) at the times."""
    at = [b.t_s for b in thing.boxes]
    return np.stack([np.interp(times, at, [b.box[k] for b in thing.boxes]) for k in range(4)], axis=1)


def both(a: ObjectTruth, b: ObjectTruth, clip: Span) -> NDArray[np.float64]:
    """Times of frames of the clip that show both."""
    return np.arange(max(a.start_s, b.start_s, clip.start_s), min(a.end_s, b.end_s, clip.end_s) - 1e-9, STEP_S)


def planned(film: Film, clip: Span) -> Iterator[Statement]:
    """The triples of a clip by the plan: SCOP's rule at every frame, movements over the ground, comings and goings."""
    shown = {i: o for i, o in film.objects.items() if o.start_s < clip.end_s - 1e-6 and o.end_s > clip.start_s + 1e-6}
    for i, o in shown.items():
        span = Span(max(o.start_s, clip.start_s), min(o.end_s, clip.end_s))
        if o.world_direction == o.image_direction and o.world_direction in ("left", "right", "up", "down"):
            yield i, f"moves {o.world_direction}", "", span
        others = [t for j, p in shown.items() if j != i for t in (p.start_s, p.end_s)]
        times = [b.t_s for b in o.boxes]
        for what, at, end, pair in (
            ("appears", o.start_s, clip.start_s, times[:2]),
            ("disappears", o.end_s, clip.end_s, times[-2:]),
        ):
            inside = clip.start_s < at < clip.end_s and abs(at - end) >= 0.6
            if inside and all(abs(t - at) > 0.3 for t in others):
                yield i, what, "", Span(*pair)
    for (i, o), (j, p) in permutations(shown.items(), 2):
        times = both(o, p, clip)
        if not len(times):
            continue
        a, b = places(o, times), places(p, times)
        common = [np.minimum(a[:, k + 2], b[:, k + 2]) - np.maximum(a[:, k], b[:, k]) for k in (0, 1)]
        shorter = [np.minimum(a[:, k + 2] - a[:, k], b[:, k + 2] - b[:, k]) for k in (0, 1)]
        x, y = (np.maximum(c, 0) / s for c, s in zip(common, shorter, strict=True))
        corner = (x < 1 / 3) & (y < 1 / 3)
        left = (a[:, 0] + a[:, 2] < b[:, 0] + b[:, 2]) & (corner | (x < y))
        above = (a[:, 1] + a[:, 3] < b[:, 1] + b[:, 3]) & (corner | (y <= x))
        over = (common[0] > 0) & (common[1] > 0)
        for relation, holds in (("left of", left), ("above", above), ("overlaps", over & (i < j))):
            for first, last in runs(holds):
                span = Span(times[first], times[last] + STEP_S)
                if span.length_s >= MIN_S:
                    yield i, relation, j, span


def runs(holds: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], holds.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def triples(films: list[Film]) -> str:
    """The table of triples."""
    right: Counter[str] = Counter()
    made: Counter[str] = Counter()
    true: Counter[str] = Counter()
    tracked = linked = 0
    for film in films:
        unit = Unit(film.media["media_id"], "medium", None, "benchmark", 0)
        found: dict[str, list[Statement]] = {}
        for table, row in Triples(TriplesParams(model=None)).annotate(unit, film.rows):
            assert table == "triples"
            what = (row["subject_track"], row["predicate"], row["object_track"])
            found.setdefault(row["clip_id"], []).append((*what, Span(row["start_s"], row["end_s"])))
            tracked += what[0] in film.objects and (what[2] in film.objects or not row["object_text"])
            linked += row["caption_id"] is not None
        for clip in film.rows["clips"]:
            left = list(planned(film, Span(clip["start_s"], clip["end_s"])))
            true.update(_group(t[1]) for t in left)
            for one in found.get(clip["clip_id"], []):
                made[_group(one[1])] += 1
                turned = (one[2], one[1], one[0])
                same = [t for t in left if t[:3] in (one[:3], turned if one[1] == "overlaps" else one[:3])]
                same = [t for t in same if tiou(t[3], one[3]) >= 0.5]
                if same:
                    left.remove(max(same, key=lambda t: tiou(t[3], one[3])))
                    right[_group(one[1])] += 1
    lines = ["| triples | made | true | right | precision | recall |", "|---|---|---|---|---|---|"]
    for group in ("relations", "motions", "comings and goings"):
        lines.append(_line(group, made[group], true[group], right[group]))
    total = sum(made.values())
    lines.append(_line("**all**", total, sum(true.values()), sum(right.values())))
    return "\n".join(
        [*lines, "", f"{tracked} of {total} have a track for subject and object; {linked} are said by a caption."]
    )


def _group(predicate: str) -> str:
    if predicate in ("appears", "disappears"):
        return "comings and goings"
    return "motions" if predicate.startswith("moves") else "relations"


def _line(name: str, made: int, true: int, right: int) -> str:
    return f"| {name} | {made} | {true} | {right} | {right / max(1, made):.4f} | {right / max(1, true):.4f} |"


def captions(films: list[Film]) -> str:
    """The table of spatial sentences."""
    counts: Counter[tuple[bool, bool]] = Counter()
    for film in films:
        for clip in film.rows["clips"]:
            window = Span(clip["start_s"], clip["end_s"])
            tracks = [t for t in film.rows["tracks"] if overlap_s(Span(t["start_s"], t["end_s"]), window) > 0]
            scene = spatial_scene(window, tracks, film.rows["boxes"], [])
            judge = Judge(window, None, RelationRule(), film.aspect, 8)
            for a, b in permutations(scene.things.values(), 2):
                for relation, ways in PHRASES.items():
                    draw = seeded_fraction(film.media["media_id"], clip["clip_id"], a.track_id, b.track_id, relation)
                    way = ways[int(draw * len(ways))]
                    claim = SpatialClaimReply.model_validate(
                        {"subject": a.name, "relation": relation, "object": b.name}
                    )
                    text = f"The {{{a.name}.label}} {way} the {{{b.name}.label}}."
                    reply = SpatialRecaptionReply(sentences=[SpatialSentenceReply(text=text, claims=[claim])])
                    (judged,) = judge.sentences(reply, scene.facts, scene.things)
                    holds = stands(film.objects[a.track_id], relation, film.objects[b.track_id], window)
                    counts[holds, not judged.rule] += 1
    written, kept = counts.total(), counts[True, True] + counts[False, True]
    true = counts[True, True] + counts[True, False]
    return "\n".join(
        [
            "| sentences | number | true | share |",
            "|---|---|---|---|",
            f"| written | {written} | {true} | {true / max(1, written):.4f} |",
            f"| kept | {kept} | {counts[True, True]} | {counts[True, True] / max(1, kept):.4f} |",
            "",
            f"Of the true sentences {counts[True, True] / max(1, true):.1%} are kept.",
        ]
    )


def stands(a: ObjectTruth, relation: str, b: ObjectTruth, clip: Span) -> bool:
    """Whether centres, or sizes, stand so in 90% of the frames that show both."""
    times = both(a, b, clip)
    if not len(times):
        return False
    one, other = places(a, times), places(b, times)
    axis = 0 if relation in ("left of", "right of") else 1
    mine, its = one[:, axis] + one[:, axis + 2], other[:, axis] + other[:, axis + 2]
    if relation in ("larger than", "smaller than"):
        mine, its = ((p[:, 2] - p[:, 0]) * (p[:, 3] - p[:, 1]) for p in (one, other))
    holds = mine < its if relation in ("left of", "above", "smaller than") else mine > its
    return bool(holds.mean() >= 0.9)


def main(folder: str, dataset: str | None = None) -> None:
    """Print both tables."""
    catalog = Catalog(dataset) if dataset else None
    try:
        files = sorted(Path(folder).glob(f"*{SUFFIX}"))
        films = [film_of(path, catalog) for path in files]
    finally:
        if catalog:
            catalog.close()
    clips = sum(len(f.rows["clips"]) for f in films)
    print(f"{len(films)} films, {clips} clips, {sum(len(f.objects) for f in films)} tracks\n")
    print(triples(films), "", captions(films), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
