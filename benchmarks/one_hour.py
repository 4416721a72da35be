"""Memory of a build whose one video is an hour long, beside builds of shorter ones.

    python benchmarks/one_hour.py [--minutes 2 15 60]

Composes narrated films (160x90, 12 frames per second), builds `shots`, `signals`, `frames`, `speech` and the clips of
each into a fresh root, every build in a process of its own, and samples the proportional set size (PSS: shared pages
are split among their holders) of that process and all its descendants, Ray's included, once a second. Sound goes to
the speech recogniser in pieces of up to ten minutes, so the peak grows up to that length; flat means that it stays
there however long the video is: compare 15 minutes with 60. Linux only: it reads /proc/*/smaps_rollup.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

RECIPE = """
name: one_hour
sources: [{videos: FILM}]
annotate:
  - shots
  - signals
  - frames: {fps: 1, max_side_px: 160}
  - speech: {model: tiny.en}
clips: {policy: shot}
select: {length: duration_s > 0}
"""


@dataclass
class Peak:
    """Greatest memory seen, MB."""

    total: float = 0.0
    processes: int = 0
    by_kind: dict[str, float] = field(default_factory=dict)
    """Largest single process of each kind."""
    then: dict[str, float] = field(default_factory=dict)
    """Sum of each kind at the moment of the greatest total."""
    tail: list[float] = field(default_factory=list)
    """Total at every sample, in time order."""

    def add(self, sizes: list[tuple[str, float]]) -> None:
        total = sum(size for _, size in sizes)
        if total > self.total:
            self.total, self.processes = total, len(sizes)
            self.then = {kind: sum(size for k, size in sizes if k == kind) for kind, _ in sizes}
        self.tail.append(total)
        for kind, size in sizes:
            self.by_kind[kind] = max(self.by_kind.get(kind, 0.0), size)


def tree(root: int) -> list[int]:
    """`root` and all its descendants, by process id."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
        children.setdefault(int(after_name[1]), []).append(int(stat.parent.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def pss_mb(pid: int) -> float:
    """Proportional set size of a process; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def kind_of(pid: int, driver: int) -> str:
    """driver, worker, raylet, gcs_server, or ray's other helpers."""
    if pid == driver:
        return "driver"
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "other"
    for name in ("raylet/raylet", "gcs_server"):
        if name in command.split(" --")[0]:
            return name.rpartition("/")[2]
    return "worker" if command.startswith("ray::") else "other"


def told(sizes: dict[str, float]) -> str:
    return ", ".join(f"{kind} {size:.0f} MB" for kind, size in sorted(sizes.items()))


def compose(path: str, minutes: float) -> None:
    from chronotope.annotators.compose.film import FilmParams, compose_film

    compose_film(Path(path), FilmParams(min_duration_s=60 * minutes, width=160, height=90, fps=12))


def build(film: str, root: str) -> None:
    from chronotope.pipelines.build import Build
    from chronotope.pipelines.recipe import Recipe

    report = Build(Recipe.parse(RECIPE.replace("FILM", film), Path(root)), Path(root)).run()
    if report.failures:
        raise SystemExit(str(report.failures))
    stages = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in report.stages.items() if seconds >= 1)
    print(f"  {report.source_s:.0f} s of footage, units {dict(report.worked)}; {stages}", flush=True)


def measured(film: str, root: str) -> Peak:
    """Build in a process of its own and watch its memory."""
    process = multiprocessing.get_context("spawn").Process(target=build, args=(film, root))
    process.start()
    assert process.pid is not None
    peak = Peak()
    while process.is_alive():
        pids = tree(process.pid)
        peak.add([(kind_of(pid, process.pid), pss_mb(pid)) for pid in pids])
        time.sleep(1.0)
    process.join()
    if process.exitcode:
        raise SystemExit(f"the build of {film} ended with exit code {process.exitcode}")
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", nargs="+", type=float, default=[2, 15, 60], help="lengths of the films")
    arguments = parser.parse_args()
    peaks: list[Peak] = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in arguments.minutes:
            film = str(Path(folder) / f"film{minutes:g}.mp4")
            started = time.perf_counter()
            composing = multiprocessing.get_context("spawn").Process(target=compose, args=(film, minutes))
            composing.start()
            composing.join()
            composed_s = time.perf_counter() - started
            peak = measured(film, str(Path(folder) / f"root{minutes:g}"))
            peaks.append(peak)
            print(
                f"{minutes:g} min (composed in {composed_s:.0f} s, built in {time.perf_counter() - started - composed_s:.0f} s):"
                f" peak of all {peak.processes} processes {peak.total:.0f} MB;"
                f" then {told(peak.then)}; largest single {told(peak.by_kind)};"
                f" after each tenth {' '.join(f'{peak.tail[i * len(peak.tail) // 10]:.0f}' for i in range(10))}",
                flush=True,
            )
    if len(peaks) > 1:
        print(f"peak of the last over the one before: {peaks[-1].total / peaks[-2].total:.2f}")


if __name__ == "__main__":
    main()
