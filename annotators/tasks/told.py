"""What is said or shown in a medium, as texts with spans: phrases of timed words, whole segments, writings on screen.

A phrase is the beginning of a sentence, so that all phrases look alike: sentences end at a full stop, at a pause, or where
the next word is missing. The rules are local, therefore the cited words alone give the same phrases again when a sample
is checked. Choice tasks build their options from these.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pydantic import Field

from ...engine.annotator import Params, Rows
from ...engine.distractors.falsity import alike
from ...engine.distractors.texts import Told
from ...engine.kept import one_producer
from ...schemas.readings import merge_readings, normalised
from ...schemas.sample import Need
from ...schemas.span import Span, overlap_s
from .common import RowDict, Withheld, span_of
from .phrases import ends_sentence, span_of_run
from .sight import readings_of

Kind = Literal["said", "shown"]
WORD_COLUMNS = ("start_s", "end_s", "word", "position", "confidence")
SPEECH_COLUMNS = ("start_s", "end_s", "text", "confidence")
TEXT_COLUMNS = ("start_s", "end_s", "text", "confidence", "x1", "y1", "x2", "y2")
COLUMNS = {"words": WORD_COLUMNS, "speech": SPEECH_COLUMNS, "text_regions": TEXT_COLUMNS}
NEEDS: dict[str, tuple[Need, ...]] = {"said": ("audio", "speech_text"), "shown": ("vision", "on_screen_text")}


class ToldParams(Params):
    """Which texts may be options."""

    phrase_words: tuple[int, int] = Field((4, 12), description="Least and greatest number of words of what is said.")
    letters: tuple[int, int] = Field((5, 60), description="Least and greatest number of letters of what is shown.")
    min_confidence: float = Field(0.6, description="Least mean confidence of recognition; NULL counts as sure.")
    min_readings: int = Field(
        2, ge=1, description="In how many pictures a shown text must be read, unless it is known for certain."
    )
    max_pause_s: float = Field(0.8, description="A longer silence ends a phrase.")
    min_text_s: float = Field(0.4, description="Shortest time for which an option must be said or shown.")


@dataclass(frozen=True)
class Source:
    """The texts of one kind, and the rows behind them."""

    kind: Kind
    table: str
    """Table of the rows that options are made of."""
    told: tuple[Told, ...]
    """What may be an option, in order of time."""
    witnesses: tuple[Told, ...]
    """All that is said or shown, including what is no option: what the falsity test looks at."""
    rows: dict[str, RowDict]
    """Every row by identifier."""


def said(rows: Rows, params: ToldParams) -> Source:
    """Phrases of one recogniser's words, or its segments where there are no words (subtitles)."""
    words = one_producer(rows["words"])
    producers = {w["producer"] for w in words}
    speech = [s for s in rows["speech"] if s["producer"] in producers] or one_producer(rows["speech"])
    words = words if any(s["producer"] in producers for s in speech) else []
    table = "words" if words else "speech"
    told = options_of(table, words or speech, params)
    witnesses = witnesses_of("speech", speech)
    return Source("said", table, told, witnesses, {str(r["row_id"]): r for r in (*words, *speech)})


def shown(rows: Rows, params: ToldParams) -> Source:
    """Appearances of writings on screen."""
    regions = one_producer(rows["text_regions"])
    told = options_of("text_regions", regions, params)
    return Source(
        "shown", "text_regions", told, witnesses_of("text_regions", regions), {str(r["row_id"]): r for r in regions}
    )


def options_of(table: str, rows: Sequence[RowDict], params: ToldParams) -> tuple[Told, ...]:
    """What these rows tell that may be an option, in order of time."""
    if table == "words":
        found = [_phrase(run, params) for run in _sentences(rows, params)]
    elif table == "speech":
        found = [_segment(row, params) for row in rows]
    else:
        found = _writings(rows, params)
    kept = [t for t in found if t is not None and t.span.length_s >= params.min_text_s]
    return tuple(sorted(kept, key=lambda t: (t.span, t.text, t.rows)))


def witnesses_of(table: str, rows: Iterable[RowDict]) -> tuple[Told, ...]:
    """All texts of segments, or of single readings on screen."""
    found = [
        Told(" ".join(str(r["text"]).split()), span_of(r), (r["row_id"],)) for r in rows if r["end_s"] > r["start_s"]
    ]
    return tuple(sorted(found, key=lambda t: (t.span, t.text, t.rows)))


def touching(witnesses: Iterable[Told], window: Span) -> list[Told]:
    """Those that overlap the window."""
    return [w for w in witnesses if overlap_s(w.span, window) > 0]


def briefly(witnesses: Sequence[Told]) -> list[Told]:
    """One witness for each distinct text and unbroken stretch: enough to say what is told when, without every picture.

    Stretches of equal readings are represented by their first and last one.
    """
    runs: dict[str, list[Told]] = {}
    for witness in witnesses:
        runs.setdefault(normalised(witness.text), []).append(witness)
    kept: list[Told] = []
    for run in runs.values():
        for i, witness in enumerate(run):
            before = i > 0 and witness.span.start_s - run[i - 1].span.end_s <= 0.01
            after = i + 1 < len(run) and run[i + 1].span.start_s - witness.span.end_s <= 0.01
            if not (before and after):
                kept.append(witness)
    return sorted(kept, key=lambda t: (t.span, t.text, t.rows))


def require_told(item: Told, witnesses: Iterable[Told]) -> None:
    """Raises `Withheld` unless a witness tells the text too at its time: words and segments must agree."""
    if not any(overlap_s(w.span, item.span) > 0 and alike(item.text, w.text, 0.25) for w in witnesses):
        raise Withheld(f"{item.text!r} stands in no segment at its time")


def unsure_words(item: Told, rows: dict[str, RowDict], least: float) -> frozenset[int]:
    """Places (from 0) of words of a phrase that were recognised with less confidence than `least`."""
    words = [rows[r] for r in item.rows if "word" in rows.get(r, {})]
    if len(words) != len(item.text.split()):
        return frozenset()
    return frozenset(i for i, w in enumerate(words) if w["confidence"] is not None and w["confidence"] < least)


def _tidy(text: str) -> str:
    return " ".join(text.split()).strip(" ,;:-–—.?!…\"'“”")


def _sentences(words: Sequence[RowDict], params: ToldParams) -> list[list[RowDict]]:
    runs: list[list[RowDict]] = []
    ordered = sorted((w for w in words if w["end_s"] > w["start_s"]), key=lambda w: (w["position"], w["row_id"]))
    for previous, word in pairwise([None, *ordered]):
        assert word is not None
        if (
            previous is None
            or word["position"] != previous["position"] + 1
            or word["start_s"] - previous["end_s"] > params.max_pause_s
            or ends_sentence(previous)
        ):
            runs.append([])
        runs[-1].append(word)
    return runs


def _phrase(run: Sequence[RowDict], params: ToldParams) -> Told | None:
    least, most = params.phrase_words
    words = run[:most]
    text = _tidy(" ".join(str(w["word"]) for w in words))
    if len(words) < least or len(text.split()) < least or not text[:1].isupper():
        return None
    sure = [1.0 if w["confidence"] is None else w["confidence"] for w in words]
    if sum(sure) / len(sure) < params.min_confidence:
        return None
    return Told(text, span_of_run(words), tuple(str(w["row_id"]) for w in words))


def _segment(row: RowDict, params: ToldParams) -> Told | None:
    least, most = params.phrase_words
    text = _tidy(str(row["text"]))
    sure = 1.0 if row["confidence"] is None else row["confidence"]
    if not least <= len(text.split()) <= 2 * most or sure < params.min_confidence or not row["end_s"] > row["start_s"]:
        return None
    return Told(text, span_of(row), (str(row["row_id"]),))


def _writings(rows: Iterable[RowDict], params: ToldParams) -> list[Told | None]:
    least, most = params.letters
    found: list[Told | None] = []
    for a in merge_readings(readings_of(rows)):
        often = a.confidence == 1 or len(a.members) >= params.min_readings
        if often and least <= len(normalised(a.text)) <= most and a.confidence >= params.min_confidence:
            text = " ".join(a.text.split())
            found.append(Told(text, Span(a.start_s, a.end_s).quantised(), a.members))
    return found
