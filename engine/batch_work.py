"""Work on pictures: the batch annotators of one stage look at packets of JPEG pictures and write their rows.

A packet passes on while a later stage still wants it. When a batch fails, its pictures are looked at one by one, so that
one bad picture fails its own unit only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from .annotator import BatchAnnotator, Picture, Row, TransientError
from .bundle import ready
from .media_work import Looked, Packet, Pictures, RowBuffer
from .producer import ProducerSpec
from .results import Outcome, UnitKey


def look_at(root: str, packets: Sequence[Packet], specs: Mapping[str, ProducerSpec]) -> Iterator[Packet]:
    """Handle all packets of a block; what is not for this stage passes through unchanged."""
    mine: dict[str, list[Pictures]] = {name: [] for name in specs}
    for packet in packets:
        if not isinstance(packet, Pictures):
            yield packet
            continue
        for name in packet.consumers:
            if name in mine:
                mine[name].append(packet)
        rest = tuple(n for n in packet.consumers if n not in mine)
        if rest:
            yield replace(packet, consumers=rest)
    for name, wanted in mine.items():
        if wanted:
            yield from _look(root, name, wanted, specs[name])


def _look(root: str, name: str, packets: Sequence[Pictures], spec: ProducerSpec) -> Iterator[Packet]:
    started = time.perf_counter()
    pictures = [p for packet in packets for p in packet.pictures]
    counts: dict[str, int] = {}
    for picture in pictures:
        counts[picture.media_id] = counts.get(picture.media_id, 0) + 1
    rows: dict[str, list[Row]] = {unit: [] for unit in counts}
    failed: dict[str, Outcome] = {}
    calls = 0
    try:
        annotator = cast(BatchAnnotator, ready(spec))
    except Exception as error:
        for unit, count in counts.items():
            yield Looked(name, unit, count, 0, 0.0, 0, Outcome.of(error))
        return
    size = annotator.batch_size
    for calls, first in enumerate(range(0, len(pictures), size), start=1):  # noqa: B007
        batch = pictures[first : first + size]
        for picture, made in _looked(annotator, batch):
            if isinstance(made, Exception):
                failed[picture.media_id] = Outcome.of(made)
            else:
                rows[picture.media_id] += made
    seconds = (time.perf_counter() - started) / max(len(counts), 1)
    if not annotator.models():
        calls = 0
    for unit, count in counts.items():
        written = 0
        outcome = failed.get(unit, Outcome())
        if outcome.status == "done":
            buffer = RowBuffer(root, name, UnitKey(name, unit, unit, "medium", ""), annotator.dynamic_writes())
            try:
                yield from buffer.add(rows[unit])
                yield from buffer.flush()
                written = buffer.total
            except Exception as error:
                outcome = Outcome.of(error)
        yield Looked(name, unit, count, written, seconds, calls, outcome)
        calls = 0


def _looked(annotator: BatchAnnotator, batch: Sequence[Picture]) -> Iterator[tuple[Picture, list[Row] | Exception]]:
    try:
        made = annotator.look(batch)
        if len(made) != len(batch):
            raise ValueError(f"annotator {annotator.name} answered {len(made)} of {len(batch)} pictures")
        yield from zip(batch, made, strict=True)
    except Exception as error:
        if isinstance(error, TransientError):
            yield from ((picture, error) for picture in batch)
            return
        if len(batch) == 1:
            yield batch[0], error
            return
        for picture in batch:
            yield from _looked(annotator, [picture])
