"""What a phrase names, in the words of what was tracked: its label, its colours, its number.

A phrase is read word by word against a vocabulary of labels, so "the two big red circles" names the label circle and the
colour red. A phrase whose words are in no label names nothing, and nobody speaks about it. English plurals by rule.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ...schemas.metrics import normalise_words
from ...schemas.verbs import word_list

COLOURS = word_list(
    "red orange yellow green blue purple violet pink brown black white grey gray turquoise golden silver"
)
_SAME_COLOUR = {"gray": "grey", "violet": "purple"}
SHAPES = word_list("circle square triangle rectangle oval star heart diamond cross ring hexagon moon")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_PLURALS = {"people": "person", "men": "man", "women": "woman", "children": "child", "mice": "mouse", "feet": "foot"}


@dataclass(frozen=True)
class Named:
    """What a phrase names: a label of the vocabulary and colours; `label` None: nothing that is known."""

    label: str | None
    colours: tuple[str, ...]


def vocabulary(labels: Collection[str]) -> frozenset[str]:
    """Labels that can be spoken about: those of the tracks, and all shapes where one of them is a shape."""
    known = frozenset(label.lower() for label in labels)
    return known | SHAPES if known & SHAPES else known


def named(phrase: str, labels: Collection[str]) -> Named:
    """What a phrase names; the last label in it counts, which is its head in "the circle left of the star" only when the
    caller gives the parts one by one.
    """
    words = [singular(w) for w in normalise_words(phrase)]
    found: str | None = None
    for label in sorted(labels):
        parts = normalise_words(label)
        if any(words[i : i + len(parts)] == parts for i in range(len(words))) and (
            found is None or len(parts) > len(normalise_words(found))
        ):
            found = label
    label_words = set(normalise_words(found)) if found else set()
    colours = tuple(dict.fromkeys(colour(w) for w in words if w in COLOURS and w not in label_words))
    return Named(found, colours)


def singular(word: str) -> str:
    """`circles` to `circle`, `boxes` to `box`, `people` to `person`."""
    if word in _PLURALS:
        return _PLURALS[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def colour(word: str) -> str:
    """One name per colour."""
    return _SAME_COLOUR.get(word, word)


def number_in(text: str) -> int | None:
    """The first number word or digits of a text up to twelve."""
    for word in normalise_words(text):
        if word in NUMBERS:
            return NUMBERS.index(word)
        if word.isdigit():
            return int(word)
    return None
