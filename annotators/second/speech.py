"""Speech again: another recogniser listens to the packaged sound and looks for the quoted words.

A quotation counts as heard where at least `MIN_ALIKE` of its words are, in order; recognisers differ in a word or two.
Agreement: heard once, at the claimed span (both ends within half a second, or one and tIoU 0.5); for pieces to be put in order,
each heard and in the claimed order; for what is claimed absent, heard nowhere. With the evidence muted or all sound gone
the words must not be heard any more: what is still found was said elsewhere too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ...engine.models import ModelNotFound
from ...schemas.metrics import normalise_words, order_accuracy, word_edits
from ...schemas.span import Span, overlap_s
from ..audio.transcript import HeardWord
from .claims import Claim, claim_of
from .footage import RATE_HZ, Footage, muted
from .method import Opinion, Removed, SecondMethod, SecondParams, Shown, alike, best_option, says
from .recogniser import Choice, Recogniser, choose

MIN_ALIKE = 0.6
"""Share of a quotation's words that must be heard, in order."""
MIN_PIECE = 0.4
"""The same for a piece of a transcript, whose ends cut through words."""
AGAIN = 0.8
"""Likeness of another place that counts as the words being said again."""
NEAR_S = 2.0
"""Sound around a span that is heard again for itself when the words are not found in the whole."""
MARGIN_S = 0.15
"""Sound muted on both sides of the evidence."""


@dataclass(frozen=True)
class Place:
    """Where words are heard (clock of the medium), and how alike they are, 0..1."""

    span: Span
    alike: float
    text: str


class SpeechAgain(SecondMethod):
    """Quoted words, pieces of a transcript, and words that are never said."""

    name: ClassVar[str] = "speech"
    removes: ClassVar[tuple[Removed, ...]] = ("evidence", "sound")

    def __init__(self, params: SecondParams) -> None:
        super().__init__(params)
        self._choice: Choice | None = None
        self._recogniser: Recogniser | None = None
        self._words: dict[tuple[str, tuple[Span, ...]], list[HeardWord]] = {}

    def about(self, shown: Shown) -> str:
        """The name of the recogniser. Raises `ModelNotFound`."""
        if self._choice is None:
            self._choice = choose(self.params.whisper, shown.built_with.get("speech", ""))
        return f"speech: {self._choice.about}"

    def judge(self, shown: Shown, removed: Removed = "nothing") -> Opinion:
        try:
            method = self.about(shown)
        except (ModelNotFound, ImportError) as error:
            return Opinion("speech: none", None, None, str(error))
        claim, film = claim_of(shown.sample), shown.heard
        if claim is None:
            return Opinion(method, None, None, "the sample quotes no words to listen for")
        if film is None:
            if removed == "nothing":
                return Opinion(method, False, 0.0, "the packaged file has no sound")
            return Opinion(method, False, 0.0, "no sound")
        window = shown.sample.window
        words = self._heard(film, window, _gone(claim, window, removed))
        if claim.order:
            return _ordered(method, claim, words)
        if removed != "nothing":
            return _anywhere(method, claim, words)
        if claim.spans and not claim.others and not places_of(claim.text, words, MIN_ALIKE):
            words = self._heard_near(film, claim.spans[0])
        return _placed(method, claim, words)

    def _heard_near(self, film: Footage, span: Span) -> list[HeardWord]:
        """Words around a span, heard for themselves: a recogniser may pass over a sentence of a longer sound."""
        assert self._recogniser is not None
        first = max(0, round((film.to_file(span.start_s) - NEAR_S) * RATE_HZ))
        last = max(first, round((film.to_file(span.end_s) + NEAR_S) * RATE_HZ))
        shift = film.to_source(first / RATE_HZ)
        heard = self._recogniser.words(film.sound[first:last])
        return [HeardWord(w.text, w.start_s + shift, w.end_s + shift, w.probability) for w in heard]

    def anywhere(self, shown: Shown) -> Opinion:
        """Whether a quotation is said anywhere in the window: for what should be read, not heard."""
        try:
            method = self.about(shown)
        except (ModelNotFound, ImportError) as error:
            return Opinion("speech: none", None, None, str(error))
        claim, film = claim_of(shown.sample), shown.heard
        if claim is None or not claim.text or film is None:
            return Opinion(method, None, None, "no sound in which the text could be heard")
        return _anywhere(method, claim, self._heard(film, shown.sample.window, ()))

    def _heard(self, film: Footage, window: Span, gone: tuple[Span, ...]) -> list[HeardWord]:
        """Words on the medium's clock. A file is heard whole, once; with something muted, its window again."""
        if any(g.contains_span(window) for g in gone):
            return []
        key = (str(film.path), gone)
        if key not in self._words:
            if len(self._words) > 32:
                self._words.clear()
            if self._recogniser is None:
                assert self._choice is not None
                self._recogniser = Recogniser(self._choice, self.params.threads)
            spans = [Span(max(0.0, film.to_file(g.start_s)), max(1e-6, film.to_file(g.end_s))) for g in gone]
            self._words[key] = [
                HeardWord(w.text, film.to_source(w.start_s), film.to_source(w.end_s), w.probability)
                for w in self._recogniser.words(muted(film.sound, spans))
            ]
        return [w for w in self._words[key] if overlap_s(Span(max(0.0, w.start_s), w.end_s), window) > 0]


def places_of(text: str, words: Sequence[HeardWord], least: float) -> list[Place]:
    """Separate places where `text` is heard, the most alike first."""
    wanted = normalise_words(text)
    heard = [(token, w) for w in words for token in normalise_words(w.text)]
    n = len(wanted)
    found: list[tuple[float, int, int]] = []
    slack = max(1, n // 4)
    for first in range(len(heard)):
        for length in range(max(1, n - slack), n + slack + 1):
            if first + length <= len(heard):
                edits = word_edits([t for t, _ in heard[first : first + length]], wanted)
                found.append((1 - edits / max(n, length), first, first + length))
    kept: list[tuple[float, int, int]] = []
    for score, first, stop in sorted(found, key=lambda f: (-f[0], f[1], f[2])):
        if score < least:
            break
        if all(stop <= a or b <= first for _, a, b in kept):
            kept.append((score, first, stop))
    return [
        Place(
            Span(max(0.0, heard[a][1].start_s), heard[b - 1][1].end_s),
            score,
            " ".join(w.text.strip() for _, w in heard[a:b]),
        )
        for score, a, b in kept
    ]


def _gone(claim: Claim, window: Span, removed: Removed) -> tuple[Span, ...]:
    if removed in ("sound", "picture"):
        return (window,)
    if removed == "evidence":
        return tuple(Span(max(0.0, s.start_s - MARGIN_S), s.end_s + MARGIN_S) for s in claim.spans) or (window,)
    return ()


def _placed(method: str, claim: Claim, words: Sequence[HeardWord]) -> Opinion:
    found = places_of(claim.text, words, MIN_ALIKE)
    if not claim.spans:
        if not found:
            return Opinion(method, True, 1.0, "not heard")
        return Opinion(method, False, 0.0, f"heard at {says(found[0].span)}: {found[0].text}")
    if claim.others:
        return _chosen(method, claim, words)
    if not found:
        near = " ".join(
            w.text.strip() for w in words if overlap_s(Span(max(0, w.start_s), w.end_s), claim.spans[0]) > 0
        )
        return Opinion(method, False, 0.0, f"not heard; in the span: {near or 'no words'}")
    if claim.denied:
        fits, score = best_option(found[0].span, claim.spans[0], claim.denied)
        return Opinion(method, fits, score, f"heard at {says(found[0].span)}")
    scores: list[float] = []
    free = list(found)
    for span in claim.spans:
        best = max(free, key=lambda p: (alike(p.span, span)[1], p.alike), default=None)
        same, score = alike(best.span, span) if best else (False, 0.0)
        if best is None or not same:
            return Opinion(method, False, score, f"heard at {says(found[0].span)} instead of {says(span)}")
        free.remove(best)
        scores.append(score)
    again = [p for p in free if p.alike >= AGAIN]
    if again:
        return Opinion(method, False, min(scores), f"heard again at {says(again[0].span)}: {again[0].text}")
    return Opinion(method, True, min(scores), f"heard at {', '.join(says(p.span) for p in found if p not in free)}")


def _chosen(method: str, claim: Claim, words: Sequence[HeardWord]) -> Opinion:
    """A choice between texts: which of them is heard in the span."""
    span = claim.spans[0]
    inside = [w for w in words if overlap_s(Span(max(0.0, w.start_s), w.end_s), span) > 0]
    likeness = {
        text: max((p.alike for p in places_of(text, inside, 0.0)), default=0.0) for text in (claim.text, *claim.others)
    }
    best = max(likeness, key=lambda t: likeness[t])
    if likeness[best] < MIN_PIECE:
        return Opinion(method, False, likeness[claim.text], f"none of the options is heard in {says(span)}")
    return Opinion(method, best == claim.text, likeness[claim.text], f"heard in {says(span)}: {best}")


def _ordered(method: str, claim: Claim, words: Sequence[HeardWord]) -> Opinion:
    starts: dict[str, float] = {}
    for text in claim.order:
        found = places_of(text, words, MIN_PIECE)
        if not found:
            return Opinion(method, False, 0.0, f"not heard: {text[:60]}")
        starts[text] = found[0].span.centre_s
    heard = sorted(starts, key=lambda t: starts[t])
    score = order_accuracy(heard, list(claim.order))
    return Opinion(
        method, heard == list(claim.order), score, "heard at " + ", ".join(f"{starts[t]:.1f} s" for t in heard)
    )


def _anywhere(method: str, claim: Claim, words: Sequence[HeardWord]) -> Opinion:
    """Whether the words are found at all: asked when something was taken away."""
    found = places_of(claim.text, words, AGAIN)
    if not found:
        return Opinion(method, False, 0.0, "not heard any more")
    return Opinion(method, True, found[0].alike, f"still heard at {says(found[0].span)}: {found[0].text}")


METHOD = SpeechAgain
