"""A small web server for one reviewer on this machine: the page, its items and files, and the verdicts that come back.

It listens on 127.0.0.1 only, and everything lies below a random token in the path: other pages in the browser neither
know the token nor pass the check of the Host and Origin headers, so they can read and post nothing. Files are served in
parts (Range), so that a player can seek. Nothing comes from or goes to anywhere else.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from .audit_items import AuditItems

VERDICTS = ("right", "wrong", "unclear")
MAX_BODY = 64 << 10
MAX_COMMENT = 4000
TYPES = {".mp4": "video/mp4", ".flac": "audio/flac", ".webp": "image/webp"}
POLICY = (
    "default-src 'none'; img-src 'self' data:; media-src 'self'; connect-src 'self'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
Record = Callable[[str, str, str], None]
"""(sample_id, verdict, comment): keep it for good before returning."""


class AuditServer:
    """Serves the audit of some samples until `finished` is set. A context manager."""

    def __init__(self, page: str, sample_ids: list[str], items: AuditItems, record: Record, *, port: int = 0) -> None:
        """`port` 0 takes a free one. Raises `OSError` when the port is taken."""
        self.page, self.sample_ids, self.items, self.record = page, sample_ids, items, record
        self.token = secrets.token_urlsafe(18)
        self.finished = Event()
        handler = type("Handler", (_Handler,), {"audit": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._http.daemon_threads = True
        self.port = int(self._http.server_address[1])
        self._ahead = ThreadPoolExecutor(1)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/{self.token}/"

    def __enter__(self) -> AuditServer:
        Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._ahead.shutdown(cancel_futures=True)

    def item(self, number: int) -> dict[str, Any]:
        """An item; the one after it is made meanwhile."""
        found = self.items.item(self.sample_ids[number])
        if number + 1 < len(self.sample_ids):
            self._ahead.submit(self.items.item, self.sample_ids[number + 1])
        return found


class _Handler(BaseHTTPRequestHandler):
    audit: AuditServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal belongs to the command."""

    # -- requests ---------------------------------------------------------------------------------------------------

    def do_GET(self) -> None:
        path = self._allowed()
        if path is None:
            return
        if path == "":
            self._send(HTTPStatus.OK, self.audit.page.encode(), "text/html; charset=utf-8")
        elif found := re.fullmatch(r"item/(\d{1,7})", path):
            number = int(found[1])
            if number >= len(self.audit.sample_ids):
                return self._refuse(HTTPStatus.NOT_FOUND, "no such item")
            try:
                self._json(self.audit.item(number))
            except Exception as error:
                self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: {error}")
        elif found := re.fullmatch(r"file/([A-Za-z0-9][\w.-]{0,120})", path):
            self._file(self.audit.items.folder / found[1])
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "no such page")

    def do_POST(self) -> None:
        path = self._allowed()
        if path is None:
            return
        origin = self.headers.get("Origin")
        if origin is not None and origin != f"http://{self.headers['Host']}":
            return self._refuse(HTTPStatus.FORBIDDEN, "posted by another page")
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= MAX_BODY or self.headers.get_content_type() != "application/json":
            return self._refuse(HTTPStatus.BAD_REQUEST, "a small JSON document is wanted")
        try:
            given = json.loads(self.rfile.read(length))
            if path == "finish":
                self._json({"done": True})
                self.audit.finished.set()
            elif path == "verdict":
                self._verdict(given)
            else:
                self._refuse(HTTPStatus.NOT_FOUND, "no such page")
        except (ValueError, KeyError, TypeError) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))

    def _verdict(self, given: Mapping[str, Any]) -> None:
        sample_id, verdict = str(given["sample_id"]), str(given["verdict"])
        if sample_id not in self.audit.sample_ids or verdict not in VERDICTS:
            raise ValueError(f"{verdict!r} about {sample_id!r} is no verdict of this audit")
        self.audit.record(sample_id, verdict, str(given.get("comment") or "").strip()[:MAX_COMMENT])
        self._json({"kept": True})

    # -- answers ----------------------------------------------------------------------------------------------------

    def _allowed(self) -> str | None:
        """The path below the token; None when the request was refused."""
        port = self.audit.port
        if self.headers.get("Host") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            self._refuse(HTTPStatus.FORBIDDEN, "this page is for this machine only")
            return None
        path = self.path.split("?")[0].split("#")[0]
        token, _, rest = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(token.encode(), self.audit.token.encode()):
            self._refuse(HTTPStatus.FORBIDDEN, "open the address that the command printed")
            return None
        return rest

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True
        self._send(status, why.encode(), "text/plain; charset=utf-8")

    def _json(self, value: Any) -> None:
        self._send(HTTPStatus.OK, json.dumps(value, ensure_ascii=False).encode(), "application/json")

    def _send(self, status: HTTPStatus, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        sent = {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
        sent |= {
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        for name, value in (sent | {k.replace("_", "-"): v for k, v in headers.items()}).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _file(self, path: Path) -> None:
        kind = TYPES.get(path.suffix)
        if kind is None or not path.is_file():
            return self._refuse(HTTPStatus.NOT_FOUND, "no such file")
        size = path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range") or "")
        if asked is None or not (asked[1] or asked[2]):
            return self._send(HTTPStatus.OK, path.read_bytes(), kind, Accept_Ranges="bytes")
        first = int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
        last = min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1
        if first > last:
            return self._send(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", kind, Content_Range=f"bytes */{size}")
        with path.open("rb") as file:
            file.seek(first)
            body = file.read(last - first + 1)
        self._send(
            HTTPStatus.PARTIAL_CONTENT, body, kind, Accept_Ranges="bytes", Content_Range=f"bytes {first}-{last}/{size}"
        )
