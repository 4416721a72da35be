"""Samples in words for people: markup with times in seconds and places in per cent, answers and evidence in short.

Nothing here is for a trainer (packagers do that): options keep their canonical order and get no letters. Text that is
not markup is shown as it is, so that a broken sample can still be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..schemas.markup import (
    AnswerMark,
    BoxAt,
    BoxMark,
    MarkupError,
    Media,
    Moment,
    OptionsMark,
    SpanMark,
    Text,
    Token,
    parse,
    replace,
)
from ..schemas.sample import (
    AbsentAnswer,
    BoxAnswer,
    ChoiceAnswer,
    Evidence,
    NumberAnswer,
    OrderAnswer,
    Sample,
    SpanAnswer,
    SpanBoxAnswer,
    SpansAnswer,
    TextAnswer,
    TubeAnswer,
    TurnsAnswer,
)


def seconds(t_s: float) -> str:
    """A time to the hundredth of a second: `12.4`, `3`."""
    return f"{t_s:.2f}".rstrip("0").rstrip(".")


def span_words(start_s: float, end_s: float) -> str:
    """`3.2-7.9 s`."""
    return f"{seconds(start_s)}-{seconds(end_s)} s"


def place_words(box: Sequence[float]) -> str:
    """`x 12-55%, y 30-61%`: shares of width and height from the top left."""
    x1, y1, x2, y2 = (f"{100 * v:.0f}" for v in box)
    return f"x {x1}-{x2}%, y {y1}-{y2}%"


def box_words(box: Sequence[float]) -> str:
    """`box x 12-55%, y 30-61%`."""
    return f"box {place_words(box)}"


def readable(text: str, sample: Sample) -> str:
    """Markup of one of the sample's turns, options or steps as plain words on the clock of the source."""

    def word(token: Token) -> str:
        match token:
            case Text(text=plain):
                return plain
            case Moment(t_s, medium):
                return f"{seconds(t_s)} s{_of(medium)}"
            case SpanMark(start_s, end_s, medium):
                return span_words(start_s, end_s) + _of(medium)
            case BoxMark(x1, y1, x2, y2, medium):
                return box_words((x1, y1, x2, y2)) + _of(medium)
            case BoxAt(t_s, x1, y1, x2, y2, medium):
                return f"{box_words((x1, y1, x2, y2))} at {seconds(t_s)} s{_of(medium)}"
            case Media(kind, medium):
                return f"[{kind} {medium}]" if len(sample.media) > 1 else ""
            case OptionsMark():
                return ""
            case AnswerMark(part):
                return ", ".join(_quoted(words) for words in _chosen(_single(sample, part)))

    try:
        return "\n".join(line.strip() for line in replace(text, word).splitlines() if line.strip())
    except MarkupError:
        return text


def _quoted(words: str) -> str:
    """In quotation marks, inner ones made single; a list of quotations as it is."""
    if words.startswith("“") and words.endswith("”"):
        return words
    return f"“{words.replace('“', '‘').replace('”', '’')}”"


def _of(medium: int) -> str:
    return f" of medium {medium}" if medium > 1 else ""


def options_in_words(sample: Sample) -> list[str]:
    """The options in canonical order."""
    return [readable(option.text, sample) or f"option {i + 1}" for i, option in enumerate(sample.options)]


def answer_words(sample: Sample) -> str:
    """The typed answer."""
    match sample.answer:
        case SpanAnswer(start_s=start, end_s=end):
            return span_words(start, end)
        case SpansAnswer(spans=spans):
            return ", ".join(span_words(*s) for s in spans)
        case BoxAnswer(t_s=t_s, box=box):
            return f"{place_words(box)} at {seconds(t_s)} s"
        case SpanBoxAnswer(start_s=start, end_s=end, box=box):
            return f"{span_words(start, end)}, {place_words(box)}"
        case TubeAnswer(start_s=start, end_s=end, boxes=boxes):
            places = "; ".join(f"{place_words(edges)} at {seconds(t_s)} s" for t_s, *edges in boxes)
            return f"{span_words(start, end)}: {places}"
        case ChoiceAnswer():
            return "".join(_chosen(sample))
        case OrderAnswer(order=order):
            return ", ".join(str(i + 1) for i in order) + " of the options as listed"
        case NumberAnswer(value=value, unit=unit):
            return f"{value:g} {unit}".strip()
        case TextAnswer(text=text):
            return readable(text, sample)
        case AbsentAnswer():
            return "it does not happen"
        case TurnsAnswer(parts=parts):
            return "; ".join(f"{i}: {answer_words(_single(sample, i))}" for i in range(1, len(parts) + 1))


def _single(sample: Sample, part: int) -> Sample:
    """One part of a conversation as a sample of its own; any other sample as it is."""
    if not isinstance(sample.answer, TurnsAnswer) or not 1 <= part <= len(sample.answer.parts):
        return sample
    chosen = sample.answer.parts[part - 1]
    return sample.model_copy(update={"answer": chosen.answer, "options": sample.options[slice(*chosen.options)]})


def options_of_turn(sample: Sample, turn: int) -> tuple[list[str], Sample]:
    """The options that are listed in a turn (index in `turns`), in words, with the part that asks as a sample."""
    if not isinstance(sample.answer, TurnsAnswer):
        return (options_in_words(sample) if turn == 0 else []), sample
    part = _single(sample, turn // 2 + 1)
    return (options_in_words(part) if turn % 2 == 0 else []), part


def _chosen(sample: Sample) -> list[str]:
    """The right option, or the options in their right order."""
    options = options_in_words(sample)
    match sample.answer:
        case ChoiceAnswer(index=index):
            chosen = [index]
        case OrderAnswer(order=order):
            chosen = list(order)
        case _:
            return [answer_words(sample)]
    return [options[i] if 0 <= i < len(options) else f"option {i + 1}, which does not exist" for i in chosen]


def answer_spans(sample: Sample) -> list[tuple[float, float]]:
    """Spans of the answer on the clock of the first medium, also those that the right option names."""
    match sample.answer:
        case (
            SpanAnswer(start_s=start, end_s=end)
            | SpanBoxAnswer(start_s=start, end_s=end)
            | TubeAnswer(start_s=start, end_s=end)
        ):
            return [(start, end)]
        case SpansAnswer(spans=spans):
            return list(spans)
        case ChoiceAnswer(index=index) if 0 <= index < len(sample.options):
            return spans_named([sample.options[index].text])
        case TextAnswer(text=text):
            return spans_named([text])
        case TurnsAnswer(parts=parts):
            return [span for i in range(1, len(parts) + 1) for span in answer_spans(_single(sample, i))]
    return []


def reasons(sample: Sample) -> dict[int, tuple[float, float]]:
    """What the steps of reasoning look at, by number of the step from 1: spans that are neither the answer nor most of the window.

    A step that names many spans compares them, and one that repeats a span adds nothing: both are left out.
    """
    window = sample.media[0].end_s - sample.media[0].start_s
    known, found = set(answer_spans(sample)), {}
    for number, step in enumerate(sample.rationale, start=1):
        named = spans_named([step])
        if not named or len(set(named)) > 2 or named[0] in known or named[0][1] - named[0][0] > 0.8 * window > 0:
            continue
        known.add(named[0])
        found[number] = named[0]
    return found


def spans_named(texts: Iterable[str]) -> list[tuple[float, float]]:
    """Spans of the first medium that markup names; moments are spans without length."""
    found: list[tuple[float, float]] = []
    for text in texts:
        try:
            tokens = parse(text)
        except MarkupError:
            continue
        for token in tokens:
            if isinstance(token, SpanMark) and token.medium == 1 and token.start_s < token.end_s:
                found.append((token.start_s, token.end_s))
            elif isinstance(token, Moment | BoxAt) and token.medium == 1:
                found.append((token.t_s, token.t_s))
    return found


def evidence_times(evidence: Evidence) -> tuple[float, float] | None:
    """The span, or the moment, that a cited row is about; None for rows without times."""
    values = evidence.values
    start, end = values.get("start_s"), values.get("end_s")
    if isinstance(start, int | float) and isinstance(end, int | float):
        return float(start), float(end)
    moment = values.get("t_s")
    return (float(moment), float(moment)) if isinstance(moment, int | float) else None


def evidence_words(evidence: Sequence[Evidence]) -> list[str]:
    """A line per cited table: its rows with their words, or how many there are."""
    tables: dict[str, list[Evidence]] = {}
    for row in evidence:
        tables.setdefault(row.table, []).append(row)
    lines = []
    for table, rows in tables.items():
        names = [_row_words(r.values) for r in rows]
        words = " ".join(names) if table == "words" else ", ".join(_quoted(n) for n in dict.fromkeys(names) if n)
        times = [t for t in map(evidence_times, rows) if t is not None]
        when = f", {span_words(min(t[0] for t in times), max(t[1] for t in times))}" if times else ""
        count = f", {len(rows)} rows" if len(rows) > 1 else ""
        lines.append(f"{table}{count}{when}" + (f": {words}" if words else ""))
    return lines


def _row_words(values: Mapping[str, Any]) -> str:
    """What a row says: its text, word, question or label, or what is true of what."""
    if values.get("subject") and values.get("value"):
        return f"{values['subject']}: {values['value']}"
    names = ("text", "word", "question", "phrase", "label")
    return next((str(values[name]) for name in names if values.get(name)), "")
