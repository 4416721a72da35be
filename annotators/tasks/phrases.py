"""Runs of spoken words: where a sentence ends, and the span and text of words that follow each other.

A phrase is quoted as it is written, without the punctuation around it; its span reaches from the first word's start to the
last word's end on the microsecond grid. Rows are those of `words`, or whole segments of `speech`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...schemas.span import Span
from .common import RowDict, grid


def ends_sentence(word: RowDict) -> bool:
    """Whether a sentence ends with this word."""
    return str(word["word"]).rstrip("\"'”’)").endswith((".", "?", "!", "…"))


def to_sentence_end(words: Sequence[RowDict]) -> list[RowDict]:
    """The words up to the end of the first sentence among them: nobody quotes across a full stop."""
    last = next((i for i, word in enumerate(words) if ends_sentence(word)), len(words) - 1)
    return list(words[: last + 1])


def span_of_run(run: Sequence[RowDict]) -> Span:
    """From the start of the first row to the end of the last. Raises ValueError when that is empty."""
    return Span(grid(run[0]["start_s"]), grid(run[-1]["end_s"]))


def said_in(row: RowDict) -> str:
    """What a row of `words` or `speech` says, as written."""
    return str(row["word"] if "word" in row else row["text"])


def text_of_run(run: Sequence[RowDict]) -> str:
    """The words as they are quoted."""
    return " ".join(" ".join(map(said_in, run)).split()).strip(" ,;:-–—")


def runs_of(words: Sequence[RowDict]) -> list[list[RowDict]]:
    """Words as runs that follow each other without a gap."""
    runs: list[list[RowDict]] = []
    for word in words:
        if runs and word["position"] == runs[-1][-1]["position"] + 1:
            runs[-1].append(word)
        else:
            runs.append([word])
    return runs
