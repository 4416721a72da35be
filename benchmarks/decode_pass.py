"""What one shared pass costs, as a multiple of decoding the same videos to nothing.

    python benchmarks/decode_pass.py FOLDER-or-FILE... [--repeat 5] [--annotators shots signals frames]

Runs a bare PyAV decode and the pass with the annotators (default parameters) in turn on each video, on
one thread, and compares medians, so that a busy machine disturbs both alike. CPU seconds are compared, with wall seconds
beside them. Also printed: what each annotator took, and what the pass costs with nobody in it but a picture per frame.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from chronotope.engine.annotator import FrameSession, Medium, Row, Sampling
from chronotope.engine.media.container import video_stream
from chronotope.engine.media.fetch import VIDEO_SUFFIXES
from chronotope.engine.media.frame import Frame
from chronotope.engine.media.probe import probe
from chronotope.engine.media.shared_pass import Finished, FrameTap, PassDone, run_frames

NAMES = ("shots", "signals", "frames")


@dataclass
class Timing:
    """CPU and wall seconds of repeated runs."""

    cpu: list[float]
    wall: list[float]

    def measure(self, run: Callable[[], Any]) -> Any:
        wall, cpu = perf_counter(), process_time()
        result = run()
        self.cpu.append(process_time() - cpu)
        self.wall.append(perf_counter() - wall)
        return result


class OnePicture(FrameSession):
    """Asks for one colour picture of 256 px per frame."""

    def see(self, frame: Frame) -> Iterable[Row]:
        frame.bgr(256)
        return ()


def bare(path: Path) -> int:
    """Frames decoded by PyAV alone, on one thread."""
    import av

    with av.open(str(path)) as container:
        stream = video_stream(container)
        assert stream is not None
        stream.thread_count, stream.thread_type = 1, "NONE"
        return sum(1 for _ in container.decode(stream))


def medium_of(path: Path) -> Medium:
    """The medium as a build would know it."""
    row = probe(path)
    names = ("kind", "duration_s", "fps", "frames", "width", "height", "start_pts_s")
    return Medium(
        path.stem, str(path), path, **{n: row[n] for n in names}, has_video=True, has_audio=False, row=row
    )  # fmt: skip


def shared(medium: Medium, names: tuple[str, ...], seconds: dict[str, list[float]]) -> int:
    """Frames decoded by one pass with these annotators (`picture` is the built-in one above)."""
    taps = []
    for name in names:
        if name == "picture":
            taps.append(FrameTap(name, OnePicture(), Sampling()))
            continue
        annotator = import_module(f"chronotope.annotators.vision.{name}").ANNOTATOR
        made = annotator(annotator.Params())
        made.setup()
        taps.append(FrameTap(name, made.open(medium), made.sampling(medium)))
    frames = 0
    for event in run_frames(medium, taps, []):
        if isinstance(event, Finished):
            if event.error is not None:
                raise event.error
            seconds[event.producer].append(event.seconds)
        elif isinstance(event, PassDone):
            frames = event.frames
    return frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, help="videos, or folders of videos")
    parser.add_argument("--repeat", type=int, default=5, help="interleaved repetitions")
    parser.add_argument("--annotators", nargs="+", default=list(NAMES), help="frame annotators in the pass")
    arguments = parser.parse_args()
    names = tuple(arguments.annotators)
    videos: list[Path] = []
    for path in arguments.paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        videos += [p for p in inside if p.suffix.lower() in VIDEO_SUFFIXES]
    totals: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    footage_s = 0.0
    print(
        f"{'video':28s} {'size':>10s} {'x bare':>7s} {'wall':>6s} {'picture':>8s}   ms per frame: bare, then each annotator"
    )
    for path in videos:
        medium = medium_of(path)
        timings = {kind: Timing([], []) for kind in ("bare", "pass", "picture")}
        seconds: dict[str, list[float]] = defaultdict(list)
        shared(medium, names, defaultdict(list))  # imports and first-use costs
        for _ in range(arguments.repeat):
            frames = timings["bare"].measure(lambda: bare(path))  # noqa: B023
            timings["pass"].measure(lambda: shared(medium, names, seconds))  # noqa: B023
            timings["picture"].measure(lambda: shared(medium, ("picture",), defaultdict(list)))  # noqa: B023
        for kind, timing in timings.items():
            totals[kind][0] += median(timing.cpu)
            totals[kind][1] += median(timing.wall)
        footage_s += medium.duration_s
        cpu = {kind: median(t.cpu) for kind, t in timings.items()}
        wall = {kind: median(t.wall) for kind, t in timings.items()}
        parts = ", ".join(f"{n} {median(seconds[n]) / frames * 1e3:.2f}" for n in names)
        print(
            f"{path.name[:28]:28s} {medium.width}x{medium.height:<5} {cpu['pass'] / cpu['bare']:7.2f}"
            f" {wall['pass'] / wall['bare']:6.2f} {cpu['picture'] / cpu['bare']:8.2f}"
            f"   {cpu['bare'] / frames * 1e3:.2f}; {parts}"
        )
    cpu_ratio, wall_ratio = (totals["pass"][i] / totals["bare"][i] for i in (0, 1))
    print(
        f"\nall {len(videos)} videos, {footage_s:.0f} s of footage, medians of {arguments.repeat} runs: one pass with"
        f" {' + '.join(names)} costs {cpu_ratio:.2f} x a bare decode (wall {wall_ratio:.2f});"
        f" one picture per frame alone {totals['picture'][0] / totals['bare'][0]:.2f} x."
        f" The pass runs at {footage_s / totals['pass'][1]:.0f} x real time on one thread."
    )


if __name__ == "__main__":
    main()
