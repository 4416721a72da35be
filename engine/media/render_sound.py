"""Sound for an edit graph: mono samples at one rate, each piece exactly as long as its pictures.

A piece at its own rate is copied by sample index; at another rate it is resampled (pitch changes with it, as on a tape) or
stretched by FFmpeg's `atempo` (pitch stays). Held and backward pieces are silent. Sounds on top are added with their gain, and
what exceeds full scale is limited. Long pieces are read in parts, so that memory stays flat. Limits: mono; inside a stretched
piece sound may lie up to 30 ms beside its picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...schemas.edit_graph import Graph
from ...schemas.edit_pieces import Overlay, Placed
from .container import MediaError, audio_stream, open_media, reason

Samples = np.ndarray[Any, Any]
"""float32 [n] in [-1, 1]."""

_PART_S = 30
_PREROLL_S = 0.5
_JITTER_S = 0.05
"""Timestamps that disagree with the number of samples by more are a gap."""
_FADE_S = 0.004
"""Sound fades in and out at the ends of a piece, so that joins do not click."""
_PLAIN_RATE_HZ = 48_000
_TEMPO = (0.5, 100.0)


@dataclass(frozen=True)
class Sound:
    """Sound that is in memory: float32 or int16 mono samples."""

    samples: np.ndarray[Any, Any]
    rate: int


Heard = Path | Sound


def sound_blocks(graph: Graph, sources: Mapping[str, tuple[Heard, float]], rate: int) -> Iterator[Samples]:
    """The sound of a graph in order, as blocks that add up to round(duration * rate) samples.

    `sources`: by media_id, the file (or sound) and the container time of its presentation clock's zero. Raises `MediaError`.
    """
    over = [(round(o.at * rate), _overlay(o, sources, rate)) for o in graph.overlays]
    for begin, end, block in _under(graph, sources, rate):
        mixed = block
        for at, samples in over:
            low, high = max(begin, at), min(end, at + len(samples))
            if low < high:
                mixed = mixed.copy() if mixed is block else mixed
                mixed[low - begin : high - begin] += samples[low - at : high - at]
        yield np.clip(mixed, -1.0, 1.0)


def _under(graph: Graph, sources: Mapping[str, tuple[Heard, float]], rate: int) -> Iterator[tuple[int, int, Samples]]:
    """(first sample, past the last, samples) of the audible layer, or silence."""
    audible = {p.layer for p in graph.placed if p.piece.sounds}
    layer = min(audible, default=0)
    for placed in graph.placed:
        if placed.layer != layer:
            continue
        begin, end = round(placed.begin * rate), round(placed.end * rate)
        if placed.piece.sounds and placed.piece.rate != 1:
            samples = _read(sources, placed.piece.source.media_id, placed.piece.start, placed.source_end, rate)
            yield begin, end, _edged(_stretched(samples, end - begin, placed, rate), rate, True, True)
            continue
        step = _PART_S * rate
        for low in range(begin, end, step):
            high = min(end, low + step)
            if placed.piece.sounds:
                start = placed.piece.start + Fraction(low - begin, rate)
                samples = _read(sources, placed.piece.source.media_id, start, start + Fraction(high - low, rate), rate)
                yield low, high, _edged(_fitted(samples, high - low), rate, low == begin, high == end)
            else:
                yield low, high, np.zeros(high - low, np.float32)


def _overlay(overlay: Overlay, sources: Mapping[str, tuple[Heard, float]], rate: int) -> Samples:
    end = overlay.start + overlay.length * overlay.rate
    samples = _read(sources, overlay.source.media_id, overlay.start, end, rate)
    length = round((overlay.at + overlay.length) * rate) - round(overlay.at * rate)
    if overlay.rate != 1:
        samples = _tempo(samples, overlay.rate, rate) if overlay.keep_pitch else _resampled(samples, length)
    gain = np.float32(10 ** (overlay.gain_db / 20))
    return _edged(_fitted(samples, length) * gain, rate, True, True)


def _stretched(samples: Samples, length: int, placed: Placed, rate: int) -> Samples:
    if placed.piece.keep_pitch:
        return _fitted(_tempo(samples, placed.piece.rate, rate), length)
    return _resampled(samples, length)


def _resampled(samples: Samples, length: int) -> Samples:
    """All samples spread over `length`, by FFmpeg's resampler."""
    import av

    if not len(samples) or not length:
        return np.zeros(length, np.float32)
    given = round(_PLAIN_RATE_HZ * len(samples) / length)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=_PLAIN_RATE_HZ)
    found = []
    for at in range(0, len(samples), given):
        part = np.ascontiguousarray(samples[None, at : at + given], np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
        frame.sample_rate = given
        found += [piece.to_ndarray().reshape(-1) for piece in resampler.resample(frame)]
    return _fitted(np.concatenate([*found, _flushed(resampler)]), length)


def _tempo(samples: Samples, factor: Fraction, rate: int) -> Samples:
    """`factor` times as fast at the same pitch."""
    import av
    from av.filter import Graph as Filters

    steps, left = [], float(factor)
    while left < _TEMPO[0]:
        steps.append(_TEMPO[0])
        left /= _TEMPO[0]
    steps.append(left)
    filters = Filters()
    nodes = [filters.add_abuffer(sample_rate=rate, format="flt", layout="mono", time_base=Fraction(1, rate))]
    nodes += [filters.add("atempo", f"{step:.9g}") for step in steps]
    nodes.append(filters.add("abuffersink"))
    for one, two in pairwise(nodes):
        one.link_to(two)
    filters.configure()
    found: list[Samples] = []

    def drain() -> None:
        while True:
            try:
                pulled = nodes[-1].pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(pulled, av.AudioFrame)
            found.append(pulled.to_ndarray().reshape(-1))

    for at in range(0, len(samples), rate):
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples[None, at : at + rate]), format="flt", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        nodes[0].push(frame)
        drain()
    nodes[0].push(None)
    drain()
    return np.concatenate(found).astype(np.float32) if found else np.zeros(0, np.float32)


def _fitted(samples: Samples, length: int) -> Samples:
    """Exactly `length` samples: cut, or filled up with silence."""
    if len(samples) >= length:
        return samples[:length]
    return np.concatenate([samples, np.zeros(length - len(samples), np.float32)])


def _edged(samples: Samples, rate: int, first: bool, last: bool) -> Samples:
    """With short fades at the ends of a piece."""
    n = min(round(_FADE_S * rate), len(samples) // 2)
    if not n or not (first or last):
        return samples
    samples, ramp = samples.copy(), np.linspace(0, 1, n, endpoint=False, dtype=np.float32)
    if first:
        samples[:n] *= ramp
    if last:
        samples[-n:] *= ramp[::-1]
    return samples


def _read(
    sources: Mapping[str, tuple[Heard, float]], media_id: str, start: Fraction, end: Fraction, rate: int
) -> Samples:
    """Mono samples of [start, end) on a source's presentation clock at `rate`; silence where it has none."""
    heard, zero_s = sources[media_id]
    length = round((end - start) * rate)
    if isinstance(heard, Sound):
        return _of_memory(heard, start, length, rate)
    return read_sound(heard, zero_s, float(start), length, rate)


def _of_memory(sound: Sound, start: Fraction, length: int, rate: int) -> Samples:
    first = round(start * sound.rate)
    wanted = round(Fraction(length, rate) * sound.rate)
    samples = sound.samples[first : first + wanted]
    if samples.dtype == np.int16:
        samples = samples.astype(np.float32) / np.float32(32768)
    samples = _fitted(samples.astype(np.float32), wanted)
    return samples if sound.rate == rate else _resampled(samples, length)


def read_sound(path: Path, zero_s: float, start_s: float, length: int, rate: int) -> Samples:
    """`length` mono samples at `rate` from `start_s` of the presentation clock on (container time `zero_s` is its zero).

    Laid out by timestamps; gaps, and what lies outside of the sound, are silence. Raises `MediaError`.
    """
    import av

    out = np.zeros(length, np.float32)
    end_s = start_s + length / rate
    with open_media(path) as container:
        stream = audio_stream(container)
        if stream is None or not stream.time_base:
            return out
        if start_s > 2 * _PREROLL_S:
            container.seek(int((zero_s + start_s - _PREROLL_S) / stream.time_base), stream=stream)
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        at: int | None = None
        try:
            for packet in container.demux(stream):
                for frame in _decoded(packet):
                    now_s = None if frame.time is None else frame.time - zero_s
                    if now_s is not None and now_s > end_s + _PREROLL_S:
                        return out
                    if now_s is not None and (at is None or abs(at / rate - now_s) > _JITTER_S):
                        if at is not None:
                            _put(out, _flushed(resampler), at, start_s, rate)
                            resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
                        at = round(now_s * rate)
                    frame.pts = None
                    for piece in resampler.resample(frame):
                        at = _put(out, piece.to_ndarray().reshape(-1), at or 0, start_s, rate)
            _put(out, _flushed(resampler), at or 0, start_s, rate)
        except av.error.FFmpegError as error:
            raise MediaError(
                str(path), f"its sound does not decode at {start_s:.2f} s: {reason(error)}", "copy or export it again"
            ) from error
    return out


def _decoded(packet: Any) -> list[Any]:
    import av

    try:
        return list(packet.decode())
    except (av.error.EOFError, av.error.InvalidDataError, av.error.PatchWelcomeError):
        return []


def _flushed(resampler: Any) -> Samples:
    rest = [piece.to_ndarray().reshape(-1) for piece in resampler.resample(None)]
    return np.concatenate(rest) if rest else np.zeros(0, np.float32)


def _put(out: Samples, samples: Samples, at: int, start_s: float, rate: int) -> int:
    """Lay samples whose first has index `at` (time * rate) into `out`; the index after the last."""
    offset = at - round(start_s * rate)
    low, high = max(0, offset), min(len(out), offset + len(samples))
    if low < high:
        out[low:high] = samples[low - offset : high - offset]
    return at + len(samples)
