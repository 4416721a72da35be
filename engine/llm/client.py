"""One endpoint that speaks the protocol of OpenAI, on the `openai` SDK: single tries, and retries where retrying can help.

Retried are 408, 409, 425, 429, server errors, lost connections, timeouts and bodies that are no chat completion; the
waits grow exponentially with a jitter that follows from the request, or are what the endpoint says. A busy endpoint
pauses everybody. Replies are read within a bound. Keys are read from the environment at each request, are in no object
of ours, and are cut out of whatever the endpoint says.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ...schemas.ids import seeded_fraction
from .budget import Budget
from .converse import Refused, Sending
from .errors import EndpointDown, EndpointRefuses
from .headers import retry_after_s
from .limits import Pace
from .settings import ModelSettings
from .structured import NotAReply, Reply, reply_of

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

X = TypeVar("X")
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
BUSY = frozenset({429, 503, 529})
WRONG_URL = frozenset({"UnsupportedProtocol", "InvalidURL", "InvalidUrlClientError", "NonHttpUrlClientError"})
UNREACHED = frozenset({"ConnectError", "ConnectionTimeoutError", "ClientConnectorError", "ClientConnectorDNSError"})
"""Errors before anything was sent, by name: nothing can have been charged."""
FIRST_WAIT_S = 0.5
"""Backoff before the second try; it doubles with each further one."""
BODY_BYTES, BYTES_PER_TOKEN = 65_536, 32
"""A reply's body is read up to so many bytes and so many per allowed token: far above any honest one."""
DOWN_S = 30.0
"""How long an endpoint that was given up for one request counts as down for the others, unless a reply comes."""
SHOWN = 500
"""Characters of what an endpoint says that messages repeat."""
_TOO_LONG = re.compile(
    r"context[ _](length|window|size)|maximum context|too many tokens|prompt is too long|exceeds? the (available )?context",
    re.IGNORECASE,
)
NO_QUOTA = "insufficient_quota"
"""Code of a 429 that is about money, and does not pass by waiting."""
_KEYS = re.compile(r"(?i)\b(bearer\s+|sk-)[\w.*\-]{4,}")


class TryAgain(Exception):
    """A try that may go better the next time."""

    def __init__(self, message: str, *, wait_s: float | None = None, busy: bool = False) -> None:
        super().__init__(message)
        self.wait_s, self.busy = wait_s, busy


@dataclass
class Tally:
    """What a question took so far, all its requests together."""

    tries: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0
    cached_tokens: int = 0
    cost: float = 0.0
    latency_s: float = 0.0
    batch: str | None = None
    flying: bool = False
    """Whether a request is on its way."""

    def add(self, reply: Reply, sending: Sending) -> int:
        """Count a reply; gives its tokens and those of its prompt."""
        prompt, said = answered_tokens(reply, sending)
        self.prompt_tokens += prompt
        self.reply_tokens += said
        self.cached_tokens += reply.cached_tokens
        return prompt + said


def answered_tokens(reply: Reply, sending: Sending) -> tuple[int, int]:
    """Tokens of prompt and reply as the endpoint counted them, or as estimated where it does not say."""
    prompt = sending.prompt_tokens if reply.prompt_tokens is None else reply.prompt_tokens
    return prompt, -(-len(reply.text) // 4) if reply.reply_tokens is None else reply.reply_tokens


def body_bytes(reply_tokens: int) -> int:
    """How much of a reply's body is read."""
    return BODY_BYTES + BYTES_PER_TOKEN * reply_tokens


def endpoint_name(base_url: str) -> str:
    """Scheme, host and port: never a path, a name or a key."""
    parts = urlsplit(base_url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


class Endpoint:
    """One model at one endpoint. In one event loop only."""

    def __init__(self, settings: ModelSettings, pace: Pace, budget: Budget) -> None:
        self.settings, self.pace, self.budget = settings, pace, budget
        self.name = endpoint_name(settings.base_url)
        self._client: AsyncOpenAI | None = None
        self._down: tuple[float, str] | None = None
        self._denied: str | None = None
        self._given_up = 0

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.close()

    def key(self) -> str:
        """The key, from the environment. Raises `EndpointRefuses` when its variable is not set."""
        variable = self.settings.key_variable
        if variable is None:
            return "none"
        value = os.environ.get(variable, "")
        if not value:
            raise EndpointRefuses(
                f"{self.name}: the environment variable {variable}, which key_variable names, is not set"
            )
        return value

    def hidden(self, text: str) -> str:
        """A text without the key and what looks like one."""
        key = os.environ.get(self.settings.key_variable or "", "")
        if key:
            text = text.replace(key, "[key]")
        return _KEYS.sub("[key]", text)

    def without_key(self, text: str) -> str:
        """A reply without the key, should a model or an endpoint repeat it."""
        key = os.environ.get(self.settings.key_variable or "", "")
        return text.replace(key, "[key]") if key else text

    def client(self) -> AsyncOpenAI:
        """The SDK's client, made at the first request."""
        if self._client is None:
            import httpx2
            from openai import AsyncOpenAI, DefaultAioHttpClient

            limits = self.settings.limits
            places = max(8, limits.concurrency)
            timeout = httpx2.Timeout(limits.timeout_s, connect=limits.connect_timeout_s, pool=None)

            async def key() -> str:
                return self.key()

            self._client = AsyncOpenAI(
                base_url=self.settings.base_url,
                api_key=key,
                max_retries=0,
                timeout=timeout,
                http_client=DefaultAioHttpClient(
                    timeout=timeout,
                    limits=httpx2.Limits(
                        max_connections=places + 8, max_keepalive_connections=places + 8, keepalive_expiry=60.0
                    ),
                ),
            )
        return self._client

    async def send(self, sending: Sending, tally: Tally, seed: str) -> Reply:
        """The reply to one request, tried as often as helps. `seed` decides the jitter.

        Raises `EndpointDown`, `EndpointRefuses`, `BudgetSpent`.
        """
        self._known_state()

        async def once() -> Reply:
            return await self._try(sending, tally)

        try:
            return await self._again(once, seed, sending.round)
        except TryAgain as error:
            tries = self.settings.limits.retries + 1
            self._given_up += 1
            raise self._gone(f"{self.name}: {error}; given up after {tries} tries", self._given_up > 1) from None
        except EndpointDown as error:
            raise self._gone(str(error), True) from None

    def _gone(self, message: str, for_all: bool) -> EndpointDown:
        """It did not answer in spite of everything. When it said so itself, or did so twice with no reply between, others
        need not find out for themselves, for a while.
        """
        if for_all:
            self._down = (time.monotonic() + min(self.settings.limits.longest_pause_s, DOWN_S), message)
        return EndpointDown(message)

    def _known_state(self) -> None:
        self.key()
        if self._denied is not None:
            raise EndpointRefuses(self._denied)
        if self._down is not None and time.monotonic() < self._down[0]:
            raise EndpointDown(self._down[1])

    async def _try(self, sending: Sending, tally: Tally) -> Reply:
        turn = await self.pace.enter(sending.prompt_tokens + sending.reply_tokens)
        used, headers = 0, None
        try:
            held = await self.budget.hold(self.settings, sending.prompt_tokens, sending.reply_tokens)
            used = turn.tokens
            tally.tries += 1
            tally.flying = True
            started = time.perf_counter()
            try:
                answer, headers = await self._post(sending)
            except _Unpaid as unpaid:
                used, headers = 0, unpaid.headers
                self.budget.settle(held, 0, 0)
                raise unpaid.error from None
            except BaseException:
                self.budget.lost(held)
                raise
            finally:
                tally.flying = False
                tally.latency_s = time.perf_counter() - started
            used = tally.add(answer, sending)
            tally.cost += self.budget.settle(held, *answered_tokens(answer, sending), answer.cached_tokens)
            self.pace.succeeded()
            self._down, self._given_up = None, 0
            return answer
        finally:
            self.pace.leave(turn, used, headers)

    async def _post(self, sending: Sending) -> tuple[Reply, Mapping[str, str]]:
        """One request. Raises `_Unpaid` (it was not worked on), `TryAgain`."""
        limits = self.settings.limits
        bound = body_bytes(sending.reply_tokens)
        asking, model = self.client().chat.completions.with_streaming_response, self.settings.model
        with self._understood():
            async with asyncio.timeout(limits.timeout_s + limits.connect_timeout_s):
                # As further fields the body goes out as it is; the SDK's own look at every message costs a millisecond.
                async with asking.create(model=model, messages=[], extra_body=sending.body) as response:
                    data = bytearray()
                    async for piece in response.iter_bytes():
                        data += piece
                        if len(data) > bound:
                            return self.overlong(bytes(data[:bound])), response.headers
                    return self._reply(bytes(data)), response.headers

    async def plain(self, what: Callable[[AsyncOpenAI], Awaitable[X]], seed: str) -> X:
        """A request that is no question, such as to submit a batch; tried as often as helps.

        Raises `EndpointDown`, `EndpointRefuses`.
        """
        client = self.client()

        async def once() -> X:
            try:
                with self._understood():
                    return await what(client)
            except _Unpaid as unpaid:
                raise unpaid.error from None

        try:
            return await self._again(once, seed)
        except TryAgain as error:
            raise EndpointDown(
                f"{self.name}: {error}; given up after {self.settings.limits.retries + 1} tries"
            ) from None

    async def _again(self, once: Callable[[], Awaitable[X]], *seed: Any) -> X:
        """The result of `once`, tried again for `TryAgain` as often as the settings allow."""
        from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

        limits = self.settings.limits

        def wait_s(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            assert isinstance(error, TryAgain)
            wait_s = error.wait_s
            if wait_s is None:
                grown = min(limits.longest_pause_s, FIRST_WAIT_S * 2 ** (state.attempt_number - 1))
                wait_s = grown * (0.5 + seeded_fraction("retry", *seed, state.attempt_number) / 2)
            if error.busy:
                self.pace.busy(wait_s)
            return wait_s

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TryAgain),
            stop=stop_after_attempt(limits.retries + 1),
            wait=wait_s,
            sleep=asyncio.sleep,
            reraise=True,
        )
        return await retrying(once)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Errors of the SDK as ours: `_Unpaid` when the endpoint did not work on it, else `TryAgain`."""
        import httpx2
        import openai

        limits = self.settings.limits
        try:
            yield
        except openai.APIStatusError as error:
            raise _Unpaid(self._refusal(error), error.response.headers) from None
        except (openai.APIConnectionError, httpx2.HTTPError, httpx2.StreamError, TimeoutError) as error:
            causes = _causes(error)
            told = self.hidden(" ".join(str(causes[-1]).split()) or type(causes[-1]).__name__)[:SHOWN]
            names = {type(cause).__name__ for cause in causes}
            if names & WRONG_URL:
                raise _Unpaid(EndpointRefuses(f"base_url {self.name} is no address: {told}")) from None
            if names & UNREACHED:
                raise _Unpaid(TryAgain(f"not reached: {told}")) from None
            if isinstance(causes[-1], TimeoutError):
                raise TryAgain(f"no reply within {limits.timeout_s:g} s") from None
            raise TryAgain(f"connection lost: {told}") from None

    def _reply(self, data: bytes) -> Reply:
        try:
            body = json.loads(self.without_key(data.decode("utf-8", errors="replace")))
        except ValueError:
            raise TryAgain(f"the body of the reply is no JSON ({len(data)} bytes)") from None
        if isinstance(body, dict) and "choices" not in body and isinstance(body.get("error"), dict):
            said = body["error"]
            code = said.get("code")
            status = code if isinstance(code, int) else 500
            raise _Unpaid(self.refusal(status, str(said.get("message") or said), {})) from None
        try:
            return reply_of(body)
        except NotAReply as error:
            raise TryAgain(str(error)) from None

    def overlong(self, data: bytes) -> Reply:
        return Reply(self.without_key(data.decode("utf-8", errors="replace")), finish="length", overlong=True)

    def _refusal(self, error: APIStatusError) -> Exception:
        said = error.body
        if isinstance(said, dict):
            said = said.get("message") or said.get("detail") or said.get("error") or said
        words = str(said or error.message)
        if error.code == NO_QUOTA and NO_QUOTA not in words:
            words += f" ({NO_QUOTA})"
        return self.refusal(error.status_code, words, error.response.headers)

    def refusal(self, status: int, said: str, headers: Mapping[str, str]) -> Exception:
        """What a status other than 200 means: to be tried again, or not."""
        said = self.hidden(" ".join(said.split()))[:SHOWN]
        unpaid_bill = status == 402 or NO_QUOTA in said
        if status in AGAIN and not unpaid_bill:
            wait_s = retry_after_s(headers)
            longest = self.settings.limits.longest_pause_s
            if wait_s is not None and wait_s > longest:
                return EndpointDown(
                    f"{self.name}: {status}, come again in {wait_s:.0f} s, longer than longest_pause_s {longest:g}: {said}"
                )
            return TryAgain(
                f"{status}: {said}",
                wait_s=wait_s,
                busy=status in BUSY and (status == 429 or wait_s is not None),
            )
        message = f"{self.name}: {status}: {said}"
        if _TOO_LONG.search(said):
            message = (
                f"{self.name}: the prompt and its reply do not fit into the context of {self.settings.model}; set "
                f"context_tokens to what it really has, or lower max_frames or reply_tokens: {said}"
            )
        elif status in (401, 403) or unpaid_bill:
            variable = self.settings.key_variable
            message += f" (key from {variable})" if variable else " (no key_variable is set)"
            if status != 403:
                self._denied = message
        return Refused(message, status, said)


class _Unpaid(Exception):
    """The endpoint did not work on it; `error` is what to raise instead."""

    def __init__(self, error: Exception, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(str(error))
        self.error, self.headers = error, headers


def _causes(error: BaseException) -> list[BaseException]:
    """An error and what it came from, the first cause last."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    return causes
