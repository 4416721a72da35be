"""How much a piece of text is like a query: word runs by edit distance, lines of writing, and descriptions by content.

Every function gives a score in 0..1, where 1 means the same apart from case, punctuation and, for descriptions, grammar.
They look at spelling only: two descriptions that say the same in other words score low.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .metrics import normalise_words
from .morphology import base_of
from .readings import edit_distance, normalised
from .verbs import word_list

_FUNCTION_WORDS = word_list(
    """
    a an the am and any are as be been being can could did do does had has have he her him his is it its may might
    my of or our people person she some somebody someone that their them then there these they this those to was
    were which while who will would your
    """
)
_CONTRASTS = (
    "red orange yellow green blue purple violet pink brown black white grey gray turquoise golden silver",
    "left right up down upward downward upwards downwards clockwise counterclockwise anticlockwise forward forwards backward "
    "backwards north south east west",
    "in out inside outside on off into onto under over above below behind",
    "one two three four five six seven eight nine ten first second third last",
    "open close shut", "enter leave exit", "sit stand lie", "push pull", "raise lower", "start begin stop finish end",
    "man woman boy girl child baby", "dog cat horse bird", "pan tilt zoom roll whip",
    "circle square triangle rectangle oval star heart diamond cross ring hexagon moon", "caption sign title", "pick put", "throw catch", "lift drop", "rise fall", "fill empty", "lock unlock", "arrive depart",
)  # fmt: skip
_CONTRAST_OF = {word: i for i, words in enumerate(_CONTRASTS) for word in words.split()}

_QUOTED = re.compile(r"“([^”]+)”|\"([^\"]+)\"")


@dataclass(frozen=True, slots=True)
class Run:
    """Tokens [first, last) of a text that are like the query."""

    first: int
    last: int
    score: float


def alike_runs(query: Sequence[str], tokens: Sequence[str], floor: float) -> list[Run]:
    """Runs of whole tokens that are like `query`, in order, none overlapping, each with a score of at least `floor`;
    when there is none, the best one alone.

    The score is 1 - edits / length of the longer, in letters and spaces. One pass of the approximate string search of
    Sellers (1980) over all tokens: time O(letters of the query x letters of the tokens).
    """
    if not query or not tokens:
        return []
    pattern, text = f" {' '.join(query)} ", f" {' '.join(tokens)} "
    letters = np.array([ord(c) for c in text])
    spaces = np.flatnonzero(letters == ord(" "))
    steps = np.arange(len(text) + 1)
    cost = np.full(len(text) + 1, len(pattern) + len(text))
    cost[spaces[:-1]] = 0
    start = steps.copy()
    for c in pattern:
        swapped, dropped = cost[:-1] + (letters != ord(c)), cost[1:] + 1
        best = np.concatenate(([cost[0] + 1], np.minimum(swapped, dropped)))
        origin = np.concatenate(([start[0]], np.where(swapped <= dropped, start[:-1], start[1:])))
        reached = np.minimum.accumulate(best - steps)
        source = np.maximum.accumulate(np.where(best - steps == reached, steps, 0))
        cost, start = reached + steps, origin[source]
    ends = spaces[1:] + 1
    firsts = np.searchsorted(spaces, start[ends])
    lasts = np.arange(1, len(spaces))
    longer = np.maximum(len(pattern), ends - start[ends]) - 2
    scores = np.clip(1 - cost[ends] / np.maximum(longer, 1), 0.0, 1.0)
    return _apart(firsts, lasts, scores, floor)


def _apart(firsts: np.ndarray, lasts: np.ndarray, scores: np.ndarray, floor: float) -> list[Run]:
    taken: list[Run] = []
    for i in np.lexsort((firsts, -scores)):
        run = Run(int(firsts[i]), int(lasts[i]), round(float(scores[i]), 6))
        if run.first >= run.last:
            continue
        if taken and run.score < floor:
            break
        if all(run.last <= r.first or r.last <= run.first for r in taken):
            taken.append(run)
            if run.score < floor:
                break
    return sorted(taken, key=lambda r: r.first)


def alike_lines(query: str, line: str) -> float:
    """How much two pieces of writing are alike: 1 - edits / length of the longer, in letters and digits.

    One that holds the other whole scores at least 0.9: a shopper who looks for OPEN stops at OPEN LATE. A text of up
    to three letters holds nothing of note.
    """
    a, b = normalised(query), normalised(line)
    longer = max(len(a), len(b), 1)
    score = 1 - edit_distance(a, b, longer) / longer
    holds = min(len(a), len(b)) > 3 and (a in b or b in a)
    return round(max(score, 0.9) if holds and score < 1 else score, 6)


def quoted_parts(text: str) -> list[str]:
    """What a description quotes, without the quotation marks."""
    return [curly or straight for curly, straight in _QUOTED.findall(text)]


@lru_cache(maxsize=4096)
def content_words(text: str) -> tuple[str, ...]:
    """What a description says: its words in their base form, without articles, auxiliaries and pronouns."""
    words = (w for w in normalise_words(text) if w not in _FUNCTION_WORDS)
    return tuple(w if w in _CONTRAST_OF else base_of(w) for w in words)


@lru_cache(maxsize=1 << 16)
def alike_descriptions(query: str, description: str) -> float:
    """How likely two descriptions are of the same kind of event: 1 when their content words are the same in the same
    order, at most 0.95 in another order, else the share of content words that they have in common (Dice).

    0 when they quote different words, or differ in what can only be one of a kind: a red star is no blue star, and left is
    not right.
    """
    said, other = quoted_parts(query), quoted_parts(description)
    if said and other and alike_lines(" ".join(said), " ".join(other)) < 0.6:
        return 0.0
    a, b = content_words(query), content_words(description)
    if not a or not b:
        return float(normalise_words(query) == normalise_words(description))
    if a == b:
        return 1.0
    only_a, only_b = list((Counter(a) - Counter(b)).elements()), list((Counter(b) - Counter(a)).elements())
    kinds = {_CONTRAST_OF[w] for w in only_a if w in _CONTRAST_OF} & {
        _CONTRAST_OF[w] for w in only_b if w in _CONTRAST_OF
    }
    if kinds:
        return 0.0
    return min(0.95, common_words(query, description))


def common_words(query: str, description: str) -> float:
    """Share of content words that two descriptions have in common (Dice), whatever they contradict each other in."""
    a, b = Counter(content_words(query)), Counter(content_words(description))
    return round(2 * (a & b).total() / max(1, a.total() + b.total()), 6)
