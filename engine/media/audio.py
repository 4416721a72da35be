"""The shared audio pass: one decode of a medium's sound feeds every audio annotator, at each rate that
someone wants.

Sound is laid on the presentation clock by its timestamps: gaps become silence, overlaps are cut, what lies
before the first frame or after the last is dropped. It is mixed to mono, resampled in one continuous
stream, and handed out in pieces of at most ten minutes that end where it is quietest, so that words stay
whole and memory flat.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..annotator import AudioSession, Medium, SkipUnit
from .consumer import Consumer
from .container import MediaError, audio_stream, open_media, reason
from .decode import MAX_DAMAGED_SHARE
from .events import PassDone, PassEvent

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer

Samples = np.ndarray[Any, Any]
"""int16 [n]."""

MAX_PIECE_S = 600.0
_SEARCH_S = 300.0
"""A piece ends at the quietest place of its last five minutes."""
_QUIET_S = 0.4
_STEP_S = 0.02
_JITTER_S = 0.02
"""Timestamps that disagree with the number of samples by less are rounding, not a gap."""
_FILL_S = 10.0


@dataclass(frozen=True)
class AudioPiece:
    """Consecutive sound: mono int16 [n] at `rate`, beginning at `start_s` of the presentation clock."""

    start_s: float
    rate: int
    samples: Samples

    @property
    def end_s(self) -> float:
        """End of the last sample."""
        return self.start_s + len(self.samples) / self.rate


@dataclass(frozen=True)
class AudioTap:
    """An audio annotator's open session and the rate (samples per second) that it wants."""

    producer: str
    session: AudioSession
    rate: int


def run_audio(medium: Medium, taps: Sequence[AudioTap]) -> Iterator[PassEvent]:
    """Decode the sound of `medium` once for all consumers.

    Every tap gets exactly one `Finished` (skipped with `no audio stream` for silent media), the last event
    is `PassDone` with the seconds of sound and the number of decoded audio frames. `medium.start_pts_s`
    ties sound to picture. Nothing is raised for a bad medium: its `MediaError` is in the `Finished`
    events. Raises `ValueError` without a local path.
    """
    if medium.path is None:
        raise ValueError(f"{medium}: no local file to decode; fetch it first (engine.media.fetch.local_copy)")
    consumers = [Consumer(tap.producer, tap.session.hear, tap.session.close) for tap in taps]
    lines: dict[int, _Line] = {}
    for tap, consumer in zip(taps, consumers, strict=True):
        lines.setdefault(tap.rate, _Line(tap.rate)).consumers.append(consumer)
    sound = SoundReader(medium)
    try:
        with closing(iter(sound)) as chunks:
            for samples in chunks:
                for line in lines.values():
                    yield from line.push(sound, samples)
                if all(c.ended for c in consumers):
                    break
        for line in lines.values():
            yield from line.close()
    except Exception as error:
        told = error.about(medium.uri) if isinstance(error, MediaError) else error
        for consumer in consumers:
            if not consumer.ended:
                yield consumer.fail(told)
    else:
        for consumer in consumers:
            if not consumer.ended:
                yield from consumer.finish()
    yield PassDone(sound.seconds, sound.frames, sound.damaged)


class SoundReader:
    """Iterates once over the sound of a medium as one continuous mono int16 stream at `rate`, from
    `start_s` on.

    `rate` and `start_s` are known with the first chunk. Raises while iterating: `SkipUnit` without an
    audio stream, `MediaError` when reading stops or more than one packet of a hundred (and more than two)
    do not decode.
    """

    def __init__(self, medium: Medium) -> None:
        self._path = str(medium.path)
        self._zero = medium.start_pts_s
        self._limit_s = medium.duration_s if medium.has_video and medium.duration_s > 0 else math.inf
        self.rate = 0
        self.start_s = 0.0
        self.frames = 0
        """Audio frames decoded."""
        self.damaged = 0
        """Packets that did not decode; their time is silence."""
        self._begun = False
        self._next = 0
        """Index on the presentation clock (time * rate) of the next sample to hand out."""

    @property
    def seconds(self) -> float:
        """Seconds of sound handed out."""
        return self._next / self.rate - self.start_s if self.rate else 0.0

    def __iter__(self) -> Generator[Samples, None, None]:
        with open_media(self._path) as container:
            stream = audio_stream(container)
            if stream is None:
                raise SkipUnit("no audio stream")
            mixer = None
            for frame in self._decoded(container, stream):
                if mixer is None:
                    self.rate = frame.sample_rate
                    mixer = _Resampler(self.rate)
                pts = frame.pts
                at = None if pts is None else pts * float(frame.time_base or 0) - self._zero
                for samples in mixer.feed(frame):
                    yield from self._place(at, samples)
                    at = None
                if self._next >= self._limit_s * self.rate:
                    return
            if self.frames == 0:
                raise MediaError(self._path, "its sound does not decode", "export it again with another encoder")

    def _decoded(self, container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
        import av

        packets = 0
        try:
            for packet in container.demux(stream):
                packets += packet.size > 0
                try:
                    pieces: list[AudioFrame] = packet.decode()
                except av.error.EOFError:
                    continue
                except (av.error.InvalidDataError, av.error.PatchWelcomeError):
                    self.damaged += 1
                    continue
                self.frames += len(pieces)
                yield from pieces
        except av.error.FFmpegError as error:
            raise self._broken(reason(error)) from error
        if self.damaged > max(2, MAX_DAMAGED_SHARE * packets):
            raise self._broken(f"{self.damaged} of {packets} packets are damaged")

    def _place(self, at_s: float | None, samples: Samples) -> Iterator[Samples]:
        """The part of `samples` that lies inside the medium, after the silence that is missing before it."""
        at = self._next if at_s is None else round(at_s * self.rate)
        if not self._begun:
            self._next = max(0, at)
            self.start_s = self._next / self.rate
        elif abs(at - self._next) <= _JITTER_S * self.rate:
            at = self._next
        limit = min(self._limit_s * self.rate, 2**62)
        gap = int(min(at, limit)) - self._next
        while gap > 0:
            silence = np.zeros(min(gap, int(_FILL_S * self.rate)), np.int16)
            self._next += len(silence)
            gap -= len(silence)
            yield silence
        samples = samples[max(0, self._next - at) : max(0, math.ceil(limit - at))]
        if len(samples):
            self._begun = True
            self._next += len(samples)
            yield samples

    def _broken(self, cause: str) -> MediaError:
        at = self._next / self.rate if self.rate else 0.0
        return MediaError(self._path, f"the sound breaks off at {at:.2f} s: {cause}", "copy or export the file again")


class _Line:
    """The sound at one rate: resampled, cut into pieces, handed to its consumers."""

    def __init__(self, rate: int) -> None:
        self.consumers: list[Consumer] = []
        self._rate = rate
        self._resampler: _Resampler | None = None
        self._start_s = 0.0
        self._given = 0
        self._waiting: list[Samples] = []
        self._length = 0

    def push(self, sound: SoundReader, samples: Samples) -> Iterator[PassEvent]:
        """Take continuous samples at the sound's own rate; yields what consumers make of the pieces that
        got full.
        """
        if self._resampler is None:
            self._resampler = _Resampler(self._rate)
            self._start_s = sound.start_s
        for out in self._resampler.feed(_as_frame(samples, sound.rate)) if sound.rate != self._rate else (samples,):
            self._waiting.append(out)
            self._length += len(out)
        while self._length >= MAX_PIECE_S * self._rate:
            buffer = np.concatenate(self._waiting)
            cut = quietest(buffer[: int(MAX_PIECE_S * self._rate)], self._rate)
            self._waiting, self._length = [buffer[cut:]], len(buffer) - cut
            yield from self._hand_out(buffer[:cut])

    def close(self) -> Iterator[PassEvent]:
        """The last piece."""
        if self._resampler is not None:
            self._waiting += list(self._resampler.flush())
            rest = np.concatenate(self._waiting) if self._waiting else np.empty(0, np.int16)
            if len(rest):
                yield from self._hand_out(rest)

    def _hand_out(self, samples: Samples) -> Iterator[PassEvent]:
        piece = AudioPiece(self._start_s + self._given / self._rate, self._rate, samples)
        self._given += len(samples)
        for consumer in self.consumers:
            if not consumer.ended:
                yield from consumer.feed(piece)


class _Resampler:
    """Anything in, mono int16 at `rate` out; starts over when the input's format changes."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._format: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None

    def feed(self, frame: AudioFrame) -> Iterator[Samples]:
        """Samples that are ready."""
        import av

        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._format:
            yield from self.flush()
            self._format = kind
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=self._rate)
        assert self._resampler is not None
        frame.pts = None
        for out in self._resampler.resample(frame):
            yield out.to_ndarray().reshape(-1)

    def flush(self) -> Iterator[Samples]:
        """Samples still inside."""
        if self._resampler is not None:
            for out in self._resampler.resample(None):
                yield out.to_ndarray().reshape(-1)
            self._resampler = None


def quietest(samples: Samples, rate: int) -> int:
    """Index in the last five minutes of `samples` at which to cut: the middle of the quietest 0.4 s, the
    latest of equals.
    """
    step, window = max(1, int(_STEP_S * rate)), round(_QUIET_S / _STEP_S)
    first = max(0, len(samples) - int(_SEARCH_S * rate))
    tail = samples[first:]
    steps = len(tail) // step
    if steps <= window:
        return len(samples)
    power = np.square(tail[: steps * step].astype(np.int64)).reshape(steps, step).sum(axis=1)
    total = np.concatenate([[0], np.cumsum(power)])
    sums = total[window:] - total[:-window]
    best = len(sums) - 1 - int(np.argmin(sums[::-1]))
    return first + (best * step) + window * step // 2


def _as_frame(samples: Samples, rate: int) -> AudioFrame:
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None, :], format="s16", layout="mono")
    frame.sample_rate = rate
    return frame
