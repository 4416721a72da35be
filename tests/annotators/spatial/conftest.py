"""One rendered room that a camera walks through: the film, and its exact truth as rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chronotope.annotators.composers.rooms import Params, Rooms
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.engine.media.probe import probe
from chronotope.schemas.geometry.camera import Camera, camera_of
from chronotope.schemas.span import to_us

SECONDS = 5


@dataclass(frozen=True)
class Walk:
    """A film of a room and what is true of it."""

    unit: Unit
    truth: dict[str, list[dict[str, Any]]]

    @property
    def medium(self) -> Medium:
        assert self.unit.medium is not None
        return self.unit.medium

    def rows(self, *tables: str, **more: list[dict[str, Any]]) -> Rows:
        """The truth's rows of some tables as a producer's, and further ones."""
        return Rows({**{t: told(self.truth[t], "truth") for t in tables}, **more})

    def cameras(self) -> dict[int, Camera]:
        """True cameras by time in microseconds."""
        found = (camera_of(r) for r in self.truth["cameras"])
        return {to_us(c.t_s): c for c in found if c is not None}


def told(rows: list[dict[str, Any]], producer: str) -> list[dict[str, Any]]:
    """Rows as they are stored by a producer."""
    return [{**row, "producer": producer, "media_id": "m"} for row in rows]


def unit_of(path: Path) -> Unit:
    facts = probe(path)
    names = ("kind", "duration_s", "fps", "frames", "width", "height")
    medium = Medium("m", path.as_uri(), path, *(facts[n] for n in names), has_video=True, has_audio=False)
    return Unit("m", "medium", medium, "hand", 0)


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Five seconds at 256x192, five frames a second, every frame with its camera and depth; nothing moves."""
    settings = Params(
        videos=1, seconds=SECONDS, fps=5, width=256, height=192, movers=(0, 0), objects=(10, 14), area_m2=(16, 22),
        annotate_fps=5, depth_fps=5, depth_side_px=128, crf=14,
    )  # fmt: skip
    draft = next(iter(Rooms(settings).compose((), seed=4)))
    path = tmp_path_factory.mktemp("walk") / "room.mp4"
    draft.write(path)
    assert draft.measured is not None
    return Walk(unit_of(path), {k: list(v) for k, v in draft.measured().items()})
