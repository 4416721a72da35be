"""Descriptions of events as pieces of sentences: `a man opens the door` as a statement, a question and a noun phrase.

Descriptions come as full sentences, as headlines ("Man opening door"), as passives, as instructions ("cut the onions") or
as plain noun phrases ("a goal celebration"). `event_of` finds the verb by rules and a word list and gives the forms that
wordings fill in. What it cannot read for certain (pronouns without a reference, relative clauses before the verb, unknown
verbs, several sentences) it refuses: such texts can only be quoted. Present tense, English, no parser: meant for captions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from .morphology import base_of, gerund, third_person
from .verbs import OFTEN_NOUNS, VERBS, word_list

_DETERMINERS = word_list(
    "a an the this that these those his her its their my your our some any each every another both all no one two three four "
    "five six seven eight nine ten several many few multiple various other"
)
_PLURAL_DETERMINERS = word_list(
    "these those two three four five six seven eight nine ten several many few multiple various both all"
)
_PEOPLE = word_list(
    "man woman person boy girl child baby toddler kid lady guy player dog cat horse bird car bus train truck team crowd group "
    "couple athlete dancer chef cook teacher student driver rider skier surfer swimmer gymnast goalkeeper referee drummer "
    "camera hand train boat plane cyclist runner worker barber waiter singer guitarist speaker presenter reporter"
)
"""Subjects that a headline leaves without an article."""
_PLURALS = word_list("people men women children feet teeth geese mice sheep police cattle twins kids")
_NO_ARTICLE = word_list(
    "water food music bread hair snow sand ice fire milk coffee tea juice beer wine soup rice pasta meat fish fruit cheese "
    "butter sugar salt flour oil sauce dough paint mud grass wood metal paper furniture laundry luggage clothing makeup money "
    "traffic football soccer basketball baseball volleyball tennis badminton hockey golf cricket rugby chess poker yoga karate "
    "guitar piano home it them him her us me something someone everything cards ballet salsa hopscotch dinner lunch breakfast"
)
_PRONOUNS = word_list("he she they it we i you who which someone's nobody this that these those")
_PREPOSITIONS = word_list(
    "in on at to into onto of off out up down over under above below behind beside between through across along around past "
    "from with without for by near toward towards against inside outside about after before during while as upon away back "
    "together and or but then again"
)
_PARTICLES = word_list("not slowly quickly then also still now suddenly carefully gently repeatedly again just")
_BEFORE_NOUNS = (_DETERMINERS | _PREPOSITIONS) - _PARTICLES - {"again"}
_AUXILIARIES = word_list("can could will would may might must shall should has have had does do did be been")
_ADJECTIVES = word_list("open clean clear dry double empty warm slow light cool wet lower back")
"""Verbs that are as often adjectives: `open window` is no instruction."""
_COLLECTIVES = word_list("group couple crowd number lot pair bunch team band")
_BE = {"is": False, "are": True, "was": False, "were": True, "'s": False}
_LEADS = re.compile(
    r"^(?:(?:in )?(?:this|the) (?:video|clip|scene|footage)[:,]? (?:shows|we see|there (?:is|are))?\s*|we (?:can )?see(?: that)? |"
    r"(?:then|next|finally|after that|now|afterwards),? |there (?:is|are|'s) )",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"“[^”]*”|\"[^\"]*\"|[\w'’-]+|[^\w\s]")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")


@dataclass(frozen=True, slots=True)
class Event:
    """One event in the forms that sentences need; None where the text has no verb that could be turned around.

    `clause` is a statement ("a man opens the door"), `question` the same after "when" ("does a man open the door"),
    `gerund` a noun phrase ("a man opening the door"). All begin in lower case and have no full stop.
    """

    clause: str | None
    question: str | None
    gerund: str


def event_of(text: str) -> Event | None:
    """The event that `text` describes, or None when the text can only be quoted."""
    tokens = _TOKEN.findall(_LEADS.sub("", " ".join(text.replace("’", "'").split())).strip().rstrip(".!"))
    words = [t for t in tokens if _WORD.fullmatch(t)]
    if not words or len(words) > 30 or tokens[0] != words[0] or " ".join(words).isupper():
        return None
    if any(t in (".", "?", "!", ";", ":", "(", ")") for t in tokens):
        return None
    tokens[0] = _lowered(tokens)
    if tokens[0].lower() in _PRONOUNS - {"this", "that", "these", "those"} or "not" in words:
        return None
    for read in (_instruction, _passive_or_copula, _finite, _participle, _noun):
        try:
            found = read(tokens)
        except _Ambiguous:
            return None
        if found is not None:
            return found
    return None


class _Ambiguous(Exception):
    """A word can be read in two ways, and the sentence would be wrong in one of them."""


def _lowered(tokens: list[str]) -> str:
    """The first word in lower case when it is no name: a known word, or one that a name would not stand before."""
    first = tokens[0]
    if not first[1:].islower() and len(first) > 1:
        return first
    if len(tokens) > 1 and tokens[1][0].isupper() and first.lower() not in _DETERMINERS:
        return first
    known = first.lower() in _DETERMINERS | _PEOPLE | _PLURALS | _PRONOUNS | _NO_ARTICLE or base_of(first) in VERBS
    return first.lower() if known or first.lower().endswith("s") else first


def _instruction(tokens: list[str]) -> Event | None:
    """`cut the onions`, `opening the door`: somebody does it."""
    first = tokens[0].lower()
    base = base_of(first) if first.endswith("ing") else first
    follows = tokens[1].lower() if len(tokens) > 1 else ""
    if base not in VERBS or (first in OFTEN_NOUNS | _ADJECTIVES and follows not in _DETERMINERS):
        return None
    if len(tokens) < 2 or follows in _PREPOSITIONS & {"of", "and", "or"} or _later_verb(tokens[1:]):
        return None
    return _active(["someone"], base, tokens[1:], plural=False)


def _passive_or_copula(tokens: list[str]) -> Event | None:
    """`the door is opened`, `a man is opening the door`, `the dog is on the sofa`."""
    at = next((i for i, t in enumerate(tokens) if t.lower() in _BE), None)
    if not at or at + 1 >= len(tokens):
        return None
    subject, verb, rest = tokens[:at], tokens[at].lower(), tokens[at + 1 :]
    if not _is_subject(subject):
        return None
    subject = _with_article(subject)
    plural = _BE[verb]
    seen = [t.lower() for t in rest]
    while seen and seen[0] in _PARTICLES | {"being"} and len(seen) > 1:
        rest, seen = rest[1:], seen[1:]
    if not seen:
        return None
    if seen[0] in ("seen", "shown") and len(seen) > 1 and seen[1].endswith("ing") and base_of(seen[1]) in VERBS:
        rest, seen = rest[1:], seen[1:]
    if seen[0].endswith("ing") and base_of(seen[0]) in VERBS:
        return _active(subject, base_of(seen[0]), rest[1:], plural)
    who, be = _join(subject), "are" if plural else "is"
    what = _join(rest)
    return Event(f"{who} {be} {what}", f"{be} {who} {what}", f"{who} being {what}")


def _finite(tokens: list[str]) -> Event | None:
    """`a man opens the door`, `two dogs bark`, `a man opened the door`."""
    for i, token in enumerate(tokens[1:], start=1):
        word, before = token.lower(), tokens[i - 1].lower()
        base = base_of(word)
        if base not in VERBS or before in _BEFORE_NOUNS or word.endswith("ing"):
            continue
        subject, rest = tokens[:i], tokens[i + 1 :]
        if before in _PARTICLES:
            subject = tokens[: i - 1]
        if not subject or not _is_subject(subject):
            continue
        plural = _is_plural(subject)
        if word == third_person(base):
            if base in OFTEN_NOUNS and any(t.lower().endswith("ing") and base_of(t) in VERBS for t in tokens[: i + 2]):
                continue
            if plural or (base in OFTEN_NOUNS and rest and rest[0].lower() in _BE):
                continue
        elif word == base:
            plural = plural or (len(subject) > 2 and subject[1].lower() in _COLLECTIVES and subject[2] == "of")
            if not plural:
                continue
        elif not rest or rest[0].lower() == "by" or _later_verb(rest):
            continue
        return _active(_with_article(subject), base, rest, plural)
    return None


def _participle(tokens: list[str]) -> Event | None:
    """`a man opening the door`, `Man opening door`."""
    for i, token in enumerate(tokens[1:], start=1):
        word, before = token.lower(), tokens[i - 1].lower()
        if not word.endswith("ing") or base_of(word) not in VERBS or before in _BEFORE_NOUNS:
            continue
        subject, rest = tokens[:i], tokens[i + 1 :]
        if not _is_subject(subject):
            return None
        if _later_verb(rest):
            raise _Ambiguous(token)  # `a woman holding a baby walks in`, or `a man doing flips`
        headline = subject[0].lower() not in _DETERMINERS and not _is_plural(subject)
        if headline and subject[0].lower() not in _PEOPLE and base_of(subject[-1]) not in _PEOPLE:
            return None
        if headline:
            rest = _with_objects(rest)
        return _active(_with_article(subject), base_of(word), rest, _is_plural(subject))
    return None


def _noun(tokens: list[str]) -> Event | None:
    """`a goal celebration`: a noun phrase without a verb."""
    words = [t.lower() for t in tokens if _WORD.fullmatch(t)]
    if words[0] not in _DETERMINERS - {"no", "any"} or len(words) < 2:
        return None
    if any(
        w in _BE or w in ("has", "have", "had", "does", "do", "did", "can", "will", "who", "which", "that")
        for w in words
    ):
        return None
    for before, word in pairwise(words[1:]):
        if word.endswith(("s", "ed")) and not word.endswith("ss") and before not in _BEFORE_NOUNS:
            return None  # an unknown verb, perhaps
        if word in VERBS and before in _PLURALS:
            return None
    return Event(None, None, _join(tokens))


def _active(subject: list[str], base: str, rest: list[str], plural: bool) -> Event:
    who = _join(subject)
    statement = base if plural else third_person(base)
    in_clause, in_base, in_gerund = (_coordinated(rest, form, plural) for form in ("finite", "base", "gerund"))
    do = "do" if plural else "does"
    return Event(
        _join([who, statement, *in_clause]),
        f"{do} {_join([who, base, *in_base])}",
        _join([who, gerund(base), *in_gerund]),
    )


def _coordinated(rest: list[str], form: str, plural: bool) -> list[str]:
    """The words after the verb, with further verbs of the same subject (`and walks away`) in the same form."""
    made, open_clause = list(rest), True
    for i, token in enumerate(rest):
        word = token.lower()
        if word in ("while", "as", "who", "which", "that", "because", "until", "when", "before", "after"):
            open_clause = False
        back = i - 1
        while back > 0 and rest[back].lower() in _PARTICLES:
            back -= 1
        joined = back >= 0 and rest[back].lower() in ("and", "then", ",")
        base = base_of(word)
        if not (open_clause and joined and base in VERBS) or word in ("and", "then"):
            continue
        is_form = word == third_person(base) or (word == base and plural) or word.endswith(("ing", "ed"))
        if is_form:
            after_verb = back == 0 or made[back - 1] != rest[back - 1]
            if base in OFTEN_NOUNS and i + 1 == len(rest) and not after_verb:
                raise _Ambiguous(token)  # `eats chips and drinks`
            made[i] = {"base": base, "gerund": gerund(base), "finite": base if plural else third_person(base)}[form]
    return made


def _is_subject(tokens: list[str]) -> bool:
    """Whether the words before a verb are one noun phrase, without a clause or a pronoun."""
    words = [t.lower() for t in tokens]
    if not words or any(w in (",", "who", "which", "that", "while", "as", "when", "if", "to") for w in words[1:]):
        return False
    if any(w in _AUXILIARIES for w in words):
        return False
    if words[0] in _PRONOUNS or words[0] in _PREPOSITIONS or words[-1] in _PREPOSITIONS | _DETERMINERS:
        return False
    return all(_WORD.fullmatch(t) or t.startswith(("“", '"')) for t in tokens)


def _is_plural(subject: list[str]) -> bool:
    words = [t.lower() for t in subject]
    head = words[: next((i for i, w in enumerate(words) if i and w in _PREPOSITIONS - {"and"}), len(words))]
    if "and" in head or words[0] in _PLURAL_DETERMINERS:
        return True
    if words[0] in ("a", "an", "one", "another", "each", "every", "this", "that"):
        return False
    last = head[-1]
    return last in _PLURALS or (last.endswith("s") and not last.endswith(("ss", "us", "is")))


def _with_article(subject: list[str]) -> list[str]:
    """`man` to `a man`; plurals, names and what has a determiner stay."""
    first = subject[0]
    known = first.lower() in _PEOPLE or (len(subject) > 1 and subject[-1].lower() in _PEOPLE)
    if first.lower() in _DETERMINERS or _is_plural(subject) or not known or any(t[0].isupper() for t in subject):
        return subject
    return ["an" if first[0].lower() in "aeiou" else "a", first.lower(), *subject[1:]]


def _with_objects(rest: list[str]) -> list[str]:
    """The article that a headline leaves out before its object: `door` to `the door`; plurals and substances stay."""
    if not rest:
        return rest
    first = rest[0].lower()
    bare = first not in _DETERMINERS | _PREPOSITIONS | _PARTICLES | _NO_ARTICLE and _WORD.fullmatch(first) is not None
    stop = next((i for i, t in enumerate(rest) if t.lower() in _PREPOSITIONS or not _WORD.fullmatch(t)), len(rest))
    if bare and not first.endswith(("ly", "ing")) and rest[0].islower() and stop:
        head = rest[stop - 1].lower()
        if head not in _NO_ARTICLE and (not head.endswith("s") or head.endswith("ss")) and head not in _PLURALS:
            rest = ["the", *rest]
            stop += 1
    if stop < len(rest) and rest[stop].lower() in _PREPOSITIONS:
        return [*rest[: stop + 1], *_with_objects(rest[stop + 1 :])]
    return rest


def _later_verb(rest: list[str]) -> bool:
    """Whether a finite verb follows: then an earlier -ed form was a participle (`a man dressed in red walks`)."""
    words = [t.lower() for t in rest]
    return any(
        w in _BE or (base_of(w) in VERBS and w == third_person(base_of(w)) and before not in _BEFORE_NOUNS)
        for before, w in pairwise(["", *words])
    )


def _join(tokens: list[str]) -> str:
    """Words with single spaces, none before a comma."""
    return re.sub(r" ([,%])", r"\1", " ".join(tokens))
