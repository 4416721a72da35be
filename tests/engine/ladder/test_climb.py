"""Leaks are caught by the baseline that can see them; honest sets are not called leaky; nobody learns from its own group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from chronotope.engine.ladder.climb import Attempt, Rules, climb
from chronotope.engine.ladder.folds import fold_of
from chronotope.engine.ladder.gaps import Gap, gap_of
from chronotope.engine.ladder.item import read
from chronotope.schemas.sample import AbsentAnswer, ChoiceAnswer
from chronotope.schemas.span import Span
from made_samples import items_of

Climbed = Callable[..., dict[str, list[Attempt]]]
N = 200


def gap(attempts: list[Attempt]) -> Gap:
    return gap_of([a.reward for a in attempts], [a.chance for a in attempts], [a.item.group for a in attempts])


def fails(attempts: list[Attempt]) -> bool:
    """Whether the interval of the gap does not lie above the tolerance of a report."""
    return gap(attempts).low <= 0.05


@pytest.mark.parametrize(
    ("kind", "solvers"),
    [
        ("choices", {"prior", "options_only", "question_only"}),
        ("directions", {"prior", "options_only", "question_only"}),
        ("orders", {"prior", "options_only", "question_only"}),
        ("spans", {"prior", "question_only", "fixed_interval"}),
        ("numbers", {"prior", "question_only"}),
    ],
)
def test_honest_samples_are_solved_by_no_baseline(climbed: Climbed, made: Any, kind: str, solvers: set[str]) -> None:
    found = climbed(getattr(made(3), kind)(N))
    assert set(found) == solvers
    assert all(fails(attempts) for attempts in found.values())
    assert all(len(attempts) == N for attempts in found.values())


@pytest.mark.parametrize(
    ("kind", "leak", "caught_by", "blind"),
    [
        ("choices", "longest", "options_only", ()),
        ("choices", "word", "question_only", ("prior", "options_only")),
        ("directions", "adverb", "question_only", ("prior", "options_only")),
        ("directions", "often", "prior", ()),
        ("orders", "numbered", "options_only", ("prior",)),
        ("spans", "centre", "fixed_interval", ()),
        ("spans", "verb", "question_only", ("prior", "fixed_interval")),
        ("numbers", "thing", "question_only", ("prior",)),
    ],
)
def test_a_leak_is_caught_by_who_sees_it(
    climbed: Climbed, made: Any, kind: str, leak: str, caught_by: str, blind: tuple[str, ...]
) -> None:
    found = climbed(getattr(made(3), kind)(N, leak))
    assert gap(found[caught_by]).low > 0.15
    assert all(fails(found[solver]) for solver in blind)


def test_a_picture_that_gives_the_answer_away_is_caught_where_it_stands(climbed: Climbed, made: Any) -> None:
    telling = climbed(made(5).directions(N), telling=True)
    assert gap(telling["middle_frame"]).low > 0.3
    assert gap(telling["shuffled_frames"]).low > 0.1
    assert fails(telling["first_frame"]) and fails(telling["question_only"])
    mute = climbed(made(5).directions(N), telling=False)
    assert all(fails(attempts) for attempts in mute.values())


def test_samples_without_embeddings_get_no_attempts_with_pictures(climbed: Climbed, made: Any) -> None:
    from chronotope.engine.ladder.pictures import PictureIndex

    items = items_of(made(1).directions(60))
    seen = {items[i].media_id for i in range(30)}
    rows = [
        {"media_id": m, "t_s": float(t), "model": "m", "vector": [float(t % 7), 1.0]} for m in sorted(seen) for t in range(0, 500, 5)
    ]  # fmt: skip
    attempts = climb(items, Rules(), PictureIndex(rows, 1.0)).attempts
    assert {a.item.media_id for a in attempts if a.solver == "middle_frame"} == seen
    assert {a.item.media_id for a in attempts if a.solver == "question_only"} > seen


def test_a_twin_shows_the_pictures_of_its_source(made: Any) -> None:
    from chronotope.engine.ladder.pictures import PictureIndex

    rows = [{"media_id": "film", "t_s": float(t), "model": "m", "vector": [float(t)]} for t in range(40)]
    edit = {
        "media_id": "twin",
        "operation": "reverse",
        "source_media_id": "film",
        "time_scale": -1.0,
        "time_offset_s": 30.0,
    }
    index = PictureIndex(rows, 1.0, edits=[edit])
    (item,) = items_of(iter([made().sample(0, "What?", ChoiceAnswer(index=0), ("a", "b"))]))
    ref = item.media[0].model_copy(update={"media_id": "twin", "start_s": 0.0, "end_s": 10.0})
    twin = type(item)(**{**item.__dict__, "media": (ref,)})
    assert index.seen("first_frame", twin) == 30
    assert index.seen("middle_frame", twin) == 25
    assert [float(v[0]) for v in index.shown(ref)] == list(range(20, 30))
    rare = [
        {"media_id": "film", "t_s": t, "until_s": t + 10.0, "model": "m", "vector": [t]} for t in (10.0, 20.0, 40.0)
    ]
    index = PictureIndex(rare, 1.0, edits=[edit])
    assert index.seen("middle_frame", twin) == 20 and index.seen("first_frame", twin) == 20
    assert [float(v[0]) for v in index.shown(ref)] == [20]
    unknown = type(item)(**{**item.__dict__, "media": (ref.model_copy(update={"media_id": "other"}),)})
    assert index.seen("middle_frame", unknown) is None


def test_nobody_has_seen_the_group_that_it_answers(made: Any) -> None:
    """In each group one made-up word of four is always right: only who has seen the group could know it."""
    maker = made(2)
    words: dict[str, tuple[str, ...]] = {}
    items = []
    for n in range(N):
        group = f"group{n // 5:03}"
        if group not in words:
            words[group] = tuple("".join(maker.draw.choice(list("abcdefghijklmnop"), 6)) for _ in range(4))
        sample = maker.sample(n, f"Which word is it, number {n}?", ChoiceAnswer(index=2), words[group])
        items += items_of(iter([sample]))
    attempts = climb(items, Rules()).attempts
    folds = {a.item.group: a.fold for a in attempts}
    assert all(folds[a.item.group] == a.fold for a in attempts)
    assert len(set(folds.values())) == 5
    assert fails([a for a in attempts if a.solver == "question_only"])
    leaky = climb([type(i)(**{**i.__dict__, "group": i.sample_id}) for i in items], Rules()).attempts
    assert np.mean([a.reward for a in leaky if a.solver == "question_only"]) > 0.9


def test_the_same_samples_give_the_same_attempts_in_any_order(made: Any) -> None:
    items = items_of(iter([*made(4).choices(60), *made(4).spans(60, absent=0.2)]))
    told = [[(a.item.sample_id, a.solver, a.answers, a.reward, a.chance, a.fold) for a in climb(some, Rules()).attempts]
            for some in (items, items[::-1])]  # fmt: skip
    assert told[0] == told[1]


def test_absence_is_an_answer_to_a_question_for_spans(climbed: Climbed, made: Any) -> None:
    often = climbed(made(6).spans(100, absent=0.7))
    assert all(a.answers == (AbsentAnswer(),) for a in often["prior"])
    assert abs(gap(often["prior"]).gap) < 0.05
    assert not any(a.answers == (AbsentAnswer(),) for a in often["fixed_interval"])


@pytest.mark.parametrize(("samples", "said"), [(100, None), (15, "3 groups of footage; 4 are needed to hold some out")])
def test_too_little_footage_is_said(made: Any, samples: int, said: str | None) -> None:
    items = items_of(made(1).choices(samples))
    result = climb(items, Rules())
    assert result.withheld == said
    assert bool(result.attempts) == (said is None)


def test_what_a_question_gives_away_openly_is_no_gap(made: Any) -> None:
    """Orders whose question names the first item: the task says what a guess earns then."""
    given = (s.model_copy(update={"difficulty": {"chance": 0.75}}) for s in made(3).orders(N, "numbered"))
    attempts = climb(items_of(given), Rules()).attempts
    assert {a.chance for a in attempts} == {0.75}


def test_a_conversation_is_one_attempt_over_its_questions(made: Any) -> None:
    """A choice that its question gives away, then spans that nobody can tell."""
    talks = [
        made().talk(first, then) for first, then in zip(made(3).directions(N, "adverb"), made(4).spans(N), strict=True)
    ]
    attempts = climb(items_of(iter(talks)), Rules()).attempts
    asked = [a for a in attempts if a.solver == "question_only"]
    assert len(asked) == N and all(len(a.answers) == 2 for a in asked)
    assert 0.5 < np.mean([a.reward for a in asked]) < 0.8
    assert np.mean([a.correct for a in asked]) < 0.5
    assert gap(asked).low > 0.2
    listed = [a for a in attempts if a.solver == "options_only"]
    assert all(len(a.answers) == 1 and not a.correct for a in listed)


def test_folds_are_even_and_whole_groups() -> None:
    groups = [f"g{i}" for i in range(12) for _ in range(i + 1)]
    folds = fold_of(groups, 4, 0)
    sizes = [sum(folds[g] == k for g in groups) for k in range(4)]
    assert max(sizes) - min(sizes) <= 3
    assert folds == fold_of(groups[::-1], 4, 0)
    alike = [f"g{i}" for i in range(12)]
    assert fold_of(alike, 4, 0) != fold_of(alike, 4, 1)
    assert len(set(fold_of(["a", "b"], 5, 0).values())) == 2


def test_markup_is_read_as_shares_of_the_window() -> None:
    windows = [Span(100.0, 120.0)]
    assert read("at <t:105> and <span:110,115>, <box:0.1,0.2,0.3,0.4>", windows) == (
        "at 0.25 and 0.50-0.75, [0.10 0.20 0.30 0.40]"
    )
