"""What is heard and what is seen in a medium, as cues: a text, when it holds, and the rows that say so.

Heard are sentences (of words, or of speech segments) and sounds with a name; seen are writings on screen and described
events. A cue can be made again from its own rows, so a sample that cites them can be checked. A sound's name is its label,
with its pitch where it has one; silence, onsets and mere loudness name nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...engine.annotator import Rows
from ...engine.described import DESCRIBED_TABLES, described_rows
from ...engine.kept import one_producer
from ...schemas.markup import escape, quote
from ...schemas.sample import Need
from ...schemas.span import Span
from . import told as t
from .common import RowDict, span_of

Modality = Literal["heard", "seen"]
UNNAMED = ("silence", "onset", "loud")
"""Labels of `sounds` that are no sound of their own."""
SOUND_COLUMNS = ("start_s", "end_s", "label", "pitch_hz")
NEEDS: dict[str, tuple[Need, ...]] = {
    "speech": ("audio", "speech_text"),
    "sounds": ("audio",),
    "text_regions": ("vision", "on_screen_text"),
    "described": ("vision",),
}


@dataclass(frozen=True)
class Cue:
    """Something that is heard or seen for a while."""

    kind: str
    """speech, sounds, text_regions or described."""
    text: str
    span: Span
    rows: tuple[RowDict, ...]
    """The rows that say so, each with its key `table`."""

    @property
    def modality(self) -> Modality:
        return "heard" if self.kind in ("speech", "sounds") else "seen"

    @property
    def clause(self) -> str:
        """It as a clause, in neutral markup: `“...” is said`."""
        match self.kind:
            case "speech":
                return f"{quote(self.text)} is said"
            case "sounds":
                return f"{escape(self.text)} sounds"
            case "text_regions":
                return f"{quote(self.text)} stands on screen"
        if self.rows[0].get("kind") == "needle":
            return f"{escape(self.text)} is shown"
        return f"this happens: {quote(self.text)}"


def cues_in(rows: Rows, params: t.ToldParams) -> dict[str, list[Cue]]:
    """All cues of a medium by kind, in order of time; one producer per table."""
    words, speech = one_producer(rows["words"]), one_producer(rows["speech"])
    spoken = [{**r, "table": "words"} for r in words] or [{**r, "table": "speech"} for r in speech]
    found = {
        "speech": spoken,
        "sounds": [{**r, "table": "sounds"} for r in one_producer(rows["sounds"])],
        "text_regions": [{**r, "table": "text_regions"} for r in one_producer(rows["text_regions"])],
        "described": described_rows(rows),
    }
    return {kind: cues_of(mine, params) for kind, mine in found.items()}


def cues_of(rows: Sequence[Mapping[str, Any]], params: t.ToldParams) -> list[Cue]:
    """The cues that rows make, each row with its key `table`, in order of time."""
    found: list[Cue] = []
    by_id = {str(r["row_id"]): r for r in rows}
    for table in ("words", "speech", "text_regions"):
        kind = "text_regions" if table == "text_regions" else "speech"
        for told in t.options_of(table, [r for r in rows if r["table"] == table], params):
            found.append(Cue(kind, told.text, told.span, tuple(by_id[i] for i in told.rows)))
    for row in rows:
        if row["end_s"] <= row["start_s"]:
            continue
        if row["table"] == "sounds" and row["label"] not in UNNAMED:
            found.append(Cue("sounds", sound_name(row), span_of(row), (row,)))
        elif row["table"] in DESCRIBED_TABLES:
            found.append(Cue("described", " ".join(str(row["text"]).split()).rstrip("."), span_of(row), (row,)))
    return sorted(found, key=lambda c: (c.span, c.text, str(c.rows[0]["row_id"])))


def sound_name(row: RowDict) -> str:
    """What a sound is called: its label, and its pitch in whole hertz where it has one."""
    pitch = row["pitch_hz"]
    name = f"a {row['label']}" if str(row["label"])[0] not in "aeiou" else f"an {row['label']}"
    return name if pitch is None else f"{name} of {pitch:.0f} Hz"
