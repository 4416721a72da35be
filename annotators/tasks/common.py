"""What the tasks share: which clips are kept, citing rows, putting turns together, and comparing a sample
with its rebuild.

Every task here writes a sample with one pure function of its evidence, the shown window and the identifiers
of its wordings, and checks a stored sample by calling that function again: whatever part of a sample does
not follow from the evidence differs from the rebuild, be it the answer, an option, a word of the question or
a step of the rationale.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from ...engine.task import EvidenceRow
from ...engine.wordings import Wordings, load_wordings
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.markup import Moment, SpanMark, render
from ...schemas.sample import ChoiceAnswer, Evidence, OrderAnswer, Sample, SpanAnswer, SpanBoxAnswer, Turn
from ...schemas.span import Span, from_us, merge, to_us
from ...schemas.verifying import Check, check_choice, check_order, check_span

T = TypeVar("T")
RowDict = Mapping[str, Any]

MEDIA_COLUMNS = ("kind", "duration_s", "origin", "width", "height")
CLIP_COLUMNS = ("clip_id", "start_s", "end_s")


class Withheld(Exception):
    """There is no honest sample here; the message says why. Raised by the pure functions, caught while
    writing.
    """


def wordings_of(task: str) -> Wordings:
    """The wordings of a task, from the file beside the tasks."""
    return load_wordings(Path(__file__).parent / "wordings" / f"{task}.yaml")


def kind_of(media: RowDict) -> Literal["video", "audio"]:
    """How a sample shows the medium: as video when it has pictures."""
    return "video" if media["kind"] == "video" else "audio"


def span_of(row: RowDict) -> Span:
    """`[start_s, end_s)` of a row on the microsecond grid. Raises ValueError when it is empty."""
    return Span(row["start_s"], row["end_s"]).quantised()


def covering(clips: Sequence[RowDict], spans: Sequence[Span]) -> list[RowDict] | None:
    """The fewest leading clips in time order that together cover all spans, or None."""
    touching = [c for c in clips if any(span_of(c).intersection(s) for s in spans)]
    alone = [c for c in touching if all(span_of(c).contains_span(s) for s in spans)]
    if alone:
        return alone[:1]
    union = merge(span_of(c) for c in touching)
    return touching if all(any(u.contains_span(s) for u in union) for s in spans) else None


def inside(rows: Iterable[T], window: Span, start: Callable[[T], float], end: Callable[[T], float]) -> list[T]:
    """Those that lie wholly in the window, compared in whole microseconds."""
    low, high = to_us(window.start_s), to_us(window.end_s)
    return [r for r in rows if low <= to_us(start(r)) and to_us(end(r)) <= high]


def cite(table: str, row: RowDict, columns: Sequence[str]) -> Evidence:
    """Evidence: the row and the columns used."""
    values = {name: row[name] for name in columns}
    return Evidence(table=table, row_id=row["row_id"], values=json.loads(json.dumps(values)))


def rows_of(evidence: Sequence[EvidenceRow], table: str) -> list[dict[str, Any]]:
    """The cited rows of one table, in the order in which they are cited."""
    return [e.row for e in evidence if e.table == table]


def only_row(evidence: Sequence[EvidenceRow], table: str) -> dict[str, Any]:
    """The one cited row of a table. Raises `Withheld` when there is none or several."""
    found = rows_of(evidence, table)
    if len(found) != 1:
        raise Withheld(f"{len(found)} rows of {table} are cited instead of one")
    return found[0]


def shuffled(items: Iterable[T], *seed: Any, key: Callable[[T], Any]) -> list[T]:
    """The items in an order that depends on nothing but the seed and their keys."""
    return sorted(items, key=lambda item: (seeded_fraction(*seed, key(item)), str(key(item))))


def spread(candidates: Sequence[T], label: Callable[[T], Any], most: int) -> list[T]:
    """At most `most` candidates, rarest labels first come: one of each label in turn, candidates in their
    given order.
    """
    by_label: dict[Any, list[T]] = {}
    for candidate in candidates:
        by_label.setdefault(label(candidate), []).append(candidate)
    chosen: list[T] = []
    while len(chosen) < most and any(by_label.values()):
        for waiting in by_label.values():
            if waiting and len(chosen) < most:
                chosen.append(waiting.pop(0))
    return chosen


def moment(t_s: float) -> str:
    """`<t:...>` in canonical decimals."""
    return render([Moment(t_s)])


def span_mark(span: Span) -> str:
    """`<span:...>` in canonical decimals."""
    return render([SpanMark(span.start_s, span.end_s)])


def grid(t_s: float) -> float:
    """A time on the microsecond grid."""
    return from_us(to_us(t_s))


def dialogue(shown: str, question: str, answer: str, *, options: bool = False) -> tuple[Turn, ...]:
    """A question under the media tags in `shown`, with the place of the options after it, and its answer."""
    text = f"{shown}\n{question}" + ("\n<options>" if options else "")
    return Turn(role="user", text=text), Turn(role="assistant", text=answer)


def placement(window: Span, evidence: Span) -> dict[str, float]:
    """Difficulty factors of grounding: the share of the window that is evidence and where its centre lies
    (0..1).
    """
    return {
        "evidence_ratio": round(evidence.length_s / window.length_s, 6),
        "position": round((evidence.centre_s - window.start_s) / window.length_s, 6),
    }


def pair_id(task: str, clip_id: str, window: Span) -> str:
    """Shared by a sample of a clip and its samples on edited twins of that clip."""
    return derive_id("pair", task, clip_id, window.start_s, window.end_s)


def rebuilt(sample: Sample, build: Callable[[], Sample]) -> Check:
    """Whether `sample` is what `build` makes of its evidence; the reason names what differs, the answer
    first.

    `build` may raise `Withheld`: then the evidence does not support any sample.
    """
    try:
        expected = build()
    except Withheld as reason:
        return Check(False, str(reason), 0.0)
    answer = _same_answer(sample, expected)
    if not answer.ok:
        return answer
    for name in (
        "media",
        "options",
        "turns",
        "rationale",
        "needs",
        "origin",
        "clip_id",
        "pair_id",
        "difficulty",
        "evidence",
    ):
        ours, theirs = getattr(sample, name), getattr(expected, name)
        if not _same(ours, theirs):
            return Check(
                False,
                f"{name} differ from what the evidence gives: {_short(ours)} instead of {_short(theirs)}",
                0.0,
            )
    return Check(True, "", 1.0)


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return ours.keys() == theirs.keys() and all(abs(ours[k] - theirs[k]) <= 1e-6 for k in ours)
    if isinstance(ours, tuple) and ours and isinstance(ours[0], Evidence):
        return [(e.table, e.row_id, set(e.values)) for e in ours] == [
            (e.table, e.row_id, set(e.values)) for e in theirs
        ]
    return bool(ours == theirs)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 160 else text[:157] + "..."


def _same_answer(sample: Sample, expected: Sample) -> Check:
    match sample.answer, expected.answer:
        case (SpanAnswer() as ours, SpanAnswer() as truth):
            return check_span(Span(ours.start_s, ours.end_s), Span(truth.start_s, truth.end_s), 0.0)
        case (SpanBoxAnswer() as ours, SpanBoxAnswer() as truth) if ours.box == truth.box:
            return check_span(Span(ours.start_s, ours.end_s), Span(truth.start_s, truth.end_s), 0.0)
        case (ChoiceAnswer(index=mine), ChoiceAnswer(index=right)) if 0 <= mine < len(sample.options):
            check = check_choice(sample.options[mine].text, expected.options[right].text)
            return check if not check.ok or mine == right else Check(False, f"option {mine} instead of {right}", 0.0)
        case (OrderAnswer(order=mine), OrderAnswer(order=right)):
            return check_order(mine, right)
    same = sample.answer == expected.answer
    return Check(same, "" if same else f"{_short(sample.answer)} instead of {_short(expected.answer)}", float(same))
