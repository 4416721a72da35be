"""Does a chain's conclusion rest on what it cites? Every cited value is changed in turn, and the chain is run again.

A value counts as borne out when some change of it, out of a fixed list, changes the answer or makes a step fail; a value
for which none does is idle: the chain quotes it, but would say the same without it. Rows that count together only (the
frames of a mean) are changed together. That rows which no step cites play no part holds by construction, and is run too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .chain import Broken, Compare, Compute, Evidence, Locate, Read, Replayed, Step, replay, same_answer, uses

OTHER_TEXT = "qqxz vvkj"
FAR = 1000.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """What changing the cited values one by one did: how many there are, and those that changed nothing."""

    values: int
    idle: tuple[tuple[str, str, str], ...]
    """(table, row_id, column); of rows that are changed together the first."""
    closed: bool
    """Whether the same answer comes out when only the cited rows are there."""

    @property
    def faithful(self) -> bool:
        """Whether the conclusion rests on every cited value and on nothing else."""
        return self.closed and not self.idle


def doubt(steps: Sequence[Step], evidence: Evidence, run: Replayed) -> Doubt:
    """Change everything that the chain cites, one value at a time; `run` is its replay on `evidence`."""
    texts = sorted(set(_given_texts(steps)))
    after = _affected(steps)
    idle: list[tuple[str, str, str]] = []
    count = 0
    for table, rows, columns, users in _units(steps):
        count += 1
        touched = set().union(*(after[u] for u in users))
        known = {name: value for name, value in run.values.items() if name not in touched}
        beside = _beside(steps, table, rows, evidence)
        if not any(
            _differs(replay(steps, {**evidence, **altered}, known), run)
            for altered in _alterations(rows, columns, evidence, texts, beside)
        ):
            idle.append((table, rows[0], columns[0]))
    cited_rows = {r for s in steps if isinstance(s, Locate | Read) for r in s.rows}
    alone = replay(steps, {r: row for r, row in evidence.items() if r in cited_rows})
    return Doubt(count, tuple(idle), not _differs(alone, run))


def _differs(again: Replayed | Broken, run: Replayed) -> bool:
    return isinstance(again, Broken) or not same_answer(again.answer, run.answer)


def _units(steps: Sequence[Step]) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """(table, rows, columns, names of the steps that look it up) of what is changed together."""
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for step in steps:
        if isinstance(step, Read) and step.pooled:
            found.setdefault((step.table, step.rows, step.columns), []).append(step.name)
        elif isinstance(step, Locate | Read):
            for row in step.rows:
                for column in step.columns:
                    found.setdefault((step.table, (row,), (column,)), []).append(step.name)
    pooled = {(t, r, c): names for (t, r, c), names in found.items() if len(r) > 1 or len(c) > 1}
    for (table, rows, columns), names in found.items():
        together = [n for (t, r, c), n in pooled.items() if t == table and set(rows) & set(r) and set(columns) & set(c)]
        yield table, rows, columns, tuple(dict.fromkeys([*names, *(n for ns in together for n in ns)]))


def _affected(steps: Sequence[Step]) -> dict[str, set[str]]:
    """For each step the steps that follow from it, itself included."""
    after: dict[str, set[str]] = {s.name: {s.name} for s in steps}
    for step in steps:
        used = uses(step)
        for reached in after.values():
            if used & reached:
                reached.add(step.name)
    return after


def _given_texts(steps: Sequence[Step]) -> Iterator[str]:
    """Texts that the question gives: what a wrong row might say instead."""
    for step in steps:
        if isinstance(step, Compare) and isinstance(step.given, str):
            yield step.given
        elif isinstance(step, Compute) and isinstance(step.given.get("query"), str):
            yield step.given["query"]


def _beside(steps: Sequence[Step], table: str, rows: Sequence[str], evidence: Evidence) -> list[Mapping[str, Any]]:
    """Other rows that stand in the same steps: their values are plausible wrong ones."""
    lists = [s.rows for s in steps if isinstance(s, Locate | Read) and s.table == table and set(rows) <= set(s.rows)]
    longest = max(lists, key=len, default=())
    return [evidence[r] for r in longest if r not in rows and r in evidence][:2]


def _alterations(
    rows: Sequence[str],
    columns: Sequence[str],
    evidence: Evidence,
    texts: Sequence[str],
    beside: Sequence[Mapping[str, Any]],
) -> Iterator[dict[str, Mapping[str, Any]]]:
    """The changed rows, one change at a time."""
    for column in columns:
        values = [evidence[r][column] for r in rows]
        if len(rows) > 1 and isinstance(values[0], str):
            for text in (*texts, OTHER_TEXT):
                said = [text, *[""] * (len(rows) - 1)]
                yield {r: {**evidence[r], column: v} for r, v in zip(rows, said, strict=True)}
            continue
        changes = [list(_changes(v, texts)) for v in values]
        for k in range(max(map(len, changes))):
            yield {r: {**evidence[r], column: c[min(k, len(c) - 1)]} for r, c in zip(rows, changes, strict=True)}
        if len(rows) == 1:
            for other in beside:
                if other.get(column) != values[0]:
                    yield {rows[0]: {**evidence[rows[0]], column: other.get(column)}}


def _changes(value: Any, texts: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, str):
        others = [t for t in texts if t != value]
        # a word of what is quoted fails as any other text; a sentence must only not be what is quoted
        yield from (*others, OTHER_TEXT) if " " in value else (OTHER_TEXT, *others)
    elif isinstance(value, int):
        yield from (value + int(FAR), -value - int(FAR))
    elif isinstance(value, float):
        yield from (value + FAR, -value - FAR, -value, 0.0)
    elif isinstance(value, list | tuple) and any(isinstance(v, str) for v in value):
        yield [OTHER_TEXT for _ in value]
    elif isinstance(value, list | tuple):
        yield [v + 1 for v in value]
        yield [0 * v for v in value]
        yield list(reversed(value))
    else:
        yield from (0.0, -FAR)
