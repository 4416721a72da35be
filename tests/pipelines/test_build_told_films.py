"""Films told in words, from a manifest to verified packages: evidence in several media, and text alone needs no footage."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.catalog import Catalog
from chronotope.outputs.packaging import package
from chronotope.outputs.rewards.scoring import check
from chronotope.outputs.show import show_samples
from chronotope.pipelines.build import Build
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.sample import Sample

SAID = (
    ("a baker kneads the dough", "two dogs chase a ball", "the old bridge is painted green"),
    ("a child flies a red kite", "an orchestra tunes its instruments", "rain runs down the window"),
    ("sailors hoist a torn flag", "somebody peels seven potatoes", "a lamp falls from the ceiling"),
)
pytestmark = pytest.mark.xdist_group("ray")
RECIPE = """
name: told
sources: [{manifest: {file: told.csv, spans: captions}}]
annotate: [manifest_captions]
clips: {policy: whole}
tasks: [{text_transfer: {per_medium: 3}}]
splits: {train: 1, validation: 0, test: 0}
"""


@pytest.fixture(scope="module")
def root(films: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("told")
    lines = ["uri,start_s,end_s,caption"]
    for path, texts in zip(films, SAID, strict=True):
        lines += [f"{path},{i},{i + 0.8},{text}" for i, text in enumerate(texts)]
    (folder / "told.csv").write_text("\n".join(lines), encoding="utf-8")
    report = Build(Recipe.parse(RECIPE, folder), folder / "told.chronotope").run()
    assert not report.failures and not report.unaccounted
    return folder / "told.chronotope"


def samples_of(root: Path) -> list[Sample]:
    with Catalog(root) as catalog:
        return [Sample.from_row(r) for r in catalog.rows("SELECT * FROM samples ORDER BY sample_id")]


def test_all_are_checked_though_their_evidence_lies_in_several_media(root: Path) -> None:
    samples = samples_of(root)
    assert len(samples) >= 5
    assert all(len({m.media_id for m in s.media}) == 3 for s in samples)
    report = verify_root(root)
    assert report.samples == report.recomputed == len(samples) and not report.problems
    with Catalog(root) as catalog:
        assert catalog.rows("SELECT count(*) AS n FROM verdicts WHERE passed")[0]["n"] == len(samples)
        # telling of other footage ties nothing together
        assert catalog.rows("SELECT count(DISTINCT group_id) AS n FROM groups")[0]["n"] == 3
        assert catalog.rows("SELECT bool_and(answerable) AS yes FROM frame_plans")[0]["yes"]


def records(out: Path, name: str) -> list[dict[str, Any]]:
    if name == "webdataset":
        with tarfile.open(out / "train-000000.tar") as tar:
            names = tar.getnames()
            assert all(n.endswith(".json") for n in names)
            return [json.loads(tar.extractfile(n).read()) for n in names]  # type: ignore[union-attr]
    return [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", ["llava", "llamafactory", "huggingface", "webdataset"])
def test_packages_carry_the_words_and_no_file(root: Path, tmp_path: Path, name: str) -> None:
    with Catalog(root) as catalog:
        report = package(catalog, name, {"answer": "letter_text"}, tmp_path / "package")
    assert report.packaged == len(samples_of(root)) and not report.left_out and report.media_files == 0
    for record in records(report.path, name):
        asked, answered = (m["content"] for m in record["messages"])
        assert record["files"] == [] and "<video>" not in asked and "<image>" not in asked
        assert asked.count("\n") >= 5
        assert check(record, answered).ok
        assert not check(record, "none of these").ok
    if name == "llava":
        entries = json.loads((report.path / "train.json").read_text())
        assert all(set(e) == {"id", "conversations"} for e in entries)


def test_a_told_film_is_shown_without_pictures(root: Path, tmp_path: Path) -> None:
    shown = show_samples(root, number=2, folder=tmp_path / "page")
    assert len(shown.pictures) == 2 and shown.page.exists()


def test_a_tag_that_shows_what_is_only_told_is_malformed(root: Path) -> None:
    sample = samples_of(root)[0]
    turn = sample.turns[0].model_copy(update={"text": "<video>\n" + sample.turns[0].text})
    assert sample.problems() == []
    assert "told in words" in sample.model_copy(update={"turns": (turn, sample.turns[1])}).problems()[0]
