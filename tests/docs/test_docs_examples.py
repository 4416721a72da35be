"""The examples in `docs/` are run as they stand there, on a small composed film."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from chronotope.annotators.compose.film import compose_film
from chronotope.annotators.compose.script import FilmParams
from chronotope.engine.catalog import Catalog
from chronotope.engine.store import Store
from chronotope.pipelines.build import Build
from chronotope.pipelines.cli import app
from chronotope.pipelines.init import write_recipe
from chronotope.pipelines.packages import package_all
from chronotope.pipelines.planning import plan_recipe
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.run_record import BuildReport
from chronotope.pipelines.verify import verify_root
from model_recipes import build_with_models
from model_server import ModelServer

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.xdist_group("ray")


def examples() -> dict[str, str]:
    """File name -> text of every titled example in the documentation."""
    found: dict[str, str] = {}
    for page in sorted(DOCS.glob("writing_*.md")):
        for _, title, text in FENCE.findall(page.read_text(encoding="utf-8")):
            assert title not in found or title == "snippet", f"{page.name}: two examples are called {title}"
            if title and title != "snippet":
                found[title] = text
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader would have it: the files of all examples, and one film."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "footage").mkdir()
    params = FilmParams(
        seed=5, scenes=3, width=160, height=90, narration=False, lettering=False, scene_s=(1.5, 2.0),
        kinds=("still", "pan_left", "still"), joins=("cut",),
    )  # fmt: skip
    truth = compose_film(folder / "footage" / "film0.mp4", params)
    cuts = " ".join(f"{shot.start_s:g}" for shot in truth.shots[1:])
    for name, text in examples().items():
        (folder / name).write_text(text.replace("{cuts}", cuts))
    return folder


def run(world: Path, recipe: str) -> tuple[Path, Recipe, BuildReport]:
    read = Recipe.read(world / recipe)
    root = world / f"{Path(recipe).stem}.chronotope"
    report = Build(read, root).run()
    assert not report.failures
    return root, read, report


def rows(root: Path, query: str) -> list[dict[str, Any]]:
    with Catalog(root) as catalog:
        return catalog.rows(query)


def test_annotator_example_measures_the_film(world: Path) -> None:
    root, _, _ = run(world, "warm.yaml")
    counted = {
        r["name"]: r
        for r in rows(root, "SELECT name, count(*) AS n, max(value) AS top FROM measurements GROUP BY name")
    }
    assert counted["warmth"]["n"] == counted["warmth_change"]["n"] + 1 > 10
    assert counted["brightness"]["top"] >= 5
    kept = rows(
        root, "SELECT s.kept, c.measured['brightness'] > 20 AS lit FROM selection s JOIN clip_view c USING (clip_id)"
    )
    assert [r["kept"] for r in kept] == [r["lit"] for r in kept] == [True]


def test_task_and_packager_examples_count_verify_and_write(world: Path) -> None:
    root, recipe, _ = run(world, "lines.yaml")
    sample = rows(root, "SELECT * FROM samples")[0]
    shots = rows(root, "SELECT count(*) AS n FROM shots")[0]["n"]
    assert json.loads(sample["answer_json"])["value"] == shots == 3
    report = verify_root(root)
    assert (report.samples, report.recomputed, report.problems) == (1, 1, [])
    made = package_all(recipe, root)[0]
    assert (made["package"], made["packaged"]) == ("qa_lines", 1)
    folder = Path(made["path"])
    line = json.loads((folder / "train.jsonl").read_text())
    assert line["answer"] == "3" and line["grade"] == "model" and "<" not in line["question"]
    assert (folder / line["video"]).stat().st_size > 0


def test_importer_example_takes_marked_cuts_for_exact(world: Path) -> None:
    root, _, report = run(world, "marked.yaml")
    assert report.decoded_s == 0
    assert rows(root, "SELECT count(*) AS n FROM clips")[0]["n"] == 3
    graded = rows(root, "SELECT DISTINCT passed, evidence_grade FROM verdicts")
    assert graded == [{"passed": True, "evidence_grade": "exact"}]


def test_importer_of_cue_sheets_writes_events_and_notes(world: Path) -> None:
    root = world / "cued.chronotope"
    report = Build(Recipe.read(world / "cued.yaml"), root).run()
    assert [f["error"] for f in report.failures] == [
        "cues.txt, line 3: expected film | start - end | text, found 'somewhere in film0'"
    ]
    [medium] = rows(root, "SELECT duration_s, licence FROM media")
    found = [tuple(r.values()) for r in rows(root, "SELECT start_s, end_s, text FROM events ORDER BY start_s")]
    assert found == [
        (0.5, 1.2, "the camera stands still"),
        (1.4, medium["duration_s"], "much more happens than is there"),
    ]
    assert [tuple(r.values()) for r in rows(root, "SELECT rule, action FROM import_notes")] == [("past_the_end", "cut")]
    assert medium["licence"] == "CC0"


def test_composer_example_plays_footage_twice(world: Path) -> None:
    root, _, _ = run(world, "encore.yaml")
    [medium] = rows(root, "SELECT duration_s, origin FROM media")
    assert medium == {"duration_s": 3.2, "origin": "composed"}
    [event] = rows(root, "SELECT start_s, end_s, text FROM events")
    assert event == {"start_s": 1.6, "end_s": 3.2, "text": "everything happens once more"}
    pieces = rows(root, "SELECT target_start_s, start_s FROM edits ORDER BY step")
    assert [tuple(p.values()) for p in pieces] == [(0.0, 0.0), (1.6, 0.0)]


def test_task_recipe_reads_as_printed(world: Path) -> None:
    producers = Recipe.read(world / "counting.yaml").graph.producers
    names = [p.name for p in producers if p.stage == "task"]
    assert "shot_count" in names and {"verdicts:counting", "groups:counting", "ladder:counting"} <= set(names)


def test_recipe_written_by_init_can_be_planned(world: Path) -> None:
    made = write_recipe(str(world / "footage"), world / "init.yaml", None, force=True)
    lines = plan_recipe(Recipe.read(made.path), world / "init.chronotope")
    assert {"shots", "camera_motion", "conversation", "verdicts:footage"} <= {line.producer for line in lines}


def commands() -> Iterator[tuple[str, list[str]]]:
    """(page, words) of every `chronotope` command in the README and the documentation; quotes may span lines."""
    for page in (REPOSITORY / "README.md", *sorted(DOCS.rglob("*.md"))):
        for _, _, text in FENCE.findall(page.read_text(encoding="utf-8")):
            for command in re.findall(r'^\$ (chronotope (?:"[^"]*"|[^"\n])*)$', text, re.MULTILINE):
                yield page.name, shlex.split(command)[1:]


def test_queries_in_the_documentation_are_sql(tmp_path: Path) -> None:
    Store.open_or_create(tmp_path)
    queries = [(page, words[1]) for page, words in commands() if words[0] == "sql"]
    assert len(queries) > 5
    with Catalog(tmp_path) as catalog:
        for page, query in queries:
            assert catalog.rows(query) is not None, page


def test_commands_in_the_documentation_exist() -> None:
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    seen = 0
    for page, (name, *words) in commands():
        seen += 1
        assert name in known, f"{page}: chronotope {name}"
        command = known[name]
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
        unknown = [w for w in words if re.match(r"--?[a-z]", w) and w.partition("=")[0] not in options | {"--help"}]
        assert not unknown, f"{page}: chronotope {name} has no {unknown}"
    pages = (REPOSITORY / "README.md", *DOCS.rglob("*.md"))
    assert seen == sum(p.read_text(encoding="utf-8").count("\n$ chronotope ") for p in pages) > 10


def test_links_between_pages_lead_somewhere() -> None:
    for page in (REPOSITORY / "README.md", *sorted(DOCS.rglob("*.md"))):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
            file, _, anchor = target.partition("#")
            there = (page.parent / file) if file else page
            assert there.exists(), f"{page.name} links to {target}"
            if anchor:
                headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
                anchors = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
                assert anchor in anchors, f"{page.name} links to {target}"


def test_the_example_that_asks_a_model_accounts_for_every_reply(tmp_path: Path) -> None:
    (tmp_path / "mood.py").write_text(examples()["mood.py"], encoding="utf-8")
    with ModelServer() as server:
        built = build_with_models(tmp_path, server, enrich=["mood.py:Mood"])
    clips = built.rows("SELECT clip_id FROM clips")
    assert len(clips) == server.requests.count == len(built.rows("SELECT * FROM proposals WHERE outcome = 'landed'"))
    assert len(built.rows("SELECT * FROM measurements WHERE name = 'mood' AND label = 'calm'")) == len(clips)
