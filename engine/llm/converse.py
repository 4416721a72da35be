"""One question until there is a usable reply or a reason: the request, at most one further round, and nothing silent.

The second round hands the reply back with what is wrong with it (the validation error, or the asker's own complaint);
a reply that was cut off is asked for again with a longer limit, where the context has room. A refusal is final. A valid
reply that the asker still complains about is returned: the asker rejects what is wrong in it by its rules.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol

from .ask import Ask, R
from .errors import EndpointRefuses
from .messages import body, fitted, messages, repair
from .settings import ModelSettings
from .structured import WAYS, Finding, Reply, Way, looser, read, read_text, unsupported

Status = Literal["ok", "repaired", "truncated", "refused", "empty", "malformed", "wrong_schema"]
LONGER = 2
"""How much longer a reply may be that was cut off, as a factor."""
_NEW_LIMIT, _OLD_LIMIT = "max_completion_tokens", "max_tokens"


class Refused(EndpointRefuses):
    """A refusal with the status and the words of the endpoint."""

    def __init__(self, message: str, status: int, said: str) -> None:
        super().__init__(message)
        self.status, self.said = status, said


class Memory(Protocol):
    """Where habits are kept."""

    def habit(self, endpoint: str, model: str, what: str) -> str | None: ...

    def remember(self, endpoint: str, model: str, what: str, value: str) -> None: ...


class Habits:
    """What an endpoint was found to support: ways of structure, and how it calls the limit of a reply."""

    def __init__(self, settings: ModelSettings, endpoint: str, memory: Memory) -> None:
        self._key, self._memory = (endpoint, settings.model), memory
        self._auto = settings.structured == "auto"
        self.way: Way = WAYS[0]
        if settings.structured != "auto":
            self.way = settings.structured
        elif (known := memory.habit(*self._key, "structured")) is not None:
            self.way = next((way for way in WAYS if way == known), WAYS[0])
        self.limit_field = memory.habit(*self._key, "limit_field") or _OLD_LIMIT

    def adapt(self, error: Refused, way: Way, limit_field: str) -> bool:
        """Whether another form of the same request may be tried after this refusal; it is remembered."""
        if error.status not in (400, 404, 405, 415, 422, 501):
            return False
        if _NEW_LIMIT in error.said and "supported" in error.said.lower() and limit_field == _OLD_LIMIT:
            self._set("limit_field", _NEW_LIMIT)
            return True
        if not self._auto or not unsupported(error.said):
            return False
        if WAYS.index(self.way) > WAYS.index(way):
            return True
        if (following := looser(way)) is None:
            return False
        self._set("structured", following)
        return True

    def _set(self, what: str, value: str) -> None:
        setattr(self, "way" if what == "structured" else what, value)
        self._memory.remember(*self._key, what, value)


@dataclass(frozen=True)
class Sending:
    """One request of a conversation."""

    body: dict[str, Any]
    round: int
    """0, or 1 for the second round."""
    prompt_tokens: int
    reply_tokens: int


@dataclass
class Outcome(Generic[R]):
    """What became of a question so far; complete when `status` is set."""

    value: R | None = None
    status: Status | None = None
    reason: str = ""
    raw: str = ""
    first_raw: str | None = None
    way: Way = "json_schema"


Send = Callable[[Sending], Awaitable[Reply]]


async def converse(
    ask: Ask[R], settings: ModelSettings, habits: Habits, send: Send, outcome: Outcome[R], first: str | None = None
) -> None:
    """Fill in `outcome`, which also says how far it came when sending raises.

    `first`: a reply that was paid for before, whose second round was never reached.
    """
    limit = ask.reply_tokens or settings.reply_tokens
    parts, note = fitted(ask, settings, limit)
    estimate = ask.prompt_tokens(settings)

    async def sent(added: list[dict[str, Any]], number: int, limit: int) -> Reply:
        while True:
            way, field = habits.way, habits.limit_field
            said = messages(ask, parts, way) + added
            extra = sum(len(m["content"]) for m in added) // 4
            outcome.way = way
            try:
                made = body(ask, settings, said, way, limit, field)
                return await send(Sending(made, number, estimate + extra, limit))
            except Refused as error:
                if not habits.adapt(error, way, field):
                    raise

    if first is None:
        reply = await sent([], 0, limit)
        found = read(reply, ask.reply)
        outcome.raw = reply.refusal or reply.text
        again = not reply.overlong
    else:
        found, outcome.raw, again = read_text(first, ask.reply), first, True
    complaint = ask.check(found.value) if ask.check is not None and found.value is not None else ""
    if found.value is not None and not complaint:
        _end(outcome, found, "ok", note)
        return
    longer = min(LONGER * limit, settings.context_tokens - estimate)
    if found.kind == "refused" or not again or (found.kind == "truncated" and longer <= limit):
        _end(outcome, found, "ok", note)
        return
    if found.kind == "truncated":
        second = await sent([], 1, longer)
        outcome.first_raw = outcome.raw
    else:
        outcome.first_raw = outcome.raw
        second = await sent(repair(outcome.raw, complaint or found.reason, ask), 1, limit)
    better = read(second, ask.reply)
    if better.value is None and found.value is not None:
        outcome.first_raw = second.refusal or second.text
        _end(outcome, found, "ok", f"left as it was: {complaint}")
        return
    outcome.raw = second.refusal or second.text
    left = ask.check(better.value) if ask.check is not None and better.value is not None else ""
    _end(outcome, better, "repaired", f"still: {left}" if left else note)


def _end(outcome: Outcome[Any], found: Finding[Any], good: Status, note: str) -> None:
    outcome.value = found.value
    outcome.status = good if found.value is not None else found.kind
    outcome.reason = note if found.value is not None else found.reason


def known_reply(row: dict[str, Any], reply: type[R]) -> Finding[R]:
    """The finding of a call on record."""
    if row["status"] in ("ok", "repaired"):
        return read_text(row["reply"], reply)
    return Finding(None, row["status"], row["reason"])
