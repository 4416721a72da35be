"""Questions about a short clip from what is said, written and seen in it, for clips that nobody asked about.

In the manner of TVQA each has a part that says when (while something is said, or stands on screen) and a part that asks what, and
five options, four of which are true of other times of the same episode. The answer is what alone overlaps that time; what is said
or written more than once in the episode says no time and is not asked with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...schemas.ids import seeded_fraction
from ...schemas.readings import normalised
from ...schemas.span import Span, overlap_s, span_or_none

OPTIONS = 5
LEAST_OVERLAP_S = 0.5
LEAST_GAP_S = 0.3
MOST_WORDS = 24

Asked = tuple[str, str, str, tuple[str, ...]]
"""Table of the cue, table of the answer, question with {cue}, needs."""
FORMS: tuple[Asked, ...] = (
    ("speech", "text_regions", "What is written on screen while {cue} is said?", ("vision", "on_screen_text", "audio")),
    ("speech", "captions", "What can be seen while {cue} is said?", ("vision", "audio")),
    (
        "text_regions",
        "speech",
        "What is said while {cue} stands on screen?",
        ("audio", "speech_text", "on_screen_text"),
    ),
)


@dataclass(frozen=True)
class Made:
    """A question, its options and the moment that answers it."""

    question: str
    options: tuple[str, ...]
    right: int
    moment: Span
    needs: tuple[str, ...]


def made_questions(rows: Mapping[str, Sequence[Mapping[str, Any]]], part: Span, most: int, *seed: Any) -> list[Made]:
    """At most `most` questions about what is whole inside `part`; `rows` are those of the whole episode, on its clock."""
    found: list[tuple[float, Made]] = []
    for cue_table, answer_table, text, needs in FORMS:
        answers, cues = list(_told(rows.get(answer_table, ()))), list(_told(rows.get(cue_table, ())))
        times = Counter(normalised(cue) for cue, _ in cues)
        for cue, span in cues:
            if not part.contains_span(span) or len(cue.split()) > MOST_WORDS or times[normalised(cue)] > 1:
                continue
            near = [(a, s) for a, s in answers if overlap_s(s, span) > 0 or _gap(s, span) < LEAST_GAP_S]
            if len(near) != 1 or overlap_s(near[0][1], span) < LEAST_OVERLAP_S:
                continue
            right = near[0][0]
            others = [a for a, s in answers if _gap(s, span) >= LEAST_GAP_S and normalised(a) != normalised(right)]
            others = list({normalised(o): o for o in others}.values())
            if len(others) < OPTIONS - 1:
                continue
            others.sort(key=lambda o: (seeded_fraction("other", *seed, cue, o), o))
            options = sorted(
                [right, *others[: OPTIONS - 1]], key=lambda o: (seeded_fraction("place", *seed, cue, o), o)
            )
            made = Made(text.format(cue=f"“{cue}”"), tuple(options), options.index(right), span, needs)
            found.append((seeded_fraction("made", *seed, made.question), made))
    return [made for _, made in sorted(found, key=lambda f: (f[0], f[1].question))[:most]]


def _told(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Span]]:
    for row in rows:
        span = span_or_none(row["start_s"], row["end_s"])
        text = " ".join(str(row["text"]).split()).rstrip(".").replace("“", "‘").replace("”", "’")
        if span is not None and text and row.get("level") in (None, "event"):
            yield text, span


def _gap(a: Span, b: Span) -> float:
    return max(a.start_s, b.start_s) - min(a.end_s, b.end_s)
