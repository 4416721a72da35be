"""What a unit annotator starts from: the clips that the selection kept, the medium's own row, one producer's
rows.

Pure functions of the rows that the engine delivers, shared by tasks and composers so that "kept" means one
thing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..schemas.sample import Sample
from .annotator import Rows, SkipUnit


def one_producer(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of one producer (the first by name), so that two recognisers of one medium are never mixed.

    A recipe that wants the other one says so with `from:`.
    """
    first = min((str(row["producer"]) for row in rows), default=None)
    return [row for row in rows if row["producer"] == first]


def medium_row(rows: Rows, media_id: str) -> Mapping[str, Any]:
    """The row of table `media` of a medium. Raises `SkipUnit` when it was not delivered."""
    for row in rows["media"]:
        if row["media_id"] == media_id:
            return row
    raise SkipUnit(f"no media row of {media_id}")


def kept_clips(rows: Rows, media_id: str) -> list[Mapping[str, Any]]:
    """Clips of the medium that the selection kept, in time order; all clips when nothing was selected."""
    clips = [clip for clip in rows["clips"] if clip["media_id"] == media_id]
    if rows["selection"]:
        kept = {row["clip_id"] for row in rows["selection"] if row["kept"]}
        clips = [clip for clip in clips if clip["clip_id"] in kept]
    return sorted(clips, key=lambda c: (c["start_s"], c["end_s"]))


def stored_samples(rows: Rows) -> Iterator[tuple[str, Sample]]:
    """(sample_id, sample) of each well-formed sample, once; what is malformed is for its verdict to say."""
    done: set[str] = set()
    for row in rows["samples"]:
        sample_id = str(row["sample_id"])
        if sample_id in done:
            continue
        done.add(sample_id)
        try:
            sample = Sample.from_row(row)
        except (ValueError, KeyError, TypeError):
            continue
        if not sample.problems():
            yield sample_id, sample


def split_of(rows: Rows, media_id: str) -> str:
    """The split that the footage of a medium falls into, as far as it is known before samples are: else train."""
    return next((str(row["split"]) for row in rows["footage_groups"] if row["media_id"] == media_id), "train")
