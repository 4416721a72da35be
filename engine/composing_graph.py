"""From an edit graph and its material to a draft: the truth by arithmetic, the file by the renderer.

A composer builds graphs (`schemas.edit_operations`) from `source_of(material)`, and gets with `graph_draft` a draft whose rows are
everything known of the material carried over, the shots, a row of `edits` per piece, and whatever rows it adds itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..schemas.edit_carry import CARRIED, CarryRules, carry, merged, shots_of
from ..schemas.edit_graph import Graph
from ..schemas.edit_pieces import Source, exact, nominal_fps
from ..schemas.ids import derive_id, seeded_fraction
from ..schemas.span import Span, span_or_none, tiou
from .check import lowest_grade
from .composing import ComposeError, Draft, Material
from .kept import one_producer
from .media.geometry import fit
from .media.render import SOUND_RATE_HZ, VERSION, Input, render

RowDict = dict[str, Any]

_LEVELS = ("clip", "event", "medium")
_DEFAULT_FPS = 25.0


def source_of(material: Material) -> Source:
    """What a graph has to know of a medium; pictures become stills, sound alone has no size."""
    media = material.media
    still = media.get("kind") == "image"
    return Source(
        material.media_id,
        Fraction(0) if still else exact(float(media.get("duration_s") or 0.0)),
        nominal_fps(float(media.get("fps") or _DEFAULT_FPS)),
        int(media.get("width") or 0),
        int(media.get("height") or 0),
        material.has_audio,
    )


def shape_of(
    material: Sequence[Material], max_side_px: int, fps: float | None = None
) -> tuple[Fraction, tuple[int, int]]:
    """Rate and even size (px) of a film of this material: those of the medium that is most frequent in shape, not enlarged.

    Raises `ComposeError` without pictures.
    """
    shown = [m for m in material if m.media.get("width")]
    if not shown:
        raise ComposeError("the material has no pictures; give videos")
    count = Counter((int(m.media["width"]), int(m.media["height"])) for m in shown)
    width, height = fit(*min(count, key=lambda s: (-count[s], s)), max_side_px)
    rates = Counter(
        nominal_fps(float(m.media.get("fps") or _DEFAULT_FPS)) for m in shown if m.media.get("kind") != "image"
    )
    rate = nominal_fps(fps) if fps is not None else min(rates, key=lambda r: (-rates[r], r), default=Fraction(25))
    return rate, (max(2, width // 2 * 2), max(2, height // 2 * 2))


def known_of(material: Material, span: Span | None = None) -> dict[str, list[Mapping[str, Any]]]:
    """What is known of a medium, one producer per table (exact events before fused ones), in `span` alone where one is given."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for table in (*CARRIED, "shots"):
        rows = list(material.rows.get(table, ()))
        if table == "captions":
            rows = [r for r in rows if r["level"] in _LEVELS and r.get("request_hash") is None]
        if table == "events":
            rows = [r for r in rows if r.get("localiser") is None] or rows
        if rows and all("producer" in r for r in rows):
            rows = one_producer(rows)
        if span is not None and table != "boxes":
            rows = [
                r for r in rows if r.get("start_s") is None or (r["start_s"] < span.end_s and r["end_s"] > span.start_s)
            ]
        found[table] = rows
    return found


def carried_rows(
    graph: Graph, material: Sequence[Material], rules: CarryRules | None = None
) -> tuple[dict[str, list[RowDict]], dict[str, str]]:
    """(rows by table, grade by table) that follow for a graph from what is known of its material."""
    used = [m for m in material if m.media_id in graph.media_ids]
    known = {m.media_id: known_of(m) for m in used}
    rows = merged(carry(graph, m.media_id, known[m.media_id], rules) for m in used)
    shots = shots_of(graph, {m: found["shots"] for m, found in known.items()})
    rows |= {"shots": shots} if shots else {}
    grades = {}
    for table in rows:
        lowest = lowest_grade([m.grades.get(table, "exact") for m in used if known[m.media_id].get(table)])
        if lowest != "exact":
            grades[table] = lowest
    return rows, grades


def graph_draft(
    composer: str,
    graph: Graph,
    material: Sequence[Material],
    *,
    rows: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    carried: bool = True,
    rules: CarryRules | None = None,
    parameters: Mapping[str, Any] | None = None,
    grades: Mapping[str, str] | None = None,
    inputs: Mapping[str, Input] | None = None,
    sound_rate: int = SOUND_RATE_HZ,
    crf: int = 20,
) -> Draft:
    """A draft that renders `graph`.

    `composer`: name and version (`join@1`). `material`: everything that the graph names, in any order. `rows`: rows on the new
    clock that the composer adds to what is carried over (`carried=False`: instead of it); a carried row that says
    the same of (nearly) the same span gives way. `inputs`: pictures or sounds in memory for sources that are no material; their media_id
    must be derived from their content. Raises `ComposeError` for material of several official splits.
    """
    used = tuple(m for m in material if m.media_id in graph.media_ids)
    splits = {str(m.media["official_split"]) for m in used if m.media.get("official_split")}
    if len(splits) > 1:
        raise ComposeError(
            f"{composer} would mix the official splits {', '.join(sorted(splits))}; draw from one at a time"
        )
    own: dict[str, str] = {}
    found: dict[str, list[RowDict]] = {}
    if carried:
        found, own = carried_rows(graph, used, rules)
    for table, more in (rows or {}).items():
        mine = [r for r in found.get(table, []) if not any(_same(r, one) for one in more)]
        found[table] = sorted([*mine, *map(dict, more)], key=lambda r: (r.get("start_s") or 0.0, r.get("end_s") or 0.0))
    found = {table: mine for table, mine in found.items() if mine} | {"edits": _titled(graph, used)}
    paths: dict[str, Input] = {m.media_id: m.path for m in used}
    given = paths | dict(inputs or {})

    def write(out: Path) -> None:
        render(graph, given, out, sound_rate=sound_rate, crf=crf)

    return Draft(
        digest=derive_id("graph", composer, VERSION, graph.key(), sound_rate, crf),
        suffix=".mp4",
        write=write,
        duration_s=graph.duration_s,
        rows=found,
        sources=used,
        grades=own | dict(grades or {}),
        parameters=dict(parameters or {}),
    )


def _same(carried: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether two rows say the same in words of spans that are more than half the same."""
    if "text" not in own or carried.get("text") != own["text"]:
        return False
    a, b = (span_or_none(r.get("start_s", -1.0), r.get("end_s", -1.0)) for r in (carried, own))
    return a is not None and b is not None and tiou(a, b) > 0.5


def _titled(graph: Graph, used: Sequence[Material]) -> list[RowDict]:
    """Rows of `edits` that name the files: the material need not be in the dataset, and benchmarks are told by names."""
    titles = {m.media_id: str(m.media.get("title") or m.path.name) for m in used}
    rows = graph.edit_rows()
    for row in rows:
        said = json.loads(row["parameters_json"])
        if row["source_media_id"] in titles:
            row["parameters_json"] = json.dumps({**said, "title": titles[row["source_media_id"]]}, sort_keys=True)
    return rows


def by_split(material: Sequence[Material]) -> list[tuple[str, list[Material]]]:
    """(official split or '', its material) in order: what is composed of may come from one of them only."""
    found: dict[str, list[Material]] = {}
    for m in material:
        found.setdefault(str(m.media.get("official_split") or ""), []).append(m)
    return sorted(found.items())


def disjoint(material: Sequence[Material], most: int, least: int, *seed: Any) -> list[list[Material]]:
    """At most `most` parts of the material that share no group of footage, of at least `least` groups each, drawn by `seed`.

    What is composed of different parts may stand in different splits. Always at least one part.
    """
    groups: dict[str, list[Material]] = {}
    for m in material:
        groups.setdefault(str(m.media.get("group_id") or m.media_id), []).append(m)
    count = max(1, min(most, len(groups) // least))
    ordered = sorted(groups, key=lambda g: seeded_fraction("disjoint", *seed, g))
    return [[m for g in ordered[k::count] for m in groups[g]] for k in range(count)]


def span_in(row: Mapping[str, Any], duration_s: float) -> Span | None:
    """The span of a row as far as it lies in a medium."""
    return span_or_none(max(0.0, float(row["start_s"])), min(float(row["end_s"]), duration_s))
