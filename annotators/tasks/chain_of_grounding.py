"""How grounding tasks find what is asked for, as typed steps: where it is said, written or described, and nowhere else.

Called by the functions that build the samples, with the very rows and spans from which they make the answer. A chain cites
only what the window shows: an absent sample rests on everything in the window being something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ...engine.described import DESCRIBED_TABLES
from ...schemas.chain_building import RowDict, Trail
from ...schemas.span import Span

READING_COLUMNS = ("start_s", "end_s", "text", "confidence", "x1", "y1", "x2", "y2")
TEXT_IS_SURE = 0.6
"""Least likeness of a single reading to the text that it belongs to."""


def window_of(window: Span) -> list[float]:
    """A span as chains write it."""
    return [window.start_s, window.end_s]


def others_differ(
    trail: Trail,
    table: str,
    rows: Sequence[RowDict],
    window: Span,
    text: str,
    *,
    like: Literal["words", "writing", "description"],
    least: float,
    times: int = 0,
    note: str,
) -> None:
    """What else the window holds, none of it like the text (or `times` of it, where these rows tell the text itself too)."""
    if not rows:
        return
    trail.require(trail.locate(table, rows), "touches", window_of(window))
    told = trail.read(table, rows, "text")
    found = trail.compute("times_told", told, query=text, like=like, least=least)
    trail.require(found, "equal", times, note=note)


def conclude_when(trail: Trail, spans: Sequence[str]) -> None:
    """The span, the spans, or that there is none."""
    if not spans:
        trail.conclude("absent", note="So it does not happen in the footage shown.")
    elif len(spans) == 1:
        trail.conclude("span", spans[0], note=f"So the answer is {{{spans[0]}}}.")
    else:
        named = ", ".join(f"{{{name}}}" for name in spans)
        trail.conclude("spans", *spans, note=f"So the answer is all of these: {named}.")


def speech_chain(
    trail: Trail,
    text: str,
    runs: Sequence[Sequence[RowDict]],
    heard: Sequence[RowDict],
    shown: Sequence[Span],
    window: Span,
    different: float,
) -> None:
    """The words are heard in the spans of the runs, and nothing like them is said elsewhere in the window."""
    spans = []
    are_words = bool(runs) and "word" in runs[0][0]
    table, column = ("words", "word") if are_words else ("speech", "text")
    for run in runs if shown else ():
        said = trail.read(table, run, column, note="The words {@.text} are heard.")
        trail.require(said, "says", text)
        if are_words:
            first = trail.locate(table, run[:1], note="The first of them begins at {@.start}.")
            last = trail.locate(table, run[-1:], note="The last of them ends at {@.end}.")
            span = trail.compute("reach", first, last)
        else:
            span = trail.locate(table, run, note="They are spoken in {@}.")
        trail.require(span, "within", window_of(window))
        spans.append(span)
    others_differ(
        trail, "speech", heard, window, text, like="words", least=different, times=len(spans) if are_words else 0,
        note="Nothing else that is said in the footage shown is like them." if spans
        else "Of all that is said in the footage shown, nothing is like the words.",
    )  # fmt: skip
    conclude_when(trail, spans)


def appearance(trail: Trail, members: Sequence[RowDict], least_sure: float, note: str = "") -> tuple[str, str, str]:
    """Results that are text, span and records of one appearance of a writing, merged from its readings."""
    records = trail.read("text_regions", members, *READING_COLUMNS)
    merged = trail.compute("appearances", records)
    trail.require(trail.compute("one", merged, at=0, of=1, part="confidence"), "at_least", least_sure)
    text = trail.compute("one", merged, at=0, of=1, part="text", note=note)
    return text, trail.compute("one", merged, at=0, of=1, part="span"), merged


def writing_chain(
    trail: Trail,
    kind: str,
    text: str,
    times: Sequence[Sequence[RowDict]],
    others: Sequence[RowDict],
    shown: Sequence[Span],
    window: Span,
    middle: RowDict,
    *,
    same: float,
    different: float,
    least_sure: float,
) -> None:
    """The writing is read in the spans of its readings, where it stands in their box, and no other reading is like it."""
    spans, box = [], ""
    if kind == "where":
        read = trail.read("text_regions", [middle], "text", note="The writing {@.text} is read.")
        alike = trail.compute("least_alike", read, query=text, like="writing")
        trail.require(alike, "at_least", TEXT_IS_SURE)
        held = trail.locate("text_regions", [middle])
        trail.require(held, "touches", window_of(window))
        at = trail.compute("midpoint", held, note="The picture in question is that at {@}.")
        box = trail.compute(
            "box", trail.read("text_regions", [middle], "x1", "y1", "x2", "y2"), note="There it fills {@.box}."
        )
    else:
        for members in times if shown else ():
            found, span, merged = appearance(trail, members, least_sure, note="The writing {@.text} is read.")
            alike = trail.compute("least_alike", found, query=text, like="writing")
            trail.require(alike, "at_least", same)
            trail.require(span, "within", window_of(window), note=f"It stands there in {{{span}}}.")
            spans.append(span)
            if kind == "both":
                box = trail.compute(
                    "one", merged, at=0, of=1, part="box", note="All that time it stays within {@.box}."
                )
    others_differ(
        trail, "text_regions", others, window, text, like="writing", least=different,
        note="Nothing else that can be read in the footage shown is like it.",
    )  # fmt: skip
    if kind == "where":
        trail.conclude("box", at, box, note=f"So at {{{at}}} its place is {{{box}.box}}.")
    elif kind == "both" and spans:
        trail.conclude("span_box", spans[0], box, note=f"So the answer is {{{spans[0]}}}, within {{{box}.box}}.")
    else:
        conclude_when(trail, spans)


def event_chain(
    trail: Trail,
    text: str,
    times: Sequence[RowDict],
    others: Sequence[RowDict],
    shown: Sequence[Span],
    window: Span,
    different: float,
) -> None:
    """The event is described in its spans, and what else is described in the window is something else."""
    spans = []
    for row in times if shown else ():
        told = trail.read(row["table"], [row], "text", note="What is seen is {@.text}.")
        alike = trail.compute("least_alike", told, query=text, like="description")
        trail.require(alike, "at_least", 1.0)
        span = trail.locate(row["table"], [row], note="It happens in {@}.")
        trail.require(span, "within", window_of(window))
        spans.append(span)
    for table in DESCRIBED_TABLES:
        others_differ(
            trail, table, [o for o in others if o["table"] == table], window, text, like="description", least=different,
            note="Everything else that happens in the footage shown is something else.",
        )  # fmt: skip
    conclude_when(trail, spans)
