"""Chains of reasoning as typed steps over evidence rows, which can be run again: what was looked up, compared, computed.

A step names its result; later steps use it. `replay` runs the steps over rows and gives the typed answer, so a chain is
not a story about an answer but the way to it: with another row under the same steps, another answer comes out, or a
`Broken` step with the reason. What is no evidence stands in a step as `given`: what the question itself says (a quotation,
the window, the options) and the thresholds of rules. A chain says nothing about why a reader should believe its rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from .chain_operations import OPERATIONS, RELATIONS, Impossible
from .sample import (
    AbsentAnswer,
    Answer,
    BoxAnswer,
    ChoiceAnswer,
    NumberAnswer,
    OrderAnswer,
    PartAnswer,
    SpanAnswer,
    SpanBoxAnswer,
    SpansAnswer,
    TextAnswer,
    TubeAnswer,
)
from .span import from_us, to_us

Evidence = Mapping[str, Mapping[str, Any]]
"""Stored rows by `row_id`."""
AnswerKind = Literal["span", "spans", "box", "span_box", "tube", "choice", "order", "number", "text", "absent"]
LEAST_ARGUMENTS: dict[str, int] = {"spans": 1, "order": 1, "absent": 0, "box": 2, "span_box": 2, "tube": 2}
"""Results that a conclusion needs; one where nothing stands here."""


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Name of the result: s1, s2 ... in order."""
    note: str = ""
    """What the step says, in words, with slots such as `{s3}` and `{s2.text}`; '' for bookkeeping."""


class Locate(_Step):
    """When cited rows are: the span [start_s, end_s) of one, the list of spans of several; or the moment `t_s`."""

    step: Literal["locate"] = "locate"
    table: str
    rows: tuple[str, ...]
    by: Literal["span", "moment"] = "span"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return ("start_s", "end_s") if self.by == "span" else ("t_s",)


class Read(_Step):
    """What cited rows say: one value, a list over rows, or a list of records over rows for several columns."""

    step: Literal["read"] = "read"
    table: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    pooled: bool = False
    """The rows count together only (a mean over frames), none of them alone."""


class Compare(_Step):
    """Whether a relation holds between two results, or between one and what is given."""

    step: Literal["compare"] = "compare"
    left: str
    relation: str
    right: str | None = None
    given: Any = None


class Compute(_Step):
    """A named operation over earlier results and what is given."""

    step: Literal["compute"] = "compute"
    operation: str
    over: tuple[str, ...] = ()
    given: dict[str, Any] = Field(default_factory=dict)


class Conclude(_Step):
    """The typed answer: made of results, on condition that all comparisons named in `holds` hold."""

    step: Literal["conclude"] = "conclude"
    answer: AnswerKind
    over: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    unit: str = ""


Step = Annotated[Locate | Read | Compare | Compute | Conclude, Field(discriminator="step")]
_STEPS: TypeAdapter[tuple[Step, ...]] = TypeAdapter(tuple[Step, ...])


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a chain gives no answer: which step fails, and how."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """A chain that was run: its answer, and the result of every step by name."""

    answer: PartAnswer
    values: Mapping[str, Any]


def to_json(steps: Sequence[Step]) -> str:
    """Steps as canonical JSON."""
    data = [s.model_dump(mode="json", exclude_defaults=True) | {"step": s.step} for s in steps]
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_json(text: str) -> tuple[Step, ...] | Broken:
    """The steps of a JSON text, or why they are none."""
    try:
        return _STEPS.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        return Broken("", f"{'.'.join(map(str, first['loc']))}: {first['msg']}")


def cited(steps: Sequence[Step]) -> Iterator[tuple[str, str, str]]:
    """(table, row_id, column) of every value that the steps look up, each once, in order."""
    seen: set[tuple[str, str, str]] = set()
    for step in steps:
        if isinstance(step, Locate | Read):
            for row in step.rows:
                for column in step.columns:
                    if (step.table, row, column) not in seen:
                        seen.add((step.table, row, column))
                        yield step.table, row, column


def problems(steps: Sequence[Step]) -> list[str]:
    """What is wrong with a chain in itself: unknown names or operations, a missing conclusion, steps that lead nowhere."""
    found: list[str] = []
    known: set[str] = set()
    links: dict[str, set[str]] = {}
    for step in steps:
        used = uses(step)
        found += [f"{step.name} uses {name}, which is no earlier result" for name in sorted(used - known)]
        if step.name in known:
            found.append(f"two steps are called {step.name}")
        if isinstance(step, Compare) and step.relation not in RELATIONS:
            found.append(f"{step.name}: unknown relation {step.relation!r}")
        if isinstance(step, Compute) and step.operation not in OPERATIONS:
            found.append(f"{step.name}: unknown operation {step.operation!r}")
        if isinstance(step, Locate | Read) and not step.rows:
            found.append(f"{step.name} cites no row")
        known.add(step.name)
        links[step.name] = used
    ends = [s for s in steps if isinstance(s, Conclude)]
    if len(ends) != 1 or not steps or steps[-1] is not ends[0]:
        found.append("a chain ends with its one conclusion")
        return found
    reached, waiting = set[str](), [ends[0].name]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += sorted(links.get(name, ()))
    found += [f"the conclusion does not rest on {s.name}" for s in steps if s.name not in reached]
    return found


def replay(steps: Sequence[Step], evidence: Evidence, known: Mapping[str, Any] | None = None) -> Replayed | Broken:
    """Run the steps over the rows, except those whose results are `known`. Never raises for rows or steps that are wrong:
    they are `Broken`.
    """
    values: dict[str, Any] = dict(known or {})
    for step in steps:
        if step.name in values:
            continue
        try:
            if isinstance(step, Conclude):
                failed = next((name for name in step.holds if values.get(name) is not True), None)
                if failed is not None:
                    return Broken(failed, "does not hold")
                return Replayed(_conclusion(step, [values[name] for name in step.over]), values)
            values[step.name] = _result(step, evidence, values)
        except Impossible as reason:
            return Broken(step.name, str(reason))
        except KeyError as error:
            return Broken(step.name, f"{error.args[0]!r} is not there")
        except (ValueError, TypeError, IndexError, ArithmeticError, AttributeError) as error:
            return Broken(step.name, f"cannot be done: {error}")
    return Broken("", "the chain has no conclusion")


def same_answer(a: Answer, b: Answer) -> bool:
    """Equality of typed answers, numbers within a microunit."""
    return _close(a.model_dump(), b.model_dump())


def uses(step: Step) -> set[str]:
    """Names of the results that a step uses."""
    match step:
        case Compare(left=left, right=right):
            return {left} | ({right} if right is not None else set())
        case Compute(over=over):
            return set(over)
        case Conclude(over=over, holds=holds):
            return {*over, *holds}
    return set()


def _result(step: Locate | Read | Compare | Compute, evidence: Evidence, values: Mapping[str, Any]) -> Any:
    match step:
        case Locate(rows=rows, by=by):
            places = [_place(_row(evidence, r), by) for r in rows]
            return places[0] if len(rows) == 1 else places
        case Read(rows=rows, columns=(column,)):
            told = [_row(evidence, r)[column] for r in rows]
            return told[0] if len(rows) == 1 else told
        case Read(rows=rows, columns=columns):
            records = [_row(evidence, r) for r in rows]
            return [{"row_id": i, **{c: r[c] for c in columns}} for i, r in zip(rows, records, strict=True)]
        case Compare(left=left, relation=relation, right=right, given=given):
            return bool(RELATIONS[relation](values[left], values[right] if right is not None else given))
        case Compute(operation=operation, over=over, given=given):
            return OPERATIONS[operation](*[values[name] for name in over], **given)


def _row(evidence: Evidence, row_id: str) -> Mapping[str, Any]:
    row = evidence.get(row_id)
    if row is None:
        raise Impossible(f"row {row_id} is not among the evidence")
    return row


def _place(row: Mapping[str, Any], by: str) -> float | tuple[float, float]:
    if by == "moment":
        return from_us(to_us(row["t_s"]))
    start, end = to_us(row["start_s"]), to_us(row["end_s"])
    if not 0 <= start < end:
        raise Impossible(f"{row['start_s']:g}..{row['end_s']:g} s is no span")
    return from_us(start), from_us(end)


def _conclusion(step: Conclude, over: Sequence[Any]) -> PartAnswer:
    if len(over) < LEAST_ARGUMENTS.get(step.answer, 1):
        raise Impossible(f"an answer of the kind {step.answer} needs more results")
    match step.answer:
        case "span":
            return SpanAnswer(start_s=over[0][0], end_s=over[0][1])
        case "spans":
            return SpansAnswer(spans=tuple(sorted((s[0], s[1]) for s in over)))
        case "box":
            return BoxAnswer(t_s=over[0], box=tuple(over[1]))
        case "span_box":
            return SpanBoxAnswer(start_s=over[0][0], end_s=over[0][1], box=tuple(over[1]))
        case "tube":
            return TubeAnswer(
                start_s=over[0][0], end_s=over[0][1], boxes=tuple(map(tuple, over[1])), said=step.unit or "both"
            )
        case "choice":
            return ChoiceAnswer(index=over[0])
        case "order":
            return OrderAnswer(order=tuple(over[0]) if len(over) == 1 else tuple(over))
        case "number":
            return NumberAnswer(value=over[0], unit=step.unit)
        case "text":
            return TextAnswer(text=over[0])
        case "absent":
            return AbsentAnswer()


def _close(a: Any, b: Any) -> bool:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_close(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_close, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return isinstance(a, int | float) and isinstance(b, int | float) and math.isclose(a, b, abs_tol=1e-6)
    return bool(a == b)
