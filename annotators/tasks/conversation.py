"""Several questions about one medium, one after the other: samples of other tasks grouped into one with many turns.

Turns go from long spans to short ones, refer back ("that", "the same stretch"), and no turn may give away a later
answer; the streaming form asks each question as soon as its evidence has been shown, never before. Members are cited
with all that they rest on: a conversation is as right, and as true, as its members, and stale when one changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field, field_validator

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import medium_row, split_of
from ...engine.task import EvidenceRow, Task
from ...schemas.ids import seeded_fraction
from ...schemas.sample import BoxAnswer, Sample, SpanAnswer, SpanBoxAnswer, TurnsAnswer
from ...schemas.span import union_length_s
from ...schemas.verifying import Check
from .common import Withheld, rebuilt, rows_of, shuffled, wordings_of
from .leaks import leaks
from .talk import REFERENCES, Link, Member, arranged, conversation, links, member_of, said_in, too_early, window_of

CANDIDATES = 48
"""Samples that are considered for one conversation beside its first."""


class Params(BaseParams):
    """Parameters of conversation."""

    turns: tuple[int, int] = Field((3, 8), description="Least and greatest number of questions.")
    per_medium: int = Field(2, ge=1, description="Conversations per medium, at most; none shares a sample.")
    most_window_s: float = Field(120.0, gt=0, description="Longest footage that a conversation shows.")
    min_asked: float = Field(0.3, ge=0, le=1, description="Share of what is shown that the questions are about.")
    streaming: bool = Field(False, description="Ask while the footage runs: nothing later than a turn may be needed.")
    train: Literal["all", "last"] = Field("all", description="Which answers are trained; the others' loss is masked.")
    mix_sound: bool = Field(
        False,
        description="Questions to the sound and to the picture in one conversation; trainers without sound lose it.",
    )
    min_details: int = Field(
        0, ge=0, description="Turns of a conversation, at least, that only a detail answers: something brief, or small."
    )
    detail_s: float = Field(2.0, gt=0, description="Longest span of an answer that is brief.")
    detail_area: float = Field(
        0.02, gt=0, le=1, description="Largest box of an answer that is small, as a share of the picture."
    )
    tasks: tuple[str, ...] | None = Field(None, description="Only samples of these tasks become turns.")

    @field_validator("turns")
    @classmethod
    def _ordered(cls, turns: tuple[int, int]) -> tuple[int, int]:
        if not 2 <= turns[0] <= turns[1] <= 26:
            raise ValueError("turns is [least, greatest], between 2 and 26")
        return turns


class Conversation(Task[Params]):
    """Samples from `samples` of one medium."""

    name = "conversation"
    version = 3
    Params = Params
    reads = ("media", "samples", "footage_groups")
    optional_reads = ("footage_groups",)
    must_hurt = ()

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` conversations."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        if medium_row(rows, media_id)["origin"] == "edited":
            raise SkipUnit("an edited twin; its samples rest on its source")
        found = [m for m in map(member_of, rows["samples"]) if m is not None]
        mine = [m for m in found if m.sample.media[0].media_id == media_id and self._wanted(m)]
        if len(mine) < self.params.turns[0]:
            raise SkipUnit(f"fewer than {self.params.turns[0]} samples that could be turns")
        split = split_of(rows, media_id)
        for members in self._groups(mine, unit.seed, media_id):
            yield "samples", self._built(unit, members, split).to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Whether no turn gives away or needs what comes later, then the rebuild from the cited members."""
        members = [m for m in map(member_of, rows_of(evidence, "samples")) if m is not None]
        try:
            given_away = leaks(said_in(sample), sample.window)
        except Withheld as reason:
            return Check(False, str(reason), 0.0)
        if given_away:
            return Check(False, "; ".join(given_away), 0.0)
        assert isinstance(sample.answer, TurnsAnswer)
        parts = sample.answer.parts
        if self.params.streaming and (early := too_early(sample, members)):
            return Check(False, early, 0.0)

        def build() -> Sample:
            if not self.params.turns[0] <= len(members) <= self.params.turns[1]:
                raise Withheld(f"{len(members)} turns, not {self.params.turns[0]} to {self.params.turns[1]}")
            self._require_window(members)
            _require_no_pairs(members)
            self._require_details(members)
            return self._conversation(sample.recipe, members, [(p.lead, p.form) for p in parts])

        return rebuilt(sample, build)

    # -- choosing ---------------------------------------------------------------------------------------------------

    def _wanted(self, member: Member) -> bool:
        tasks = self.params.tasks
        return tasks is None or member.sample.task in tasks

    def _groups(self, members: Sequence[Member], seed: int, media_id: str) -> Iterable[list[Member]]:
        """Groups in the order of turns, each begun with a sample that none before has used."""
        least, most = self.params.turns
        waiting = shuffled(members, seed, self.name, key=lambda m: m.sample.sample_id)
        if self.params.min_details:  # each group begins with a detail; the shuffled order decides between equals
            waiting.sort(key=lambda m: not self._is_detail(m))
        made = 0
        while len(waiting) >= least and made < self.params.per_medium:
            size = least + int(seeded_fraction(seed, self.name, media_id, made, "turns") * (most - least + 1))
            group = self._grown(waiting, size)
            if len(group) >= least and self._details(group) >= self.params.min_details:
                made += 1
                yield arranged(group, self.params.streaming)
                used = {m.sample.sample_id for m in group}
                waiting = [m for m in waiting if m.sample.sample_id not in used]
            else:
                waiting = waiting[1:]

    def _grown(self, waiting: Sequence[Member], size: int) -> list[Member]:
        """The first waiting sample and what can join it: what lets turns refer back, then rare tasks of the group."""
        group = [waiting[0]]
        alike = [m for m in waiting[1:] if self.params.mix_sound or _heard(m) == _heard(group[0])]
        rest = alike[:CANDIDATES]
        while rest and len(group) < size:
            tasks = [m.sample.task for m in group]
            # stable: the shuffled order decides between equals
            rest.sort(key=lambda m: (-self._references([*group, m]), tasks.count(m.sample.task)))
            joining = next((m for m in rest if self._fits([*group, m])), None)
            if joining is None:
                break
            group.append(joining)
            rest.remove(joining)
        return group

    def _references(self, members: Sequence[Member]) -> int:
        ordered = arranged(members, self.params.streaming)
        return sum(link.kind in REFERENCES for link in self._links(ordered))

    def _fits(self, members: Sequence[Member]) -> bool:
        """Whether they make a conversation without leaks; wordings do not matter for that."""
        ordered = arranged(members, self.params.streaming)
        try:
            self._require_window(ordered)
            _require_no_pairs(ordered)
            wordings = wordings_of(self.name)
            kinds = [wordings.kinds[link.kind] for link in self._links(ordered)]
            sample = self._conversation("", ordered, [(k.questions[0].id, k.answers[0].id) for k in kinds])
            return not leaks(said_in(sample), sample.window)
        except Withheld:
            return False

    def _built(self, unit: Unit, members: Sequence[Member], split: str) -> Sample:
        chosen = []
        ids = [m.sample.sample_id for m in members]
        for k, link in enumerate(self._links(members)):
            lead, form = wordings_of(self.name).choose(link.kind, unit.seed, ids, k, split=split)
            chosen.append((lead.id, form.id))
        return self._conversation(unit.recipe, members, chosen)

    def _conversation(self, recipe: str, members: Sequence[Member], worded: Sequence[tuple[str, str]]) -> Sample:
        return conversation(
            recipe, f"{self.name}@{self.version}", members, worded,
            streaming=self.params.streaming, train=self.params.train,
        )  # fmt: skip

    def _links(self, members: Sequence[Member]) -> list[Link]:
        return links(members, window_of(members, self.params.streaming), self.params.streaming)

    def _is_detail(self, member: Member) -> bool:
        """Whether its answer is brief or small: what compressing the footage loses first."""
        answer = member.sample.answer
        if isinstance(answer, SpanAnswer | SpanBoxAnswer) and answer.end_s - answer.start_s <= self.params.detail_s:
            return True
        if isinstance(answer, BoxAnswer | SpanBoxAnswer):
            x1, y1, x2, y2 = answer.box
            return (x2 - x1) * (y2 - y1) <= self.params.detail_area
        return False

    def _details(self, members: Sequence[Member]) -> int:
        return sum(self._is_detail(m) for m in members)

    def _require_details(self, members: Sequence[Member]) -> None:
        found = self._details(members)
        if found < self.params.min_details:
            raise Withheld(f"{found} turns about a detail, not {self.params.min_details}")

    def _require_window(self, members: Sequence[Member]) -> None:
        window = window_of(members, self.params.streaming)
        if window.length_s > self.params.most_window_s:
            raise Withheld(f"the window is {window.length_s:g} s long, more than {self.params.most_window_s:g} s")
        asked = union_length_s(m.scope for m in members) / window.length_s
        if asked < self.params.min_asked:
            raise Withheld(
                f"the questions are about {asked:.0%} of what is shown, less than {self.params.min_asked:.0%}"
            )


def _require_no_pairs(members: Sequence[Member]) -> None:
    """Raises `Withheld` for a minimal pair among the turns: the same options are then asked about twice, and the answer to
    one rules out an option of the other.
    """
    pairs = [m.sample.pair_id for m in members if m.sample.pair_id is not None]
    if len(set(pairs)) < len(pairs):
        raise Withheld("two turns are a minimal pair: the answer to one rules out an option of the other")


def _heard(member: Member) -> bool:
    return not {"audio", "speech_text"}.isdisjoint(member.sample.needs)


ANNOTATOR = Conversation
