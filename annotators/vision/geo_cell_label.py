"""Where footage was taken, as a class: cells of the globe that adapt to all media of the corpus (PlaNet).

Places come from EXIF or the container; ones that cannot be true are left out with the reason. Cells are never smaller than
`least_edge_km`, so that a label does not give a home away. Albums, ordered by capture time, are media of one device or group.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from ...engine.annotator import Grade, Grain, Params, Row, Rows, Unit, UnitAnnotator
from ...schemas.geo_cells import (
    adaptive_cells,
    ancestors,
    deepest_level,
    level_of,
    place_problem,
    taken_at,
    token,
    too_fast,
)


class GeoCellLabelParams(Params):
    """Parameters of geo_cell_label."""

    t_max: int = Field(10_000, ge=1, description="a cell that holds more media is cut in four (PlaNet: 10,000)")
    t_min: int = Field(50, ge=1, description="cells that hold fewer are no label (PlaNet: 50)")
    least_edge_km: float = Field(
        25.0,
        ge=0,
        description="shortest edge of a cell, for privacy; 0 only where the source's terms allow fine places",
    )
    most_kmh: float = Field(1000.0, gt=0, description="two media of one album may not be farther apart than this speed")
    device: str = Field(
        "device",
        description="user column of the manifest that says what took a medium; without it its group is the album",
    )

    @model_validator(mode="after")
    def _ordered(self) -> GeoCellLabelParams:
        if self.t_min > self.t_max:
            raise ValueError(f"t_min {self.t_min} is more than t_max {self.t_max}: no cell could be a label")
        return self


class GeoCellLabel(UnitAnnotator[GeoCellLabelParams]):
    """Writes `geo_cells`: one row per medium of the corpus."""

    name: ClassVar[str] = "geo_cell_label"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = GeoCellLabelParams
    reads: ClassVar[tuple[str, ...]] = ("media",)
    writes: ClassVar[tuple[str, ...]] = ("geo_cells",)
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "media": ("gps_lat", "gps_lon", "captured_at", "group_id", "user_json")
    }
    grade: ClassVar[Grade] = "exact"
    grain: ClassVar[Grain] = "corpus"
    light: ClassVar[bool] = True
    needs_extra: ClassVar[str | None] = "geo"

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A row for every medium; those without a believable place say why."""
        from s2sphere import CellId, LatLng

        p = self.params
        media = sorted({str(m["media_id"]): m for m in rows["media"]}.items())
        places = {name: (m["gps_lat"], m["gps_lon"]) for name, m in media}
        reasons = {name: place_problem(*place) for name, place in places.items()}
        albums = self._albums(media)
        for members in albums.values():
            shots = {name: (t, *places[name]) for name, t in members if t is not None and not reasons[name]}
            reasons |= dict.fromkeys(too_fast(shots, p.most_kmh), "too fast")
        kept = [name for name, _ in media if not reasons[name]]
        finest = [int(CellId.from_lat_lng(LatLng.from_degrees(*places[name])).id()) for name in kept]
        cells = dict(zip(kept, adaptive_cells(finest, p.t_max, p.t_min, deepest_level(p.least_edge_km)), strict=True))
        shared: dict[int, list[str]] = defaultdict(list)
        for name, cell in cells.items():
            if cell is not None:
                shared[cell].append(name)
        told = {}
        for cell, names in shared.items():
            centre = CellId(cell).to_lat_lng()
            mean = _mean_place([places[name] for name in names])
            told[cell] = {
                "cell": token(cell),
                "level": level_of(cell),
                "path": [token(c) for c in ancestors(cell)],
                "members": len(names),
                "centre_lat": round(centre.lat().degrees, 6) + 0.0,
                "centre_lon": round(centre.lng().degrees, 6) + 0.0,
                "mean_lat": mean[0],
                "mean_lon": mean[1],
            }
        where = {
            name: (album, None if t is None else number)
            for album, members in albums.items()
            for number, (name, t) in enumerate(members)
        }
        for name, _ in media:
            found = cells.get(name)
            album, position = where[name]
            label = {"reason": reasons[name] or "too few"} if found is None else told[found]
            yield "geo_cells", {"media_id": name, "album": album, "position": position, **label}

    def _albums(self, media: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, list[tuple[str, float | None]]]:
        """Media and their capture times by album, in order of capture."""
        albums: dict[str, list[tuple[str, float | None]]] = defaultdict(list)
        for name, m in media:
            device = json.loads(m["user_json"] or "{}").get(self.params.device)
            albums[str(device or m["group_id"] or name)].append((name, taken_at(m["captured_at"])))
        for members in albums.values():
            members.sort(key=lambda one: (one[1] is None, one[1] or 0.0, one[0]))
        return albums


def _mean_place(places: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Mean of places on the globe as unit vectors, degrees to a millionth."""
    lat, lon = np.radians(np.asarray(places, np.float64)).T
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    mean = x.mean(), y.mean(), z.mean()
    return (
        round(float(np.degrees(np.arctan2(mean[2], np.hypot(mean[0], mean[1])))), 6),
        round(float(np.degrees(np.arctan2(mean[1], mean[0]))), 6),
    )


ANNOTATOR = GeoCellLabel
