"""Facts and fibs: a rule engine over the film's own log entails every fact and refutes every fib, and wording decides neither."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking_models import asking, role
from chronotope.annotators.compose.record import film_truth
from chronotope.annotators.compose.script import FilmParams, film_narration, film_scenes
from chronotope.annotators.importers.composed_truth import ComposedTruth
from chronotope.annotators.tasks.fact_fib import FactFibTask
from chronotope.annotators.tasks.fact_fib_rules import (
    FactFibItem,
    negations,
    refuted,
    require_alike,
    require_true,
    require_untold,
)
from chronotope.annotators.tasks.proposed import Refused
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.engine.check import check_sample
from chronotope.schemas.facts import Fact, Facts
from chronotope.schemas.metrics import normalise_words
from chronotope.schemas.sample import ChoiceAnswer, Sample
from chronotope.schemas.span import Span
from chronotope.schemas.tables import TABLES
from chronotope.schemas.time_claims import TimeClaim
from model_recipes import build_with_models
from model_server import ModelServer

FILMS = 28
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def film(seed: int, folder: Path) -> tuple[Unit, Rows]:
    """A composed film as its rows, without being drawn."""
    params = FilmParams(seed=seed, scenes=10)
    scenes = film_scenes(params)
    truth = film_truth(params, scenes, film_narration(params, scenes))
    media_id, path = f"film{seed:02}", folder / f"film{seed:02}.truth.json"
    path.write_text(truth.to_json(), encoding="utf-8")
    medium = Medium(media_id, f"{media_id}.mp4", None, "video", truth.duration_s, 25.0, None, 640, 360, True, True)
    unit = Unit(media_id, "medium", medium, "r", 0, producer="fact_fib")
    rows: dict[str, list[dict[str, Any]]] = {}

    def add(table: str, **values: Any) -> None:
        rows.setdefault(table, []).append(TABLES[table].complete(values, table, media_id, media_id))

    add(
        "media",
        kind="video",
        origin="composed",
        duration_s=truth.duration_s,
        width=640,
        height=360,
        fps=25.0,
        title=media_id,
    )
    source = {"sidecars_json": json.dumps([{"uri": str(path)}])}
    for table, values in ComposedTruth(ComposedTruth.Params()).annotate(
        unit, Rows({"sources": [source], "media": rows["media"]})
    ):
        add(table, **values)
    for shot in rows["shots"]:
        add(
            "clips",
            clip_id=f"{media_id}:{shot['start_s']:g}",
            start_s=shot["start_s"],
            end_s=shot["end_s"],
            policy="shot",
        )
    return unit, Rows(rows)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Unit, Rows]]:
    folder = tmp_path_factory.mktemp("films")
    return {f"film{seed:02}": film(seed, folder) for seed in range(FILMS)}


@pytest.fixture(scope="module")
def landed(
    films: dict[str, tuple[Unit, Rows]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """Rows by table, proposed through the client by the server's careful writer."""
    task = FactFibTask(FactFibTask.Params(pairs=8))

    async def all_of_them(url: str) -> list[Any]:
        async with asking(tmp_path_factory.mktemp("calls"), role(url)) as live:
            models = live.of("fact_fib")
            return [await task.propose(unit, rows, models) for unit, rows in films.values()]

    with ModelServer() as server:
        found = asyncio.run(all_of_them(server.url))
    by_table: dict[str, list[dict[str, Any]]] = {"samples": [], "proposals": []}
    for made in found:
        for table, row in made:
            by_table[table].append(row)
    return by_table


def log_of(rows: Rows) -> dict[str, list[tuple[str, float, float]]]:
    """The event log of a film: what is told, by its words."""
    log: dict[str, list[tuple[str, float, float]]] = {}
    for table, kind in (("speech", "said"), ("text_regions", "shown"), ("captions", "happens")):
        for row in rows[table]:
            log.setdefault(" ".join(normalise_words(row["text"])), []).append((kind, row["start_s"], row["end_s"]))
    return log


def holds(statement: str, rows: Rows) -> bool:
    """A rule engine: whether the log entails a statement. It refutes what it does not entail."""
    log = log_of(rows)
    told = [log[" ".join(normalise_words(q))] for q in re.findall(r"“([^”]*)”", statement)]
    if match := re.fullmatch(r"“[^”]*” comes (before|after) “[^”]*”\.", statement):
        (_, a0, a1), (_, b0, b1) = told[0][0], told[1][0]
        return a1 <= b0 if match[1] == "before" else b1 <= a0
    if re.fullmatch(r"“[^”]*” overlaps with “[^”]*”\.", statement):
        return any(min(a[2], b[2]) > max(a[1], b[1]) for a in told[0] for b in told[1])
    count = re.fullmatch(r"When “[^”]*” is heard, the number of signs and captions shown so far is (\w+)\.", statement)
    assert count, statement
    heard = next(start for kind, start, _ in told[0] if kind == "said")
    shown = sum(kind == "shown" and start < heard for entries in log.values() for kind, start, _ in entries)
    return shown == NUMBERS.index(count[1])


def statement_of(sample: Sample) -> str:
    """The statement of a question: the sentence around its quotations."""
    match = re.search(r"(?:When )?“.*(?:” comes .*”|” overlaps .*”|so far is \w+)\.", sample.turns[0].text)
    assert match, sample.turns[0].text
    return match[0]


def test_facts_are_entailed_and_fibs_refuted_by_the_event_log(films: Any, landed: Any) -> None:
    samples = [Sample.from_row(row) for row in landed["samples"]]
    assert len(samples) >= 400
    pairs: dict[str, list[bool]] = {}
    kinds: Counter[str] = Counter()
    for sample in samples:
        statement = statement_of(sample)
        rows = films[sample.media[0].media_id][1]
        says = ChoiceAnswer(index=0 if holds(statement, rows) else 1)
        pairs.setdefault(str(sample.pair_id), []).append(says == sample.answer)
        kinds[next(w for w in ("comes", "overlaps", "number") if w in statement)] += 1
    assert all(len(right) == 2 for right in pairs.values())
    assert sum(all(right) for right in pairs.values()) == len(pairs)  # the oracle's pair accuracy is 100%
    assert min(kinds.values()) > 50


def test_statements_alone_decide_nothing(landed: Any) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    samples = [Sample.from_row(row) for row in landed["samples"]]
    texts = [statement_of(s) for s in samples]
    truth = np.array([s.answer.index for s in samples])
    groups = [s.media[0].media_id for s in samples]
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 3)), LogisticRegression(max_iter=1000))
    said = cross_val_predict(model, texts, truth, groups=groups, cv=GroupKFold(6))
    assert 0.45 <= float(np.mean(said == truth)) <= 0.55
    fibs, facts = ([negations(t) for t, y in zip(texts, truth, strict=True) if y == k] for k in (1, 0))
    assert sum(fibs) == sum(facts)


def test_every_sample_is_recomputed_and_lies_are_found_out(films: Any, landed: Any) -> None:
    task = FactFibTask(FactFibTask.Params(pairs=8))
    rows = {(table, r["row_id"]): r for _, of in films.values() for table in of for r in of[table]}
    rows |= {("proposals", r["row_id"]): r for r in landed["proposals"]}
    statuses: Counter[str] = Counter()

    def verdict(row: dict[str, Any], changed: dict[Any, Any] | None = None) -> dict[str, Any]:
        known = rows | (changed or {})
        return check_sample(row, lambda t, i: known.get((t, i)), task, lambda t, r: "exact")

    for row in landed["samples"][::5]:
        found = verdict(row)
        assert found["passed"], found["reason"]
        statuses[found["check_status"]] += 1
        sample = Sample.from_row(row)
        lie = sample.model_copy(update={"answer": ChoiceAnswer(index=1 - sample.answer.index)})
        assert verdict(lie.to_row())["problem"] == "answer wrong"
        cited = next(e for e in sample.evidence if e.table in ("speech", "text_regions", "captions"))
        moved = rows[cited.table, cited.row_id] | {"text": "something else"}
        assert not verdict(row, {(cited.table, cited.row_id): moved})["passed"]
    assert statuses["recomputed"] > statuses["unchecked"] > 0  # counts are for a judge, orders are not


def test_proposals_add_up_and_rejections_say_why(landed: Any) -> None:
    outcomes = Counter((r["outcome"], r["rule"]) for r in landed["proposals"])
    assert outcomes["landed", None] == len(landed["samples"])
    rejected = [r for r in landed["proposals"] if r["outcome"] == "rejected"]
    assert all(r["rule"] and r["reason"] for r in rejected)
    assert len(rejected) < 0.35 * len(landed["proposals"])


# -- rules -----------------------------------------------------------------------------------------------------------


def known(*facts: tuple[str, str, str, float, float]) -> Facts:
    return Facts(Fact(n, kind, "captions", {"row_id": n}, Span(a, b), text=text) for n, kind, text, a, b in facts)  # type: ignore[arg-type]


FACTS = known(
    ("e1", "event", "a woman cuts an onion", 0, 4), ("e2", "event", "she washes the knife", 6, 8),
    ("e3", "event", "she dries the plate", 12, 14), ("e4", "speech", "bring me the salt", 15, 17),
)  # fmt: skip
WINDOW = Span(0, 20)


def pair(fact: str, fib: str, **more: Any) -> FactFibItem:
    values: dict[str, Any] = {"supports": ["e1", "e2"], "claims": [], "fib_claims": [], "categories": ["event"]}
    return FactFibItem(fact=fact, fib=fib, **(values | more))


@pytest.mark.parametrize(
    ("fact", "fib", "rule"),
    [
        (
            "She hides the letter because she fears losing the shop.",
            "She hides the letter because she fears losing the house.",
            None,
        ),
        ("She hides the letter.", "She hides the letter.", "too_far_apart"),
        (
            "She hides the letter.",
            "He opens a tin of very old paint and then he leaves the room for good and all.",
            "too_far_apart",
        ),
        ("She hides the letter.", "She hides the extraordinary correspondence.", "lengths_differ"),
        ("She hides the letter.", "She hides the letter!", "too_far_apart"),
        ("She hides the letter.", "She hides this letter", "forms_differ"),
        ("She likes the old shop.", "She never likes this shop.", "negated"),
    ],
)
def test_fact_and_fib_are_alike_in_form(fact: str, fib: str, rule: str | None) -> None:
    if rule is None:
        require_alike(fact, fib)
        return
    with pytest.raises(Refused) as error:
        require_alike(fact, fib)
    assert error.value.rule == rule


@pytest.mark.parametrize(
    ("fact", "fib", "told"),
    [
        ("She washes the spoon there.", "She washes the knife there.", True),
        ("Somebody asks for pepper: bring me the pepper.", "Somebody asks for salt: bring me the salt.", True),
        ("She washes the knife there.", "She washes the spoon there.", False),
    ],
)
def test_a_fib_that_some_evidence_tells_is_refused(fact: str, fib: str, told: bool) -> None:
    if not told:
        require_untold(fact, fib, FACTS)
        return
    with pytest.raises(Refused, match="says"):
        require_untold(fact, fib, FACTS)


def test_claims_of_the_fact_hold_and_those_of_the_fib_do_not() -> None:
    before, after = TimeClaim(rel="before", a="e1", b="e2"), TimeClaim(rel="before", a="e2", b="e1")
    require_true(pair("x", "y", claims=[before]), FACTS, WINDOW)
    assert refuted(pair("x", "y", fib_claims=[after]), FACTS, WINDOW)
    assert not refuted(pair("x", "y"), FACTS, WINDOW)
    for wrong, rule in (
        (lambda: require_true(pair("x", "y", claims=[after]), FACTS, WINDOW), "contradiction"),
        (lambda: require_true(pair("x", "y", supports=["e1", "e1"]), FACTS, WINDOW), "too_few_supports"),
        (lambda: refuted(pair("x", "y", fib_claims=[before]), FACTS, WINDOW), "fib_not_false"),
        (
            lambda: refuted(pair("x", "y", fib_claims=[TimeClaim(rel="before", a="e1", b="e9")]), FACTS, WINDOW),
            "unknown_evidence",
        ),
    ):
        with pytest.raises(Refused) as error:
            wrong()
        assert error.value.rule == rule


@pytest.mark.xdist_group("ray")
def test_a_recipe_writes_pairs_that_stay_together(tmp_path: Path) -> None:
    off = {"blind": False, "judge": False, "agreement": False, "ablations": False}
    with ModelServer() as server:
        built = build_with_models(tmp_path, server, tasks=["fact_fib"], checks=off, roles=("writer",))
    assert not built.report.failures
    pairs = built.rows(
        "SELECT pair_id, count(*) AS n, count(DISTINCT split) AS splits, bool_and(passed) AS passed, "
        "count(DISTINCT answer_text) AS answers FROM sample_view GROUP BY pair_id"
    )
    assert pairs and all((p["n"], p["splits"], p["passed"], p["answers"]) == (2, 1, True, 2) for p in pairs)
