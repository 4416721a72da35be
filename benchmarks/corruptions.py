"""The corruption suite: plants lies of every kind in copies of a dataset and counts who catches them.

    python benchmarks/corruptions.py ROOT [--cases 100] [--deep-cases 30] [--kinds SUBSTRING] [--out table.md]

Three judges: plain `verify`; the uniqueness and falsity tests alone (`tests` below, on all rows of the medium, not on what is
cited); `verify --deep` on a package written from the lying dataset. For each kind: cases, caught by each, and how many
honest samples of the same copy each judge calls wrong. Deep looks at as many lies as `--deep-cases` allows. ROOT needs a
package with media beside it (huggingface, llava ...) and its footage; it is not changed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from chronotope.annotators.second.method import SecondParams
from chronotope.engine.catalog import Catalog
from chronotope.outputs.packaging import package
from chronotope.pipelines.corrupt_evidence import ROW_KINDS, TOGETHER_KINDS, plant_rows, plant_together
from chronotope.pipelines.corrupt_media import MEDIA_KINDS, plant_media
from chronotope.pipelines.corruptions import SAMPLE_KINDS
from chronotope.pipelines.deep_draw import packages_of
from chronotope.pipelines.deep_report import by_sample, verdict_of
from chronotope.pipelines.deep_verify import look_deep
from chronotope.pipelines.lies import Lie, copy_dataset, plant_many
from chronotope.pipelines.stands import contradicted
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.ids import seeded_fraction

LYING = "lying"


def main() -> None:
    """Run all kinds and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--deep-cases", type=int, default=30)
    parser.add_argument("--kinds", default="", help="only kinds whose name holds this")
    parser.add_argument("--work", type=Path, default=None, help="folder for copies; default: beside ROOT")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--shots", default="content")
    options = parser.parse_args()
    root = options.root.resolve()
    work = (options.work or root.parent / f"{root.stem}.corruptions").resolve()
    params = SecondParams(shots=options.shots)
    rows = [row for row in (_honest(root, work, options, params),) if row]
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
    """A copy of the dataset with its media, without its packages."""
    copy = copy_dataset(root, work / root.name)
    (copy / "media").rmdir()
    (copy / "media").symlink_to(root / "media")
    return copy


def _packaged(root: Path, copy: Path) -> None:
    """A package of the lying dataset, checked or not; files that the honest package has are linked, not cut again."""
    honest = packages_of(root)[0]
    shutil.copytree(honest, copy / "packages" / honest.name, copy_function=_link)
    params = {"only_passed": False, "modalities": ["vision", "audio"], "test_min_grade": "judge", "min_grade": "judge"}
    with Catalog(copy) as catalog:
        package(catalog, "huggingface", params, copy / "packages" / LYING)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _honest(root: Path, work: Path, options: Any, params: SecondParams) -> dict[str, Any] | None:
    """The judges on samples that nobody touched."""
    if options.kinds:
        return None
    plain = verify_root(root)
    tests = contradicted(root)
    report = look_deep(root, params=params, share=0, least=options.deep_cases)
    said = Counter(verdict_of(checks) for checks in by_sample(report.checks).values())
    return {
        "kind": "(nobody touched it)",
        "cases": plain.samples,
        "verify": len(plain.problems),
        "tests": len(tests),
        "deep": said[False],
        "deep cannot say": said[None],
        "deep of": sum(said.values()),
        "verify wrongly": "",
        "tests wrongly": "",
    }


def _case(root: Path, work: Path, kind: str, options: Any, params: SecondParams) -> dict[str, Any]:
    started = time.perf_counter()
    copy = _copy(root, work)
    lies = _plant(root, copy, kind, options.cases)
    false = {lie.sample_id for lie in lies}
    problems = {p["sample_id"]: p["problem"] for p in verify_root(copy).problems}
    tests = contradicted(copy)
    media = kind in MEDIA_KINDS
    if lies and not media:
        _packaged(root, copy)
    few = sorted(lies, key=lambda lie: (seeded_fraction("deep", lie.sample_id), lie.sample_id))[: options.deep_cases]
    said: Counter[bool | None] = Counter()
    if few:
        name = packages_of(root)[0].name if media else LYING
        report = look_deep(copy, params=params, package=name, only=frozenset(lie.sample_id for lie in few))
        said = Counter(verdict_of(checks) for checks in by_sample(report.checks).values())
    row = {
        "kind": kind,
        "cases": len(lies),
        "verify": len(false & problems.keys()),
        "tests": len(false & tests.keys()),
        "deep": said[False],
        "deep cannot say": said[None],
        "deep of": sum(said.values()),
        "verify wrongly": len(problems.keys() - false),
        "tests wrongly": len(tests.keys() - false),
        "as": ", ".join(f"{k} {n}" for k, n in Counter(problems[i] for i in false & problems.keys()).most_common()),
        "seconds": round(time.perf_counter() - started),
    }
    shutil.rmtree(copy)
    return row


def _plant(root: Path, copy: Path, kind: str, cases: int) -> list[Lie]:
    if kind in SAMPLE_KINDS:
        return plant_many(copy, kind, cases)
    if kind in ROW_KINDS:
        return plant_rows(copy, kind, cases)
    if kind in TOGETHER_KINDS:
        return plant_together(copy, kind, cases)
    honest = packages_of(root)[0]
    shutil.copytree(honest, copy / "packages" / honest.name, copy_function=_link)
    return plant_media(copy, honest.name, kind, cases)


def _markdown(rows: list[dict[str, Any]]) -> str:
    head = "| kind | cases | verify | uniqueness and falsity | deep | wrongly: verify, tests | verify says |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for r in rows:
        deep = f"{r['deep']} of {r['deep of']}" + (
            f" ({r['deep cannot say']} cannot say)" if r["deep cannot say"] else ""
        )
        wrongly = f"{r['verify wrongly']}, {r['tests wrongly']}" if r["verify wrongly"] != "" else ""
        lines.append(
            f"| {r['kind']} | {r['cases']} | {r['verify']} | {r['tests']} | {deep} | {wrongly} | {r.get('as', '')} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
