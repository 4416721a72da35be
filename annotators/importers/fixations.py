"""Recorded gaze: fixations from CSV, TSV, JSON or JSONL, a row each, or a row per scanpath with lists X, Y and T.

Rows of one observer and medium are numbered in order of time. Points in pixels are divided by `size` (of the picture that was
looked at, or the columns width and height); a point outside the picture is left out with a note. Lists X, Y, T (COCO-Search18)
are points and durations in milliseconds of a still picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...engine.importing import Imported, Importer, ImporterParams, ImportProblem
from .reading import csv_rows, json_objects, number, shown

NAMES: Mapping[str, tuple[str, ...]] = {
    "media": ("media", "video", "image", "name", "file", "path", "video_id"),
    "observer": ("observer", "subject", "participant", "user"),
    "t_s": ("t_s", "start_s", "start", "onset", "time", "timestamp"),
    "duration_s": ("duration_s", "duration"),
    "x": ("x", "gaze_x", "fix_x"),
    "y": ("y", "gaze_y", "fix_y"),
    "width": ("width",),
    "height": ("height",),
}
"""Columns by our name, as files call them; the first that is there counts."""


class FixationsParams(ImporterParams):
    """Parameters of fixations."""

    columns: dict[str, str] = Field(
        default_factory=dict, description=f"our name: their column; ours are {', '.join(NAMES)}; null: usual names"
    )
    time_unit: Literal["s", "ms"] = Field("s", description="unit of times and durations")
    size: tuple[float, float] | None = Field(
        None, description="width and height in pixels that points count in; null: the columns, else points are shares"
    )


class Fixations(Importer[FixationsParams]):
    """Reads recorded gaze into `fixations`."""

    name: ClassVar[str] = "fixations"
    Params: ClassVar[type[ImporterParams]] = FixationsParams

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per medium, in order of their first row."""
        if unknown := [name for name in self.params.columns if name not in NAMES]:
            raise ImportProblem(f"fixations have no column {unknown[0]!r}; ours are {', '.join(NAMES)}")
        found: dict[str, dict[str, list[tuple[float, str, dict[str, Any]]]]] = {}
        said: dict[str, Imported] = {}
        for place, row in self._points(path):
            media = self._of(row, "media")
            if media is None:
                self.fault(path, place, f"no medium in {shown(row)}")
                continue
            about = said.setdefault(str(media), Imported(str(media)))
            observer, item = str(self._of(row, "observer") or ""), f"{path.name} {place}"
            values = self._values(about, item, row)
            if values is not None:
                found.setdefault(str(media), {}).setdefault(observer, []).append((values["t_s"], item, values))
        for media, about in said.items():
            for observer, fixations in found.get(media, {}).items():
                for position, (_, item, values) in enumerate(sorted(fixations, key=lambda f: f[0])):
                    about.add("fixations", item, observer=observer, position=position, **values)
            yield about

    def _points(self, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        """(place, row) of each fixation; scanpaths given as lists are taken apart."""
        suffix = path.suffix.lower()
        if suffix not in (".csv", ".tsv", ".txt", ".json", ".jsonl"):
            raise ImportProblem(f"{path.name}: unknown suffix {suffix!r}; use .csv, .tsv, .json or .jsonl")

        def wrong(where: str, why: str) -> None:
            self.fault(path, where, why)

        rows = json_objects(path, wrong) if suffix in (".json", ".jsonl") else csv_rows(path, (), wrong)
        for place, row in rows:
            lists = [row.get(k) for k in ("X", "Y", "T")]
            if not all(isinstance(values, list) for values in lists):
                yield place, dict(row)
            elif len({len(values or ()) for values in lists}) != 1:
                wrong(place, f"lists X, Y and T of {', '.join(str(len(v or ())) for v in lists)} values")
            else:
                for n, (x, y, t) in enumerate(zip(*(v or () for v in lists), strict=True)):
                    length = number(t)
                    seconds = None if length is None else length / 1000
                    yield f"{place}[{n}]", {**row, "x": x, "y": y, "_still": n, "_seconds": seconds}

    def _of(self, row: Mapping[str, Any], name: str) -> Any:
        names = (self.params.columns[name],) if name in self.params.columns else NAMES[name]
        return next((row[n] for n in names if row.get(n) not in (None, "")), None)

    def _values(self, about: Imported, item: str, row: Mapping[str, Any]) -> dict[str, Any] | None:
        point = [number(self._of(row, name)) for name in ("x", "y")]
        size = self.params.size or (number(self._of(row, "width")), number(self._of(row, "height")))
        if point[0] is None or point[1] is None:
            about.leave_out(item, "no_place", f"no point in {shown(dict(row))}")
            return None
        x, y = (p / (side or 1.0) for p, side in zip((point[0], point[1]), size, strict=True))
        if not (0 <= x < 1 and 0 <= y < 1):
            about.leave_out(item, "outside_the_picture", f"the point ({x:.3f}, {y:.3f}) lies outside")
            return None
        unit = 1000.0 if self.params.time_unit == "ms" else 1.0
        if "_still" in row:
            return {"t_s": 0.0, "duration_s": row["_seconds"], "x": x, "y": y}
        t, length = number(self._of(row, "t_s")), number(self._of(row, "duration_s"))
        if t is None:
            about.leave_out(item, "no_time", f"no time in {shown(dict(row))}")
            return None
        return {"t_s": t / unit, "duration_s": None if length is None else length / unit, "x": x, "y": y}


IMPORTER = Fixations
