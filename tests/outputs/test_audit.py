"""People judge samples: what is drawn, the page by real keys, what is kept through a crash, and what verdicts change."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.lock import RootBusy, RootLock
from chronotope.outputs.packaging import package
from chronotope.pipelines.audit import Asked, Audit, summarise
from chronotope.pipelines.audit_draw import allocate, audit_label, candidates, draw
from chronotope.pipelines.audit_rows import Journal, commit_reviews, journaled, now, read_csv, write_csv
from chronotope.pipelines.audit_summary import summary
from chronotope.pipelines.console import UsageError
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def root(world: Any, films: Any, make: SimpleNamespace) -> Path:
    """Fourteen choices (four of them for the test split) and four groundings about one film, one failed sample."""
    medium = world.film(films.loud, title="red.mp4", audio_codec="aac")
    for i in range(14):
        world.sample(make.choice(medium, i), split="test" if i < 4 else "train")
    for i in range(4):
        world.sample(make.grounding(medium, (22.0, 24.0 + i / 10)), grade="exact")
    world.sample(make.choice(medium, 99), passed=False)
    world.catalog().close()
    return Path(world.root)


def asked(root: Path, **changes: Any) -> Asked:
    return Asked(**{"root": root, "number": 6, "reviewer": "Ana", **changes})


# -- the draw -------------------------------------------------------------------------------------------------------

sizes_of = st.dictionaries(st.tuples(st.sampled_from("abcdefgh")), st.integers(1, 60), min_size=1)


@given(sizes_of, st.integers(1, 200))
def test_a_draw_takes_some_of_every_stratum_and_the_rest_in_proportion(sizes: Any, number: int) -> None:
    given_ = allocate(sizes, number)
    assert sum(given_.values()) == min(number, sum(sizes.values()))
    least = min(5, number // len(sizes))
    for stratum, size in sizes.items():
        assert min(least, size) <= given_[stratum] <= size
        assert given_[stratum] <= max(least, -(-number * size // sum(sizes.values()))) or sum(given_.values()) < number


def test_the_same_samples_are_drawn_again_whatever_was_said_of_them(root: Path) -> None:
    with Audit(asked(root)) as first:
        drawn = [d.sample_id for d in first.drawn]
        assert Counter(d.task for d in first.drawn) == {"colour": 3, "flash_grounding": 3}
        first.record(drawn[0], "wrong", "")
    assert commit_reviews(root) == 1
    with Audit(asked(root)) as again, Audit(asked(root, seed=1)) as other:
        assert [d.sample_id for d in again.drawn] == drawn
        assert [d.sample_id for d in other.drawn] != drawn


def test_an_audit_that_is_stopped_half_way_has_seen_half_of_each_stratum(root: Path) -> None:
    with Catalog(root) as catalog:
        strata = candidates(catalog, ["task"])
        mixed = [d.task for d in draw(strata, 8, 0)]
    assert sorted(mixed[:4]) == ["colour", "colour", "flash_grounding", "flash_grounding"]


@pytest.mark.parametrize(("by", "said"), [("colour", "no such column"), ("grade", "use evidence_grade")])
def test_strata_that_cannot_be_are_refused(root: Path, by: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Audit(asked(root, by=by))


# -- keeping verdicts -----------------------------------------------------------------------------------------------


def test_a_wrong_sample_leaves_packages_and_a_right_one_may_be_tested(root: Path) -> None:
    with Audit(asked(root, number=100)) as audit:
        of_test = [
            r["sample_id"]
            for r in audit.catalog.rows("SELECT sample_id FROM sample_view WHERE split = 'test' ORDER BY 1")
        ]
        right, wrong, unclear = of_test[:3]
        audit.record(right, "right", "")
        audit.record(wrong, "wrong", "blue, not red")
        audit.record(unclear, "unclear", "")
    commit_reviews(root)
    with Catalog(root) as catalog:
        grades = {r["sample_id"]: r["grade"] for r in catalog.rows("SELECT sample_id, grade FROM sample_view")}
        assert (grades[right], grades[wrong], grades[unclear]) == ("reviewed", "refuted", "model")
        report = package(catalog, "llava", {"splits": ["test"]}, root / "packages" / "p")
    left = [json.loads(line) for line in (report.path / "left_out.jsonl").read_text().splitlines()]
    rules = {r["sample_id"]: r["rule"] for r in left}
    assert report.splits == {"test": 1} and right not in rules
    assert rules[wrong] == "called wrong by a reviewer"
    assert "for the split test" in rules[unclear]


def test_reviewers_do_not_overwrite_each_other_and_the_newer_verdict_counts(root: Path) -> None:
    with Audit(asked(root)) as ana, Audit(asked(root, reviewer="Ben")) as ben:
        sample_id = ana.drawn[0].sample_id
        ana.record(sample_id, "wrong", "")
        assert commit_reviews(root) == 1
        ben.record(sample_id, "right", "looks fine")
        ana.record(sample_id, "right", "on second thoughts")
        assert commit_reviews(root) == 2
        assert commit_reviews(root) == 0, "nothing new"
    with Catalog(root) as catalog:
        rows = catalog.rows("SELECT reviewer, verdict, comment, audit FROM reviews ORDER BY reviewer")
        status = catalog.rows("SELECT status, row_count FROM ledger WHERE producer = 'audit'")
    assert [(r["reviewer"], r["verdict"], r["comment"]) for r in rows] == [
        ("Ana", "right", "on second thoughts"), ("Ben", "right", "looks fine"),
    ]  # fmt: skip
    assert rows[0]["audit"] == audit_label(6, ["task", "evidence_grade"], 0, None, None)
    assert status == [{"status": "done", "row_count": 2}]


def test_a_line_that_a_crash_cut_off_costs_that_line_only(root: Path) -> None:
    with Audit(asked(root)) as audit:
        first, second = (d.sample_id for d in audit.drawn[:2])
        audit.record(first, "right", "")
        path = Journal(root, "Ana").path
        path.write_bytes(path.read_bytes() + b'{"sample_id": "cut of')
        audit.record(second, "wrong", "")
    assert {r["sample_id"]: r["verdict"] for r in journaled(root)} == {first: "right", second: "wrong"}


def test_verdicts_wait_while_a_build_holds_the_root(root: Path) -> None:
    with Audit(asked(root)) as audit:
        with RootLock(root, "build"):
            for drawn in audit.drawn:
                audit.record(drawn.sample_id, "right", "")
            with pytest.raises(RootBusy):
                commit_reviews(root)
        assert len(audit.done()) == 6
    assert commit_reviews(root) == 6


def test_a_killed_audit_loses_nothing_and_goes_on(root: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "chronotope.pipelines.cli",
        "audit",
        "-n",
        "6",
        "--root",
        str(root),
        "--no-browser",
    ]
    command += ["--reviewer", "Ana"]
    for n, end in enumerate((signal.SIGKILL, signal.SIGINT)):
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stderr is not None
        url = next(found[0] for line in process.stderr if (found := re.search(r"http://127\S+/", line)))
        page = urllib.request.urlopen(url).read().decode()
        ids = re.findall(r'"sample_id": "(\w+)", "stratum"', page)
        assert len(re.findall(r'"verdict": "right"', page)) == n, "what was judged before is there again"
        assert post(url, {"sample_id": ids[n], "verdict": "right"}) == 200
        os.kill(process.pid, end)
        printed, told = process.communicate(timeout=60)
    assert "goes on from here" in told and "2 verdicts committed" in told
    assert "34.2% to 100.0%" in printed
    assert process.returncode == 0


# -- the server -----------------------------------------------------------------------------------------------------


def post(url: str, value: Any, **headers: str) -> int:
    request = urllib.request.Request(
        url + "verdict", json.dumps(value).encode(), {"Content-Type": "application/json", **headers}
    )
    try:
        return int(urllib.request.urlopen(request, timeout=60).status)
    except urllib.error.HTTPError as error:
        return error.code


def test_other_pages_can_neither_read_nor_post(root: Path) -> None:
    from chronotope.outputs.audit_server import AuditServer

    with Audit(asked(root)) as audit:
        ids = [d.sample_id for d in audit.drawn]
        with AuditServer(audit.page(), ids, audit.items, audit.record) as server:
            verdict = {"sample_id": ids[0], "verdict": "right"}
            plain = f"http://127.0.0.1:{server.port}/"
            assert post(plain, verdict) == 403, "no token"
            assert post(plain + "x" * 24 + "/", verdict) == 403, "a wrong one"
            assert post(server.url, verdict, Origin="http://evil.example") == 403
            assert post(server.url, verdict, Host="evil.example") == 403, "another name for this machine"
            assert post(server.url, {"sample_id": ids[0], "verdict": "great"}) == 400
            assert post(server.url, {"sample_id": "unknown", "verdict": "right"}) == 400
            assert audit.done() == {}
            assert post(server.url, verdict, Origin=f"http://127.0.0.1:{server.port}") == 200
            assert audit.done() == {ids[0]: {"verdict": "right", "comment": ""}}
            item = json.load(urllib.request.urlopen(server.url + "item/0", timeout=60))
            name = item["media"][0]["file"]
            part = urllib.request.Request(server.url + "file/" + name, headers={"Range": "bytes=4-7"})
            with urllib.request.urlopen(part) as answer:
                assert (answer.status, answer.read()) == (206, b"ftyp")
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(server.url + "file/..%2F..%2F.lock")


def test_footage_that_is_gone_is_told(root: Path, films: Any, tmp_path: Path, make: SimpleNamespace) -> None:
    film = shutil.copy(films.silent, tmp_path / "moved.mp4")
    world = make.world(tmp_path / "other")
    world.sample(make.choice(world.film(Path(film)), 1))
    world.catalog().close()
    Path(film).unlink()
    with Audit(asked(world.root)) as audit:
        item = audit.items.item(audit.drawn[0].sample_id)
    assert item["media"] == [] and item["trouble"] and item["turns"][0]["text"] == "Which one is number 1?"


# -- the page -------------------------------------------------------------------------------------------------------


@pytest.fixture
def judging(opened: Any) -> Callable[..., tuple[Any, list[str]]]:
    """Opens an audit page and waits for its first question."""

    def open_page(url: str, **settings: Any) -> tuple[Any, list[str]]:
        window, troubles = opened(url, **settings)
        window.wait_for_selector(".question")
        return window, troubles

    return open_page


def until(window: Any, expression: str) -> None:
    """Wait for an expression. (Waiting inside the page needs `eval`, which the page's policy forbids.)"""
    for _ in range(300):
        if window.evaluate(expression):
            return
        window.wait_for_timeout(100)
    raise AssertionError(f"never came true: {expression}")


def at_item(window: Any, number: int) -> None:
    until(window, f"document.querySelector('output').value.startsWith('{number} of 6, ')")


def test_samples_are_judged_by_keys(root: Path, judging: Any) -> None:
    from chronotope.outputs.audit_server import AuditServer

    with Audit(asked(root)) as audit:
        ids = [d.sample_id for d in audit.drawn]
        with AuditServer(audit.page(), ids, audit.items, audit.record) as server:
            window, troubles = judging(server.url)
            press = window.keyboard.press
            assert window.evaluate("document.activeElement === document.body")
            assert not window.locator(".said").first.is_visible(), "the answer is hidden at first"
            assert window.get_by_role("button", name="Right").is_disabled()
            until(window, "document.querySelector('video').readyState >= 2")
            assert window.evaluate("document.querySelector('video').duration") == pytest.approx(20, abs=0.1)
            press("Enter")
            assert window.locator(".said").first.is_visible() and window.locator(".wide img").first.is_visible()
            press("1")
            at_item(window, 2)
            press("2")
            assert window.locator(".said").first.is_visible(), "a verdict key shows the answer first"
            assert list(audit.done()) == [ids[0]]
            press("c")
            window.keyboard.type("2 is late, 3 fits")
            press("Escape")
            press("2")
            at_item(window, 3)
            press("Enter")
            press("3")
            at_item(window, 4)
            press("ArrowLeft")
            press("ArrowLeft")
            at_item(window, 2)
            window.wait_for_selector("textarea")
            assert window.locator("textarea").input_value() == "2 is late, 3 fits"
            assert window.get_by_role("button", name="Wrong").get_attribute("aria-pressed") == "true"
            assert window.locator("#bar").get_attribute("aria-label") == "3 of 6 judged: 1 right, 1 wrong, 1 unclear"
            window.reload()
        with AuditServer(audit.page(), ids, audit.items, audit.record) as server:
            again, more = judging(server.url, viewport={"width": 390, "height": 800}, color_scheme="dark")
            at_item(again, 4)
            assert again.evaluate("document.documentElement.scrollWidth") <= 390
            for n in (5, 6):
                again.keyboard.press("Enter")
                again.keyboard.press("1")
                at_item(again, n)
            again.keyboard.press("Enter")
            again.keyboard.press("1")
            again.wait_for_selector("text=All samples are judged")
            again.keyboard.press("Enter")
            again.wait_for_selector("text=Thank you")
            assert server.finished.wait(10)
            again.close()
        window.close()
        assert [t for t in troubles if "ERR_CONNECTION_REFUSED" not in t] == [] and more == []
        said = audit.done()
    assert [said[i]["verdict"] for i in ids] == ["right", "wrong", "unclear", "right", "right", "right"]
    assert said[ids[1]]["comment"] == "2 is late, 3 fits"


def test_the_answer_can_be_watched(root: Path, judging: Any) -> None:
    from chronotope.outputs.audit_server import AuditServer

    with Audit(asked(root, task="flash_grounding", number=1)) as audit:
        ids = [d.sample_id for d in audit.drawn]
        with AuditServer(audit.page(), ids, audit.items, audit.record) as server:
            window, troubles = judging(server.url)
            until(window, "document.querySelector('video').readyState >= 2")
            window.keyboard.press("p")
            assert window.evaluate("document.querySelector('video').currentTime") == 0, "not before it is shown"
            window.keyboard.press("Enter")
            window.keyboard.press("p")
            until(window, "document.querySelector('video').currentTime >= 12")
            bar = window.locator(".track i").first
            assert float(re.findall(r"left: ([\d.]+)%", bar.get_attribute("style") or "")[0]) == pytest.approx(
                60, abs=0.5
            )
            window.close()
    assert troubles == []


def test_an_exported_page_works_alone_and_its_verdicts_come_back(root: Path, judging: Any, tmp_path: Path) -> None:
    with Audit(asked(root)) as audit:
        page, folder = audit.export(tmp_path / "review.html", lambda n, of: None)
        assert folder.is_dir()
    window, troubles = judging(page.as_uri())
    window.keyboard.press("Enter")
    window.keyboard.press("1")
    at_item(window, 2)
    window.reload()
    at_item(window, 2)
    window.keyboard.press("Enter")
    window.keyboard.press("c")
    window.keyboard.type('too "early", really')
    window.keyboard.press("Escape")
    window.keyboard.press("2")
    at_item(window, 3)
    with window.expect_download() as download:
        window.keyboard.press("f")
    saved = tmp_path / "reviews.csv"
    download.value.save_as(saved)
    window.close()
    assert troubles == []
    with Catalog(root) as catalog:
        found = read_csv(saved, catalog, "somebody", "elsewhere")
    assert [(r["reviewer"], r["verdict"], r["comment"]) for r in found] == [
        ("Ana", "right", ""), ("Ana", "wrong", 'too "early", really'),
    ]  # fmt: skip
    assert commit_reviews(root, found) == 2


# -- files and sums -------------------------------------------------------------------------------------------------


def test_a_table_goes_out_and_comes_back(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    with Audit(asked(root)) as audit:
        audit.export(path, lambda n, of: None)
        drawn = [d.sample_id for d in audit.drawn]
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["sample_id"] for line in lines] == drawn
    assert all(line["question"] and line["answer"] and (tmp_path / line["files"]).is_file() for line in lines)
    lines[0]["verdict"], lines[1]["verdict"] = "Right", "unclear"
    write_csv(path, lines)
    with Catalog(root) as catalog:
        found = read_csv(path, catalog, "Ben", "mine")
        assert [(r["sample_id"], r["verdict"], r["reviewer"]) for r in found] == [
            (drawn[0], "right", "Ana"), (drawn[1], "unclear", "Ana"),
        ]  # fmt: skip
        for wrong, said in (("maybe", "row 2: verdict 'maybe'"), ("right", "row 2: no sample 'gone'")):
            write_csv(path, [{"sample_id": "gone", "verdict": wrong}])
            with pytest.raises(UsageError, match=said):
                read_csv(path, catalog, "Ben", "mine")
        write_csv(path, [{"id": "x"}])
        with pytest.raises(UsageError, match="no column sample_id and verdict"):
            read_csv(path, catalog, "Ben", "mine")


def test_precision_by_stratum_in_all_and_weighted(root: Path) -> None:
    def review(sample_id: str, reviewer: str, verdict: str) -> dict[str, Any]:
        return {"sample_id": sample_id, "reviewer": reviewer, "verdict": verdict, "reviewed_at": now()}

    with Catalog(root) as catalog:
        strata = candidates(catalog, ["task"])
    colours = [d.sample_id for d in strata[("colour",)]]
    flashes = [d.sample_id for d in strata[("flash_grounding",)]]
    reviews = [review(s, "Ana", "right") for s in colours[:4]] + [review(colours[4], "Ana", "unclear")]
    reviews += [review(flashes[0], "Ana", "right"), review(flashes[1], "Ana", "wrong")]
    reviews += [review(flashes[0], "Ben", "right"), review(flashes[1], "Ben", "wrong"), review("gone", "Ben", "wrong")]
    found = summary(strata, reviews)
    rows = {r["stratum"]: r for r in found["precision"]}
    assert rows["colour"] == {
        "stratum": "colour", "samples": 14, "right": 4, "wrong": 0, "unclear": 1, "precision": 1.0, "low": 0.5101, "high": 1.0,
    }  # fmt: skip
    assert rows["flash grounding"]["precision"] == 0.5
    assert rows["all, as drawn"]["precision"] == pytest.approx(5 / 6, abs=1e-4)
    assert rows["all, weighted"]["precision"] == pytest.approx((14 * 1 + 4 * 0.5) / 18, abs=1e-4)
    assert found["agreement"] == [{"reviewers": "Ana and Ben", "both judged": 2, "agree": 1.0, "kappa": 1.0}]
    assert found["elsewhere"] == ["gone"]


def test_nothing_judged_says_nothing(root: Path) -> None:
    rows = summarise(asked(root))["precision"]
    assert all(r["precision"] is None for r in rows) and rows[-1]["samples"] == 18
