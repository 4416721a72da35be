"""Models that are not asked: what `plan` gives to annotators, so that their own code says what they would ask.

A question that is on record is answered from there and costs nothing; any other is counted, with an estimate of its tokens,
and answered with the typical reply that the question carries, so that whatever follows from it is counted too. Estimates
are corrected by what calls to the same model and prompt have taken so far.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...schemas.span import Span
from .ask import Answered, Ask, Footage, R, Still, reply_tokens
from .converse import known_reply
from .errors import NoModel, ReplyRejected
from .models import Models, T, V
from .pictures import Pictures
from .settings import ModelSettings

if TYPE_CHECKING:
    from .record import CallRecord


@dataclass
class Expected:
    """What a producer would ask of one model."""

    requests: float = 0.0
    on_record: int = 0
    prompt_tokens: float = 0.0
    reply_tokens: float = 0.0
    money: float = 0.0
    currency: str = ""

    @property
    def tokens(self) -> float:
        return self.prompt_tokens + self.reply_tokens


@dataclass(frozen=True)
class Experience:
    """What calls have taken so far: factors for estimates, by (model, prompt) or by model alone."""

    prompt_factor: Mapping[str, float]
    """Model -> prompt tokens as counted / as estimated."""
    reply_tokens: Mapping[tuple[str, str], float]
    """(model, prompt) -> mean tokens of a reply."""
    tries: Mapping[str, float]
    """Model -> requests sent per call: repair rounds and retries."""


class PlannedModels(Models):
    """Counts instead of asking. One for a whole plan; `of` gives the view of one producer."""

    def __init__(
        self,
        models: Mapping[str, ModelSettings],
        record: CallRecord | None,
        pictures: Pictures,
        experience: Experience,
    ) -> None:
        self._models, self._record, self._pictures, self._experience = models, record, pictures, experience
        self._asked: set[str] = set()
        self._producer = ""
        self.expected: dict[tuple[str, str], Expected] = defaultdict(Expected)
        """(producer, model) -> what it would ask."""

    def of(self, producer: str) -> PlannedModels:
        """The same, counting for a producer."""
        self._producer = producer
        return self

    def new_requests(self, producer: str) -> float:
        """Requests of a producer that are on no record."""
        return sum(e.requests for (name, _), e in self.expected.items() if name == producer)

    def has(self, role: str) -> bool:
        return role in self._models

    def settings(self, role: str) -> ModelSettings:
        if role not in self._models:
            raise NoModel(f"no model for the role {role}")
        return self._models[role]

    async def ask(self, ask: Ask[R]) -> Answered[R]:
        """The reply on record, or the typical one."""
        model = self.settings(ask.role)
        digest = ask.digest(model)
        expected = self.expected[(self._producer, model.name)]
        expected.currency = model.price.currency
        known = self._record.get(digest) if self._record is not None else None
        if known is not None and known["status"] != "error":
            expected.on_record += digest not in self._asked
            self._asked.add(digest)
            found = known_reply(known, ask.reply)
            if found.value is None:
                raise ReplyRejected(found.kind or "malformed", found.reason, digest)
            return Answered(found.value, digest, model.name, str(known["reply"]), True)
        value = ask.typical() if ask.typical is not None else None
        # typical replies are alike, and so is what is asked about them: real ones will differ from unit to unit
        if (once := f"{digest} {ask.about}") not in self._asked:
            self._asked.add(once)
            self._count(expected, ask, model, 200 if value is None else reply_tokens(value))
        if value is None:
            raise ReplyRejected("empty", "nothing is known of its reply", digest)
        return Answered(value, digest, model.name, value.model_dump_json(), False, prompt=ask.prompt.title)

    def _count(self, expected: Expected, ask: Ask[R], model: ModelSettings, reply: float) -> None:
        seen = self._experience
        prompt = ask.prompt_tokens(model) * seen.prompt_factor.get(model.name, 1.0)
        reply = min(
            seen.reply_tokens.get((model.name, ask.prompt.title), reply), ask.reply_tokens or model.reply_tokens
        )
        tries = seen.tries.get(model.name, 1.0)
        expected.requests += tries
        expected.prompt_tokens += prompt * tries
        expected.reply_tokens += reply * tries
        expected.money += model.price.of(round(prompt), round(reply), batch=model.mode == "batch") * tries

    async def each(self, items: Sequence[T], work: Callable[[T], Awaitable[V]]) -> list[V]:
        """One after the other."""
        return [await work(item) for item in items]

    def stills(
        self, role: str, media_id: str, span: Span, *, at: Sequence[float] = (), most: int | None = None
    ) -> list[Still]:
        return self._pictures.stills(self.settings(role), media_id, span, at=at, most=most)

    def footage(self, role: str, media_id: str, span: Span) -> list[Footage | Still]:
        return self._pictures.footage(self.settings(role), media_id, span)
