"""Rules for questions that a model proposes: does it give its answer away, name a time, stand there twice, say more than claims?

All of it is about words, after `normalise_words`: a leak in other words is for a blind reader to find. `carried` is strict the
other way: only where question and answer consist of quoted evidence and a small set of words about order does the answer
follow from rows by rule; anything else stays unchecked, even when it is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...schemas.matching import content_words
from ...schemas.metrics import normalise_words
from ...schemas.slot_text import NoSlot, Words, pieces_of, slots_in

GRAM = 5
"""Words in a row that a question may not share with the description of what it asks for (LITA, seed row 9)."""
_CLOCK = re.compile(r"\b(?:second|minute|timestamp|clip|frame|segment|evidence|caption number)s?\b", re.IGNORECASE)
_GLUE_WORDS = (
    "a an the it its this that these those they them is are was were be been do does did done than what which when where who "
    "how and or of in on at to from with for there here happen happens happened happening come comes came coming take takes "
    "place occur occurs occurring go goes shown show shows see sees seen look can be said written read reads part parts "
    "footage video film recording one two event events thing things order sequence relative other another position time times"
)
_GLUE = frozenset(_GLUE_WORDS.split())
"""Words that say nothing beside order: only these may stand around quoted evidence."""
ORDER_WORDS = {
    "before": "before", "earlier": "before", "precedes": "before", "preceding": "before", "follows": "after", "following": "after",
    "after": "after", "later": "after", "during": "during", "while": "during", "overlaps": "overlaps",
}  # fmt: skip
PART_WORDS = {"beginning": "beginning", "start": "beginning", "middle": "middle", "end": "end"}
_INVERSE = {"before": "after", "after": "before", "overlaps": "overlaps"}


def bare(text: str) -> str:
    """The text without its slots."""
    return " ".join(piece.text for piece in pieces_of(text) if isinstance(piece, Words))


def asks_with_times(question: str) -> str:
    """What in a question tells a time, or speaks of the evidence as such; "" when nothing does."""
    for slot in slots_in(question):
        if slot.last or slot.field != "text":
            return f"a question may hold no slot but {{{slot.name}.text}}"
    found = _CLOCK.search(bare(question))
    return f"the question speaks of a {found[0].lower()!r}" if found else ""


def shared_run(question: str, hidden: str, *, quoted: bool = False) -> str:
    """The first run of words that the question shares with what it must not tell; "" when there is none.

    Five words, or all of a shorter text: from three words on, and of what is said or written (`quoted`) from one.
    """
    words, other = normalise_words(bare(question)), normalise_words(hidden)
    n = min(GRAM, len(other))
    if n < (1 if quoted else 3):
        return ""
    runs = {tuple(other[i : i + n]) for i in range(len(other) - n + 1)}
    for i in range(len(words) - n + 1):
        if tuple(words[i : i + n]) in runs:
            return " ".join(words[i : i + n])
    return ""


def named_share(question: str, hidden: str) -> float:
    """Share of the content words of `hidden` that the question names, 0..1."""
    wanted = set(content_words(hidden))
    return len(wanted & set(content_words(bare(question)))) / len(wanted) if wanted else 0.0


def question_key(question: str) -> str:
    """A question as it is compared with others: its words without case, punctuation and articles."""
    return " ".join(w for w in normalise_words(question) if w not in ("a", "an", "the"))


Verified = Callable[[str, str, str | None], bool]
"""Whether (rel, a, b) follows from the verified claims; `first`: a begins before b."""


def carried(question: str, answer: str, verified: Verified) -> bool:
    """Whether question and answer say nothing but quoted evidence, and order or position that verified claims hold.

    A word of order stands between two pieces of evidence, or between one and the only one of the other text; `first` tells which
    of the two that the question names is meant; a word of position belongs to the nearest one.
    """
    asked, said = _pieces(question), _pieces(answer)
    if asked is None or said is None or not any(p.name for p in asked + said):
        return False
    relations, named = 0, list(dict.fromkeys(p.name for p in asked + said if p.name))
    chosen = next((p.name for p in said if p.name), None)
    for own, other in ((asked, said), (said, asked)):
        for i, piece in enumerate(own):
            if piece.name is not None or piece.word in _GLUE:
                continue
            if piece.word == "first":
                rest = [name for name in named if name != chosen]
                if chosen is None or len(rest) != 1 or not verified("first", chosen, rest[0]):
                    return False
                relations += 1
                continue
            if not _licensed(own, i, [p.name for p in other if p.name], verified):
                return False
            relations += 1
    return relations > 0


def said_of(claims: Iterable[tuple[str, str, str | None]]) -> Verified:
    """`Verified` of claims that hold, each with its inverse."""
    known = set(claims)
    known |= {(_INVERSE[rel], b, a) for rel, a, b in known if rel in _INVERSE and b is not None}
    known |= {("first", a, b) for rel, a, b in known if rel in ("before", "starts_first")}
    return lambda rel, a, b: (rel, a, b) in known


@dataclass(frozen=True)
class _Piece:
    word: str = ""
    name: str | None = None


def _pieces(text: str) -> list[_Piece] | None:
    """Words and named evidence in order; None when a slot spans a run or is no slot."""
    found: list[_Piece] = []
    for piece in pieces_of(text):
        if isinstance(piece, Words):
            found += [_Piece(word=w) for w in normalise_words(piece.text)]
        elif isinstance(piece, NoSlot) or piece.last:
            return None
        elif not (found and found[-1].name == piece.name):
            found.append(_Piece(name=piece.name))
    return found


def _licensed(own: Sequence[_Piece], i: int, other: Sequence[str], verified: Verified) -> bool:
    left = next((p.name for p in reversed(own[:i]) if p.name), None)
    right = next((p.name for p in own[i + 1 :] if p.name), None)
    lone = other[0] if len(set(other)) == 1 else None
    word = own[i].word
    if word in PART_WORDS:
        about = left or right or lone
        return about is not None and verified(PART_WORDS[word], about, None)
    if word not in ORDER_WORDS:
        return False
    a, b = (left or lone), (right or lone)
    return a is not None and b is not None and a != b and verified(ORDER_WORDS[word], a, b)
