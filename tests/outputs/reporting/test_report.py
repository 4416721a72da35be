"""The report tells what stands in the tables: known figures in, the same figures out, also on the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from chronotope.annotators.checks.ladder import Ladder, LadderParams
from chronotope.engine.annotator import Rows, Unit
from chronotope.engine.catalog import Catalog
from chronotope.engine.files import write_rows
from chronotope.engine.lock import RootLock
from chronotope.engine.store import Store
from chronotope.outputs.reporting.figures import ReportError, report_figures
from chronotope.outputs.reporting.language_figures import asked_twice, distinct_grams, words
from chronotope.pipelines.report import write_report
from chronotope.schemas.tables import TABLES
from made_samples import Maker

Tables = dict[str, list[dict[str, Any]]]
N = 120


def tables_of(*, leak: str | None = None, attempted: bool = True) -> Tables:
    """Samples of one task, checked and grouped, with whatever else a test adds."""
    tables: Tables = {"samples": [], "groups": [], "verdicts": []}
    for n, sample in enumerate(Maker(7).choices(N, leak)):
        row = sample.model_copy(update={"wording": f"w{n % 20}", "pair_id": f"p{n // 2}"}).to_row()
        tables["samples"].append(row)
        facts = {"sample_id": row["sample_id"], "media_id": row["media_id"]}
        tables["groups"].append({**facts, "group_id": row["media_id"], "split": "test" if n % 10 == 0 else "train"})
        tables["verdicts"].append(
            {**facts, "task": "made", "check_status": "recomputed", "passed": n != 3, "problem": None if n != 3 else "answer wrong",
             "evidence_grade": "exact" if n % 2 else "model", "verifier": "made@1"}
        )  # fmt: skip
    if attempted:
        unit = Unit("corpus", "corpus", None, "made", 0)
        tables["attempts"] = [row for _, row in Ladder(LadderParams()).annotate(unit, Rows(tables))]
    return tables


def stored(root: Path, tables: Tables) -> Path:
    store = Store.open_or_create(root)
    with RootLock(root, "test") as lock:
        files = []
        for table, rows in tables.items():
            media = {row["sample_id"]: row["media_id"] for row in tables["samples"]}
            full = [
                TABLES[table].complete(r, "hand", m, m)
                for r in rows
                for m in [r.get("media_id") or media[r["sample_id"]]]
            ]
            files.append(write_rows(root, TABLES[table], "hand", full))
        units = sorted({row["media_id"] for row in tables["samples"]})
        ledger = [{"producer": "hand", "unit": u, "media_id": u, "grain": "medium", "status": "done"} for u in units]
        store.begin(lock).commit(files, ledger_rows=ledger)
    return root


def figures(root: Path, **arguments: Any) -> dict[str, Any]:
    with Catalog(root) as catalog:
        return report_figures(catalog, **arguments)


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset whose right option is always the longest, with reviews and second looks."""
    tables = tables_of(leak="longest")
    ids = [row["sample_id"] for row in tables["samples"]]
    tables["reviews"] = [
        {
            "sample_id": i,
            "task": "made",
            "reviewer": "a",
            "verdict": v,
            "comment": "",
            "evidence_grade": "model",
            "audit": "1",
        }
        for i, v in zip(ids[:10:2], ("right", "right", "wrong", "unclear", "right"), strict=True)
    ]
    tables["deep_checks"] = [
        {
            "sample_id": i,
            "task": "made",
            "package": "p",
            "method": "speech",
            "removed": "nothing",
            "agrees": n < 3,
            "score": 1.0,
        }
        for n, i in enumerate(ids[:4])
    ]
    return stored(tmp_path_factory.mktemp("report") / "leaky.chronotope", tables)


def test_the_leak_is_flagged_and_an_honest_set_is_not(leaky: Path, tmp_path: Path) -> None:
    task = figures(leaky)["tasks"][0]
    flagged = {s["solver"] for s in task["ladder"]["solvers"] if s["flagged"]}
    assert "options_only" in flagged
    assert any(look["about"] == "ladder" and "options only" in look["what"] for look in figures(leaky)["looks"])
    pairs = {s["solver"]: s["pair_accuracy"] for s in task["ladder"]["solvers"]}
    assert pairs["options_only"] > 0.9
    honest = figures(stored(tmp_path / "honest.chronotope", tables_of()))
    assert not any(s["flagged"] for s in honest["tasks"][0]["ladder"]["solvers"])
    assert honest["tasks"][0]["ladder"]["reference"] == "chance"


def test_counts_reviews_and_second_looks_are_those_of_the_tables(leaky: Path) -> None:
    task = figures(leaky)["tasks"][0]
    counts = task["counts"]
    assert (counts["samples"], counts["test"], counts["train"], counts["failed"]) == (N, 12, 108, 1)
    assert counts["refuted"] == 1 and counts["pairs"] == N // 2
    assert sum(cell["samples"] for cell in counts["cells"]) == N
    (review,) = task["reviews"]
    assert (review["right"], review["wrong"], review["unclear"], review["precision"]) == (3, 1, 1, 0.75)
    assert 0.2 < review["low"] < 0.75 < review["high"] < 1
    (deep,) = task["deep"]
    assert (deep["agree"], deep["disagree"], deep["agreement"]) == (3, 1, 0.75)


def test_language_counts_templates_and_repeated_questions(leaky: Path) -> None:
    language = figures(leaky)["tasks"][0]["language"]
    assert (language["wordings_used"], language["largest_wording_share"]) == (20, 0.05)
    assert not language["largest_wording_flagged"]
    assert language["answer_forms_used"] == 1 and language["asked_twice"] == 0
    assert words("<video>\nWhat is at <t:12.4>, or <span:1,2>?") == ["§", "what", "is", "at", "§", "or", "§"]
    assert distinct_grams([["a", "b", "c", "d", "e"], ["a", "b", "c", "d"]]) == (2, 3)
    row = {
        "media_id": "m",
        "window_start_s": 0.0,
        "window_end_s": 10.0,
        "options": None,
        "turns": [{"role": "user", "text": "When?"}],
    }
    moved = {**row, "window_start_s": 2.0, "window_end_s": 12.0, "turns": [{"role": "user", "text": "when?"}]}
    far = {**row, "window_start_s": 9.0, "window_end_s": 19.0}
    assert asked_twice([row, moved, far]) == 1


def test_one_wording_for_everything_is_flagged(tmp_path: Path) -> None:
    tables = tables_of(attempted=False)
    for row in tables["samples"]:
        row["wording"] = "w1"
    found = figures(stored(tmp_path / "one.chronotope", tables))
    assert found["tasks"][0]["language"]["largest_wording_flagged"]
    assert any("wording w1 asks 100%" in look["what"] for look in found["looks"])


def test_held_out_wordings_in_training_are_counted(tmp_path: Path) -> None:
    """The task is one that exists, so that its held-out wordings are known; fo04 is one of them."""
    tables = tables_of(attempted=False)
    for table in ("samples", "verdicts"):
        for row in tables[table]:
            row["task"] = "frame_order"
    for n, row in enumerate(tables["samples"]):
        row["wording"] = "fo04" if n < 15 else f"fo{n % 2 + 1:02}"
    language = figures(stored(tmp_path / "held.chronotope", tables))["tasks"][0]["language"]
    assert language["wordings"] == 26 and language["held_out_wordings"] == 5
    assert language["held_out_in_train"] == 13
    assert language["trained_in_evaluation"] == 10
    shares = {s["split"]: s["held_out_share"] for s in language["splits"]}
    assert shares == {"test": round(2 / 12, 4), "train": round(13 / 108, 4)}


def test_without_a_ladder_the_report_says_why(tmp_path: Path) -> None:
    found = figures(stored(tmp_path / "bare.chronotope", tables_of(attempted=False)))
    assert found["tasks"][0]["ladder"]["withheld"].startswith("no recipe of this dataset has the check `ladder`")


def test_a_task_that_is_not_there_is_an_error_that_names_those_that_are(leaky: Path) -> None:
    with pytest.raises(ReportError, match="there are samples of made"):
        figures(leaky, task="else")
    with pytest.raises(ReportError, match="no samples"):
        Store.create(leaky.parent / "empty.chronotope")
        figures(leaky.parent / "empty.chronotope")


def test_files_are_the_same_each_time_and_leave_the_dataset_valid(leaky: Path) -> None:
    from chronotope.pipelines.build import check_root

    first = write_report(leaky, leaky / "report")
    before = {p.name: p.read_bytes() for p in (leaky / "report").iterdir()}
    write_report(leaky, leaky / "report")
    assert before == {p.name: p.read_bytes() for p in (leaky / "report").iterdir()}
    assert set(before) == {"index.html", "report.json", "report.md"}
    assert json.loads(before["report.json"]) == json.loads(json.dumps(first.figures))
    assert "**" in before["report.md"].decode() and "| made | 120 |" in before["report.md"].decode()
    check_root(leaky)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_the_page_shows_the_figures_fits_and_fetches_nothing(leaky: Path, opened: Any, width: int, scheme: str) -> None:
    page = write_report(leaky, leaky / "report").page
    size = {"width": width, "height": 900}
    window, troubles = opened(page.resolve().as_uri(), viewport=size, color_scheme=scheme)
    assert window.locator("h2").all_inner_texts()[:3] == ["Worth a look", "Samples", "The ladder"]
    assert window.locator("svg.ladder g").count() == 3
    assert window.locator("svg.ladder g.bad .name").all_inner_texts() or window.locator("svg.ladder g.bad").count()
    assert "75%" in window.locator("#opinions").inner_text()
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    ground = window.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 150) == (scheme == "dark")
    assert troubles == []
    window.close()
