"""Charades-STA: `charades_sta_train.txt` and `_test.txt`, a line per sentence: `VID start end##sentence`.

Charades' own tables (`Charades_v1_train.csv`) add, where they are given, the length of each video, which is compared with the
medium, and its action intervals, which become events of kind action.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ...engine.importing import Imported, Importer, ImporterParams
from .reading import as_json, number, other_rows, sentence, shown


class CharadesStaParams(ImporterParams):
    """Parameters of charades_sta."""

    charades: tuple[str, ...] = Field(
        (), description="Charades' CSV files (id, length, actions), for lengths and actions"
    )
    classes: str | None = Field(
        None, description="Charades_v1_classes.txt: what the action classes are called; null: their number"
    )
    actions: bool = Field(
        False, description="also write the action intervals of the CSV files, as events of kind action"
    )


class CharadesSta(Importer[CharadesStaParams]):
    """Reads Charades-STA (Gao et al. 2017) into `events` of kind event, and of kind action from Charades."""

    name: ClassVar[str] = "charades_sta"
    Params: ClassVar[type[ImporterParams]] = CharadesStaParams
    licence: ClassVar[str | None] = "Charades: non-commercial use"

    def read(self, folder: Path) -> Iterator[Imported]:
        """Sentences and, on request, actions; lengths from the CSV files."""
        found = other_rows(self, folder, self.params.charades, ("id", "length", "actions"))
        videos = {row["id"]: {**row, "file": path.name} for path, row in found}
        for said in super().read(folder):
            said.duration_s = number(videos.get(said.name, {}).get("length"))
            yield said
        if self.params.actions:
            names = self._classes(folder)
            for row in videos.values():
                yield self._actions(row, names)

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per video, in order of their first line."""
        found: dict[str, Imported] = {}
        for count, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
            if not line.strip():
                continue
            head, mark, text = line.partition("##")
            words = head.split()
            if not mark or not words:
                self.fault(path, f"line {count}", f"expected `VID start end##sentence`, found {shown(line)}")
                continue
            said = found.setdefault(words[0], Imported(words[0]))
            item = f"{path.name} line {count}"
            times = [number(word) for word in words[1:]]
            if len(times) != 2 or None in times:
                said.leave_out(item, "no_time", f"expected a start and an end in seconds, found {shown(head)}")
            elif (said_text := sentence(text)) is None:
                said.leave_out(item, "no_text", "there is no sentence after `##`")
            else:
                said.add("events", item, start_s=times[0], end_s=times[1], text=said_text, kind="event")
        return found.values()

    def _classes(self, folder: Path) -> dict[str, str]:
        files = self.others(folder, (self.params.classes,) if self.params.classes else ())
        lines = [line.partition(" ") for path in files for line in path.read_text(encoding="utf-8-sig").splitlines()]
        return {code: name.strip() for code, _, name in lines if code}

    def _actions(self, row: dict[str, str], names: dict[str, str]) -> Imported:
        said = Imported(row["id"], duration_s=number(row["length"]), file=row["file"])
        self.complete(said, row["file"])
        for place, action in enumerate(filter(None, row["actions"].split(";"))):
            item = f"{row['file']} {row['id']} action {place}"
            words = action.split()
            times = [number(word) for word in words[1:]]
            if len(times) != 2 or None in times:
                said.leave_out(item, "no_time", f"expected `class start end`, found {shown(action)}")
                continue
            text = sentence(names.get(words[0])) or words[0]
            attributes = as_json({"class": words[0]})
            said.add(
                "events", item, start_s=times[0], end_s=times[1], text=text, kind="action", attributes_json=attributes
            )
        return said


IMPORTER = CharadesSta
