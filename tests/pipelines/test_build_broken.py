"""Broken and unusual files among good ones: each gets a clear ledger row or a correct result, and the good ones complete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.run_record import BuildReport
from made_footage import clicks, write_media

pytestmark = pytest.mark.xdist_group("ray")

KILLER = '''
import os, signal

def deadly(frame):
    """A function that kills its worker on one video only."""
    if frame.width == 160 and frame.luma(160).shape[0] == 90 and frame.t_s > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"name": "seen", "value": 1.0}
'''


def ledger(root: Path) -> dict[tuple[str, str], dict[str, object]]:
    with Catalog(root) as catalog:
        rows = catalog.rows(
            "SELECT l.*, coalesce(s.uri, l.unit) AS uri FROM ledger l LEFT JOIN sources s ON s.media_id = l.media_id"
        )
    return {(str(r["producer"]), Path(str(r["uri"])).name): r for r in rows}


def test_broken_files_fail_by_name_and_the_rest_completes(build: Callable[..., BuildReport], world: Path) -> None:
    good = sorted((world / "footage").glob("*.mp4"))
    (world / "footage" / "empty.mp4").write_bytes(b"")
    (world / "footage" / "notes.mp4").write_text("this is a shopping list, not a film\n" * 20)
    whole = good[0].read_bytes()
    (world / "footage" / "cut_off.mp4").write_bytes(whole[: len(whole) // 2])
    report = build()
    entries = ledger(world / "small.chronotope")
    assert entries[("sources:small", "empty.mp4")]["status"] == "failed"
    assert "empty" in str(entries[("sources:small", "empty.mp4")]["error"])
    assert entries[("probe", "notes.mp4")]["status"] == "failed"
    assert "text" in str(entries[("probe", "notes.mp4")]["error"])
    assert entries[("probe", "cut_off.mp4")]["status"] == "failed"
    for name in ("notes.mp4", "cut_off.mp4"):
        for producer in ("shots", "signals", "frames", "clips"):
            assert entries[(producer, name)]["status"] == "blocked"
            assert entries[(producer, name)]["rule"] == "by probe"
    for film in good:
        for producer in ("probe", "shots", "signals", "frames", "clips"):
            assert entries[(producer, film.name)]["status"] == "done"
    assert {f["producer"] for f in report.failures} == {"sources:small", "probe"}
    again = build()
    assert not again.worked, "permanent failures are not tried again"


def test_unusual_files_give_correct_results(build: Callable[..., BuildReport], world: Path) -> None:
    folder = world / "footage"
    for film in folder.glob("*.mp4"):
        film.unlink()
    uneven = [i + i // 5 for i in range(50)]
    write_media(folder / "uneven.mp4", pts=uneven)
    write_media(folder / "turned.mp4", rotation=(90, False))
    write_media(folder / "one.mp4", frames=1)
    write_media(folder / "silent.mp4")
    write_media(folder / "sound.m4a", frames=0, sound=clicks([0.5], 2.0, 48_000))
    write_media(folder / "both.mp4", sound=clicks([0.5], 2.0, 48_000))
    build()
    entries = ledger(world / "small.chronotope")
    assert all(e["status"] != "failed" for e in entries.values()), [e["error"] for e in entries.values() if e["error"]]
    assert entries[("shots", "sound.m4a")]["status"] == "skipped"
    assert entries[("shots", "sound.m4a")]["rule"] == "no video stream"
    with Catalog(world / "small.chronotope") as catalog:
        media = {r["title"]: r for r in catalog.rows("SELECT * FROM media")}
        times = catalog.rows(
            "SELECT m.title, s.t_s FROM signals s JOIN media m USING (media_id) WHERE title = 'uneven.mp4' ORDER BY t_s"
        )
    assert (media["turned.mp4"]["width"], media["turned.mp4"]["height"]) == (96, 192)
    assert media["uneven.mp4"]["variable_fps"] and not media["both.mp4"]["variable_fps"]
    assert media["one.mp4"]["frames"] == 1 and media["one.mp4"]["duration_s"] > 0
    assert media["sound.m4a"]["kind"] == "audio" and media["sound.m4a"]["frames"] is None
    assert media["silent.mp4"]["audio_codec"] is None and media["both.mp4"]["audio_codec"] == "aac"
    shown = {i / 25 for i in uneven}
    assert all(min(abs(t["t_s"] - s) for s in shown) < 1e-6 for t in times)


def test_a_unit_that_kills_its_worker_twice_fails_and_the_others_complete(
    build: Callable[..., BuildReport], world: Path
) -> None:
    from chronotope.annotators.compose.film import compose_film
    from chronotope.annotators.compose.script import FilmParams

    (world / "deadly.py").write_text(KILLER)
    for film in (world / "footage").glob("film1.mp4"):
        film.unlink()
    other = FilmParams(seed=5, scenes=2, width=128, height=96, narration=False, scene_s=(1.5, 1.6))
    compose_film(world / "footage" / "harmless.mp4", other)
    build(("  - shots\n", "  - shots\n  - deadly.py:deadly: {fps: 4}\n"))
    entries = ledger(world / "small.chronotope")
    assert entries[("deadly", "film0.mp4")]["status"] == "failed"
    assert "worker died" in str(entries[("deadly", "film0.mp4")]["error"])
    assert entries[("deadly", "harmless.mp4")]["status"] == "done"
    assert entries[("shots", "harmless.mp4")]["status"] == "done"
