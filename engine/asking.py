"""Annotators that ask language models: unit annotators whose work is asynchronous, so that hundreds of units wait at once.

All of a build run in one event loop of the driver, so that limits, budget and the record of calls are global without any
coordination. Without an endpoint for a role that it needs, every unit is skipped with a rule that says what to set.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from .annotator import P, Row, Rows, Stage, Unit, UnitAnnotator
from .llm.errors import NoModel
from .llm.models import Models
from .llm.prompts import Prompt
from .task import Task


class Asking(UnitAnnotator[P]):
    """Writes rows that a model proposed and code checked."""

    stage: ClassVar[Stage] = "enrich"
    on_request: ClassVar[bool] = False
    """Of a check: it asks so much that it is only on where a recipe names it."""
    folder: str = "."
    """Folder of the recipe, to which prompt files of its own are relative; set when the producer is built."""

    @abstractmethod
    def roles(self) -> tuple[str, ...]:
        """Roles of `models:` that it needs, with these parameters."""

    def optional_roles(self) -> tuple[str, ...]:
        """Roles that it uses where the recipe has them."""
        return ()

    @abstractmethod
    def prompts(self) -> Sequence[Prompt]:
        """The prompts that it asks with; their digests are part of its settings."""

    @abstractmethod
    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Rows of one unit. Lets errors of the endpoint and the budget go; turns `ReplyRejected` into rejected items."""

    def code_digest(self) -> str:
        """Digest of the prompts."""
        return " ".join(f"{p.title}:{p.digest}" for p in self.prompts())

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """What happens without a model. Raises `NoModel`."""
        raise NoModel(without(self.roles()))


class AskingTask(Asking[P], Task[P]):
    """A task whose samples a model words or proposes: its answers are checked by `recompute` as any task's."""

    stage: ClassVar[Stage] = "task"
    writes: ClassVar[tuple[str, ...]] = ("samples", "proposals")
    light: ClassVar[bool] = False


def without(roles: Sequence[str], reasons: Sequence[str] = ()) -> str:
    """The rule of a unit that was skipped for want of a model."""
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return f"no model for the role {' and '.join(roles)}{why}: name an endpoint under `models:`, or set its variables"
