"""What the client of language models costs and withstands, measured against a local server in a process of its own.

    python benchmarks/model_client.py [--requests 2000] [--latency 0.5] [--limit 64]

(a) Share of the ideal throughput (requests / limit x latency), CPU time per request and growth of memory, beside the plain
`openai` SDK (`asyncio.gather` and a semaphore) in the same run; (b) the rerun; (c) the rerun after SIGKILL in mid-run;
(d) budgets of requests, tokens and money; (e) a storm of faults of all kinds. Client and server share the machine: on
two cores each has one, and other work shows as lost share, so the load average is printed too.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chronotope.engine.llm.ask import Answered, Ask
from chronotope.engine.llm.errors import BudgetSpent, EndpointDown, EndpointRefuses, ReplyRejected
from chronotope.engine.llm.live import LiveModels
from chronotope.engine.llm.prompts import Prompt
from chronotope.engine.llm.record import CallRecord
from chronotope.engine.llm.settings import BudgetSettings, Limits, ModelSettings, Price, Spent
from pydantic import BaseModel, ConfigDict

LIB = Path(__file__).parents[1] / "tests" / "lib"
PROMPT = Prompt(
    name="benchmark",
    version=1,
    system="You describe what is heard. Use slots for everything that has a time. " * 12,
    user="<<evidence>>",
)
PRICE = Price(input_per_million=1.0, output_per_million=4.0)


class HeardReply(BaseModel):
    """What is heard, in the order of the evidence."""

    model_config = ConfigDict(extra="forbid")

    sentences: list[str]
    speaker: str


def question(number: int) -> Ask[HeardReply]:
    """One of the questions: all differ."""
    evidence = "\n".join(
        f"e{k} (speech, {k}.2 to {k + 1}.1 s): “sentence {k} of recording {number}”" for k in range(1, 13)
    )
    return Ask("writer", PROMPT, (PROMPT.fill(evidence=evidence),), HeardReply, about=f"recording {number}")


def heard(asked: Any) -> dict[str, Any]:
    """What the server's model replies: computed from the evidence."""
    return {"sentences": [f"{{{name}}} says {told.text}" for name, told in asked.facts.items()], "speaker": "one voice"}


def serve(arguments: argparse.Namespace) -> None:
    """The server: prints its URL and serves until its input ends."""
    sys.path.insert(0, str(LIB))
    from model_faults import storm
    from model_server import ModelServer

    faults = storm(arguments.storm) if arguments.storm else ()
    with ModelServer(
        latency_s=arguments.latency, faults=faults, replies={"HeardReply": heard}, slow_s=1.0, huge_bytes=4_000_000
    ) as server:
        print(server.url, flush=True)
        sys.stdin.read()


@contextmanager
def server(latency_s: float, storm: float = 0.0) -> Iterator[str]:
    """The server in a process of its own; gives its URL."""
    command = [sys.executable, __file__, "--serve", "--latency", str(latency_s), "--storm", str(storm)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdin is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(20)


def told(url: str) -> dict[str, Any]:
    """What the server counted."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/requests", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def settings(url: str, limit: int) -> ModelSettings:
    """The role that asks."""
    return ModelSettings(
        base_url=url,
        model="test-model",
        reply_tokens=1024,
        price=PRICE,
        limits=Limits(concurrency=limit, timeout_s=20.0),
    )


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Run:
    """What became of a run of questions."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.wall_s = self.cpu_s = self.early_mb = self.late_mb = 0.0
        self.spent = Spent()

    async def ask(
        self, url: str, file: Path, count: int, limit: int, budget: BudgetSettings | None = None, warm: bool = False
    ) -> None:
        """All questions through the client."""
        with CallRecord(file) as record:
            live = LiveModels(
                {"writer": settings(url, limit)}, budget or BudgetSettings(), record, None, "run", spent=self.spent
            )
            async with live:
                models = live.of("benchmark")

                async def one(number: int) -> None:
                    try:
                        answered: Answered[HeardReply] = await models.ask(question(number))
                        self.kinds["usable"] += 1
                        self.kinds["cached"] += answered.cached
                    except ReplyRejected as error:
                        self.kinds["rejected"] += 1
                        self.reasons[error.kind] += 1
                    except (EndpointDown, EndpointRefuses, BudgetSpent) as error:
                        self.kinds["failed"] += 1
                        self.reasons[type(error).__name__] += 1
                        assert str(error)
                    self.look(number, count)

                await models.ask(question(-1)) if warm else None
                started, cpu = time.perf_counter(), time.process_time()
                await models.each(range(count), one)
                self.wall_s, self.cpu_s = time.perf_counter() - started, time.process_time() - cpu

    async def plain(self, url: str, count: int, limit: int) -> None:
        """The same requests with the SDK alone."""
        from chronotope.engine.llm.messages import body, messages
        from openai import AsyncOpenAI

        role, free = settings(url, limit), asyncio.Semaphore(limit)
        async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

            async def one(number: int) -> None:
                ask = question(number)
                async with free:
                    made = body(ask, role, messages(ask, ask.parts, "json_schema"), "json_schema", 1024, "max_tokens")
                    reply = await client.chat.completions.create(**made)
                    HeardReply.model_validate_json(reply.choices[0].message.content or "")
                    self.kinds["usable"] += 1
                self.look(number, count)

            await one(-1)
            started, cpu = time.perf_counter(), time.process_time()
            await asyncio.gather(*(one(n) for n in range(count)))
            self.wall_s, self.cpu_s = time.perf_counter() - started, time.process_time() - cpu

    def look(self, number: int, count: int) -> None:
        """Memory after a tenth and at the end."""
        if number == count // 10:
            gc.collect()
            self.early_mb = resident_mb()
        elif number == count - 1:
            self.late_mb = resident_mb()


def throughput(folder: Path, count: int, latency_s: float, limit: int) -> None:
    ideal_s = count / limit * latency_s
    print(f"\n{count} requests of {latency_s:g} s, {limit} at a time: ideal {ideal_s:.2f} s\n")
    print(
        "| | wall s | share of ideal | CPU ms per request | memory from a tenth to the end, MB |\n|---|---|---|---|---|"
    )
    with server(latency_s) as url:
        for name in ("client", "plain SDK", "client, rerun"):
            run = Run()
            before = told(url)["count"]
            work = (
                run.plain(url, count, limit)
                if name == "plain SDK"
                else run.ask(url, folder / "a.sqlite", count, limit, warm=True)
            )
            asyncio.run(work)
            share = f"{ideal_s / run.wall_s:.1%}" if "rerun" not in name else f"{told(url)['count'] - before} calls"
            print(
                f"| {name} | {run.wall_s:.2f} | {share} | {1000 * run.cpu_s / count:.2f} | "
                f"{run.early_mb:.1f} to {run.late_mb:.1f} |",
                flush=True,
            )
            assert run.kinds["usable"] >= count


def killed(folder: Path, count: int, latency_s: float, limit: int) -> None:
    file = folder / "c.sqlite"
    with server(latency_s) as url:
        command = [sys.executable, __file__, "--child", url, str(file), str(count), str(limit)]
        child = subprocess.Popen(command)
        while told(url)["count"] < 0.4 * count:
            time.sleep(0.1)
        child.send_signal(signal.SIGKILL)
        child.wait()
        with CallRecord(file) as record:
            kept = record.count()
        run = Run()
        asyncio.run(run.ask(url, file, count, limit))
        found = told(url)
        print(
            f"\nKilled with {kept} of {count} on record; rerun: {run.kinds['usable']} usable, {run.kinds['cached']} of them "
            f"from the record; calls repeated: {found['count'] - found['different']} (in flight: {limit})"
        )


def budgets(folder: Path, count: int, limit: int) -> None:
    print("\n| budget | allowed | spent | overshoot | answered |\n|---|---|---|---|---|")
    for name, amount in (("requests", count // 4), ("tokens", count * 150), ("money", count * 0.0003)):
        with server(0.05) as url:
            run = Run()
            asyncio.run(run.ask(url, folder / f"{name}.sqlite", count, limit, BudgetSettings(**{name: amount})))
            found = told(url)
            tokens = found["prompt_tokens"], found["reply_tokens"]
            really = {"requests": found["count"], "tokens": sum(tokens), "money": PRICE.of(*tokens)}[name]
            over = max(0, really - amount)
            print(f"| {name} | {amount:g} | {really:.6g} | {over:g} | {run.kinds['usable']} |", flush=True)


def stormy(folder: Path, count: int, limit: int) -> None:
    with server(0.05, storm=0.3) as url:
        run = Run()
        asyncio.run(run.ask(url, folder / "e.sqlite", count, limit))
        found, kinds = told(url), run.kinds
        total = kinds["usable"] + kinds["rejected"] + kinds["failed"]
        print(
            f"\nStorm: {sum(found['faults'].values())} faults of {len(found['faults'])} kinds in {found['count']} tries; {count} "
            f"questions = {kinds['usable']} usable + {kinds['rejected']} rejected + {kinds['failed']} failed "
            f"({'equal' if total == count else 'NOT EQUAL'}); reasons: "
            + ", ".join(f"{n} {k}" for k, n in sorted(run.reasons.items()))
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--latency", type=float, default=0.5, help="seconds of every reply")
    parser.add_argument("--limit", type=int, default=64, help="requests in flight")
    parser.add_argument("--only", choices=["throughput", "killed", "budgets", "stormy"])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--storm", type=float, default=0.0, help=argparse.SUPPRESS)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        return serve(arguments)
    if arguments.child:
        url, file, count, limit = arguments.child
        return asyncio.run(Run().ask(url, Path(file), int(count), int(limit)))
    count, limit = arguments.requests, arguments.limit
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        if arguments.only in (None, "throughput"):
            throughput(here, count, arguments.latency, limit)
        if arguments.only in (None, "killed"):
            killed(here, count, arguments.latency, limit)
        if arguments.only in (None, "budgets"):
            budgets(here, count, limit)
        if arguments.only in (None, "stormy"):
            stormy(here, count, limit)
    print(f"\nload average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
