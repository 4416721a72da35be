"""Identifiers of benchmark media, found as whole tokens in what is known of our own: places, titles, manifest columns.

An identifier stands whole when no letter or digit touches it; case matters, because YouTube identifiers differ by case
alone. Identifiers that say little (short, a plain word, a short number) must be the whole file name without its ending,
so that a benchmark's `12` does not match every folder called 12. Limits: a renamed file has no identifier any more, which
is what the search for copies is for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ..media.fetch import MEDIA_SUFFIXES

_YOUTUBE = re.compile(
    r"(?:youtube\.com/(?:watch\?(?:\S*&)?v=|embed/|shorts/|v/)|youtu\.be/)([A-Za-z0-9_-]{11})(?![\w-])"
)
_LONGEST = 200
"""Characters of an identifier that are looked at, at most."""


def clean_id(text: str) -> str:
    """An identifier as it is compared: of a YouTube address its eleven characters, of a media file its name without
    folder and ending; otherwise the text without blanks around it.
    """
    text = text.strip()
    if address := _YOUTUBE.search(text):
        return address[1]
    path = PurePosixPath(text)
    return path.stem if path.suffix.lower() in MEDIA_SUFFIXES else text


def is_telling(identifier: str) -> bool:
    """Whether an identifier can hardly occur by chance inside a longer text: six characters or more, not a plain word
    (it has a digit or both cases), and not a number of fewer than eight digits.
    """
    if len(identifier) < 6:
        return False
    if identifier.isdigit():
        return len(identifier) >= 8
    mixed = identifier != identifier.lower() and identifier != identifier.upper()
    return mixed or any(c.isdigit() for c in identifier)


class IdIndex:
    """Identifiers of benchmarks, ready to be looked up in texts. `entries` are (identifier, benchmark) pairs."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._owners: dict[str, list[str]] = {}
        for identifier, benchmark in sorted(set(entries)):
            self._owners.setdefault(identifier, []).append(benchmark)
        self._lengths = {len(i) for i in self._owners}

    def __len__(self) -> int:
        return len(self._owners)

    def find(self, text: str, *, name: bool = False) -> Iterator[tuple[str, str]]:
        """(benchmark, identifier) of every identifier that stands whole in `text`.

        `name` says that the text is a file name or place: its last part without ending may also equal an identifier
        that is not telling.
        """
        text = text[-4 * _LONGEST :]
        stem = clean_id(text.rsplit("/", 1)[-1]) if name else ""
        found = {stem} & self._owners.keys()
        starts = [i for i in range(len(text)) if not text[i].isspace() and (i == 0 or not text[i - 1].isalnum())]
        ends = [j for j in range(1, len(text) + 1) if j == len(text) or not text[j].isalnum()]
        for i in starts:
            for j in ends:
                if j - i in self._lengths and (piece := text[i:j]) in self._owners and is_telling(piece):
                    found.add(piece)
        for identifier in sorted(found):
            for benchmark in self._owners[identifier]:
                yield benchmark, identifier


def texts_of(medium: Mapping[str, Any] | None, places: Sequence[Mapping[str, Any]]) -> list[tuple[str, bool]]:
    """What is known of a whole medium that may hold an identifier: (text, whether it is a file name or place).

    `medium` is its row of table `media`, `places` its rows of `sources`. User columns of whole-file rows count,
    captions do not.
    """
    found = [(str(p["uri"]), True) for p in places]
    found += [(str(p["group_id"]), False) for p in places if p.get("group_id")]
    if medium is not None:
        found += [(str(medium["title"]), True)] if medium.get("title") else []
        found += [(value, False) for value in _values(json.loads(medium.get("user_json") or "null"))]
    return list(dict.fromkeys(found))


def spans_of(places: Sequence[Mapping[str, Any]]) -> list[tuple[float, float | None, list[str]]]:
    """What manifest rows say of parts of a medium: (start, end or None, texts of their user columns)."""
    found = []
    for place in places:
        for entry in json.loads(place.get("entries_json") or "[]"):
            if entry.get("start_s") is not None and (texts := _values(entry.get("user"))):
                end = entry.get("end_s")
                found.append((float(entry["start_s"]), None if end is None else float(end), texts))
    return found


def _values(value: Any) -> list[str]:
    """All strings and whole numbers inside a JSON value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return []
    if isinstance(value, Mapping):
        return [text for v in value.values() for text in _values(v)]
    if isinstance(value, Sequence):
        return [text for v in value for text in _values(v)]
    return [str(value)]
