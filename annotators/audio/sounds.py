"""Sound events by signal processing alone: silences, beginnings of sounds, loud passages and tones.

A silence lies below a level that follows the noise of the recording; a sound begins where new frequencies rise, placed where
its energy starts to; a loud passage stands out of what is usual in this medium; a tone keeps one pitch. No model is
asked, so the same sound gives the same rows everywhere. Limits: sounds that come in very softly or over others are
missed, of chords only one pitch is told, and nothing is named: that is what `sound_tags` asks a model for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...engine.annotator import AudioAnnotator, AudioSession, Medium, Params, Row
from ...schemas.span import from_us, to_us
from .sound_events import Heard, loud_passages, onsets, silences, tones
from .sound_measure import RATE_HZ, Meter

if TYPE_CHECKING:
    from ...engine.media.audio import AudioPiece

NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
Label = Literal["silence", "onset", "loud", "tone"]


class SoundsParams(Params):
    """Parameters of sounds."""

    labels: tuple[Label, ...] = Field(
        ("silence", "onset", "loud", "tone"), min_length=1, description="What is looked for."
    )
    silence_dbfs: float = Field(-50.0, le=0, description="Level below which it is silent, dB relative to full scale.")
    floor_db: float = Field(
        6.0, ge=0, description="In a noisy recording silence reaches this far above its quietest twentieth, dB."
    )
    most_silence_dbfs: float = Field(-35.0, le=0, description="Nothing louder is called silent, dBFS.")
    min_silence_s: float = Field(0.3, gt=0, description="Shortest silence.")
    bridge_s: float = Field(0.05, ge=0, description="Shorter clicks do not end a silence.")
    onset_change: float = Field(
        0.12, gt=0, description="Least mean rise of the bands at a beginning, natural logarithm."
    )
    min_rise_db: float = Field(4.0, ge=0, description="Least rise of the level at a beginning, dB.")
    min_onset_gap_s: float = Field(0.06, gt=0, description="Least time between two beginnings.")
    release_db: float = Field(30.0, gt=0, description="A sound has ended when it is this far below its loudest, dB.")
    loud_over_db: float = Field(6.0, gt=0, description="A loud passage exceeds the usual level by this much, dB.")
    min_loud_s: float = Field(0.5, gt=0, description="Shortest loud passage.")
    min_clarity: float = Field(0.9, gt=0, le=1, description="Least likeness of one period to the next in a tone.")
    tone_cents: float = Field(60.0, gt=0, description="A tone stays this near to its pitch, hundredths of a semitone.")
    min_tone_s: float = Field(0.12, gt=0, description="Shortest tone.")


class SoundsSession(AudioSession):
    """Gathers numbers; all rows are made at the end, since what is loud depends on the whole."""

    def __init__(self, params: SoundsParams) -> None:
        self._params = params
        self._meter = Meter()
        self._start_s: float | None = None

    def hear(self, piece: AudioPiece) -> Iterable[Row]:
        if self._start_s is None:
            self._start_s = piece.start_s
        self._meter.feed(piece.samples)
        return ()

    def close(self) -> Iterable[Row]:
        if self._start_s is None:
            return
        p = self._params
        heard = Heard(self._meter.finish(), p.silence_dbfs, p.floor_db, p.most_silence_dbfs)
        if "silence" in p.labels:
            for start, end in silences(heard, p.min_silence_s, p.bridge_s):
                yield self._row(heard, "silence", start, end)
        if "loud" in p.labels:
            for start, end, over in loud_passages(heard, p.loud_over_db, p.min_loud_s):
                yield self._row(heard, "loud", start, end, {"over_db": round(over, 1)})
        if "onset" in p.labels:
            for start, end, rise in onsets(heard, p.onset_change, p.min_rise_db, p.min_onset_gap_s, p.release_db):
                yield self._row(heard, "onset", start, end, {"rise_db": round(rise, 1)})
        if "tone" in p.labels:
            for start, end, hz, clarity in tones(heard, p.min_clarity, p.tone_cents, p.min_tone_s):
                yield self._row(heard, "tone", start, end, note_of(hz), round(hz, 2), round(clarity, 4))

    def _row(
        self,
        heard: Heard,
        label: Label,
        start_s: float,
        end_s: float,
        told: dict[str, Any] | None = None,
        hz: float | None = None,
        sure: float = 1.0,
    ) -> Row:
        assert self._start_s is not None
        return "sounds", {
            "start_s": from_us(to_us(self._start_s + start_s)),
            "end_s": from_us(to_us(self._start_s + end_s)),
            "label": label,
            "confidence": sure,
            "level_db": round(heard.level_db(start_s, end_s), 2),
            "pitch_hz": hz,
            "attributes_json": json.dumps(told or {}, sort_keys=True),
        }


class Sounds(AudioAnnotator[SoundsParams]):
    """Silences, beginnings of sounds, loud passages and tones of a medium with sound."""

    name: ClassVar[str] = "sounds"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = SoundsParams
    writes: ClassVar[tuple[str, ...]] = ("sounds",)
    rate: ClassVar[int] = RATE_HZ

    def open(self, medium: Medium) -> AudioSession:
        return SoundsSession(self.params)


def note_of(hz: float) -> dict[str, Any]:
    """Name, octave and deviation of the nearest note of equal temperament (A4 = 440 Hz)."""
    semitones = 69 + 12 * np.log2(hz / 440.0)
    nearest = round(float(semitones))
    return {
        "note": NOTES[nearest % 12],
        "octave": nearest // 12 - 1,
        "cents": round(100 * (float(semitones) - nearest), 1),
    }


ANNOTATOR = Sounds
