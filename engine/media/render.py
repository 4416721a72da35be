"""Rendering an edit graph to MP4 (H.264 and AAC), exact to the frame and to the sample, the same bytes for the same graph.

Each output frame shows the source frame that stands at its source time, scaled into its area, black around it; sound is as long as
the picture. Pictures and sound are streamed to the encoder, so that memory does not grow with length. The result is read back: a
wrong number of frames or a wrong length is an error, and nothing is left behind. Byte equality holds for one set of library
versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ...schemas.edit_graph import Graph
from ...schemas.edit_pieces import Placed
from .container import MediaError
from .cut import finished
from .frame import Pixels
from .render_frames import piece_pictures
from .render_sound import Heard, Samples, Sound, sound_blocks
from .timeline import Timeline, read_timeline

VERSION = 1
"""Raise it whenever the same graph gives other bytes."""
SOUND_RATE_HZ = 48_000
_AAC_SAMPLES = 1024
_KEY_FRAME_S = 2

Input = Path | Pixels | Sound
"""Where a source's pictures or sound come from: a file, an rgb picture [h, w, 3], or sound in memory."""

Draw = Callable[[int, Pixels], Pixels]
"""What is drawn over a frame of the result: from its number and its picture to the picture that is written."""

__all__ = ["SOUND_RATE_HZ", "VERSION", "Draw", "Input", "Rendered", "Sound", "render"]


@dataclass(frozen=True)
class Rendered:
    """What was written."""

    path: Path
    frames: int
    duration_s: float
    has_audio: bool


def render(
    graph: Graph,
    sources: Mapping[str, Input],
    out: Path | str,
    *,
    sound_rate: int = SOUND_RATE_HZ,
    crf: int = 20,
    draw: Draw | None = None,
) -> Rendered:
    """Write a graph to `out`; `sources` by media_id. `sound_rate` is that of the result, samples per second; `draw` puts
    things into single frames (it must return another array where it changes something).

    Raises `ValueError` for a source that is not given, `MediaError` when one does not decode or the result is not what the graph
    says (then nothing is left at `out`).
    """
    missing = sorted(set(graph.media_ids) - set(sources))
    if missing:
        raise ValueError(f"no input for {', '.join(missing)}; give a file or a picture for every source of the graph")
    out = Path(out)
    timelines = {m: read_timeline(s) for m, s in sources.items() if isinstance(s, Path) and m in graph.media_ids}
    with finished(out) as part:
        _encode(graph, sources, timelines, part, sound_rate, crf, draw)
        facts = read_timeline(part)
        _check(graph, out, facts)
    return Rendered(out, graph.frames, graph.duration_s, graph.has_sound)


def _encode(
    graph: Graph,
    sources: Mapping[str, Input],
    timelines: Mapping[str, Timeline],
    part: Path,
    rate: int,
    crf: int,
    draw: Draw | None,
) -> None:
    import av
    from av.codec.context import Flags

    with av.open(str(part), "w", format="mp4", options={"fflags": "+bitexact", "movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=graph.fps)
        video.width, video.height, video.pix_fmt = graph.width, graph.height, "yuv420p"
        video.codec_context.thread_count = 1
        video.codec_context.flags |= Flags.bitexact
        video.codec_context.time_base = 1 / graph.fps
        # With macroblock trees x264 gives other bytes from run to run when the height is no multiple of 16.
        video.options = {
            "preset": "veryfast", "crf": str(crf), "threads": "1", "bf": "0", "x264-params": "mbtree=0",
        }  # fmt: skip
        video.codec_context.gop_size = max(1, round(graph.fps * _KEY_FRAME_S))
        large = graph.height >= 720 or graph.width >= 1280
        video.codec_context.colorspace = 1 if large else 5
        video.codec_context.color_range = 1
        send_sound = None
        if graph.has_sound:
            audio = container.add_stream("aac", rate=rate, layout="mono")
            audio.codec_context.flags |= Flags.bitexact
            audio.bit_rate = 96_000
            audio.options = {"aac_coder": "fast"}
            send_sound = _SoundWriter(container, audio, rate, sound_blocks(graph, _heard(sources, timelines), rate))
        for index, picture in enumerate(graph_pictures(graph, sources, timelines)):
            shown = picture if draw is None else draw(index, picture)
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=1 if large else 5, dst_color_range=1)
            frame.pts, frame.time_base = index, 1 / graph.fps
            container.mux(video.encode(frame))
            if send_sound is not None:
                send_sound.until(round((index + 1) / graph.fps * rate))
        container.mux(video.encode())
        if send_sound is not None:
            send_sound.finish()


def graph_pictures(graph: Graph, sources: Mapping[str, Input], timelines: Mapping[str, Timeline]) -> Iterator[Pixels]:
    """uint8 rgb [height, width, 3] of every frame of a graph, in order."""
    layers: dict[int, list[Placed]] = {}
    for placed in graph.placed:
        layers.setdefault(placed.layer, []).append(placed)
    streams = [_layer(pieces, sources, timelines) for pieces in layers.values()]
    for shown in zip(*streams, strict=True):
        if len(shown) == 1 and shown[0][1].shape[:2] == (graph.height, graph.width):
            yield shown[0][1]
            continue
        canvas = np.zeros((graph.height, graph.width, 3), np.uint8)
        for placed, picture in shown:
            area = placed.piece.area
            canvas[area.y : area.y + area.height, area.x : area.x + area.width] = picture
        yield canvas


def _layer(
    pieces: list[Placed], sources: Mapping[str, Input], timelines: Mapping[str, Timeline]
) -> Iterator[tuple[Placed, Pixels]]:
    for placed in pieces:
        media_id = placed.piece.source.media_id
        source = sources[media_id]
        if isinstance(source, Sound):
            raise ValueError(f"{media_id} is sound alone and cannot be shown; put it on top as an overlay")
        for picture in piece_pictures(placed, source, timelines.get(media_id)):
            yield placed, picture


def _heard(sources: Mapping[str, Input], timelines: Mapping[str, Timeline]) -> dict[str, tuple[Heard, float]]:
    """Sounds by media_id, with the container time of the presentation clock's zero."""
    found: dict[str, tuple[Heard, float]] = {}
    for media_id, source in sources.items():
        if isinstance(source, Sound):
            found[media_id] = source, 0.0
        elif isinstance(source, Path) and media_id in timelines:
            found[media_id] = source, timelines[media_id].start_pts_s
    return found


class _SoundWriter:
    """Hands sound to the encoder in its own block size, as far as the pictures have come."""

    def __init__(self, container: Any, stream: Any, rate: int, blocks: Iterator[Samples]) -> None:
        self._container, self._stream, self._rate, self._blocks = container, stream, rate, blocks
        self._waiting: Samples = np.zeros(0, np.float32)
        self._sent = 0
        self._done = False

    def until(self, sample: int) -> None:
        """Send whole blocks that end before `sample`."""
        while self._sent + _AAC_SAMPLES <= sample:
            self._fill(_AAC_SAMPLES)
            if len(self._waiting) < _AAC_SAMPLES:
                return
            self._send(_AAC_SAMPLES)

    def finish(self) -> None:
        """Send the rest."""
        self._fill(_AAC_SAMPLES)
        while len(self._waiting):
            self._send(min(_AAC_SAMPLES, len(self._waiting)))
            self._fill(_AAC_SAMPLES)
        self._container.mux(self._stream.encode())

    def _fill(self, wanted: int) -> None:
        while len(self._waiting) < wanted and not self._done:
            block = next(self._blocks, None)
            self._done = block is None
            if block is not None:
                self._waiting = np.concatenate([self._waiting, block]) if len(self._waiting) else block

    def _send(self, count: int) -> None:
        import av

        block = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(self._waiting[None, :count]), format="fltp", layout="mono"
        )
        block.sample_rate, block.time_base, block.pts = self._rate, Fraction(1, self._rate), self._sent
        self._container.mux(self._stream.encode(block))
        self._waiting = self._waiting[count:]
        self._sent += count


def _check(graph: Graph, out: Path, facts: Timeline) -> None:
    frame_s = float(1 / graph.fps)
    if len(facts.times_s) != graph.frames:
        raise _wrong(out, f"{len(facts.times_s)} frames instead of {graph.frames}")
    if abs(facts.end_s - graph.duration_s) > 0.6 * frame_s + 0.002:
        raise _wrong(out, f"{facts.end_s:.3f} s instead of {graph.duration_s:.3f} s")
    if graph.has_sound:
        if facts.audio_start_s is None or facts.audio_end_s is None:
            raise _wrong(out, "no sound")
        if abs(facts.audio_start_s) > 0.002 or abs(facts.audio_end_s - graph.duration_s) > 0.05:
            raise _wrong(
                out,
                f"sound of {facts.audio_start_s:.3f}..{facts.audio_end_s:.3f} s for {graph.duration_s:.3f} s of picture",
            )


def _wrong(out: Path, what: str) -> MediaError:
    return MediaError(str(out), f"the rendered film has {what}", "check that its sources play; report it if they do")
