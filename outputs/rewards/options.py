"""Letters and option texts read from an answer: which option it chooses, or in which order it puts them.

An option is named by its letter ("B", "(B)", "B. to the left", "The answer is B") or by its whole text; the words "A"
and "I" are told from letters by what stands around them. Several different options, a letter with another option's
text, or a denied one ("not B") are no answer. An order names every option once, in letters or in texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from ...schemas.metrics import normalise_words

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LONG_WORDS = 3
"""An option text of this many words contradicts the letter of another option wherever it stands."""
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_LETTER = re.compile(r"(?<![\w'’.-])([A-Z])(?![\w'’])(?!-\w)")
_ALONE = re.compile(r"[(\[]?([A-Za-z])[)\]]?[.:,;!]?")
_BRACKETED = re.compile(r"[(\[]([a-z])[)\]]")
_BOXED = re.compile(r"\\(?:boxed|text|mathrm)\{([^{}]*)\}")
_EMPHASIS = str.maketrans("", "", "*`$")
_GLUE = re.compile(r"[\s.:)\],;-]*[(\"“'‘]?")
_DENIED = re.compile(r"(?:\b(?:not|never|neither|nor|except|excluding|without|than)|n['’]t)(?:\s+(?:is|be|option))?\s*[(\[\"“'‘]*$", re.IGNORECASE)  # fmt: skip
_NOT_AN_ARTICLE = re.compile(
    r"\s(?:is|that|which|fits|comes|then|and|or|seems|matches|because|since|first|before|after)\b"
)
_NAMES_A_LETTER = re.compile(r"\b(?:option|choice|letter|answer|picture|image|frame|clip|part|item)\s$", re.IGNORECASE)
_LOOK_BACK = 24


@dataclass(frozen=True)
class _Mention:
    start: int
    end: int
    option: int


def read_choice(text: str, options: Sequence[str]) -> str | None:
    """Letter of the one option that the answer names, `options` being the texts in the order of their letters."""
    text = _plain(text)
    alone = _ALONE.fullmatch(text)
    if alone:
        return _letter(LETTERS.find(alone[1].upper()), len(options))
    texts = _texts(text, options)
    letters = _letters(text, texts, len(options))
    if any(_DENIED.search(text[max(0, m.start - _LOOK_BACK) : m.start]) for m in (*letters, *texts)):
        return None
    named = {m.option for m in letters}
    if named:
        named |= {m.option for m in texts if _contradicts(m, letters, text, options)}
    else:
        named = {m.option for m in texts}
    return _letter(named.pop(), len(options)) if len(named) == 1 else None


def read_order(text: str, options: Sequence[str]) -> list[str] | None:
    """Letters of all options in the order in which the answer names them; the same order may stand there again."""
    text, n = _plain(text), len(options)
    texts = _texts(text, options)
    letters = _letters(text, texts, n)
    in_letters, in_texts = _once([m.option for m in letters], n), _once([m.option for m in texts], n)
    if not letters:
        packed = [w for w in _WORD.findall(text) if len(w) == n and sorted(w) == sorted(LETTERS[:n])]
        in_letters = [LETTERS.index(c) for c in packed[0]] if len(set(packed)) == 1 and n > 1 else None
        order = in_letters if not texts else in_texts if in_letters is None else None
    elif texts and in_texts is not None and in_texts != in_letters:
        return None
    else:
        order = in_letters
    return None if order is None else [LETTERS[i] for i in order]


def _plain(text: str) -> str:
    """Compatible characters, without the marks that models set around an answer."""
    text = unicodedata.normalize("NFKC", text).translate(_EMPHASIS)
    return _BOXED.sub(r"\1", _BOXED.sub(r"\1", text)).strip()


def _letter(index: int, n: int) -> str | None:
    return LETTERS[index] if 0 <= index < n else None


def _once(sequence: Sequence[int], n: int) -> list[int] | None:
    """The permutation of n that the sequence is, said once or several times; None when it is none."""
    first = list(sequence[:n])
    if not n or sorted(first) != list(range(n)) or len(sequence) % n:
        return None
    return first if list(sequence) == first * (len(sequence) // n) else None


def _texts(text: str, options: Sequence[str]) -> list[_Mention]:
    """Places where a whole option text stands, longest first: one inside a longer one does not count."""
    found = list(_WORD.finditer(text))
    words = [(normalise_words(m[0]) or [""])[0] for m in found]
    wanted = [tuple(normalise_words(option)) for option in options]
    clear = {i: w for i, w in enumerate(wanted) if w and wanted.count(w) == 1}
    mentions: list[_Mention] = []
    at = 0
    while at < len(words):
        fitting = [(len(w), i) for i, w in clear.items() if w[0] == words[at] and tuple(words[at : at + len(w)]) == w]
        length, option = max(fitting, default=(0, -1))
        # a single letter is an option's letter, not its text
        if length and not (length == 1 and len(words[at]) == 1 and words[at].isalpha()):
            mentions.append(_Mention(found[at].start(), found[at + length - 1].end(), option))
        at += max(1, length)
    return mentions


def _letters(text: str, texts: Sequence[_Mention], n: int) -> list[_Mention]:
    """Letters of options outside their texts, in reading order."""
    masked = list(text)
    for m in texts:
        masked[m.start : m.end] = " " * (m.end - m.start)
    rest = "".join(masked)
    found = [_Mention(m.start(1), m.end(1), LETTERS.index(m[1])) for m in _LETTER.finditer(rest) if _is_letter(rest, m)]
    found += [_Mention(m.start(1), m.end(1), LETTERS.index(m[1].upper())) for m in _BRACKETED.finditer(rest)]
    return sorted((m for m in found if m.option < n), key=lambda m: m.start)


def _is_letter(text: str, m: re.Match[str]) -> bool:
    """Not the article "A" that opens a sentence, not the pronoun "I"."""
    after = text[m.end() : m.end() + _LOOK_BACK]
    if m[1] not in "AI" or not re.match(r"\s[a-z]", after) or _NOT_AN_ARTICLE.match(after):
        return True
    if _NAMES_A_LETTER.search(text[max(0, m.start() - _LOOK_BACK) : m.start()]):
        return True
    before = text[max(0, m.start() - 2) : m.start()].strip()
    return m[1] == "A" and bool(before) and before[-1] not in ".!?:"


def _contradicts(mention: _Mention, letters: Sequence[_Mention], text: str, options: Sequence[str]) -> bool:
    """Whether a text beside a letter counts: it is long, or stands right behind the letter."""
    if len(normalise_words(options[mention.option])) >= LONG_WORDS:
        return True
    return any(m.end <= mention.start and _GLUE.fullmatch(text, m.end, mention.start) for m in letters)
