"""Subtitles as speech: sidecar files beside a medium and text streams inside it, as rows of `speech`.

Sidecar times count from the first picture, as players show them; embedded ones are container times and are
moved to the presentation clock. Lines are taken as written; one that runs past the end is cut there.
Limits: whether a line is spoken at exactly its time is the author's care, and sounds such as [applause]
are lines like others.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from ...engine.annotator import Medium, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...schemas.span import from_us, to_us
from .subtitle_lines import FORMATS, BrokenSubtitles, Track, read_embedded, read_sidecar

_log = logging.getLogger(__name__)


class SubtitlesParams(Params):
    """Parameters of `subtitles`."""

    sidecar: bool = Field(default=True, description="read subtitle files beside the medium (.srt .vtt .ass .ssa)")
    embedded: bool = Field(default=True, description="read text subtitle streams inside the medium")
    languages: tuple[str, ...] | None = Field(
        default=None, description="keep only these languages (ISO 639-1) and tracks that name none; null: all"
    )
    encoding: str = Field(default="utf-8", description="encoding of sidecar files; UTF-16 is recognised by its mark")


class Subtitles(UnitAnnotator[SubtitlesParams]):
    """Writes `speech` rows of origin `sidecar` or `embedded`."""

    name: ClassVar[str] = "subtitles"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = SubtitlesParams
    reads: ClassVar[tuple[str, ...]] = ("media", "sources")
    writes: ClassVar[tuple[str, ...]] = ("speech",)
    reads_media: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """One row per line. Skips a medium without subtitles; raises `BrokenSubtitles` for an unreadable
        file.
        """
        medium = unit.medium
        assert medium is not None
        found = [*self._sidecars(rows), *self._streams(medium)]
        if not found:
            raise SkipUnit("no subtitles")
        made: dict[tuple[float, float, str], Row] = {}
        for origin, track, offset_s in found:
            if self.params.languages and track.language and track.language not in self.params.languages:
                continue
            for row in _rows(medium, origin, track, offset_s):
                made.setdefault((row["start_s"], row["end_s"], row["text"]), ("speech", row))
        return [made[key] for key in sorted(made)]

    def _sidecars(self, rows: Rows) -> Iterator[tuple[str, Track, float]]:
        if not self.params.sidecar:
            return
        files = {
            f["digest"]: Path(f["uri"])
            for source in sorted(rows["sources"], key=lambda s: str(s["uri"]), reverse=True)
            for f in json.loads(source["sidecars_json"] or "[]")
            if Path(f["uri"]).suffix.lower() in FORMATS
        }
        for path in sorted(files.values()):
            if not path.is_file():
                raise BrokenSubtitles(f"{path.name} is gone since the footage was scanned; build again")
            yield "sidecar", read_sidecar(path, self.params.encoding), 0.0

    def _streams(self, medium: Medium) -> Iterator[tuple[str, Track, float]]:
        if not self.params.embedded or not medium.row.get("subtitle_streams", 1):
            return
        if medium.path is None:
            raise ValueError(f"{medium}: there is no local file to read subtitle streams from")
        for track in read_embedded(medium.path):
            yield "embedded", track, -medium.start_pts_s


def _rows(medium: Medium, origin: str, track: Track, offset_s: float) -> Iterator[dict[str, Any]]:
    end_us = to_us(medium.duration_s)
    outside = cut = 0
    for line in track.lines:
        start, end = max(0, to_us(line.start_s + offset_s)), to_us(line.end_s + offset_s)
        if start >= end_us or end <= 0:
            outside += 1
            continue
        cut += end > end_us
        yield {
            "start_s": from_us(start),
            "end_s": from_us(min(end, end_us)),
            "text": line.text,
            "language": track.language,
            "confidence": None,
            "origin": origin,
            "track": track.name,
        }
    if outside and outside == len(track.lines):
        raise BrokenSubtitles(
            f"{track.name}: all {outside} lines lie outside of {medium} ({medium.duration_s:g} s "
            f"long); it belongs to "
            "other footage: rename or remove it"
        )
    if outside or cut:
        _log.warning(
            "%s, %s: of %d lines %d lie outside of the medium (left out), %d were cut at its end (%g s)",
            *(medium, track.name, len(track.lines), outside, cut, medium.duration_s),
        )


ANNOTATOR = Subtitles
