"""Closed classes of English words whose members can stand for each other: numbers, colours, sides, sizes, times, negations.

Replacing one by another of its class keeps a sentence grammatical and changes what it says. Words with two common
readings ("second", "may", "orange", "light") are left out; other languages fall back to digits, names and words of
the footage's own texts.
"""

from __future__ import annotations

_NUMBERS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen twenty thirty forty fifty sixty "
    "seventy eighty ninety"
)
NUMBERS = tuple(_NUMBERS.split())
ATTRIBUTES: tuple[tuple[str, ...], ...] = tuple(
    tuple(words.split())
    for words in (
        "red blue green yellow black white brown purple pink grey",
        "left right",
        "above below",
        "inside outside",
        "upstairs downstairs",
        "north south east west",
        "before after",
        "big small huge tiny",
        "larger smaller",
        "long short",
        "old new",
        "hot cold warm cool",
        "wet dry",
        "soft hard",
        "slow fast quick",
        "slowly quickly",
        "early late",
        "morning evening afternoon",
        "tomorrow yesterday",
        "spring summer autumn winter",
        "monday tuesday wednesday thursday friday saturday sunday",
        "january february april june july august september october november december",
        "man woman boy girl",
        "mother father brother sister",
        "open closed",
        "empty full",
        "clean dirty",
        "more less",
        "many few",
        "buy sell",
        "push pull",
        "entrance exit",
        "first last",
    )
)
NEGATIONS: tuple[tuple[str, str], ...] = (("always", "never"), ("everybody", "nobody"), ("everything", "nothing"))
"""Pairs that turn a statement round without changing its form."""
CLASS_OF: dict[str, tuple[str, tuple[str, ...]]] = {
    **{word: ("number", NUMBERS) for word in NUMBERS},
    **{word: ("attribute", words) for words in ATTRIBUTES for word in words},
    **{word: ("negation", pair) for pair in NEGATIONS for word in pair},
}
"""Word -> (name of its class, all members)."""
