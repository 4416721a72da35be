"""`plan` before the first build and after changes; see `test_build.py` for plans that builds then follow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from chronotope.pipelines.planning import PlanLine, plan_recipe, rules_of
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.run_record import BuildReport, difference


def plan(world: Path, *changes: tuple[str, str], limit: int | None = None) -> dict[str, PlanLine]:
    text = (world / "small.yaml").read_text()
    for old, new in changes:
        text = text.replace(old, new)
    return {p.producer: p for p in plan_recipe(Recipe.parse(text, world), world / "small.chronotope", limit=limit)}


def test_before_the_first_build_everything_is_new_and_nothing_is_created(world: Path) -> None:
    lines = plan(world)
    assert {name: line.run for name, line in lines.items()} == {
        "scan": 2, "probe": 2, "shots": 2, "signals": 2, "frames": 2, "clips": 2,
    }  # fmt: skip
    assert plan(world, limit=1)["shots"].run == 1
    assert not (world / "small.chronotope").exists()


@pytest.mark.xdist_group("ray")
def test_a_plan_says_what_changed_and_why(
    build: Callable[..., BuildReport], world: Path, films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    build()
    assert not any(line.run or line.gone for line in plan(world).values())
    assert not any(line.run or line.gone for line in plan(world, limit=1).values()), "a limit forgets nothing"

    rules = plan(world, ("duration_s > 0.5", "duration_s > 1"))
    assert rules["select"].reason == "rules changed: length: duration_s > 0.5 -> duration_s > 1"
    assert rules["select"].run > 0 and not rules["select"].at_most
    assert not any(rules[n].run for n in ("shots", "signals", "frames", "clips"))

    finer = plan(world, ("{fps: 4}", "{fps: 8}"))
    assert finer["signals"].run == 2 and finer["signals"].reason == "fps: 4.0 -> 8.0" and finer["signals"].footage_s > 0
    assert finer["select"].at_most and finer["shots"].run == 0

    os.utime(world / "footage" / "film0.mp4", (1_700_000_000, 1_700_000_000))
    shutil.copy2(films[2], world / "footage" / "film2.mp4")
    more = plan(world)
    assert more["scan"].run == 2 and not more["scan"].at_most, "whether content changed is seen when it is read"
    assert more["shots"].at_most and more["shots"].run == 2 and "new footage" in more["shots"].reason

    (world / "footage" / "film2.mp4").unlink()
    (world / "footage" / "film1.mp4").unlink()
    os.utime(world / "footage" / "film0.mp4", ns=(0, films[0].stat().st_mtime_ns))
    less = plan(world)
    assert less["scan"].gone == less["shots"].gone == less["signals"].gone == 1 and less["scan"].run == 0


def test_a_difference_names_only_what_differs() -> None:
    before = {"version": 1, "params": {"fps": 4, "sizes": {"a": 1, "b": 2}}}
    now = {"version": 2, "params": {"fps": 4, "sizes": {"b": 3, "a": 1}}}
    assert difference(before, now) == "version 1 -> 2; sizes.b: 2 -> 3"


def test_rules_are_read_as_they_stand_in_the_file() -> None:
    assert rules_of("select: {long: 'duration_s > ${LEAST}'}") == {"long": "duration_s > ${LEAST}"}
    assert rules_of("select:\n") == rules_of("[broken") == rules_of("just text") == {}
