"""What a request to the test server asks for: its texts, the numbered evidence in them, its pictures and its JSON schema.

A responder reads `Asked` as a careful model reads the prompt: only what was sent, never what a test knows besides.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

FACT = re.compile(
    r"^[-*\s]*(?P<name>[a-z]+\d+) \((?P<kind>[a-z_ ]+?)(?:, (?:at (?P<at>-?[\d.]+)|(?P<start>-?[\d.]+) to (?P<end>-?[\d.]+)) s)?\)"
    r"(?::\s*(?P<text>.*))?$",
    re.MULTILINE,
)
STILL = re.compile(r"^\s*(?P<name>[a-z]+\d+) at (?P<at>-?[\d.]+) s\s*$", re.MULTILINE)
QUOTES = "“”\"'"


class Told(NamedTuple):
    """One line of the evidence: a moment has equal start and end; what has no time has NaN."""

    kind: str
    start_s: float
    end_s: float
    text: str


class BadRequest(ValueError):
    """The request is wrong; the message is what an endpoint would say."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param, self.code = param, code


@dataclass(frozen=True)
class Asked:
    """One request, read."""

    schema_name: str
    """Name of the JSON schema (or of the tool); "" when free text was asked for."""
    schema: dict[str, Any]
    system: str
    user: str
    """All texts of the user's messages, one a line."""
    images: tuple[bytes, ...] = ()
    """Pictures as they were sent: files, not pixels."""
    videos: tuple[bytes, ...] = ()
    number: int = 0
    """Which of several independent replies to the same question, from 0."""
    structured: str = "prompt"
    """How the structure was asked for: json_schema, json_object, tool or prompt."""
    visual_tokens: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list, repr=False)

    @cached_property
    def facts(self) -> dict[str, Told]:
        """The numbered evidence by name, in order of its lines."""
        found: dict[str, Told] = {}
        for match in FACT.finditer(self.user):
            start = match["at"] or match["start"] or "nan"
            end = match["at"] or match["end"] or "nan"
            text = (match["text"] or "").strip()
            if len(text) > 1 and text[0] in QUOTES and text[-1] in QUOTES:
                text = text[1:-1]
            found[match["name"]] = Told(match["kind"], float(start), float(end), text)
        for match in STILL.finditer(self.user):
            found.setdefault(match["name"], Told("frame", float(match["at"]), float(match["at"]), ""))
        return found

    @property
    def pictures(self) -> int:
        """How many pictures were sent."""
        return len(self.images)

    def of_kind(self, *kinds: str) -> dict[str, Told]:
        """The evidence of some kinds."""
        return {name: told for name, told in self.facts.items() if told.kind in kinds}

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the prompt, as this server counts: a quarter of the characters of all texts, 4 for each message,
        one for each 28 x 28 px cell of a picture, and of a video those of two frames a second.
        """
        characters = sum(len(text) for message in self.messages for text in _texts(message.get("content")))
        return math.ceil(characters / 4) + 4 * len(self.messages) + self.visual_tokens

    @property
    def repairing(self) -> bool:
        """Whether it is said what was wrong with an earlier reply."""
        return sum(message.get("role") == "user" for message in self.messages) > 1


def read_request(body: dict[str, Any], seen_before: int = 0) -> Asked:
    """A request's body, read. `seen_before`: how often the same was answered; the number of the reply when the body
    has neither `metadata.sample` nor `seed`. Raises `BadRequest`.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("Missing required parameter: 'messages'.", "messages")
    system, user, images, videos, tokens = [], [], [], [], 0
    for message in messages:
        role = message.get("role")
        if role not in ("system", "developer", "user", "assistant", "tool"):
            raise BadRequest(f"Invalid value: '{role}' for a message's role.", "messages")
        texts = list(_texts(message.get("content")))
        (system if role in ("system", "developer") else user if role == "user" else []).extend(texts)
        for part in message["content"] if isinstance(message.get("content"), list) else []:
            kind = part.get("type")
            if kind == "image_url":
                images.append(_data(part["image_url"], "image/"))
                tokens += _picture_tokens(images[-1])
            elif kind == "video_url":
                videos.append(_data(part["video_url"], "video/"))
                tokens += _video_tokens(videos[-1])
            elif kind != "text":
                raise BadRequest(f"Invalid value: '{kind}'. Supported: text, image_url, video_url.", "messages")
    name, schema, structured = _wanted(body, "\n".join(system + user))
    return Asked(
        name,
        schema,
        "\n".join(system),
        "\n".join(user),
        tuple(images),
        tuple(videos),
        _number(body, seen_before),
        structured,
        tokens,
        messages,
    )


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else []:
        if part.get("type") == "text":
            yield str(part.get("text", ""))


def _wanted(body: dict[str, Any], text: str) -> tuple[str, dict[str, Any], str]:
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        wanted = form.get("json_schema") or {}
        return str(wanted.get("name", "")), wanted.get("schema") or {}, "json_schema"
    tools = [t["function"] for t in body.get("tools") or [] if t.get("type") == "function"]
    if tools:
        return str(tools[0].get("name", "")), tools[0].get("parameters") or {}, "tool"
    schema = _schema_in(text)
    way = "json_object" if form.get("type") == "json_object" else "prompt"
    return str(schema.get("title", "")), schema, way


def _schema_in(text: str) -> dict[str, Any]:
    """A JSON schema that is written out in the prompt, as the ways without `json_schema` need; {} when none is."""
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            value, end = None, at + 1
        if isinstance(value, dict) and "title" in value and "properties" in value:
            return value
        at = text.find("{", end)
    return {}


def _number(body: dict[str, Any], seen_before: int) -> int:
    told = (body.get("metadata") or {}).get("sample")
    if told is not None and str(told).isdigit():
        return int(told)
    return int(body["seed"]) if isinstance(body.get("seed"), int) else seen_before


def _data(place: Any, wanted: str) -> bytes:
    url = place.get("url", "") if isinstance(place, dict) else str(place)
    head, _, data = url.partition(",")
    if not head.startswith(f"data:{wanted}") or not head.endswith(";base64"):
        raise BadRequest(f"Invalid {wanted.rstrip('/')} url: only base64 data URLs can be read here.", "messages")
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        raise BadRequest(f"Invalid base64 {wanted}url.", "messages", f"invalid_base64_{wanted.rstrip('/')}") from None


def _picture_tokens(data: bytes) -> int:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as picture:
            return math.ceil(picture.width / 28) * math.ceil(picture.height / 28)
    except UnidentifiedImageError:
        raise BadRequest("You uploaded an unsupported image.", "messages", "invalid_image_format") from None


def _video_tokens(data: bytes) -> int:
    import av

    try:
        with av.open(io.BytesIO(data)) as container:
            stream = container.streams.video[0]
            seconds = float((container.duration or 0) / av.time_base)
            each = math.ceil(stream.codec_context.width / 28) * math.ceil(stream.codec_context.height / 28)
    except (av.FFmpegError, IndexError):
        raise BadRequest("The video could not be decoded.", "messages", "invalid_video") from None
    return each * max(1, round(2 * seconds))
