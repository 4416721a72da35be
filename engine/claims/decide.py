"""From opinions about a claim to its status.

1. Rules first. A contradiction by a rule wins over every model; where two rules differ, the claim stays unchecked.
2. What a rule supports is supported, unless a model contradicts it: then it stays unchecked.
3. Without a rule, models decide, when all that have an opinion agree and at least `models_needed` have one.
4. A weak contradiction (similarity: another reading fits the pictures better, which may hold as well) counts beside another
   model's, and is no word against anybody.

So nothing is cut on the word of one model against a rule or another model, and each conflict is told as the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .claim import Opinion, Status

NOBODY = "no checker can tell"


@dataclass(frozen=True)
class Decided:
    """The status of a claim, who spoke, and what was found."""

    status: Status
    checked_by: tuple[str, ...]
    reason: str


def decide(opinions: Sequence[Opinion], models_needed: int = 1) -> Decided:
    """The status that follows from all opinions about a claim."""
    by = tuple(dict.fromkeys(o.by for o in opinions))
    rules = [o for o in opinions if o.rule]
    models = [o for o in opinions if not o.rule]
    against, for_it = _of(rules, "contradicted"), _of(rules, "supported")
    if against and for_it:
        return Decided("unchecked", by, f"rules differ: {_told((*for_it, *against))}")
    if against:
        return Decided("contradicted", by, _told(against))
    backed = _of(models, "supported")
    denied = _of(models, "contradicted") if any(not o.weak for o in _of(models, "contradicted")) else []
    if for_it and denied:
        return Decided("unchecked", by, f"{_told(for_it)}, but {_told(denied)}")
    if for_it:
        return Decided("supported", by, _told(for_it))
    if denied and backed:
        return Decided("unchecked", by, f"models differ: {_told((*backed, *denied))}")
    agreed = backed or denied
    if agreed and len(agreed) >= models_needed:
        return Decided("contradicted" if denied else "supported", by, _told(agreed))
    if models:
        return Decided("unchecked", by, f"only {_told(models)}")
    return Decided("unchecked", (), NOBODY)


def _of(opinions: Sequence[Opinion], says: str) -> list[Opinion]:
    return [o for o in opinions if o.says == says]


def _told(opinions: Sequence[Opinion]) -> str:
    return "; ".join(f"{o.by}: {o.reason}" for o in opinions)
