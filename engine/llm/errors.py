"""What can go wrong between a question to a model and a usable reply, one class per kind, so that nothing is taken for data.

`ReplyRejected` and its children mean that the model was reached, and paid, but what it said cannot be used: the item is
rejected with the reason, and the raw reply is kept in `llm_calls`. The others are about the unit: no model, no budget,
an endpoint that does not answer.
"""

from __future__ import annotations

from typing import Literal

from ..annotator import SkipUnit, TransientError, UndecidedUnit

RejectKind = Literal["truncated", "refused", "empty", "malformed", "wrong_schema"]


class ReplyRejected(Exception):
    """A reply that cannot be used, even after one repair round where repairing could help."""

    kind: RejectKind

    def __init__(self, kind: RejectKind, reason: str, request_hash: str) -> None:
        super().__init__(reason)
        self.kind, self.reason, self.request_hash = kind, reason, request_hash


class NoModel(SkipUnit):
    """The recipe names no endpoint for a role; the message is the rule and says what to set."""


class BudgetSpent(UndecidedUnit):
    """The hard budget does not allow the next request; the next build, with a budget of its own, goes on from here."""

    passing = True


class EndpointDown(TransientError):
    """The endpoint stayed busy or unreachable through all retries; the next build asks again."""


class EndpointRefuses(ValueError):
    """The endpoint says that the request itself is wrong (401, 403, 404, 400 ...): asking again cannot help."""
