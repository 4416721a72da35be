"""A walk through a space in sets of new pictures, with questions after each set: where am I by now, what have I seen, where is it?

The fifteen kinds of question of OST-Bench as one conversation per clip. Each answer is made from a view of the pictures so far,
so nothing later can be needed; checking replays every prefix on the cited rows. Kinds are taken in turn, those asked least in
this walk first, and of a kind's candidates every answer is as likely as any other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from pydantic import Field

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.spaces import space_in
from ...engine.task import EvidenceRow
from ...schemas.chain import Step
from ...schemas.evenly import evenly
from ...schemas.ids import seeded_fraction
from ...schemas.sample import Sample, TurnsAnswer
from ...schemas.space import Space
from ...schemas.span import Span
from ...schemas.verifying import Check
from ..asks.ask import Kind
from ..asks.gate import why_not
from ..asks.online import (
    OnlineRule,
    OrientationEstimation,
    OrientationJudgement,
    PositionEstimation,
    PositionJudgement,
)
from ..asks.online_seen import (
    DiversityJudgement,
    ExistenceJudgement,
    ExistenceWhen,
    OrderJudgement,
    QuantityCounting,
)
from ..asks.online_things import (
    DirectionEstimation,
    DirectionJudgement,
    DirectionWhen,
    DistanceChange,
    DistanceEstimation,
    DistanceJudgement,
    DistanceWhen,
)
from ..asks.view import View
from .common import RowDict, Withheld, only_row, rebuilt, rows_of, shuffled, wordings_of
from .online_talk import Asked, about_of, shown_until, talked
from .space_evidence import view_of
from .space_task import ASKED, Candidate, SpaceParams, SpaceTask, confidence, tier

KINDS = (
    PositionJudgement, PositionEstimation, OrientationJudgement, OrientationEstimation, ExistenceJudgement, ExistenceWhen,
    OrderJudgement, DiversityJudgement, QuantityCounting, DirectionJudgement, DirectionEstimation, DirectionWhen,
    DistanceChange, DistanceJudgement, DistanceEstimation, DistanceWhen,
)  # fmt: skip
TIERS = ("exact", "two_source", "model", "judge")


class Params(SpaceParams):
    """Parameters of ost_online_turns."""

    rule: OnlineRule = Field(OnlineRule(), description="Pictures of a turn, and when a question has one answer.")
    turns: int = Field(5, ge=2, le=16, description="Turns of a walk (OST-Bench: 5).")
    questions: int = Field(2, ge=1, le=6, description="Questions after each set of pictures, at most.")
    per_kind: int = Field(2, ge=1, description="Questions of a kind in one conversation, at most.")
    tries: int = Field(60, ge=1, description="Candidates of a kind and turn that are solved, at most.")


class OstOnlineTurns(SpaceTask[Params]):
    """One conversation per kept clip of a space."""

    name = "ost_online_turns"
    version = 1
    Params = Params

    def kinds(self) -> Sequence[Kind]:
        """All sixteen (the fifteen subtypes; comparing distances has two forms)."""
        return tuple(kind(self.params.rule) for kind in KINDS)

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A conversation for each kept clip with enough posed pictures."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        space = space_in(rows)
        media, split = medium_row(rows, media_id), split_of(rows, media_id)
        clips = kept_clips(rows, media_id)
        if not clips:
            raise SkipUnit("no clip is kept")
        reasons: Counter[tuple[str, str]] = Counter()
        for clip in clips:
            try:
                found = self._conversation(unit, space, media, clip, split, reasons)
            except Withheld as reason:
                reasons["conversation", str(reason)] += 1
                continue
            sample, candidates = found
            yield "samples", sample.to_row()
            yield "spatial_checks", self._checked(sample, candidates)
        for (kind, why), count in sorted(reasons.items()):
            yield "withheld", {"task": self.name, "kind": kind, "reason": why, "candidates": count}

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Replay the conversation: every part on the pictures of its own prefix."""
        return rebuilt(sample, lambda: self._replayed(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """None: a chain has one conclusion, a conversation many."""
        return ()

    # -- writing ---------------------------------------------------------------------------------------------------

    def _conversation(
        self, unit: Unit, space: Space, media: RowDict, clip: RowDict, split: str, reasons: Counter[tuple[str, str]]
    ) -> tuple[Sample, list[Candidate]]:
        window = Span(clip["start_s"], min(clip["end_s"], media["duration_s"])).quantised()
        whole = View(space, window, (), self.params.seen, self.params.clearly)
        per_turn = self.params.rule.per_turn
        path = tuple(evenly([c.t_s for c in whole.cameras()], self.params.turns * per_turn))
        if len(path) < 2 * per_turn:
            raise Withheld("too few posed pictures")
        used: Counter[str] = Counter()
        asked: list[Asked] = []
        kept: list[Candidate] = []
        for turn in range(1, len(path) // per_turn + 1):
            view = replace(whole, stills=path[: turn * per_turn])
            for candidate in self._of_turn(unit, view, clip, used, reasons):
                key = self._key(view, candidate.about)
                name = candidate.kind.name
                question, form = wordings_of(self.name).choose(name, unit.seed, name, key, split=split)
                sample = self.build(unit.recipe, media, candidate, question.id, form.id, "number")
                asked.append(Asked(turn, candidate.about, sample))
                kept.append(candidate)
                used[name] += 1
                reasons[name, ASKED] += 1
        return talked(self.name, asked, per_turn), kept

    def _of_turn(
        self, unit: Unit, view: View, clip: RowDict, used: Counter[str], reasons: Counter[tuple[str, str]]
    ) -> list[Candidate]:
        """The questions of a turn, of different kinds."""
        found: list[Candidate] = []
        key = (unit.seed, self.name, view.space.scene["scene_id"], view.window.start_s, len(view.stills))
        kinds = sorted(self.kinds(), key=lambda k: (used[k.name], seeded_fraction(*key, k.name)))
        for kind in kinds:
            if len(found) == self.params.questions:
                break
            if used[kind.name] >= self.params.caps.get(kind.name, self.params.per_kind):
                continue
            refused = why_not(kind, view.space, self.params.gate)
            if refused:
                reasons[kind.name, refused] += 1
                continue
            best = self._drawn(unit, kind, view, clip, reasons)
            if best is not None:
                found.append(best)
        return found

    def _drawn(
        self, unit: Unit, kind: Kind, view: View, clip: RowDict, reasons: Counter[tuple[str, str]]
    ) -> Candidate | None:
        """One solved candidate: an answer is drawn first, each as likely, then a question that has it."""
        good: list[Candidate] = []
        key = (unit.seed, self.name, kind.name, view.window.start_s, len(view.stills))
        for about in shuffled(kind.candidates(view), *key, key=lambda a: self._key(view, a))[: self.params.tries]:
            try:
                good.append(Candidate(kind, view, (clip,), about, self._solved(kind, view, about)))
            except Withheld as reason:
                reasons[kind.name, str(reason)] += 1
        by_answer = [list(of) for _, of in groupby(sorted(good, key=_answer), key=_answer)]
        if not by_answer:
            return None
        reasons[kind.name, "enough of its kind"] += len(good) - 1
        drawn = by_answer[int(seeded_fraction(*key, "answer") * len(by_answer))]
        return next(c for c in good if c in drawn)

    # -- checking --------------------------------------------------------------------------------------------------

    def _replayed(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Sample:
        if not isinstance(sample.answer, TurnsAnswer):
            raise Withheld(f"a walk has turns for an answer, not {sample.answer.kind}")
        media, clips = only_row(evidence, "media"), tuple(rows_of(evidence, "clips"))
        if len(clips) != 1:
            raise Withheld("one clip is walked through")
        whole = view_of(sample, evidence, self.params.seen, self.params.clearly)
        by_name = {kind.name: kind for kind in self.kinds()}
        per_turn = self.params.rule.per_turn
        asked = []
        for number, part in enumerate(sample.answer.parts, start=1):
            kind = by_name.get(wordings_of(self.name).kind_of(part.lead) or "")
            if kind is None:
                raise Withheld(f"the wording {part.lead} belongs to no kind that is asked")
            refused = why_not(kind, whole.space, self.params.gate)
            if refused:
                raise Withheld(refused)
            view = replace(whole, stills=shown_until(sample, part))
            about = about_of(sample, number)
            candidate = Candidate(kind, view, clips, about, self._solved(kind, view, about))
            built = self.build(sample.recipe, media, candidate, part.lead, part.form, "number")
            asked.append(Asked(len(view.stills) // per_turn, about, built))
        return talked(self.name, asked, per_turn)

    def _checked(self, sample: Sample, candidates: Sequence[Candidate]) -> dict[str, object]:
        """One row for the conversation: the least certain part, answers one after the other."""
        seconds = [c.solved.second for c in candidates if c.solved.second is not None]
        row = self._check_row(sample, candidates[0])
        return row | {
            "kind": "conversation",
            "margin": None,
            "margin_unit": None,
            "confidence": round(min(map(confidence, candidates)), 6),
            "tier": max(map(tier, candidates), key=TIERS.index),
            "first_source": ", ".join(sorted({c.solved.source for c in candidates})),
            "first_answer": " | ".join(c.solved.says for c in candidates),
            "second_source": ", ".join(sorted({s.source for s in seconds})) or None,
            "second_answer": " | ".join(s.says for s in seconds) or None,
            "agree": all(s.agrees for s in seconds) if seconds else None,
        }


def _answer(candidate: Candidate) -> str:
    return candidate.solved.key


ANNOTATOR = OstOnlineTurns
