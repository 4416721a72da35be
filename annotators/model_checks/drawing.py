"""Which samples a check looks at, bounded and drawn by hash, and the rows that it writes about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit
from ...engine.kept import stored_samples
from ...schemas.ids import seeded_fraction
from ...schemas.sample import Sample


class CheckParams(Params):
    """Which samples a check looks at."""

    tasks: tuple[str, ...] | None = Field(None, description="Only samples of these tasks; default: as the check says.")
    most: int = Field(5, ge=1, description="Samples of one task per medium, at most; drawn by hash.")
    share: float = Field(1.0, gt=0, le=1, description="Share of the samples that is looked at; drawn by hash.")


@dataclass(frozen=True)
class Drawn:
    """A sample to be looked at."""

    sample_id: str
    sample: Sample

    def row(
        self, check: str, variant: str, passed: bool | None, score: float | None, model: str | None, detail: str,
        request_hash: str | None,
    ) -> Row:  # fmt: skip
        """A row of `sample_checks`."""
        return "sample_checks", {
            "media_id": self.sample.media[0].media_id,
            "sample_id": self.sample_id,
            "task": self.sample.task,
            "check_name": check,
            "variant": variant,
            "passed": passed,
            "score": None if score is None else round(float(score), 6),
            "model": model,
            "detail": detail or None,
            "request_hash": request_hash,
        }


def proposed(sample: Sample) -> bool:
    """Whether a model proposed it."""
    return any(e.table == "proposals" for e in sample.evidence)


def drawn(rows: Rows, unit: Unit, check: str, params: CheckParams, wanted: Any) -> list[Drawn]:
    """At most `most` samples per task, of those that `wanted(sample)` takes (and of `tasks`, where they are named).

    Raises `SkipUnit` when there are none. Members of a pair are drawn together as far as the bound allows.
    """
    by_task: dict[str, list[tuple[float, str, Drawn]]] = defaultdict(list)
    for sample_id, sample in stored_samples(rows):
        if params.tasks is not None and sample.task not in params.tasks:
            continue
        lot = seeded_fraction("check", check, unit.seed, sample.pair_id or sample_id)
        if lot < params.share and wanted(sample):
            by_task[sample.task].append((lot, sample_id, Drawn(sample_id, sample)))
    found = [d for task in sorted(by_task) for _, _, d in sorted(by_task[task], key=lambda x: x[:2])[: params.most]]
    if not found:
        raise SkipUnit("no sample that this check looks at")
    return found


def of_medium(rows: Rows, media_id: str) -> Rows:
    """The rows about one medium alone."""
    return Rows({table: [r for r in rows[table] if r.get("media_id") == media_id] for table in rows})


def writers(rows: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Sample -> models that proposed it, from rows of `proposals`."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["sample_id"] and row["model"]:
            found[str(row["sample_id"])].add(str(row["model"]))
    return found
