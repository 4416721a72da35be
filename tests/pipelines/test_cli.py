"""The command line as a new user meets it: mistakes in one line, exit codes, JSON, and the way from footage to answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.lock import RootLock
from chronotope.pipelines.cli import app
from typer.testing import CliRunner

Run = Callable[..., tuple[int, str, str]]


def run(*arguments: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of a command."""
    done = CliRunner().invoke(app, list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert "Traceback" not in done.stderr
    return done.exit_code, done.stdout, " ".join(done.stderr.split())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["biuld", "x.yaml"], "No such command 'biuld'. Did you mean 'build'?"),
        (["build"], "Missing argument 'RECIPE'"),
        (["build", "quickstrat"], "did you mean quickstart?"),
        (["build", "none.yaml"], "no recipe none.yaml; write one with `chronotope init FOLDER-or-CSV`"),
        (["build", "quickstart", "--limt", "3"], "No such option: --limt"),
        (["build", "quickstart", "--limit", "0"], "--limit"),
        (
            ["plan", "quickstart"],
            "environment variable CHRONOTOPE_DEMO is not set; set it with `export CHRONOTOPE_DEMO=...`",
        ),
        (["annotators", "shot"], "no annotator is called 'shot'; did you mean shots?"),
        (["packagers", "lava"], "did you mean llava"),
        (["init", "nowhere"], "nowhere does not exist"),
        (["status"], "no *.chronotope folder here; name one with --root, or build one"),
        (["sql", "SELECT 1"], "no *.chronotope folder here"),
        (["show-error", "x"], "no *.chronotope folder here"),
        (["verify", "--root", "none"], "is not a dataset root"),
        (["show", "--root", "none"], "is not a dataset root"),
        (["compose", "film.mp4", "--no-narration", "--width", "101"], "width: should be a multiple of 2 (got 101)"),
        (["export-clip", "NoSuchModel", "out"], "NoSuchModel: open_clip knows no such model"),
        (["export-clip", "ViT-B-32", "out", "--pretrained", "none.pt"], "the checkpoint none.pt does not exist"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_two(
    here: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.delenv("CHRONOTOPE_DEMO", raising=False)
    code, _, err = run(*arguments)
    assert code == 2
    assert said in err.replace("│ ", "").replace(" │", "")
    assert not list(here.iterdir())


def test_several_datasets_here_are_listed(here: Path) -> None:
    for name in ("one.chronotope", "two.chronotope"):
        (here / name).mkdir()
    code, _, err = run("status")
    assert code == 2 and "several datasets here: one.chronotope, two.chronotope; choose one with --root" in err
    code, _, err = run("status", "--root", "one.chronotope")
    assert code == 2 and "is not a dataset root" in err


@pytest.mark.parametrize("kind", ["annotators", "tasks", "packagers", "recipes", "doctor"])
def test_lists_are_readable_by_people_and_programs(here: Path, kind: str) -> None:
    code, text, _ = run(kind)
    assert code == 0 and len(text.splitlines()) > 1
    code, text, _ = run(kind, "--json")
    assert code == 0 and all(row["name"] for row in json.loads(text))


def test_parameters_of_one_are_told_with_their_meaning(here: Path) -> None:
    code, text, _ = run("annotators", "shots")
    assert code == 0 and "detector" in text and "adaptive" in text
    told = json.loads(run("annotators", "shots", "--json")[1])
    assert all(p["meaning"] for p in told["parameters"])


# -- one dataset, from the folder to the answers ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory, films: list[Path]) -> Iterator[tuple[Path, tuple[int, str, str]]]:
    """`init` on a folder with a broken file, and `build` of the recipe as it was written; what the build said."""
    home = tmp_path_factory.mktemp("journey")
    (home / "footage").mkdir()
    for film in films[:2]:
        shutil.copy2(film, home / "footage" / film.name)
    (home / "footage" / "notes.mp4").write_text("a shopping list\n" * 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert run("init", "footage")[0] == 0
        yield home, run("build", "footage.yaml")


@pytest.fixture
def home(journey: tuple[Path, tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(journey[0])
    return journey[0]


def report(*arguments: str) -> Any:
    """Parsed JSON of a command that went well; nothing but JSON comes out."""
    code, text, err = run(*arguments, "--json")
    assert "\x1b" not in text + err and not err
    return code, json.loads(text)


on_ray = pytest.mark.xdist_group("ray")


@on_ray
def test_a_build_with_a_broken_file_completes_and_says_so(journey: tuple[Path, tuple[int, str, str]]) -> None:
    code, text, _ = journey[1]
    assert code == 1
    for part in ("Clips", "kept", "Packages", "Seconds per stage", "1 failed", "notes.mp4", "it holds text, not media"):
        assert part in text


@on_ray
def test_a_second_build_does_nothing_and_gives_clean_json(home: Path) -> None:
    code, facts = report("build", "footage.yaml")
    assert code == 1, "the broken file is still there"
    assert facts["build"]["worked"] == {} and facts["build"]["used_ray"] is False
    total = sum(m["media"] for m in facts["media"])
    assert total == 2 and facts["funnel"][0]["clips"] == sum(s["clips"] for s in facts["funnel"][1:])
    assert [f["producer"] for f in facts["failures"]] == ["probe"]


@on_ray
def test_plan_and_status_tell_without_changing(home: Path) -> None:
    code, lines = report("plan", "footage.yaml")
    assert code == 0 and not any(line["run"] or line["gone"] for line in lines)
    assert "Nothing to do." in run("plan", "footage.yaml")[1]
    code, facts = report("status")
    assert code == 0 and facts["recipe"] == "footage"
    for row in facts["ledger"]:
        statuses = ("done", "filtered", "skipped", "undecided", "failed", "blocked")
        assert row["units"] == sum(row[s] for s in statuses)


@on_ray
@pytest.mark.parametrize("by", ["file name", "unit"])
def test_an_error_is_found_by_unit_or_file_name(home: Path, by: str) -> None:
    _, facts = report("status")
    unit = facts["failures"][0]["unit"]
    code, text, _ = run("show-error", "notes.mp4" if by == "file name" else unit[:8])
    assert code == 0 and "probe" in text and "it holds text, not media" in text and "Traceback" in text
    assert "by probe" in text, "what it blocks is told too"


@on_ray
def test_show_error_of_what_is_fine_or_unknown(home: Path) -> None:
    code, text, _ = run("show-error", "film0")
    assert code == 0 and "skipped\n  nothing is said or shown" in text and "failed" not in text
    code, _, err = run("show-error", "zzz")
    assert code == 2 and "no unit starts with 'zzz' and no file name contains it" in err


@on_ray
def test_sql_answers_in_a_table_in_json_and_in_csv(home: Path, tmp_path: Path) -> None:
    code, text, _ = run("sql", "SELECT title, duration_s FROM media ORDER BY title")
    assert code == 0 and "film0.mp4" in text
    assert report("sql", "SELECT title FROM media ORDER BY title")[1] == [
        {"title": "film0.mp4"},
        {"title": "film1.mp4"},
    ]
    assert run("sql", "SELECT title FROM media ORDER BY title", "--csv", str(tmp_path / "x.csv"))[0] == 0
    assert (tmp_path / "x.csv").read_text().split() == ["title", "film0.mp4", "film1.mp4"]
    assert {r["name"] for r in report("sql")[1]} >= {"clips", "clip_view", "samples"}


@on_ray
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sql", "SELECT * FROM clipz"], "Close names: clips"),
        (["sql", "SELECT durtion_s FROM clip_view"], "duration_s"),
        (["sql", "SELEC 1"], "syntax error"),
        (["sql", "DELETE FROM media"], "one statement that reads is wanted, not DELETE"),
        (["sql", "SELECT 1; SELECT 2"], "one statement that reads is wanted"),
        (["sql", "SELECT 1", "--csv", "none/x.csv"], "there is no folder none"),
        (["show", "nosuchsample"], "nosuchsample"),
        (["show", "--where", "tsk = 'x'"], "Close names"),
        (["package", "footage.yaml", "--only", "x"], "has no package 'x'; it has llava, webdataset"),
    ],
)
def test_questions_that_cannot_be_answered_are_one_error(home: Path, arguments: list[str], said: str) -> None:
    code, _, err = run(*arguments)
    assert code == 2 and said in err


@on_ray
def test_a_busy_root_is_exit_code_three_and_names_its_holder(home: Path) -> None:
    with RootLock(home / "footage.chronotope", "chronotope build something-else"):
        code, _, err = run("build", "footage.yaml")
        assert code == 3 and "'chronotope build something-else' (process" in err
        assert run("status")[0] == 0, "reading needs no lock"


@on_ray
def test_a_rule_or_package_that_is_wrong_stops_a_build_before_it_starts(home: Path) -> None:
    text = (home / "footage.yaml").read_text()
    (home / "wrong.yaml").write_text(text.replace("black_share < 0.5", "blak_share < 0.5"))
    code, _, err = run("build", "wrong.yaml")
    assert code == 2 and "rule 'not_black'" in err and "did you mean black_share" in err
    (home / "wrong.yaml").write_text(text.replace("{times: seconds}", "{times: minutes}"))
    code, _, err = run("build", "wrong.yaml")
    assert code == 2 and "package llava: times" in err
    assert not (home / "wrong.chronotope").exists()


@on_ray
def test_verify_and_package_go_on_from_there(home: Path) -> None:
    code, facts = report("verify")
    assert code == 0 and facts["samples"] == facts["recomputed"] and not facts["problems"]
    code, made = report("package", "footage.yaml")
    assert code == 0 and all(p["unchanged"] for p in made)


@on_ray
def test_a_package_does_not_write_down_values_of_variables(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN_TEXT", "<not-to-be-told-{k}>")
    text = (home / "footage.yaml").read_text()
    secretive = text.replace("{times: seconds}", "{times: seconds, time_token: '${A_TOKEN_TEXT}', as: quiet}")
    (home / "quiet.yaml").write_text(secretive)
    code, _, err = run("package", "quiet.yaml", "--root", "footage.chronotope", "--only", "quiet")
    assert code == 0, err
    told = [
        p.read_text() for p in (home / "footage.chronotope/packages/quiet").iterdir() if p.suffix in (".json", ".md")
    ]
    assert not any("not-to-be-told" in t for t in told) and any("${A_TOKEN_TEXT}" in t for t in told)


@on_ray
@pytest.mark.parametrize(
    ("root", "said"),
    [
        ("footage", "is no dataset and not empty (it holds film0.mp4, film1.mp4, notes.mp4); name a new folder"),
        ("footage.yaml", "is no folder that you may write to; name another one"),
    ],
)
def test_a_build_does_not_mix_with_what_is_there(home: Path, root: str, said: str) -> None:
    code, _, err = run("build", "footage.yaml", "--root", root)
    assert code == 2 and said in err
    assert sorted(p.name for p in (home / "footage").iterdir()) == ["film0.mp4", "film1.mp4", "notes.mp4"]
