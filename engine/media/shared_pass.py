"""The shared decode pass: one decode of a video feeds every frame annotator and every frame set that wants
it.

`run_frames` is a generator of events, so memory stays flat however long the video is. Consumers fail
alone: an exception of one ends that one, while a video that cannot be decoded ends all that are
unfinished. Rows of a consumer that fails may have been handed out before; whoever stores them drops them
on its `Finished` event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter

from ..annotator import FrameSession, FrameSet, Medium, Sampling
from .consumer import Consumer
from .container import MediaError
from .decode import VideoReader
from .events import Finished, PassDone, PassEvent, PictureOut, RowsOut
from .frame import Frame
from .pictures import PictureTaker, Sampler

__all__ = ["Finished", "FrameSetTap", "FrameTap", "PassDone", "PassEvent", "PictureOut", "RowsOut", "run_frames"]


@dataclass(frozen=True)
class FrameTap:
    """A frame annotator's open session and the frames that it wants."""

    producer: str
    session: FrameSession
    sampling: Sampling


@dataclass(frozen=True)
class FrameSetTap:
    """A frame set that somebody wants pictures of."""

    frame_set: FrameSet


def run_frames(medium: Medium, taps: Sequence[FrameTap], sets: Sequence[FrameSetTap] = ()) -> Iterator[PassEvent]:
    """Decode `medium` once for all consumers.

    Every tap and every frame set gets exactly one `Finished`; the last event is `PassDone`. Decoding stops
    early when all consumers have failed. The last picture of a frame set stands until the medium's end.
    Nothing is raised for a bad medium: its `MediaError` is in the `Finished` events. Raises `ValueError`
    for a medium without a local path.
    """
    if medium.path is None:
        raise ValueError(f"{medium}: no local file to decode; fetch it first (engine.media.fetch.local_copy)")
    _one_thread_per_worker()
    running: list[_FrameConsumer | _SetConsumer] = [
        *(_FrameConsumer(tap) for tap in taps),
        *(_SetConsumer(medium.media_id, tap.frame_set) for tap in sets),
    ]
    reader = VideoReader(medium.path, medium.frames)
    try:
        with closing(iter(reader)) as frames:
            for frame in frames:
                t_s = frame.t_s
                for run in running:
                    if t_s >= run.sampler.next_s and run.sampler.wants(t_s):
                        yield from run.feed(frame)
                        if run.ended:
                            running = [r for r in running if not r.ended]
                if not running:
                    break
    except Exception as error:
        told = error.about(medium.uri) if isinstance(error, MediaError) else error
        for run in running:
            yield run.fail(told)
    else:
        for run in running:
            yield from run.finish_at(medium.duration_s)
    yield PassDone(reader.end_s, reader.frames, reader.damaged)


class _FrameConsumer(Consumer):
    """One frame annotator in the pass."""

    def __init__(self, tap: FrameTap) -> None:
        super().__init__(tap.producer, tap.session.see, tap.session.close)
        self.sampler = Sampler(tap.sampling.fps)

    def finish_at(self, end_s: float) -> Iterator[PassEvent]:
        yield from self.finish()


class _SetConsumer:
    """One frame set in the pass."""

    def __init__(self, media_id: str, frame_set: FrameSet) -> None:
        self.producer = frame_set.name
        self.ended = False
        self.sampler = Sampler(frame_set.fps)
        self._taker = PictureTaker(media_id, frame_set)
        self._seconds = 0.0

    def feed(self, frame: Frame) -> Iterator[PassEvent]:
        started = perf_counter()
        try:
            picture = self._taker.take(frame)
        except Exception as error:
            yield self.fail(error)
            return
        finally:
            self._seconds += perf_counter() - started
        if picture is not None:
            yield PictureOut(self.producer, picture)

    def finish_at(self, end_s: float) -> Iterator[PassEvent]:
        picture = self._taker.close(end_s)
        if picture is not None:
            yield PictureOut(self.producer, picture)
        self.ended = True
        yield Finished(self.producer, None, None, self._seconds)

    def fail(self, error: Exception) -> Finished:
        self.ended = True
        return Finished(self.producer, error, None, self._seconds)


def _one_thread_per_worker() -> None:
    """Workers are the parallelism; OpenCV's own threads would fight them."""
    import cv2

    if cv2.getNumThreads() != 1:
        cv2.setNumThreads(1)
