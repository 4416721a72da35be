"""tvts_transcript_sorting (row 3): words fall into their segments, the inverse permutation restores time, segments do not touch."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

from chronotope.annotators.compose.truth import FilmTruth
from chronotope.annotators.tasks.transcript_sorting import canonical_order
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.markup import SpanMark, parse
from chronotope.schemas.metrics import normalise_words
from chronotope.schemas.permutations import rank_of
from chronotope.schemas.sample import OrderAnswer, Sample


def segments(sample: Sample) -> list[tuple[float, float, str]]:
    """Start, end and text of the segments, in the order of the answer."""
    spans = [m.span for step in sample.rationale for m in parse(step) if isinstance(m, SpanMark)]
    texts = [sample.options[i].text for i in sample.answer.order]
    return [(s.start_s, s.end_s, t) for s, t in zip(spans, texts, strict=True)]


def spoken_at(text: str, truth: FilmTruth) -> float:
    """When the film begins to say these words; -1 when it never does."""
    words, said = normalise_words(text), [(normalise_words(w.word), w.start_s) for w in truth.words]
    flat = [(token, t) for tokens, t in said for token in tokens]
    runs = range(len(flat) - len(words) + 1)
    return next((flat[i][1] for i in runs if [token for token, _ in flat[i : i + len(words)]] == words), -1.0)


def faults(sample: Sample, truth: FilmTruth) -> list[str]:
    """What is wrong with an item, held against the words of the film."""
    found, parts = [], segments(sample)
    if any(b[0] < a[1] for a, b in pairwise(parts)):
        found.append("segments overlap, or are not in order of time")
    if any(len(text) < 10 for _, _, text in parts):
        found.append("a segment has less than 10 characters")
    for start, end, text in parts:
        spoken = [w.word for w in truth.words if start < w.start_s < end]
        if normalise_words(text) != normalise_words(" ".join(spoken)):
            found.append(f"{text!r} is not what is spoken from {start:g} to {end:g} s")
    starts = [spoken_at(option.text, truth) for option in sample.options]
    if list(sample.answer.order) != sorted(range(len(starts)), key=lambda i: starts[i]):
        found.append("the answer does not restore the order of speech")
    return found


def test_inverting_the_permutation_restores_the_order_of_speech(build, films: Path) -> None:
    root = build("tvts_transcript_sorting")
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    truths = {
        r["media_id"]: FilmTruth.from_json((films / r["title"]).with_suffix(".truth.json").read_text())
        for r in catalog.rows("SELECT media_id, title FROM media")
    }
    samples = [Sample.from_row(r) for r in catalog.rows("SELECT * FROM samples")]
    assert samples and all(s.needs == ("vision",) for s in samples)
    assert all(faults(s, truths[s.media[0].media_id]) == [] for s in samples)

    first = samples[0]
    order = first.answer.order
    swapped = first.model_copy(update={"answer": OrderAnswer(order=(order[1], order[0], *order[2:]))})
    assert "the answer does not restore the order of speech" in faults(swapped, truths[first.media[0].media_id])


def test_every_permutation_is_as_likely_as_the_others() -> None:
    draws = 10_000
    counts: Counter[int] = Counter()
    for i in range(draws):
        texts = [f"segment {k} of sample {i}" for k in range(4)]
        listed = canonical_order(texts)
        counts[rank_of([texts.index(t) for t in listed])] += 1
    expected, sigma = draws / 24, (draws / 24 * 23 / 24) ** 0.5
    assert len(counts) == 24
    assert max(abs(c - expected) for c in counts.values()) <= 3 * sigma
