"""What annotators see of the models of a build: one object that answers questions, finds pictures, and bounds what is in flight.

The build gives `LiveModels` (cache, budget, endpoints); `plan` gives one that answers with typical replies and counts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from ...schemas.span import Span
from .ask import Answered, Ask, Footage, R, Still
from .settings import ModelSettings

T = TypeVar("T")
V = TypeVar("V")


class Models(ABC):
    """The models of one build, by role."""

    @abstractmethod
    def has(self, role: str) -> bool:
        """Whether the role has an endpoint."""

    @abstractmethod
    def settings(self, role: str) -> ModelSettings:
        """The role's settings. Raises `NoModel`."""

    @abstractmethod
    async def ask(self, ask: Ask[R]) -> Answered[R]:
        """A validated reply, from the record of calls or the endpoint.

        Raises `ReplyRejected` (reject this item), `BudgetSpent`, `EndpointDown`, `EndpointRefuses`, `NoModel` (let these go).
        """

    @abstractmethod
    async def each(self, items: Sequence[T], work: Callable[[T], Awaitable[V]]) -> list[V]:
        """`work` on every item at the same time, as far as limits allow; results in the order of the items. The first
        exception ends it and is raised, after what was in flight has ended (its replies are kept).
        """

    @abstractmethod
    def stills(
        self, role: str, media_id: str, span: Span, *, at: Sequence[float] = (), most: int | None = None
    ) -> list[Still]:
        """Stored pictures of the span in order of time, for the role's model: at most its `max_frames` (and `most`), evenly
        spread with those nearest to the times `at` first, longest side at most `frame_side_px`; labelled `f1 at 3.2 s`,
        `f2 ...` (times on the source clock). Empty where it sees nothing, or nothing is stored.
        """

    @abstractmethod
    def footage(self, role: str, media_id: str, span: Span) -> list[Footage | Still]:
        """The span in the form that the role's model takes: a video (`sees: video_url`), or stills."""
