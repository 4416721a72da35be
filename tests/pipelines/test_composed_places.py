"""Sources that a composer makes: rendered once, named by content, with exact truth beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.producer import RecipeError
from chronotope.pipelines.build import Build
from chronotope.pipelines.planning import plan_recipe
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.unheard import unheard
from made_footage import write_media

pytestmark = pytest.mark.xdist_group("ray")

COMPOSER = '''
from pathlib import Path
from chronotope.engine.annotator import Params
from chronotope.engine.composing import Draft, MediaComposer
from chronotope.engine.media.cut import cut_media
from chronotope.schemas.ids import derive_id


class Halves(Params):
    said: str = "the first half"
    broken: bool = False


class FirstHalf(MediaComposer[Halves]):
    """The first half of each medium."""

    name, Params = "first_half", Halves

    def compose(self, material, seed):
        for m in material:
            half = m.media["duration_s"] / 2
            end = half if not self.params.broken else 0.0
            yield Draft(
                derive_id("first half", m.media_id, end), ".mp4",
                lambda path, m=m, end=end: cut_media(m.path, 0.0, end, path) and None,
                half,
                {
                    "events": [{"start_s": 0.0, "end_s": half, "text": self.params.said, "kind": "event"}],
                    "edits": [{"step": 0, "operation": "cut", "source_media_id": m.media_id, "start_s": 0.0, "end_s": half}],
                },
                (m,),
            )
'''
RECIPE = """
name: halves
sources:
  - compose: halves.py:FirstHalf
    with: {{{settings}}}
    material: [{{folder: footage, licence: CC0, official_split: test}}]
annotate: [composed_truth]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "footage").mkdir()
    for name, frames in (("a", 50), ("b", 100)):
        write_media(tmp_path / "footage" / f"{name}.mp4", frames=frames)
    (tmp_path / "halves.py").write_text(COMPOSER)
    return tmp_path


def recipe(folder: Path, settings: str = "") -> Recipe:
    return Recipe.parse(RECIPE.format(settings=settings), folder)


def rows(root: Path, query: str) -> list[dict]:
    with Catalog(root) as catalog:
        return catalog.rows(query)


def test_composed_media_are_footage_with_truth_and_what_their_sources_say(folder: Path) -> None:
    root = folder / "root"
    assert sum(line.run for line in plan_recipe(recipe(folder), root) if line.producer in ("scan", "probe")) >= 2
    assert not root.exists(), "planning writes nothing"
    report = Build(recipe(folder), root).run()
    assert not report.failures and not report.unaccounted
    found = rows(
        root,
        "SELECT m.duration_s, m.licence, m.official_split, m.origin, e.text, e.end_s FROM media m JOIN events e USING (media_id) ORDER BY 1",
    )
    assert [(r["duration_s"], r["end_s"]) for r in found] == [(1.0, 1.0), (2.0, 2.0)]
    assert {(r["licence"], r["official_split"], r["origin"], r["text"]) for r in found} == {
        ("CC0", "test", "composed", "the first half")
    }
    assert rows(root, "SELECT count(DISTINCT source_media_id) AS n FROM edits") == [{"n": 2}]


def test_a_second_build_renders_nothing_and_other_truth_renders_nothing_again(folder: Path) -> None:
    root = folder / "root"
    Build(recipe(folder), root).run()
    before = {p: p.stat().st_mtime_ns for p in (root / "composed").rglob("*.mp4")}
    assert Build(recipe(folder), root).run().did_nothing
    Build(recipe(folder, "said: half a film"), root).run()
    assert {p: p.stat().st_mtime_ns for p in (root / "composed").rglob("*.mp4")} == before
    assert {r["text"] for r in rows(root, "SELECT text FROM events")} == {"half a film"}


def test_material_that_is_gone_takes_its_media_along(folder: Path) -> None:
    root = folder / "root"
    Build(recipe(folder), root).run()
    (folder / "footage" / "a.mp4").unlink()
    Build(recipe(folder), root).run()
    assert rows(root, "SELECT duration_s FROM media") == [{"duration_s": 2.0}]
    assert len(list((root / "composed").rglob("*.mp4"))) == len(list((root / "composed").rglob("*.truth.json"))) == 1


def test_a_draft_that_cannot_be_rendered_is_a_failed_place(folder: Path) -> None:
    report = Build(recipe(folder, "broken: true"), folder / "root").run()
    assert len(report.failures) == 2 and all("empty or inverted" in f["error"] for f in report.failures)


def test_a_built_dataset_is_material_with_its_annotations(folder: Path) -> None:
    Build(recipe(folder), folder / "root").run()
    (folder / "events.py").write_text(
        COMPOSER.replace("self.params.said", 'm.rows["events"][0]["text"] + " of a half"')
    )
    text = "name: again\nsources:\n  - {compose: 'events.py:FirstHalf', dataset: root}\nannotate: [composed_truth]\n"
    root = folder / "again"
    assert not Build(Recipe.parse(text, folder), root).run().failures
    assert {r["text"] for r in rows(root, "SELECT text FROM events")} == {"the first half of a half"}


def test_truth_of_another_medium_fails_that_medium_alone(folder: Path) -> None:
    root = folder / "root"
    Build(recipe(folder), root).run()
    one = sorted((root / "composed").rglob("*.truth.json"))[0]
    wrong = json.loads(one.read_text()) | {"duration_s": 99.0}
    lone = folder / "lone"
    lone.mkdir()
    (lone / "a.mp4").write_bytes((folder / "footage" / "a.mp4").read_bytes())
    (lone / "a.truth.json").write_text(json.dumps(wrong))
    report = Build(
        Recipe.parse("name: x\nsources: [{folder: lone}]\nannotate: [composed_truth]\n", folder), folder / "x"
    ).run()
    assert len(report.failures) == 1 and "99 s" in report.failures[0]["error"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{compose: nothing}", "no composer is called 'nothing'"),
        ("{compose: 'halves.py:FirstHalf'}", "needs footage"),
        ("{compose: 'halves.py:FirstHalf', with: {sayd: x}, material: [{folder: footage}]}", "did you mean 'said'"),
        ("{compose: 'halves.py:FirstHalf', media: x, material: [{folder: footage}]}", "belongs to import"),
        ("{folder: footage, with: {a: 1}}", "belongs to compose or import"),
        ("{compose: 'halves.py:FirstHalf', dataset: footage}", "no built dataset"),
        ("{import: charades_sta}", "media"),
    ],
)
def test_mistakes_are_told_with_their_remedy(folder: Path, source: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        Build(Recipe.parse(f"name: x\nsources:\n  - {source}\n", folder), folder / "x").run()


def test_material_that_cannot_be_read_is_a_failed_place_and_the_rest_is_composed(folder: Path) -> None:
    (folder / "footage" / "torn.mp4").write_bytes((folder / "footage" / "a.mp4").read_bytes()[:600])
    (folder / "footage" / "b.truth.json").write_text("{}")
    report = Build(recipe(folder), folder / "root").run()
    assert sorted(Path(f["unit"]).name for f in report.failures) == ["b.mp4", "torn.mp4"]
    assert rows(folder / "root", "SELECT duration_s FROM media") == [{"duration_s": 1.0}]
    (folder / "footage" / "a.mp4").unlink()
    with pytest.raises(RecipeError, match=r"holds no media that can be read: .*b\.truth\.json"):
        plan_recipe(recipe(folder), folder / "other")


def test_what_interrupted_builds_left_goes_and_other_recipes_media_stay(folder: Path) -> None:
    root = folder / "root"
    Build(recipe(folder), root).run()
    [file, _] = sorted((root / "composed").rglob("*.mp4"))
    half = file.with_name(f".{file.stem}.1.part.mp4")
    half.write_bytes(b"half")
    other = root / "composed" / "halves-1" / file.parent.name / file.name
    other.parent.mkdir(parents=True)
    other.write_bytes(b"of a recipe that is called halves-1")
    Build(recipe(folder), root).run()
    assert not half.exists() and other.exists() and file.exists()


def test_what_a_build_wrote_is_no_material_of_the_next(folder: Path) -> None:
    root = folder / "footage" / "out"
    Build(recipe(folder), root).run()
    assert Build(recipe(folder), root).run().did_nothing


def test_annotations_that_nothing_reads_are_told(folder: Path) -> None:
    assert list(unheard(recipe(folder))) == []
    silent = Recipe.parse(RECIPE.format(settings="").replace("[composed_truth]", "[shots]"), folder)
    assert ["- composed_truth" in line for line in unheard(silent)] == [True]
    entry = "{import: charades_sta, media: '*.mp4', with: {files: x.txt, written_by: model}}"
    written = Recipe.parse(f"name: read\nsources:\n  - {entry}\nannotate: [imported]\n", folder)
    assert ["- imported_from_models" in line for line in unheard(written)] == [True]


def test_media_that_share_only_a_drawing_may_stand_in_different_splits(folder: Path) -> None:
    drawn = '"source_media_id": "drawn card", "start_s": 0.0, "end_s": 0.1}, {"step": 1, "operation": "cut", "source_media_id": m.media_id'
    (folder / "halves.py").write_text(COMPOSER.replace('"source_media_id": m.media_id', drawn))
    text = RECIPE.format(settings="") + "tasks: [temporal_grounding]\n"
    root = folder / "root"
    assert not Build(Recipe.parse(text, folder), root).run().failures
    assert rows(root, "SELECT count(DISTINCT group_id) AS n FROM footage_groups") == [{"n": 2}]
    assert rows(root, "SELECT count(*) AS n FROM edits WHERE source_media_id IS NULL") == [{"n": 2}]
