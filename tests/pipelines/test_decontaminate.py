"""From `benchmark add` to a package without contaminated samples, and what the commands say when they cannot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.store import Store
from chronotope.pipelines.cli import app
from typer.testing import CliRunner

pytestmark = pytest.mark.xdist_group("ray")
TASKS = (
    "clips:",
    "tasks: [camera_motion, motion_direction, frame_order]\nchecks: {ladder: false}\n"
    "package: [webdataset: {test_min_grade: model}]\nclips:",
)


WINDOWS = '''
from chronotope.engine.annotator import Params
from chronotope.engine.task import Task
from chronotope.schemas.sample import Evidence, MediumRef, Sample, TextAnswer, Turn
from chronotope.schemas.verifying import Check


class Windows(Task[Params]):
    """One sample over each medium."""

    name = "windows"
    reads = ("media",)

    def annotate(self, unit, rows):
        medium = rows["media"][0]
        turns = (Turn(role="user", text="<video>\\nWhat is it?"), Turn(role="assistant", text="A film."))
        yield "samples", Sample(
            task="windows", recipe=unit.recipe, turns=turns, answer=TextAnswer(text="A film."),
            media=(MediumRef(media_id=medium["media_id"], start_s=0.0, end_s=medium["duration_s"]),),
            evidence=(Evidence(table="media", row_id=medium["row_id"], values={"duration_s": medium["duration_s"]}),),
            needs=("vision",), wording="w", answer_form="a", generator="windows@1",
        ).to_row()

    def recompute(self, sample, evidence):
        return Check(True, "", 1.0)
'''


def chronotope(*arguments: str) -> tuple[int, Any]:
    """Exit code, and standard output (parsed when it is JSON) or the error in one line."""
    done = CliRunner().invoke(app, list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    if done.exit_code:
        return done.exit_code, " ".join(done.stderr.split())
    return 0, json.loads(done.stdout) if "--json" in arguments else " ".join(done.stdout.split())


def test_from_registering_a_benchmark_to_packages_without_it(
    build: Callable[..., Any], world: Path, films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = (world / "small.yaml").read_text().replace(*TASKS)
    (world / "small.yaml").write_text(recipe)
    build()
    monkeypatch.chdir(world)
    _, before = chronotope("decontaminate", "--json")
    assert before["contaminated"] == 0 < before["samples"] and not before["changed"]

    (world / "bench").mkdir()
    shutil.copy2(films[0], world / "bench" / "their name.mp4")
    (world / "bench" / "broken.mp4").write_bytes(b"no video")
    code, said = chronotope("benchmark", "add", "bench", "--videos", "bench", "--root", "small.chronotope")
    assert code == 1 and "not sketched bench/broken.mp4" in said
    code, said = chronotope("package", "small.yaml")
    assert code == 2 and "run `chronotope decontaminate` first" in said
    _, after = chronotope("decontaminate", "--json")
    assert after["changed"] and {line["found_by"] for line in after["found"]} == {"copy"}
    with Catalog(world / "small.chronotope") as catalog:
        marked = catalog.rows(
            "SELECT DISTINCT s.uri, v.contaminated_by IS NOT NULL AS marked FROM sample_view v JOIN sources s USING (media_id)"
        )
        number = catalog.rows("SELECT count(*) AS n FROM sample_view WHERE contaminated_by IS NOT NULL")[0]["n"]
    assert {Path(str(m["uri"])).name: m["marked"] for m in marked} == {"film0.mp4": True, "film1.mp4": False}
    assert number == after["contaminated"]
    _, (package,) = chronotope("package", "small.yaml", "--json")
    assert package["left_out"]["stands in a benchmark"] == number

    version = Store.open(world / "small.chronotope").head().dataset_version
    assert build().did_nothing, "a build writes what decontaminate has written already"
    assert Store.open(world / "small.chronotope").head().dataset_version == version

    chronotope("benchmark", "export", "bench", "shared.sketches")
    chronotope("benchmark", "remove", "bench")
    assert chronotope("decontaminate", "--json")[1]["contaminated"] == 0
    assert chronotope("benchmark", "add", "theirs", "--sketches", "shared.sketches")[0] == 0
    again = chronotope("decontaminate", "--json")[1]
    assert again["contaminated"] == number and {line["benchmark"] for line in again["found"]} == {"theirs"}


def test_embeddings_find_a_copy_where_no_perceptual_hashes_are(
    build: Callable[..., Any], world: Path, films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = (world / "small.yaml").read_text().replace(*TASKS)
    recipe = recipe.replace("[camera_motion, motion_direction, frame_order]", "[{windows.py:Windows: {as: windows}}]")
    recipe = recipe.replace("checks: {ladder: false}", "checks: {ladder: false, contamination: {vectors: {min_s: 2}}}")
    recipe = recipe.replace("  - signals: {fps: 4}\n", "  - clip_embedding: {model: composed-tiny, fps: 2}\n")
    recipe = recipe.replace("  lit: luma_mean > 10\n", "")
    (world / "small.yaml").write_text(recipe)
    (world / "windows.py").write_text(WINDOWS)
    monkeypatch.chdir(world)
    report = build()
    assert not report.failures and report.worked["windows"] == 2
    add = ("benchmark", "add", "bench", "--root", "small.chronotope", "--videos", str(films[0]))
    code, said = chronotope(*add, "--embed", "composed-tny")
    assert code == 2 and "composed-tny" in said
    assert chronotope(*add)[0] == 0
    assert chronotope("decontaminate", "--json")[1]["contaminated"] == 0, "there are no hashes to compare"
    assert chronotope(*add, "--embed", "composed-tiny")[0] == 0
    found = chronotope("decontaminate", "--json")[1]["found"]
    assert [(line["found_by"], line["samples"], line["items"]) for line in found] == [("embedding", 1, 1)]
    with Catalog(world / "small.chronotope") as catalog:
        rows = catalog.rows("SELECT uri, variant FROM contamination JOIN sources USING (media_id)")
    assert [Path(r["uri"]).name for r in rows] == ["film0.mp4"]


@pytest.mark.parametrize(
    ("name", "text", "items"),
    [
        ("ids.txt", "# theirs\nabc\n\nhttps://youtu.be/dQw4w9WgXcQ\nabc\n", ["abc", "dQw4w9WgXcQ"]),
        ("ids.csv", "split,Video_ID,start\ntest,a1b2c3,0\ntest,a1b2c3,5\n", ["a1b2c3"]),
        ("ids.json", '{"v_1x": {"duration": 3}, "v_2x": {"duration": 4}}', ["v_1x", "v_2x"]),
        ("ids.json", '["a", "b.mp4"]', ["a", "b"]),
        ("ids.jsonl", '{"vid": "q"}\n{"vid": "r"}\n', ["q", "r"]),
    ],
)
def test_identifiers_are_read_from_many_forms(
    name: str, text: str, items: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text)
    assert chronotope("benchmark", "add", "b", "--ids", name, "--root", "new.chronotope", "--json")[1]["ids"] == len(
        items
    )
    with Catalog(tmp_path / "new.chronotope") as catalog:
        assert [r["item"] for r in catalog.rows("SELECT item FROM benchmarks ORDER BY item")] == items


def test_a_second_add_extends_and_a_carried_list_needs_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("q.csv").write_text("qid,question\na,Which of the two red boxes falls off the table first?\nb,Why?\n")
    _, line = chronotope("benchmark", "add", "scannet-v2", "--root", "d.chronotope", "--json")
    assert (line["ids"], line["questions"]) == (412, 0)
    _, line = chronotope("benchmark", "add", "scannet-v2", "--questions", "q.csv", "--json")
    assert (line["ids"], line["questions"], line["too_short"]) == (412, 1, 1)
    assert "412" in chronotope("benchmark", "list")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "b"], "say what b holds: --ids FILE, --videos FOLDER"),
        (["add", "a b", "--ids", "x.csv", "--id-column", "name"], "a benchmark's name is letters, digits"),
        (["add", "b", "--ids", "none.txt"], "there is no file none.txt"),
        (["add", "b", "--ids", "x.csv"], "none of its columns has a name that says what it is (name, score)"),
        (["add", "b", "--ids", "x.csv", "--id-column", "nam"], "has no column 'nam'; its columns are name, score"),
        (["add", "b", "--videos", "empty"], "there are no videos in empty"),
        (["add", "b", "--sketches", "x.csv"], "x.csv cannot be read"),
        (["remove", "b"], "no benchmark b is registered here; there are none"),
        (["export", "b", "out"], "no benchmark b is registered here"),
    ],
)
def test_mistakes_are_named_with_what_to_do(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Store.create(tmp_path / "d.chronotope")
    Path("x.csv").write_text("name,score\nq,1\n")
    Path("empty").mkdir()
    code, told = chronotope("benchmark", *arguments)
    assert code == 2 and said in told


def test_a_dataset_without_the_check_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Store.create(tmp_path / "d.chronotope")
    code, told = chronotope("decontaminate")
    assert code == 2 and "run `chronotope build RECIPE` once" in told
