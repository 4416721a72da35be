"""What a build found in a composed film, against the film's truth: `python benchmarks/film_truth.py ROOT TRUTH.json`.

After `make demo`: `.venv/bin/python benchmarks/film_truth.py .demo/quickstart.chronotope .demo/film.truth.json`. Reads the
stored tables only. Words are aligned by edit distance (difflib's longest runs) before their times are compared, shots
count within two frames, camera labels are those of frames that lie wholly inside one motion.
"""

from __future__ import annotations

import sys
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path
from statistics import mean, median

from chronotope.annotators.compose.truth import FilmTruth
from chronotope.engine.catalog import Catalog
from chronotope.schemas.box import Box, iou
from chronotope.schemas.metrics import boundary_prf, normalise_words, word_error_rate
from chronotope.schemas.readings import Reading, edit_distance, merge_readings, normalised


def main(root: Path, truth: FilmTruth) -> None:
    """Print one line per kind of annotation."""
    with Catalog(root) as catalog:
        found = catalog.rows(
            "SELECT media_id FROM media WHERE abs(duration_s - ?) < 0.001 AND origin = 'composed'", [truth.duration_s]
        )
        if len(found) != 1:
            raise SystemExit(f"{root} holds {len(found)} composed media of {truth.duration_s:g} s; expected one")
        media_id = found[0]["media_id"]
        _shots(catalog, media_id, truth)
        _words(catalog, media_id, truth)
        _texts(catalog, media_id, truth)
        _camera(catalog, media_id, truth)


def _shots(catalog: Catalog, media_id: str, truth: FilmTruth) -> None:
    rows = catalog.rows("SELECT start_s FROM shots WHERE media_id = ? AND start_s > 0", [media_id])
    cuts = [t.start_s for t in truth.transitions if t.kind == "cut"]
    dissolves = [(t.start_s, t.end_s) for t in truth.transitions if t.kind == "dissolve"]
    inside = {r["start_s"] for r in rows for s, e in dissolves if s <= r["start_s"] <= e}
    score = boundary_prf([r["start_s"] for r in rows if r["start_s"] not in inside], cuts, 2 / truth.fps + 1e-6)
    lookalike = sum(t.lookalike for t in truth.transitions if t.kind == "cut")
    print(f"hard cuts: F1 {score.f1:.3f} ({len(cuts)} cuts, {lookalike} between look-alike scenes)")
    hit = sum(any(s <= t <= e for t in inside) for s, e in dissolves)
    print(f"dissolves: {hit} of {len(dissolves)} found")


def _words(catalog: Catalog, media_id: str, truth: FilmTruth) -> None:
    rows = catalog.rows("SELECT word, start_s, end_s FROM words WHERE media_id = ? ORDER BY position", [media_id])
    heard = [(w, r) for r in rows for w in normalise_words(r["word"])]
    said = [(w, t) for t in truth.words for w in normalise_words(t.word)]
    wer = word_error_rate(" ".join(w for w, _ in heard), " ".join(w for w, _ in said))
    matcher = SequenceMatcher(None, [w for w, _ in heard], [w for w, _ in said], autojunk=False)
    pairs = [(heard[b.a + i][1], said[b.b + i][1]) for b in matcher.get_matching_blocks() for i in range(b.size)]
    starts = [abs(h["start_s"] - s.start_s) for h, s in pairs]
    ends = [abs(h["end_s"] - s.end_s) for h, s in pairs]
    print(f"words: error rate {wer:.3f}; median error of starts {median(starts):.3f} s, of ends {median(ends):.3f} s")


def _texts(catalog: Catalog, media_id: str, truth: FilmTruth) -> None:
    rows = catalog.rows("SELECT * FROM text_regions WHERE media_id = ? ORDER BY start_s, row_id", [media_id])
    readings = [
        Reading(
            r["row_id"], r["text"], r["start_s"], r["end_s"], Box(r["x1"], r["y1"], r["x2"], r["y2"]), r["confidence"]
        )
        for r in rows
    ]
    texts = merge_readings(readings)
    errors, overlaps, matched = [], [], set()
    for true in truth.texts:
        near = [
            t for t in texts
            if edit_distance(normalised(t.text), normalised(true.text), 2) <= 1 and t.start_s < true.end_s and true.start_s < t.end_s
        ]  # fmt: skip
        if near:
            best = min(near, key=lambda t: abs(t.start_s - true.start_s))
            matched.add(best.members)
            errors += [abs(best.start_s - true.start_s), abs(best.end_s - true.end_s)]
            overlaps.append(iou(best.box, Box(*true.box)))
    print(
        f"texts: {len(overlaps)} of {len(truth.texts)} found, {len(texts) - len(matched)} others read; median error of "
        f"starts and ends {median(errors):.2f} s, largest {max(errors):.2f} s; mean box IoU {mean(overlaps):.2f}"
    )


def _camera(catalog: Catalog, media_id: str, truth: FilmTruth) -> None:
    rows = catalog.rows(
        "SELECT t_s, camera FROM signals WHERE media_id = ? AND camera IS NOT NULL ORDER BY t_s", [media_id]
    )
    step = 0.3
    verdicts: Counter[str] = Counter()
    for row in rows:
        kind = next((c.kind for c in truth.camera if c.start_s + step <= row["t_s"] < c.end_s - step), None)
        if kind is not None:
            verdicts["withheld" if row["camera"] in ("unknown", "mixed") else str(row["camera"] == kind)] += 1
    print(f"camera labels: {verdicts['True']} right, {verdicts['False']} wrong, {verdicts['withheld']} withheld")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), FilmTruth.from_json(Path(sys.argv[2]).read_text()))
