"""What can go wrong at an endpoint, as the test server does it: busy, broken, cut short, refusing, and replies that lie.

Which request meets which fault follows from its digest, so a storm is the same in every run. A fault happens once to each
request, so that asking again or repairing helps, or always.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Kind = Literal[
    "slow", "rate_limited_after", "rate_limited", "error_500", "unavailable_503", "disconnect_before", "disconnect_middle",
    "truncated", "malformed", "wrong_schema", "refusal", "empty", "content_filter", "huge",
    "invented_evidence", "literal_time", "contradictory",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
TRANSPORT: frozenset[str] = frozenset(KINDS[:7])
"""Faults of the connection; the others are replies with status 200."""
LYING: frozenset[str] = frozenset(KINDS[-3:])
"""Replies of the right form that say what cannot be."""
SLOT = re.compile(r"\{([a-z]+\d+)(\.\w+)?\}")
OPPOSITE = {"before": "after", "after": "before", "beginning": "end", "end": "beginning", "middle": "end"}


@dataclass(frozen=True)
class Fault:
    """One kind of fault and the share of requests that meet it."""

    kind: Kind
    rate: float = 1.0
    always: bool = False
    """Whether trying again and repairing meet it too."""


def storm(rate: float, kinds: Iterable[Kind] = KINDS, always: bool = False) -> tuple[Fault, ...]:
    """All kinds with equal shares, together `rate`."""
    kinds = tuple(kinds)
    return tuple(Fault(kind, rate / len(kinds), always) for kind in kinds)


def as_faults(faults: Mapping[Kind, float] | Iterable[Fault]) -> tuple[Fault, ...]:
    """Faults from a mapping of kinds to rates, or as they are. Raises ValueError for unknown kinds and shares above 1."""
    made = tuple(Fault(k, r) for k, r in faults.items()) if isinstance(faults, Mapping) else tuple(faults)
    unknown = sorted({f.kind for f in made} - set(KINDS))
    if unknown:
        raise ValueError(f"no fault called {unknown[0]}; known: {', '.join(KINDS)}")
    if sum(f.rate for f in made) > 1 + 1e-9:
        raise ValueError("the rates of all faults together exceed 1")
    return made


def drawn(faults: Iterable[Fault], digest: str, arrival: int, seed: int = 0) -> Kind | None:
    """The fault that the n-th arrival (from 0) of a request meets, if any."""
    place, upto = _fraction(seed, digest), 0.0
    for fault in faults:
        upto += fault.rate
        if place < upto:
            return fault.kind if fault.always or arrival == 0 else None
    return None


def spoilt(kind: Kind, reply: dict[str, Any], facts: Iterable[str], digest: str) -> dict[str, Any] | None:
    """The reply with a lie of this kind in it; None when there is no place for one."""
    draw, names = random.Random(f"{kind} {digest}"), list(facts)
    value = json.loads(json.dumps(reply))
    if kind == "contradictory":
        return value if _turn_claim(value, draw) else None
    texts = [place for place in _strings(value) if SLOT.search(place[0][place[1]])]
    if not texts:
        return None
    holder, key = draw.choice(texts)
    if kind == "invented_evidence":
        taken = max((int(re.sub(r"\D", "", n)) for n in names), default=0)
        slots = list(SLOT.finditer(holder[key]))
        match = draw.choice(slots)
        letter = re.sub(r"\d", "", match[1])
        other = f"{{{letter}{taken + draw.randint(1, 40)}{match[2] or ''}}}"
        holder[key] = holder[key][: match.start()] + other + holder[key][match.end() :]
    else:
        time = draw.choice(["at 12.5 seconds", "from 0:07 to 0:12", "at 3.2 s", "after 14 seconds", "at 00:31"])
        holder[key] = f"{holder[key].rstrip('.?! ')} {time}{holder[key].rstrip()[-1]}"
    return value


def _strings(value: Any) -> list[tuple[Any, Any]]:
    """All texts inside a JSON value, as (holder, key)."""
    found: list[tuple[Any, Any]] = []
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += [(value, key)] if isinstance(inner, str) else _strings(inner)
    return found


def _turn_claim(value: Any, draw: random.Random) -> bool:
    """Turn one claim (`rel`, `a`, `b`) of the reply around."""
    claims = list(_claims(value))
    if not claims:
        return False
    claim = draw.choice(claims)
    if claim["rel"] in OPPOSITE:
        claim["rel"] = OPPOSITE[claim["rel"]]
    else:
        claim["rel"] = "before"
        claim["b"], claim["a"] = claim["a"], claim["a"]
    return True


def _claims(value: Any) -> Iterable[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("rel"), str) and "a" in value:
            yield value
        for inner in value.values():
            yield from _claims(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _claims(inner)


def _fraction(seed: int, digest: str) -> float:
    return int.from_bytes(hashlib.sha256(f"{seed} {digest}".encode()).digest()[:8], "big") / 2**64
