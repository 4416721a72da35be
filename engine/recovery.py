"""Puts a root in order before it is written: what a killed writer left beyond the pins is undone.

A table ahead of its pin gets a compensating Delta `restore` to it (pins and readers do not notice), a table that no
head has pinned yet goes back to its empty version 0, and the result is compared with the pin, file by file. Data files
that no committed version ever had are orphans and are deleted; they are looked for only after an unclean end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..schemas.tables import HEAD, TABLES
from .deltalog import HOOKS, StoreError, check_schema, data_files, live_files, logged_paths, open_table


@dataclass
class Recovery:
    """What recovery did: tables put back to their pins, and how many orphan files it removed."""

    restored: list[str] = field(default_factory=list)
    orphans: int = 0


def recover(tables_dir: Path, pins: Mapping[str, int], head_version: int, *, sweep: bool) -> Recovery:
    """Make every table's newest version equal to its pin. Call it only while holding the root's lock.

    `sweep` also deletes orphans. Raises `StoreError` when a pinned file is missing or a restore did not work.
    """
    report = Recovery()
    for name, table in TABLES.items():
        folder = tables_dir / name
        if name == HEAD.name or not folder.is_dir():
            continue
        handle = open_table(folder)
        if handle is None:
            if name in pins:
                raise StoreError(f"table {name} is gone, although head pins its version {pins[name]}: {folder}")
        else:
            check_schema(handle, table)
            pin = pins.get(name, 0)
            if handle.version() > pin and _restore(folder, pin):
                report.restored.append(name)
        if sweep:
            report.orphans += _sweep(folder, pins.get(name, 0))
    if sweep:
        report.orphans += _sweep(tables_dir / HEAD.name, head_version)
    return report


def _restore(folder: Path, pin: int) -> bool:
    pinned, handle = open_table(folder, pin), open_table(folder)
    assert pinned is not None and handle is not None
    wanted = live_files(pinned)
    if live_files(handle) == wanted:
        return False
    lost = sorted(name for name in wanted if not (folder / name).exists())
    if lost:
        raise StoreError(f"{folder}: {len(lost)} pinned files are missing, such as {lost[0]}; restore a backup")
    handle.restore(pin, post_commithook_properties=HOOKS)
    handle.update_incremental()
    if live_files(handle) != wanted:
        raise StoreError(f"{folder}: restoring version {pin} did not bring its files back")
    return True


def _sweep(folder: Path, pin: int) -> int:
    orphans = data_files(folder) - logged_paths(folder, pin)
    for name in orphans:
        (folder / name).unlink(missing_ok=True)
    return len(orphans)
