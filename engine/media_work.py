"""Work on one medium: one decode of its pictures and one of its sound feed every annotator that wants them.

Yields packets: receipts of files written, receipts of finished units, and JPEG pictures for the batch stages behind.
Rows go from here straight to Parquet files; they never cross the object store.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from ..schemas.tables import TABLES
from .annotator import (
    AudioAnnotator,
    BatchAnnotator,
    FrameAnnotator,
    FrameSet,
    Medium,
    Picture,
    Row,
    SkipUnit,
)
from .bundle import distinct, ready
from .catalog import Catalog
from .files import DataFile, write_rows
from .local_media import local_media
from .media.audio import AudioTap, run_audio
from .media.shared_pass import Finished, FrameSetTap, FrameTap, PassDone, PictureOut, RowsOut, run_frames
from .producer import ProducerSpec
from .results import Outcome, PassReceipt, UnitKey

FLUSH_ROWS = 20_000
FLUSH_BYTES = 16 << 20
PICTURES_PER_PACKET = 32
PICTURE_BYTES_PER_PACKET = 4 << 20


@dataclass(frozen=True)
class MediaItem:
    """A medium and its stale producers. Batch producers in `stored` read pictures that `frames` already holds."""

    medium: Medium
    keys: Mapping[str, UnitKey]
    frame: tuple[str, ...] = ()
    audio: tuple[str, ...] = ()
    batch: tuple[str, ...] = ()
    stored: Mapping[str, str] = field(default_factory=dict)
    """Batch producer -> `frames` producer whose rows hold its pictures."""

    @property
    def producers(self) -> tuple[str, ...]:
        return (*self.frame, *self.audio, *self.batch)


@dataclass(frozen=True)
class Written:
    """A file with rows of one unit."""

    producer: str
    unit: str
    file: DataFile


@dataclass(frozen=True)
class Ended:
    """A unit ended in the pass: how, with how many rows and files; `pictures` were handed to its batch stage."""

    key: UnitKey
    outcome: Outcome
    rows: int = 0
    seconds: float = 0.0
    model_calls: int = 0
    pictures: int = 0


@dataclass(frozen=True)
class Pictures:
    """Pictures of one medium for some batch producers."""

    unit: str
    consumers: tuple[str, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Looked:
    """A batch producer has seen some pictures of a unit."""

    key_producer: str
    unit: str
    pictures: int
    rows: int
    seconds: float
    model_calls: int
    outcome: Outcome = field(default_factory=Outcome)


Packet = Written | Ended | Pictures | Looked | PassReceipt


class RowBuffer:
    """Collects rows of one unit and writes them as files when they grow large."""

    def __init__(self, root: str, producer: str, key: UnitKey, allowed: Sequence[str]) -> None:
        self.root, self.producer, self.key, self.allowed = root, producer, key, allowed
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.bytes = self.count = self.total = 0

    def add(self, rows: Sequence[Row]) -> Iterator[Written]:
        """Complete and keep rows; flush when large."""
        for table, values in rows:
            if table not in self.allowed:
                raise ValueError(f"producer {self.producer} wrote to table {table}, which it does not declare")
            self.rows[table].append(TABLES[table].complete(values, self.producer, self.key.unit, self.key.media_id))
            self.bytes += len(values.get("jpeg") or b"")
            self.count += 1
        if self.count >= FLUSH_ROWS or self.bytes >= FLUSH_BYTES:
            yield from self.flush()

    def flush(self) -> Iterator[Written]:
        """Write what is there."""
        for table, rows in sorted(self.rows.items()):
            kept = distinct(table, rows)
            self.total += len(kept)
            file = write_rows(self.root, TABLES[table], self.producer, kept)
            yield Written(self.producer, self.key.unit, file)
        self.rows.clear()
        self.bytes = self.count = 0


def work_on(root: str, pins: Mapping[str, int], item: MediaItem, specs: Mapping[str, ProducerSpec]) -> Iterator[Packet]:
    """Everything that the stale producers of one medium need from its pictures and its sound."""
    sets: dict[str, tuple[FrameSet, list[str]]] = {}
    for name in item.batch:
        if name not in item.stored:
            wanted = cast(BatchAnnotator, specs[name].build()).frame_set()
            sets.setdefault(wanted.name, (wanted, []))[1].append(name)
    if item.stored:
        yield from _stored_pictures(root, pins, item)
    if not (item.frame or item.audio or sets):
        return
    try:
        with local_media(item.medium.uri, root) as path:
            medium = replace(item.medium, path=path)
            if item.frame or sets:
                yield from _pictures(root, item, medium, specs, sets)
            if item.audio:
                yield from _sound(root, item, medium, specs)
    except Exception as error:
        for name in (*item.frame, *item.audio, *(n for _, names in sets.values() for n in names)):
            yield Ended(item.keys[name], Outcome.of(error))


def _pictures(
    root: str,
    item: MediaItem,
    medium: Medium,
    specs: Mapping[str, ProducerSpec],
    sets: Mapping[str, tuple[FrameSet, list[str]]],
) -> Iterator[Packet]:
    batch_names = [n for _, names in sets.values() for n in names]
    if not medium.has_video:
        for name in (*item.frame, *batch_names):
            yield Ended(item.keys[name], Outcome("skipped", rule="no video stream"))
        return
    taps, buffers, calls = [], {}, {}
    for name in item.frame:
        try:
            annotator = cast(FrameAnnotator, ready(specs[name]))
            taps.append(FrameTap(name, annotator.open(medium), annotator.sampling(medium)))
        except Exception as error:
            yield Ended(item.keys[name], Outcome.of(error))
            continue
        buffers[name] = RowBuffer(root, name, item.keys[name], annotator.dynamic_writes())
        calls[name] = 1 if annotator.models() else 0
    picture_count: dict[str, int] = defaultdict(int)
    pending: dict[str, list[Picture]] = defaultdict(list)
    ended: set[str] = set()
    set_taps = [FrameSetTap(wanted) for wanted, _ in sets.values()]
    for event in run_frames(medium, taps, set_taps):
        if isinstance(event, RowsOut) and event.producer not in ended:
            try:
                yield from buffers[event.producer].add(event.rows)
            except Exception as error:
                ended.add(event.producer)
                yield Ended(item.keys[event.producer], Outcome.of(error))
        elif isinstance(event, PictureOut):
            waiting = pending[event.frame_set_name]
            waiting.append(event.picture)
            picture_count[event.frame_set_name] += 1
            full = sum(len(p.jpeg) for p in waiting) >= PICTURE_BYTES_PER_PACKET
            if full or len(waiting) >= PICTURES_PER_PACKET:
                yield Pictures(medium.media_id, tuple(sets[event.frame_set_name][1]), tuple(waiting))
                waiting.clear()
        elif isinstance(event, Finished):
            if event.producer in sets:
                waiting = pending[event.producer]
                names = sets[event.producer][1]
                if waiting and event.error is None:
                    yield Pictures(medium.media_id, tuple(names), tuple(waiting))
                outcome = Outcome() if event.error is None else Outcome.of(event.error)
                for name in names:
                    yield Ended(item.keys[name], outcome, pictures=picture_count[event.producer])
            elif event.producer not in ended:
                ended.add(event.producer)
                yield from _end(buffers[event.producer], item.keys[event.producer], event, calls[event.producer])
        elif isinstance(event, PassDone):
            yield PassReceipt(medium.duration_s, event.decoded_s, medium.media_id)


def _sound(root: str, item: MediaItem, medium: Medium, specs: Mapping[str, ProducerSpec]) -> Iterator[Packet]:
    taps, buffers, calls = [], {}, {}
    for name in item.audio:
        started = time.perf_counter()
        try:
            annotator = cast(AudioAnnotator, ready(specs[name]))
            session = annotator.open(medium)
            if not medium.has_audio:
                raise SkipUnit("no audio stream")
        except Exception as error:
            yield Ended(item.keys[name], Outcome.of(error), seconds=time.perf_counter() - started)
            continue
        taps.append(AudioTap(name, session, annotator.rate))
        buffers[name] = RowBuffer(root, name, item.keys[name], annotator.dynamic_writes())
        calls[name] = 1 if annotator.models() else 0
    if not taps:
        return
    ended: set[str] = set()
    for event in run_audio(medium, taps):
        if isinstance(event, RowsOut) and event.producer not in ended:
            try:
                yield from buffers[event.producer].add(event.rows)
            except Exception as error:
                ended.add(event.producer)
                yield Ended(item.keys[event.producer], Outcome.of(error))
        elif isinstance(event, Finished) and event.producer not in ended:
            ended.add(event.producer)
            yield from _end(buffers[event.producer], item.keys[event.producer], event, calls[event.producer])


def _end(buffer: RowBuffer, key: UnitKey, event: Finished, calls: int) -> Iterator[Packet]:
    if event.skipped is not None:
        yield Ended(key, Outcome("skipped", rule=event.skipped), seconds=event.seconds)
    elif event.error is not None:
        yield Ended(key, Outcome.of(event.error), seconds=event.seconds)
    else:
        try:
            yield from buffer.flush()
        except Exception as error:
            yield Ended(key, Outcome.of(error), seconds=event.seconds)
        else:
            yield Ended(key, Outcome(), buffer.total, event.seconds, calls)


def _stored_pictures(root: str, pins: Mapping[str, int], item: MediaItem) -> Iterator[Packet]:
    by_source: dict[str, list[str]] = defaultdict(list)
    for consumer, frames_producer in item.stored.items():
        by_source[frames_producer].append(consumer)
    catalog = Catalog(root, pins=dict(pins))
    try:
        for frames_producer, consumers in sorted(by_source.items()):
            times = catalog.rows(
                "SELECT t_s FROM frames WHERE producer = ? AND unit = ? ORDER BY t_s",
                [frames_producer, item.medium.media_id],
            )
            for first in range(0, len(times), PICTURES_PER_PACKET):
                part = times[first : first + PICTURES_PER_PACKET]
                rows = catalog.rows(
                    "SELECT t_s, until_s, width, height, jpeg FROM frames "
                    "WHERE producer = ? AND unit = ? AND t_s BETWEEN ? AND ? ORDER BY t_s",
                    [frames_producer, item.medium.media_id, part[0]["t_s"], part[-1]["t_s"]],
                )
                pictures = tuple(Picture(item.medium.media_id, **row) for row in rows)
                yield Pictures(item.medium.media_id, tuple(consumers), pictures)
            for name in consumers:
                yield Ended(item.keys[name], Outcome(), pictures=len(times))
    finally:
        catalog.close()
