"""Text to speech with exact word times, through the eSpeak NG library that `espeakng-loader` carries.

The library is called by ctypes in its synchronous mode and reports the audio position of every word; starts
and ends are then tightened to the sound itself. The synthesiser keeps hidden state between calls (noise,
pitch flutter), so it is loaded afresh for every sentence (about 8 ms): the same sentence always gives the
same samples. Limits: one voice at a time in a process, Linux and macOS, plain words (no numbers).
"""

import ctypes
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 22_050
"""Sampling rate of every eSpeak NG voice."""

_WORD_EVENT = 1
_SYNCHRONOUS = 2
_RATE_PARAMETER = 1
_PITCH_PARAMETER = 3
_AUDIBLE = 0.02  # share of the loudest sample below which a stretch counts as silence
_WINDOW_SAMPLES = 110  # 5 ms
_WORD_JOINT = " \u200b"  # the zero-width space keeps eSpeak NG from merging "of the" into one word
_lock = Lock()


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """`espeak_EVENT` of `speak_lib.h`."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class SpokenWord:
    """A word without punctuation and its half-open span in seconds from the start of the utterance."""

    word: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Utterance:
    """A spoken sentence: mono int16 samples at `SAMPLE_RATE_HZ`, cut to the sound, and its words in order."""

    text: str
    samples: NDArray[np.int16]
    words: tuple[SpokenWord, ...]

    @property
    def duration_s(self) -> float:
        """Length of the sound in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ


def speak(text: str, voice: str = "en-us", words_per_minute: int = 140, pitch: int = 50) -> Utterance:
    """Speak one sentence; the same arguments always return the same samples and word times.

    `voice` is an eSpeak NG voice name, `pitch` runs from 0 to 99. Raises ValueError for text without a word
    or an unknown voice, RuntimeError when the library does not start or counts other words than the text
    has.
    """
    written = [word.strip(".,;:!?\"'()") for word in text.split()]
    written = [word for word in written if word]
    if not written:
        raise ValueError(f"there is no word to speak in {text!r}")
    with _lock:
        sound, starts = _synthesise(text, voice, words_per_minute, pitch)
    if len(starts) != len(written):
        raise RuntimeError(
            f"eSpeak NG spoke {len(starts)} words of {text!r}, which has {len(written)}; use plain words only"
        )
    begin, end = _audible(sound, 0, len(sound))
    words = []
    for i, word in enumerate(written):
        until = starts[i + 1] if i + 1 < len(starts) else len(sound)
        first, last = _audible(sound, starts[i], until)
        words.append(SpokenWord(word, (first - begin) / SAMPLE_RATE_HZ, (last - begin) / SAMPLE_RATE_HZ))
    return Utterance(text, sound[begin:end].copy(), tuple(words))


def _audible(sound: NDArray[np.int16], start: int, stop: int) -> tuple[int, int]:
    """The part of [start, stop) from the first to the last loud window; all of it when nothing is loud."""
    loud = np.abs(sound[start:stop].astype(np.int32)) > _AUDIBLE * np.abs(sound.astype(np.int32)).max()
    where = np.flatnonzero(loud)
    if where.size == 0:
        return start, stop
    first = max(start, start + int(where[0]) - _WINDOW_SAMPLES)
    return first, min(stop, start + int(where[-1]) + 1 + _WINDOW_SAMPLES)


def _synthesise(text: str, voice: str, words_per_minute: int, pitch: int) -> tuple[NDArray[np.int16], list[int]]:
    """All samples of an utterance and the sample at which each word starts, from a library loaded afresh."""
    import espeakng_loader

    pieces: list[bytes] = []
    starts: list[int] = []

    def collect(wave: int | None, count: int, events: Any) -> int:
        if wave and count > 0:
            pieces.append(ctypes.string_at(wave, 2 * count))
        index = 0
        while events and events[index].type != 0:
            if events[index].type == _WORD_EVENT:
                starts.append(events[index].audio_position * SAMPLE_RATE_HZ // 1000)
            index += 1
        return 0

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    callback = _Callback(collect)
    try:
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), 0)
        if rate != SAMPLE_RATE_HZ:
            raise RuntimeError(f"eSpeak NG did not start (code {rate}); reinstall the package espeakng-loader")
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"eSpeak NG has no voice {voice!r}; en-us and en-us+f3 exist")
        library.espeak_SetParameter(_RATE_PARAMETER, words_per_minute, 0)
        library.espeak_SetParameter(_PITCH_PARAMETER, pitch, 0)
        data = _WORD_JOINT.join(text.split()).encode()
        library.espeak_Synth(data, len(data) + 1, 0, 1, 0, 1, None, None)
        library.espeak_Terminate()
    finally:
        _unload(library)
    return np.frombuffer(b"".join(pieces), np.int16), starts


def _unload(library: ctypes.CDLL) -> None:
    """Drop the library from the process, so that the next load starts with fresh state."""
    import _ctypes

    _ctypes.dlclose(library._handle)
