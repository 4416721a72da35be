"""`evaluate` on a hand-made dataset whose figures can be computed by hand."""

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.files import write_rows
from chronotope.engine.grounding.calibration import Calibration
from chronotope.engine.grounding.proposals import query_id
from chronotope.engine.lock import RootLock
from chronotope.engine.store import Store
from chronotope.pipelines.cli import app
from chronotope.pipelines.console import UsageError
from chronotope.pipelines.evaluate import Request, calibrate_file, evaluate
from chronotope.pipelines.evaluate_rows import MediaNames, file_side
from chronotope.pipelines.evaluate_scoring import scoring
from chronotope.schemas.tables import TABLES
from typer.testing import CliRunner

A, B = "a" * 20, "b" * 20


def commit(root: Path, rows: list[tuple[str, str, str, dict[str, Any]]]) -> Path:
    """Write (table, producer, media_id, row) in one commit."""
    full: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for table, producer, media_id, row in rows:
        full[table, producer].append(TABLES[table].complete(row, producer, media_id, media_id))
    store = Store.open_or_create(root)
    with RootLock(root, "test") as lock:
        files = [write_rows(root, TABLES[t], p, rows) for (t, p), rows in full.items()]
        made = sorted({(p, r["unit"]) for (_, p), own in full.items() for r in own})
        ledger = [{"producer": p, "unit": u, "media_id": u, "grain": "medium", "status": "done"} for p, u in made]
        store.begin(lock).commit(files, ledger_rows=ledger)
    return root


def media(*ids: str, seconds: float = 100.0) -> list[tuple[str, str, str, dict[str, Any]]]:
    return [
        ("media", "scan", m, {"kind": "video", "duration_s": seconds, "title": f"{m[0]}.mp4", "origin": "real"})
        for m in ids
    ]


def told(media_id: str, text: str, start: float, end: float) -> tuple[str, str, str, dict[str, Any]]:
    row = {"start_s": start, "end_s": end, "text": text, "level": "event", "model": "composer"}
    return "captions", "composed_truth", media_id, row


def proposed(
    media_id: str, text: str, start: float, end: float, rank: int = 1, localiser: str = "eyes", score: float = 0.5
) -> tuple[str, str, str, dict[str, Any]]:
    row = {
        "start_s": start, "end_s": end, "text": text, "query_id": query_id(text), "localiser": localiser,
        "family": "pixels", "score": score, "rank": rank, "source_rows": [],
    }  # fmt: skip
    return "candidates", "localise", media_id, row


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three queries in a, one in b. `eyes` is right, half right, silent and wrong; `ears` answers one."""
    return commit(
        tmp_path_factory.mktemp("evaluate") / "hand.chronotope",
        [
            *media(A, B),
            told(A, "A dog barks.", 0, 10), told(A, "a cat sleeps", 20, 30), told(A, "a cow eats", 40, 50),
            told(B, "a bird sings", 0, 10),
            proposed(A, "a dog barks", 0, 10), proposed(A, "a cat sleeps", 20, 25), proposed(A, "a cat sleeps", 20, 30, 2),
            proposed(B, "a bird sings", 50, 60), proposed(A, "a dog barks", 5, 10, localiser="ears"),
            ("shots", "composed_truth", A, {"start_s": 0.0, "end_s": 4.0}),
            ("shots", "composed_truth", A, {"start_s": 4.0, "end_s": 100.0}),
            ("shots", "shots", A, {"start_s": 0.0, "end_s": 4.05}), ("shots", "shots", A, {"start_s": 4.05, "end_s": 9.0}),
            ("shots", "shots", A, {"start_s": 9.0, "end_s": 100.0}),
            *[("words", p, A, {"start_s": float(i), "end_s": i + 0.5, "word": w, "position": i})
              for p, said in (("composed_truth", "we go home now"), ("speech", "we so home now"))
              for i, w in enumerate(said.split())],
            *[("boxes", p, A, {"track_id": "t", "t_s": t, "x1": x, "y1": 0.0, "x2": x + 0.2, "y2": 0.2})
              for p, x in (("composed_truth", 0.0), ("tracker", 0.1)) for t in (0.0, 1.0)],
        ],
    )  # fmt: skip


def total(root: Path, request: Request, who: str, source: str | None = None, **given: Any) -> dict[str, float]:
    made = evaluate(root, request, scoring(source, **given))
    row = next(r for r in made.totals if r["who"] == who)
    return {name: found["value"] for name, found in row["figures"].items()}


def test_localisers_are_measured_one_by_one_and_silence_counts_zero(root: Path) -> None:
    eyes = total(root, Request("candidates"), "eyes")
    assert eyes["mIoU"] == pytest.approx((1 + 0.5 + 0 + 0) / 4)
    assert (eyes["R@1@0.5"], eyes["R@1@0.7"], eyes["R@5@0.7"]) == (0.5, 0.25, 0.5)
    assert eyes["answered"] == 0.75
    assert eyes["mAP"] == pytest.approx(
        (1 + (1 + 9 * 0.5) / 10) / 4, abs=1e-6
    )  # the right span of the cat stands second
    assert total(root, Request("candidates"), "ears")["mIoU"] == pytest.approx(0.5 / 4)


def test_the_flags_of_the_sources_change_what_they_say_they_change(root: Path) -> None:
    request = Request("candidates")
    assert total(root, request, "eyes", "llava_st")["R@1@0.5"] == 0.25  # exactly one half does not count
    assert total(root, request, "eyes", macro_by_video=True)["mIoU"] == pytest.approx((0.5 + 0) / 2)
    assert total(root, request, "ears", unread="skip")["mIoU"] == 0.5
    lita = total(root, request, "ears", "lita")
    assert lita["mIoU"] == pytest.approx(((0.5 + 0.1 + 0.1) / 3 + 0.1) / 2, abs=1e-6)
    with pytest.raises(UsageError, match="known are llava_st"):
        scoring("unheard_of")


def test_truth_may_be_a_file_that_names_media_in_its_own_way(root: Path, tmp_path: Path) -> None:
    rows = [
        {"name": "films/a.mp4", "start": "0", "end": "10", "query": "A dog, barks!", "kind": "action"},
        {"name": "elsewhere.mp4", "start": "0", "end": "1", "query": "x", "kind": "shot"},
    ]
    (tmp_path / "truth.json").write_text(json.dumps({"about": "by hand", "events": rows}))
    with (tmp_path / "truth.csv").open("w") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for name in ("truth.json", "truth.csv"):
        made = evaluate(root, Request("candidates", truth=tmp_path / name), scoring(None), by=("kind", "length"))
        assert made.totals[1]["figures"]["mIoU"] == {"value": 1.0, "low": None, "high": None, "n": 1}
        assert made.left_out["truth about media that are not here"] == 1
        assert made.left_out["predictions about media without truth"] == 1
        assert [r["kind"] for r in made.by["kind"]] == ["action", "action"]
        assert {r["length"] for r in made.by["length"]} == {"1 to 3 min"}
    with pytest.raises(UsageError, match="nothing of kind shot"):
        evaluate(root, Request("candidates", truth=tmp_path / "truth.csv", kinds=("shot",)), scoring(None))


def test_predictions_may_be_a_file_and_the_truth_scores_one_against_itself(root: Path, tmp_path: Path) -> None:
    rows = [
        {"media": "a.mp4", "start_s": s, "end_s": e, "text": t}
        for s, e, t in ((0, 10, "a dog barks"), (20, 30, "a cat sleeps"), (40, 50, "a cow eats"))
    ] + [{"media": B, "start_s": 0, "end_s": 10, "text": "a bird sings"}]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for table in ("events", "captions"):
        own = total(root, Request(table, predictions=tmp_path / "p.jsonl"), "predictions")
        assert all(v == 1 for name, v in own.items() if name not in ("precision", "recall"))


def test_a_told_probability_is_held_against_what_is_right(root: Path, tmp_path: Path) -> None:
    rows = [
        {"media": "a.mp4", "start_s": 0, "end_s": 10, "text": "a dog barks", "p_correct": 0.9},
        {"media": "a.mp4", "start_s": 90, "end_s": 99, "text": "a cow eats", "p_correct": 0.25},
    ]
    (tmp_path / "p.json").write_text(json.dumps(rows))
    made = evaluate(root, Request("events", predictions=tmp_path / "p.json"), scoring(None), by=("p",))
    figures = made.totals[0]["figures"]
    assert figures["Brier"]["value"] == pytest.approx((0.1**2 + 0.25**2) / 2, abs=1e-6)
    assert (figures["mIoU"]["value"], figures["mIoU of answers"]["value"]) == (0.25, 0.5)
    shares = {row["p"]: row["figures"]["right"]["value"] for row in made.by["p"] if row["p"] != "-"}
    assert shares == {"0.2 to 0.3": 0.0, "0.9 to 1.0": 1.0}


def test_shots_words_and_boxes_by_hand(root: Path) -> None:
    cuts = total(root, Request("shots"), "shots")
    assert (cuts["precision"], cuts["recall"]) == (0.5, 1.0)
    assert cuts["F1"] == pytest.approx(2 / 3, abs=1e-6)
    assert total(root, Request("shots"), "shots", tolerance_s=0.01)["F1"] == 0
    heard = total(root, Request("words"), "speech")
    assert (heard["WER"], heard["boundary error s"]) == (0.25, 0.0)
    seen = total(root, Request("boxes"), "tracker")
    assert (seen["m_tIoU"], seen["vIoU@0.3"], seen["vIoU@0.5"]) == (1.0, 1.0, 0.0)
    assert seen["m_vIoU"] == pytest.approx(1 / 3, abs=1e-6)


def test_frames_orders_and_grounded_answers_come_from_files(root: Path, tmp_path: Path) -> None:
    def write(name: str, rows: list[dict[str, Any]]) -> Path:
        (tmp_path / name).write_text(json.dumps(rows))
        return tmp_path / name

    times = Request(
        "sampling_plans",
        predictions=write("f.json", [{"media": "a.mp4", "t_s": t} for t in (12, 60)]),
        truth=write("g.json", [{"media": "a.mp4", "t_s": 7}, {"media": "a.mp4", "start_s": 80, "end_s": 90}]),
    )
    assert total(root, times, "predictions")["F1"] == 0.5
    assert total(root, times, "predictions", delta_s=4.9)["F1"] == 0
    order = Request(
        "orders",
        predictions=write("o.json", [{"media": "a.mp4", "id": 1, "order": [1, 0, 2]}]),
        truth=write("t.json", [{"media": "a.mp4", "id": i, "order": [0, 1, 2]} for i in (1, 2)]),
    )
    assert total(root, order, "predictions")["pairs"] == pytest.approx(1 / 3, abs=1e-6)
    assert total(root, order, "predictions", unread="skip")["pairs"] == pytest.approx(2 / 3, abs=1e-6)
    asked = [{"media": "a.mp4", "question_id": q, "answer": "red", "start_s": 0, "end_s": 10} for q in "pqr"]
    said = [
        {"media": "a.mp4", "question_id": "p", "answer": "Red.", "start_s": 2, "end_s": 4},
        {"media": "a.mp4", "question_id": "q", "answer": "red", "start_s": 8, "end_s": 20},
        {"media": "a.mp4", "question_id": "r", "answer": "blue", "start_s": 0, "end_s": 10},
    ]
    grounded = Request("questions", predictions=write("s.json", said), truth=write("q.json", asked))
    own = total(root, grounded, "predictions", "next_gqa")
    assert own["accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert own["Acc@GQA"] == pytest.approx(1 / 3, abs=1e-6)
    assert own["mIoP"] == pytest.approx((1 + 2 / 12 + 1) / 3, abs=1e-6)


def test_figures_are_the_same_again_and_what_cannot_be_compared_is_said(root: Path, tmp_path: Path) -> None:
    one, two = (evaluate(root, Request("candidates"), scoring(None), by=("span",)).as_dict() for _ in range(2))
    assert one == two
    figures = one["totals"][1]["figures"]["mIoU"]
    assert figures["low"] <= figures["value"] <= figures["high"]
    with pytest.raises(UsageError, match="'nobody'; its producers are: composed_truth, shots"):
        evaluate(root, Request("shots", producer="nobody"), scoring(None))
    with pytest.raises(UsageError, match="--predictions FILE"):
        evaluate(root, Request("questions", truth=_file(tmp_path)), scoring(None))
    with Catalog(root) as catalog, pytest.raises(UsageError, match="none of its 1 rows"):
        file_side(_file(tmp_path, "no.mp4"), MediaNames.of(catalog))


def _file(folder: Path, name: str = "a.mp4") -> Path:
    (folder / "x.json").write_text(json.dumps([{"media": name, "start_s": 0, "end_s": 1}]))
    return folder / "x.json"


def test_broken_files_and_misspelt_breakdowns_are_told(root: Path, tmp_path: Path) -> None:
    def told_of(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        with pytest.raises(UsageError) as caught:
            evaluate(root, Request("shots", producer="shots", truth=tmp_path / name), scoring(None))
        return str(caught.value)

    assert "has no rows" in told_of("t.csv", "media,start_s,end_s\n")
    assert "t.csv, row 2: 'soon' is no time" in told_of("t.csv", "media,start_s,end_s\na.mp4,0,1\na.mp4,soon,2\n")
    assert "nan is no time" in told_of("t.csv", "media,start_s,end_s\na.mp4,nan,1\n")
    assert "line 2 is no JSON" in told_of("t.jsonl", '{"media": "a.mp4", "start_s": 0, "end_s": 1}\n{oh\n')
    assert "line 1: each line is an object" in told_of("t.jsonl", "3\n")
    with pytest.raises(UsageError, match="--by lenght: shots can be broken down by"):
        evaluate(root, Request("shots", producer="shots"), scoring(None), by=("lenght",))
    with pytest.raises(UsageError, match="--where"):
        evaluate(root, Request("shots", producer="shots", where="score >== 2"), scoring(None))


def test_a_calibration_is_fitted_on_truth_and_written(tmp_path: Path) -> None:
    rows = media(*(f"{i:020d}" for i in range(6)))
    for i in range(6):
        for k in range(5):
            right = k % 2 == 0
            rows.append(told(f"{i:020d}", f"event {k}", 10.0 * k, 10.0 * k + 8))
            start = 10.0 * k if right else 60.0
            rows.append(proposed(f"{i:020d}", f"event {k}", start, start + 8, score=0.9 if right else 0.2))
    root = commit(tmp_path / "c.chronotope", rows)
    made = calibrate_file(root, Request("events", producer="events"), tmp_path / "fit.json", "hand")
    fitted = Calibration.from_json((tmp_path / "fit.json").read_text())
    assert made["calibration"] == fitted.title and fitted.events == 30 and fitted.right == 18
    assert fitted.curves["eyes"](0.9) > 0.8 > 0.3 > fitted.curves["eyes"](0.2)
    assert made["expected_calibration_error"] < 0.2
    with pytest.raises(UsageError, match="--calibrate"):
        calibrate_file(commit(tmp_path / "d.chronotope", [*media(A), told(A, "x", 0, 1), proposed(A, "x", 0, 1)]),
                       Request("candidates"), tmp_path / "no.json", "hand")  # fmt: skip


def test_the_command_prints_tables_json_and_what_it_knows(root: Path) -> None:
    run = CliRunner()
    shown = run.invoke(app, ["evaluate", "candidates", "--root", str(root), "--as", "charades_sta", "--by", "span"])
    assert shown.exit_code == 0 and "eyes" in shown.output and "0.375" in shown.output
    said = run.invoke(app, ["evaluate", "shots", "--root", str(root), "--json"])
    assert json.loads(said.output)["totals"][0]["figures"]["recall"]["value"] == 1
    assert "qvhighlights" in run.invoke(app, ["evaluate"]).output
    assert run.invoke(app, ["evaluate", "clips", "--root", str(root)]).exit_code == 2


def test_the_list_of_real_events_is_sound() -> None:
    events = json.loads((Path(__file__).parent.parent / "data" / "real_events.json").read_text())["events"]
    assert len(events) >= 40 and len({e["media_id"] for e in events}) >= 5
    assert all(0 <= e["start_s"] < e["end_s"] and len(e["media_id"]) == 20 for e in events)
    assert {e["kind"] for e in events} == {"shot", "camera", "action", "text", "speech"}
    assert len({(e["media_id"], query_id(e["text"])) for e in events}) == len(events)  # a description has one span
