"""Progress of a build on the terminal: one bar per wave, with failures as they happen. Silent when output is no terminal
or `--json` asks for a clean one.
"""

from __future__ import annotations

from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ..engine.llm.settings import Spent
from ..engine.plan import WavePlan
from ..engine.results import UnitResult
from ..engine.runner import Told
from .console import MOST_FAILURES


class BuildProgress:
    """Context manager whose `told` shows what a build does."""

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self.console, self.quiet = console, quiet
        self._bars = Progress(
            TextColumn("{task.description:<44}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._current: TaskID | None = None
        self._title = ""
        self._failed: Counter[str] = Counter()

    @property
    def told(self) -> Told:
        """Callbacks for a build."""
        return Told(self._planned, self._unit, self._done, self._note, self._asked)

    def _planned(self, plan: WavePlan) -> None:
        if not plan.nothing:
            title = plan.wave.title
            short = self._title = title if len(title) <= 44 else title[:41] + "..."
            self._current = self._bars.add_task(short, total=len(plan.stale) + len(plan.blocked))

    def _unit(self, result: UnitResult) -> None:
        if self._current is not None:
            self._bars.advance(self._current)
        if result.outcome.status == "failed" and not self.quiet:
            self._failed[result.key.producer] += 1
            if self._failed[result.key.producer] <= MOST_FAILURES:
                self._bars.console.print(f"[red]failed[/] {result.key.producer}: {escape(str(result.outcome.error))}")

    def _done(self, plan: WavePlan) -> None:
        if self._current is not None:
            self._bars.update(self._current, completed=len(plan.stale) + len(plan.blocked))
            self._current = None

    def _asked(self, spent: Spent) -> None:
        if self._current is not None:
            told = f" {spent.requests} requests, {spent.tokens / 1000:.0f}k tokens"
            self._bars.update(self._current, description=self._title[: 44 - len(told)] + told)

    def _note(self, text: str) -> None:
        if not self.quiet:
            self._bars.console.print(f"[dim]{text}[/]")

    def __enter__(self) -> BuildProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
