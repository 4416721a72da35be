"""Rules for questions over long footage: which clip holds the evidence, whether a question points to it alone, what looks like it.

Evidence clips are those that together cover what is cited. A question belongs to them when more of its content words stand in
them than in any other clip, and one of them stands in no other; the key words of the answer must stand in the evidence and in
no other clip, so that without these clips the answer cannot be had (the ablation, by rule). All of it compares words; that
other words mean the same is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ...schemas.facts import Fact, Facts
from ...schemas.matching import common_words, content_words
from ...schemas.metrics import normalise_words
from ...schemas.number_words import numbers_in, value_of
from ...schemas.slots import slots_in
from ...schemas.span import Span, overlap_s
from ...schemas.time_claims import TimeClaim
from .common import RowDict, span_of
from .proposed import Refused, require_claims, require_known, written
from .question_rules import asks_with_times, shared_run

Form = Literal["single", "order", "change", "count"]
ORDER_CLAIMS = ("before", "after", "starts_first")
MOST_KEY_WORDS = 6
_ASKING = frozenset(
    [
        "what",
        "why",
        "how",
        "whose",
        "whom",
        "where",
        "when",
        "with",
        "from",
        "for",
        "by",
        "about",
        "as",
        "than",
        "go",
        "come",
        "happen",
        "take",
        "do",
        "get",
        "say",
    ]
)
"""Words that questions are made of, whatever they ask for."""


class LongQuestionItem(BaseModel):
    """One question over long footage as a model writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Form
    question: str
    answer: str
    keys: list[str]
    evidence: list[str]
    reason: str
    claims: list[TimeClaim]


class LongQuestionsReply(BaseModel):
    """Questions over long footage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: list[LongQuestionItem]


class LongQuestion(LongQuestionItem):
    """A question as it is proposed, and how many facts the footage has, which it cites all."""

    facts: int


@dataclass(frozen=True)
class Card:
    """A clip and what is known of it."""

    clip: RowDict
    span: Span
    facts: tuple[Fact, ...]

    @property
    def text(self) -> str:
        """Everything that its facts say."""
        return " \n ".join(fact.text or "" for fact in self.facts)

    @property
    def words(self) -> frozenset[str]:
        """Content words of it."""
        return frozenset(content_words(self.text))


def cards_of(clips: Sequence[RowDict], facts: Facts) -> list[Card]:
    """A card per clip in order of time; a fact belongs to the clip that holds its middle."""
    found = []
    for clip in sorted(clips, key=lambda c: (c["start_s"], c["end_s"])):
        span = span_of(clip)
        found.append(Card(clip, span, tuple(f for f in facts.values() if f.span and span.contains(f.span.centre_s))))
    return found


def cards_with(fact: Fact, cards: Sequence[Card]) -> tuple[int, ...]:
    """Indices of the clips that a fact reaches into: together they cover its span. Raises `Refused` when none does."""
    found = tuple(i for i, card in enumerate(cards) if fact.span and overlap_s(fact.span, card.span) > 0)
    if not found:
        raise Refused("outside_clip", f"{fact.name} lies in no clip")
    return found


def listing_of(cards: Sequence[Card]) -> str:
    """The clips as a prompt shows them: which evidence lies in which."""
    return "\n".join(
        f"{i}. clip: {', '.join(f.name for f in card.facts) or 'nothing is known of it'}"
        for i, card in enumerate(cards, start=1)
    )


@dataclass(frozen=True)
class Found:
    """Where a question's evidence lies: indices of cards, and similarity of the others that are most like it."""

    evidence: tuple[int, ...]
    negatives: tuple[int, ...]
    nearest: float


def locate(item: LongQuestionItem, facts: Facts, cards: Sequence[Card], negatives: int) -> Found:
    """The evidence clips of a question and its hard negatives. Raises `Refused` for whatever the rules forbid."""
    require_known(item.evidence, facts)
    _require_form(item, facts)
    if slots_in(item.question):
        raise Refused("time_in_question", "the question holds a slot")
    if timed := asks_with_times(item.question):
        raise Refused("time_in_question", timed)
    evidence = [cards_with(facts[name], cards) for name in item.evidence]
    if item.form in ("order", "change") and evidence[0][-1] >= evidence[1][0]:
        raise Refused("one_clip", "the evidence must lie in two clips, the earlier one first")
    own = tuple(sorted({i for places in evidence for i in places}))
    _require_keys(item, facts, cards, own)
    _require_pointing(item.question, cards, evidence)
    said = " \n ".join(facts[name].text or "" for name in item.evidence)
    alike = [(common_words(said, card.text), i) for i, card in enumerate(cards) if i not in own]
    ranked = sorted(((score, i) for score, i in alike if score > 0), key=lambda x: (-x[0], x[1]))
    return Found(own, tuple(i for _, i in ranked[:negatives]), ranked[0][0] if ranked else 0.0)


def texts_of(item: LongQuestionItem, facts: Facts, window: Span) -> tuple[str, str, str]:
    """Question, answer and reason in neutral markup. Raises `Refused`."""
    texts = [written(text, facts, window).text for text in (item.question, item.answer, item.reason)]
    require_claims(item.claims, f"{item.question} {item.answer} {item.reason}", facts, window)
    if not all(text.strip() for text in texts[:2]):
        raise Refused("empty", "question or answer is empty")
    return texts[0], texts[1], texts[2]


def answers(form: Form, keys: Sequence[str], counted: int, said: str) -> bool:
    """Whether a sentence gives the answer: all keys stand in it, or of a count the right number and no other."""
    if form == "count":
        return {value_of(n) for n in numbers_in(said)} == {float(counted)}
    return all(holds(said, key) for key in keys)


def holds(text: str, key: str) -> bool:
    """Whether the words of `key` stand in a row in `text`."""
    wanted, words = normalise_words(key), normalise_words(text)
    n = len(wanted)
    return n > 0 and any(words[i : i + n] == wanted for i in range(len(words) - n + 1))


def _require_form(item: LongQuestionItem, facts: Facts) -> None:
    wanted = {"single": 1, "order": 2, "change": 2}.get(item.form)
    if len(set(item.evidence)) != len(item.evidence):
        raise Refused("wrong_form", "a piece of evidence is named twice")
    if wanted is not None and len(item.evidence) != wanted:
        raise Refused("wrong_form", f"{item.form} rests on {wanted} pieces of evidence, not on {len(item.evidence)}")
    if item.form == "count" and len(item.evidence) < 2:
        raise Refused("wrong_form", "a count needs two pieces of evidence or more")
    if len(item.keys) != (2 if item.form == "change" else 1):
        raise Refused("wrong_form", f"{len(item.keys)} keys in the form {item.form}")
    related = any(c.rel in ORDER_CLAIMS and {c.a, c.b} == set(item.evidence) for c in item.claims)
    if item.form == "order" and not related:
        raise Refused("no_claims", "an order needs the claim which of the two comes first")


def _require_keys(item: LongQuestionItem, facts: Facts, cards: Sequence[Card], own: Sequence[int]) -> None:
    """The answer's key words stand in the evidence, in the answer, in no other clip, and are not told by the question."""
    for i, key in enumerate(item.keys):
        if not 1 <= len(normalise_words(key)) <= MOST_KEY_WORDS:
            raise Refused("no_key", f"the key {key!r} is no run of one to {MOST_KEY_WORDS} words")
        holders = item.evidence if item.form == "count" else [item.evidence[i]]
        for name in holders:
            if not holds(facts[name].text or "", key):
                raise Refused("no_key", f"{name} does not say {key!r}")
        for k, card in enumerate(cards):
            if k not in own and holds(card.text, key):
                raise Refused("not_unique", f"another clip says {key!r} too: the answer stays without the evidence")
    if item.form == "count":
        kind = facts[item.evidence[0]].kind
        alike = [f.name for f in facts.values() if f.kind == kind and holds(f.text or "", item.keys[0])]
        if sorted(alike) != sorted(item.evidence):
            raise Refused("wrong_count", f"{item.keys[0]!r} is said by {', '.join(alike)}")
    if not answers(item.form, item.keys, len(item.evidence), item.answer):
        raise Refused("wrong_count" if item.form == "count" else "no_key", "the answer does not say what the keys say")
    if item.form in ("single", "change"):
        for key in item.keys:
            if holds(item.question, key):
                raise Refused("leak", f"the question holds the key {key!r}")
        for name in item.evidence:
            if run := shared_run(item.question, facts[name].text or ""):
                raise Refused("leak", f"the question holds {run!r}, which {name} says")


def _require_pointing(question: str, cards: Sequence[Card], evidence: Sequence[Sequence[int]]) -> None:
    """Raises `Refused` unless the question's words point to each piece of evidence's clips more than to any clip without."""
    wanted = set(content_words(question)) - _ASKING
    shares = [len(wanted & card.words) for card in cards]
    own = {i for places in evidence for i in places}
    others = [i for i in range(len(cards)) if i not in own]
    elsewhere = _union(cards[i].words for i in others)
    for places in evidence:
        if max(shares[i] for i in places) <= max((shares[i] for i in others), default=0):
            raise Refused("not_unique", "the question's words point to another clip as well")
        if not (wanted & _union(cards[i].words for i in places)) - elsewhere:
            raise Refused("not_unique", "no word of the question is the evidence clip's own")


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)
