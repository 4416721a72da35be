"""When is this said, or on screen? The options are spans; wrong ones overlap the truth a little, or hold another text.

Four options: the spans of two texts of the window, and each of them shifted (tIoU 0.1 to 0.4: earlier, later, longer or
shorter). The right one is neither the first nor the widest nor the only one with a rival: which way a span is shifted is
drawn only where either is possible. The same options are asked about both texts, as a minimal pair. Both texts stand once in the window, which the falsity test finds out.
"""

from __future__ import annotations

from pydantic import Field

from ...engine.distractors.falsity import repetitions, why_span_true
from ...engine.distractors.spans import WAYS, shifted
from ...engine.distractors.texts import Told, gap_s
from ...engine.distractors.vocabulary import NEAR_IN_TIME, Distractor
from ...schemas.chain_building import Trail
from ...schemas.ids import seeded_fraction
from ...schemas.markup import quote
from ...schemas.sample import Option
from ...schemas.span import Span
from .chain_of_choices import span_chain
from .choosing import Choice
from .common import Withheld, span_mark
from .told import NEEDS, touching
from .told_choice import Ground, ToldChoice, ToldChoiceParams, difficulty, listed


class Params(ToldChoiceParams):
    """Parameters of span_choice."""

    tiou: tuple[float, float] = Field(
        (0.1, 0.4), description="Least and greatest tIoU of a shifted span with the truth."
    )
    length_ratio_max: float = Field(
        1.4, ge=1, description="Longest over shortest of two spoken texts' spans: long quotations fit long spans only."
    )
    resized_share: float = Field(
        0.3,
        ge=0,
        le=1,
        description="Share of shown texts whose shifted span is longer or shorter; else, and for speech (whose length "
        "the words give away), it is as long as the truth.",
    )


class SpanChoice(ToldChoice[Params]):
    """Samples from `words`, `speech` and `text_regions` of one medium."""

    name = "span_choice"
    version = 3
    Params = Params
    second = "speech"

    def choice(self, ground: Ground, window: Span) -> Choice:
        """Both texts' spans and each of them shifted."""
        if len(ground.others) != 1:
            raise Withheld("the options are made from two texts")
        asked, other = ground.asked, ground.others[0]
        for item in (asked, other):
            again = repetitions(item, touching(ground.witnesses, window))
            if again:
                raise Withheld(f"{item.text!r} is told again from {again[0].span.start_s:g} s")
        moved = {
            item: self._shifted(item, other if item is asked else asked, ground, window) for item in (asked, other)
        }
        right = Option(text=span_mark(asked.span))
        wrong = [
            moved[asked],
            *(Distractor(s, NEAR_IN_TIME, gap_s(s, asked.span)) for s in (other.span, moved[other].value)),
        ]
        if any(d.kind == NEAR_IN_TIME and d.margin <= 0 for d in wrong):
            raise Withheld("a span of the other text touches the asked one")
        options = [
            right,
            *(Option(text=span_mark(d.value), distractor_kind=d.kind, margin=round(d.margin, 6)) for d in wrong),
        ]
        ordered, index = listed(self.name, options, right)
        verb = {"said": "said", "shown": "on screen"}[ground.kind]
        steps = (
            f"{quote(asked.text)} is {verb} in {span_mark(asked.span)} and nowhere else in the footage shown.",
            f"{span_mark(moved[asked].value)} shares only a part of that.",
            f"In {span_mark(other.span)} it is {quote(other.text)}.",
        )
        factors = difficulty(ground, window, options=float(len(options)))
        spans = {span_mark(s): s for s in (asked.span, *(d.value for d in wrong))}

        def chain(trail: Trail) -> None:
            span_chain(trail, ground, window, [spans[o.text] for o in ordered], other.span, self.params.min_confidence)

        slots = {"quote": quote(asked.text)}
        return Choice(ordered, index, steps, factors, NEEDS[ground.kind], ground.kind, slots, chain)

    def _shifted(self, item: Told, other: Told, ground: Ground, window: Span) -> Distractor[Span]:
        """A shifted span that is wrong about both texts. Raises `Withheld`.

        Both ways must be possible before one is drawn: else the way would tell where the window or the other text is.
        """
        key = (self.name, item.text, item.span.start_s)
        resized = ground.kind == "shown" and seeded_fraction("resized", *key) < self.params.resized_share
        ways = WAYS[2:] if resized else WAYS[:2]
        proposals = shifted(item.span, window, *key, tiou_range=self.params.tiou, ways=ways)
        for proposal in proposals:
            reason = why_span_true(proposal.value, item.span, [other.span], max_tiou=self.params.tiou[1])
            if reason or gap_s(proposal.value, other.span) <= 0:
                raise Withheld(reason or "a shifted span touches the other text's")
        if len(proposals) < len(ways):
            raise Withheld(f"no room to shift the span of {item.text!r}")
        return proposals[int(seeded_fraction("drawn way", *key) * len(proposals))]


ANNOTATOR = SpanChoice
