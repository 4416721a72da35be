"""What a report must know of a task beside its samples: which baselines must fail, and which wordings there are.

Tasks are found as the newest build of each recipe configured them (table `runs`); one that cannot be loaded any more is
judged by the defaults of the contract, and its wordings are those that its samples use.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...engine.asking import AskingTask
from ...engine.catalog import Catalog
from ...engine.registry import UnknownName, find
from ...engine.task import Task
from ...engine.wordings import WordingError, Wordings, load_wordings

_RUNS = (
    "SELECT producers_json FROM runs WHERE command = 'build' "
    "QUALIFY row_number() OVER (PARTITION BY recipe ORDER BY started_at DESC, run_id DESC) = 1 ORDER BY recipe"
)


@dataclass(frozen=True)
class TaskFacts:
    """What is declared about a task."""

    task: str
    must_hurt: tuple[str, ...] = Task.must_hurt
    second: str | None = None
    wordings: Wordings | None = None
    asks: bool = False
    """Whether a model words its questions."""


def task_facts(catalog: Catalog) -> dict[str, TaskFacts]:
    """Facts of every task that has samples, by name."""
    names = [r["task"] for r in catalog.rows("SELECT DISTINCT task FROM samples ORDER BY task")]
    folders: dict[str, tuple[str, str | None]] = {}
    for settings in build_settings(catalog):
        checked: dict[str, Any] = next((s for s in settings.values() if s["annotator"] == "verdicts"), {})
        for spec in checked.get("params", {}).get("tasks", {}).values():
            kind = _found(spec["annotator"], spec.get("folder"))
            if kind is not None:
                folders[kind.name] = spec["annotator"], spec.get("folder")
    return {name: _facts(name, *folders.get(name, (name, None))) for name in names}


def build_settings(catalog: Catalog) -> list[dict[str, Any]]:
    """Producer -> settings, of the newest build of each recipe."""
    return [json.loads(row["producers_json"] or "{}") for row in catalog.rows(_RUNS)]


def _facts(name: str, annotator: str, folder: str | None) -> TaskFacts:
    kind = _found(annotator, folder)
    if kind is None:
        return TaskFacts(name)
    file = Path(inspect.getfile(kind)).parent / "wordings" / f"{name}.yaml"
    try:
        wordings = load_wordings(file) if file.is_file() else None
    except WordingError:
        wordings = None
    return TaskFacts(
        name, tuple(kind.must_hurt), kind.second, wordings, issubclass(kind, AskingTask) and wordings is None
    )


def _found(annotator: str, folder: str | None) -> type[Task[Any]] | None:
    try:
        kind = find("annotator", annotator, relative_to=Path(folder) if folder else None)
    except (UnknownName, ImportError):
        return None
    return kind if isinstance(kind, type) and issubclass(kind, Task) else None
