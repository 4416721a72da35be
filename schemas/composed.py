"""The truth of a composed medium, as the file beside it says it: what it was made of, and rows that are true of it.

`<name>.truth.json` stands beside `<name>.mp4` (or .flac, .png, .txt). Rows are those of the tables of a dataset, without the
columns that the engine fills in; times are on the new clock and follow by arithmetic from how the medium was made.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ComposedFacts(BaseModel):
    """What a composer knows of the medium that it made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["composed"] = "composed"
    composer: str = Field(description="Composer and version that made it.")
    digest: str = Field(description="Digest of everything that the bytes depend on.")
    duration_s: float = Field(ge=0, description="Length, seconds; 0 for pictures and text.")
    rows: dict[str, list[dict[str, Any]]] = Field(
        default_factory=dict,
        description="Rows by table, each the values of its own columns; exact unless `grades` says less.",
    )
    grades: dict[str, Literal["exact", "two_source", "model", "judge"]] = Field(
        default_factory=dict,
        description="Grade of the rows of a table that were carried over from rows that are not exact.",
    )
    imported: bool = Field(
        False, description="Whether it was read from published data rather than made: `imported` then writes its rows."
    )
    sources: tuple[str, ...] = Field((), description="media_ids of the media that it was made of, sorted.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="What was drawn for it.")


def written_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the file holds it: bytes (pictures of depth, colours of points) as `{"base64": ...}`."""
    return {
        name: {"base64": base64.b64encode(value).decode("ascii")} if isinstance(value, bytes) else value
        for name, value in row.items()
    }


def read_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as tables hold it. Raises ValueError for broken base64."""
    return {
        name: base64.b64decode(value["base64"], validate=True)
        if isinstance(value, dict) and "base64" in value
        else value
        for name, value in row.items()
    }
