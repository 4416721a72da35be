"""A careful writer of facts and fibs over composed films: order, what is shown while what is said, and counts of writing.

Facts and fibs are drawn from the same forms with the same words equally often, so that no statement is decided by its wording.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

from model_asked import Asked, Told

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
Named = tuple[str, Told]


def reply(asked: Asked) -> dict[str, Any]:
    """As many pairs as the prompt asks for, of every kind that the evidence carries, in turn."""
    found = re.search(r"Write (\d+) pairs", asked.user)
    told = [(n, t) for n, t in asked.facts.items() if t.text and t.end_s > t.start_s]
    alone = [(n, t) for n, t in told if sum(o.text == t.text for _, o in told) == 1]
    kinds = [
        _orders(alone),
        _together(alone, "text", "speech"),
        _together(alone, "speech", "text"),
        _counts(told, alone),
    ]
    pairs: list[dict[str, Any]] = []
    while kinds and len(pairs) < int(found[1] if found else 4):
        kind = kinds.pop(0)
        pair = next(kind, None)
        if pair is not None:
            pairs.append(pair)
            kinds.append(kind)
    return {"pairs": pairs}


def _coin(*about: object) -> int:
    return zlib.crc32(repr(about).encode()) >> 8 & 1


def _mixed(items: list[Any]) -> list[Any]:
    return sorted(items, key=lambda item: zlib.crc32(repr(item).encode()))


def _pair(
    fact: str, fib: str, supports: list[str], claims: list[Any], fib_claims: list[Any], category: str
) -> dict[str, Any]:
    return {
        "fact": fact, "fib": fib, "supports": supports, "claims": [dict(zip(("rel", "a", "b"), c, strict=True)) for c in claims],
        "fib_claims": [dict(zip(("rel", "a", "b"), c, strict=True)) for c in fib_claims], "categories": [category],
    }  # fmt: skip


def _orders(alone: list[Named]) -> Iterator[dict[str, Any]]:
    for a, b in _mixed([(a, b) for a, at in alone for b, bt in alone if at.end_s <= bt.start_s]):
        first, second, true, false = (a, b, "before", "after") if _coin(a, b) else (b, a, "after", "before")
        yield _pair(
            f"{{{first}.text}} comes {true} {{{second}.text}}.", f"{{{first}.text}} comes {false} {{{second}.text}}.",
            [a, b], [(true, first, second)], [(false, first, second)], "temporal",
        )  # fmt: skip


def _together(alone: list[Named], kept: str, changed: str) -> Iterator[dict[str, Any]]:
    """Something of one kind overlaps with something of another; in the fib with another one of that kind."""
    for x, xt in _mixed([f for f in alone if f[1].kind == kept]):
        others = [f for f in alone if f[1].kind == changed]
        true = [n for n, t in others if min(t.end_s, xt.end_s) - max(t.start_s, xt.start_s) > 0.3]
        false = [n for n, t in others if t.end_s < xt.start_s - 1 or t.start_s > xt.end_s + 1]
        if true and false:
            y, z = _mixed(true)[0], _mixed(false)[0]
            yield _pair(
                f"{{{x}.text}} overlaps with {{{y}.text}}.", f"{{{x}.text}} overlaps with {{{z}.text}}.",
                [x, y], [("overlaps", x, y)], [("overlaps", x, z)], "event",
            )  # fmt: skip


def _counts(told: list[Named], alone: list[Named]) -> Iterator[dict[str, Any]]:
    for y, yt in _mixed([f for f in alone if f[1].kind == "speech"]):
        texts = [(n, t) for n, t in told if t.kind == "text" and t.start_s < yt.start_s]
        if any(t.end_s > yt.start_s for _, t in texts) or not 2 <= len(texts) <= 9:
            continue
        n = len(texts)
        wrong = n + (1 if _coin(y, yt.text) else -1)
        yield _pair(
            f"When {{{y}.text}} is heard, the number of signs and captions shown so far is {NUMBERS[n]}.",
            f"When {{{y}.text}} is heard, the number of signs and captions shown so far is {NUMBERS[wrong]}.",
            [y, *(name for name, _ in texts)], [], [], "event",
        )  # fmt: skip
