"""Footage for the tests of the media layer, made by `tests/lib/made_footage.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from made_footage import clicks, numbered, read_number, write_media

__all__ = ["clicks", "footage", "numbered", "read_number"]


@pytest.fixture
def footage(tmp_path: Path) -> Callable[..., Path]:
    """`footage(name, **options)` writes a file below the test's folder (see `write_media`)."""
    return lambda name, **options: write_media(tmp_path / name, **options)
