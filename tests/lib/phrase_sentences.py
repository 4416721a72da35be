"""Sentences with known phrases of time and place, filled from templates by a seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.phrases import PLACE, TIME, Phrase

TEMPLATES = json.loads((Path(__file__).parent.parent / "data" / "phrase_templates.json").read_text())


def sentences(count: int, seed: int = 0) -> Iterator[tuple[str, list[Phrase]]]:
    """`count` sentences with their phrases; every carrier and every phrase comes up."""
    kinds = {"{T}": (TIME, TEMPLATES["times"]), "{L}": (PLACE, TEMPLATES["places"])}
    for number in range(count):
        text, phrases = TEMPLATES["carriers"][number % len(TEMPLATES["carriers"])], []
        while places := [(text.find(slot), slot) for slot in kinds if slot in text]:
            first, slot = min(places)
            kind, words = kinds[slot]
            chosen = words[int(seeded_fraction("phrase", seed, number, first) * len(words))]
            chosen = chosen[0].upper() + chosen[1:] if first == 0 else chosen
            text = text[:first] + chosen + text[first + len(slot) :]
            phrases.append(Phrase(first, first + len(chosen), kind, chosen))
        yield text, phrases


def f1(found: set[Phrase], true: set[Phrase]) -> float:
    """Exact F1 of two sets of phrases."""
    return 2 * len(found & true) / (len(found) + len(true)) if found or true else 1.0
