"""What the rules catch of wrong captions: claims about composed films, true ones and ones with one thing wrong.

    python benchmarks/wrong_claims.py FOLDER

FOLDER holds films of `chronotope compose` with their `.truth.json`. From the truth, true claims are written about each shot
(objects, colours, numbers, motions, relations, texts, order), and each is made false in one word: another colour, actor,
action, number, place, text or order, such that the film's truth denies it. The rules of `engine/claims` see only rows, as
`composed_truth` writes them. Printed is a Markdown table: of the wrong claims how many were contradicted, left unchecked and
even supported, and of the true ones how many were contradicted.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from chronotope.annotators.compose.drawing import COLOURS, SHAPES
from chronotope.annotators.compose.events import film_events
from chronotope.annotators.compose.truth import FilmTruth, ObjectTruth
from chronotope.annotators.importers.composed_truth import SUFFIX, ComposedTruth
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.engine.claims.claim import Claim
from chronotope.engine.claims.decide import decide
from chronotope.engine.claims.objects import at_once
from chronotope.engine.claims.rules import opinions_of_rules
from chronotope.engine.claims.world import World, world_of
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.span import Span, overlap_s, span_or_none
from chronotope.schemas.tables import TABLES

_WAYS = {"left": "to the left", "right": "to the right", "up": "up", "down": "down"}
_TURNED = {"left": "right", "right": "left", "up": "down", "down": "up"}
_CAMERA = {"pan_left": "pan_right", "tilt_up": "tilt_down", "zoom_in": "zoom_out", "roll_cw": "roll_ccw"}
_CAMERA |= {b: a for a, b in _CAMERA.items()}
_CAMERA_WORDS = {
    "pan_left": "pans to the left", "pan_right": "pans to the right", "tilt_up": "tilts up", "tilt_down": "tilts down",
    "zoom_in": "zooms in", "zoom_out": "zooms out", "roll_cw": "rolls clockwise", "roll_ccw": "rolls counterclockwise",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A claim about a film, whether the truth says that it holds, and, of a wrong one, what is wrong in it."""

    wrong: str
    claim: Claim
    true: bool


def rows_of(truth: FilmTruth, folder: Path, media_id: str = "m") -> tuple[Rows, dict[str, Any]]:
    """The rows that `composed_truth` writes about a film, and its row of `media`. Writes the truth into `folder`."""
    file = folder / f"{media_id}{SUFFIX}"
    file.write_text(truth.to_json(), encoding="utf-8")
    media = {"media_id": media_id, "width": truth.width, "height": truth.height, "duration_s": truth.duration_s}
    medium = Medium(media_id, f"{media_id}.mp4", None, "video", truth.duration_s, truth.fps, truth.frames, truth.width,
                    truth.height, True, True)  # fmt: skip
    sources = {"media": [media], "sources": [{"sidecars_json": json.dumps([{"uri": str(file)}])}]}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    unit = Unit(media_id, "medium", medium, "r", 0, producer="composed_truth")
    for table, row in ComposedTruth(ComposedTruth.Params()).annotate(unit, Rows(sources)):
        found[table].append(TABLES[table].complete(row, "composed_truth", media_id, media_id))
    return Rows(found), media


def cases_of(truth: FilmTruth, world: World) -> list[Case]:
    """True and wrong claims about each shot of a film; the world is used for the numbers of things at once only."""
    cases = []
    for shot in truth.shots:
        span = span_or_none(shot.start_s, shot.end_s)
        if span is not None and span.length_s > 1:
            seen = [o for o in truth.objects if overlap_s(Span(o.start_s, o.end_s), span) > 0]
            cases += [*_objects(seen, span), *_counts(seen, span, world), *_actions(truth, seen, span)]
            cases += [*_relations(seen, span), *_texts(truth, span), *_orders(truth, seen, span)]
    return cases


def judged(case: Case, world: World) -> str:
    """The status of a case by the rules."""
    return decide(opinions_of_rules(case.claim, world)).status


def table_of(cases: Sequence[tuple[Case, str]]) -> str:
    """The Markdown table of judged cases."""
    wrong: dict[str, Counter[str]] = defaultdict(Counter)
    true: dict[str, Counter[str]] = defaultdict(Counter)
    for case, status in cases:
        (true if case.true else wrong)[case.wrong][status] += 1
    lines = [
        "| what is wrong | wrong claims | contradicted | unchecked | supported | true claims | falsely contradicted |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in (*sorted(wrong), "all"):
        w = sum(wrong.values(), Counter()) if name == "all" else wrong[name]
        t = sum(true.values(), Counter()) if name == "all" else true[name]
        n, m = w.total(), t.total()
        lines.append(
            f"| {name} | {n} | {w['contradicted']} ({100 * w['contradicted'] / max(1, n):.1f}%) | {w['unchecked']} "
            f"| {w['supported']} | {m} | {t['contradicted']} ({100 * t['contradicted'] / max(1, m):.1f}%) |"
        )
    return "\n".join(lines)


def run(folder: Path, work: Path) -> list[tuple[Case, str]]:
    """All cases of the films of a folder with what the rules say. Raises `SystemExit` when there are none."""
    files = sorted(folder.glob(f"**/*{SUFFIX}"))
    if not files:
        raise SystemExit(f"{folder}: no film with its {SUFFIX}; make some with `chronotope compose`")
    found = []
    for i, file in enumerate(files):
        truth = FilmTruth.from_json(file.read_text(encoding="utf-8"))
        rows, media = rows_of(truth, work, f"m{i}")
        world = world_of(rows, media)
        found += [(case, judged(case, world)) for case in cases_of(truth, world)]
    return found


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _pick(options: Sequence[str], *parts: Any) -> str | None:
    return options[int(seeded_fraction(*parts) * len(options))] if options else None


def _objects(seen: Sequence[ObjectTruth], span: Span) -> Iterator[Case]:
    for colour, shape in sorted({(o.colour, o.shape) for o in seen}):
        claim = Claim("object", f"There is {_one(f'{colour} {shape}')}.", span, subject=f"{_one(f'{colour} {shape}')}")
        here = {o.colour for o in seen if o.shape == shape}
        other = _pick([c for c in COLOURS if c not in here], "colour", span.start_s, colour, shape)
        yield Case("colour", claim, True)
        if other:
            yield Case("colour", replace(claim, subject=_one(f"{other} {shape}")), False)
        said = Claim("attribute", f"The {shape} is {colour}.", span, subject=f"the {shape}", attribute=colour)
        yield Case("colour", said, True)
        if other:
            yield Case("colour", replace(said, attribute=other), False)
        shapes = [s for s in SHAPES if s not in {o.shape for o in seen}]
        thing = _pick(shapes, "thing", span.start_s, colour, shape)
        yield Case("object", claim, True)
        if thing:
            yield Case("object", replace(claim, subject=_one(f"{colour} {thing}")), False)


def _counts(seen: Sequence[ObjectTruth], span: Span, world: World) -> Iterator[Case]:
    for shape in sorted({o.shape for o in seen}):
        there = [t for t in world.seen(span) if t.label == shape]
        if len(there) != at_once(there):
            continue
        words = f"{len(there)} {shape}s"
        claim = Claim("count", f"There are {words}.", span, subject=f"{shape}s", number=len(there))
        yield Case("number", claim, True)
        yield Case("number", replace(claim, number=len(there) + 1), False)


def _actions(truth: FilmTruth, seen: Sequence[ObjectTruth], span: Span) -> Iterator[Case]:
    moving = [o for o in seen if o.world_direction in _WAYS and o.image_direction == o.world_direction]
    for o in moving:
        when = span_or_none(max(o.start_s, span.start_s), min(o.end_s, span.end_s))
        alike = [x for x in seen if (x.colour, x.shape) == (o.colour, o.shape)]
        if when is None or len(alike) > 1:
            continue
        name = f"the {o.colour} {o.shape}"
        way = _WAYS[o.world_direction]
        claim = Claim("action", f"{name} moves {way}.", when, subject=name, predicate="moves", object_text=way)
        yield Case("action", claim, True)
        yield Case("action", replace(claim, object_text=_WAYS[_TURNED[o.world_direction]]), False)
        still = [x for x in seen if x.world_direction == "still" and x.image_direction == "still" and
                 overlap_s(Span(x.start_s, x.end_s), when) > 0 and (x.colour, x.shape) != (o.colour, o.shape)]  # fmt: skip
        absent = [s for s in SHAPES if s not in {x.shape for x in seen}]
        actors = [f"the {x.colour} {x.shape}" for x in still] or [f"the {o.colour} {s}" for s in absent[:1]]
        yield Case("actor", claim, True)
        if actors:
            yield Case("actor", replace(claim, subject=actors[0]), False)
    for c in truth.camera:
        when = span_or_none(max(c.start_s, span.start_s), min(c.end_s, span.end_s))
        if c.kind in _CAMERA and when is not None and when.length_s > 0.5:
            if any(overlap_s(Span(x.start_s, x.end_s), when) > 0 for x in truth.camera if x.kind == _CAMERA[c.kind]):
                continue
            if any(e.text.startswith("the camera follows") and overlap_s(Span(e.start_s, e.end_s), when) > 0
                   for e in film_events(truth)):  # fmt: skip
                continue
            claim = Claim("action", "", when, subject="the camera", predicate=_CAMERA_WORDS[c.kind])
            yield Case("camera", claim, True)
            yield Case("camera", replace(claim, predicate=_CAMERA_WORDS[_CAMERA[c.kind]]), False)


def _relations(seen: Sequence[ObjectTruth], span: Span) -> Iterator[Case]:
    names = Counter((o.colour, o.shape) for o in seen)
    single = [o for o in seen if names[(o.colour, o.shape)] == 1]
    for i, a in enumerate(single):
        for b in single[i + 1 :]:
            at = {round(p.t_s, 3): p.box for p in a.boxes}
            both = [(at[round(p.t_s, 3)], p.box) for p in b.boxes if round(p.t_s, 3) in at]
            left = [x[2] < y[0] for x, y in both]
            right = [x[0] > y[2] for x, y in both]
            if len(both) < 3 or not (all(left) or all(right)):
                continue
            if max(min(x[3], y[3]) - max(x[1], y[1]) for x, y in both) < 0.5 * min(b.boxes[0].box[3] - b.boxes[0].box[1],
                                                                                   a.boxes[0].box[3] - a.boxes[0].box[1]):  # fmt: skip
                continue
            word, other = ("to the left of", "to the right of") if all(left) else ("to the right of", "to the left of")
            claim = Claim("relation", "", span, subject=f"the {a.colour} {a.shape}", predicate=word,
                          object_text=f"the {b.colour} {b.shape}")  # fmt: skip
            yield Case("relation", claim, True)
            yield Case("relation", replace(claim, predicate=other), False)


def _texts(truth: FilmTruth, span: Span) -> Iterator[Case]:
    for kind, found, verb in (("text", truth.texts, "written"), ("speech", truth.speech, "said")):
        inside = [t.text for t in found if overlap_s(Span(t.start_s, t.end_s), span) > 0]
        outside = sorted({t.text for t in found} - set(inside))
        for text in dict.fromkeys(inside):
            claim = Claim("text", f"“{text}” is {verb}.", span, predicate=verb, words=text)
            if verb == "said" and not any(
                t.text == text and span.start_s <= t.start_s and t.end_s <= span.end_s for t in found
            ):
                continue
            yield Case(kind, claim, True)
            other = _pick([t for t in outside if not any(t in x or x in t for x in inside)], "text", span.start_s, text)
            if other:
                yield Case(kind, replace(claim, words=other), False)


def _orders(truth: FilmTruth, seen: Sequence[ObjectTruth], span: Span) -> Iterator[Case]:
    events = [(Span(t.start_s, t.end_s), f"“{t.text}”") for t in (*truth.texts, *truth.speech)]
    inside = sorted({(s, text) for s, text in events if span.contains_span(s)})
    for (a, one), (b, two) in pairwise(inside):
        if b.start_s - a.start_s < 0.5 or one == two:
            continue
        claim = Claim("order", f"{one} comes before {two}.", span, subject=one, predicate="before", object_text=two)
        yield Case("order", claim, True)
        yield Case("order", replace(claim, predicate="after"), False)


def main(arguments: Sequence[str]) -> int:
    """Print the table."""
    import tempfile

    if len(arguments) != 1:
        sys.stderr.write("usage: python benchmarks/wrong_claims.py FOLDER\n")
        return 2
    with tempfile.TemporaryDirectory() as work:
        sys.stdout.write(table_of(run(Path(arguments[0]), Path(work))) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
