"""One textured room that a camera walks through: the film, and its exact truth as rows."""

from __future__ import annotations

import pytest
from textured_room import Walk, walked


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Five seconds at 256x192, five frames a second, every frame with its camera and depth; nothing moves."""
    return walked(tmp_path_factory.mktemp("walk") / "room.mp4")
