"""House-keeping: many small files become few large ones, and files that no kept version needs are deleted.

Compaction merges the small files of one producer in one table, in the order of their media, so that merged files cover
narrow ranges of media and replacing one medium touches few of them. It is a commit like any other: rows and digests
stay the same. Vacuum keeps the files of the newest versions of `head` and deletes the rest, orphans included.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from ..schemas.tables import HEAD, TABLES
from .commit import Change, Commit
from .deltalog import FileInfo, data_files, live_files, open_table
from .files import read_file, write_arrow

TARGET_BYTES = 128 << 20
MAX_ROWS = 1_000_000
"""Rows of a merged file at most: what a merge holds in memory."""


@dataclass(frozen=True)
class Compaction:
    """How many files were merged into how many."""

    merged: int
    written: int


def _groups(files: list[FileInfo], target_bytes: int) -> Iterator[list[FileInfo]]:
    """Runs of small files, in the order of their media, that fit one merged file each."""
    group: list[FileInfo] = []
    size = rows = 0
    for file in files:
        if file.size >= target_bytes // 2:
            continue
        if group and (size + file.size > target_bytes or rows + file.rows > MAX_ROWS):
            yield group
            group, size, rows = [], 0, 0
        group.append(file)
        size, rows = size + file.size, rows + file.rows
    if len(group) > 1:
        yield group


def compact(commit: Commit, *, target_bytes: int = TARGET_BYTES, min_files: int = 4, run_id: str = "") -> Compaction:
    """Merge small files of every (table, producer) that has at least `min_files` of them, in one commit."""
    store, changes = commit.store, dict[str, Change]()
    merged = written = 0
    for name in store.table_names():
        by_producer: dict[str, list[FileInfo]] = defaultdict(list)
        for file in sorted(commit.files(name), key=lambda f: (f.first_media_id, f.path)):
            by_producer[file.producer].append(file)
        for producer, files in sorted(by_producer.items()):
            if sum(f.size < target_bytes // 2 for f in files) < min_files:
                continue
            for group in _groups(files, target_bytes):
                if len(group) < 2:
                    continue
                folder = store.table_dir(name)
                rows = pa.concat_tables([read_file(folder / f.path, TABLES[name]) for f in group])
                adds, removes = changes.setdefault(name, ([], []))
                adds.append(write_arrow(store.root, TABLES[name], producer, rows, digests=False))
                removes += group
                merged, written = merged + len(group), written + 1
    if changes:
        commit.apply(changes, run_id)
    return Compaction(merged, written)


def vacuum(commit: Commit, *, retain_versions: int = 10) -> int:
    """Delete data files that none of the newest `retain_versions` versions needs; the number of deleted files.

    Older versions can no longer be read afterwards. Readers that hold one of them open may fail.
    """
    store = commit.store
    first = max(0, commit.version - max(1, retain_versions) + 1)
    kept = [h for h in store.history() if h.dataset_version >= first]
    removed = 0
    for name in TABLES:
        folder = store.table_dir(name)
        if not folder.is_dir():
            continue
        if name == HEAD.name:
            versions = {h.dataset_version for h in kept}
        else:
            versions = {h.pins[name] for h in kept if name in h.pins}
        needed: set[str] = set()
        for version in sorted(versions):
            handle = open_table(folder, version)
            assert handle is not None
            needed |= live_files(handle)
        for file in data_files(folder) - needed:
            (folder / file).unlink(missing_ok=True)
            removed += 1
    return removed
