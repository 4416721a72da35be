"""Writing a chain step by step: a `Trail` names the steps and hands back the names, for tasks that record their own run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from .chain import AnswerKind, Compare, Compute, Conclude, Locate, Read, Step

RowDict = Mapping[str, Any]


class Trail:
    """Steps in the making; comparisons become conditions of the conclusion. In a note, `{@}` is the step's own result."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._holds: list[str] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps so far."""
        return tuple(self._steps)

    def locate(
        self, table: str, rows: Sequence[RowDict], *, by: Literal["span", "moment"] = "span", note: str = ""
    ) -> str:
        """When rows are."""
        return self._add(Locate(name=self._next, note=note, table=table, rows=_ids(rows), by=by))

    def read(self, table: str, rows: Sequence[RowDict], *columns: str, pooled: bool = False, note: str = "") -> str:
        """What rows say."""
        return self._add(Read(name=self._next, note=note, table=table, rows=_ids(rows), columns=columns, pooled=pooled))

    def compute(self, operation: str, *over: str, note: str = "", **given: Any) -> str:
        """A named operation."""
        return self._add(Compute(name=self._next, note=note, operation=operation, over=over, given=given))

    def require(self, left: str, relation: str, given: Any = None, *, right: str | None = None, note: str = "") -> str:
        """A comparison on which the conclusion rests."""
        name = self._add(Compare(name=self._next, note=note, left=left, relation=relation, right=right, given=given))
        self._holds.append(name)
        return name

    def conclude(self, answer: AnswerKind, *over: str, note: str = "", unit: str = "") -> None:
        """The end."""
        step = Conclude(name=self._next, note=note, answer=answer, over=over, holds=tuple(self._holds), unit=unit)
        self._add(step)

    @property
    def _next(self) -> str:
        return f"s{len(self._steps) + 1}"

    def _add(self, step: Step) -> str:
        self._steps.append(step.model_copy(update={"note": step.note.replace("{@", "{" + step.name)}))
        return step.name


def _ids(rows: Sequence[RowDict]) -> tuple[str, ...]:
    return tuple(str(r["row_id"]) for r in rows)
