"""Phrases of time and place in what is said, by rules: whole phrases (`just before noon`, `a few blocks north of the station`), the
dates, times, places, people and bodies inside them, normal forms of times, and the moment of the footage that is meant.

Each phrase names the speech row and the characters that it is; it stands for the time in which its words are spoken, where
the words of the same recogniser are known, else for the whole row. English only: rows of another language are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import medium_row, one_producer
from ...schemas.phrase_norm import moment_of, normal_form
from ...schemas.phrases import PLACE, TIME, Phrase, find_entities, find_phrases
from ...schemas.span import from_us, to_us

_PLAIN = re.compile(r"[^\w]+")
CONFIDENCE = {TIME: 0.9, PLACE: 0.9}
"""Share of found phrases that were exactly right on 80 sentences of narration that the rules had not seen (0.92, rounded down);
entities were not measured."""


class PhrasesParams(Params):
    """Parameters of `phrases`."""

    entities: bool = Field(
        True, description="also dates, times, lengths, places, people and bodies inside or beside them"
    )
    languages: tuple[str, ...] = Field(
        ("en",), description="languages of speech rows that are read; rows that name none are"
    )


class Phrases(UnitAnnotator[PhrasesParams]):
    """Writes `phrases` from `speech`."""

    name: ClassVar[str] = "phrases"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = PhrasesParams
    reads: ClassVar[tuple[str, ...]] = ("media", "speech", "words")
    optional_reads: ClassVar[tuple[str, ...]] = ("words",)
    writes: ClassVar[tuple[str, ...]] = ("phrases",)
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Phrases of every speech row of one producer. Raises `SkipUnit` without speech."""
        assert unit.medium is not None
        duration_s = float(medium_row(rows, unit.medium.media_id)["duration_s"] or 0.0)
        speech = [r for r in one_producer(rows["speech"]) if (r["language"] or "en") in self.params.languages]
        if not speech:
            raise SkipUnit(f"no speech in {', '.join(self.params.languages)}")
        words = [w for w in rows["words"] if w["producer"] == speech[0]["producer"]]
        for row in sorted(speech, key=lambda r: (r["start_s"], r["end_s"], r["text"])):
            said = spoken(row, words)
            yield from (("phrases", values) for values in phrase_rows(row, said, duration_s, self.params.entities))


def phrase_rows(
    row: Mapping[str, Any], said: Sequence[tuple[int, int, float, float]], duration_s: float, entities: bool = True
) -> list[dict[str, Any]]:
    """Rows of `phrases` of one speech row. `said` holds (first, past, start_s, end_s) of words that are known by time."""
    text = str(row["text"])
    found = find_phrases(text)
    everything = [*found, *(find_entities(text, found) if entities else ())]
    made = []
    for phrase in sorted(everything):
        start_s, end_s = _when(phrase, said, row)
        timed = phrase.kind in (TIME, "DATE", "TIME", "DURATION")
        made.append(
            {
                "start_s": start_s,
                "end_s": end_s,
                "speech_row": row["row_id"],
                "first": phrase.first,
                "past": phrase.past,
                "text": phrase.text,
                "kind": phrase.kind,
                "norm": normal_form(phrase.text) if timed else None,
                "refers_s": moment_of(phrase.text, text, start_s, duration_s) if phrase.kind == TIME else None,
                "confidence": CONFIDENCE.get(phrase.kind),
            }
        )
    return made


def spoken(row: Mapping[str, Any], words: Sequence[Mapping[str, Any]]) -> list[tuple[int, int, float, float]]:
    """Characters and times of the words of a speech row: those rows of `words` that lie in it and say the same in order.

    Empty where they do not all agree, so that no phrase gets the time of another word.
    """
    low, high = to_us(row["start_s"]), to_us(row["end_s"])
    own = [w for w in words if low <= to_us(w["start_s"]) and to_us(w["end_s"]) <= high]
    own = sorted(own, key=lambda w: (w["start_s"], w["position"]))
    pieces = [(piece, w) for w in own for piece in (p for p in str(w["word"]).split() if _plain(p))]
    found: list[tuple[int, int, float, float]] = []
    position = 0
    text = str(row["text"])
    for piece, word in pieces:
        first = text.find(piece, position)
        if first < 0 or _plain(text[position:first]):
            return []
        position = first + len(piece)
        found.append((first, position, float(word["start_s"]), float(word["end_s"])))
    return [] if _plain(text[position:]) else found


def _when(phrase: Phrase, said: Sequence[tuple[int, int, float, float]], row: Mapping[str, Any]) -> tuple[float, float]:
    own = [w for w in said if w[0] < phrase.past and phrase.first < w[1]]
    if not own:
        return from_us(to_us(row["start_s"])), from_us(to_us(row["end_s"]))
    return from_us(to_us(own[0][2])), from_us(to_us(own[-1][3]))


def _plain(text: str) -> str:
    return _PLAIN.sub("", text).lower()


ANNOTATOR = Phrases
