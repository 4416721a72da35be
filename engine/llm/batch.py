"""The Batch API as a way of sending: questions gather, go out together as one file, and are collected when the endpoint is done.

A question waits as in live mode, for hours if need be. Killed meanwhile, the next run asks the same questions, finds
their lines in submitted batches and waits for those. Replies are read line by line and kept before anybody sees them.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ...schemas.ids import derive_id
from .batch_log import BatchLog, Submission
from .budget import Budget
from .client import Endpoint, Tally, TryAgain, answered_tokens, body_bytes
from .converse import Sending
from .errors import EndpointDown, EndpointRefuses
from .record import CallRecord
from .structured import NotAReply, Reply, reply_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch

MOST_BYTES = 100 << 20
"""Size of one submitted file, at most; endpoints commonly take 200 MB."""
FINAL = frozenset({"completed", "failed", "expired", "cancelled"})
KEPT_TOGETHER = 200
STALE_S = 3_600.0
"""A file of gathered questions that has not grown for so long belongs to nobody."""
LABEL = "chronotope"
"""Name under which a batch's metadata hold the submission, so that it is found again."""


class BatchEnded(EndpointDown):
    """A batch, or a line of it, ended without a reply: failed, expired or cancelled. The next build submits it again."""


@dataclass
class _Gathered:
    """Lines that are not submitted yet, in a file."""

    path: Path
    file: IO[str]
    lines: dict[str, str] = field(default_factory=dict)
    size: int = 0


class Batches:
    """Batches of one role. In one event loop only."""

    def __init__(self, endpoint: Endpoint, budget: Budget, record: CallRecord) -> None:
        self.endpoint, self.budget, self.settings = endpoint, budget, endpoint.settings
        self._log = BatchLog(record, endpoint.name, endpoint.settings.model)
        self._folder = record.path.parent / "batches"
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._pending: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._gathered: _Gathered | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._resumed: asyncio.Task[None] | None = None

    async def send(self, sending: Sending, tally: Tally, digest: str) -> Reply:
        """The reply, whenever it comes. Raises `BatchEnded`, `EndpointDown`, `EndpointRefuses`, `BudgetSpent`."""
        if self._resumed is None:
            self._resumed = asyncio.create_task(self._resume())
        await asyncio.shield(self._resumed)
        line, started = f"{digest}-{sending.round}", time.perf_counter()
        known = self._log.reply(line)
        held = None
        if known is None:
            if line not in self._pending:
                held = await self.budget.hold(self.settings, sending.prompt_tokens, sending.reply_tokens, batch=True)
            waiting = self._waiting[line] = asyncio.get_running_loop().create_future()
            try:
                if held is not None:
                    self._add(line, digest, sending)
                await waiting
            except BaseException:
                if held is not None:
                    self.budget.settle(held, 0, 0)
                raise
            finally:
                self._waiting.pop(line, None)
            known = self._log.reply(line)
            assert known is not None, line
        tally.tries += 1
        tally.batch, text = known
        tally.latency_s = time.perf_counter() - started
        reply = self._read(text, sending)
        tally.add(reply, sending)
        tokens = answered_tokens(reply, sending)
        tally.cost += self.settings.price.of(*tokens, cached_tokens=reply.cached_tokens, batch=True)
        if held is not None:
            self.budget.settle(held, *tokens, reply.cached_tokens)
        return reply

    async def close(self) -> None:
        """Stop waiting; what was submitted is collected by the next run."""
        if self._timer is not None:
            self._timer.cancel()
        tasks = [*self._tasks, *([self._resumed] if self._resumed else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._gathered is not None:
            self._gathered.file.close()
            self._gathered.path.unlink(missing_ok=True)

    def _read(self, text: str, sending: Sending) -> Reply:
        if len(text) > body_bytes(sending.reply_tokens):
            return self.endpoint.overlong(text[: body_bytes(sending.reply_tokens)].encode())
        try:
            return reply_of(json.loads(self.endpoint.without_key(text)))
        except NotAReply as error:
            raise BatchEnded(f"{self.endpoint.name}: a line of a batch is no reply: {error}") from None

    def _add(self, line: str, digest: str, sending: Sending) -> None:
        if self._gathered is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            number, path = tempfile.mkstemp(dir=self._folder, suffix=".jsonl")
            self._gathered = _Gathered(Path(path), os.fdopen(number, "w", encoding="utf-8"))
        request = {"custom_id": line, "method": "POST", "url": "/v1/chat/completions", "body": sending.body}
        text = json.dumps(request, ensure_ascii=False) + "\n"
        self._gathered.file.write(text)
        self._gathered.lines[line] = digest
        self._gathered.size += len(text)
        if self._timer is not None:
            self._timer.cancel()
        if len(self._gathered.lines) >= self.settings.batch_max_requests or self._gathered.size >= MOST_BYTES:
            self._submit()
        else:
            self._timer = asyncio.get_running_loop().call_later(self.settings.batch_gather_s, self._submit)

    def _submit(self) -> None:
        gathered, self._gathered, self._timer = self._gathered, None, None
        if gathered is not None:
            self._spawn(self._submitted(gathered))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _submitted(self, gathered: _Gathered) -> None:
        gathered.file.close()
        name = derive_id("batch", sorted(gathered.lines))
        submission = Submission(name, None, gathered.lines)
        self._pending |= set(gathered.lines)
        try:
            uploaded = await self.endpoint.plain(
                lambda client: client.files.create(file=gathered.path, purpose="batch"), name
            )
            self._log.write(submission)
            tried = 0

            async def create(client: AsyncOpenAI) -> str:
                nonlocal tried
                tried += 1
                if tried > 1 and (found := await self._find(client, name)):
                    return found
                batch = await client.batches.create(
                    input_file_id=uploaded.id,
                    endpoint="/v1/chat/completions",
                    completion_window="24h",
                    metadata={LABEL: name},
                )
                return batch.id

            batch = await self.endpoint.plain(create, name)
        except (EndpointDown, EndpointRefuses) as error:
            self._log.drop(name)
            self._fail(gathered.lines, error)
            return
        finally:
            gathered.path.unlink(missing_ok=True)
        submission = Submission(name, batch, gathered.lines)
        self._log.write(submission)
        await self._collect(submission)

    async def _resume(self) -> None:
        """Take up what earlier runs submitted, and clear away files that a killed one never did."""
        for left in self._folder.glob("*.jsonl"):
            if left.stat().st_mtime < time.time() - STALE_S:
                left.unlink(missing_ok=True)
        for submission in self._log.pending():
            batch = submission.batch
            if batch is None:
                batch = await self.endpoint.plain(lambda c, n=submission.name: self._find(c, n), submission.name)  # type: ignore[misc]
                if batch is None:
                    self._log.drop(submission.name)
                    continue
                submission = Submission(submission.name, batch, submission.lines)
                self._log.write(submission)
            self._pending |= set(submission.lines)
            self._spawn(self._collect(submission))

    async def _find(self, client: AsyncOpenAI, name: str) -> str | None:
        """The batch of a submission whose identifier never arrived."""
        async for batch in client.batches.list(limit=100):
            if (batch.metadata or {}).get(LABEL) == name and batch.status not in ("failed", "expired", "cancelled"):
                return batch.id
        return None

    async def _collect(self, submission: Submission) -> None:
        """Wait for a batch, keep its replies, and wake up who waits for them."""
        name = submission.batch
        assert name is not None
        try:
            while True:
                batch = await self.endpoint.plain(lambda client: client.batches.retrieve(name), name)
                if batch.status in FINAL:
                    break
                await asyncio.sleep(self.settings.batch_poll_s)
            errors = await self.endpoint.plain(lambda client: self._lines(client, batch, submission), name)
        except (EndpointDown, EndpointRefuses) as error:
            self._pending -= set(submission.lines)
            self._fail(submission.lines, error)
            return
        self._log.drop(submission.name)
        self._pending -= set(submission.lines)
        for line in submission.lines:
            waiting = self._waiting.get(line)
            if waiting is None or waiting.done():
                continue
            if self._log.reply(line) is not None:
                waiting.set_result(None)
            else:
                waiting.set_exception(errors.get(line) or BatchEnded(self._ended(batch)))

    async def _lines(self, client: AsyncOpenAI, batch: Batch, submission: Submission) -> dict[str, Exception]:
        """Keep every reply of the output; gives what is wrong with the lines that have none."""
        errors: dict[str, Exception] = {}
        kept: list[tuple[str, str, str, str]] = []
        for file in (batch.output_file_id, batch.error_file_id):
            if file is None:
                continue
            async with client.files.with_streaming_response.content(file) as response:
                async for text in response.iter_lines():
                    if not text.strip():
                        continue
                    said = json.loads(text)
                    line = str(said.get("custom_id"))
                    if line not in submission.lines:
                        continue
                    response_of = said.get("response") or {}
                    if response_of.get("status_code") == 200:
                        body = json.dumps(response_of.get("body"), ensure_ascii=False)
                        kept.append((line, submission.lines[line], batch.id, body))
                    else:
                        errors[line] = self._refused(said, batch)
                    if len(kept) >= KEPT_TOGETHER:
                        self._log.keep(kept)
                        kept = []
        self._log.keep(kept)
        return errors

    def _refused(self, said: Mapping[str, Any], batch: Batch) -> Exception:
        """What is wrong with one line."""
        response = said.get("response") or {}
        error = (response.get("body") or {}).get("error") or said.get("error") or {}
        message = str(error.get("message") or error) if isinstance(error, dict) else str(error)
        status = int(response.get("status_code") or 0)
        refused = self.endpoint.refusal(status, message, {}) if status else None
        if refused is not None and not isinstance(refused, TryAgain):
            return refused
        hidden = self.endpoint.hidden(message)
        return BatchEnded(
            f"{self.endpoint.name}: a request of batch {batch.id} ended without a reply: {status or ''} {hidden}"
        )

    def _ended(self, batch: Batch) -> str:
        said = "; ".join(str(e.message) for e in (batch.errors.data or [])) if batch.errors else ""
        return self.endpoint.hidden(
            f"{self.endpoint.name}: batch {batch.id} {batch.status} without a reply to this: {said}"
        )

    def _fail(self, lines: Mapping[str, str], error: Exception) -> None:
        for line in lines:
            waiting = self._waiting.get(line)
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)
