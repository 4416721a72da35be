"""Attempts at made samples (`tests/lib/made_samples.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chronotope.engine.ladder.climb import Attempt, Rules, climb
from chronotope.schemas.sample import Sample
from made_samples import Maker, items_of, pictures_of


@pytest.fixture
def made() -> type[Maker]:
    """The class `Maker`."""
    return Maker


@pytest.fixture
def climbed() -> Callable[..., dict[str, list[Attempt]]]:
    """Attempts by solver at some samples; `telling` adds pictures that tell the answer (True) or not (False)."""

    def run(samples: Iterator[Sample], telling: bool | None = None, **rules: Any) -> dict[str, list[Attempt]]:
        kept = list(samples)
        pictures = None if telling is None else pictures_of(kept, telling)
        found: dict[str, list[Attempt]] = {}
        for attempt in climb(items_of(iter(kept)), Rules(**rules), pictures).attempts:
            found.setdefault(attempt.solver, []).append(attempt)
        return found

    return run
