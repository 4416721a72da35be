"""Sources: what manifests, lists, globs and folders say about footage, and what is recomputed when files change."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.producer import RecipeError
from chronotope.engine.scan import Place
from chronotope.pipelines.build import Build
from chronotope.pipelines.places import places_of
from chronotope.pipelines.planning import plan_recipe
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.run_record import BuildReport


def places(folder: Path, source: str) -> list[Place]:
    return places_of(Recipe.parse(f"name: r\nsources:\n  - {source}\n", folder))


def names(folder: Path, source: str) -> list[str]:
    return [Path(p.uri).relative_to(folder).as_posix() for p in places(folder, source)]


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.MOV", "deep/er/c.mkv", "deep/notes.txt", ".hidden/d.mp4", "old.chronotope/media/e.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_a_folder_is_searched_deeply_but_not_hidden_files_nor_datasets(footage: Path) -> None:
    assert names(footage, "folder: .") == ["a.mp4", "b.MOV", "deep/er/c.mkv"]


def test_globs_go_into_folders_with_two_stars(footage: Path) -> None:
    assert names(footage, "videos: '*.mp4'") == ["a.mp4"]
    assert names(footage, "videos: '**/*.m*'") == ["a.mp4", "deep/er/c.mkv"]
    assert names(footage, "videos: [a.mp4, ./a.mp4, deep/../b.MOV]") == ["a.mp4", "b.MOV"]
    assert names(footage, f"videos: file://{footage}/a.mp4") == ["a.mp4"]


def test_a_list_has_comments_and_paths_relative_to_itself(footage: Path) -> None:
    (footage / "deep" / "list.txt").write_text("\ufeff# mine\n\n  ../a.mp4 \ner/c.mkv\ns3://bucket/far.mp4\n")
    found = [p.uri for p in places(footage, "list: deep/list.txt")]
    assert found == sorted([f"{footage}/a.mp4", f"{footage}/deep/er/c.mkv", "s3://bucket/far.mp4"])


ROWS = [
    {"path": "a.mp4", "start_s": 1.0, "end_s": 2.5, "caption": "one, two", "rating": 5, "code": "007"},
    {"path": "a.mp4", "start_s": None, "end_s": None, "caption": None, "rating": None, "code": None},
]


@pytest.mark.parametrize("kind", ["csv", "tsv", "semicolons", "jsonl", "json", "parquet"])
def test_every_kind_of_manifest_says_the_same(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"clips.{'csv' if kind == 'semicolons' else kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), file)
    elif kind in ("json", "jsonl"):
        file.write_text(json.dumps(ROWS) if kind == "json" else "\n".join(map(json.dumps, ROWS)) + "\n\n")
    else:
        line = '"a.mp4","00:00:01","2.5","one, two",5,007\na.mp4,,,,,\n'
        mark = {"csv": ",", "tsv": "\t", "semicolons": ";"}[kind]
        text = "path,start_s,end_s,caption,rating,code\n" + line.replace("one, two", "one| two")
        file.write_text("\ufeff" + text.replace(",", mark).replace("|", ","))
    (place,) = places(tmp_path, f"manifest: {{file: {file.name}}}")
    assert place.entries == [
        {"start_s": 1.0, "end_s": 2.5, "caption": "one, two", "user": {"rating": 5, "code": "007"}}
    ]


def test_columns_are_mapped_and_defaults_fill_what_rows_leave_open(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("where,von,lic\nx/a.mp4,1:02:03.5,CC0\nx/b.mp4,,\n")
    source = (
        "{manifest: {file: m.csv, base: footage, columns: {uri: where, start_s: von, licence: lic}}, licence: mine}"
    )
    one, two = places(tmp_path, source)
    assert (one.uri, one.licence, one.entries[0]["start_s"]) == (f"{tmp_path}/footage/x/a.mp4", "CC0", 3723.5)
    assert (two.licence, two.entries) == ("mine", [])


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("", "", "m.csv has no rows"),
        ("path,start_s\n", "", "m.csv has no rows"),
        ("a,b\n1,2\n", "", "m.csv: which column holds the path.*its columns are a, b"),
        ("path,begin\na.mp4,1\n", "start_s: begn", "no column 'begn' .did you mean 'begin'"),
        ("path,begin\na.mp4,1\n", "start: begin", "maps 'start'.*did you mean 'start_s'"),
        ("path,start_s\na.mp4,1\n,2\n", "", "m.csv, row 2: column 'path' holds no path"),
        ("path,start_s,end_s\na.mp4,3,2\n", "", "m.csv, row 1: the clip must end after it starts, not run from 3 to 2"),
        ("path,start_s\na.mp4,soon\n", "", "m.csv, row 1: 'soon' is not a time; write seconds or hh:mm:ss"),
        ("path,start_s\na.mp4,1:75\n", "", "m.csv, row 1: '1:75' is not a time"),
        ("path,start_s\na.mp4,nan\n", "", "m.csv, row 1: 'nan' is not a time"),
        ("path,start_s\na.mp4,-1\n", "", "m.csv, row 1: a time cannot be negative"),
        ("path,official_split\na.mp4,trian\n", "", "m.csv, row 1: official_split 'trian' is unknown; use one of train"),
        ("path,caption\nx.mp4,a\na.mp4,b,c\n", "", "m.csv, row 2: 3 values for 2 columns; put quotes"),
    ],
)
def test_a_wrong_manifest_is_one_error_with_file_row_cause_and_remedy(
    tmp_path: Path, text: str, columns: str, said: str
) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(RecipeError, match=said):
        places(tmp_path, f"manifest: {{file: m.csv, columns: {{{columns}}}}}")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("folder: nowhere", "entry 1: .*nowhere: no such file or folder"),
        ("videos: '*.mkv'", r"entry 1: no media found by videos: \*\.mkv"),
        ("list: none.txt", "no file .*none.txt; relative names start from the recipe's folder"),
        ("manifest: {file: none.csv}", "no file .*none.csv"),
        ("manifest: {file: none.parquet}", "no file .*none.parquet"),
        ("manifest: {file: a.xlsx}", "unknown suffix '.xlsx'; use .csv"),
    ],
)
def test_sources_that_are_not_there_say_so(tmp_path: Path, source: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        places(tmp_path, source)


def test_broken_json_lines_name_their_line(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('{"path": "a.mp4"}\n\n{"path": }\n')
    with pytest.raises(RecipeError, match="line 3: not valid JSON"):
        places(tmp_path, "manifest: {file: m.jsonl}")


# -- whole builds -----------------------------------------------------------------------------------------------------

SECRET = "sk-live-7f3a99-do-not-store"
RECIPE = """
name: told
sources:
  - manifest: {file: clips.csv, columns: {uri: file, start_s: t0, end_s: t1, caption: text, licence: lic, group_id: who}}
  - folder: more
annotate:
  - signals: {fps: 1}
  - subtitles
  - manifest_captions
  - asks.py:ask: {key: "${A_SERVICE_KEY}"}
clips: {policy: whole}
select: {short: "duration_s < 3"}
"""
CSV = """file,t0,t1,text,lic,who,official_split,rating
film0.mp4,0,1.5,the start,CC-BY,g,train,5
film0.mp4,00:00:01.5,0:02.5,the middle,CC-BY,g,train,4
film1.mp4,,,all of it,CC0,h,test,3
"""
ASK = """
def ask(frame, key):
    raise RuntimeError(f"GET https://host/?key={key} answered 401")
"""
SRT = "1\n00:00:00,500 --> 00:00:01,500\n{}\n"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, films: list[Path]) -> Iterator[tuple[Path, BuildReport]]:
    """A dataset of three films and a copy, with a manifest, a sidecar, and an annotator that fails with a secret."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "more").mkdir()
    for film in films[:2]:
        shutil.copy2(film, folder / film.name)
    shutil.copy2(films[2], folder / "more" / "film2.mp4")
    shutil.copy2(films[0], folder / "more" / "copy of film0.mp4")
    (folder / "film1.srt").write_text(SRT.format("hello there"))
    (folder / "clips.csv").write_text(CSV)
    (folder / "asks.py").write_text(ASK)
    os.environ["A_SERVICE_KEY"] = SECRET
    yield folder, build(folder)
    del os.environ["A_SERVICE_KEY"]


def build(folder: Path) -> BuildReport:
    return Build(Recipe.parse(RECIPE, folder), folder / "told.chronotope").run()


def rows(folder: Path, query: str) -> list[dict[str, object]]:
    with Catalog(folder / "told.chronotope") as catalog:
        return catalog.rows(query)


@pytest.mark.xdist_group("ray")
def test_manifest_rows_become_clips_captions_and_user_columns(told: tuple[Path, BuildReport]) -> None:
    folder, _ = told
    clips = rows(
        folder,
        "SELECT m.title, c.start_s, c.end_s, c.policy, c.user_json FROM clips c JOIN media m USING (media_id) ORDER BY ALL",
    )
    found = [(c["title"], c["start_s"], c["end_s"], c["policy"]) for c in clips if c["policy"] == "manifest"]
    assert found == [("film0.mp4", 0.0, 1.5, "manifest"), ("film0.mp4", 1.5, 2.5, "manifest")]
    assert [json.loads(str(c["user_json"])) for c in clips if c["policy"] == "manifest"] == [
        {"rating": 5},
        {"rating": 4},
    ]
    media = {m["title"]: m for m in rows(folder, "SELECT * FROM media")}
    facts = {t: (m["licence"], m["official_split"], m["user_json"]) for t, m in media.items()}
    assert facts["film1.mp4"] == ("CC0", "test", '{"rating": 3}')
    assert facts["film0.mp4"] == ("CC-BY", "train", None)
    assert facts["film2.mp4"] == (None, None, None)
    said = rows(folder, "SELECT text, level FROM captions ORDER BY text")
    assert [(r["text"], r["level"]) for r in said] == [
        ("all of it", "medium"),
        ("the middle", "clip"),
        ("the start", "clip"),
    ]


@pytest.mark.xdist_group("ray")
def test_copies_are_one_medium_at_two_places(told: tuple[Path, BuildReport]) -> None:
    folder, report = told
    places = rows(folder, "SELECT media_id, count(*) AS n FROM sources GROUP BY media_id ORDER BY n DESC")
    assert [p["n"] for p in places] == [2, 1, 1]
    assert report.worked["signals"] == 3


@pytest.mark.xdist_group("ray")
def test_a_sidecar_is_speech(told: tuple[Path, BuildReport]) -> None:
    folder, _ = told
    found = rows(folder, "SELECT text, origin, start_s, end_s FROM speech")
    assert found == [{"text": "hello there", "origin": "sidecar", "start_s": 0.5, "end_s": 1.5}]


@pytest.mark.xdist_group("ray")
def test_secrets_are_in_no_table_and_no_report(told: tuple[Path, BuildReport]) -> None:
    folder, report = told
    assert [f["producer"] for f in report.failures] == ["ask"] * 3
    stored = f"{report}{rows(folder, 'SELECT * FROM runs')}{rows(folder, 'SELECT * FROM ledger')}"
    assert SECRET not in stored
    assert "key=${A_SERVICE_KEY} answered 401" in stored


@pytest.mark.xdist_group("ray")
def test_only_what_changed_is_worked_on(told: tuple[Path, BuildReport], films: list[Path]) -> None:
    folder, _ = told
    os.utime(folder / "film0.mp4", (1_700_000_000, 1_700_000_000))
    (folder / "film1.srt").write_text(SRT.format("good bye"))
    (folder / "more" / "film2.mp4").rename(folder / "more" / "renamed.mp4")
    second = build(folder)
    assert not {"signals", "ask"} & set(second.worked), "pixels did not change"
    assert second.worked["subtitles"] == second.worked["probe"] == 2, "film1 by its sidecar, film2 by its name"
    assert [r["text"] for r in rows(folder, "SELECT text FROM speech")] == ["good bye"]
    assert "renamed.mp4" in {r["title"] for r in rows(folder, "SELECT title FROM media")}
    assert build(folder).did_nothing
    shutil.copy2(films[2], folder / "film1.mp4")
    (folder / "more" / "renamed.mp4").unlink()
    replaced = build(folder)
    assert "signals" not in replaced.worked, "the content was known already"
    assert len(rows(folder, "SELECT * FROM media")) == 2
    _nothing_is_lost_when_nothing_can_be_read(folder)


def _nothing_is_lost_when_nothing_can_be_read(folder: Path) -> None:
    (folder / "clips.csv").write_text(CSV.replace("film", "away/film"))
    text = RECIPE.replace("  - folder: more\n", "")
    recipe = Recipe.parse(text, folder)
    with pytest.raises(RecipeError, match=r"none of the 2 files.*No such file.*Nothing was changed"):
        Build(recipe, folder / "told.chronotope").run()
    assert len(rows(folder, "SELECT * FROM media")) == 2


@pytest.mark.xdist_group("ray")
def test_footage_in_an_object_store(
    tmp_path: Path, films: list[Path], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    boto3 = pytest.importorskip("boto3")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    request.addfinalizer(server.stop)
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    _restart_ray()
    store = boto3.client("s3")
    store.create_bucket(Bucket="footage")
    for number, film in enumerate(films[:2]):
        store.upload_file(str(film), "footage", f"day/{number}/{film.name}")
    text = "name: far\nsources:\n  - folder: s3://footage/day\nannotate:\n  - signals: {fps: 1}\nclips: whole\n"
    root = tmp_path / "far.chronotope"
    report = Build(Recipe.parse(text, tmp_path), root).run()
    assert not report.failures and report.worked["signals"] == 2
    with Catalog(root) as catalog:
        assert catalog.rows("SELECT uri FROM sources ORDER BY uri")[0]["uri"] == f"s3://footage/day/0/{films[0].name}"
        assert catalog.rows("SELECT count(*) AS n FROM signals")[0]["n"] > 2
    scratch = root / "work" / "scratch"
    assert not scratch.exists() or not list(scratch.iterdir()), "copies of remote footage go away"
    assert not any(line.run for line in plan_recipe(Recipe.parse(text, tmp_path), root))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(RecipeError, match=r"s3://footage/day: the store does not give it.*AWS_ENDPOINT_URL"):
        places_of(Recipe.parse(text, tmp_path))
    _restart_ray()


def _restart_ray() -> None:
    """Workers inherit the environment of the moment when Ray starts."""
    import ray

    if ray.is_initialized():
        ray.shutdown()
