"""Temporal claims of a reply held against the spans of its evidence: those that it lists, and those that its text states.

A reply may list claims (`e1 before e2`); its text states some between slots: `{e1} before {e2}`, `after {e1}, {e2}`, `{e1},
then {e2}`, `{e2} at the end of the video`. What the spans contradict is a problem. Read by rules from English sentences, and
only where the reading is certain: questions whether, negations, alternatives and talk about looking are left alone.

Before means: ends when the other starts, give or take half a second (a quarter of the shorter one, if that is less). The
beginning, middle and end are thirds of the shown window, by the midpoint.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .facts import Facts, SlotProblem
from .slot_text import Slot, Words, pieces_of
from .span import Span, seconds_text, to_us

Rel = Literal["before", "after", "during", "overlaps", "starts_first", "beginning", "middle", "end"]
PLACES: tuple[Rel, ...] = ("beginning", "middle", "end")
"""Claims about one fact: where in the window it lies."""
SLACK_US = 500_000
Ends = tuple[int, int]


class TimeClaim(BaseModel):
    """A statement about when evidence happens, as a reply lists it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rel: Rel = Field(description="how a stands to b; beginning, middle, end: where in the video a lies")
    a: str = Field(description="name of the evidence that is spoken of, such as e1")
    b: str | None = Field(description="name of the other one; null for beginning, middle and end")


@dataclass(frozen=True, slots=True)
class _Stated:
    """A relation between two references of a text (of one, for a place in the window), and the words that state it."""

    rel: str
    a: Slot
    b: Slot | None
    words: str


def claim_problems(claims: Sequence[TimeClaim], text: str, facts: Facts, window: Span) -> tuple[SlotProblem, ...]:
    """What the spans of `facts` contradict, of the claims listed and of those stated in `text` (slots unfilled)."""
    found = [problem for claim in claims if (problem := _claim_problem(claim, facts, window)) is not None]
    return tuple(dict.fromkeys((*found, *stated_problems(text, facts, window))))


def stated_problems(text: str, facts: Facts, window: Span) -> tuple[SlotProblem, ...]:
    """What the spans of `facts` contradict of the order, overlap and place that `text` states between its slots."""
    found = []
    for stated in _stated(text):
        a, b = _ends(stated.a, facts), _ends(stated.b, facts) if stated.b else None
        if a is None or (stated.b is not None and b is None):
            continue
        if not _holds(stated.rel, a, b, window):
            said = f"“… {' '.join(stated.words.split())} …”" if stated.words.strip() else "the text"
            first = f"{stated.a.raw} ({_shown(a)})"
            second = f"{stated.b.raw} ({_shown(b)})" if stated.b and b else f"the video ({_window(window)})"
            found.append(SlotProblem("contradiction", f"{said}: {first} does not {_said(stated.rel)} {second}"))
    return tuple(dict.fromkeys(found))


def _claim_problem(claim: TimeClaim, facts: Facts, window: Span) -> SlotProblem | None:
    names = (claim.a,) if claim.rel in PLACES else (claim.a, claim.b or "")
    for name in names:
        if name not in facts:
            missing = f"the claim {claim.rel} needs b" if not name else f"the claim {claim.rel} names {name}"
            return SlotProblem("unknown_evidence", f"{missing}; evidence is {_names(facts)}")
        if facts[name].times is None:
            return SlotProblem("no_such_field", f"{name} has no time, so nothing is {claim.rel} it")
    ends = [_fact_ends(name, facts) for name in names]
    a, b = ends[0], ends[1] if len(ends) > 1 else None
    if a is None or _holds(claim.rel, a, b, window):
        return None
    second = f"{claim.b} ({_shown(b)})" if b else f"the video ({_window(window)})"
    return SlotProblem(
        "contradiction", f"the claim {claim.rel}: {claim.a} ({_shown(a)}) does not {_said(claim.rel)} {second}"
    )


# -- what holds ------------------------------------------------------------------------------------------------------


def _holds(rel: str, a: Ends, b: Ends | None, window: Span) -> bool:
    if b is None:
        return _placed(rel, a, window)
    match rel:
        case "before":
            return a[1] <= b[0] + _slack(a, b) and a[0] <= b[0] and (a != b or a[0] == a[1])
        case "after":
            return _holds("before", b, a, window)
        case "starts_first":
            return a[0] < b[0]
        case "then" | "until":
            return a[0] <= b[0]
        case "earlier":
            return b[0] <= a[0]
        case "during":
            return b[0] - _slack(a, b) <= a[0] and a[1] <= b[1] + _slack(a, b) and _common(a, b)
    return _common(a, b)


def _placed(rel: str, a: Ends, window: Span) -> bool:
    low, high = to_us(window.start_s), to_us(window.end_s)
    third = (high - low) / 3
    middle = (a[0] + a[1]) / 2 - low
    match rel:
        case "beginning":
            return middle <= third
        case "end":
            return middle >= 2 * third
        case "opens":
            return a[0] - low <= third
        case "closes":
            return high - a[1] <= third
    return third <= middle <= 2 * third


def _common(a: Ends, b: Ends) -> bool:
    if a[0] == a[1] or b[0] == b[1]:
        return max(a[0], b[0]) <= min(a[1], b[1])
    return max(a[0], b[0]) < min(a[1], b[1])


def _slack(a: Ends, b: Ends) -> int:
    return min(SLACK_US, *((e[1] - e[0]) // 4 for e in (a, b) if e[1] > e[0]), SLACK_US)


def _fact_ends(name: str, facts: Facts) -> Ends | None:
    fact = facts.get(name)
    times = fact.times if fact else None
    return None if times is None else (to_us(times[0]), to_us(times[1]))


def _ends(slot: Slot | None, facts: Facts) -> Ends | None:
    if slot is None:
        return None
    first, last = _fact_ends(slot.name, facts), _fact_ends(slot.last or slot.name, facts)
    if first is None or last is None or first[0] > last[1]:
        return None
    return {"start": (first[0], first[0]), "end": (first[1], first[1])}.get(slot.field or "", (first[0], last[1]))


def _shown(ends: Ends | None) -> str:
    if ends is None:
        return ""
    start, end = (seconds_text(round(e / 1000) / 1000) for e in ends)
    return f"{start} s" if start == end else f"{start} to {end} s"


def _window(window: Span) -> str:
    return f"shown {seconds_text(window.start_s)} to {seconds_text(window.end_s)} s"


def _said(rel: str) -> str:
    return {
        "before": "end before", "after": "start after", "during": "lie within", "overlaps": "overlap", "starts_first": "start before",
        "beginning": "lie in the beginning of", "middle": "lie in the middle of", "end": "lie in the end of", "then": "come before",
        "earlier": "come after", "until": "start before", "opens": "open", "closes": "close",
    }[rel]  # fmt: skip


def _names(facts: Facts) -> str:
    names = list(facts)
    return ", ".join(names[:12]) + (" ..." if len(names) > 12 else "") if names else "none"


# -- what a text states ----------------------------------------------------------------------------------------------

_MARK = re.compile("\x01(\\d+)\x01")
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|„[^“”]*[“”]")
_SENTENCE = re.compile(r"(?<=[.!?;])[\s)\"”]+|\n+")
_THAT = r"\s+(?:(?:which|that)\b|(?:this|it)\b(?=\s*(?:[,.;:)\x01\x02]|$|(?:the|an?|he|she|it|they|his|her|there|somebody|someone|one|we|you)\b)))"
_RELATIONS: tuple[tuple[str, str], ...] = (
    ("then", rf"\b(?:after|following){_THAT}|\bthen\b|\bnext\b(?!\s+to)|\bafterwards?\b|\bsubsequently\b|\blater\b(?!\s+than)|"
             r"\bfinally\b|\blastly\b|\beventually\b|\bthereafter\b"),
    ("earlier", rf"\b(?:before|prior\s+to){_THAT}|\bearlier\b(?!\s+than)|\bpreviously\b|\bbeforehand\b"),
    ("before", r"\bbefore(?:hand)?\b|\bprior\s+to\b|\bearlier\s+than\b|\bprecedes\b|\bpreced(?:ed|ing)\b(?!\s+by)"),
    ("after", r"\bafter\b|\blater\s+than\b|\bsubsequent\s+to\b|\bpreceded\s+by\b"),
    ("until", r"\b(?:until|till)\b"),
    ("overlaps", r"\bwhile\b|\bduring\b|\bmeanwhile\b|\bat\s+the\s+same\s+time\b|\bsimultaneously\b|\bat\s+the\s+same\s+moment\b"),
)  # fmt: skip
_CONNECTIVE = re.compile("|".join(f"(?P<{rel}>{pattern})" for rel, pattern in _RELATIONS), re.IGNORECASE)
_LEADING = re.compile(
    r"^(?:\W|\b(?:and|but|so|right|just|shortly|immediately|soon|only|even|long|directly|first)\b)*"
    rf"(?P<word>after|before|while|until|till|during|once|as\s+soon\s+as)\b(?!{_THAT})",
    re.IGNORECASE,
)
_LED = {
    "after": "then", "once": "then", "as soon as": "then", "before": "earlier", "while": "overlaps", "during": "overlaps",
    "until": "earlier", "till": "earlier",
}  # fmt: skip
_STRICT_LED = {"after": "before", "before": "after"}
_NEXT_SENTENCE = re.compile(
    rf"^\W*(?:and\s+|but\s+)?(?:(?P<then>then|after{_THAT}|afterwards?|next(?!\s+to)|subsequently|later|finally|eventually|thereafter)"
    rf"|(?P<earlier>before{_THAT}|earlier|previously|beforehand))\b",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(
    r"\b(?:whether|either|if|unless|would|before\s+or\s+after|after\s+or\s+before|before\s+and\s+after|or)\b",
    re.IGNORECASE,
)
_ASKS_WHETHER = re.compile(
    r"^\W*(?:is|are|was|were|does|do|did|has|have|had|can|could|will|would|should|which|in\s+(?:what|which)\s+order)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:\b(?:not|never|no|rather|instead|neither|nor|without)|n['’]t)\s+(?:\w+\s+){0,2}$", re.IGNORECASE
)
_DENIED = re.compile(r"(?:\b(?:not|never|cannot)|n['’]t)\b[^,;:]*$", re.IGNORECASE)
_TALK = re.compile(
    r"\b(?:look(?:ing)?\s+(?:at|for)|compar(?:e|ed|es|ing)\b(?!\s+notes)|check(?:s|ed|ing)?\b|locat(?:e|ed|ing)|not(?:e|ing)\s+that|consider\w*|"
    r"conclud\w*|verif\w+|examin\w+|inspect\w*|recall\w*|mention\w*|evidence|question|options?|step)\b|"
    r"\b(?:then|next|finally|first|later|afterwards),?\s+(?:(?:I|we|you|let['’]?s|let\s+us)\s+)?(?:read|find|see|watch|listen|turn|go|use|take|need)\b",
    re.IGNORECASE,
)
_FOOTAGE = r"(?:video|clip|footage|film|movie|recording)"
_PLACE = re.compile(
    rf"\b(?:at|in|near|towards?|around)\s+(?:about\s+)?(?:the\s+)?(?:very\s+)?(?P<place>beginning|start|opening|middle|midpoint|centre|center|end|ending|close)"
    rf"\s+of\s+(?:the|this)\s+(?:\w+\s+)?{_FOOTAGE}\b|\b(?P<half>half-?way)\s+through\s+(?:the|this)\s+{_FOOTAGE}\b",
    re.IGNORECASE,
)
_OPENS = re.compile(
    rf"\b(?:the|this)\s+(?:\w+\s+)?{_FOOTAGE}\s+(?:(?P<opens>begins|starts|opens)|(?P<closes>ends|closes|finishes|concludes))\s+(?:with|on|by|in)\b",
    re.IGNORECASE,
)
_PLACE_OF = {
    "beginning": "beginning",
    "start": "beginning",
    "opening": "beginning",
    "end": "end",
    "ending": "end",
    "close": "end",
}


def _stated(text: str) -> Iterable[_Stated]:
    slots: list[Slot] = []
    parts: list[str] = []
    for piece in pieces_of(text):
        if isinstance(piece, Slot):
            parts.append(f"\x01{len(slots)}\x01")
            slots.append(piece)
        elif isinstance(piece, Words):
            parts.append(piece.text.replace("\x01", " "))
    marked = _QUOTED.sub(
        lambda found: " ".join(f"\x01{i}\x01" for i in _MARK.findall(found[0])) or "\x02", "".join(parts)
    )
    before: Slot | None = None
    for sentence in _SENTENCE.split(marked):
        if not sentence.strip():
            continue
        here = [slots[int(i)] for i in _MARK.findall(sentence)]
        if not (sentence.rstrip().endswith("?") and _ASKS_WHETHER.search(sentence)):
            yield from _in_sentence(sentence, here, before)
        before = here[-1] if here else None


def _in_sentence(sentence: str, here: Sequence[Slot], before: Slot | None) -> Iterable[_Stated]:
    gaps = _MARK.split(sentence)[::2]  # what stands before, between and after the slots
    if not here:
        return
    if _ALTERNATIVE.search(_MARK.sub(" ", sentence)) is None:
        opening = _NEXT_SENTENCE.search(gaps[0])
        if opening and before is not None and not _TALK.search(sentence):
            yield _Stated("then" if opening["then"] else "earlier", before, here[0], opening[0])
        led = (
            (0, gaps[0]) if _LEADING.search(gaps[0]) else None
        )  # slot of a clause such as `after {e1}`, and its opening
        for k, (a, b) in enumerate(pairwise(here)):
            gap = gaps[k + 1]
            found = [(f.lastgroup or "", f) for f in _CONNECTIVE.finditer(gap)]
            clause = _clause_after(gap, found, gaps[k + 2], len(here) > k + 2)
            if clause is not None:
                led = (k + 1, gap) if clause else led
            elif a.names == b.names and not {a.field, b.field} & {"start", "end"}:
                led = (k + 1, led[1]) if led and led[0] == k and not found else led
            elif found:
                denied = _DENIED.search(gaps[k]) is not None
                stated = None if denied else _infix(a, b, gap, found, sentence)
                if stated is not None:
                    yield stated
            elif led and led[0] == k:
                stated = _leading(led[1], a, b, gap)
                if stated is not None:
                    yield stated
    yield from _places(sentence, here, gaps)


def _infix(a: Slot, b: Slot, gap: str, found: Sequence[tuple[str, re.Match[str]]], sentence: str) -> _Stated | None:
    """The relation that stands between two slots; None when several do, or it is negated."""
    rels = {rel for rel, _ in found}
    if len(rels) > 1:
        return None
    rel, match = found[0]
    if _NEGATED.search(gap[: match.start()]) or (rel in ("then", "earlier") and _TALK.search(sentence)):
        return None
    if match[0].lower() == "while" and "," in gap[: match.start()]:
        return None  # whereas
    return _Stated(rel, a, b, match[0])


def _clause_after(gap: str, found: Sequence[tuple[str, re.Match[str]]], behind: str, more: bool) -> bool | None:
    """Whether the gap opens a subordinate clause about the next slot, whose main clause follows: True when a slot stands in
    it, False when none does; None when the gap is an ordinary one.
    """
    opened = re.search(
        rf"(?:[,;]\s*(?:and|but)?|\band|\bbut)\s+(?:(?:right|just|shortly|soon|immediately)\s+)?(?:after|before|while|until)\b(?!{_THAT})[^,]*$",
        gap, re.IGNORECASE,
    )  # fmt: skip
    if not opened or len(found) != 1 or not re.match(r"[^,.;]{0,40},\s*\w", behind):
        return None
    return more


def _leading(lead: str, a: Slot, b: Slot, gap: str) -> _Stated | None:
    """`After {a}, ... {b}`."""
    opening = _LEADING.search(lead) or re.search(r"(?P<word>after|before|while|until)\b[^,]*$", lead, re.IGNORECASE)
    if opening is None or _NEGATED.search(lead[: opening.start("word")]):
        return None
    if not re.search(r"[A-Za-z]", gap) or re.match(r"\W*(?:and|or|to)\b", gap):
        return None  # a list, or still the same clause
    word = " ".join(opening["word"].lower().split())
    return _Stated(_STRICT_LED.get(word, _LED[word]), a, b, opening["word"])


def _places(sentence: str, here: Sequence[Slot], gaps: Sequence[str]) -> Iterable[_Stated]:
    for k, gap in enumerate(gaps):
        for found in _PLACE.finditer(gap):
            if _NEGATED.search(gap[: found.start()]):
                continue
            rel = "middle" if found["half"] else _PLACE_OF.get(found["place"].lower(), "middle")
            trailing = k > 0 and re.match(r"\W*(?:$|[,.;:]|and\b)", gap[found.end() :] or "") is not None
            leading = not gap[: found.start()].strip(" ,;:") or re.search(r"[,;]\s*(?:and\s+)?$", gap[: found.start()])
            if leading and k < len(here) and (k == 0 or not trailing or gap[found.end() :].strip(" ,")):
                yield _Stated(rel, here[k], None, found[0])
            elif trailing:
                yield _Stated(rel, here[k - 1], None, found[0])
            elif len(here) == 1:
                yield _Stated(rel, here[0], None, found[0])
        opens = _OPENS.search(gap)
        if opens and k < len(here):
            yield _Stated("opens" if opens["opens"] else "closes", here[k], None, opens[0])
