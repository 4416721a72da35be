"""Albums of geo_cell_label: one device's media in order of capture, without shots that it cannot have taken."""

from chronotope.annotators.vision.geo_cell_label import GeoCellLabel, GeoCellLabelParams
from chronotope.engine.annotator import Rows, Unit


def medium(name: str, lat: float | None, lon: float | None, taken: str | None, device: str | None = None) -> dict:
    """A row of media."""
    user = f'{{"device": "{device}"}}' if device else None
    return {
        "media_id": name, "gps_lat": lat, "gps_lon": lon, "captured_at": taken, "group_id": f"group-{name}", "user_json": user,
    }  # fmt: skip


MEDIA = [
    medium("a", 48.86, 2.35, "2021:06:01 12:00:00", "phone"),
    medium("b", 35.68, 139.69, "2021:06:01 11:00:00", "phone"),
    medium("c", 48.87, 2.36, "2021:06:01 10:00:00", "phone"),
    medium("d", 48.85, 2.34, None, "phone"),
    medium("e", 48.861, 2.351, "2021-06-01T10:30:00Z"),
]


def test_an_album_is_ordered_and_loses_what_is_too_fast() -> None:
    annotator = GeoCellLabel(GeoCellLabelParams(t_max=10, t_min=2))
    found = {
        row["media_id"]: row
        for _, row in annotator.annotate(Unit("corpus", "corpus", None, "r", 0), Rows({"media": MEDIA}))
    }
    assert {n: (r["album"], r["position"]) for n, r in found.items()} == {
        "c": ("phone", 0), "b": ("phone", 1), "a": ("phone", 2), "d": ("phone", None), "e": ("group-e", 0),
    }  # fmt: skip
    assert found["b"]["reason"] == "too fast" and {found[n]["members"] for n in "acde"} == {4}


def test_order_of_media_changes_nothing() -> None:
    annotator = GeoCellLabel(GeoCellLabelParams(t_max=2, t_min=1, least_edge_km=0))
    one, other = (
        sorted(annotator.annotate(Unit("corpus", "corpus", None, "r", 0), Rows({"media": media})), key=str)
        for media in (MEDIA, MEDIA[::-1])
    )
    assert one == other and len({row["cell"] for _, row in one if row.get("cell")}) >= 2
