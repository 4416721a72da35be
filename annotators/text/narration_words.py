"""Verbs and nouns of a narration such as `the camera wearer picks up a red cup from the table`: pick up; cup, table.

By word lists and the place of words, no parser: the verb is the first one that the list knows, nouns are the last words of what
stands between little words. A verb that the list lacks leaves the narration without one; `and` begins a second action only
where a verb and its object follow.
"""

from __future__ import annotations

from ...engine.claims.nouns import singular
from ...schemas.metrics import normalise_words
from ...schemas.morphology import base_of
from ...schemas.verbs import VERBS, word_list

_DETERMINERS = word_list(
    "a an the this that these those his her its their my your our some any each every another both all one two three four five"
)
_BREAKS = word_list(
    "in on at to into onto of off out up down over under above below behind beside between through across along around past from "
    "with without for by near toward towards against inside outside about after before during while as upon away back together "
    "and or but then again"
)
_PARTICLES = word_list("up down off on out away back")
_NO_NOUNS = word_list(
    "it them him something someone everything anything other others left right slowly quickly gently carefully still once twice "
    "again there here"
)
HOUSEHOLD_VERBS = word_list(
    "crush detach dismantle dispense distribute drain fasten filter grate gulp hoover insert knead lather loosen marinate mash "
    "pluck plug prod scoop screw settle sieve smear sort strain tape tighten tuck uncover unfasten unplug unscrew wring"
)
"""Verbs of chores that descriptions of films have less often."""
_VERBS = VERBS | HOUSEHOLD_VERBS


def classes_of(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Verbs and nouns of a narration, each sorted; nothing where no verb is known."""
    words = normalise_words(text.replace("-", " "))
    first = next((i for i in range(_subject(words), len(words)) if _verb(words[i])), None)
    if first is None:
        return (), ()
    verbs, nouns = set(), set()
    at = first
    while at < len(words):
        base = _verb(words[at]) if at == first or _second(words, at) else None
        if base is not None:
            particle = at + 1 < len(words) and words[at + 1] in _PARTICLES and _particle(words, at + 1)
            verbs.add(f"{base} {words[at + 1]}" if particle else base)
            at += 2 if particle else 1
            continue
        if words[at] in _BREAKS | _DETERMINERS:
            at += 1
            continue
        chunk = at
        while chunk + 1 < len(words) and words[chunk + 1] not in _BREAKS | _DETERMINERS:
            chunk += 1
        held = [w for w in words[at : chunk + 1] if w not in _NO_NOUNS and not w.isdigit()]
        if held:
            nouns.add(singular(held[-1]))
        at = chunk + 1
    return tuple(sorted(verbs)), tuple(sorted(nouns))


def _subject(words: list[str]) -> int:
    """Where the verb may begin: after an article and its noun."""
    return 2 if len(words) > 2 and words[0] in _DETERMINERS else 0


def _verb(word: str) -> str | None:
    base = base_of(word, _VERBS)
    return base if base in _VERBS else None


def _particle(words: list[str], at: int) -> bool:
    """Whether `on` after a verb belongs to it (`turns on the tap`), or leads to a place (`sits on the chair`)."""
    return words[at] != "on" or words[at - 1].startswith(("turn", "switch", "put"))


def _second(words: list[str], at: int) -> bool:
    """Whether a verb here begins a second action: after `and` or `then`, with an object."""
    joined = words[at - 1] in ("and", "then")
    return joined and at + 1 < len(words) and words[at + 1] in _DETERMINERS | _PARTICLES | {"it", "them"}
