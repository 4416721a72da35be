"""A real HTTP server that speaks the OpenAI protocol, for tests and benchmarks: careful replies, limits, and faults on demand.

`with ModelServer(latency_s=0.5, faults={"error_500": 0.1}) as server:` runs it in a thread, `ServerProcess` in a process of its
own; by hand: `python tests/lib/model_server.py --port 8123`. Replies come from `model_replies/<reply class>.py` or the test's
own responders; what was asked is in `server.requests`. Nothing leaves the machine and nothing is kept on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from aiohttp import web
from model_asked import Asked, BadRequest, read_request
from model_batches import Batches
from model_chat import Abilities, Responder, check, choice, completion, error, longest_reply, responder_of
from model_faults import Fault, Kind, as_faults, drawn, storm
from model_limits import Gate, ServerLimits

BUSY = {
    "rate_limited_after": (429, "Rate limit reached for requests. Please try again later.", "rate_limit_exceeded"),
    "rate_limited": (429, "Rate limit reached for requests.", "rate_limit_exceeded"),
    "error_500": (500, "The server had an error while processing your request. Sorry about that!", None),
    "unavailable_503": (503, "The engine is currently overloaded, please try again later.", None),
}


@dataclass
class Requests:
    """What was asked: counts of chat completions, batched ones included."""

    count: int = 0
    by_digest: Counter[str] = field(default_factory=Counter)
    """Arrivals by question; a repair round and a retry count for the same question."""
    by_schema: Counter[str] = field(default_factory=Counter)
    by_status: Counter[int] = field(default_factory=Counter)
    """Answers by HTTP status; 0: the connection was cut."""
    faults: Counter[str] = field(default_factory=Counter)
    """Faults that were really put into replies."""
    peak: int = 0
    """Most requests in flight at the same time."""
    in_flight: int = 0
    repairs: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """The requests themselves, when `keep_bodies`."""


@dataclass
class Settings:
    """How the server behaves."""

    latency_s: float = 0.0
    slow_s: float = 2.0
    """Further seconds of the fault `slow`."""
    retry_after_s: float = 0.05
    """What the fault `rate_limited_after` tells."""
    huge_bytes: int = 4_000_000
    batch_s: float = 0.2
    """Shortest time of a batch."""
    key: str | None = None
    """The key that every request must bring."""
    seed: int = 0
    keep_bodies: bool = False


class ModelServer:
    """The server: start it with `with`, ask at `url`."""

    def __init__(
        self,
        *,
        latency_s: float = 0.0,
        faults: Mapping[Kind, float] | Iterable[Fault] = (),
        abilities: Abilities | None = None,
        limits: ServerLimits | None = None,
        replies: Mapping[str, Responder] | None = None,
        key: str | None = None,
        port: int = 0,
        **more: Any,
    ) -> None:
        """`replies`: responders of this test by the name of the reply class, before the carried ones; "" for requests
        without a schema. `more`: fields of `Settings`.
        """
        self.settings = replace(Settings(), latency_s=latency_s, key=key, **more)
        self.faults, self.abilities = as_faults(faults), abilities or Abilities()
        self.replies: dict[str, Responder] = dict(replies or {})
        self.gate = Gate(limits or ServerLimits())
        self.requests = Requests()
        self.failures: list[str] = []
        """Responders that raised: mistakes of the test, told when the server stops."""
        self.batches = Batches(self)
        self._arrived: Counter[str] = Counter()
        self._answered: Counter[str] = Counter()
        self._port, self._loop = port, asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="model-server", daemon=True)
        self._up = threading.Event()

    @property
    def url(self) -> str:
        """Base URL, as recipes name it."""
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> ModelServer:
        self._thread.start()
        if not self._up.wait(20):
            raise RuntimeError("the test server did not start within 20 s")
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        if kind is None and self.failures:
            raise AssertionError(f"{len(self.failures)} replies failed; the first:\n{self.failures[0]}")

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", self._port, backlog=1024)
        self._loop.run_until_complete(site.start())
        self._port = runner.addresses[0][1]
        self._up.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _app(self) -> web.Application:
        @web.middleware
        async def keyed(request: web.Request, handler: Any) -> web.StreamResponse:
            if (
                self.settings.key
                and request.path.startswith("/v1")
                and (request.headers.get("Authorization") != f"Bearer {self.settings.key}")
            ):
                self.requests.by_status[401] += 1
                said = error("Incorrect API key provided.", "invalid_request_error", code="invalid_api_key")
                return web.json_response(said, status=401)
            answer: web.StreamResponse = await handler(request)
            return answer

        app = web.Application(client_max_size=1 << 30, middlewares=[keyed])
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/requests", self._told)
        self.batches.route(app)
        return app

    async def _models(self, request: web.Request) -> web.Response:
        names = self.abilities.names or ("test-model",)
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in names]
        return web.json_response({"object": "list", "data": listed})

    async def _told(self, request: web.Request) -> web.Response:
        told = vars(self.requests) | {"bodies": [], "different": len(self.requests.by_digest)}
        return web.json_response(told | {"failures": self.failures})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        log = self.requests
        log.in_flight += 1
        log.peak = max(log.peak, log.in_flight)
        log.first_s = log.first_s or time.monotonic()
        try:
            try:
                body = json.loads(await request.read())
            except ValueError:
                return self._said(
                    400, error("We could not parse the JSON body of your request.", "invalid_request_error")
                )
            tokens = longest_reply(body) or 0
            refused = self.gate.admit(len(str(body.get("messages", ""))) / 4 + tokens, log.in_flight)
            if refused is not None:
                return self._limit(*refused)
            status, answer, fault = self.answer(body)
            await asyncio.sleep(self.settings.latency_s + (self.settings.slow_s if fault == "slow" else 0))
            if fault in ("disconnect_before", "disconnect_middle"):
                return await self._cut(request, answer, fault)
            headers = {"Retry-After": f"{self.settings.retry_after_s:g}"} if fault == "rate_limited_after" else {}
            return self._said(status, answer, headers)
        finally:
            log.in_flight -= 1
            log.last_s = time.monotonic()

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any], Kind | None]:
        """Status, body and fault of one chat completion, live or of a batch. Counts it."""
        log = self.requests
        log.count += 1
        if self.settings.keep_bodies:
            log.bodies.append(body)
        question = _question(body)
        digest = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
        log.by_digest[digest] += 1
        try:
            asked = read_request(body, self._answered[digest])
            check(body, asked, self.abilities)
        except BadRequest as wrong:
            status = 404 if wrong.code == "model_not_found" else 400
            return status, error(str(wrong), "invalid_request_error", wrong.param, wrong.code), None
        log.by_schema[asked.schema_name] += 1
        log.repairs += asked.repairing
        arrival = self._arrived[digest]
        self._arrived[digest] += 1
        fault = drawn(self.faults, digest, arrival, self.settings.seed)
        if fault in BUSY:
            log.faults[fault] += 1
            status, words, code = BUSY[fault]
            return status, error(words, "rate_limit_error" if status == 429 else "server_error", code=code), fault
        responder = responder_of(asked.schema_name, self.replies)
        choices, done = [], True
        for n in range(int(body.get("n") or 1)):
            one = replace(asked, number=asked.number + n)
            try:
                made, done = choice(one, body, fault, responder, self.abilities, digest, self.settings.huge_bytes)
            except Exception:
                self.failures.append(f"{asked.schema_name}:\n{traceback.format_exc()}")
                return 400, error(f"the responder of {asked.schema_name} failed", "invalid_request_error"), None
            choices.append(made | {"index": n})
        if fault is not None and done:
            log.faults[fault] += 1
        if fault is None or fault == "slow":
            self._answered[digest] += 1
        whole = completion(
            body, asked, choices, hashlib.sha256(f"{digest} {arrival}".encode()).hexdigest(), int(time.time())
        )
        log.prompt_tokens += whole["usage"]["prompt_tokens"]
        log.reply_tokens += whole["usage"]["completion_tokens"]
        return 200, whole, fault

    def _said(self, status: int, answer: dict[str, Any], headers: Mapping[str, str] | None = None) -> web.Response:
        self.requests.by_status[status] += 1
        named = {"x-request-id": f"req_{self.requests.count}", **self.gate.headers(), **(headers or {})}
        return web.json_response(answer, status=status, headers=named)

    def _limit(self, what: str, wait_s: float) -> web.Response:
        self.requests.count += 1
        headers = {}
        if self.gate.limits.tell_when:
            headers = {"Retry-After": f"{wait_s:.3f}", "retry-after-ms": f"{wait_s * 1000:.0f}"}
        words = f"Rate limit reached: {what}. Please try again in {wait_s:.3f}s."
        return self._said(429, error(words, what.replace(" ", "_"), code="rate_limit_exceeded"), headers)

    async def _cut(self, request: web.Request, answer: dict[str, Any], fault: Kind) -> web.StreamResponse:
        self.requests.by_status[0] += 1
        data = json.dumps(answer).encode()
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(data))})
        if fault == "disconnect_middle":
            await response.prepare(request)
            await response.write(data[: len(data) // 2])
        if request.transport is not None:
            request.transport.close()
        return response


def _question(body: Mapping[str, Any]) -> list[Any]:
    """What makes a question: everything up to the first message of the user, so that a repair round belongs to it."""
    asked: list[Any] = []
    for message in body.get("messages") or []:
        asked.append(message)
        if message.get("role") == "user":
            break
    form = (body.get("response_format") or {}).get("json_schema") or {}
    return [body.get("model"), asked, form.get("name"), body.get("seed"), (body.get("metadata") or {}).get("sample")]


@dataclass
class ServerProcess:
    """The server in a process of its own, so that its work does not count against who asks. `arguments`: of the command."""

    arguments: tuple[str, ...] = ()
    url: str = field(init=False, default="")

    def __enter__(self) -> ServerProcess:
        command = [sys.executable, str(Path(__file__)), "--port", "0", *self.arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"the test server did not start: {' '.join(command)}")
        return self

    def __exit__(self, *rest: object) -> None:
        self._process.terminate()
        self._process.wait(10)

    def requests(self) -> dict[str, Any]:
        """`ModelServer.requests`, asked over HTTP."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/requests", timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


def main() -> None:
    """Serve until stopped; the first line printed is the base URL."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds of every reply")
    parser.add_argument("--storm", type=float, default=0.0, help="share of faulty replies, all kinds alike")
    parser.add_argument("--fault", action="append", default=[], metavar="KIND=RATE", help="one kind of fault")
    parser.add_argument("--always", action="store_true", help="faults stay when a request is repeated")
    parser.add_argument("--requests", type=float, help="requests that a window lets through")
    parser.add_argument("--tokens", type=float, help="tokens that a window lets through")
    parser.add_argument("--window", type=float, default=60.0, help="seconds of a window")
    parser.add_argument("--in-flight", type=int, help="requests at the same time")
    parser.add_argument("--slow", type=float, default=2.0, help="further seconds of slow replies")
    parser.add_argument("--batch", type=float, default=0.2, help="shortest time of a batch")
    parser.add_argument("--key", help="key that requests must bring")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    given = parser.parse_args()
    named = [Fault(f.partition("=")[0], float(f.partition("=")[2] or 1), given.always) for f in given.fault]  # type: ignore[arg-type]
    faults = (*named, *(storm(given.storm, always=given.always) if given.storm else ()))
    limits = ServerLimits(given.requests, given.tokens, given.in_flight, given.window)
    more = {"slow_s": given.slow, "batch_s": given.batch, "seed": given.seed}
    abilities = Abilities(names=())
    with ModelServer(latency_s=given.latency, faults=faults, limits=limits, abilities=abilities, key=given.key,
                     port=given.port, **more) as server:  # fmt: skip
        print(server.url, flush=True)
        threading.Event().wait()


__all__ = ["Abilities", "Asked", "Fault", "ModelServer", "ServerLimits", "ServerProcess", "storm"]

if __name__ == "__main__":
    main()
