"""Row 46: kept events lie where the clips were joined; what a localiser of noise proposes, and a clock that is off, are caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chronotope.annotators.compose.events import film_events
from chronotope.annotators.compose.film import FilmParams, compose_film
from chronotope.annotators.composers.join import Join
from chronotope.annotators.temporal.events import Events
from chronotope.annotators.temporal.localise import Localise
from chronotope.annotators.vision.shots import ANNOTATOR as Shots
from chronotope.annotators.vision.signals import Signals
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.engine.catalog import Catalog
from chronotope.engine.composing import Material
from chronotope.engine.grounding.proposals import query_id
from chronotope.engine.media.events import RowsOut
from chronotope.engine.media.probe import probe
from chronotope.engine.media.shared_pass import FrameTap, run_frames
from chronotope.pipelines.build import Build
from chronotope.pipelines.recipe import Recipe, builtin_recipes
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.metrics import mean
from chronotope.schemas.span import Span, span_or_none, tiou
from chronotope.schemas.tables import TABLES

NAME = "internvid_tg_autoground"
KINDS = ("pan_left", "zoom_in", "tilt_up", "roll_cw", "pan_right", "zoom_out", "tilt_down", "roll_ccw")
RowDict = dict[str, Any]


@dataclass
class Joined:
    """A joined video: its rows as measured, and where its clips lie."""

    medium: Medium
    rows: dict[str, list[RowDict]]
    truth: dict[str, list[Span]]

    def run(self, annotator: Any, **more: list[RowDict]) -> dict[str, list[RowDict]]:
        """Rows of an annotator by table."""
        unit = Unit(self.medium.media_id, "medium", self.medium, "test", 0)
        found: dict[str, list[RowDict]] = {}
        for table, row in annotator.annotate(unit, Rows({**self.rows, **more})):
            full = TABLES[table].complete(row, annotator.name, self.medium.media_id, self.medium.media_id)
            found.setdefault(table, []).append(full)
        return found

    def right(self, event: RowDict) -> float:
        """tIoU with the clip that was described so."""
        return max(tiou(Span(event["start_s"], event["end_s"]), span) for span in self.truth[event["query_id"]])


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> list[Joined]:
    """Seven videos of three or four clips of two films, decoded and measured; a captioner that says of each shot what it shows."""
    folder = tmp_path_factory.mktemp("autoground")
    material = []
    for seed in (3, 4):
        path = folder / f"film{seed}.mp4"
        params = FilmParams(
            seed=seed, scenes=8, width=160, height=90, fps=12, scene_s=(2.2, 3.2), narration=False, kinds=KINDS, joins=("cut",)
        )  # fmt: skip
        truth = compose_film(path, params)
        captions = [
            {
                "start_s": e.start_s,
                "end_s": e.end_s,
                "text": e.text,
                "level": "event",
                "model": "composer",
                "producer": "t",
            }
            for e in film_events(truth)
            if e.text.startswith("the camera")
        ]
        material.append(Material(f"film{seed}", str(path), path, probe(path), {"captions": captions}))
    drafts = Join(Join.Params(videos=7, clips=(3, 4), length_s=(1.5, 15.0), clusters=1)).compose(material, 1)
    return [_measured(draft, folder) for draft in drafts]


def _measured(draft: Any, folder: Path) -> Joined:
    path = folder / f"{draft.digest}.mp4"
    draft.write(path)
    facts = probe(path)
    medium = Medium(draft.digest, path.as_uri(), path, *(facts[n] for n in ("kind", "duration_s", "fps", "frames", "width", "height")),
                    has_video=True, has_audio=False)  # fmt: skip
    annotators = [Shots(Shots.Params(detector="adaptive")), Signals(Signals.Params(fps=8))]
    taps = [FrameTap(a.name, a.open(medium), a.sampling(medium)) for a in annotators]
    rows: dict[str, list[RowDict]] = {"media": [{**facts, "media_id": draft.digest}]}
    for event in run_frames(medium, taps):
        for table, row in event.rows if isinstance(event, RowsOut) else ():
            rows.setdefault(table, []).append(TABLES[table].complete(row, table, draft.digest, draft.digest))
    truth: dict[str, list[Span]] = {}
    told = [c for c in draft.rows["captions"] if c["level"] == "event"]
    for c in told:
        truth.setdefault(query_id(c["text"]), []).append(Span(c["start_s"], c["end_s"]))
    for shot in rows["shots"]:
        span = Span(shot["start_s"], shot["end_s"])
        best = max(told, key=lambda c: tiou(span, Span(c["start_s"], c["end_s"])))
        said = {"start_s": span.start_s, "end_s": span.end_s, "text": best["text"].capitalize() + ".", "level": "brief"}
        rows.setdefault("captions", []).append(_caption(said, draft.digest, "captions"))
    rows["captions"] += [_caption(c, draft.digest, "composed_truth") for c in told]
    return Joined(medium, rows, truth)


def _caption(row: RowDict, media_id: str, producer: str) -> RowDict:
    return TABLES["captions"].complete({"model": "m", **row}, producer, media_id, media_id)


def fused(
    joined: list[Joined], change: Callable[[Joined, RowDict], RowDict] | None = None, **rules: Any
) -> tuple[list[float], int, int]:
    """(tIoU of every kept event, descriptions, descriptions that a note accounts for)."""
    scores, asked, noted = [], 0, 0
    for one in joined:
        found = one.run(Localise(Localise.Params(localisers=("motion", "captions"))))["candidates"]
        found = [change(one, row) for row in found] if change else found
        made = one.run(Events(Events.Params(rules={"min_length_s": 0.5, **rules})), candidates=found)
        asked += len({row["query_id"] for row in found})
        noted += len({n["item"] for n in made.get("import_notes", ())})
        scores += [one.right(event) for event in made.get("events", ())]
    return scores, asked, noted


def noise(one: Joined, row: RowDict, localiser: str) -> RowDict:
    """A proposal of this localiser put anywhere, with any score."""
    if row["localiser"] != localiser:
        return row
    draw = [seeded_fraction("noise", row["row_id"], i) for i in range(3)]
    start = draw[0] * (one.medium.duration_s - 1.0)
    end = start + 1.0 + draw[1] * (one.medium.duration_s - start - 1.0)
    return {**row, "start_s": start, "end_s": end, "score": draw[2]}


def test_kept_events_lie_where_the_clips_were_joined(joined: list[Joined]) -> None:
    scores, asked, noted = fused(joined)
    assert len(joined) >= 6 and asked >= 18
    assert len(scores) + noted == asked, "every description has an event or a note that says why not"
    assert len(scores) >= 0.7 * asked
    assert mean(scores) >= 0.8


@pytest.mark.parametrize("localiser", ["motion", "captions"])
def test_the_agreement_filter_drops_what_noise_proposes(joined: list[Joined], localiser: str) -> None:
    _, asked, _ = fused(joined, margin=None)
    kept, _, _ = fused(joined, lambda one, row: noise(one, row, localiser), margin=None)
    assert len(fused(joined, margin=None)[0]) >= 0.7 * asked
    assert len(kept) <= 0.2 * asked


def test_planted_fault_localisers_with_a_clock_that_is_off_fail_the_check(joined: list[Joined]) -> None:
    def late(one: Joined, row: RowDict) -> RowDict:
        moved = span_or_none(row["start_s"] + 1.5, min(row["end_s"] + 1.5, one.medium.duration_s))
        return {**row, "start_s": moved.start_s, "end_s": moved.end_s} if moved else row

    scores, _, _ = fused(joined, late, snap_s=0.0)
    assert mean(scores) < 0.7


def test_the_recipe_never_reads_times_from_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHRONOTOPE_FOOTAGE", "footage")
    recipe = Recipe.read(NAME)
    producers = {p.name: p for p in recipe.graph.producers}
    for name in ("localise", "localise_by_picture", "localise_by_model", "events"):
        for table, writers in producers[name].inputs.items():
            assert table in ("captions", "events") or "composed_truth" not in writers, (name, table)
    assert "events" not in producers["localise"].inputs["events"]


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_the_whole_recipe_on_joined_films(films: Path, tmp_path: Path) -> None:
    source = '  - folder: "${CHRONOTOPE_FOOTAGE}"\n'
    text = builtin_recipes()[NAME].read_text()
    assert source in text
    joined = f"""  - compose: join
    with: {{videos: 3, clips: [3, 3], length_s: [1.6, 15.0], clusters: 1}}
    material: [{{folder: "{films}", origin: composed}}]
"""
    root = tmp_path / "joined.chronotope"
    report = Build(Recipe.parse(text.replace(source, joined), tmp_path), root).run()
    assert not report.failures and not report.unaccounted
    truth: dict[tuple[str, str], list[Span]] = {}
    with Catalog(root) as catalog:
        for row in catalog.rows("SELECT * FROM captions WHERE producer = 'composed_truth' AND level = 'event'"):
            truth.setdefault((row["media_id"], query_id(row["text"])), []).append(Span(row["start_s"], row["end_s"]))
        events = catalog.rows("SELECT * FROM events")
        noted = catalog.rows("SELECT DISTINCT media_id, item FROM import_notes WHERE producer = 'events'")
        asked = catalog.rows("SELECT DISTINCT media_id, query_id FROM candidates")
    scores = [max(tiou(Span(e["start_s"], e["end_s"]), t) for t in truth[e["media_id"], e["query_id"]]) for e in events]
    assert len(events) + len(noted) == len(asked) and len(events) >= 0.5 * len(truth)
    assert mean(scores) >= 0.8
    assert all(e["calibration"].startswith("composed_films@") for e in events if e["p_correct"] is not None)
    assert verify_root(root).problems == []
