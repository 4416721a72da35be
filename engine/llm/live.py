"""The models of a build as they really are: the record first, then the endpoint, within limits and budget.

Equal questions at the same time are one call; each call is a task of its own that ends in the record even when whoever
asked has gone. Rejected replies are known too and are not asked again, unless `retry_rejected`. In one event loop only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from ...schemas.span import Span
from ..asking import without
from .ask import Answered, Ask, Footage, R, Still
from .batch import Batches
from .budget import Budget
from .client import Endpoint, Tally
from .converse import Habits, Outcome, Sending, converse, known_reply
from .errors import BudgetSpent, EndpointDown, EndpointRefuses, NoModel, ReplyRejected
from .limits import Pace, strictest
from .models import Models, T, V
from .pictures import Pictures
from .record import REJECTED, CallRecord
from .settings import BudgetSettings, ModelSettings, Spent
from .structured import Finding, Reply, schema_name

_WORKING: ContextVar[bool] = ContextVar("working", default=False)
"""Whether this is inside the work of an `each`: what is nested takes no places of its own, which could block."""
GRACE_S = 15.0
"""How long the end of a build waits for replies that are on their way, so that what is paid is on record."""


@dataclass
class _Running:
    """One call on its way: its task gives the row of the record and the value."""

    task: asyncio.Task[tuple[dict[str, Any], Any]]
    tally: Tally


class LiveModels(Models):
    """`async with LiveModels(...) as live`, then `live.of(producer)` for each annotator."""

    def __init__(
        self,
        models: Mapping[str, ModelSettings],
        budget: BudgetSettings,
        record: CallRecord,
        pictures: Pictures | None,
        run_id: str,
        *,
        spent: Spent | None = None,
        retry_rejected: bool = False,
    ) -> None:
        """`spent` is what the build has spent already, and is counted on."""
        self._settings, self._record, self._pictures, self._run_id = dict(models), record, pictures, run_id
        self._retry_rejected = retry_rejected
        self.budget = Budget(budget, spent if spent is not None else Spent())
        self._running: dict[str, _Running] = {}
        self._paces: dict[tuple[str, str | None, str], Pace] = {}
        for key in sorted({_place(m) for m in models.values()}, key=str):
            self._paces[key] = Pace(strictest([m.limits for m in models.values() if _place(m) == key]))
        self._endpoints = {r: Endpoint(m, self._paces[_place(m)], self.budget) for r, m in self._settings.items()}
        self._habits = {r: Habits(m, self._endpoints[r].name, record) for r, m in self._settings.items()}
        self._batches = {
            role: Batches(self._endpoints[role], self.budget, record)
            for role, m in self._settings.items()
            if m.mode == "batch"
        }
        self._work = asyncio.Semaphore(self.at_once)

    async def __aenter__(self) -> LiveModels:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        running = list(self._running.values())
        for call in running:
            if not call.tally.flying:
                call.task.cancel()
        if running:
            tasks = [call.task for call in running]
            _, late = await asyncio.wait(tasks, timeout=GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for batches in self._batches.values():
            await batches.close()
        for endpoint in self._endpoints.values():
            await endpoint.close()

    def of(self, producer: str) -> Models:
        """The models as one annotator sees them: its questions are known as its own."""
        return _View(self, producer)

    def has(self, role: str) -> bool:
        return role in self._settings

    def settings(self, role: str) -> ModelSettings:
        if role not in self._settings:
            raise NoModel(without((role,)))
        return self._settings[role]

    @property
    def at_once(self) -> int:
        """Questions worth asking at the same time: all places of the endpoints and some that are ready to take the next
        free one, or as many as make a batch.
        """
        places = sum(pace.limits.concurrency for pace in self._paces.values())
        return max([places + places // 4 + 1, *(self._settings[role].batch_max_requests for role in self._batches)])

    async def ask(self, ask: Ask[R]) -> Answered[R]:
        return await self.ask_for("", ask)

    async def ask_for(self, producer: str, ask: Ask[R]) -> Answered[R]:
        """As `ask`, on behalf of a producer."""
        settings = self.settings(ask.role)
        digest = ask.digest(settings)
        call, cached = self._running.get(digest), True
        if call is None:
            known = self._record.get(digest)
            if known is not None and self._stands(known):
                return _answered(known, known_reply(known, ask.reply), True)
            cached, tally = False, Tally()
            call = _Running(asyncio.create_task(self._call(ask, settings, digest, producer, known, tally)), tally)
            self._running[digest] = call
            call.task.add_done_callback(lambda task: self._ended(digest, task))
        row, finding = await asyncio.shield(call.task)
        return _answered(row, finding, cached)

    async def each(self, items: Sequence[T], work: Callable[[T], Awaitable[V]]) -> list[V]:
        results: dict[int, V] = {}
        failed: dict[int, Exception] = {}
        waiting = iter(enumerate(items))

        nested = _WORKING.get()

        async def worker() -> None:
            _WORKING.set(True)
            for place, item in waiting:
                try:
                    async with nullcontext() if nested else self._work:
                        results[place] = await work(item)
                except Exception as error:
                    failed[place] = error
                if failed:
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(items), self.at_once)):
                group.create_task(worker())
        if failed:
            raise failed[min(failed)]
        return [results[place] for place in range(len(items))]

    def stills(
        self, role: str, media_id: str, span: Span, *, at: Sequence[float] = (), most: int | None = None
    ) -> list[Still]:
        settings = self.settings(role)
        return [] if self._pictures is None else self._pictures.stills(settings, media_id, span, at=at, most=most)

    def footage(self, role: str, media_id: str, span: Span) -> list[Footage | Still]:
        settings = self.settings(role)
        return [] if self._pictures is None else self._pictures.footage(settings, media_id, span)

    def _stands(self, row: Mapping[str, Any]) -> bool:
        """Whether what is on record is the answer: errors are asked again, rejected replies once a run if wanted."""
        if row["status"] in REJECTED:
            return not self._retry_rejected or row["run_id"] == self._run_id
        return bool(row["status"] != "error")

    def _ended(self, digest: str, task: asyncio.Task[Any]) -> None:
        self._running.pop(digest, None)
        if not task.cancelled():
            task.exception()

    async def _call(
        self,
        ask: Ask[R],
        settings: ModelSettings,
        digest: str,
        producer: str,
        known: Mapping[str, Any] | None,
        tally: Tally,
    ) -> tuple[dict[str, Any], Finding[R]]:
        endpoint, batches = self._endpoints[ask.role], self._batches.get(ask.role)
        outcome: Outcome[R] = Outcome()
        asked_at = datetime.now(UTC).isoformat(timespec="milliseconds")

        async def send(sending: Sending) -> Reply:
            if batches is not None:
                return await batches.send(sending, tally, digest)
            return await endpoint.send(sending, tally, digest)

        def write(status: str, reason: str) -> dict[str, Any]:
            before = known or {}
            row = {
                "request_hash": digest,
                "asked_by": before.get("asked_by") or producer,
                "about": ask.about,
                "role": ask.role,
                "model": settings.name,
                "endpoint": endpoint.name,
                "prompt": ask.prompt.title,
                "schema_name": schema_name(ask.reply),
                "sample": ask.sample,
                "status": status,
                "reason": reason,
                "reply": None if status == "error" else outcome.raw,
                "first_reply": outcome.first_raw,
                "tries": tally.tries,
                "structured": outcome.way,
                "batch": tally.batch,
                "predicted_tokens": ask.prompt_tokens(settings),
                "prompt_tokens": tally.prompt_tokens,
                "reply_tokens": tally.reply_tokens,
                "cached_tokens": tally.cached_tokens,
                "cost": tally.cost,
                "currency": settings.price.currency,
                "latency_s": tally.latency_s,
                "asked_at": asked_at,
                "run_id": self._run_id,
            }
            self._record.put(row)
            return row

        first = known["first_reply"] if known is not None and known["status"] == "error" else None
        outcome.first_raw = first
        try:
            await converse(ask, settings, self._habits[ask.role], send, outcome, first)
        except (EndpointDown, EndpointRefuses) as error:
            write("error", str(error))
            raise
        except BudgetSpent as error:
            if tally.tries:
                write("error", str(error))
            raise
        assert outcome.status is not None
        row = write(outcome.status, outcome.reason)
        return row, Finding(outcome.value, None if outcome.value is not None else row["status"], outcome.reason)


class _View(Models):
    """The models as one producer sees them."""

    def __init__(self, live: LiveModels, producer: str) -> None:
        self._live, self._producer = live, producer

    def has(self, role: str) -> bool:
        return self._live.has(role)

    def settings(self, role: str) -> ModelSettings:
        return self._live.settings(role)

    async def ask(self, ask: Ask[R]) -> Answered[R]:
        return await self._live.ask_for(self._producer, ask)

    async def each(self, items: Sequence[T], work: Callable[[T], Awaitable[V]]) -> list[V]:
        return await self._live.each(items, work)

    def stills(
        self, role: str, media_id: str, span: Span, *, at: Sequence[float] = (), most: int | None = None
    ) -> list[Still]:
        return self._live.stills(role, media_id, span, at=at, most=most)

    def footage(self, role: str, media_id: str, span: Span) -> list[Footage | Still]:
        return self._live.footage(role, media_id, span)


def _answered(row: Mapping[str, Any], finding: Finding[R], cached: bool) -> Answered[R]:
    """The answer. Raises `ReplyRejected`."""
    if finding.value is None:
        assert finding.kind is not None
        raise ReplyRejected(finding.kind, finding.reason, row["request_hash"])
    repaired = row["status"] == "repaired"
    return Answered(finding.value, row["request_hash"], row["model"], row["reply"], cached, repaired, row["prompt"])


def _place(settings: ModelSettings) -> tuple[str, str | None, str]:
    """Roles with the same place share its limits."""
    return settings.base_url, settings.key_variable, settings.model
