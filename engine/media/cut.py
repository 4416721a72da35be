"""Cutting media exactly: which frames are in a cut follows from presentation timestamps, not from a
player's rounding.

The source's timeline says which frames lie in [start_s, end_s); FFmpeg is told to cut halfway between
neighbouring frames, so that no rounding can take one too many, and the result is probed before it gets its
final name. Encoding is bit-exact (one thread, no B-frames, no metadata): the same call gives the same
bytes. An exit code alone is never trusted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .container import MediaError
from .geometry import fit
from .timeline import Timeline, read_timeline

_EPSILON_S = 1e-6
_SEEK_MARGIN_S = 2.0
_REVERSE_LIMIT_BYTES = 2 << 30
"""Reversing keeps all frames of the cut in memory."""


@dataclass(frozen=True)
class CutFacts:
    """What was cut. Times of the source are on its presentation clock."""

    path: Path
    source_start_s: float
    """Time of the first source frame (or sample) in the cut: t_cut = t_source - this, unless reversed."""
    source_end_s: float
    """End of the last one. A reversed cut has t_cut = source_end_s - t_source (start and end of spans
    swap).
    """
    frames: int
    duration_s: float
    width: int
    height: int
    has_audio: bool


def cut_media(
    source: Path | str,
    start_s: float,
    end_s: float,
    out: Path | str,
    *,
    max_side_px: int | None = None,
    fps: float | None = None,
    keep_audio: bool = True,
    mirror: bool = False,
    reverse: bool = False,
    crf: int = 20,
) -> CutFacts:
    """Write the frames with start_s <= t_s < end_s of `source` to `out` (H.264 in MP4, display
    orientation, square pixels).

    Without `fps` every source frame keeps its own time, variable rates too. With `fps` each instant k /
    fps shows the frame that stands then. `mirror` swaps left and right; `reverse` plays backwards and
    drops the sound (at a variable rate it first brings the frames to the average rate). Odd sizes lose
    their last row or column to scaling to even ones.

    Raises `ValueError` for an empty span, `MediaError` when the source has no frame in it, when FFmpeg
    fails, or when the result is not what was asked for (then nothing is left at `out`).
    """
    source, out = Path(source), Path(out)
    if not start_s < end_s:
        raise ValueError(f"cut {start_s:g}..{end_s:g} of {source.name} is empty or inverted")
    timeline = _timeline(str(source), source.stat().st_size, source.stat().st_mtime_ns)
    shape = timeline.geometry
    if shape is None:
        raise MediaError(str(source), "no video stream to cut", "use cut_audio for sound")
    times = timeline.times_s
    first = int(np.searchsorted(times, start_s - _EPSILON_S, side="left"))
    stop = int(np.searchsorted(times, end_s - _EPSILON_S, side="left"))
    if first >= stop:
        raise MediaError(
            str(source),
            f"no frame between {start_s:.3f} s and {end_s:.3f} s",
            "widen the span; the file may be shorter",
        )
    begin = float(times[first])
    finish = float(times[stop]) if stop < len(times) else timeline.end_s
    lengths = np.diff([*times[first:stop], finish])
    if reverse and fps is None and np.ptp(lengths) > 1.01 * timeline.tick_s:
        fps = (stop - first) / (finish - begin)
    width, height = (shape.width, shape.height) if max_side_px is None else fit(shape.width, shape.height, max_side_px)
    width, height = max(2, width // 2 * 2), max(2, height // 2 * 2)
    expected = stop - first if fps is None else _grid_points(finish - begin, fps)
    if reverse and expected * width * height * 1.5 > _REVERSE_LIMIT_BYTES:
        raise MediaError(
            str(source),
            f"reversing {expected} frames of {width}x{height} needs more than {_REVERSE_LIMIT_BYTES >> 30} GB of memory",
            "reverse a shorter clip or set max_side_px",
        )
    sound = keep_audio and not reverse and timeline.audio_start_s is not None
    sound = sound and timeline.audio_start_s < finish and (timeline.audio_end_s or 0) > begin  # type: ignore[operator]

    # Everything below is in container time, with cuts halfway between frames.
    zero = timeline.start_pts_s
    low = zero + ((times[first - 1] + begin) / 2 if first else begin - 1)
    high = zero + ((times[stop - 1] + times[stop]) / 2 if stop < len(times) else finish + 1)
    import ffmpeg

    seek = max(0.0, zero + begin - _SEEK_MARGIN_S)
    opened = ffmpeg.input(
        str(source),
        **({"seek_timestamp": 1, "ss": f"{seek:.6f}", "noaccurate_seek": None} if first else {}),
        copyts=None,
    )
    video = opened.video.filter("trim", start=f"{low:.9f}", end=f"{high:.9f}")
    video = video.filter("setpts", "PTS-STARTPTS")
    if fps is not None:
        video = video.filter("fps", fps=f"{fps:.9g}", start_time=0, round="up")
    if (width, height) != (shape.width, shape.height) or shape.stretched:
        video = video.filter("scale", width, height, flags="bicubic+accurate_rnd+full_chroma_int+bitexact")
    if mirror:
        video = video.filter("hflip")
    if reverse:
        video = video.filter("reverse")
    streams = [video.filter("setsar", 1).filter("format", "yuv420p")]
    options: dict[str, Any] = {
        "c:v": "libx264", "preset": "veryfast", "crf": crf, "bf": 0, "g": 48, "threads": 1, "fps_mode": "passthrough",
        # With macroblock trees x264 gives other bytes from run to run where the height is no multiple of 16.
        "x264-params": "mbtree=0",
        "enc_time_base:v": "filter", "flags:v": "+bitexact", "movflags": "+faststart",
    }  # fmt: skip
    if fps is None:  # the encoder does not know how long the last frame stands
        last = f"if(eq(N,{expected - 1}),round({lengths[-1]:.9f}/TB),DURATION)"
        options["bsf:v"] = "setts=duration=" + last.replace(",", r"\,")
    if sound:
        start = zero + begin
        audio = opened.audio.filter("atrim", start=f"{start:.9f}", end=f"{zero + finish:.9f}")
        audio = audio.filter("asetpts", f"PTS-{start:.9f}/TB").filter("aresample", **{"async": 1, "first_pts": 0})
        streams.append(audio)
        options |= {"c:a": "aac", "b:a": "128k", "ac": 2, "flags:a": "+bitexact"}
    with finished(out) as part:
        _run(ffmpeg.output(*streams, str(part), **_COMMON, format="mp4", **options), source)
        facts = _check(source, part, expected, finish - begin, loose=fps is not None, sound=sound)
    return CutFacts(out, begin, finish, len(facts.times_s), facts.end_s, width, height, facts.audio_start_s is not None)


def cut_audio(source: Path | str, start_s: float, end_s: float, out: Path | str, *, rate: int = 16_000) -> CutFacts:
    """Write the sound of [start_s, end_s) as mono at `rate` to `out` (`.wav` or `.flac`). Silence fills
    what is missing.

    Raises `ValueError` for an empty span or another suffix, `MediaError` as `cut_media` does.
    """
    source, out = Path(source), Path(out)
    if not start_s < end_s or out.suffix not in (".wav", ".flac"):
        raise ValueError(f"cannot cut {start_s:g}..{end_s:g} of {source.name} to {out.name} (.wav or .flac)")
    timeline = _timeline(str(source), source.stat().st_size, source.stat().st_mtime_ns)
    if timeline.audio_start_s is None:
        raise MediaError(str(source), "no sound to cut", "leave it out of what needs sound")
    import ffmpeg

    start = timeline.start_pts_s + start_s
    opened = ffmpeg.input(str(source), copyts=None)
    audio = opened.audio.filter("atrim", start=f"{start:.9f}", end=f"{start - start_s + end_s:.9f}")
    audio = audio.filter("asetpts", f"PTS-{start:.9f}/TB").filter("aresample", rate, **{"async": 1, "first_pts": 0})
    audio = audio.filter("apad", whole_dur=f"{end_s - start_s:.9f}")
    options = {"ac": 1, "c:a": {".wav": "pcm_s16le", ".flac": "flac"}[out.suffix], "flags:a": "+bitexact"}
    with finished(out) as part:
        _run(ffmpeg.output(audio, str(part), **_COMMON, format=out.suffix[1:], **options), source)
        facts = read_timeline(part)
        if abs(facts.end_s - (end_s - start_s)) > 0.02:
            raise _wrong(source, f"{facts.end_s:.3f} s of sound instead of {end_s - start_s:.3f} s")
    return CutFacts(out, start_s, end_s, 0, facts.end_s, 0, 0, True)


_COMMON: dict[str, Any] = {"map_metadata": -1, "map_chapters": -1, "fflags": "+bitexact"}


@lru_cache(maxsize=4)
def _timeline(path: str, size: int, mtime_ns: int) -> Timeline:
    """Many clips are cut from one file in a row."""
    return read_timeline(path)


def _grid_points(duration_s: float, fps: float) -> int:
    return max(1, int(np.ceil((duration_s - _EPSILON_S) * fps)))


def _run(stream: Any, source: Path) -> None:
    import ffmpeg
    import imageio_ffmpeg

    command = stream.global_args("-hide_banner", "-nostdin", "-loglevel", "error", "-filter_threads", "1")
    try:
        ffmpeg.run(
            command,
            cmd=imageio_ffmpeg.get_ffmpeg_exe(),
            overwrite_output=True,
            capture_stdout=True,
            capture_stderr=True,
        )
    except ffmpeg.Error as error:
        lines = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        last = lines[-1] if lines else "no message"
        raise MediaError(str(source), f"FFmpeg could not cut it: {last}", "check that it plays to its end") from error


def _check(source: Path, part: Path, frames: int, duration_s: float, *, loose: bool, sound: bool) -> Timeline:
    facts = read_timeline(part)
    count = len(facts.times_s)
    if abs(count - frames) > int(loose):
        raise _wrong(source, f"{count} frames instead of {frames}")
    frame_s = duration_s / max(frames, 1)
    if abs(facts.end_s - duration_s) > frame_s * (1.5 if loose else 0.6) + 0.002:
        raise _wrong(source, f"{facts.end_s:.3f} s instead of {duration_s:.3f} s")
    if sound and facts.audio_start_s is None:
        raise _wrong(source, "no sound")
    return facts


def _wrong(source: Path, what: str) -> MediaError:
    return MediaError(str(source), f"the cut has {what}", "check that the source plays; report it if it does")


@contextmanager
def finished(out: Path) -> Iterator[Path]:
    """A temporary name beside `out`, renamed when all went well, removed otherwise."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
