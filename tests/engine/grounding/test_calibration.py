"""Calibration: a probability means what it says on media that it has not seen, survives its file, and knows its limits."""

from __future__ import annotations

import random

import pytest
from chronotope.engine.grounding.calibrating import Known, calibrate
from chronotope.engine.grounding.calibration import Calibration, fit_curve, reliability
from chronotope.engine.grounding.fusion import Fused, FusionRules, Setting, fuse
from chronotope.engine.grounding.proposals import Candidate
from chronotope.schemas.span import Span

SETTING = Setting(60.0)
RULES = FusionRules(min_length_s=0.2)


def known(seed, count=120, media=8):
    """A good localiser whose score tells how good it is, and one whose score means nothing."""
    draw = random.Random(seed)
    found = []
    for i in range(count):
        start = draw.uniform(0, 45)
        true = Span(start, start + draw.uniform(3, 10))
        score = draw.random()
        at = start if draw.random() < score else draw.uniform(0, 45)
        proposals = [Candidate(Span(at, at + true.length_s), score, "good", "text", 1)]
        wild = draw.uniform(0, 45)
        proposals.append(Candidate(Span(wild, wild + 6), draw.uniform(0.6, 1), "bad", "speech", 1))
        found.append(Known(f"m{i % media}", f"event {i}", (true,), tuple(proposals), SETTING))
    return found


@pytest.fixture(scope="module")
def fitted():
    return calibrate("made_up", known(1), RULES)


def test_scores_of_different_localisers_become_comparable(fitted):
    assert fitted.weigh(Candidate(Span(0, 1), 0.9, "good", "text", 1)) > 0.6
    assert fitted.weigh(Candidate(Span(0, 1), 0.95, "bad", "speech", 1)) < 0.35
    events = [fuse(k.text, k.candidates, SETTING, RULES, fitted.weigh)[0] for k in known(2)]
    kept = [(k, e) for k, e in zip(known(2), events, strict=True) if isinstance(e, Fused)]
    plain = [fuse(k.text, k.candidates, SETTING, RULES)[0] for k in known(2)]
    right = sum(k.is_hit(e.span) for k, e in kept) / len(kept)
    before = [(k, e) for k, e in zip(known(2), plain, strict=True) if isinstance(e, Fused)]
    assert right > sum(k.is_hit(e.span) for k, e in before) / len(before)


def test_the_probability_holds_on_footage_that_was_not_seen(fitted):
    p, hits = [], []
    for one in known(3, 400):
        event = fuse(
            one.text, one.candidates, SETTING, RULES.model_copy(update={"margin": 0.0, "min_score": 0.0}), fitted.weigh
        )[0]
        p.append(fitted.p_of(event, 60.0))
        hits.append(one.is_hit(event.span))
    bins, ece = reliability(p, hits)
    assert ece < 0.12
    assert sum(b.count for b in bins) == 400
    assert bins[-1].right > bins[0].right + 0.3
    assert fitted.ece < 0.15 and fitted.events == 120 and fitted.media == 8


def test_a_file_gives_the_same_numbers_and_the_same_name(fitted):
    again = Calibration.from_json(fitted.to_json())
    assert again == fitted and again.title == fitted.title and again.to_json() == fitted.to_json()
    assert calibrate("made_up", known(1), RULES).title == fitted.title
    assert calibrate("made_up", known(4), RULES).title != fitted.title


def test_it_says_nothing_about_a_localiser_that_it_has_never_seen(fitted):
    (event,) = fuse("q", [Candidate(Span(1, 5), 0.9, "new", "sound", 1)], SETTING, RULES)
    assert fitted.p_of(event, 60.0) is None


def test_curves_never_fall_and_few_data_are_never_certain():
    curve = fit_curve([0.9, 0.95, 1.0], [True, True, True])
    values = [curve(s / 20) for s in range(21)]
    assert values == sorted(values) and values[-1] < 0.95


def test_too_little_truth_is_refused():
    with pytest.raises(ValueError, match="too few"):
        calibrate("few", known(1, 10), RULES)
    with pytest.raises(ValueError, match=r"validation error"):
        Calibration.from_json('{"format": "other"}')
