"""event_reflection_pairs (row 8): labels follow tIoU, classes are equal, excluded bands are empty, a search ends at its leaf."""

from __future__ import annotations

from collections import Counter
from math import log2

from chronotope.engine.catalog import Catalog
from chronotope.engine.grounding.descent import descent
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.markup import SpanMark, parse
from chronotope.schemas.sample import ChoiceAnswer, Sample
from chronotope.schemas.span import Span, tiou


def event_of(sample: Sample) -> Span:
    values = next(e.values for e in sample.evidence if e.table == "captions")
    return Span(values["start_s"], values["end_s"])


def faults(samples: list[Sample]) -> list[str]:
    """What is wrong with a set of reflections."""
    found = []
    labels = Counter(s.options[s.answer.index].text for s in samples)
    if abs(labels["yes"] / len(samples) - 0.5) > 0.01:
        found.append(f"labels are {dict(labels)}")
    for sample in samples:
        shared, label = tiou(sample.window, event_of(sample)), sample.options[sample.answer.index].text
        if (shared >= 0.5) != (label == "yes"):
            found.append(f"{label} at a tIoU of {shared:.2f}")
        if 0.3 < shared < 0.5:
            found.append(f"a tIoU of {shared:.2f} is in the excluded band")
    return found


def test_reflections_and_searches_follow_the_events(build) -> None:
    root = build("event_reflection_pairs")
    assert verify_root(root).problems == []
    samples = [Sample.from_row(r) for r in Catalog(root).rows("SELECT * FROM samples")]
    asked = [s for s in samples if s.task == "span_reflection"]
    assert len(asked) >= 12 and faults(asked) == []
    negatives = [tiou(s.window, event_of(s)) for s in asked if s.options[s.answer.index].text == "no"]
    assert max(negatives) <= 0.3 and min(negatives) == 0.0

    lists = [s for s in samples if s.task == "spotlight" and s.answer.kind == "spans"]
    assert lists and all(list(s.answer.spans) == sorted(s.answer.spans) for s in lists)
    searches = [s for s in samples if s.task == "spotlight" and s.answer.kind == "span"]
    for sample in searches:
        event = Span(sample.answer.start_s, sample.answer.end_s)
        way = descent(sample.window, event)
        leaf = way[-1].best if way else sample.window
        told = [m.span for m in parse(" ".join(sample.rationale)) if isinstance(m, SpanMark)]
        assert leaf in told and tiou(leaf, event) >= 0.499
        assert 3 * len(way) <= 3 * log2(sample.window.length_s / leaf.length_s) + 1e-3

    flipped = asked[0].model_copy(update={"answer": ChoiceAnswer(index=1 - asked[0].answer.index)})
    assert len(faults([flipped, *asked[1:]])) >= 1
    event = event_of(asked[0])
    between = (
        asked[0]
        .media[0]
        .model_copy(
            update={"start_s": event.start_s + 0.4 * event.length_s, "end_s": event.end_s + 0.4 * event.length_s}
        )
    )
    moved = asked[0].model_copy(update={"media": (between,)})
    assert any("excluded band" in f for f in faults([moved, *asked[1:]]))
