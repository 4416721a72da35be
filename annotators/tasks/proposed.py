"""What tasks share whose samples a model proposes: footage with numbered facts, verified texts and claims, citing and reading back.

A sample of such a task cites its medium, its clips, the facts that it uses in the natural order of their names, and last the
proposals that it was made from; from exactly these it is built, and built again when it is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...engine.annotator import Rows
from ...engine.captions import model_rows, told_rows
from ...engine.kept import kept_clips, one_producer
from ...engine.llm.ask import Answered, Ask, R
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.evidence import cited, facts_from, facts_of
from ...engine.llm.models import Models
from ...engine.task import EvidenceRow
from ...schemas.facts import FactKind, Facts, name_order
from ...schemas.markup import quote
from ...schemas.matching import alike_descriptions
from ...schemas.sample import Evidence, Need, Sample
from ...schemas.slots import Resolved, SlotProblem, names_in, resolve
from ...schemas.span import Span, overlap_s, to_us
from ...schemas.time_claims import TimeClaim, claim_problems
from .common import CLIP_COLUMNS, MEDIA_COLUMNS, RowDict, Withheld, cite, only_row, rows_of, span_mark
from .descriptions import contradicts, stretches

PROPOSAL_COLUMNS = ("proposal_json", "request_hash", "item")
NEEDS: dict[str, tuple[Need, ...]] = {
    "speech": ("audio", "speech_text"),
    "text": ("vision", "on_screen_text"),
}
"""Needs of facts by kind; all others are seen."""
SAME = 0.8
"""Likeness of two descriptions from which a question would not say which is meant."""
_ORDER: tuple[Need, ...] = ("vision", "audio", "speech_text", "on_screen_text", "motion", "3d")


class Refused(Withheld):
    """A proposal that becomes no sample: the rule, and what exactly."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule, self.reason = rule, reason


@dataclass(frozen=True)
class Stretch:
    """Kept footage that is asked about at once."""

    window: Span
    clips: tuple[RowDict, ...]
    facts: Facts


@dataclass(frozen=True)
class Asker:
    """Asks one question; a reply that cannot be used is a value, so that it becomes a row and not the end of the unit."""

    models: Models

    async def __call__(self, ask: Ask[R]) -> Answered[R] | ReplyRejected:
        try:
            return await self.models.ask(ask)
        except ReplyRejected as error:
            return error


def stretches_of(
    rows: Rows,
    media_id: str,
    kinds: Sequence[FactKind],
    *,
    levels: Sequence[str],
    longest_s: float,
    most: int,
    least: int,
    tiled: bool = False,
) -> list[Stretch]:
    """Kept footage joined as far as its length and the number of its facts allow; without what has fewer than `least`
    facts that say something.

    `levels` are those of models' captions that count as facts; `tiled`: of clips that overlap, only the first is kept.
    """
    told, said = told_rows(rows["captions"]), one_producer(model_rows(rows["captions"], levels))
    rows = Rows({**rows, "captions": [*told, *(dict(row) for row in said)]})
    clips = tiling(kept_clips(rows, media_id)) if tiled else kept_clips(rows, media_id)

    def enough(span: Span) -> bool:
        return len(facts_of(rows, span, kinds, most=most + 1)) <= most

    found = []
    for window, members in stretches(clips, longest_s, enough):
        facts = agreeing(facts_of(rows, window, kinds, most=most))
        if sum(fact.text is not None for fact in facts.values()) >= least:
            found.append(Stretch(window, tuple(members), facts))
    return found


def tiling(clips: Sequence[RowDict]) -> list[RowDict]:
    """Clips in order of time without those that begin before the last kept one has ended."""
    found: list[RowDict] = []
    for clip in sorted(clips, key=lambda c: (c["start_s"], c["end_s"])):
        if not found or to_us(clip["start_s"]) >= to_us(found[-1]["end_s"]):
            found.append(clip)
    return found


def agreeing(facts: Facts) -> Facts:
    """The facts without captions of models that contradict what a person said about the same time (the person wins); numbered
    anew, e1 and on.
    """
    told = [f for f in facts.values() if f.kind == "event"]
    kept = [
        fact
        for fact in facts.values()
        if fact.kind != "caption"
        or not any(
            fact.span and f.span and overlap_s(fact.span, f.span) > 0 and contradicts(fact.text or "", f.text or "")
            for f in told
        )
    ]
    return Facts(replace(fact, name=f"e{i}") for i, fact in enumerate(kept, start=1))


def written(text: str, facts: Facts, window: Span) -> Resolved:
    """The text with its slots filled. Raises `Refused` with the first problem."""
    resolved = resolve(text, facts, window)
    for problem in resolved.problems:
        raise Refused(problem.rule, problem.detail)
    return resolved


def complaint(
    texts: Iterable[str], claims: Iterable[TimeClaim], names: Iterable[str], facts: Facts, window: Span
) -> str:
    """What is wrong with the slots, claims and names of one item, in words that help to mend it; "" when nothing is."""
    whole = list(texts)
    problems = [p for text in whole for p in resolve(text, facts, window).problems]
    problems += claim_problems(list(claims), "", facts, window)
    problems += [SlotProblem("unknown_evidence", f"there is no {n}") for n in names if n not in facts]
    return "; ".join(str(p) for p in problems[:3])


def require_claims(claims: Sequence[TimeClaim], text: str, facts: Facts, window: Span) -> None:
    """Raises `Refused` with the first claim that does not hold, or that the text contradicts."""
    for problem in claim_problems(claims, text, facts, window):
        raise Refused(problem.rule, problem.detail)


def require_known(names: Iterable[str], facts: Facts) -> None:
    """Raises `Refused` for a name that is not in the list."""
    for name in names:
        if name not in facts:
            raise Refused("unknown_evidence", f"there is no {name}")


def in_list_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names, each once, in the order in which facts are listed and cited."""
    return tuple(sorted(set(names), key=name_order))


def used_names(
    texts: Sequence[str], claims: Iterable[TimeClaim], told: Iterable[str], facts: Facts, window: Span
) -> tuple[str, ...]:
    """Every fact that a proposal rests on, in list order: named by slots, quoted in its texts, claimed about, or said to be used."""
    claimed = [name for claim in claims for name in (claim.a, claim.b) if name]
    quoted = [name for text in texts for name in resolve(text, facts, window).cited]
    return in_list_order([*told, *names_in(*texts), *claimed, *quoted])


def needs_of(facts: Facts, names: Iterable[str]) -> tuple[Need, ...]:
    """What a model must perceive to find these facts."""
    found = {need for name in names for need in NEEDS.get(facts[name].kind, ("vision",))}
    return tuple(need for need in _ORDER if need in found)


def evidence_of(
    media: RowDict, clips: Sequence[RowDict], facts: Facts, names: Sequence[str], proposals: Sequence[RowDict]
) -> tuple[Evidence, ...]:
    """Citations in the order of this module."""
    return (
        cite("media", media, MEDIA_COLUMNS),
        *(cite("clips", c, CLIP_COLUMNS) for c in clips),
        *cited(facts, names),
        *(cite("proposals", p, PROPOSAL_COLUMNS) for p in proposals),
    )


@dataclass(frozen=True)
class Cited:
    """What a stored sample cites, as it is stored now."""

    media: RowDict
    clips: Sequence[RowDict]
    proposals: Sequence[RowDict]
    facts: tuple[EvidenceRow, ...]

    def facts_named(self, names: Sequence[str]) -> Facts:
        """The cited facts under these names, in list order."""
        return facts_from(self.facts, in_list_order(names))


def read_back(evidence: Sequence[EvidenceRow]) -> Cited:
    """The parts of the evidence. Raises `Withheld` when the medium is missing."""
    rest = tuple(e for e in evidence if e.table not in ("media", "clips", "proposals"))
    return Cited(only_row(evidence, "media"), rows_of(evidence, "clips"), rows_of(evidence, "proposals"), rest)


def require_unmistakable(names: Iterable[str], facts: Facts, own: Iterable[str] = ()) -> None:
    """Raises `Refused` when one of the facts is described like another one at another time, so that it could be either."""
    known = set(own)
    for name in dict.fromkeys(n for n in names if n in facts):
        fact = facts[name]
        for other in facts.values():
            if other.name == name or other.name in known or not (other.text and fact.text):
                continue
            apart = fact.span is None or other.span is None or overlap_s(fact.span, other.span) == 0
            if apart and alike_descriptions(fact.text, other.text) >= SAME:
                raise Refused("not_unique", f"{name} and {other.name} are described alike: {fact.text!r}")


def require_window(clips: Sequence[RowDict], window: Span) -> None:
    """Raises `Withheld` unless the clips make up exactly the window."""
    if [(w.start_s, w.end_s) for w, _ in stretches(clips, window.length_s)] != [(window.start_s, window.end_s)]:
        raise Withheld("the shown window is not what the cited clips make up")


def fact_words(facts: Facts, name: str) -> str:
    """A fact as rationales write it: its words, quoted, and its span."""
    fact = facts[name]
    words = quote(" ".join((fact.text or fact.kind).split()))
    return f"{words} at {span_mark(fact.span)}" if fact.span else words


def claim_words(claim: TimeClaim, facts: Facts) -> str:
    """A verified claim as a step of a rationale."""
    a = fact_words(facts, claim.a)
    if claim.b is None:
        return f"{a} lies in the {claim.rel} of the footage shown."
    verb = {"before": "ends before", "after": "starts after", "during": "lies within", "overlaps": "overlaps with"}
    return f"{a} {verb.get(claim.rel, 'begins before')} {fact_words(facts, claim.b)}."


def same_form(sample: Sample, expected: Sample) -> Sample:
    """`expected`, when the sample's wording and form are those that its content has. Raises `Withheld` otherwise."""
    for name in ("wording", "answer_form"):
        if getattr(sample, name) != getattr(expected, name):
            raise Withheld(f"{name} {getattr(sample, name)!r} is not {getattr(expected, name)!r}")
    return expected
