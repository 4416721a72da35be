"""Checks of samples by rule alone, beyond their verdicts: does the question give its answer away, is what a model wrote grounded.

`leak`: the question quotes its answer, or the description that tells it. For samples that a model proposed also `slots` (the
proposal resolves without a problem over the evidence that it was shown), `claims` (its temporal claims hold, and no number is
left that nothing explains) and `key` (numbers and quotations of the answer stand in the cited evidence). They look at
spelling only: a question that paraphrases its answer is for the blind reader to find.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, ValidationError

from ...engine.annotator import Params, Row, Rows, SkipUnit, Stage, Unit, UnitAnnotator
from ...engine.kept import stored_samples
from ...engine.llm.evidence import facts_from, plain
from ...engine.task import EvidenceRow
from ...schemas.facts import Fact, Facts
from ...schemas.markup import Media, OptionsMark, Token, parse, render, replace
from ...schemas.matching import content_words, quoted_parts
from ...schemas.metrics import normalise_words
from ...schemas.number_words import numbers_in, value_of
from ...schemas.sample import ChoiceAnswer, Evidence, Sample, TextAnswer
from ...schemas.slots import resolve
from ...schemas.span import Span
from ...schemas.time_claims import TimeClaim, claim_problems

TOLD_IN = ("text", "label", "phrase", "subject", "predicate", "object_text")
"""Columns of evidence that hold words."""
MEANT_FALSE = ("fib", "fib_claims")
"""Parts of proposals that are wrong on purpose: only their slots are read again."""
LABELS = frozenset({"true", "false", "yes", "no"})
"""Options that a question may name."""
Found = tuple[bool | None, str]


class SampleRulesParams(Params):
    """Parameters of `sample_rules`."""

    run: int = Field(5, ge=2, description="Words in a row that a question must not share with what tells its answer.")


class SampleRules(UnitAnnotator[SampleRulesParams]):
    """Writes `sample_checks` of the names `leak`, `slots`, `claims` and `key`."""

    name: ClassVar[str] = "sample_rules"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = SampleRulesParams
    reads: ClassVar[tuple[str, ...]] = ("samples", "proposals")
    optional_reads: ClassVar[tuple[str, ...]] = ("proposals",)
    writes: ClassVar[tuple[str, ...]] = ("sample_checks",)
    stage: ClassVar[Stage] = "task"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Rows about the samples of one medium, in their order."""
        if not rows["samples"]:
            raise SkipUnit("no samples")
        proposals: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows["proposals"]:
            if row["sample_id"]:
                proposals[str(row["sample_id"])].append(row)
        for sample_id, sample in stored_samples(rows):
            for check, (passed, detail) in self._checks(sample, proposals.get(sample_id, ())):
                yield (
                    "sample_checks",
                    {
                        "media_id": sample.media[0].media_id,
                        "sample_id": sample_id,
                        "task": sample.task,
                        "check_name": check,
                        "variant": "",
                        "passed": passed,
                        "score": None if passed is None else float(passed),
                        "detail": detail or None,
                    },
                )

    def _checks(self, sample: Sample, proposals: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Found]]:
        answer = answer_words(sample)
        if answer and not any(ref.kind == "text" for ref in sample.media):
            why = leak(sample, answer, self.params.run)
            yield "leak", (not why, why)
        if proposals:
            found = [read_again(row, sample.window) for row in proposals]
            slots = "; ".join(problem for problems, _, _ in found for problem in problems)
            wrong = "; ".join(problem for _, problems, _ in found for problem in problems)
            open_numbers = [number for _, _, numbers in found for number in numbers]
            yield "slots", (not slots, slots)
            if wrong or not open_numbers:
                yield "claims", (not wrong, wrong)
            else:
                yield "claims", (None, f"numbers that nothing explains: {', '.join(dict.fromkeys(open_numbers))}")
            why = ungrounded(sample)
            yield "key", (not why, why)


# -- leak -----------------------------------------------------------------------------------------------------------------


def answer_words(sample: Sample) -> list[str]:
    """The words of the answer: of the right option, or of a free text. Empty where the answer is no words."""
    if isinstance(sample.answer, ChoiceAnswer):
        option = sample.options[sample.answer.index].text
        words = [] if any(isinstance(t, Media) for t in parse(option)) else normalise_words(plain(option))
        return [] if set(words) <= LABELS else words
    return normalise_words(plain(sample.answer.text)) if isinstance(sample.answer, TextAnswer) else []


def leak(sample: Sample, answer: Sequence[str], run: int) -> str:
    """How the question gives its answer away; empty when it does not."""
    asked = normalise_words(question_words(sample))
    others = [
        normalise_words(plain(option.text))
        for i, option in enumerate(sample.options)
        if not (isinstance(sample.answer, ChoiceAnswer) and i == sample.answer.index)
    ]
    telling = content_words(" ".join(answer))
    alone = not any(stands_in(other, asked) or stands_in(answer, other) for other in others)
    if telling and alone and stands_in(answer, asked):
        return f"the question says {' '.join(answer)!r}, which is the answer"
    elsewhere = {r for other in others for r in runs(other, run)}
    for shared in runs(asked, run):
        if shared in runs(answer, run) and shared not in elsewhere:
            return f"the question quotes the answer: {' '.join(shared)!r}"
    for cited in sample.evidence:
        told = normalise_words(plain(str(cited.values.get("text") or ""))) if cited.table == "captions" else []
        if telling and stands_in(answer, told):
            for shared in runs(asked, run):
                if shared in runs(told, run):
                    return f"the question quotes the description that tells its answer: {' '.join(shared)!r}"
    return ""


def question_words(sample: Sample) -> str:
    """What the user says, without the options and without markup."""
    text = "\n".join(turn.text for turn in sample.turns if turn.role == "user")
    return plain(replace(text, lambda token: " " if isinstance(token, OptionsMark) else _kept(token)))


def _kept(token: Token) -> str:
    return render([token])


def runs(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """All runs of `n` words."""
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def stands_in(run: Sequence[str], words: Sequence[str]) -> bool:
    """Whether a run of words stands in others."""
    n = len(run)
    return n > 0 and any(list(words[i : i + n]) == list(run) for i in range(len(words) - n + 1))


# -- what a model wrote ---------------------------------------------------------------------------------------------------


def read_again(row: Mapping[str, Any], window: Span) -> tuple[list[str], list[str], list[str]]:
    """(problems of slots, claims that do not hold, numbers that nothing explains) of a proposal, over what it was shown."""
    facts = shown_facts(row["evidence"] or ())
    slots: list[str] = []
    wrong: list[str] = []
    numbers: list[str] = []
    proposal = json.loads(row["proposal_json"] or "{}")
    honest = {k: v for k, v in proposal.items() if k not in MEANT_FALSE}
    for part in (honest, {k: proposal[k] for k in MEANT_FALSE if k in proposal}):
        for text in _texts(part):
            resolved = resolve(text, facts, window)
            slots += [str(p) for p in resolved.problems if p.rule != "contradiction"]
            if part is honest:
                wrong += [str(p) for p in resolved.problems if p.rule == "contradiction"]
                numbers += resolved.numbers
    wrong += [str(p) for claim in _time_claims(honest) for p in claim_problems([claim], "", facts, window)]
    return slots, wrong, numbers


def shown_facts(evidence: Iterable[Mapping[str, Any]]) -> Facts:
    """The numbered list that a model was shown, from its proposal's row."""
    found: list[Fact] = []
    for line in evidence:
        values = json.loads(line["values_json"])
        name = values.pop("name")
        try:
            made = facts_from([EvidenceRow(line["source_table"], {**values, "row_id": line["row_id"]})], [name])
        except (ValueError, KeyError, TypeError):
            continue
        found.append(made[name])
    return Facts(found)


def _texts(value: Any) -> Iterator[str]:
    """Sentences of a proposal: texts with a slot, or of several words."""
    if isinstance(value, str):
        if "{" in value or " " in value.strip():
            yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, Sequence):
        for part in value:
            yield from _texts(part)


def _time_claims(value: Any) -> Iterator[TimeClaim]:
    if isinstance(value, Mapping):
        if value.keys() == {"rel", "a", "b"}:
            try:
                yield TimeClaim.model_validate(value)
            except ValidationError:
                return
        for part in value.values():
            yield from _time_claims(part)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _time_claims(part)


def ungrounded(sample: Sample) -> str:
    """Numbers and quotations of the answer that no cited evidence holds; empty when all are there."""
    if isinstance(sample.answer, ChoiceAnswer):
        said = plain(sample.options[sample.answer.index].text)
    elif isinstance(sample.answer, TextAnswer):
        said = plain(sample.answer.text)
    else:
        said = plain(sample.turns[-1].text)
    told = [text for cited in sample.evidence for text in _told(cited)]
    words = [normalise_words(text) for text in told]
    known = {value_of(number) for text in told for number in numbers_in(text)}
    missing = [f"“{q}”" for q in quoted_parts(said) if not any(stands_in(normalise_words(q), w) for w in words)]
    plain_said = said
    for quotation in quoted_parts(said):
        plain_said = plain_said.replace(quotation, " ")
    missing += [n for n in numbers_in(plain_said) if value_of(n) not in known]
    return f"not in the cited evidence: {', '.join(missing)}" if missing else ""


def _told(cited: Evidence) -> list[str]:
    values = cited.values
    return [plain(str(values[name])) for name in TOLD_IN if cited.table != "proposals" and values.get(name)]


ANNOTATOR = SampleRules
