"""`doctor --models RECIPE`: can each role of a recipe do what the recipe asks of it? Asked with a handful of small requests.

Roles with equal settings are one endpoint and are looked at once. The requests go through the same client as a build's,
and nothing of them is kept: no record, no rows. What an endpoint says is told as it is; keys are never shown.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from ..engine.llm.ask import Ask
from ..engine.llm.budget import Budget
from ..engine.llm.client import Endpoint
from ..engine.llm.errors import EndpointDown, EndpointRefuses, ReplyRejected
from ..engine.llm.limits import Pace
from ..engine.llm.live import LiveModels
from ..engine.llm.loop import run
from ..engine.llm.record import CallRecord
from ..engine.llm.settings import BudgetSettings, Limits, ModelSettings, Spent
from ..engine.llm.structured import WAYS
from .doctor import Check
from .doctor_probes import COPY, LONG_TEXT, CopiedReply, SeenReply, copy_ask, look_ask, scene_of
from .recipe_models import RecipeModels

State = Literal["ok", "missing", "bad"]
BURST = 4
LONG_CHARACTERS = 4_000
_CONTEXT_FIELDS = ("n_ctx", "max_model_len", "context_length", "context_window", "max_context_length")
_RATE = "x-ratelimit-"


@dataclass(frozen=True)
class Told:
    """What came of one question."""

    state: Literal["right", "wrong", "unusable", "refused", "down"]
    words: str
    prompt_tokens: int = 0
    estimate: int = 0
    value: BaseModel | None = None


def endpoints_of(models: RecipeModels) -> list[tuple[str, ModelSettings]]:
    """Different endpoints with the names of the roles that they play."""
    found: dict[str, tuple[list[str], ModelSettings]] = {}
    for role, settings in models.roles.items():
        found.setdefault(settings.model_dump_json(), ([], settings))[0].append(role)
    return [(", ".join(roles), settings) for roles, settings in found.values()]


def announced(models: RecipeModels) -> str:
    """What looking will take, said beforehand."""
    endpoints = endpoints_of(models)
    requests = sum(len(WAYS) + 1 + BURST + (s.sees != "nothing") + (s.sees == "video_url") for _, s in endpoints)
    many = "s" if len(endpoints) != 1 else ""
    return (
        f"asking {len(endpoints)} endpoint{many} about {requests} small requests (a few thousand tokens each endpoint)"
    )


def examine_models(models: RecipeModels) -> list[Check]:
    """All findings, role by role."""
    checks = [
        Check(role, "missing", f"no endpoint: {why}; what needs it is skipped") for role, why in models.missing.items()
    ]
    for roles, settings in endpoints_of(models):
        found = run(_examine(settings))
        checks += [Check(f"{roles}: {check.name}", check.state, check.detail) for check in found]
    return checks


async def _examine(settings: ModelSettings) -> list[Check]:
    limits = settings.limits.model_copy(update={"retries": min(1, settings.limits.retries)})
    settings = settings.model_copy(update={"limits": limits})
    endpoint = Endpoint(settings, Pace(limits), Budget(BudgetSettings(), Spent()))
    try:
        checks = [_key(settings)]
        reach, listed = await _reach(endpoint)
        checks += reach
        if any(check.state == "bad" for check in checks):
            return checks
        live = settings.model_copy(update={"mode": "live"})
        with tempfile.TemporaryDirectory() as folder, CallRecord(Path(folder) / "calls.sqlite") as record:
            roles: dict[str, ModelSettings] = {way: live.model_copy(update={"structured": way}) for way in WAYS}
            async with LiveModels(roles, BudgetSettings(), record, None, "doctor") as asking:
                ways: dict[str, Told] = {}
                for way in WAYS:
                    ways[way] = await _ask(asking, record, copy_ask(way, *_copied(way)))
                    if ways[way].state == "down":
                        checks.append(Check("structured output", "bad", f"no answer: {ways[way].words[:300]}"))
                        return checks
                checks.append(_structured(settings, ways))
                works = next((w for w in WAYS if ways[w].state in ("right", "wrong")), None)
                if works is None:
                    return checks
                checks += await _sight(asking, record, live, works)
                checks += await _context(asking, record, live, works, listed)
                field = record.habit(endpoint.name, settings.model, "limit_field") or "max_tokens"
        checks.append(await _limits(endpoint, min(BURST, limits.concurrency), field))
        if settings.mode == "batch":
            checks.append(await _batch(endpoint))
        checks.append(_price(settings))
        return checks
    finally:
        await endpoint.close()


def _key(settings: ModelSettings) -> Check:
    variable = settings.key_variable
    if variable is None:
        return Check("key", "ok", "none is sent (no key_variable)")
    return Check("key", "ok", f"{variable} is set")


async def _reach(endpoint: Endpoint) -> tuple[list[Check], Mapping[str, Any]]:
    """Reach, whether the name of the model is known, and what is listed of it."""
    import openai

    settings, started = endpoint.settings, time.perf_counter()
    client = endpoint.client().with_options(timeout=settings.limits.connect_timeout_s + 20)
    try:
        page = await client.models.list()
    except (openai.APIConnectionError, EndpointRefuses) as error:
        why = endpoint.hidden(str(error.__cause__ or error))[:200]
        return [Check("reach", "bad", f"{endpoint.name} is not reached: {why}")], {}
    except openai.APIStatusError as error:
        if error.status_code in (401, 403):
            said = endpoint.hidden(str(error.message))[:200]
            which = f"the key in {settings.key_variable}" if settings.key_variable else "a request without a key"
            return [Check("reach", "bad", f"{endpoint.name} does not accept {which}: {said}")], {}
        words = f"{endpoint.name} answers; it lists no models (status {error.status_code})"
        return [Check("reach", "ok", words)], {}
    took = f"{endpoint.name} answers in {1000 * (time.perf_counter() - started):.0f} ms"
    listed = {model.id: model.model_dump() for model in page.data}
    if settings.model in listed:
        return [Check("reach", "ok", f"{took}; it knows {settings.model}")], listed[settings.model]
    names = ", ".join(sorted(listed)[:5]) or "none"
    return [Check("reach", "missing", f"{took}; it does not list {settings.model} (listed: {names})")], {}


def _copied(way: str) -> tuple[str, int]:
    return "lantern", 40 + WAYS.index(way)


async def _ask(asking: LiveModels, record: CallRecord, ask: Ask[Any]) -> Told:
    settings = asking.settings(ask.role)
    try:
        answered = await asking.ask(ask)
    except ReplyRejected as error:
        return Told("unusable", f"{error.kind}: {error.reason}")
    except EndpointRefuses as error:
        return Told("refused", str(error))
    except EndpointDown as error:
        return Told("down", str(error))
    row = record.get(answered.request_hash) or {}
    value, counted = answered.value, int(row.get("prompt_tokens") or 0) // max(1, int(row.get("tries") or 1))
    words, estimate = str(value.model_dump()), ask.prompt_tokens(settings)
    if isinstance(value, CopiedReply):
        wanted = COPY.fill(word=value.word, number=str(value.number))
        return Told("right" if str(ask.parts[-1]).endswith(wanted) else "wrong", words, counted, estimate, value)
    return Told("right", words, counted, estimate, value)


def _structured(settings: ModelSettings, ways: Mapping[str, Told]) -> Check:
    """Which ways of structure work, and which one is taken."""
    named = {
        "right": "works",
        "wrong": "copies wrongly",
        "unusable": "not kept to",
        "refused": "refused",
    }
    told = ", ".join(f"{way} {named[found.state]}" for way, found in ways.items())
    taken: str | None = settings.structured
    if taken == "auto":
        taken = next((way for way in WAYS if ways[way].state != "refused"), None)
    if taken is None:
        return Check("structured output", "bad", f"{told}: {next(iter(ways.values())).words[:200]}")
    found = ways[taken]
    which = f"auto takes {taken}" if settings.structured == "auto" else f"the recipe asks for {taken}"
    if found.state == "right":
        return Check("structured output", "ok", f"{told}; {which}")
    if found.state == "wrong":
        return Check(
            "structured output", "missing", f"{told}; {which}, and the form is kept, but the reply was {found.words}"
        )
    better = next((way for way in WAYS if ways[way].state == "right"), None)
    advice = f"; set `structured: {better}`" if better else ""
    return Check("structured output", "bad", f"{told}; {which}{advice}: {found.words[:200]}")


async def _sight(asking: LiveModels, record: CallRecord, settings: ModelSettings, way: str) -> list[Check]:
    """Whether pictures, and videos where the role sends them, are seen."""
    checks = []
    for video in (False, True):
        if settings.sees == "nothing" or (video and settings.sees != "video_url"):
            continue
        scene = scene_of(settings.model, video)
        name, what = ("video", "a video") if video else ("vision", "a picture")
        found = await _ask(asking, record, look_ask(way, scene, video))
        said = found.value
        if not isinstance(said, SeenReply):
            fix = "; set `sees: frames`" if video else "; set `sees: nothing`, or choose a model that sees"
            checks.append(Check(name, "bad", f"{what} is not taken{fix}: {found.words[:200]}"))
            continue
        right = scene.right(said)
        state: State = "ok" if right == 3 else "missing" if right == 2 else "bad"
        tokens = f"; {found.prompt_tokens} prompt tokens, estimate {found.estimate}"
        words = f"sent {what} of {scene}; it said {said.count} x {said.colour or 'nothing'} {said.shape}: {right} of 3 right"
        checks.append(Check(name, state, words + tokens))
    return checks


async def _context(
    asking: LiveModels, record: CallRecord, settings: ModelSettings, way: str, listed: Mapping[str, Any]
) -> list[Check]:
    """How the endpoint counts tokens against the estimate, and how long its context is where it tells."""
    text = (LONG_TEXT * (LONG_CHARACTERS // len(LONG_TEXT) + 1))[:LONG_CHARACTERS] + "\n"
    found = await _ask(asking, record, copy_ask(way, "harbour", 58, text))
    if found.state in ("refused", "down"):
        return [Check("context", "bad", f"a prompt of {found.estimate or 1000} tokens is refused: {found.words[:500]}")]
    listed = {**listed, **(listed["meta"] if isinstance(listed.get("meta"), dict) else {})}
    told = next((int(listed[f]) for f in _CONTEXT_FIELDS if isinstance(listed.get(f), (int, float))), None)
    state: State = "ok"
    words = "it does not count tokens"
    if found.prompt_tokens:
        share = found.prompt_tokens / max(1, found.estimate)
        words = f"{found.prompt_tokens} tokens counted, {found.estimate} estimated ({share:.2f} x)"
        if share > 1.3:
            state = "missing"
            words += "; predictions and limits are too low by that"
    if told is not None and told < settings.context_tokens:
        return [
            Check(
                "context", "bad", f"{words}; it takes {told} tokens, and context_tokens says {settings.context_tokens}"
            )
        ]
    words += (
        f"; it takes {told} tokens" if told else f"; its length is not told, the recipe says {settings.context_tokens}"
    )
    return [Check("context", state, words)]


async def _limits(endpoint: Endpoint, burst: int, limit_field: str) -> Check:
    """Rate limits as the headers tell them, and whether a few requests at once go through."""
    import openai

    client = endpoint.client().with_options(timeout=endpoint.settings.limits.timeout_s)

    async def one(number: int) -> tuple[int, float, Mapping[str, str]]:
        started = time.perf_counter()
        body: dict[str, Any] = {"messages": [{"role": "user", "content": f"Say the number {number}."}]}
        try:
            told = await client.chat.completions.with_raw_response.create(
                model=endpoint.settings.model, **body, extra_body={**endpoint.settings.extra_body, limit_field: 16}
            )
            return 200, time.perf_counter() - started, told.headers
        except openai.APIStatusError as error:
            return error.status_code, time.perf_counter() - started, error.response.headers
        except openai.APIConnectionError:
            return 0, time.perf_counter() - started, {}

    found = await asyncio.gather(*(one(n) for n in range(burst)))
    headers = {k.lower(): v for _, _, told in found for k, v in told.items()}
    told = {k.removeprefix(_RATE): v for k, v in headers.items() if k.startswith(_RATE)}
    said = ", ".join(f"{k} {v}" for k, v in sorted(told.items()) if k.startswith(("limit", "remaining")))
    through = [seconds for status, seconds, _ in found if status == 200]
    busy = sum(status == 429 for status, _, _ in found)
    words = f"{len(through)} of {burst} at once answered"
    words += f" within {max(through):.1f} s" if through else ""
    words += f", {busy} told to come again" if busy else ""
    words += f"; headers: {said}" if said else "; no rate headers"
    settings: Limits = endpoint.settings.limits
    state: State = "ok" if through else "bad"
    if through and len(through) < burst:
        state, words = "missing", f"{words}; lower limits.concurrency (now {settings.concurrency})"
    return Check("limits", state, words)


async def _batch(endpoint: Endpoint) -> Check:
    import openai

    try:
        await endpoint.client().batches.list(limit=1)
    except openai.APIError as error:
        said = endpoint.hidden(str(error))[:160]
        return Check("batch", "bad", f"the recipe says `mode: batch`, but batches are not offered: {said}")
    return Check("batch", "ok", "batches are offered")


def _price(settings: ModelSettings) -> Check:
    price = settings.price
    if price.input_per_million == price.output_per_million == 0:
        return Check(
            "price", "missing", "none is set: costs are told as 0, and `budget: {money: ...}` does not bound it"
        )
    said = f"{price.input_per_million:g} + {price.output_per_million:g} {price.currency} per million tokens in and out"
    return Check("price", "ok", said)
