"""One annotator's session inside a pass: feeds it, times it, bundles its rows, and turns its exceptions
into events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

from ..annotator import Row, SkipUnit
from .events import Finished, PassEvent, RowsOut

FLUSH_ROWS = 256
"""Rows of one producer that are handed out together, so that memory stays flat."""


class Consumer:
    """Wraps the two calls of a session: one per item (frame or piece of sound) and the closing one."""

    def __init__(self, producer: str, see: Callable[[Any], Iterable[Row]], close: Callable[[], Iterable[Row]]) -> None:
        self.producer = producer
        self.ended = False
        self._see, self._close = see, close
        self._rows: list[Row] = []
        self._seconds = 0.0

    def feed(self, item: Any) -> Iterator[PassEvent]:
        """Hand over one item; yields rows when enough have gathered, or `Finished` when the session
        raises.
        """
        if not self._take(self._see, item):
            yield self.fail(self._error)
        elif len(self._rows) >= FLUSH_ROWS:
            yield self._flush()

    def finish(self) -> Iterator[PassEvent]:
        """After the last item: the remaining rows and `Finished`."""
        if not self._take(self._close):
            yield self.fail(self._error)
            return
        if self._rows:
            yield self._flush()
        self.ended = True
        yield Finished(self.producer, None, None, self._seconds)

    def fail(self, error: Exception) -> Finished:
        """End with an error, or as skipped by `SkipUnit`. Rows not yet handed out are dropped."""
        self.ended = True
        self._rows = []
        if isinstance(error, SkipUnit):
            return Finished(self.producer, None, str(error), self._seconds)
        return Finished(self.producer, error, None, self._seconds)

    def _take(self, call: Callable[..., Iterable[Row]], *arguments: Any) -> bool:
        started = perf_counter()
        try:
            self._rows.extend(call(*arguments))
        except Exception as error:
            self._error = error
            return False
        finally:
            self._seconds += perf_counter() - started
        return True

    def _flush(self) -> RowsOut:
        rows, self._rows = self._rows, []
        return RowsOut(self.producer, rows)
