"""What `verify --deep` looks at: packaged samples, drawn by task and evidence grade, with their files.

Packages that keep their media beside `samples.jsonl` can be looked at; a sample that several of them carry is looked at in
the one with most samples. The draw takes a share of each stratum, but at least a few, by a hash of seed and identifier, so
that the same dataset and seed give the same samples whatever else the package holds.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.catalog import Catalog
from ..outputs.package_media import INDEX
from ..outputs.packaging import MANIFEST
from ..schemas.ids import seeded_fraction
from ..schemas.sample import Sample
from .console import UsageError

SAMPLES = "samples.jsonl"


@dataclass(frozen=True)
class Drawn:
    """A packaged sample: its record in `samples.jsonl`, and what the dataset says it is."""

    sample_id: str
    task: str
    grade: str
    package: str
    folder: Path
    record: Mapping[str, Any]
    index: Mapping[str, Mapping[str, Any]]
    """The package's `media.jsonl` by file: form, medium, `zero_s` (time of the medium at the file's t = 0), length."""

    @property
    def first(self) -> Mapping[str, Any]:
        """What the package shows of its first medium."""
        return self.record["media"][0]

    def files(self, kind: str) -> list[Path]:
        """Paths of its first medium's files of one kind (`video`, `audio`, `image`)."""
        mine = set(self.first["files"])
        return [self.folder / f["file"] for f in self.record["files"] if f["kind"] == kind and f["file"] in mine]

    def part(self, path: Path) -> Mapping[str, Any]:
        """What `media.jsonl` says of one of the files."""
        return self.index[path.relative_to(self.folder).as_posix()]

    def stills_by_medium(self) -> dict[int, Path]:
        """Pictures that are media of their own, by number of the medium (from 1)."""
        pictures = {f["file"] for f in self.record["files"] if f["kind"] == "image"}
        items = enumerate(self.record["media"][1:], start=2)
        return {i: self.folder / m["files"][0] for i, m in items if len(m["files"]) == 1 and m["files"][0] in pictures}


def packages_of(root: Path, name: str | None = None) -> list[Path]:
    """Packages that can be looked at, the largest first. Raises `UsageError` with the remedy when there is none."""
    folder = root / "packages"
    there = sorted(p for p in folder.iterdir() if (p / MANIFEST).is_file()) if folder.is_dir() else []
    if not there:
        raise UsageError(
            f"{root.name} has no package to look at; write one with `chronotope package RECIPE --root {root}`"
        )
    readable = [p for p in there if (p / SAMPLES).is_file()]
    if name is not None:
        if name not in {p.name for p in there}:
            raise UsageError(f"{root.name} has no package {name!r}; it has {', '.join(p.name for p in there)}")
        readable = [p for p in readable if p.name == name]
    if not readable:
        raise UsageError(
            f"the packages of {root.name} keep their media in archives, which --deep does not open; "
            "add `huggingface`, `llava` or `llamafactory` under `package:` and package again"
        )
    return sorted(readable, key=lambda p: (-json.loads((p / MANIFEST).read_text(encoding="utf-8"))["packaged"], p.name))


def packaged(folders: Iterable[Path]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """(package, record) of every packaged sample, each once."""
    seen: set[str] = set()
    for folder in folders:
        with (folder / SAMPLES).open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if record["sample_id"] not in seen:
                    seen.add(record["sample_id"])
                    yield folder, record


def draw(
    catalog: Catalog,
    folders: Iterable[Path],
    *,
    share: float = 0.01,
    least: int = 5,
    seed: int = 0,
    task: str | None = None,
    everything: bool = False,
    only: frozenset[str] | None = None,
) -> tuple[list[Drawn], int]:
    """Samples to look at, ordered by identifier, and how many packaged samples the dataset no longer has.

    Of each (task, grade): `share` of its samples, at least `least`, or all of them. `only` names samples instead.
    """
    rows = catalog.rows(
        "SELECT s.sample_id, s.task, any_value(v.evidence_grade) AS grade FROM samples s "
        "LEFT JOIN verdicts v USING (sample_id) GROUP BY ALL"
    )
    known = {row["sample_id"]: row for row in rows}
    strata: dict[tuple[str, str], list[Drawn]] = defaultdict(list)
    folders, gone = list(folders), 0
    indices = {folder: _index(folder) for folder in folders}
    for folder, record in packaged(folders):
        row = known.get(record["sample_id"])
        if row is None:
            gone += 1
        elif (task is None or row["task"] == task) and (only is None or record["sample_id"] in only):
            grade = row["grade"] or "judge"
            found = Drawn(record["sample_id"], row["task"], grade, folder.name, folder, record, indices[folder])
            strata[found.task, found.grade].append(found)
    chosen: list[Drawn] = []
    for members in strata.values():
        wanted = len(members) if everything or only is not None else max(least, math.ceil(share * len(members)))
        members.sort(key=lambda d: (seeded_fraction(seed, "verify_deep", d.sample_id), d.sample_id))
        chosen += members[:wanted]
    return sorted(chosen, key=lambda d: d.sample_id), gone


def out_of_reach(catalog: Catalog, drawn: Iterable[Drawn], task: str | None) -> dict[str, int]:
    """Number of samples of each task (of `task` alone when given) of which none could be drawn."""
    reached = {d.task for d in drawn}
    counts = catalog.rows("SELECT task, count(DISTINCT sample_id) AS n FROM samples GROUP BY task ORDER BY task")
    return {r["task"]: r["n"] for r in counts if r["task"] not in reached and task in (None, r["task"])}


def nothing_packaged(packages: Iterable[str], task: str | None) -> str:
    """What to tell when there is no sample to look at."""
    which = f"no sample of task {task!r}" if task else "no sample of the dataset"
    return (
        f"{which} is in {', '.join(packages)}; its `left_out.jsonl` says why. A package with sound takes more: "
        "add `huggingface` or `llamafactory: {modalities: [vision, audio]}` under `package:` and package again"
    )


def _index(folder: Path) -> dict[str, dict[str, Any]]:
    with (folder / INDEX).open(encoding="utf-8") as lines:
        return {row["file"]: row for row in map(json.loads, lines)}


def samples_of(catalog: Catalog, wanted: Iterable[str]) -> dict[str, Sample]:
    """The stored samples by identifier; malformed rows are left out (plain `verify` names them)."""
    found: dict[str, Sample] = {}
    for row in catalog.rows(
        "SELECT * FROM samples WHERE list_contains(?, sample_id) ORDER BY producer DESC", [list(wanted)]
    ):
        try:
            found[row["sample_id"]] = Sample.from_row(row)
        except (ValueError, KeyError, TypeError):
            continue
    return found
