"""Subtitle files (.srt, .vtt, .ass, .ssa) that do not lie beside their media, as rows of `speech`.

A file belongs to the medium of its name, with or without the language at its end (`talk.en.srt` belongs to `talk.en.mp4`, else
to `talk.mp4`), or to the one that `names` says. Files beside media need no import: the annotator `subtitles` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ...engine.importing import Imported, Importer, ImporterParams, ImportProblem
from ..text.subtitle_lines import FORMATS, BrokenSubtitles, read_sidecar


class SrtVttParams(ImporterParams):
    """Parameters of srt_vtt."""

    names: dict[str, str] = Field(
        default_factory=dict, description="subtitle file name: medium it belongs to, where the names differ"
    )
    languages: tuple[str, ...] | None = Field(
        None, description="keep only files of these languages (ISO 639-1) and those that name none; null: all"
    )
    encoding: str = Field("utf-8", description="encoding of the files; UTF-16 is recognised by its mark")


class SrtVtt(Importer[SrtVttParams]):
    """Reads subtitle files into `speech`."""

    name: ClassVar[str] = "srt_vtt"
    Params: ClassVar[type[ImporterParams]] = SrtVttParams

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per file."""
        if path.suffix.lower() not in FORMATS:
            raise ImportProblem(f"{path.name} is no subtitle file; name {', '.join(f'*{s}' for s in FORMATS)}")
        try:
            track = read_sidecar(path, self.params.encoding)
        except BrokenSubtitles as error:
            raise ImportProblem(str(error)) from None
        if self.params.languages and track.language and track.language not in self.params.languages:
            self.passed_over["subtitle files of other languages"] += 1
            return
        name = self.params.names.get(path.name, path.stem)
        said = Imported(name, also=(Path(path.stem).stem,) if track.language and name == path.stem else ())
        for place, line in enumerate(track.lines, 1):
            said.add(
                "speech", f"{path.name} line {place}", start_s=line.start_s, end_s=line.end_s, text=line.text,
                language=track.language, origin="sidecar", track=path.name,
            )  # fmt: skip
        yield said


IMPORTER = SrtVtt
