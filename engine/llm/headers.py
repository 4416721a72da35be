"""What endpoints say in their headers about when to come again, read into seconds.

Retry-After comes as seconds or as an HTTP date, `retry-after-ms` as milliseconds; times of reset as durations (`6m0s`,
`20ms`), as seconds, as a moment in Unix time or as an ISO date. What cannot be read is treated as not said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")


def duration_s(text: str, now: datetime | None = None) -> float | None:
    """Seconds from now that a text such as `6m0s`, `20ms`, `1.5`, `1767225600` or a date means; None when it means nothing."""
    text = text.strip()
    now = now or datetime.now(UTC)
    pieces = _PIECE.findall(text)
    if pieces and "".join(a + b for a, b in pieces) == text:
        return sum(float(number) * _UNITS[unit] for number, unit in pieces)
    try:
        number = float(text)
    except ValueError:
        return _until(text, now)
    if not 0 <= number < float("inf"):
        return None
    if number > 1e11:
        number /= 1_000
    return max(0.0, number - now.timestamp()) if number > 1e9 else number


def _until(text: str, now: datetime) -> float | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
        except (ValueError, TypeError, IndexError):
            continue
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    return None


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds after which to try again, as the endpoint says; None when it does not."""
    if exact := headers.get("retry-after-ms"):
        try:
            return max(0.0, float(exact) / 1_000)
        except ValueError:
            pass
    said = headers.get("retry-after")
    return None if said is None else duration_s(said, now)


def allowance(headers: Mapping[str, str], what: str) -> tuple[float, float, float | None] | None:
    """(remaining, seconds until reset, limit) of `requests` or `tokens`; None when remaining or reset is not said."""
    remaining = _number(headers.get(f"x-ratelimit-remaining-{what}"))
    reset = headers.get(f"x-ratelimit-reset-{what}")
    reset_s = None if reset is None else duration_s(reset)
    if remaining is None or reset_s is None:
        return None
    return remaining, reset_s, _number(headers.get(f"x-ratelimit-limit-{what}"))


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
