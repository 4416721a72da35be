"""Identifiers that derive from content: the same input gives the same identifier on every machine.

Numbers of time enter as integer microseconds (floats are quantised), so that printing and re-reading a time does not
change an identifier. Eighty bits of BLAKE2b as 20 hexadecimal digits: collisions are negligible below 10^10 rows.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

ID_BYTES = 10


def canonical(value: Any) -> Any:
    """A JSON-ready value that is equal for equal meaning: floats to integer microunits, keys sorted, tuples as lists."""
    if isinstance(value, bool) or value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return repr(value)
        return {"u": round(value * 1_000_000)}
    if isinstance(value, bytes):
        return {"b": hashlib.blake2b(value, digest_size=16).hexdigest()}
    if isinstance(value, Mapping):
        return {str(k): canonical(v) for k, v in sorted(value.items(), key=lambda kv: str(kv[0]))}
    if isinstance(value, Iterable):
        return [canonical(v) for v in value]
    return str(value)


def derive_id(*parts: Any) -> str:
    """Twenty hexadecimal digits derived from `parts`."""
    text = json.dumps(canonical(list(parts)), separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=ID_BYTES).hexdigest()


def clip_id(media_id: str, start_s: float, end_s: float) -> str:
    """Identifier of the clip [start_s, end_s) of a medium."""
    return derive_id("clip", media_id, float(start_s), float(end_s))


def seeded_fraction(*parts: Any) -> float:
    """A number in [0, 1) that depends on nothing but `parts`: the house's only source of arbitrary choices."""
    text = json.dumps(canonical(list(parts)), separators=(",", ":"), ensure_ascii=False)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / 2**64
