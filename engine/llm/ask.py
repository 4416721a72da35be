"""One question to a model, as annotators put it, and the reply they get: a validated pydantic value, never free text to parse.

`Ask.digest` covers everything that can change the reply (prompt, content, pictures, schema, model identity, number of the
sample), so equal questions are one call, across units, runs and crashes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from ...schemas.ids import derive_id
from .prompts import Prompt
from .settings import ModelSettings

R = TypeVar("R", bound=BaseModel)


@cache
def _schema(reply: type[BaseModel]) -> dict[str, Any]:
    return reply.model_json_schema()


@dataclass(frozen=True)
class Still:
    """A picture of a question: JPEG bytes with a caption line such as `f3 at 12.5 s`, which comes before it."""

    jpeg: bytes
    width: int
    height: int
    label: str = ""
    media_id: str = ""
    t_s: float = 0.0

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.jpeg).hexdigest()[:32]


@dataclass(frozen=True)
class Footage:
    """A video of a question, for models that see `video_url`: bytes of an MP4 with a caption line."""

    mp4: bytes
    duration_s: float
    label: str = ""
    media_id: str = ""
    start_s: float = 0.0
    end_s: float = 0.0

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.mp4).hexdigest()[:32]


Part = str | Still | Footage


@dataclass(frozen=True)
class Ask(Generic[R]):
    """A question to the model of one role."""

    role: str
    prompt: Prompt
    parts: tuple[Part, ...]
    """The user's message: texts and pictures in order."""
    reply: type[R]
    """What the reply must be; its class name is the name of the JSON schema."""
    about: str = ""
    """Unit, clip or sample that it is about, for people."""
    sample: int = 0
    """Which of several independent replies to the same question."""
    temperature: float | None = None
    """Instead of the role's own, where several replies shall differ."""
    reply_tokens: int | None = None
    """Instead of the role's own."""
    typical: Callable[[], R] | None = None
    """A reply of typical content and length, from which `plan` predicts what follows and what it costs."""
    check: Callable[[R], str] | None = None
    """Says what is wrong with a valid reply ("" when nothing is); a complaint starts the one repair round."""

    def digest(self, model: ModelSettings) -> str:
        """The request's hash: the key of `llm_calls`."""
        content = [part if isinstance(part, str) else [part.label, part.digest] for part in self.parts]
        return derive_id(
            "llm call",
            model.identity,
            self.prompt.system,
            content,
            self.reply.__name__,
            _schema(self.reply),
            self.temperature,
            self.reply_tokens,
            self.sample,
        )

    def prompt_tokens(self, model: ModelSettings) -> int:
        """Estimate of the prompt's tokens: four characters each, and what pictures take."""
        text = self.prompt.system + "".join(p if isinstance(p, str) else p.label for p in self.parts)
        seen = sum(picture_tokens(p, model) for p in self.parts if not isinstance(p, str))
        return math.ceil(len(text) / 4) + seen + 8


@dataclass(frozen=True)
class Answered(Generic[R]):
    """A usable reply."""

    value: R
    request_hash: str
    model: str
    raw: str
    """The reply as it came."""
    cached: bool
    """Whether it was known already and cost nothing."""
    repaired: bool = False
    prompt: str = ""
    """Prompt and version."""


def picture_tokens(part: Still | Footage, model: ModelSettings) -> int:
    """Estimate of the visual tokens of one picture, or of a video (two frames a second)."""
    if isinstance(part, Footage):
        each = model.picture_tokens or math.ceil(model.frame_side_px / 28) * math.ceil(
            model.frame_side_px * 9 / 16 / 28
        )
        return each * max(1, min(model.max_frames, round(2 * part.duration_s)))
    return model.picture_tokens or math.ceil(part.width / 28) * math.ceil(part.height / 28)


def reply_tokens(value: BaseModel) -> int:
    """Estimate of the tokens of a reply."""
    return math.ceil(len(value.model_dump_json()) / 4)


def texts(parts: Sequence[Part]) -> str:
    """The texts of a question, joined: what a person reads of it."""
    return "\n".join(p if isinstance(p, str) else f"[{p.label or 'picture'}]" for p in parts)
