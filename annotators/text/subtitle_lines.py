"""Text subtitles as timed lines, from a sidecar file or a stream inside a medium, through FFmpeg's own
readers.

FFmpeg knows the formats (SubRip, WebVTT, ASS/SSA, MP4 timed text) and turns each into ASS dialogue;
styling is then taken off. Bitmap subtitles (DVD, Blu-ray) hold no text and are left alone. Times are
seconds as written in the file or stream; bringing them to the presentation clock is the caller's part.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer

FORMATS = {".srt": "srt", ".vtt": "webvtt", ".ass": "ass", ".ssa": "ass"}
"""File ending -> FFmpeg's name of the format."""
TEXT_CODECS = frozenset({"srt", "subrip", "webvtt", "ass", "ssa", "mov_text", "text"})
_STYLE = re.compile(r"\{[^}]*\}")
_TAG = re.compile(r"</?[a-zA-Z][^>]*>|<\d[\d:.]*>")
_BREAK = re.compile(r"\\[Nnh]|\s+")
_ISO_639_1 = {
    "ara": "ar", "bul": "bg", "cat": "ca", "ces": "cs", "cze": "cs", "chi": "zh", "zho": "zh", "dan": "da",
    "deu": "de", "ger": "de", "dut": "nl", "nld": "nl", "ell": "el", "gre": "el", "eng": "en", "est": "et",
    "fas": "fa", "per": "fa", "fin": "fi", "fra": "fr", "fre": "fr", "heb": "he", "hin": "hi", "hrv": "hr",
    "hun": "hu", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko", "lav": "lv", "lit": "lt", "nob": "nb",
    "nor": "no", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru", "slk": "sk", "slo": "sk",
    "slv": "sl", "spa": "es", "srp": "sr", "swe": "sv", "tha": "th", "tur": "tr", "ukr": "uk", "vie": "vi",
}  # fmt: skip


class BrokenSubtitles(Exception):
    """A subtitle file without a readable line; the message names it and says what to do."""


@dataclass(frozen=True)
class Line:
    """A subtitle: seconds as written, text on one line without styling."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True)
class Track:
    """The lines of one file or stream, and its language (ISO 639-1) when it says one."""

    name: str
    language: str | None
    lines: tuple[Line, ...]


def language_code(tag: str | None) -> str | None:
    """ISO 639-1 code of a language tag (`en`, `pt-BR`, `ger`); None when it is none."""
    short = re.split(r"[-_]", (tag or "").strip().lower())[0]
    if len(short) == 2 and short.isalpha():
        return short
    return _ISO_639_1.get(short)


def language_of_file(path: Path) -> str | None:
    """Language from the ending before the last: `talk.en.srt`, `talk.pt-BR.forced.vtt`; None when there is
    none.
    """
    found = [code for suffix in reversed(path.suffixes[:-1]) if (code := language_code(suffix[1:]))]
    return found[0] if found else None


def read_sidecar(path: Path, encoding: str) -> Track:
    """The lines of a subtitle file. Raises `BrokenSubtitles` when nothing in it can be read as a line."""
    import av

    data = path.read_bytes()
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else encoding)
    except UnicodeDecodeError as error:
        raise BrokenSubtitles(
            f"{path.name} is not {encoding} text (byte {error.start}); convert it, or set "
            f"subtitles.encoding (such as "
            "cp1252 or cp1251)"
        ) from None
    utf8 = io.BytesIO(text.removeprefix("\ufeff").encode())
    try:
        with closing(av.open(utf8, mode="r", format=FORMATS[path.suffix.lower()])) as container:
            lines = tuple(_lines(container, 0))
    except (av.error.FFmpegError, IndexError) as error:
        raise BrokenSubtitles(f"{path.name} cannot be read as subtitles: {error}; repair or remove it") from None
    if not lines:
        raise BrokenSubtitles(f"{path.name} holds no readable subtitle line; repair or remove it")
    return Track(path.name, language_of_file(path), lines)


def read_embedded(path: Path) -> list[Track]:
    """The text subtitle streams of a medium, in order; times are those of the container."""
    import av

    with closing(av.open(str(path), mode="r")) as container:
        wanted = [
            (i, s.index, s.language)
            for i, s in enumerate(container.streams.subtitles)
            if s.codec_context.name in TEXT_CODECS
        ]
    tracks = []
    for place, index, language in wanted:
        with closing(av.open(str(path), mode="r")) as container:
            lines = tuple(_lines(container, place))
        tracks.append(Track(f"stream {index}", language_code(language), lines))
    return tracks


def _lines(container: InputContainer, place: int) -> Iterator[Line]:
    stream = container.streams.subtitles[place]
    for packet in container.demux(stream):
        if packet.pts is None or packet.size == 0 or packet.time_base is None:
            continue
        start_s = float(packet.pts * packet.time_base)
        end_s = start_s + float((packet.duration or 0) * packet.time_base)
        text = " ".join(filter(None, (plain(_dialogue(part)) for part in stream.decode2(packet) or ())))
        if text and end_s > start_s:
            yield Line(start_s, end_s, text)


def _dialogue(part: Any) -> str:
    """Text of an ASS event: what follows its eighth comma."""
    raw: bytes = getattr(part, "ass", b"")
    return raw.decode("utf-8", "replace").split(",", 8)[-1]


def plain(text: str) -> str:
    """Text without styling: ASS overrides, HTML-like tags and entities gone, line breaks as spaces."""
    return _BREAK.sub(" ", html.unescape(_TAG.sub("", _STYLE.sub("", text)))).strip()
