"""One-edit texts: what is said or shown with one word of it replaced by another of its class, or a negation dropped.

Classes are numbers (words and digits), negations, attributes (colours, sides, sizes ...), names, and plain words that the
footage's own texts use after the same word, both at the end of a phrase, which keeps most edits grammatical without a
parser. The new word differs in at least two letters and half of them, so no slip of a recogniser makes the edit true. English
word classes; digits, names and words of the corpus work in every language with spaces.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from ...schemas.ids import seeded_fraction
from ...schemas.readings import edit_distance, normalised
from .vocabulary import ONE_EDIT, OTHER_ATTRIBUTE, Distractor
from .word_classes import CLASS_OF

_CORE = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)
_DIGITS = re.compile(r"\d+")
_MIN_LETTERS = 4
"""Plain words are replaced only from this length on: short ones are mostly grammar."""
_GRAMMAR_WORDS = (
    "about across after again against along around because been before behind being below between both could does "
    "down during each even every from have here herself himself into itself just like most much must once only onto "
    "other over perhaps please shall should some such than that their them then there these they this those through "
    "till toward towards under until upon very were what when where which while whom whose will with within without "
    "would your yours"
)
_GRAMMAR = frozenset(_GRAMMAR_WORDS.split())
"""Longer words that are grammar too."""


def one_edits(
    text: str, corpus: Iterable[str], *, unsure: Collection[int] = (), min_context: bool = True
) -> list[Distractor[str]]:
    """Edits of `text`, in an order that depends on nothing but the text; the margin is the number of letters changed.

    `corpus` are texts of the same footage, which give names and words; `unsure` the positions of words (from 0, as
    `text.split()` counts) that were recognised with little confidence and are left alone. Without `min_context` a
    plain word may be replaced by any other of about its length and of its capitals: for signs, which are no sentences.
    """
    tokens = text.split()
    words = _Corpus(corpus)
    found: dict[str, tuple[str, str]] = {}
    for i, token in enumerate(tokens):
        head, core, tail = _parts(token)
        if i in unsure or not core:
            continue
        for kind, new in _replacements(tokens, i, core, words, min_context):
            if clearly_other(core, new) and _article_fits(tokens[i - 1] if i else "", core, new):
                edited = " ".join([*tokens[:i], f"{head}{new}{tail}", *tokens[i + 1 :]])
                found.setdefault(edited, (kind, core))
        if core.lower() == "not" and len(tokens) > 2:
            found.setdefault(" ".join([*tokens[:i], *tokens[i + 1 :]]), (ONE_EDIT, core))
    ranked = sorted(found, key=lambda edited: (seeded_fraction("one edit", text, edited), edited))
    return [Distractor(edited, found[edited][0], float(letters_changed(text, edited))) for edited in ranked]


def letters_changed(text: str, edited: str) -> int:
    """Letters and digits to change, insert or delete to turn one text into the other."""
    a, b = normalised(text), normalised(edited)
    return edit_distance(a, b, max(len(a), len(b)))


def clearly_other(old: str, new: str) -> bool:
    """Whether no slip of a recogniser turns one word into the other: digits differ, or half of the letters (at least
    two).
    """
    a, b = normalised(old), normalised(new)
    if a.isdigit() or b.isdigit():
        return a != b
    if _DIGITS.search(a) and _DIGITS.sub("0", a) == _DIGITS.sub("0", b):
        return a != b
    longest = max(len(a), len(b))
    return edit_distance(a, b, longest) >= max(2, longest / 2)


def _article_fits(before: str, old: str, new: str) -> bool:
    """Whether `a` or `an` before the word still fits."""
    return before.lower() not in ("a", "an") or (old[:1].lower() in "aeiou") == (new[:1].lower() in "aeiou")


def _parts(token: str) -> tuple[str, str, str]:
    match = _CORE.match(token)
    assert match is not None
    return match[1], match[2], match[3]


def _like(pattern: str, word: str) -> str:
    """`word` with the capitals of `pattern`."""
    if pattern.isupper() and len(pattern) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if pattern[:1].isupper() else word


def _shape(word: str) -> tuple[str, str]:
    """Capitals and ending of a word: words of one shape are taken for each other."""
    case = "upper" if word.isupper() else "title" if word[:1].isupper() else "lower"
    ending = next((e for e in ("ing", "ed", "ly", "ss", "s") if word.lower().endswith(e)), "").replace("ss", "")
    return case, ending


def _closes(after: str) -> bool:
    """Whether a word before `after` closes a phrase: nothing, a short word or a grammatical one follows."""
    return len(after) < _MIN_LETTERS or after.lower() in _GRAMMAR


def _is_name(word: str) -> bool:
    """Whether a word that does not begin a text looks like a name."""
    return word[:1].isupper() and not word.isupper() and word.isalpha() and len(word) > 2


class _Corpus:
    """Words of the corpus by shape, with their neighbours."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.words: set[str] = set()
        self.names: set[str] = set()
        self.before: dict[str, set[str]] = {}
        """Word -> the words that stand before it where it closes a phrase."""
        for text in texts:
            cores = [_parts(token)[1] for token in text.split()]
            self.words.update(c for c in cores if c)
            self.names.update(c for c in cores[1:] if _is_name(c))
            for (a, b), after in zip(pairwise(cores), [*cores[2:], ""], strict=False):
                if _closes(after):
                    self.before.setdefault(b, set()).add(a.lower())


def _replacements(
    tokens: Sequence[str], i: int, core: str, corpus: _Corpus, min_context: bool
) -> Iterator[tuple[str, str]]:
    """(kind, new word) for the word at place `i`."""
    for digits in _DIGITS.finditer(core):
        for step in range(1, 10):
            last = (int(digits[0][-1]) + step) % 10
            if len(digits[0]) > 1 or last:
                yield ONE_EDIT, f"{core[: digits.end() - 1]}{last}{core[digits.end() :]}"
    name, members = CLASS_OF.get(core.lower(), ("", ()))
    if members:
        kind = OTHER_ATTRIBUTE if name == "attribute" else ONE_EDIT
        yield from ((kind, _like(core, m)) for m in members if m != core.lower())
        return
    if not core.isalpha():
        return
    others = {_parts(t)[1].lower() for t in tokens}
    if i > 0 and _is_name(core):
        yield from ((ONE_EDIT, n) for n in sorted(corpus.names) if n.lower() not in others)
        return
    if len(core) < _MIN_LETTERS or core.lower() in _GRAMMAR or len(tokens) < 2 or (min_context and i == 0):
        return
    if min_context and not _closes(_parts(tokens[i + 1])[1] if i + 1 < len(tokens) else ""):
        return
    left = _parts(tokens[i - 1])[1].lower() if i > 0 else None
    for word in sorted(corpus.words):
        if not word.isalpha() or len(word) < _MIN_LETTERS or word.lower() in others | _GRAMMAR | CLASS_OF.keys():
            continue
        if _shape(word) != _shape(core) or abs(len(word) - len(core)) > 4:
            continue
        if not min_context or (left is not None and left in corpus.before.get(word, ())):
            yield ONE_EDIT, word
