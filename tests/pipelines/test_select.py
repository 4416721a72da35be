"""Selection: named SQL rules over the clip view, in order; NULL never passes and is told apart from false."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chronotope.engine.catalog import Catalog
from chronotope.engine.files import write_rows
from chronotope.engine.lock import RootLock
from chronotope.engine.producer import RecipeError
from chronotope.engine.select import check_rules, decide
from chronotope.engine.store import Store
from chronotope.pipelines.status import funnel
from chronotope.schemas.tables import TABLES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# (start, end, motion of its frames or None, similarity to "cat" or None)
CLIPS = [
    (0.0, 1.0, 0.1, 0.9),
    (1.0, 4.0, 0.5, 0.1),
    (4.0, 10.0, None, 0.4),
    (10.0, 30.0, 0.9, None),
    (30.0, 31.5, 0.5, 0.6),
    (31.5, 60.0, None, None),
]


def _rows() -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "probe", "media", {"media_id": "m", "kind": "video", "duration_s": 60.0, "title": "a.mp4"}
    for number, (start, end, motion, cat) in enumerate(CLIPS):
        yield "clips", "clips", {"clip_id": f"c{number}", "start_s": start, "end_s": end, "policy": "shot"}
        if motion is not None:
            yield "signals", "signals", {"t_s": start, "motion": motion, "luma": 100.0}
        if cat is not None:
            score = {"t_s": start, "until_s": end, "name": "cat", "prompt": "a cat", "model": "x", "value": cat}
            yield "clip_scores", "clip_scores", score
    yield "warmth", "measurements", {"t_s": 1.5, "name": "heat", "value": 7.0}
    yield "others", "clips", {"clip_id": "foreign", "start_s": 0.0, "end_s": 60.0, "policy": "whole"}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    root = tmp_path_factory.mktemp("select") / "root"
    store = Store.create(root)
    files: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for producer, table, values in _rows():
        files.setdefault((producer, table), []).append(TABLES[table].complete(values, producer, "m", "m"))
    done = [
        {"producer": p, "unit": "m", "media_id": "m", "grain": "medium", "status": "done"}
        for p in sorted({p for p, _ in files})
    ]
    with RootLock(root, "test") as lock:
        store.begin(lock).commit([write_rows(root, TABLES[t], p, r) for (p, t), r in files.items()], ledger_rows=done)
    with Catalog(store) as opened:
        yield opened


def outcome(catalog: Catalog, rules: dict[str, str]) -> list[tuple[str, str | None]]:
    """(status, rule) of each clip, in order."""
    decisions = decide(catalog, rules, "select:t", "t", ["clips"])
    assert [d.row["clip_id"] for d in decisions] == [f"c{n}" for n in range(len(CLIPS))], (
        "other recipes' clips stay out"
    )
    for d in decisions:
        kept = d.result.outcome.status == "done"
        assert d.row["kept"] is kept and d.row["rule"] == d.result.outcome.rule
        assert d.row["reason"] == (None if kept else "missing" if d.result.outcome.status == "undecided" else "false")
    return [(d.result.outcome.status, d.result.outcome.rule) for d in decisions]


def test_without_rules_every_clip_is_kept(catalog: Catalog) -> None:
    assert outcome(catalog, {}) == [("done", None)] * len(CLIPS)


def test_null_never_passes_and_is_told_apart_from_false(catalog: Catalog) -> None:
    found = outcome(catalog, {"moves": "motion_mean > 0.3"})
    assert [s for s, _ in found] == ["filtered", "done", "undecided", "done", "done", "undecided"]


def test_the_first_rule_that_is_not_true_is_the_reason(catalog: Catalog) -> None:
    long, moves = ("long", "duration_s > 2"), ("moves", "motion_mean > 0.3")
    assert outcome(catalog, dict([long, moves]))[0] == ("filtered", "long")
    assert outcome(catalog, dict([moves, long]))[0] == ("filtered", "moves")


def test_scores_and_measurements_are_asked_by_name(catalog: Catalog) -> None:
    found = outcome(catalog, {"cat": "scores['cat'] > 0.3"})
    assert [s for s, _ in found] == ["done", "filtered", "done", "undecided", "done", "undecided"]
    hot = outcome(catalog, {"hot": "measured['heat'] > 5"})
    assert [s for s, _ in hot] == ["undecided", "done", *["undecided"] * 4]
    assert {s for s, _ in outcome(catalog, {"dog": "scores['dog'] > 0"})} == {"undecided"}


def test_a_quantile_is_taken_over_all_clips_whatever_other_rules_say(catalog: Catalog) -> None:
    lengths = [end - start for start, end, _, _ in CLIPS]
    middle = np.quantile(lengths, 0.5)
    found = outcome(catalog, {"never": "duration_s < 25", "upper": "duration_s > q('duration_s', 0.5)"})
    expected = ["never" if n >= 25 else None if n > middle else "upper" for n in lengths]
    assert [rule for _, rule in found] == expected


def test_values_that_decided_are_stored_with_the_decision(catalog: Catalog) -> None:
    import json

    decisions = decide(catalog, {"a": "Duration_S > 2 -- not luma_mean", "b": "scores['cat'] > 0"}, "s", "t", ["clips"])
    assert json.loads(decisions[1].row["values_json"]) == {"duration_s": 3.0, "scores": {"cat": 0.1}}


NUMBERS = st.sampled_from([0.2, 0.5, 2.0, 3.0, 10.0])
ATOMS = st.tuples(
    st.sampled_from(["duration_s", "motion_mean", "scores['cat']"]), st.sampled_from(["<", ">="]), NUMBERS
)
RULE = st.tuples(ATOMS, st.sampled_from(["", "AND", "OR"]), ATOMS, st.booleans())


def _atom(atom: tuple[str, str, float], clip: tuple[float, float, float | None, float | None]) -> bool | None:
    start, end, motion, cat = clip
    value = {"duration_s": end - start, "motion_mean": motion, "scores['cat']": cat}[atom[0]]
    return None if value is None else value < atom[2] if atom[1] == "<" else value >= atom[2]


def _truth(rule: Any, clip: Any) -> bool | None:
    """SQL's three-valued logic, in Python."""
    first, joint, second, negated = rule
    a, b = _atom(first, clip), _atom(second, clip)
    if joint == "AND":
        a = False if a is False or b is False else None if a is None or b is None else True
    elif joint == "OR":
        a = True if a is True or b is True else None if a is None or b is None else False
    return a if a is None or not negated else not a


def _sql(rule: Any) -> str:
    first, joint, second, negated = rule
    text = " ".join(map(str, first)) + (f" {joint} {' '.join(map(str, second))}" if joint else "")
    return f"NOT ({text})" if negated else text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=st.lists(RULE, min_size=1, max_size=3))
def test_rules_mean_what_plain_evaluation_says_and_statuses_add_up(catalog: Catalog, rules: list[Any]) -> None:
    named = {f"r{n}": _sql(rule) for n, rule in enumerate(rules)}
    found = outcome(catalog, named)
    for clip, got in zip(CLIPS, found, strict=True):
        answers = [_truth(rule, clip) for rule in rules]
        failed = next((n for n, answer in enumerate(answers) if answer is not True), None)
        status = "done" if failed is None else "undecided" if answers[failed] is None else "filtered"
        assert got == (status, None if failed is None else f"r{failed}")
    assert sum(Counter(status for status, _ in found).values()) == len(CLIPS)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("durtion_s > 2", r"'mine' \(durtion_s > 2\).*no column durtion_s; did you mean duration_s"),
        ("q('motoin_mean', 0.2) < 1", "no column motoin_mean; did you mean motion_mean"),
        ("motion_mean > q(motion_mean, 0.2)", r"a quantile is written q\('column', 0.2\)"),
        ("duration_s > > 2", "'mine'.*syntax error"),
        ("duration_s", "no condition but a value .*compare it"),
        ("duration_s > 2); SELECT (1", "'mine'"),
    ],
)
def test_a_wrong_rule_is_named_before_anything_is_built(condition: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        check_rules({"fine": "duration_s > 2", "mine": condition})


def test_a_rule_that_fails_on_the_data_is_named(catalog: Catalog) -> None:
    with pytest.raises(RecipeError, match=r"rule 'number'.*a\.mp4"):
        decide(catalog, {"fine": "duration_s > 0", "number": "CAST(title AS INTEGER) > 1"}, "s", "t", ["clips"])


def test_the_funnel_follows_the_rules_and_adds_up(tmp_path: Path, catalog: Catalog) -> None:
    rules = {"z_long": "duration_s > 2", "a_moves": "motion_mean > 0.6"}
    decisions = decide(catalog, rules, "select:t", "t", ["clips"])
    store = Store.create(tmp_path / "root")
    with RootLock(tmp_path / "root", "test") as lock:
        file = write_rows(tmp_path / "root", TABLES["selection"], "select:t", [d.row for d in decisions])
        store.begin(lock).commit([file], ledger_rows=[d.result.ledger_row("run", 1) for d in decisions])
    with Catalog(store) as stored:
        steps = funnel(stored, "t", rules)
    assert [(s["step"], s["clips"]) for s in steps] == [
        ("clips", 6),
        ("dropped by z_long", 2),
        ("dropped by a_moves", 1),
        ("dropped by a_moves", 2),
        ("kept", 1),
    ]
    assert steps[0]["clips"] == sum(s["clips"] for s in steps[1:])
