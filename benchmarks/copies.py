"""Copies of registered videos: `python benchmarks/copies.py --videos FOLDER... --others FOLDER... --work FOLDER`.

Registers every video of `--videos`, makes copies of a piece of each (re-encoded, cropped, mirrored, trimmed, at another
speed, and combinations), and counts how many are found as what they are. The videos of `--others` must show other footage:
clips of them are false alarms when found. Thresholds were chosen on the videos at even places; the held-out ones are at
odd places and are reported beside them. Sketches and signals are kept in `--work`, so that a second run is quick.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any

import av
import numpy as np
import pyarrow as pa
from chronotope.annotators.vision.picture_numbers import dct_hash, is_black
from chronotope.annotators.vision.sketches import VARIANTS, sketch_video
from chronotope.engine.annotator import FrameSession, Medium, Sampling
from chronotope.engine.contamination.copies import CopyRules, Looks, find_copies
from chronotope.engine.contamination.index import Sketch, SketchIndex
from chronotope.engine.media.fetch import VIDEO_SUFFIXES
from chronotope.engine.media.probe import probe
from chronotope.engine.media.shared_pass import FrameTap, run_frames
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.metrics import wilson_interval

PIECE_S, TRIM_S = 20.0, 5.0
HALF = "scale=trunc(iw/4)*2:trunc(ih/4)*2"
KINDS: dict[str, tuple[str, float, float, int]] = {
    "re-encoded": (HALF, 1.0, PIECE_S, 38),
    "cropped 10%": ("crop=iw*0.9:ih*0.9", 1.0, PIECE_S, 28),
    "cropped 10% at a corner": ("crop=iw*0.9:ih*0.9:0:0", 1.0, PIECE_S, 28),
    "cropped 7%": ("crop=iw*0.93:ih*0.93", 1.0, PIECE_S, 28),
    "cropped 20%": ("crop=iw*0.8:ih*0.8", 1.0, PIECE_S, 28),
    "mirrored": ("hflip", 1.0, PIECE_S, 28),
    "trimmed to 5 s": ("null", 1.0, TRIM_S, 28),
    "speed 1.1": ("null", 1.1, PIECE_S, 28),
    "speed 0.85": ("null", 0.85, PIECE_S, 28),
    "brighter": ("lutyuv=y=val*1.15+8", 1.0, PIECE_S, 28),
    "mirrored, re-encoded": (f"hflip,{HALF}", 1.0, PIECE_S, 38),
    "cropped 10%, speed 1.1, re-encoded": (f"crop=iw*0.9:ih*0.9,{HALF}", 1.1, PIECE_S, 38),
    "mirrored, cropped 10%, trimmed": ("hflip,crop=iw*0.9:ih*0.9", 1.0, TRIM_S, 28),
}
"""Kind -> filters, speed, length of the piece in seconds, x264's quality (higher is worse)."""


class Light(FrameSession):
    """The columns of `signals` that the search reads, without the motion, which costs most."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def see(self, frame: Any) -> Iterable[Any]:
        luma = frame.luma(320)
        black = bool(luma.mean() < 16 and is_black(luma))
        row = {
            "t_s": frame.t_s,
            "contrast": float(luma.std()),
            "black": black,
            "phash": dct_hash(frame.luma_at(32, 32)),
        }
        self.rows.append(row)
        return ()


def signals_of(path: Path, fps: float) -> list[dict[str, Any]]:
    """Rows as `signals` would write them."""
    facts = probe(path)
    size = (facts["fps"], facts["frames"], facts["width"], facts["height"])
    medium = Medium(str(path), str(path), path, "video", facts["duration_s"], *size, has_video=True, has_audio=False)
    session = Light()
    list(run_frames(medium, [FrameTap("signals", session, Sampling(fps))]))
    return session.rows


def make_copy(
    source: Path, target: Path, filters: str, speed: float, start_s: float, length_s: float, crf: int
) -> None:
    """Encode a piece of a video again, through filters, faster or slower, with new time stamps."""
    with av.open(str(target), "w") as out:
        graph, stream, rate = None, None, Fraction(25)
        for frame in _frames(source, start_s, start_s + length_s):
            if graph is None:
                graph = av.filter.Graph()
                last = graph.add_buffer(
                    width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 90000)
                )
                for part in f"{filters},scale=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p".split(","):
                    name, _, arguments = part.partition("=")
                    node = graph.add(name, arguments or None)
                    last.link_to(node)
                    last = node
                last.link_to(graph.add("buffersink"))
                graph.configure()
            frame.pts = round((frame.time - start_s) / speed * 90000)
            frame.time_base = Fraction(1, 90000)
            graph.push(frame)
            made = graph.pull()
            if stream is None:
                stream = out.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": "veryfast"})
                stream.width, stream.height, stream.pix_fmt = made.width, made.height, "yuv420p"
                stream.codec_context.time_base = Fraction(1, 90000)
            out.mux(stream.encode(made))
        assert stream is not None, f"{source} has no frames from {start_s} s on"
        out.mux(stream.encode())


def _frames(source: Path, start_s: float, end_s: float) -> Iterable[Any]:
    with av.open(str(source)) as container:
        zero = None
        for frame in container.decode(video=0):
            zero = frame.time if zero is None else zero
            t_s = frame.time - zero
            if t_s >= end_s:
                return
            if t_s >= start_s:
                frame.pts, frame.time_base = round(t_s * 90000), Fraction(1, 90000)
                yield frame


class Kept:
    """Sketches and signals, made once per file and kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def _file(self, *about: Any) -> Path:
        return self.folder / hashlib.sha256(repr(about).encode()).hexdigest()[:24]

    def sketch(self, path: Path, fps: float) -> Sketch:
        """The sketch of a registered video."""
        file = self._file("sketch", str(path), path.stat().st_size, fps, VARIANTS).with_suffix(".npz")
        if not file.exists():
            made = sketch_video(path, fps)
            np.savez(file, times=made.times, hashes=made.hashes)
        kept = np.load(file)
        return Sketch("registered", path.stem, VARIANTS, kept["times"], kept["hashes"].view(np.uint64))

    def signals(self, path: Path, fps: float) -> list[dict[str, Any]]:
        """Signals of a video of ours."""
        file = self._file("signals", str(path), path.stat().st_size, fps).with_suffix(".json")
        if not file.exists():
            file.write_text(json.dumps(signals_of(path, fps)))
        rows: list[dict[str, Any]] = json.loads(file.read_text())
        return rows

    def copy(self, path: Path, kind: str) -> tuple[Path, float]:
        """A copy of a piece of a video, and its length in seconds."""
        filters, speed, length_s, crf = KINDS[kind]
        room = max(0.0, probe(path)["duration_s"] - length_s)
        start_s = round(room * seeded_fraction(0, path.name, kind), 3)
        target = self._file("copy", str(path), path.stat().st_size, kind, KINDS[kind], start_s).with_suffix(".mp4")
        if not target.exists():
            make_copy(path, target, filters, speed, start_s, length_s, crf)
        return target, min(length_s, probe(path)["duration_s"]) / speed


def catch(registered: list[Path], index: SketchIndex, kept: Kept, fps: float, rules: CopyRules) -> list[dict[str, Any]]:
    """One result per copy: whether it was found as itself, how much of it, and as which other videos."""
    results = []
    for number, path in enumerate(registered):
        for kind in KINDS:
            file, length_s = kept.copy(path, kind)
            looks = Looks.of(pa.Table.from_pylist(kept.signals(file, fps)), rules.min_contrast)
            found = find_copies(looks, index, rules)
            own = next((c for c in found if c.item == path.stem), None)
            covered = sum(b - a for a, b in own.spans) / length_s if own else 0.0
            results.append(
                {
                    "kind": kind,
                    "video": path.stem,
                    "held_out": number % 2 == 1,
                    "caught": covered >= 0.5,
                    "covered": min(covered, 1.0),
                    "variant": own.variant if own else None,
                    "others": [c.item for c in found if c.item != path.stem],
                }
            )
    return results


def false_alarms(
    others: list[Path], index: SketchIndex, kept: Kept, fps: float, clip_s: float, rules: CopyRules
) -> list[dict[str, Any]]:
    """One result per clip of other footage: as what it was wrongly found."""
    results = []
    for number, path in enumerate(others):
        rows = kept.signals(path, fps)
        for first in range(int((rows[-1]["t_s"] + 1 / fps) // clip_s)):
            inside = [r for r in rows if first * clip_s <= r["t_s"] < (first + 1) * clip_s]
            found = find_copies(Looks.of(pa.Table.from_pylist(inside), rules.min_contrast), index, rules)
            wrong = [f"{c.item} ({c.variant})" for c in found]
            results.append({"clip": f"{path.stem} {first * clip_s:g} s", "held_out": number % 2 == 1, "found": wrong})
    return results


def videos_in(folders: Iterable[Path]) -> list[Path]:
    """Videos below some folders, and files given as such, by name."""
    files = [f for folder in folders for f in (sorted(folder.rglob("*")) if folder.is_dir() else [folder])]
    return sorted((f for f in files if f.suffix in VIDEO_SUFFIXES), key=lambda f: f.name)


def share(results: list[dict[str, Any]], key: str) -> str:
    """`20/20 (84-100%)`: a count with its 95% interval."""
    hits = sum(bool(r[key]) for r in results)
    low, high = wilson_interval(hits, len(results))
    return f"{hits}/{len(results)} ({100 * low:.1f}-{100 * high:.1f}%)"


def main() -> None:
    """Print the table of copies and the number of false alarms."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--videos", type=Path, nargs="+", required=True, help="folders or files to register")
    options.add_argument("--others", type=Path, nargs="+", required=True, help="folders or files with other footage")
    options.add_argument("--work", type=Path, required=True, help="folder for copies, sketches and signals")
    options.add_argument("--clip-s", type=float, default=5.0, help="length of the distinct clips")
    options.add_argument("--clips", type=int, default=500, help="distinct clips, at most")
    options.add_argument("--fps", type=float, default=4.0, help="pictures a second of the sketches")
    options.add_argument("--signals-fps", type=float, default=4.0, help="pictures a second of our own footage")
    options.add_argument("--rules", type=json.loads, default={}, help="thresholds as JSON")
    options.add_argument("--verbose", action="store_true", help="name every miss and every false alarm")
    given = options.parse_args()
    registered, others = videos_in(given.videos), videos_in(given.others)
    if not registered or not others:
        sys.exit("no videos there; give folders or files with --videos and --others")
    kept, rules = Kept(given.work), CopyRules(**given.rules)
    index = SketchIndex([kept.sketch(path, given.fps) for path in registered])
    print(f"{len(registered)} videos registered, {len(index.hashes):,} hashes in {len(VARIANTS)} variants")
    started = perf_counter()
    copies = catch(registered, index, kept, given.signals_fps, rules)
    print(f"\n{'copy':<36} {'tuned on':<22} {'held out':<22} covered  variants")
    for kind in KINDS:
        of = [c for c in copies if c["kind"] == kind]
        halves = [share([c for c in of if c["held_out"] == held], "caught") for held in (False, True)]
        names = Counter(c["variant"] for c in of if c["variant"]).most_common(2)
        covered = np.median([c["covered"] for c in of])
        print(f"{kind:<36} {halves[0]:<22} {halves[1]:<22} {covered:6.2f}   {', '.join(f'{n} {k}' for n, k in names)}")
    wrong = [c for c in copies if c["others"]]
    print(f"copies that are also found as another registered video: {len(wrong)} of {len(copies)}")
    clips = false_alarms(others, index, kept, given.signals_fps, given.clip_s, rules)[: given.clips]
    for held in (False, True):
        of = [c for c in clips if c["held_out"] == held]
        print(f"false alarms on distinct clips, {'held out' if held else 'tuned on'}: {share(of, 'found')}")
    print(f"false alarms on distinct clips, all: {share(clips, 'found')}")
    print(f"{perf_counter() - started:.1f} s")
    if given.verbose:
        for c in copies:
            if not c["caught"] or c["others"]:
                print(f"{c['kind']}: {c['video']} covered {c['covered']:.2f}, as {c['variant']}; also {c['others']}")
        for clip in clips:
            if clip["found"]:
                print(f"{clip['clip']}: {clip['found']}")


if __name__ == "__main__":
    main()
