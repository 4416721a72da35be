"""What a recipe says about the models that it may ask: one block per role under `models:`, and the hard `budget:`.

Keys are never written down: `key_variable` names the environment variable that holds one, and it is read at the moment of
asking. What enters a fingerprint is what can change a reply (`identity`), not where the endpoint stands or what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.ids import derive_id


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(_Part):
    """What an endpoint charges."""

    input_per_million: float = Field(0.0, ge=0, description="money per million prompt tokens")
    output_per_million: float = Field(0.0, ge=0, description="money per million tokens of replies")
    cached_per_million: float | None = Field(
        None, ge=0, description="money per million prompt tokens that the endpoint had cached; default: as input"
    )
    batch_discount: float = Field(0.5, ge=0, le=1, description="share that is taken off in batch mode")
    currency: str = Field("USD", description="currency, for reports")

    def of(self, prompt_tokens: int, reply_tokens: int, *, cached_tokens: int = 0, batch: bool = False) -> float:
        """Money for one call."""
        cached = self.input_per_million if self.cached_per_million is None else self.cached_per_million
        fresh = max(0, prompt_tokens - cached_tokens)
        money = fresh * self.input_per_million + cached_tokens * cached + reply_tokens * self.output_per_million
        return money / 1e6 * (1 - self.batch_discount if batch else 1.0)


class Limits(_Part):
    """How fast an endpoint may be asked. What its headers say is followed whatever stands here."""

    concurrency: int = Field(16, ge=1, description="requests in flight at the same time")
    requests_per_minute: float | None = Field(None, gt=0, description="requests per minute")
    tokens_per_minute: float | None = Field(None, gt=0, description="tokens per minute, prompts and replies together")
    timeout_s: float = Field(120.0, gt=0, description="longest time for one reply")
    connect_timeout_s: float = Field(10.0, gt=0, description="longest time for reaching the endpoint")
    retries: int = Field(
        5, ge=0, description="further tries where trying again can help: 408, 409, 429, 5xx, lost connections"
    )
    longest_pause_s: float = Field(60.0, gt=0, description="a longer Retry-After ends the unit as failed (transient)")


class ModelSettings(_Part):
    """One role of `models:`."""

    base_url: str = Field(description="OpenAI-compatible endpoint, such as http://host:8000/v1")
    model: str = Field(description="the endpoint's name of the model")
    revision: str = Field("", description="of the model; another text here means that it is asked anew")
    key_variable: str | None = Field(
        None, description="name of the environment variable that holds the key; none for endpoints without one"
    )
    sees: Literal["nothing", "frames", "video_url"] = Field(
        "frames", description="form in which it gets pictures: none, single frames, or a video as a data URL"
    )
    max_frames: int = Field(16, ge=1, description="frames of one request, at most")
    frame_side_px: int = Field(512, ge=28, description="longest side of a frame that is sent")
    picture_tokens: int | None = Field(
        None, ge=1, description="tokens of one picture, for predictions and limits; default: one per 28 x 28 px"
    )
    context_tokens: int = Field(32_768, ge=256, description="longest prompt and reply together")
    reply_tokens: int = Field(2_048, ge=1, description="longest reply")
    temperature: float | None = Field(0.0, ge=0, description="sampling temperature; null leaves it to the endpoint")
    seed: int | None = Field(None, description="seed that is sent; null sends none")
    structured: Literal["auto", "json_schema", "json_object", "tool", "prompt"] = Field(
        "auto",
        description="how structured replies are asked for; auto takes the strictest way that the endpoint supports",
    )
    mode: Literal["live", "batch"] = Field(
        "live", description="live requests, or the Batch API (cheaper, within a day)"
    )
    batch_gather_s: float = Field(
        2.0, gt=0, description="batch mode: quiet time after which gathered requests are submitted"
    )
    batch_poll_s: float = Field(30.0, gt=0, description="batch mode: time between looks at a submitted batch")
    batch_max_requests: int = Field(10_000, ge=1, description="batch mode: requests of one batch, at most")
    extra_body: dict[str, Any] = Field(
        default_factory=dict, description="further fields of each request, such as chat_template_kwargs"
    )
    limits: Limits = Field(Limits(), description="how fast it may be asked")
    price: Price = Field(Price(), description="what it charges")

    @property
    def identity(self) -> dict[str, Any]:
        """What can change a reply, and nothing else: part of fingerprints."""
        return {
            "model": self.model,
            "revision": self.revision,
            "sees": self.sees,
            "max_frames": self.max_frames,
            "frame_side_px": self.frame_side_px,
            "context_tokens": self.context_tokens,
            "reply_tokens": self.reply_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
            "extra_body": dict(self.extra_body),
        }

    @property
    def name(self) -> str:
        """The model as rows name it."""
        return f"{self.model}@{self.revision}" if self.revision else self.model

    @property
    def digest(self) -> str:
        """Digest of `identity`."""
        return derive_id("model", self.identity)


class BudgetSettings(_Part):
    """What one build may spend, over all roles. None: no bound."""

    requests: int | None = Field(None, ge=0, description="requests")
    tokens: int | None = Field(None, ge=0, description="tokens, prompts and replies together")
    money: float | None = Field(None, ge=0, description="money, in the currency of `price`")


@dataclass
class Spent:
    """What one build has spent so far, over all its waves: the budget is the build's."""

    requests: int = 0
    tokens: int = 0
    money: float = 0.0


ModelsByRole = dict[str, ModelSettings]
"""Roles with an endpoint. A role that a recipe names without a usable endpoint (an unset variable) is not here."""
