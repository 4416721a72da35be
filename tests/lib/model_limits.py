"""Rate limits that the test server really enforces, told in the headers that OpenAI-like endpoints send.

Buckets of requests and tokens that refill evenly; a request that does not fit gets 429 and is told when to come again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ServerLimits:
    """What one endpoint lets through. None: no bound."""

    requests: float | None = None
    """Requests in each window."""
    tokens: float | None = None
    """Tokens in each window: prompts, and the longest reply that each request allows."""
    in_flight: int | None = None
    """Requests at the same time."""
    window_s: float = 60.0
    tell_when: bool = True
    """Whether a 429 has Retry-After."""


@dataclass
class Bucket:
    """Holds up to `size`; refills by `size` in each window."""

    size: float
    window_s: float
    clock: Callable[[], float] = time.monotonic
    left: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.left, self.at = self.size, self.clock()

    def wait_s(self, amount: float) -> float:
        """Seconds until the amount is there; 0: now."""
        now = self.clock()
        self.left = min(self.size, self.left + (now - self.at) * self.size / self.window_s)
        self.at = now
        return max(0.0, (min(amount, self.size) - self.left) * self.window_s / self.size)

    def headers(self, what: str) -> dict[str, str]:
        """What the endpoint tells of this bucket."""
        full_s = self.wait_s(self.size)
        return {
            f"x-ratelimit-limit-{what}": str(int(self.size)),
            f"x-ratelimit-remaining-{what}": str(max(0, int(self.left))),
            f"x-ratelimit-reset-{what}": duration(full_s),
        }


@dataclass
class Gate:
    """The limits of one endpoint at work."""

    limits: ServerLimits

    def __post_init__(self) -> None:
        of = self.limits
        self.buckets = {
            name: Bucket(size, of.window_s)
            for name, size in (("requests", of.requests), ("tokens", of.tokens))
            if size is not None
        }

    def admit(self, tokens: float, in_flight: int) -> tuple[str, float] | None:
        """None when the request may pass (and is counted), else what is spent, and the seconds to wait."""
        if self.limits.in_flight is not None and in_flight > self.limits.in_flight:
            return "concurrent requests", 0.05
        wanted = {"requests": 1.0, "tokens": float(tokens)}
        waits = {name: bucket.wait_s(wanted[name]) for name, bucket in self.buckets.items()}
        spent = max(waits, key=lambda name: waits[name], default=None)
        if spent is not None and waits[spent] > 1e-6:
            return spent, waits[spent]
        for name, bucket in self.buckets.items():
            bucket.left -= wanted[name]
        return None

    def headers(self) -> dict[str, str]:
        """Rate headers of a reply."""
        return {k: v for name, bucket in self.buckets.items() for k, v in bucket.headers(name).items()}


def duration(seconds: float) -> str:
    """A time as the headers write it: 17ms, 1.25s, 6m0s."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{int(seconds // 60)}m{round(seconds % 60)}s"
