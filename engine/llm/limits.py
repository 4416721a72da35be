"""When the next request to an endpoint may start: places in flight, requests and tokens per minute, and what the endpoint says.

Requests start in the order in which they came. Rates are kept by spacing, so that no 60 s hold more than the limit; the
endpoint's own account (remaining, reset) is followed by waiting for its reset. A busy endpoint pauses everybody, and
gets fewer places at a time, which come back with every reply that succeeds.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .headers import allowance
from .settings import Limits

SLACK_S = 0.25
"""Lateness that is caught up: timers are late by about a millisecond each."""
CUT = 0.7
"""Share of the places that is left after the endpoint said that it is busy."""
REGAIN = 0.25
"""Places that come back with each reply."""


@dataclass
class Rate:
    """A bound per minute: each unit of it takes 60 s / bound of a common time line."""

    per_minute: float | None
    free_at: float = -math.inf

    @property
    def each_s(self) -> float:
        return 0.0 if self.per_minute is None else (60.0 + SLACK_S) * (1 + 1e-9) / self.per_minute

    def wait_s(self, now: float) -> float:
        return 0.0 if self.per_minute is None else max(0.0, self.free_at - now)

    def take(self, amount: float, now: float) -> None:
        """Negative amounts give back."""
        if self.per_minute is not None:
            start = max(self.free_at, now - SLACK_S) if amount > 0 else self.free_at
            self.free_at = start + amount * self.each_s


@dataclass
class Account:
    """What the endpoint said last of its own limit: so much remains until then."""

    taken: float = 0.0
    heard_of: int = -1
    base: float = 0.0
    remaining: float | None = None
    limit: float | None = None
    reset_at: float = 0.0

    def hear(self, turn: int, taken: float, said: tuple[float, float, float | None], now: float) -> None:
        """Of the reply to the request with the number `turn`, after which `taken` had been taken in all."""
        if turn > self.heard_of:
            self.heard_of, self.base = turn, taken
            self.remaining, self.reset_at, self.limit = said[0], now + said[1], said[2]

    def wait_s(self, need: float, now: float) -> float:
        """Seconds until the need is met; endless after a reset that no reply has spoken of yet: the next reply will."""
        if self.remaining is None:
            return 0.0
        if now >= self.reset_at:
            self.remaining, self.base, self.reset_at = self.limit, self.taken, math.inf
            return 0.0
        left = self.remaining - (self.taken - self.base)
        wanted = need if self.limit is None else min(need, self.limit)
        return 0.0 if left >= wanted else self.reset_at - now


@dataclass(frozen=True)
class Turn:
    """A request that was let go."""

    number: int
    tokens: int
    taken: float
    """Tokens taken in all, with it."""


@dataclass
class Pace:
    """The limits of one endpoint at work. In one event loop only."""

    limits: Limits
    clock: Callable[[], float] = time.monotonic
    in_flight: int = 0
    paused_until: float = -math.inf
    _number: int = 0
    _cut_until: float = -math.inf
    _line: asyncio.Lock = field(default_factory=asyncio.Lock)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.places = float(self.limits.concurrency)
        self._requests = Rate(self.limits.requests_per_minute)
        self._tokens = Rate(self.limits.tokens_per_minute)
        self._request_account, self._token_account = Account(), Account()

    async def enter(self, tokens: int) -> Turn:
        """Wait until a request of so many tokens, prompt and longest reply, may start; `leave` must follow."""
        async with self._line:
            while (wait_s := self._wait_s(tokens)) > 0:
                self._changed.clear()
                try:
                    async with asyncio.timeout(None if math.isinf(wait_s) else wait_s):
                        await self._changed.wait()
                except TimeoutError:
                    pass
            now = self.clock()
            self._number += 1
            self.in_flight += 1
            self._requests.take(1, now)
            self._tokens.take(tokens, now)
            self._request_account.taken += 1
            self._token_account.taken += tokens
            return Turn(self._number, tokens, self._token_account.taken)

    def leave(self, turn: Turn, used_tokens: int, headers: Mapping[str, str] | None = None) -> None:
        """The request is over and took so many tokens; what it did not take is given back."""
        now = self.clock()
        self.in_flight -= 1
        self._tokens.take(min(0, used_tokens - turn.tokens), now)
        if headers is not None:
            if said := allowance(headers, "requests"):
                self._request_account.hear(turn.number, turn.number, self._bounded(said), now)
            if said := allowance(headers, "tokens"):
                self._token_account.hear(turn.number, turn.taken, self._bounded(said), now)
        self._changed.set()

    def succeeded(self) -> None:
        """A reply came: one more step back to all places."""
        self.places = min(float(self.limits.concurrency), self.places + REGAIN)

    def busy(self, pause_s: float) -> None:
        """The endpoint is too busy: nobody asks for so long, and fewer at a time after that."""
        now = self.clock()
        self.paused_until = max(self.paused_until, now + pause_s)
        if now >= self._cut_until:
            self.places = max(1.0, self.places * CUT)
            self._cut_until = self.paused_until
        self._changed.set()

    def _bounded(self, said: tuple[float, float, float | None]) -> tuple[float, float, float | None]:
        """A reset far away is not waited for: the endpoint is asked, and says itself when to come again."""
        return said[0], min(said[1], self.limits.longest_pause_s), said[2]

    def _wait_s(self, tokens: int) -> float:
        if self.in_flight >= int(self.places):
            return math.inf
        now = self.clock()
        told = max(self._request_account.wait_s(1, now), self._token_account.wait_s(tokens, now))
        if math.isinf(told) and self.in_flight == 0:
            told = 0.0
        return max(told, self.paused_until - now, self._requests.wait_s(now), self._tokens.wait_s(now))


def strictest(limits: list[Limits]) -> Limits:
    """The limits of an endpoint that several roles share: the smallest of each."""

    def least(name: str) -> float | None:
        values = [v for one in limits if (v := getattr(one, name)) is not None]
        return min(values) if values else None

    return limits[0].model_copy(
        update={n: least(n) for n in ("concurrency", "requests_per_minute", "tokens_per_minute")}
    )
