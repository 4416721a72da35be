"""ost_online_turns (row 17): every answer follows from the pictures so far, and from nothing later; S0 gives its known answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chronotope.annotators.asks.ask import About
from chronotope.annotators.asks.online import (
    OnlineRule,
    OrientationEstimation,
    OrientationJudgement,
    PositionEstimation,
    PositionJudgement,
)
from chronotope.annotators.asks.online_seen import ExistenceJudgement, ExistenceWhen, OrderJudgement, QuantityCounting
from chronotope.annotators.asks.online_things import DirectionJudgement, DistanceEstimation
from chronotope.annotators.asks.view import View
from chronotope.annotators.tasks.common import Withheld
from chronotope.annotators.tasks.ost_online_turns import OstOnlineTurns
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.markup import Media, parse
from chronotope.schemas.sample import NumberAnswer
from chronotope.schemas.span import Span
from room_recipes import build_on, evidence_of, samples_of
from s0 import s0

RULE = OnlineRule(per_turn=1, least_m=0.0)


def walk(*times: float) -> View:
    return View(s0(), Span(0, 4), times)


def answer(kind, view: View, *things: str, times: tuple[float, ...] = (), variant: int = 0) -> str:
    return kind(RULE).solve(view, About(things, times, variant)).key


def test_the_walk_through_the_canonical_scene() -> None:
    two, three, four = walk(0, 1), walk(0, 1, 2), walk(0, 1, 2, 3)
    assert (answer(PositionJudgement, two, times=(0, 1)), answer(PositionEstimation, two, times=(0, 1))) == (
        "forward",
        "1.2",
    )
    assert (answer(PositionJudgement, three, times=(1, 2)), answer(PositionEstimation, three, times=(1, 2))) == (
        "right",
        "1.2",
    )
    with pytest.raises(Withheld, match="along and across"):
        answer(PositionJudgement, three, times=(0, 2))
    assert answer(PositionEstimation, four, times=(0, 3)) == "0.0"
    assert answer(OrientationJudgement, four, times=(0, 3)) == "right"
    assert answer(OrientationEstimation, four, times=(0, 3)) == "90"
    assert answer(DistanceEstimation, walk(0), "table", times=(0,)) == "1.6"
    assert answer(DirectionJudgement, three, "tv", times=(2,)) == "ahead"


def test_other_turns_change_what_is_of_time_and_nothing_else() -> None:
    forth, back = walk(0, 1, 2, 3), walk(3, 0, 1, 2)
    with pytest.raises(Withheld, match="fill their turns"):
        answer(ExistenceJudgement, back, "chair1")
    static = {ExistenceJudgement: "chair1", QuantityCounting: "table"}
    seen = {kind: answer(kind, forth, thing) for kind, thing in static.items()}
    assert seen == {ExistenceJudgement: "yes", QuantityCounting: "1"}
    with pytest.raises(Withheld, match="one more"):  # a third of the chairs is nearly hidden
        answer(QuantityCounting, forth, "chair1")
    assert answer(ExistenceWhen, forth, "chair1") == "4"
    assert answer(OrderJudgement, forth, "tv", "chair1") == "tv"
    # the same scene walked the other way round
    turned = replace(
        s0(),
        cameras=tuple(replace(c, t_s=(c.t_s + 1) % 4) for c in s0().cameras),
        sightings=tuple(replace(s, t_s=(s.t_s + 1) % 4) for s in s0().sightings),
    )
    turned = replace(turned, cameras=tuple(sorted(turned.cameras, key=lambda c: c.t_s)))
    other = View(turned, Span(0, 4), (0, 1, 2, 3))
    assert {kind: answer(kind, other, thing) for kind, thing in static.items()} == seen
    assert answer(ExistenceWhen, other, "chair1") == "1"
    assert answer(OrderJudgement, other, "tv", "chair1") == "chair"


def test_a_conversation_needs_nothing_later(room, tmp_path, monkeypatch) -> None:
    root = build_on(room, "ost_online_turns", tmp_path, monkeypatch)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    sample = samples_of(catalog)[0]
    assert [len(m.frame_times) for m in sample.media] == [4] * 5
    assert len(sample.answer.parts) >= 8 and not sample.problems()
    shown: list[float] = []
    for part in sample.answer.parts:
        shown += [
            t
            for token in parse(sample.turns[part.turn - 1].text)
            if isinstance(token, Media)
            for t in sample.media[token.medium - 1].frame_times
        ]
        assert part.at_s == shown[-1] and shown[-1] < part.scope[1] <= shown[-1] + 1e-5

    # planted fault: a question that is answered from the whole walk instead of the pictures so far
    evidence = evidence_of(catalog, sample)
    task = OstOnlineTurns(OstOnlineTurns.Params())
    assert task.recompute(sample, evidence).ok
    last = sample.answer.parts[-1].at_s
    early = sample.answer.parts[0]
    parts = (early.model_copy(update={"at_s": last}), *sample.answer.parts[1:])
    late = sample.model_copy(update={"answer": sample.answer.model_copy(update={"parts": parts})})
    assert "another time" in task.recompute(late, evidence).reason
    wrong = [
        p.model_copy(update={"answer": NumberAnswer(value=p.answer.value + 1, unit=p.answer.unit)})
        if isinstance(p.answer, NumberAnswer)
        else p
        for p in sample.answer.parts
    ]
    assert wrong != list(sample.answer.parts)
    lied = sample.model_copy(update={"answer": sample.answer.model_copy(update={"parts": tuple(wrong)})})
    assert not task.recompute(lied, evidence).ok
    checks = {r["sample_id"]: r for r in catalog.rows("SELECT * FROM spatial_checks")}
    assert checks[sample.sample_id]["tier"] == "exact" and sample.difficulty["pictures"] == 20
