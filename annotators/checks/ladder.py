"""Baselines that must not solve a task: each looks at one thing only, and answers samples of footage it has not seen.

The most frequent answer, the options alone, the question with its options, the best fixed interval, and on stored picture
embeddings the first frame, the middle frame and all frames without their order. What they earn above chance is what a
task gives away (`chronotope report`). Without embeddings of a sample's media there are no attempts with pictures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from ...engine.annotator import Grain, Params, Row, Rows, SkipUnit, Stage, Unit, UnitAnnotator
from ...engine.ladder.climb import Rules, climb
from ...engine.ladder.item import Item, items_of
from ...engine.ladder.pictures import PictureIndex
from ...schemas.ids import seeded_fraction
from ...schemas.sample import PartAnswer


class LadderParams(Params):
    """Parameters of `ladder`."""

    folds: int = Field(5, ge=2, description="Held-out folds of groups of footage; never more than there are groups.")
    min_groups: int = Field(4, ge=2, description="Groups of footage of a task without which nothing is attempted.")
    min_samples: int = Field(20, ge=5, description="Samples of a task without which nothing is attempted.")
    max_samples: int = Field(2000, ge=10, description="Samples of a task that are attempted, at most; chosen by hash.")
    pictures: bool = Field(True, description="Whether stored embeddings are looked at, where there are any.")
    model: str | None = Field(
        None, description="Model whose embeddings are looked at; by default the one with most rows."
    )
    reach_s: float = Field(1.0, gt=0, description="Farthest that an embedded picture may lie from the wanted time, s.")


class Ladder(UnitAnnotator[LadderParams]):
    """Writes `attempts`: one row per sample and baseline."""

    name: ClassVar[str] = "ladder"
    version: ClassVar[int] = 2
    Params: ClassVar[type[Params]] = LadderParams
    reads: ClassVar[tuple[str, ...]] = ("samples", "groups", "embeddings", "edits")
    optional_reads: ClassVar[tuple[str, ...]] = ("embeddings", "edits")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"embeddings": ("t_s", "until_s", "model", "vector")}
    writes: ClassVar[tuple[str, ...]] = ("attempts",)
    stage: ClassVar[Stage] = "task"
    grain: ClassVar[Grain] = "corpus"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Attempts at every task with enough groups. Raises `SkipUnit` with the reasons when none has."""
        p = self.params
        items = _items(rows, p.max_samples, unit.seed)
        rules = Rules(p.folds, p.min_samples, p.min_groups, unit.seed)
        pictures = None
        if p.pictures and rows["embeddings"]:
            pictures = PictureIndex(rows["embeddings"], p.reach_s, p.model, rows["edits"])
        made: list[Row] = []
        withheld = []
        for task, members in sorted(items.items()):
            climbed = climb(members, rules, pictures)
            if climbed.withheld:
                withheld.append(f"{task}: {climbed.withheld}")
            for attempt in climbed.attempts:
                row = {
                    "media_id": attempt.item.media_id,
                    "sample_id": attempt.item.sample_id,
                    "task": task,
                    "solver": attempt.solver,
                    "answer_json": _json(attempt.answers),
                    "reward": round(attempt.reward, 6),
                    "correct": attempt.correct,
                    "chance": round(attempt.chance, 6),
                    "fold": attempt.fold,
                }
                made.append(("attempts", row))
        if not made:
            raise SkipUnit("; ".join(withheld) or "no samples")
        return made


def _items(rows: Rows, most: int, seed: int) -> dict[str, list[Item]]:
    """Samples by task, each once, at most `most` of each; members of a pair stay together."""
    groups = {str(row["sample_id"]): str(row["group_id"]) for row in rows["groups"]}
    by_task: dict[str, dict[str, tuple[float, dict[str, Any]]]] = defaultdict(dict)
    for row in rows["samples"]:
        drawn = seeded_fraction("ladder", seed, row["pair_id"] or row["sample_id"])
        by_task[str(row["task"])].setdefault(str(row["sample_id"]), (drawn, row))
    found: dict[str, list[Item]] = {}
    for task, samples in by_task.items():
        chosen = sorted(samples.items(), key=lambda s: (s[1][0], s[0]))[:most]
        found[task] = [item for i, (_, row) in chosen for item in items_of(row, groups.get(i, str(row["media_id"])))]
    return found


def _json(answers: tuple[PartAnswer, ...]) -> str:
    """One answer as itself, those of a conversation as a list."""
    told = [answer.model_dump_json() for answer in answers]
    return told[0] if len(told) == 1 else f"[{','.join(told)}]"


ANNOTATOR = Ladder
