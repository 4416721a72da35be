"""Corruptions of packaged media: files that are not, or not quite, what `samples.jsonl` says they are.

They happen when a package is copied in parts, cut again by hand or mixed with another one. Dataset and samples stay right, so
plain `verify` has nothing to find; `verify --deep` looks at the files. All samples that show a file are victims of what
happens to it. Works on a copy of a package; a file that is linked elsewhere is replaced, never changed.
"""

from __future__ import annotations

import shutil
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..annotators.second.footage import RATE_HZ, Footage
from ..engine.catalog import Catalog
from ..engine.media.cut import cut_media
from ..outputs.package_sources import Footage as Sources
from ..schemas.ids import seeded_fraction
from ..schemas.sample import Sample, SpanAnswer
from ..schemas.span import Span, overlap_s
from .deep_draw import Drawn, draw, samples_of
from .lies import Lie

LATE_S = 1.0


class Tools:
    """What kinds may use: other files of the package, the sources, a place for temporary files."""

    def __init__(self, sources: Sources, drawn: list[Drawn], scratch: Path) -> None:
        self.sources, self.drawn, self.scratch = sources, drawn, scratch

    def other_film(self, d: Drawn) -> Path | None:
        """A packaged film of another medium, with sound where there is one."""
        found = (o.files("video") for o in self.drawn if o.first["media_id"] != d.first["media_id"])
        films = sorted({files[0] for files in found if files})
        return next((f for f in films if Footage(f).has_sound), films[0] if films else None)

    def new(self, suffix: str) -> Path:
        """A temporary file name."""
        return self.scratch / f"new{suffix}"


MediaKind = Callable[[Drawn, Sample, Path, Tools], Path | None]
"""(sample drawn, sample, its film, tools) -> the false file, or None where the kind does not apply."""


def sound_replaced(d: Drawn, sample: Sample, film: Path, tools: Tools) -> Path | None:
    """The sound of another film under the same pictures."""
    other = tools.other_film(d)
    if other is None or not _hears(sample) or not Footage(other).has_sound or not Footage(film).has_sound:
        return None
    return _ffmpeg(
        tools, film, "-i", str(other), "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-af", "apad", "-shortest"
    )


def swapped(d: Drawn, sample: Sample, film: Path, tools: Tools) -> Path | None:
    """Another film."""
    other = tools.other_film(d)
    return None if other is None else Path(shutil.copy(other, tools.new(".mp4")))


def beginning_lost(d: Drawn, sample: Sample, film: Path, tools: Tools) -> Path | None:
    """The first second is missing, so that everything comes early."""
    if float(d.first["duration_s"]) < 2 * LATE_S:
        return None
    return _ffmpeg(tools, film, before=("-ss", f"{LATE_S}"))


def cut_late(d: Drawn, sample: Sample, film: Path, tools: Tools) -> Path | None:
    """Cut a second late, as long as before."""
    start, end = float(d.first["source_start_s"]) + LATE_S, float(d.first["source_end_s"]) + LATE_S
    if end > tools.sources.media[d.first["media_id"]].duration_s:
        return None
    with tools.sources.open(d.first["media_id"]) as source:
        return cut_media(source, start, end, tools.new(".mp4")).path


def said_again(d: Drawn, sample: Sample, film: Path, tools: Tools) -> Path | None:
    """The quoted words a second time, over other sound of the window."""
    if not isinstance(sample.answer, SpanAnswer) or "speech_text" not in sample.needs:
        return None
    zero = float(d.part(film)["zero_s"])
    span = Span(sample.answer.start_s - zero, sample.answer.end_s - zero)
    sound = Footage(film).sound.copy()
    length_s = len(sound) / RATE_HZ
    for at in np.arange(0.3, length_s - span.length_s - 0.3, 0.25):
        place = Span(float(at), float(at) + span.length_s)
        if overlap_s(place, Span(max(0.0, span.start_s - 0.8), span.end_s + 0.8)) == 0:
            first, n = round(place.start_s * RATE_HZ), round(span.length_s * RATE_HZ)
            sound[max(0, first - RATE_HZ // 4) : first + n + RATE_HZ // 4] = 0
            part = sound[round(span.start_s * RATE_HZ) :][:n]
            sound[first : first + len(part)] = part
            return _ffmpeg(tools, film, "-i", str(_wav(sound, tools)), "-map", "0:v", "-map", "1:a", "-c:v", "copy")
    return None


def text_covered(d: Drawn, sample: Sample, film: Path, tools: Tools) -> Path | None:
    """The picture is black while the text should stand there."""
    if not isinstance(sample.answer, SpanAnswer) or "on_screen_text" not in sample.needs:
        return None
    zero = float(d.part(film)["zero_s"])
    when = f"between(t,{sample.answer.start_s - zero:.3f},{sample.answer.end_s - zero:.3f})"
    return _ffmpeg(tools, film, "-vf", f"drawbox=c=black:t=fill:enable='{when}'")


MEDIA_KINDS: dict[str, MediaKind] = {
    "packaged sound replaced": sound_replaced,
    "packaged film swapped": swapped,
    "first second of the file lost": beginning_lost,
    "file cut a second late": cut_late,
    "words said again in the file": said_again,
    "text covered in the file": text_covered,
}


def plant_media(root: Path, package: str, kind: str, cases: int, seed: int = 0) -> list[Lie]:
    """Corrupt files of a package until `cases` samples are victims; the samples that show a corrupted file."""
    folder = root / "packages" / package
    scratch = root / "work" / "corrupt"
    scratch.mkdir(parents=True, exist_ok=True)
    lies: list[Lie] = []
    with Catalog(root) as catalog:
        drawn, _ = draw(catalog, [folder], everything=True)
        samples = samples_of(catalog, (d.sample_id for d in drawn))
        tools = Tools(Sources(catalog), drawn, scratch)
        films: dict[Path, list[Drawn]] = {}
        for d in drawn:
            for film in d.files("video")[:1]:
                films.setdefault(film, []).append(d)
        order = sorted(films, key=lambda f: (seeded_fraction(seed, kind, f.name), f.name))
        for film in order:
            if len(lies) >= cases:
                break
            for d in films[film]:
                false = MEDIA_KINDS[kind](d, samples[d.sample_id], film, tools)
                if false is not None:
                    false.replace(film)
                    lies += [Lie(kind, v.task, v.sample_id, v.sample_id) for v in _victims(kind, d, films[film])]
                    break
    shutil.rmtree(scratch, ignore_errors=True)
    return lies[:cases]


def _victims(kind: str, d: Drawn, shown: list[Drawn]) -> list[Drawn]:
    """Samples about which the file now lies: of what was said or covered only the one that it was done for."""
    if kind in ("words said again in the file", "text covered in the file"):
        return [d]
    if kind == "packaged sound replaced":
        return [o for o in shown if "speech_text" in o.record["needs"] or "audio" in o.record["needs"]]
    return shown


def _hears(sample: Sample) -> bool:
    return not {"audio", "speech_text"}.isdisjoint(sample.needs)


def _wav(sound: Any, tools: Tools) -> Path:
    path = tools.new(".wav")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def _ffmpeg(tools: Tools, film: Path, *arguments: str, before: tuple[str, ...] = ()) -> Path:
    import imageio_ffmpeg

    out = tools.new(".mp4")
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-y",
        "-loglevel",
        "error",
        *before,
        "-i",
        str(film),
        *arguments,
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"FFmpeg could not corrupt {film.name}: {done.stderr.strip()[-300:]}")
    return out
