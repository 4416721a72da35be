"""What is said, or which text is on screen, at this time? The options are texts; wrong ones are told at another moment,
or differ from what is told in one word.

With one-edit options there are four: two texts of the window and one edit of each. Else the wrong ones are other texts of
the window and one from elsewhere in the footage. Each wrong option passes the falsity test against all that is told in
the asked span, and the style test. The same options are asked about at both moments, as a minimal pair.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from ...engine.distractors.edits import one_edits
from ...engine.distractors.falsity import why_edit_told, why_told
from ...engine.distractors.style import may_stand_beside, style_problem
from ...engine.distractors.texts import Told, elsewhere, gap_s, near_in_time
from ...engine.distractors.vocabulary import ELSEWHERE, NEAR_IN_TIME, Distractor, first_that
from ...schemas.chain_building import Trail
from ...schemas.ids import seeded_fraction
from ...schemas.markup import escape, quote
from ...schemas.sample import Option
from ...schemas.span import Span
from .chain_of_choices import moment_chain
from .choosing import Choice
from .common import Withheld, span_mark
from .told import NEEDS, Source, unsure_words
from .told_choice import Ground, ToldChoice, ToldChoiceParams, difficulty, listed


class Params(ToldChoiceParams):
    """Parameters of moment_choice."""

    options: int = Field(4, ge=3, le=6, description="Options where wrong ones come from other moments only.")
    edit_share: float = Field(
        0.4,
        ge=0,
        le=1,
        description="Share of pairs that try texts with one word changed; the others take texts that are told. Edited texts "
        "are never right: where footage repeats its sentences, many of them would tell what is.",
    )
    min_word_confidence: float = Field(0.7, description="Least confidence of a word that an edit may replace.")


class MomentChoice(ToldChoice[Params]):
    """Samples from `words`, `speech` and `text_regions` of one medium."""

    name = "moment_choice"
    version = 5
    Params = Params
    second = "speech"

    def more(self, asked: Told, other: Told, source: Source, window: Span) -> list[tuple[Told, ...]]:
        """No further text (the options are edits), else other texts of the window and one from elsewhere."""
        rest = [x for x in source.told if x not in (asked, other)]
        near = [d.value for d in near_in_time(asked, rest, self.params.gap_s[0]) if window.contains_span(d.value.span)]
        far = [d.value for d in elsewhere(asked, rest, window)]
        wanted = self.params.options - 2
        fitting = [x for x in (*near[: wanted - 1], *far, *near[wanted - 1 :]) if may_stand_beside(x.text, asked.text)]
        chosen: list[Told] = []
        for item in fitting:
            texts = [x.text for x in (asked, other, *chosen, item)]
            fits = not style_problem(texts) and not any(_is_true(item.text, x, chosen) for x in (asked, other))
            if fits and len(chosen) < wanted and len(set(texts)) == len(texts):
                chosen.append(item)
        told = [tuple(chosen)] if chosen else []
        first = min((asked, other), key=lambda x: x.span)
        edited = seeded_fraction(self.name, "edit", first.text, first.span.start_s) < self.params.edit_share
        return [(), *told] if edited else [*told, *([()] if self.params.edit_share > 0 else [])]

    def choice(self, ground: Ground, window: Span) -> Choice:
        """The asked text, the other one, and edits of both or further texts."""
        asked = ground.asked
        right = Option(text=escape(asked.text))
        wrong = [self._other(item, ground, window) for item in ground.others]
        if len(ground.others) == 1:
            wrong += [self._edit(item, ground) for item in ground.pair]
        problem = style_problem([asked.text, *(d.value for d in wrong)])
        if problem:
            raise Withheld(problem)
        options = [
            right,
            *(Option(text=escape(d.value), distractor_kind=d.kind, margin=round(d.margin, 6)) for d in wrong),
        ]
        ordered, index = listed(self.name, options, right)
        steps = _steps(ground, window, wrong)
        factors = difficulty(ground, window, options=float(len(options)))
        told = {escape(text): text for text in (asked.text, *(d.value for d in wrong))}

        def chain(trail: Trail) -> None:
            texts, sure = [told[o.text] for o in ordered], self.params.min_confidence
            moment_chain(trail, ground, window, texts, [d.value for d in wrong], sure)

        slots = {"span": span_mark(asked.span)}
        return Choice(ordered, index, steps, factors, NEEDS[ground.kind], ground.kind, slots, chain)

    def _other(self, item: Told, ground: Ground, window: Span) -> Distractor[str]:
        """A text of another moment. Raises `Withheld` when it may be told in the asked span."""
        away = gap_s(item.span, ground.asked.span)
        inside = window.contains_span(item.span)
        if not inside and gap_s(item.span, window) == 0:
            raise Withheld(f"{item.text!r} is cut by the window's edge")
        if away < self.params.gap_s[0]:
            raise Withheld(f"{item.text!r} is told {away:g} s from the asked span only")
        reason = why_told(item.text, ground.asked.span, ground.witnesses, own=item.span)
        if reason:
            raise Withheld(f"option {item.text!r}: {reason}")
        return Distractor(item.text, NEAR_IN_TIME if inside else ELSEWHERE, away)

    def _edit(self, item: Told, ground: Ground) -> Distractor[str]:
        """The first edit of `item` that is told nowhere. The same for both samples of a pair. Raises `Withheld`."""
        corpus = [w.text for w in ground.witnesses]
        unsure = unsure_words(item, ground.rows, self.params.min_word_confidence)
        proposals = one_edits(item.text, corpus, unsure=unsure, min_context=ground.kind == "said")

        def problem(proposal: Distractor[str]) -> str:
            style = style_problem([proposal.value, *(x.text for x in ground.pair)])
            told = (why_edit_told(proposal.value, item, x.span, ground.witnesses) for x in ground.pair)
            return style or next((reason for reason in told if reason), "")

        found = first_that(proposals, problem)
        if found is None:
            raise Withheld(f"no edit of {item.text!r} is surely wrong")
        return found


def _is_true(text: str, asked: Told, others: Sequence[Told]) -> bool:
    return bool(why_told(text, asked.span, [asked])) or any(why_told(text, x.span, [x]) for x in others)


def _steps(ground: Ground, window: Span, wrong: Sequence[Distractor[str]]) -> tuple[str, ...]:
    """What is told when; edited texts are named as such."""
    verb = {"said": "I hear", "shown": "I read"}[ground.kind]
    steps = [f"In {span_mark(ground.asked.span)}, {verb} {quote(ground.asked.text)}."]
    by_text = {x.text: x for x in ground.others}
    for d in wrong:
        item = by_text.get(d.value)
        if item is None:
            steps.append(f"{quote(d.value)} is not {ground.kind} anywhere in the footage shown.")
        elif window.contains_span(item.span):
            steps.append(f"{quote(d.value)} is {ground.kind} in {span_mark(item.span)}, not then.")
        else:
            steps.append(f"{quote(d.value)} is not {ground.kind} in the footage shown.")
    return tuple(steps)


ANNOTATOR = MomentChoice
