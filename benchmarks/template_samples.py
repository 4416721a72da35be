"""How many template samples per second are generated and verified: the tasks over what is known of composed films.

    python benchmarks/template_samples.py [SAMPLES] [SCENES]     # 100000 samples, films of 14 scenes

Films are scripted, not rendered: the tasks see the same rows that `composed_truth` writes. Every sample is generated, written as a
row, read back and recomputed from the rows that it cites, one process. What a build adds to that (storing, grouping, packaging) is
not in the figures, which are per second of processor time. Ends with an error when a sample does not pass.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chronotope.annotators.compose.film import film_narration, film_scenes
from chronotope.annotators.compose.record import film_truth
from chronotope.annotators.compose.script import FilmParams
from chronotope.annotators.importers.composed_truth import ComposedTruth
from chronotope.engine.annotator import Medium, Params, Rows, SkipUnit, Unit
from chronotope.engine.check import check_sample
from chronotope.engine.registry import find
from chronotope.engine.task import Task
from chronotope.schemas.tables import TABLES

MANY = {"per_medium": 60}
TASKS: dict[str, dict[str, Any]] = {
    "speech_grounding": MANY | {"per_clip": 60},
    "text_grounding": MANY | {"per_clip": 60},
    "temporal_grounding": MANY | {"per_clip": 60},
    "temporal_referring": MANY,
    "event_order_pairs": MANY,
    "span_reflection": MANY,
    "spotlight": MANY,
    "transcript_sorting": MANY | {"tries": 200},
    "moment_choice": MANY,
    "span_choice": MANY,
}


def films(scenes: int) -> Iterator[tuple[Medium, Rows, dict[str, dict[str, dict[str, Any]]]]]:
    """Scripted films: the medium, its rows by table, and the same by identifier."""
    seed = 0
    while True:
        seed += 1
        params = FilmParams(seed=seed, scenes=scenes)
        shots = film_scenes(params)
        truth = film_truth(params, shots, film_narration(params, shots))
        name = f"film{seed}"
        facts = {"kind": "video", "duration_s": truth.duration_s, "origin": "composed", "width": truth.width,
                 "height": truth.height, "fps": float(truth.fps), "title": f"{name}.mp4"}  # fmt: skip
        clip = {"clip_id": f"{name}-clip", "start_s": 0.0, "end_s": truth.duration_s, "policy": "whole"}
        tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
        medium = Medium(
            name, f"{name}.mp4", None, "video", truth.duration_s, float(truth.fps), truth.frames, truth.width, truth.height,
            True, True, row=facts,
        )  # fmt: skip
        known = _known(medium, truth.to_json())
        for table, values in (("media", facts), ("clips", clip), *known):
            tables[table].append(TABLES[table].complete(values | {"media_id": name}, "composed_truth", name, name))
        yield medium, Rows(tables), {table: {r["row_id"]: r for r in rows} for table, rows in tables.items()}


def _known(medium: Medium, truth: str) -> list[tuple[str, dict[str, Any]]]:
    """The rows that `composed_truth` writes of a truth file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{medium.media_id}.truth.json"
        file.write_text(truth, encoding="utf-8")
        sources = [{"uri": medium.uri, "sidecars_json": json.dumps([{"uri": str(file)}])}]
        unit = Unit(medium.media_id, "medium", medium, "b", 0)
        return list(ComposedTruth(Params()).annotate(unit, Rows({"sources": sources})))


def main(wanted: int, scenes: int) -> int:
    """Generates and verifies; prints a line per task. Returns how many samples did not pass."""
    tasks: dict[str, Task[Any]] = {}
    for name, params in TASKS.items():
        kind = find("annotator", name)
        tasks[name] = kind(kind.Params(**params))
    made, failed = Counter[str](), Counter[str]()
    generating, verifying = Counter[str](), Counter[str]()
    began = time.process_time()
    for medium, rows, index in films(scenes):
        for name, task in tasks.items():
            start = time.process_time()
            try:
                samples = [values for _, values in task.annotate(Unit(medium.media_id, "medium", medium, "b", 0), rows)]
            except SkipUnit:
                samples = []
            middle = time.process_time()
            for sample in samples:
                verdict = check_sample(sample, lambda t, i, by=index: by.get(t, {}).get(i), task, lambda t, r: "exact")
                failed[name] += not verdict["passed"]
            verifying[name] += time.process_time() - middle
            generating[name] += middle - start
            made[name] += len(samples)
        if made.total() >= wanted:
            break
    total = made.total()
    print(f"{'task':<22}{'samples':>9}{'generated/s':>13}{'verified/s':>12}{'mismatches':>12}")
    for name in tasks:
        n = made[name]
        print(f"{name:<22}{n:>9}{n / generating[name]:>13.0f}{n / verifying[name]:>12.0f}{failed[name]:>12}")
    both = generating.total() + verifying.total()
    print(
        f"{total} samples: {total / generating.total():.0f} generated/s, {total / verifying.total():.0f} verified/s, "
        f"{total / both:.0f} samples/s both; {failed.total()} mismatches; {time.process_time() - began:.0f} s with scripting"
    )
    return failed.total()


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:]]
    sys.exit(1 if main(*(numbers + [100_000, 14][len(numbers) :])) else 0)
