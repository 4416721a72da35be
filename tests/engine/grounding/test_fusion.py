"""Fusion: agreement of families decides, disagreement weighs against everybody, and whatever is dropped has a reason."""

from __future__ import annotations

import random

import pytest
from chronotope.engine.grounding.fusion import Dropped, Fused, FusionRules, Setting, fuse, fuse_all
from chronotope.engine.grounding.proposals import Candidate
from chronotope.schemas.span import Span, tiou
from hypothesis import given
from hypothesis import strategies as st

SETTING = Setting(100.0, shot_edges_s=(0.0, 20.2, 40.0, 60.0, 100.0), word_edges_s=(21.0, 25.5))


def candidate(start, end, score=0.8, localiser="clip", family="pixels", rank=1):
    return Candidate(Span(start, end), score, localiser, family, rank, f"{localiser}{rank}")


def only(candidates, **rules):
    (found,) = fuse("a dog barks", candidates, SETTING, FusionRules(**rules))
    return found


def test_two_families_that_agree_beat_a_louder_single_one():
    found = only([
        candidate(20, 40, 0.5), candidate(21, 39, 0.5, "speech", "speech"), candidate(70, 80, 0.95, "speech", "speech", 2),
    ])  # fmt: skip
    assert isinstance(found, Fused) and found.families == ("pixels", "speech")
    assert found.span.start_s < 41 and found.pair_tiou == pytest.approx(0.9)


def test_boundaries_are_moved_to_edges_of_shots_but_words_stay_where_they_are():
    pixels = only([candidate(19.9, 40.3), candidate(60, 90, 0.1, rank=2)])
    assert (pixels.span, pixels.snapped) == (Span(20.2, 40.0), "shot")
    spoken = only([candidate(21.0, 25.5, 0.9, "speech", "speech")])
    assert (spoken.span, spoken.snapped) == (Span(21.0, 25.5), "word")
    written = only([candidate(20.0, 39.8, 0.9, "text", "text")])
    assert (written.span, written.snapped) == (Span(20.0, 39.8), "none")


def test_the_weighted_mean_lies_between_the_pair():
    found = only(
        [candidate(30, 40, 0.9, "text", "text"), candidate(32, 42, 0.3, "voice", "sound")], boundaries="weighted"
    )  # fmt: skip
    assert found.span.start_s == pytest.approx(30.5) and found.span.end_s == pytest.approx(40.5)


@pytest.mark.parametrize(
    ("candidates", "rules", "rule"),
    [
        ([candidate(1, 9, 0.6), candidate(50, 60, 0.55, rank=2)], {}, "no_agreement"),
        ([candidate(1, 9, 0.6), candidate(50, 60, 0.3, rank=2)], {"margin": None}, "no_agreement"),
        ([candidate(1, 9, 0.2)], {}, "low_score"),
        ([candidate(2.0, 2.5, 0.9)], {"snap_s": 0}, "too_short"),
        ([candidate(2.0, 98.0, 0.9)], {}, "too_long"),
        ([candidate(2.0, 8.0, 0.9)], {"min_localisers": 2}, "few_localisers"),
    ],
)
def test_what_is_dropped_says_by_which_rule(candidates, rules, rule):
    found = only(candidates, **rules)
    assert isinstance(found, Dropped) and found.rule == rule and found.detail


def test_a_clear_lead_keeps_what_one_family_alone_can_tell():
    found = only([candidate(1, 9, 0.8), candidate(50, 60, 0.5, rank=2)])
    assert isinstance(found, Fused) and found.margin == pytest.approx(0.3)


def test_something_that_happens_twice_gives_two_spans_where_they_are_wanted():
    twice = [candidate(1, 9, 0.8), candidate(50, 60, 0.78, rank=2), candidate(80, 85, 0.2, rank=3)]
    assert [f.span.start_s for f in fuse("q", twice, SETTING, FusionRules(per_query=3, snap_s=0))] == [1, 50]


def test_the_same_event_in_other_words_is_told_once():
    near = {"a dog barks loudly": [candidate(1, 9, 0.8)], "A dog barks loudly.": [candidate(1, 9.2, 0.7)]}
    found = fuse_all(near, SETTING, FusionRules())
    assert [e.text for e in found.events] == ["a dog barks loudly"]
    assert [(d.text, d.rule) for d in found.dropped] == [("A dog barks loudly.", "duplicate")]


def noisy(seed, kinds):
    """Descriptions with truth: named localisers find it, `noise` does not."""
    draw = random.Random(seed)
    found = {}
    for i in range(40):
        start = draw.uniform(0, 80)
        true = Span(start, start + draw.uniform(4, 15))
        own = []
        for name, family in kinds:
            at = draw.uniform(0, 85) if name.startswith("noise") else start + draw.uniform(-0.5, 0.5)
            length = draw.uniform(3, 15) if name.startswith("noise") else true.length_s
            at = max(0.0, at)
            own.append(candidate(at, min(100.0, at + length), draw.uniform(0.3, 0.9), name, family))
        found[f"event number {i}"] = (true, own)
    return found


def test_the_agreement_filter_drops_what_noise_proposes():
    for seed in range(3):
        known = noisy(seed, [("clip", "pixels"), ("noise", "speech")])
        queries = {text: own for text, (_, own) in known.items()}
        found = fuse_all(queries, SETTING, FusionRules(margin=None))
        assert len(found.events) <= 0.2 * len(known)
        assert len(found.events) + len(found.dropped) == len(known)


def test_two_that_agree_are_not_hurt_by_a_third_that_is_noise():
    known = noisy(1, [("clip", "pixels"), ("captions", "captions"), ("noise", "speech")])
    found = fuse_all({t: own for t, (_, own) in known.items()}, SETTING, FusionRules(margin=None))
    assert len(found.events) >= 0.9 * len(known)
    assert all(tiou(e.span, known[e.text][0]) > 0.5 for e in found.events)


spans = st.tuples(st.integers(0, 90_000), st.integers(200, 10_000)).map(lambda t: Span(t[0] / 1e3, (t[0] + t[1]) / 1e3))
some = st.lists(
    st.builds(
        lambda span, score, who, rank: Candidate(span, score, who[0], who[1], rank),
        spans,
        st.floats(0, 1),
        st.sampled_from([("clip", "pixels"), ("motion", "pixels"), ("speech", "speech"), ("text", "text")]),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=12,
)


@given(some, st.randoms())
def test_the_outcome_does_not_depend_on_the_order_and_stays_inside(candidates, chance):
    rules = FusionRules(per_query=2)
    found = fuse("q", candidates, SETTING, rules)
    mixed = list(candidates)
    chance.shuffle(mixed)
    assert [(f.span, f.strength) if isinstance(f, Fused) else f.rule for f in fuse("q", mixed, SETTING, rules)] == [
        (f.span, f.strength) if isinstance(f, Fused) else f.rule for f in found
    ]
    for one in found:
        if isinstance(one, Fused):
            assert 0 <= one.span.start_s < one.span.end_s <= SETTING.duration_s
            assert all(tiou(m.span, one.members[0].span) > 0 for m in one.members)
            assert len({m.localiser for m in one.members}) == len(one.members)
