"""A film told in words, and questions about its order: the pure part of `text_transfer`.

Everything follows from the captions in the order in which they are cited and from the kind of question: the order of the
scenes, what is asked, the options and the answer are drawn by hashes of the captions' identifiers. Scenes are shown as
`shown[i] = units[perm[i]]`; a change is one caption and the same with one word exchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...engine.distractors.edits import one_edits
from ...engine.distractors.word_classes import CLASS_OF
from ...schemas.ids import seeded_fraction
from ...schemas.markup import escape, quote
from ...schemas.matching import common_words, content_words
from ...schemas.metrics import normalise_words
from ...schemas.sample import ChoiceAnswer, Option, OrderAnswer
from .common import Withheld, shuffled

Kind = Literal["after", "before", "sorted", "change", "place", "position"]
PLACES = ("at the start", "in the middle", "at the end")
ORDINALS = ("first scene", "second scene", "third scene", "fourth scene", "fifth scene", "sixth scene", "seventh scene", "eighth scene")  # fmt: skip
LISTINGS = ("Scene {n}: {text}.", "{n}. {text}.", "Picture {n}: {text}.", "({n}) {text}.")
LONG_NAME = 10
"""Scenes of more words are named by some of them."""


@dataclass(frozen=True)
class Edit:
    """The edit record of a change: unit `unit` with its word `old` replaced by `new`; `other` is one more of that kind."""

    unit: int
    old: str
    new: str
    other: str

    def applied(self, text: str) -> str:
        """The text with the word exchanged. Raises `Withheld` when the word does not stand there exactly once."""
        words = text.split()
        places = [i for i, w in enumerate(words) if _core(w) == self.old.lower()]
        if len(places) != 1:
            raise Withheld(f"{self.old!r} stands {len(places)} times in {text!r}")
        if self.new.lower() in map(_core, words) or self.other.lower() in map(_core, words):
            raise Withheld(f"{self.new!r} or {self.other!r} stands in {text!r} already")
        if len({self.old.lower(), self.new.lower(), self.other.lower()}) < 3:
            raise Withheld("the words of a change must differ")
        return " ".join([*words[: places[0]], _exchanged(words[places[0]], self.new), *words[places[0] + 1 :]])


@dataclass(frozen=True)
class WordedItem:
    """A question about a told film."""

    slots: Mapping[str, str]
    options: tuple[Option, ...]
    answer: ChoiceAnswer | OrderAnswer
    rationale: tuple[str, ...]
    difficulty: Mapping[str, float]
    units: tuple[str, ...]
    perm: tuple[int, ...]
    """`shown[i] = units[perm[i]]`."""


def word_item(kind: Kind, texts: Sequence[str], key: Sequence[str], edit: Edit | None = None) -> WordedItem:
    """The question of a kind about plain `texts`, drawn from `key` (their identifiers). Raises `Withheld`."""
    require_apart(texts)
    if not 3 <= len(texts) <= len(ORDINALS) - 1:
        raise Withheld(f"{len(texts)} scenes; needed are 3 to {len(ORDINALS) - 1}")
    units = [text.strip().rstrip(".").strip() for text in texts]
    if kind == "change":
        if edit is None:
            raise Withheld("no edit record")
        changed = edit.applied(units[edit.unit])
        if not all(are_apart(changed, other) for i, other in enumerate(units) if i != edit.unit):
            raise Withheld(f"{changed!r} is too much like another scene")
        units.append(changed)
    perm = shuffled(range(len(units)), "text_transfer", "order", *key, key=lambda i: i)
    shown = [units[i] for i in perm]
    draw = _Draw(tuple(key), kind)
    match kind:
        case "change":
            assert edit is not None
            slots, options, answer, why = _change(shown, perm, edit, draw)
        case "sorted":
            slots, options, answer, why = _sorted(shown, draw)
        case "place":
            slots, options, answer, why = _place(shown, draw)
        case "position":
            slots, options, answer, why = _position(shown, draw)
        case _:
            slots, options, answer, why = _beside(shown, draw, 1 if kind == "after" else -1)
    listing = LISTINGS[draw.number("listing", len(LISTINGS))]
    scenes = "\n".join(listing.replace("{n}", str(n)).replace("{text}", escape(t)) for n, t in enumerate(shown, 1))
    difficulty = {"scenes": float(len(shown)), "words": float(sum(len(t.split()) for t in shown))}
    return WordedItem(
        {"scenes": scenes, **slots}, tuple(Option(text=o) for o in options), answer, why, difficulty,
        tuple(units), tuple(perm),
    )  # fmt: skip


def require_apart(texts: Sequence[str], max_alike: float = 0.5) -> None:
    """Raises `Withheld` for two texts that share more than `max_alike` of their content words, or hold each other."""
    for i, text in enumerate(texts):
        for other in texts[:i]:
            if not are_apart(text, other, max_alike):
                raise Withheld(f"{text!r} and {other!r} are too much alike")


def are_apart(text: str, other: str, max_alike: float = 0.5) -> bool:
    """Whether two descriptions can be told apart in any wording: few common content words, none inside the other."""
    a, b = content_words(text), content_words(other)
    if not a or not b or set(a) <= set(b) or set(b) <= set(a):
        return False
    return common_words(text, other) <= max_alike


def rule_edit(texts: Sequence[str], key: Sequence[str]) -> Edit | None:
    """A one-word edit of one of the texts by word classes; None when none has a word of a class of three or more.

    The new and the other word come from the same set, those that may replace the old one, so neither gives itself away.
    """
    for i in shuffled(range(len(texts)), "text_transfer", "edited", *key, key=lambda i: i):
        words = texts[i].strip().rstrip(".").split()
        found: dict[str, list[str]] = {}
        for edit in one_edits(" ".join(words), ()):
            changed = edit.value.split()
            if len(changed) == len(words):
                old, new = next(((_core(a), _core(b)) for a, b in zip(words, changed, strict=True) if a != b), ("", ""))
                if new in CLASS_OF.get(old, ("", ()))[1]:
                    found.setdefault(old, []).append(new)
        for old in shuffled(found, "text_transfer", "old", *key, key=str):
            if len(found[old]) >= 2:
                new, other = shuffled(found[old], "text_transfer", "new", *key, key=str)[:2]
                try:
                    Edit(i, old, new, other).applied(texts[i])
                except Withheld:
                    continue
                return Edit(i, old, new, other)
    return None


def named(text: str, others: Sequence[str], draw: int, *, part: bool) -> str:
    """Words that name a scene among others: all of them, or a run of three to eight that no other scene holds.

    Raises `Withheld` when no run of its words is its own.
    """
    words = text.split()
    if len(words) <= (5 if part else LONG_NAME):
        return text
    most = min(8, len(words) - 1)
    runs = [(i, n) for n in range(most, 2, -1) for i in range(len(words) - n + 1)]
    runs = runs[draw % len(runs) :] + runs[: draw % len(runs)]
    rest = [normalise_words(o) for o in others]
    for i, n in runs:
        run = " ".join(words[i : i + n]).strip(" ,;:.")
        plain = normalise_words(run)
        if "“" in run or "”" in run or len(content_words(run)) < 2:
            continue
        if not any(plain == r[k : k + len(plain)] for r in rest for k in range(len(r))):
            return run
    raise Withheld(f"no words of {text!r} name it alone")


@dataclass(frozen=True)
class _Draw:
    key: tuple[str, ...]
    kind: str

    def number(self, what: str, n: int) -> int:
        return int(seeded_fraction("text_transfer", what, self.kind, *self.key) * n)

    def order(self, items: Sequence[str]) -> list[str]:
        return shuffled(items, "text_transfer", "options", self.kind, *self.key, key=str)


Parts = tuple[dict[str, str], list[str], ChoiceAnswer | OrderAnswer, tuple[str, ...]]


def _beside(shown: Sequence[str], draw: _Draw, step: int) -> Parts:
    if len(shown) < 4:
        raise Withheld("with fewer than four scenes too few options are left")
    at = draw.number("anchor", len(shown) - 1) + (step < 0)
    anchor, right = shown[at], shown[at + step]
    unit = quote(named(anchor, [s for s in shown if s != anchor], draw.number("name", 10_000), part=False))
    options = draw.order([escape(s) for s in shown if s != anchor])
    words = "right after" if step > 0 else "right before"
    why = (
        f"{unit} is the {ORDINALS[at]}.",
        f"The {ORDINALS[at + step]} comes {words} it: {quote(right)}.",
    )
    return {"unit": unit}, options, ChoiceAnswer(index=options.index(escape(right))), why


def _sorted(shown: Sequence[str], draw: _Draw) -> Parts:
    options = draw.order([escape(s) for s in shown])
    why = tuple(f"The {ORDINALS[i]} is {quote(text)}." for i, text in enumerate(shown))
    return {}, options, OrderAnswer(order=tuple(options.index(escape(s)) for s in shown)), why


def _place(shown: Sequence[str], draw: _Draw) -> Parts:
    places = [0, 2] if len(shown) % 2 == 0 else [0, 1, 2]
    place = places[draw.number("place", len(places))]
    at = (0, len(shown) // 2, len(shown) - 1)[place]
    options = draw.order([escape(s) for s in shown])
    why = (f"Of {len(shown)} scenes the {ORDINALS[at]} is {PLACES[place]}: {quote(shown[at])}.",)
    return {"place": PLACES[place]}, options, ChoiceAnswer(index=options.index(escape(shown[at]))), why


def _position(shown: Sequence[str], draw: _Draw) -> Parts:
    at = draw.number("anchor", len(shown))
    rest = [s for i, s in enumerate(shown) if i != at]
    unit = quote(named(shown[at], rest, draw.number("name", 10_000), part=True))
    why = (f"{unit} stands in the {ORDINALS[at]}: {quote(shown[at])}.",)
    return {"unit": unit}, list(ORDINALS[: len(shown)]), ChoiceAnswer(index=at), why


def _change(shown: Sequence[str], perm: Sequence[int], edit: Edit, draw: _Draw) -> Parts:
    """Four changes around the word that stands in the caption, each as likely: the two other words and the direction are
    drawn, so the options say nothing, however often footage is described with one word of a class rather than another.
    """
    last = len(shown) - 1
    before = perm.index(edit.unit) < perm.index(last)
    a, b = (edit.old, edit.new) if before else (edit.new, edit.old)
    pairs = [(edit.old, edit.new), (edit.new, edit.old), (edit.old, edit.other), (edit.other, edit.old)]
    options = draw.order([_from_to(x, y) for x, y in pairs])
    first, then = sorted((perm.index(edit.unit), perm.index(last)))
    why = (
        f"The {ORDINALS[first]} is {quote(shown[first])}.",
        f"The {ORDINALS[then]} is {quote(shown[then])}: {_from_to(a, b)}.",
    )
    return {}, options, ChoiceAnswer(index=options.index(_from_to(a, b))), why


def _from_to(a: str, b: str) -> str:
    return escape(f"from {a.lower()} to {b.lower()}")


def _core(word: str) -> str:
    return word.strip("“”\"'.,;:!?()").lower()


def _exchanged(word: str, new: str) -> str:
    core = word.strip("“”\"'.,;:!?()")
    like = new.lower() if core.islower() else new.upper() if core.isupper() and len(core) > 1 else new.capitalize()
    return word.replace(core, like, 1)
