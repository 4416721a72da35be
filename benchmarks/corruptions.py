"""The corruption suite: plants lies of every kind in copies of a dataset and counts who catches them.

    python benchmarks/corruptions.py ROOT [--cases 100] [--deep-cases 30] [--kinds SUBSTRING] [--out table.md]

Three judges: plain `verify`; the uniqueness and falsity tests alone (`pipelines/stands.py`, on all that is recorded of the
medium, not on what is cited); `verify --deep` on a package written from the lying samples. For each kind: cases, caught by
each, and how many honest samples of the same copy the first two call wrong; the first row says what all three call wrong
among samples that nobody touched. Deep looks at as many as `--deep-cases` allows (of honest samples: per task). ROOT needs
its footage, no package, and is not changed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chronotope.annotators.second.method import SecondParams
from chronotope.engine.catalog import Catalog
from chronotope.outputs.packaging import package
from chronotope.pipelines.corrupt_evidence import ROW_KINDS, TOGETHER_KINDS, plant_rows, plant_together
from chronotope.pipelines.corrupt_media import MEDIA_KINDS, plant_media
from chronotope.pipelines.corruptions import SAMPLE_KINDS
from chronotope.pipelines.deep_report import ablations, agreement, by_sample, disagreements, verdict_of
from chronotope.pipelines.deep_verify import look_deep
from chronotope.pipelines.lies import Lie, copy_dataset, edit_table, plant_many
from chronotope.pipelines.stands import contradicted
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.ids import seeded_fraction

NAME = "huggingface"


def main() -> None:
    """Run all kinds and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--deep-cases", type=int, default=30)
    parser.add_argument("--kinds", default="", help="only kinds whose name holds this")
    parser.add_argument("--work", type=Path, default=None, help="folder for copies; default: beside ROOT")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--deep-all", action="store_true", help="deep also for kinds that plain verify catches")
    parser.add_argument("--ablate", action="store_true", help="also take evidence, sound and picture away")
    parser.add_argument("--shots", default="content")
    options = parser.parse_args()
    root = options.root.resolve()
    work = (options.work or root.parent / f"{root.stem}.corruptions").resolve()
    params = SecondParams(shots=options.shots)
    rows = [] if options.kinds else [_honest(root, work, options, params)]
    kinds = [*SAMPLE_KINDS, *ROW_KINDS, *TOGETHER_KINDS, *MEDIA_KINDS]
    for kind in kinds:
        if options.kinds in kind:
            row = _case(root, work, kind, options, params)
            rows.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    text = _markdown(rows)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    shutil.rmtree(work, ignore_errors=True)


def _copy(root: Path, work: Path) -> Path:
    """A copy of the dataset with its media (linked), without its packages."""
    copy = copy_dataset(root, work / root.name)
    (copy / "media").rmdir()
    (copy / "media").symlink_to(root / "media")
    return copy


def _package(copy: Path, wanted: frozenset[str]) -> None:
    """A package of these samples of a copy, checked or not; the other samples go away."""
    edit_table(copy, "samples", lambda row: row if row["sample_id"] in wanted else None)
    params = {"only_passed": False, "modalities": ["vision", "audio"], "test_min_grade": "judge", "media": "cut"}
    with Catalog(copy) as catalog:
        package(catalog, "huggingface", params, copy / "packages" / NAME)


def _few(samples: Iterable[tuple[str, str]], each: int) -> frozenset[str]:
    """Identifiers of `each` samples per group, from (group, identifier)."""
    groups: dict[str, list[str]] = {}
    for group, sample_id in samples:
        groups.setdefault(group, []).append(sample_id)
    ranked = (sorted(ids, key=lambda i: (seeded_fraction("deep", i), i))[:each] for ids in groups.values())
    return frozenset(i for ids in ranked for i in ids)


def _samples(root: Path) -> list[tuple[str, str]]:
    with Catalog(root) as catalog:
        rows = catalog.rows("SELECT DISTINCT task, sample_id FROM samples")
        return [(row["task"], row["sample_id"]) for row in rows]


def _honest(root: Path, work: Path, options: Any, params: SecondParams) -> dict[str, Any]:
    """The judges on samples that nobody touched; prints deep agreement and ablations per task."""
    plain, tests = verify_root(root), contradicted(root)
    copy = _copy(root, work)
    _package(copy, _few(_samples(root), options.deep_cases))
    report = look_deep(copy, params=params, everything=True, ablate=options.ablate)
    shutil.rmtree(copy)
    for table in (agreement(report), disagreements(report), ablations(report)):
        for row in table:
            print(json.dumps(row), file=sys.stderr, flush=True)
    said = Counter(verdict_of(checks) for checks in by_sample(report.checks).values())
    return {
        "kind": "(nobody touched it)",
        "cases": plain.samples,
        "verify": len(plain.problems),
        "tests": len(tests),
        "deep": said[False],
        "deep cannot say": said[None],
        "deep of": sum(said.values()),
    }


def _case(root: Path, work: Path, kind: str, options: Any, params: SecondParams) -> dict[str, Any]:
    started = time.perf_counter()
    copy = _copy(root, work)
    if kind in MEDIA_KINDS:
        _package(copy, _few(_samples(root), options.deep_cases))
        lies = plant_media(copy, NAME, kind, options.deep_cases)
    else:
        lies = _plant(copy, kind, options.cases)
    false = {lie.sample_id for lie in lies}
    problems = {p["sample_id"]: p["problem"] for p in verify_root(copy).problems}
    tests = contradicted(copy).keys()
    few = frozenset() if kind in (*SAMPLE_KINDS, *ROW_KINDS) and not options.deep_all else frozenset(false)
    few = few if kind in MEDIA_KINDS or not few else _few((("", i) for i in sorted(false)), options.deep_cases)
    said: Counter[bool | None] = Counter()
    if few:
        if kind not in MEDIA_KINDS:
            _package(copy, frozenset(few))
        report = look_deep(copy, params=params, only=frozenset(few))
        said = Counter(verdict_of(checks) for checks in by_sample(report.checks).values())
    shutil.rmtree(copy)
    return {
        "kind": kind,
        "cases": len(lies),
        "verify": len(false & problems.keys()),
        "tests": len(false & tests),
        "deep": said[False],
        "deep cannot say": said[None],
        "deep of": sum(said.values()),
        "verify wrongly": len(problems.keys() - false),
        "tests wrongly": len(tests - false),
        "as": ", ".join(f"{k} {n}" for k, n in Counter(problems[i] for i in false & problems.keys()).most_common()),
        "seconds": round(time.perf_counter() - started),
    }


def _plant(copy: Path, kind: str, cases: int) -> list[Lie]:
    if kind in SAMPLE_KINDS:
        return plant_many(copy, kind, cases)
    return plant_rows(copy, kind, cases) if kind in ROW_KINDS else plant_together(copy, kind, cases)


def _markdown(rows: list[dict[str, Any]]) -> str:
    head = "| kind | cases | verify | uniqueness and falsity | deep | wrongly: verify, tests | verify says |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for r in rows:
        deep = (
            "-"
            if not r["deep of"]
            else f"{r['deep']} of {r['deep of']}"
            + (f" ({r['deep cannot say']} cannot say)" if r["deep cannot say"] else "")
        )
        wrongly = f"{r['verify wrongly']}, {r['tests wrongly']}" if "verify wrongly" in r else ""
        lines.append(
            f"| {r['kind']} | {r['cases']} | {r['verify']} | {r['tests']} | {deep} | {wrongly} | {r.get('as', '')} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
