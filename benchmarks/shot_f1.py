"""F1 of shot boundaries: `python benchmarks/shot_f1.py FOLDER... [--detectors adaptive content transnetv2]`.

Truth is the composed film's script (made here, three seeds) and a hand-made list for real footage
(`tests/data/real_cuts.json`), whose files are found by content hash below the folders. A hard cut counts within two
frames, one to one; what a detector reports inside a gradual transition is neither hit nor mistake for the hard cuts,
and finds that transition.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chronotope.annotators.compose.film import FilmParams, compose_film
from chronotope.annotators.vision.shots import Shots, ShotsParams
from chronotope.engine.annotator import Medium
from chronotope.engine.media.events import Finished, RowsOut
from chronotope.engine.media.probe import probe
from chronotope.engine.media.shared_pass import FrameTap, run_frames
from chronotope.schemas.metrics import boundary_prf

LIST = Path(__file__).parent.parent / "tests" / "data" / "real_cuts.json"
SUFFIXES = {".mp4", ".mkv", ".mov", ".webm", ".avi"}


@dataclass(frozen=True)
class Case:
    """A video and its boundaries, as far as they were annotated (`until_s`)."""

    name: str
    path: Path
    fps: float
    until_s: float
    hard: list[float]
    gradual: list[tuple[float, float]]


@dataclass
class Tally:
    """Counts over several videos."""

    hits: int = 0
    found: int = 0
    hard: int = 0
    gradual_hits: int = 0
    gradual: int = 0

    def add(self, other: Tally) -> None:
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __str__(self) -> str:
        f1 = 2 * self.hits / (self.found + self.hard) if self.found + self.hard else 1.0
        return f"hard F1 {f1:.3f} ({self.hits} of {self.hard}, {self.found - self.hits} wrong)" + (
            f", gradual {self.gradual_hits} of {self.gradual}" if self.gradual else ""
        )


def composed(folder: Path, seeds: int) -> Iterator[Case]:
    """Composed films of about 100 s with look-alike cuts, dissolves, flashes and whip pans."""
    for seed in range(seeds):
        path = folder / f"film{seed}.mp4"
        truth = compose_film(path, FilmParams(seed=seed, scenes=20, narration=False))
        yield Case(
            f"composed film {seed}",
            path,
            truth.fps,
            truth.duration_s,
            [t.start_s for t in truth.transitions if t.kind == "cut"],
            [(t.start_s, t.end_s) for t in truth.transitions if t.kind == "dissolve"],
        )


def listed(folders: list[Path]) -> Iterator[Case]:
    """Real files of the hand-made list that lie below `folders`; says which are missing."""
    files = sorted({p for f in folders for p in f.rglob("*") if p.suffix.lower() in SUFFIXES})
    by_content = {hashlib.blake2b(p.read_bytes(), digest_size=10).hexdigest(): p for p in files}
    for entry in json.loads(LIST.read_text())["files"]:
        path = by_content.get(entry["content"])
        if path is None:
            print(f"  not found, left out: {entry['name']}")
            continue
        cuts = [b for b in entry["boundaries"] if b["kind"] == "cut"]
        fades = [(b["start_s"], b["end_s"]) for b in entry["boundaries"] if b["kind"] == "gradual"]
        yield Case(entry["name"], path, entry["fps"], entry["until_s"], [b["t_s"] for b in cuts], fades)


def boundaries(annotator: Shots, path: Path) -> list[float]:
    """Starts of all shots but the first."""
    facts = probe(path)
    names = ("kind", "duration_s", "fps", "frames", "width", "height")
    medium = Medium("m", path.name, path, *(facts[n] for n in names), has_video=True, has_audio=False)
    rows = []
    for event in run_frames(medium, [FrameTap("shots", annotator.open(medium), annotator.sampling(medium))]):
        if isinstance(event, Finished) and event.error:
            raise event.error
        if isinstance(event, RowsOut):
            rows += [row for _, row in event.rows]
    return [row["start_s"] for row in rows[1:]]


def tally(case: Case, found: list[float]) -> Tally:
    """Compare what was found with the truth."""
    tolerance_s = 2 / case.fps + 1e-3
    found = [t for t in found if t < case.until_s]

    def near(t: float, start_s: float, end_s: float) -> bool:
        return start_s - tolerance_s <= t <= end_s + tolerance_s

    left_out = [
        t
        for t in found
        if any(near(t, *span) for span in case.gradual) and not any(near(t, cut, cut) for cut in case.hard)
    ]
    judged = boundary_prf([t for t in found if t not in left_out], case.hard, tolerance_s)
    seen = sum(any(near(t, *span) for t in found) for span in case.gradual)
    return Tally(judged.truth_hits, judged.predicted, judged.truth, seen, len(case.gradual))


def main() -> None:
    """Print the figures per video and in total."""
    parser = argparse.ArgumentParser(description="F1 of shot boundaries on composed and real footage")
    parser.add_argument("folders", nargs="*", type=Path, help="folders that hold the real files")
    parser.add_argument("--detectors", nargs="+", default=["adaptive", "content"])
    parser.add_argument("--films", type=int, default=3, help="composed films")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        groups = {
            "composed": list(composed(Path(folder), args.films)),
            "real": list(listed(args.folders)) if args.folders else [],
        }
        for detector in args.detectors:
            annotator = Shots(ShotsParams(detector=detector))
            annotator.setup()
            for group, cases in groups.items():
                total = Tally()
                for case in cases:
                    counted = tally(case, boundaries(annotator, case.path))
                    total.add(counted)
                    print(f"  {detector:10} {case.name:36} {counted}")
                if cases:
                    print(f"{detector:10} {group:38} {total}")


if __name__ == "__main__":
    main()
