"""A web service as annotator, against a real local server: what goes out, what may come back, and what
happens when not.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from chronotope.annotators.vision.http_endpoint import HttpEndpoint, HttpEndpointParams
from chronotope.engine.annotator import Picture, TransientError

PICTURES = [Picture("m1", 0.0, 1.0, 64, 36, b"\xff\xd8one"), Picture("m2", 3.0, 4.5, 64, 36, b"\xff\xd8two")]


class Service:
    """A server that answers what it was told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.requests: list[tuple[dict[str, str], dict]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append((dict(self.headers), body))
                status, headers, data = outer.answers.pop(0) if outer.answers else (200, {}, outer.echo(body))
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/look"

    @staticmethod
    def echo(body: dict) -> bytes:
        rows = [
            [{"name": "bytes", "value": len(base64.b64decode(p["jpeg_base64"]))}] if p["media_id"] == "m1" else []
            for p in body["pictures"]
        ]
        return json.dumps({"rows": rows}).encode()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.server.shutdown()
    service.server.server_close()


def look(service: Service, **params) -> list:
    settings = {"longest_pause_s": 1.0, "retries": 2} | params
    return HttpEndpoint(HttpEndpointParams(url=service.url, **settings)).look(PICTURES)


def test_pictures_go_out_and_rows_come_back(service) -> None:
    rows = look(service, parameters={"prompt": "a dog"})
    expected = {"t_s": 0.0, "name": "bytes", "value": 5.0, "label": None}
    assert rows == [[("measurements", expected)], []]
    ((_, body),) = service.requests
    assert body["parameters"] == {"prompt": "a dog"}
    assert [(p["media_id"], p["t_s"], p["until_s"]) for p in body["pictures"]] == [("m1", 0.0, 1.0), ("m2", 3.0, 4.5)]
    assert base64.b64decode(body["pictures"][1]["jpeg_base64"]) == PICTURES[1].jpeg


def test_rows_may_go_to_another_table_and_get_the_pictures_span(service) -> None:
    box = {"text": "EXIT", "confidence": 0.9, "x1": 0.1, "y1": 0.1, "x2": 0.2, "y2": 0.2}
    service.answers = [(200, {}, json.dumps({"rows": [[], [box]]}).encode())]
    assert look(service, table="text_regions")[1] == [("text_regions", {"start_s": 3.0, "end_s": 4.5} | box)]


def test_a_busy_service_is_asked_again_after_the_time_it_asks_for(service) -> None:
    service.answers = [(429, {"Retry-After": "1"}, b""), (503, {}, b"")]
    assert look(service)[0]
    assert len(service.requests) == 3


def test_a_service_that_stays_busy_is_left_to_the_next_build(service) -> None:
    service.answers = [(503, {"Retry-After": "0"}, b"")] * 5
    with pytest.raises(TransientError, match=r"answered 503 .* 3 times"):
        look(service)
    assert len(service.requests) == 3


def test_an_unreachable_service_is_left_to_the_next_build(service) -> None:
    service.server.shutdown()
    service.server.server_close()
    with pytest.raises(TransientError, match=r"cannot be reached: ConnectionError"):
        look(service, retries=0)


def test_a_refusal_is_permanent_and_quoted(service) -> None:
    service.answers = [(401, {}, b"who are you?")]
    with pytest.raises(ValueError, match=r"answered 401 Unauthorized: who are you\?"):
        look(service)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>", r"must answer .*rows"),
        (b'{"boxes": []}', r"must answer .*rows: Field required"),
        (b'{"rows": [[]]}', r"answered about 1 pictures, 2 were sent"),
        (b'{"rows": [[{"value": 1.0}], []]}', r"about m1 at 0 s: column 'name' is missing"),
        (b'{"rows": [[{"name": "n", "value": "1"}], []]}', r"column 'value': .*valid number"),
        (b'{"rows": [[{"name": "n", "value": NaN}], []]}', r"rows|finite"),
        (b'{"rows": [[{"name": "n", "mood": "good"}], []]}', r"'mood' is no column; the columns of measurements are"),
        (b'{"rows": [[{"name": "n", "media_id": "m9"}], []]}', r"'media_id' is filled in by Chronotope"),
    ],
)
def test_an_answer_that_is_not_rows_of_the_table_never_becomes_annotation(service, answer, message) -> None:
    service.answers = [(200, {}, answer)]
    with pytest.raises(ValueError, match=message):
        look(service)


def test_the_secret_goes_into_the_header_and_nowhere_else(service, monkeypatch, caplog) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("LOOK_KEY", "Bearer s3cret")
    params = HttpEndpointParams(url=service.url, auth_env="LOOK_KEY")
    HttpEndpoint(params).look(PICTURES)
    assert service.requests[0][0]["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in params.model_dump_json() and "s3cret" not in caplog.text


def test_a_missing_secret_is_named_before_anything_is_sent(service, monkeypatch) -> None:
    monkeypatch.delenv("LOOK_KEY", raising=False)
    with pytest.raises(ValueError, match="set the environment variable LOOK_KEY"):
        HttpEndpoint(HttpEndpointParams(url=service.url, auth_env="LOOK_KEY")).setup()
    assert service.requests == []
