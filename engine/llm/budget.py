"""The hard budget of a build: what a request may cost at worst is set aside before it is sent, and settled when it is back.

So no request is sent that could exceed the budget: it waits while others in flight may still come back cheaper, and
raises when even that cannot help. Every request counts, retries and repairs too; replies from the record cost nothing. A
reply that was lost counts as the longest one. An endpoint that ignores the limit of a reply cannot be held.
The one unknown is how an endpoint counts a prompt: estimates are taken times a factor that starts at 1.5 and grows to
the largest that was seen of the model.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from .errors import BudgetSpent
from .settings import BudgetSettings, ModelSettings, Spent

FIRST_FACTOR = 1.5
"""Prompt tokens as counted, over those estimated, until more is seen: dense text has 3 characters a token."""


@dataclass(frozen=True)
class Held:
    """What is set aside for one request."""

    tokens: int
    money: float
    estimate: int
    settings: ModelSettings
    batch: bool


class Budget:
    """The budget of one build, over all its roles. In one event loop only."""

    def __init__(self, settings: BudgetSettings, spent: Spent) -> None:
        self.settings, self.spent = settings, spent
        self._tokens, self._money = 0, 0.0
        self._factor: dict[str, float] = {}
        self._settled = asyncio.Event()

    def worst(self, model: ModelSettings, prompt_tokens: int, reply_tokens: int, batch: bool = False) -> Held:
        """What a request costs at worst."""
        prompt = math.ceil(prompt_tokens * self._factor.get(model.name, FIRST_FACTOR))
        money = model.price.of(prompt, reply_tokens, batch=batch)
        return Held(prompt + reply_tokens, money, prompt_tokens, model, batch)

    async def hold(self, model: ModelSettings, prompt_tokens: int, reply_tokens: int, batch: bool = False) -> Held:
        """Set aside what the request costs at worst. Raises `BudgetSpent` when that is not left."""
        while True:
            held = self.worst(model, prompt_tokens, reply_tokens, batch)
            lacking = self._lacking(held, aside=True)
            if not lacking:
                break
            if for_good := self._lacking(held, aside=False):
                raise BudgetSpent(for_good)
            self._settled.clear()
            await self._settled.wait()
        self.spent.requests += 1
        self._tokens += held.tokens
        self._money += held.money
        return held

    def settle(self, held: Held, prompt_tokens: int, reply_tokens: int, cached_tokens: int = 0) -> float:
        """Count what a request really took instead of what was set aside; gives its money."""
        self._free(held)
        money = held.settings.price.of(prompt_tokens, reply_tokens, cached_tokens=cached_tokens, batch=held.batch)
        self.spent.tokens += prompt_tokens + reply_tokens
        self.spent.money += money
        name = held.settings.name
        seen = prompt_tokens / max(1, held.estimate)
        self._factor[name] = max(self._factor.get(name, FIRST_FACTOR), seen)
        return money

    def lost(self, held: Held) -> None:
        """No reply came, but the endpoint may have worked on it: what was set aside counts as spent."""
        self._free(held)
        self.spent.tokens += held.tokens
        self.spent.money += held.money

    def _free(self, held: Held) -> None:
        self._tokens -= held.tokens
        self._money -= held.money
        self._settled.set()

    def _lacking(self, held: Held, *, aside: bool) -> str:
        """What does not allow the request; `aside`: what is set aside for others counts too."""
        limit, spent = self.settings, self.spent
        tokens = spent.tokens + (self._tokens if aside else 0)
        money = spent.money + (self._money if aside else 0.0)
        if limit.requests is not None and spent.requests + 1 > limit.requests:
            return (
                f"the budget of {limit.requests} requests is used up; raise budget.requests, or build again: "
                "what was answered is not asked again"
            )
        if limit.tokens is not None and tokens + held.tokens > limit.tokens:
            return (
                f"the budget of {limit.tokens} tokens has {max(0, limit.tokens - tokens)} left and the next request may "
                f"take {held.tokens}; raise budget.tokens, or build again: what was answered is not asked again"
            )
        if limit.money is not None and money + held.money > limit.money + 1e-9:
            currency = held.settings.price.currency
            return (
                f"the budget of {limit.money:g} {currency} has {max(0.0, limit.money - money):.4g} left and the next "
                f"request may cost {held.money:.4g}; raise budget.money, or build again: what was answered is not asked again"
            )
        return ""
