"""Files and batches of the test server: upload JSONL, let it be worked through, look at it, cancel it, fetch the results.

Requests of a batch meet the same responders and faults as live ones; faults of the connection become failed lines of the
error file, and results come in another order than the requests, as the protocol allows.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web
from model_chat import error

if TYPE_CHECKING:
    from model_server import ModelServer

TERMINAL = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass
class Batches:
    """Uploaded files and submitted batches of one server."""

    server: ModelServer
    files: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    """Identifier: name, purpose, content."""
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def route(self, app: web.Application) -> None:
        """Add the paths."""
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files", self._files)
        app.router.add_get("/v1/files/{id}", self._file)
        app.router.add_delete("/v1/files/{id}", self._delete)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", self._submit)
        app.router.add_get("/v1/batches", self._listed)
        app.router.add_get("/v1/batches/{id}", self._look)
        app.router.add_post("/v1/batches/{id}/cancel", self._cancel)

    def keep(self, name: str, purpose: str, content: bytes) -> str:
        """A new file; its identifier."""
        made = f"file-{len(self.files):04}{hashlib.sha256(content).hexdigest()[:12]}"
        self.files[made] = (name, purpose, content)
        return made

    def _as_file(self, file_id: str) -> dict[str, Any]:
        name, purpose, content = self.files[file_id]
        return {"id": file_id, "object": "file", "bytes": len(content), "created_at": int(time.time()), "filename": name,
                "purpose": purpose, "status": "processed"}  # fmt: skip

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        upload = form.get("file")
        if not isinstance(upload, web.FileField):
            return _wrong("'file' is a required property", "file")
        file_id = self.keep(upload.filename, str(form.get("purpose", "")), upload.file.read())
        return web.json_response(self._as_file(file_id))

    async def _files(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"object": "list", "data": [self._as_file(f) for f in reversed(self.files)], "has_more": False}
        )

    async def _file(self, request: web.Request) -> web.Response:
        file_id = request.match_info["id"]
        return web.json_response(self._as_file(file_id)) if file_id in self.files else _gone(file_id)

    async def _delete(self, request: web.Request) -> web.Response:
        file_id = request.match_info["id"]
        if self.files.pop(file_id, None) is None:
            return _gone(file_id)
        return web.json_response({"id": file_id, "object": "file", "deleted": True})

    async def _content(self, request: web.Request) -> web.Response:
        file_id = request.match_info["id"]
        if file_id not in self.files:
            return _gone(file_id)
        return web.Response(body=self.files[file_id][2], content_type="application/octet-stream")

    async def _submit(self, request: web.Request) -> web.Response:
        if not self.server.abilities.batch:
            return web.json_response(error("Invalid URL (POST /v1/batches)", "invalid_request_error"), status=404)
        body = await request.json()
        file_id = body.get("input_file_id")
        if file_id not in self.files or self.files[file_id][1] != "batch":
            return _wrong("Invalid 'input_file_id': no such file with purpose 'batch'.", "input_file_id")
        batch_id = f"batch_{len(self.batches):04}{file_id[-12:]}"
        total = len(self.files[file_id][2].splitlines())
        self.batches[batch_id] = {
            "id": batch_id, "object": "batch", "endpoint": body.get("endpoint"), "errors": None, "input_file_id": file_id,
            "completion_window": body.get("completion_window", "24h"), "status": "validating", "output_file_id": None,
            "error_file_id": None, "created_at": int(time.time()), "metadata": body.get("metadata"),
            "request_counts": {"total": total, "completed": 0, "failed": 0},
        }  # fmt: skip
        task = asyncio.get_running_loop().create_task(self._work(self.batches[batch_id]))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return web.json_response(self.batches[batch_id])

    async def _listed(self, request: web.Request) -> web.Response:
        if not self.server.abilities.batch:
            return web.json_response(error("Invalid URL (GET /v1/batches)", "invalid_request_error"), status=404)
        return web.json_response({"object": "list", "data": list(reversed(self.batches.values())), "has_more": False})

    async def _look(self, request: web.Request) -> web.Response:
        batch_id = request.match_info["id"]
        if batch_id not in self.batches:
            return web.json_response(
                error(f"No batch found with id '{batch_id}'.", "invalid_request_error"), status=404
            )
        return web.json_response(self.batches[batch_id])

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self.batches.get(request.match_info["id"])
        if batch is None:
            return _gone(request.match_info["id"])
        if batch["status"] not in TERMINAL:
            batch["status"] = "cancelling"
        return web.json_response(batch)

    async def _work(self, batch: dict[str, Any]) -> None:
        """Work through one batch; every line ends in the output or in the error file."""
        lines = self.files[batch["input_file_id"]][2].splitlines()
        try:
            wanted = [json.loads(line) for line in lines]
            named = [w["custom_id"] for w in wanted]
        except (ValueError, KeyError):
            return _fail(batch, "invalid_json_line", "This line is not parseable as valid JSON.")
        if len(set(named)) < len(named):
            return _fail(batch, "duplicate_custom_id", "The custom_id for this request is a duplicate of another.")
        pause = self.server.settings.batch_s / max(1, len(wanted))
        good, bad = [], []
        for want in wanted:
            await asyncio.sleep(pause)
            if batch["status"] == "cancelling":
                break
            batch["status"] = "in_progress"
            status, answer, fault = self.server.answer(want["body"])
            if fault in ("disconnect_before", "disconnect_middle"):
                status, answer = 500, error("Internal error while processing the request.", "server_error")
            line = {"id": f"batch_req_{want['custom_id']}", "custom_id": want["custom_id"], "error": None,
                    "response": {"status_code": status, "request_id": f"req_{len(good)}", "body": answer}}  # fmt: skip
            (good if status == 200 else bad).append(line)
            batch["request_counts"]["completed" if status == 200 else "failed"] += 1
        good.sort(key=lambda line: hashlib.sha256(line["custom_id"].encode()).digest())
        for what, found in (("output", good), ("error", bad)):
            if found:
                content = "".join(json.dumps(line) + "\n" for line in found).encode()
                batch[f"{what}_file_id"] = self.keep(f"{batch['id']}_{what}.jsonl", "batch_output", content)
        batch["status"] = "cancelled" if batch["status"] == "cancelling" else "completed"
        batch[f"{batch['status']}_at"] = int(time.time())


def _fail(batch: dict[str, Any], code: str, message: str) -> None:
    batch["errors"] = {"object": "list", "data": [{"code": code, "message": message, "line": 1, "param": None}]}
    batch["status"], batch["failed_at"] = "failed", int(time.time())


def _wrong(message: str, param: str) -> web.Response:
    return web.json_response(error(message, "invalid_request_error", param), status=400)


def _gone(file_id: str) -> web.Response:
    return web.json_response(error(f"No such File object: {file_id}", "invalid_request_error", "id"), status=404)
