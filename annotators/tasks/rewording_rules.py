"""When another wording still asks the same and says the same: rules on words, deliberately strict, for a sample costs little.

All slots stay, each kind in its order and a start before an end; the question asks for the same kind of answer; words that
decide (numbers, order words, colours, sides, negations) and those of the evidence stay, and none comes in; nothing hints at
the answer that the original did not. English; a rewording that changes the sense without such a word passes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...schemas.literals import literals_in
from ...schemas.metrics import normalise_words, word_edits
from ...schemas.morphology import base_of
from ...schemas.number_words import ORDINALS, numbers_in
from ...schemas.slot_text import NoSlot, pieces_of
from ...schemas.slots import SlotProblem
from ...schemas.verbs import word_list
from .rewording import Masked, names_of, without_slots

_SHARP = word_list(
    """
    red orange yellow green blue purple violet pink brown black white grey gray turquoise left right up down upward downward
    clockwise counterclockwise inside outside above below behind upper lower top bottom most least more less fewer first last
    before after not no never nothing nobody none without except unless only alone all every each both half quarter third
    outer inner centre center middle corner ring least greatest largest smallest
    """
)
_LOOSE = word_list("up down first last before after all every each both only alone more inside outside")
"""Of these, such as need not decide in an answer, whose values are in its slots."""
_PHRASES = re.compile(
    r"\bup\s+(?:to|until|till)\b|\b(?:show|shows|turn|turns|come|comes|pick|picks|look)\s+up\b|\bat\s+all\b|\bafter\s+all\b",
    re.IGNORECASE,
)
_HINTS = word_list(
    "beginning start early late end middle opening finally soon already still halfway briefly long short often"
)
_TOLD = word_list("go see hear show say tell look come get read know make")
"""Words of every question, which hint at nothing."""
_NEGATIONS = word_list(
    "not no never nothing nobody none nowhere without absent missing fails isn't doesn't don't didn't wasn't"
)
_COMMON = word_list(
    """
    a an the this that these those is are was were be been being do does did have has had can could would will should may might
    must i you he she it we they me him her us them my your his its our their who whom whose which what when where why how and
    or but if so as than then of in on at to from by for with about into over under through during until while there here
    please one ones some any such
    """
)
_CUES: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "when": r"\bwhen\b|\btim(?:e|es|ing|ings|ed|estamps?)\b|\bspans?\b|\bintervals?\b|\bperiods?\b|\bstretch(?:es)?\b|\bmoments?\b|"
        r"\bsegments?\b|\bpassages?\b|\bsections?\b|\bduration\b|\b(?:start|begin|end|stop|finish)\w*\b|\buntil\b|\bhow long\b|\bcue\b|"
        r"\b(?:which|what|the|this|that) (?:part|bit|portion|place in the sound)\w*\b|\bwhere in (?:the|this) (?:video|clip|footage|film|"
        r"recording|soundtrack|sound|audio|speech|talk|timeline)\b|\bwhereabouts\b|\btemporal\w*\b|\blasts?\b|\bon(?:set)\b|\bpoint in\b|"
        r"\brange\b|\bseconds\b|\bfrom .{0,40}\bto\b",
        "where": r"\bwhere\b(?! in (?:the|this) (?:video|clip|footage|film|recording|soundtrack|sound|audio|speech|talk|timeline))(?!.{0,40}"
        r"\b(?:head|go|mov|point|turn)\w*)|\b(?:position|location|spot|area|region|box|rectangle|spatial\w*|located?|whereabouts|frame it|"
        r"corner of the picture|place (?:of|in the (?:picture|frame|image)))\b|\bplaces?\b(?! in the sound)",
        "order": r"\b(?:order|sequence|arrange|sort|rank|chronolog\w*|line[sd]? up|put .{0,30} back|earliest|latest|succession|reassemble|assemble|"
        r"restore|follow(?:s|ing)? (?:each|one)|what comes next|comes first|comes next)\b",
        "how many": r"\bhow (?:many|often|much)\b|\bcount\b|\bnumber of\b",
        "why": r"\bwhy\b|\breason\b|\bexplain\b|\bdescribe\b|\bsummar\w+\b",
    }.items()
}  # fmt: skip
_WHETHER = re.compile(
    r"^\W*(?:is|are|was|were|does|do|did|has|have|had)\b(?!.*\b(?:or|what|which|when|where|who|how)\b)", re.IGNORECASE
)
_ENDS = re.compile(
    r"\b(?:until|till|ends?|ending|stops?|stopping|finish\w*|through|goes|gone|disappears?|vanish\w*|last|over)(?:\s+(?:at|on|by|in|with))?\W*$",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"\b(?:from|starts?|starting|begin\w*|since|appears?|comes?|opens?|first)(?:\s+(?:at|on|by|in|with))?\W*$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\s*(?:is|as|being|marks|for|=)?\s*(?:the|its)\s+(?:very\s+)?(?:(?P<end>end|finish|close|last)|(?P<start>start|beginning|onset|opening|first))",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class Meant:
    """What a rewording must keep, beside its slots: what is asked for, words of the evidence, and words that give the answer."""

    asks: frozenset[str] = frozenset()
    """Of when, where and order."""
    evidence: frozenset[str] = frozenset()
    """Words of cited texts, in base form."""
    answer: frozenset[str] = frozenset()
    """Words that only the right answer has, in base form."""


def question_problem(original: Masked, words: str, meant: Meant, min_change: float) -> SlotProblem | None:
    """Why `words` cannot stand for the question of `original`; None when it can."""
    found = _common_problem(original, words, frozenset())
    if found is not None:
        return found
    old, new = _plain(original.words), _plain(words)
    changed = _changed(old, new)
    if changed < min_change:
        return SlotProblem("unchanged", f"{changed:.0%} of the words differ, less than {min_change:.0%}")
    for name, cue in _CUES.items():
        if name in meant.asks and cue.search(old) and not cue.search(new):
            return SlotProblem("other_question", f"it no longer asks {name}")
        if name not in meant.asks and cue.search(new) and not cue.search(old):
            return SlotProblem("other_question", f"it asks {name}")
    if _WHETHER.search(new) and not _WHETHER.search(old):
        return SlotProblem("other_question", "it asks whether")
    before, now = _bases(old), _bases(new)
    lost = sorted((before & meant.evidence) - now - _COMMON)
    if lost:
        return SlotProblem("lost_words", f"the evidence says {', '.join(lost)}; keep these words")
    hints = sorted((now - before) & ((meant.answer - _TOLD) | _HINTS))
    if hints:
        return SlotProblem("leak", f"{', '.join(hints)} hints at the answer; the original does not say it")
    return None


def answer_problem(original: Masked, words: str) -> SlotProblem | None:
    """Why `words` cannot stand for the answer sentence of `original`; None when it can."""
    found = _common_problem(original, words, _LOOSE)
    if found is not None:
        return found
    if "?" in words:
        return SlotProblem("other_question", "the answer asks something")
    return None


def _common_problem(original: Masked, words: str, loose: frozenset[str]) -> SlotProblem | None:
    text = words.strip()
    bad = [p.raw for p in pieces_of(text) if isinstance(p, NoSlot)]
    if bad:
        return SlotProblem("malformed_slot", f"{bad[0]!r} is no slot")
    found = _slot_problem(original, text)
    if found is not None:
        return found
    old, new = _plain(original.words), _plain(text)
    known = {literal.words.casefold() for literal in literals_in(old)}
    for literal in literals_in(new):
        if literal.words.casefold() not in known:
            return SlotProblem(f"literal_{literal.kind}", f"{literal.words!r} is written out")
    if re.search(r"</?[A-Za-z|!]|<\|", new):
        return SlotProblem("malformed_slot", "markup is written by code")
    size, least = len(normalise_words(old)), len(normalise_words(new))
    if least > 3 * size + 16 or not new.replace("\x01", "x").strip(" .,;:!?"):
        return SlotProblem("wrong_length", f"{least} words instead of {size}")
    gone, come = _differing(_sharp(old, loose), _sharp(new, loose))
    if gone or come:
        what = f"{', '.join(gone)} is gone" if gone else f"{', '.join(come)} is new"
        return SlotProblem("changed_sense", f"{what}; words that decide must stay as they are")
    if not loose and [w for w in _words(old) if w in ORDINALS] != [w for w in _words(new) if w in ORDINALS]:
        return SlotProblem("changed_sense", "the order words stand in another order")
    return None


def _slot_problem(original: Masked, words: str) -> SlotProblem | None:
    wanted, given = original.order, names_of(words)
    lost = sorted((Counter(wanted) - Counter(given)).elements())
    more = sorted((Counter(given) - Counter(wanted)).elements())
    if lost:
        return SlotProblem(
            "dropped_slot", f"{{{lost[0]}}} is missing; each of {_braced(wanted)} must stand exactly as often"
        )
    if more:
        rule = "unknown_evidence" if more[0] not in wanted else "dropped_slot"
        return SlotProblem(rule, f"{{{more[0]}}} is too much; each of {_braced(wanted)} must stand exactly as often")
    for letter in dict.fromkeys(name[0] for name in wanted):
        if [n for n in given if n[0] == letter] != [n for n in wanted if n[0] == letter]:
            return SlotProblem("swapped_slots", f"slots must keep their order {_braced(wanted)}")
    times = [n for n in wanted if n[0] == "t"]
    if len(times) == 2 and original.slots[times[0]].startswith("<t") and original.slots[times[1]].startswith("<t"):
        old, new = (_roles(text, times) for text in (original.words, words))
        if (new != old and new == ("end", "start")) or ((new[0] == "end" or new[1] == "start") and new != old):
            return SlotProblem("swapped_slots", f"{{{times[0]}}} is the start and {{{times[1]}}} the end")
    return None


def _roles(words: str, names: Sequence[str]) -> tuple[str, str]:
    """What the words around each of two times make of it: start, end or nothing."""
    found = []
    for name in names:
        at = words.index(f"{{{name}}}")
        before = re.split(r"\{[^{}]*\}|[,;:.]", words[:at])[-1]
        behind = _NAMED.match(words[at + len(name) + 2 :])
        if behind:
            found.append("end" if behind["end"] else "start")
        else:
            found.append("end" if _ENDS.search(before) else "start" if _STARTS.search(before) else "")
    return found[0], found[1]


def _sharp(text: str, loose: frozenset[str]) -> Counter[str]:
    """Words that decide, with their numbers."""
    text = _PHRASES.sub(" ", text)
    words = Counter(w for w in _words(text) if (w in _SHARP or w in _NEGATIONS or w in ORDINALS) and w not in loose)
    return words + Counter(n.casefold() for n in numbers_in(text) if n.casefold() not in words)


def _differing(old: Counter[str], new: Counter[str]) -> tuple[list[str], list[str]]:
    return sorted((old - new).elements()), sorted((new - old).elements())


def _changed(old: str, new: str) -> float:
    a, b = normalise_words(old), normalise_words(new)
    return word_edits(b, a) / max(len(a), len(b), 1)


def _plain(words: str) -> str:
    return without_slots(words)


def _words(text: str) -> list[str]:
    return [w.casefold().replace("’", "'") for w in _WORD.findall(text)]


def _bases(text: str) -> set[str]:
    return {base_of(w) for w in _words(text)} | set(_words(text))


def asked_in(words: str) -> frozenset[str]:
    """What a question asks for, by its words: when, where, order, how many, why."""
    return frozenset(name for name, cue in _CUES.items() if cue.search(_plain(words)))


def bases_of(texts: Iterable[str]) -> frozenset[str]:
    """Words of texts in base form, without those that carry no meaning."""
    return frozenset(base_of(w) for text in texts for w in _words(text)) - _COMMON


def _braced(names: Iterable[str]) -> str:
    return " ".join(f"{{{name}}}" for name in names)
