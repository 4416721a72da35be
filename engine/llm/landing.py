"""What became of a model's proposals in one unit: every item lands, is kept, or is rejected with a rule, and all are rows.

A proposal's row exists before its sample, so that the sample can cite it (columns `proposal_json`, `request_hash`, `item`).
Requests add up: each has at least one row here, and a reply that could not be used at all has one with item -1. Rows come
out in an order that does not depend on which reply came first.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from ...schemas.facts import Facts
from ...schemas.sample import Sample
from ...schemas.tables import TABLES
from ..annotator import Row, Unit
from .ask import Answered, Ask
from .errors import ReplyRejected
from .evidence import cite_fact

_SHOWN = 500


class Landing:
    """Collects the rows of one unit. `task` is the task or annotator that asks."""

    def __init__(self, unit: Unit, task: str) -> None:
        self._unit, self._task = unit, task
        self._proposals: dict[tuple[str, int, str], dict[str, Any]] = {}
        self._samples: dict[str, dict[str, Any]] = {}

    def proposal(
        self,
        answered: Answered[Any],
        item: int,
        proposal: BaseModel,
        facts: Facts,
        clip_id: str | None = None,
        *,
        media_id: str | None = None,
    ) -> dict[str, Any]:
        """The full row of one item, `row_id` included, of which `land`, `keep` or `reject` then says what became. `media_id`
        for units that are no medium.
        """
        return self._row(
            media_id,
            request_hash=answered.request_hash,
            item=item,
            clip_id=clip_id,
            model=answered.model,
            prompt=answered.prompt,
            proposal_json=_dumps(proposal.model_dump(mode="json")),
            evidence=[_shown(name, facts) for name in facts],
            outcome="rejected",
            rule="undecided",
        )

    def land(self, row: dict[str, Any], sample: Sample) -> None:
        """The proposal became this sample; one that is there already is rejected as `repeated`."""
        sample_id = sample.sample_id
        if sample_id in self._samples:
            self.reject(row, "repeated", f"the same sample as another proposal: {sample_id}")
            return
        row.update(outcome="landed", rule=None, reason=None, sample_id=sample_id)
        self._samples[sample_id] = sample.to_row()

    def keep(self, row: dict[str, Any]) -> None:
        """The proposal became rows of the annotator's own."""
        row.update(outcome="landed", rule=None, reason=None)

    def reject(self, row: dict[str, Any], rule: str, reason: str) -> None:
        """The proposal cannot be used."""
        row.update(outcome="rejected", rule=rule, reason=reason[:_SHOWN], sample_id=None)

    def rejected_reply(
        self, error: ReplyRejected, ask: Ask[Any], clip_id: str | None = None, *, media_id: str | None = None
    ) -> None:
        """A whole reply cannot be used; `llm_calls` has it as it came."""
        self._row(
            media_id,
            request_hash=error.request_hash,
            item=-1,
            clip_id=clip_id,
            prompt=ask.prompt.title,
            outcome="rejected",
            rule=error.kind,
            reason=error.reason[:_SHOWN],
        )

    def nothing(
        self, answered: Answered[Any], facts: Facts, clip_id: str | None = None, *, media_id: str | None = None
    ) -> None:
        """A usable reply that proposes nothing: it is accounted for as well."""
        row = self.proposal(answered, 0, answered.value, facts, clip_id, media_id=media_id)
        self.reject(row, "nothing_said", "the model proposed nothing")

    def rows(self) -> list[Row]:
        """Rows of `samples` and `proposals`, in an order of their own."""
        samples = [("samples", self._samples[i]) for i in sorted(self._samples)]
        proposals: dict[tuple[str, int], dict[str, Any]] = {}
        for (request, item, _), row in sorted(self._proposals.items()):
            proposals.setdefault((request, item), row)
        return [*samples, *(("proposals", row) for row in proposals.values())]

    def _row(self, media_id: str | None, **values: Any) -> dict[str, Any]:
        if media_id is None and self._unit.medium is not None:
            media_id = self._unit.medium.media_id
        row = TABLES["proposals"].complete(
            {"task": self._task, **values}, self._unit.producer, self._unit.unit, media_id
        )
        self._proposals[row["request_hash"], row["item"], row["clip_id"] or ""] = row
        return row


def _shown(name: str, facts: Facts) -> dict[str, Any]:
    """A line of the evidence list as the proposal's row keeps it."""
    evidence = cite_fact(facts[name])
    return {
        "source_table": evidence.table,
        "row_id": evidence.row_id,
        "values_json": _dumps({"name": name, **evidence.values}),
    }


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
