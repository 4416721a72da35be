"""What manifest rows say about a medium: spans with captions and user columns, on its presentation clock.

Clips and captions both come from these rows, so they are read in one place and their spans agree to the
microsecond. A span that runs past the end of the footage is cut there; a row without any footage is an
error, or left out on request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.import_entries import is_import
from ..schemas.span import from_us, to_us


@dataclass(frozen=True)
class ManifestRow:
    """One row: the span [start_s, end_s), whether the row gave one, its caption and its user columns as
    JSON.

    `is_event`: it describes a part of the footage and is no clip by itself.
    """

    start_s: float
    end_s: float
    has_span: bool
    caption: str | None
    user_json: str | None
    is_event: bool = False


def manifest_rows(
    sources: Iterable[Mapping[str, Any]], duration_s: float, medium: str, strict: bool = True
) -> list[ManifestRow]:
    """Rows about a medium of `duration_s` from its rows of table `sources`, in order of place and row.

    A row with only a start or only an end reaches to the end or from the start of the medium. Raises
    `ValueError` naming the row when its span is reversed or without footage; with `strict` False such rows
    are left out.
    """
    found: list[ManifestRow] = []
    for source in sorted(sources, key=lambda s: str(s["uri"])):
        entries = [e for e in json.loads(source["entries_json"] or "[]") if not is_import(e)]
        for number, entry in enumerate(entries, 1):
            given = entry.get("start_s") is not None or entry.get("end_s") is not None
            start_us = to_us(entry.get("start_s") or 0.0)
            wanted_us = to_us(duration_s if entry.get("end_s") is None else entry["end_s"])
            end_us = min(wanted_us, to_us(duration_s))
            if given and not 0 <= start_us < end_us:
                if not strict:
                    continue
                raise ValueError(
                    f"manifest row {number} about {medium}: "
                    f"{from_us(start_us):g}..{from_us(wanted_us):g} s holds no "
                    f"footage ({duration_s:g} s long); correct it, or set strict: false to leave "
                    f"such rows out"
                )
            user = entry.get("user")
            found.append(
                ManifestRow(
                    from_us(start_us),
                    from_us(end_us),
                    given,
                    str(entry["caption"]).strip() or None if entry.get("caption") is not None else None,
                    json.dumps(user, sort_keys=True, ensure_ascii=False) if user else None,
                    entry.get("level") == "event",
                )
            )
    return found
