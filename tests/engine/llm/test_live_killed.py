"""A build that is killed while it asks: what came back is known, and at most what was in flight is asked again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from asking_models import REPLIES, asking, calls, question, role
from model_server import ModelServer

CHILD = """
import asyncio, sys
from pathlib import Path
from asking_models import asking, question, role

async def run(folder, url):
    async with asking(Path(folder), role(url, limits={"concurrency": 16})) as live:
        await live.each(range(300), lambda n: live.ask(question(n)))

asyncio.run(run(*sys.argv[1:]))
"""


def test_at_most_what_was_in_flight_is_asked_again(tmp_path: Path) -> None:
    lib = str(Path(__file__).parents[2] / "lib")
    with ModelServer(replies=REPLIES, latency_s=0.1) as server:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), server.url], env={**os.environ, "PYTHONPATH": lib}
        )
        while server.requests.count < 100:
            assert child.poll() is None
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        kept = {r["request_hash"] for r in calls(tmp_path)}
        assert 50 <= len(kept) < 300

        async def run() -> list[bool]:
            async with asking(tmp_path, role(server.url, limits={"concurrency": 16})) as live:
                answered = await live.each(range(300), lambda n: live.ask(question(n)))
                return [a.cached for a in answered]

        assert sum(asyncio.run(run())) == len(kept)
        repeated = sum(n - 1 for n in server.requests.by_digest.values())
        assert repeated <= 16
        assert server.requests.count == 300 + repeated
