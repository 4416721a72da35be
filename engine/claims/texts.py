"""Text claims: is it written there, is it said there? Checkers `text` (writing on screen) and `speech` (spoken words).

The words of a claim are looked for in the span of the claim by the same localisers as in grounding tasks. Found: supported.
Not found: contradicted only where the record is complete (a composer's), or where the sentence names the very fact and its
words are others; a recogniser may simply have missed it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...schemas.matching import alike_lines
from ...schemas.metrics import normalise_words
from ...schemas.span import Span
from ..grounding.localising import Localiser
from .claim import Claim, Opinion, said
from .world import World

SLACK_S = 0.6
"""How far around the span a text must be missing to be called absent."""
WRITTEN = ("written", "reads", "shown", "displayed", "printed", "says")
SAID = ("said", "spoken", "heard", "narrated", "says")


@dataclass(frozen=True)
class _Sense:
    by: str
    localiser: Localiser | None
    certain: bool
    kind: str
    """Kind of the facts that hold such words."""


def check_writing(claim: Claim, world: World) -> Opinion | None:
    """What stands on screen says to a claim about writing; None for other claims."""
    if claim.kind != "text" or not _about(claim, WRITTEN):
        return None
    return _check(claim, _Sense("text", world.written, world.written_certain, "text"))


def check_speech(claim: Claim, world: World) -> Opinion | None:
    """What is said says to a claim about speech; None for other claims."""
    if claim.kind != "text" or not _about(claim, SAID):
        return None
    return _check(claim, _Sense("speech", world.spoken, world.spoken_certain, "speech"))


def _about(claim: Claim, verbs: tuple[str, ...]) -> bool:
    """Whether the claim's predicate is one of these; facts that the sentence names decide where both could be meant."""
    words = normalise_words(claim.predicate)
    if not any(w in words for w in verbs):
        return False
    kinds = {fact.kind for fact in claim.facts.values()} & {"text", "speech"}
    other = {"text"} if verbs is SAID else {"speech"}
    return not ("says" in words and kinds == other)


def _check(claim: Claim, sense: _Sense) -> Opinion | None:
    words = claim.words.strip()
    if not normalise_words(words):
        return None
    named = [fact.text for fact in claim.facts.values() if fact.kind == sense.kind and fact.text]
    if any(_holds(text, words) for text in named):
        return said(sense.by, True, claim, f"the named {sense.kind} reads so")
    if sense.localiser is not None:
        found = sense.localiser.find(words, claim.span)
        best = max(found, key=lambda f: f.score, default=None)
        if best is not None and best.score >= min(sense.localiser.high, 0.9):
            return said(sense.by, True, claim, f"“{best.text}” at {best.span.start_s:g} s")
        wide = Span(max(0.0, claim.span.start_s - SLACK_S), claim.span.end_s + SLACK_S)
        around = max((f.score for f in sense.localiser.find(words, wide)), default=0.0)
        if sense.certain and around < sense.localiser.low:
            return said(sense.by, False, claim, "it is nowhere in this span")
    if named and all(alike_lines(words, text) < 0.6 for text in named):
        return said(sense.by, False, claim, f"the named {sense.kind} reads “{named[0]}”")
    return None


def _holds(text: str, words: str) -> bool:
    whole, part = f" {' '.join(normalise_words(text))} ", f" {' '.join(normalise_words(words))} "
    return part in whole
