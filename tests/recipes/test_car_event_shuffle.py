"""car_event_shuffle (row 72): negatives are the same events in another order, and only who reads order can tell."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from chronotope.annotators.compose.events import film_events
from chronotope.annotators.compose.truth import FilmTruth
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.metrics import normalise_words
from chronotope.schemas.permutations import permutation_of
from chronotope.schemas.sample import Option, Sample


def clauses(option: Option) -> list[str]:
    return re.findall("(?:^|, then )“(.*?)”(?=, then “|$)", option.text)


def faults(sample: Sample) -> list[str]:
    """What is wrong with an item: the wrong list must be a true permutation of the right one's clauses."""
    right, wrong = clauses(sample.options[sample.answer.index]), clauses(sample.options[1 - sample.answer.index])
    found = []
    if right == wrong or len(set(right)) < len(right):
        found.append("the lists are the same, or a clause stands twice")
    if Counter(right) != Counter(wrong):
        found.append("not the same clauses")
    elif [right[i] for i in permutation_of(int(sample.difficulty["permutation"]), len(right))] != wrong:
        found.append("not the stored permutation")
    return found


def car(samples: list[Sample], score) -> float:
    """Chronologically accurate retrieval: share of items whose true list scores higher; ties are wrong."""
    true = [score(s, s.options[s.answer.index]) > score(s, s.options[1 - s.answer.index]) for s in samples]
    return sum(true) / len(true)


def test_negatives_are_other_orders_of_the_same_events(build, films: Path) -> None:
    root = build("car_event_shuffle")
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    title = {r["media_id"]: r["title"] for r in catalog.rows("SELECT media_id, title FROM media")}
    samples = [Sample.from_row(r) for r in catalog.rows("SELECT * FROM samples")]
    assert len(samples) >= 10 and all(faults(s) == [] for s in samples)
    assert {int(s.difficulty["events"]) for s in samples} >= {2, 3}

    starts = {}
    for file in films.glob("*.truth.json"):
        events = film_events(FilmTruth.from_json(file.read_text()))
        starts[file.name.replace(".truth.json", ".mp4")] = [(e.start_s, e.text) for e in events]

    def scripted(sample: Sample, option: Option) -> float:
        """An encoder that knows the film: how many neighbours of the list follow each other in it."""
        known = [(t, text) for t, text in starts[title[sample.media[0].media_id]] if t >= sample.window.start_s]
        times = [next(t for t, text in known if text.replace("“", "‘").replace("”", "’") == c) for c in clauses(option)]
        return sum(a < b for a, b in pairwise(times)) / len(times)

    assert car(samples, scripted) == 1.0
    assert car(samples, lambda s, o: sorted(normalise_words(o.text))) == 0.0  # a bag of words ties
    n, tries = len(samples), 200
    random = [car(samples, lambda s, o, k=k: seeded_fraction(k, o.text)) for k in range(tries)]
    assert sum(random) / tries == pytest.approx(0.5, abs=3 * 0.5 / (n * tries) ** 0.5)

    item = samples[0]
    same = [Option(text=item.options[item.answer.index].text)] * 2
    assert faults(item.model_copy(update={"options": tuple(same)}))
    other = [
        o if i == item.answer.index else Option(text=o.text.replace("“", "“not ", 1))
        for i, o in enumerate(item.options)
    ]
    assert faults(item.model_copy(update={"options": tuple(other)})) == ["not the same clauses"]
