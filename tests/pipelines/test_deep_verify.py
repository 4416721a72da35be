"""Second methods on packaged media: they agree with what is true, and name what plain `verify` cannot see."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from chronotope.annotators.compose.film import compose_film
from chronotope.annotators.compose.script import FilmParams
from chronotope.annotators.second.method import SecondParams
from chronotope.engine.catalog import Catalog
from chronotope.outputs.packaging import package
from chronotope.pipelines.build import Build
from chronotope.pipelines.cli import app
from chronotope.pipelines.console import UsageError
from chronotope.pipelines.corrupt_evidence import ROW_KINDS, plant_rows, plant_together
from chronotope.pipelines.corrupt_media import plant_media
from chronotope.pipelines.corruptions import SAMPLE_KINDS
from chronotope.pipelines.deep_report import ablations, agreement, by_sample, failing, verdict_of
from chronotope.pipelines.deep_rows import write_checks
from chronotope.pipelines.deep_verify import DeepReport, look_deep
from chronotope.pipelines.lies import plant_many
from chronotope.pipelines.packages import package_all
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.stands import contradicted
from chronotope.pipelines.verify import verify_root
from typer.testing import CliRunner

pytestmark = pytest.mark.xdist_group("ray")
QUICK = SecondParams(shots="content", text_fps=2.0)
RECIPE = """
name: told
sources:
  - {folder: footage, origin: composed}
annotate:
  - shots
  - signals: {fps: 4}
  - speech
  - text_regions: {fps: 2}
clips: {policy: shot}
select:
  length: duration_s > 1
tasks:
  - speech_grounding: {per_medium: 3, absent_share: 0, window: {length_s: [5, 8], within: medium}}
  - text_grounding: {per_medium: 3, window: {length_s: [5, 8], within: medium}}
  - speech_grounding: {as: unsaid, per_medium: 2, absent_share: 0.9, window: {length_s: [5, 8], within: medium}}
  - camera_motion: {per_medium: 2}
  - frame_order: {per_medium: 1, stills: [3, 3], min_distance: 4, min_growth: 1}
splits: {train: 1.0, validation: 0.0, test: 0.0}
package:
  - huggingface
"""
Copy = Callable[[], Path]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built and packaged dataset over a narrated film with lettering."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "footage").mkdir()
    compose_film(folder / "footage" / "film.mp4", FilmParams(seed=5, scenes=6, width=400, height=224))
    other = FilmParams(seed=2, scenes=2, width=160, height=90, narration=False, lettering=False)
    compose_film(folder / "footage" / "other.mp4", other)
    recipe = Recipe.parse(RECIPE, folder)
    root = folder / "told.chronotope"
    Build(recipe, root).run()
    package_all(recipe, root)
    return root


@pytest.fixture
def copy(told: Path, tmp_path: Path) -> Copy:
    """Makes a copy of the dataset with its packages."""

    def make() -> Path:
        root = tmp_path / "copy.chronotope"
        shutil.rmtree(root, ignore_errors=True)
        return Path(shutil.copytree(told, root))

    return make


@pytest.fixture(scope="module")
def honest(told: Path) -> DeepReport:
    """What second methods say of the dataset as it is, with everything taken away in turn."""
    return look_deep(told, params=QUICK, everything=True, ablate=True)


def said(report: DeepReport) -> dict[str, bool | None]:
    return {sample_id: verdict_of(checks) for sample_id, checks in by_sample(report.checks).items()}


def test_second_methods_find_the_answers_again(told: Path, honest: DeepReport) -> None:
    rows = {row["task"]: row for row in agreement(honest)}
    assert rows["speech_grounding"]["agree"] >= 2
    assert rows["text_grounding"]["agree"] >= 2
    assert not [task for task in rows if rows[task]["disagree"]], honest.checks
    assert not failing(list(rows.values()), 0.8)


def test_answers_are_gone_with_their_evidence(honest: DeepReport) -> None:
    rows = ablations(honest)
    assert {(r["task"], r["removed"]) for r in rows} >= {
        ("speech_grounding", "evidence"),
        ("speech_grounding", "sound"),
        ("text_grounding", "evidence"),
        ("text_grounding", "picture"),
        ("camera_motion", "evidence"),
    }
    assert not [r for r in rows if r["still found"]]


def test_a_consistent_lie_passes_verify_and_is_named_by_deep(copy: Copy) -> None:
    root = copy()
    lies = plant_together(root, "stale times, evidence and answer", 3)
    assert len(lies) >= 2
    assert not verify_root(root).problems
    with Catalog(root) as catalog:
        everything = {"only_passed": False, "modalities": ["vision", "audio"]}
        package(catalog, "huggingface", everything, root / "packages" / "lying")
    verdicts = said(look_deep(root, params=QUICK, package="lying", everything=True))
    assert verdicts and set(verdicts.values()) == {False}


def test_a_file_cut_at_another_place_is_named(copy: Copy) -> None:
    root = copy()
    lies = plant_media(root, "huggingface", "file cut a second late", 1)
    assert lies
    verdicts = said(look_deep(root, params=QUICK, only=frozenset(lie.sample_id for lie in lies)))
    assert set(verdicts.values()) == {False}


def test_agreement_lifts_the_grade_and_the_command_says_so(copy: Copy) -> None:
    root = copy()
    arguments = ["verify", "--root", str(root), "--deep", "--task", "speech_grounding", "--shots", "none", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    deep = json.loads(result.stdout)["deep"]
    assert deep["agreement"][0]["agree"] >= 2
    with Catalog(root) as catalog:
        graded = catalog.rows("SELECT grade, deep_agrees FROM sample_view WHERE deep_agrees IS NOT NULL")
    assert {(r["grade"], r["deep_agrees"]) for r in graded} == {("two_source", True)}


def test_a_later_look_replaces_what_was_said(copy: Copy) -> None:
    root = copy()
    report = look_deep(root, params=QUICK, everything=True, task="camera_motion")
    first, again = write_checks(root, report.checks), write_checks(root, report.checks)
    with Catalog(root) as catalog:
        assert catalog.rows("SELECT count(*) AS n FROM deep_checks")[0]["n"] == first == again


def test_without_a_package_the_remedy_is_named(copy: Copy) -> None:
    root = copy()
    shutil.rmtree(root / "packages")
    with pytest.raises(UsageError, match="chronotope package"):
        look_deep(root)


def test_what_cannot_be_looked_at_is_told_instead_of_passing_in_silence(copy: Copy) -> None:
    root = copy()
    deaf = {"modalities": ["vision"]}
    with Catalog(root) as catalog:
        package(catalog, "llava", deaf, root / "packages" / "deaf")
    with pytest.raises(UsageError, match="no sample of task 'speech_grounding' is in deaf"):
        look_deep(root, package="deaf", task="speech_grounding")
    report = look_deep(root, params=QUICK, package="deaf", share=0.0, least=1)
    assert set(report.out_of_reach) == {"speech_grounding"} and report.out_of_reach["speech_grounding"] >= 3
    arguments = ["verify", "--root", str(root), "--deep", "--whisper", str(root / "nowhere.pt")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2 and "nowhere.pt" in result.output + result.stderr


@pytest.mark.parametrize("kind", sorted(SAMPLE_KINDS))
def test_every_corrupted_sample_is_caught_and_no_other(copy: Copy, kind: str) -> None:
    root = copy()
    lies = plant_many(root, kind, 5)
    assert lies, "the dataset has no sample that this can be done to"
    assert {p["sample_id"] for p in verify_root(root).problems} == {lie.sample_id for lie in lies}


@pytest.mark.parametrize("kind", sorted(ROW_KINDS))
def test_changed_evidence_is_caught(copy: Copy, kind: str) -> None:
    root = copy()
    lies = plant_rows(root, kind, 3)
    assert lies
    assert {p["sample_id"] for p in verify_root(root).problems} == {lie.sample_id for lie in lies}


def test_recorded_words_contradict_what_is_not_said_once(told: Path, copy: Copy) -> None:
    assert contradicted(told) == {}
    root = copy()
    lies = plant_many(root, "present called absent", 3)
    assert set(contradicted(root)) == {lie.sample_id for lie in lies}
