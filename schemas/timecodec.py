"""Time codecs: how a trainer's language writes a time, one interface, each with a published worst-case error.

`encode` and `decode` work on whole microseconds and round half to even, so x.5 cases do not depend on
floating point; times lie in [0, duration] of what is shown, on its own clock. `find_moments` and `find_spans`
read times from the free text of a model: they never raise, cut times at the duration, and never swap a
reversed span (what cannot be read is no answer).
"""

from __future__ import annotations

import re
import string
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import ClassVar, NamedTuple

from .span import MICROSECONDS_PER_SECOND, Span, span_or_none, to_us

_GRID_ERROR_S = 0.5 / MICROSECONDS_PER_SECOND  # a float time is rounded to its microsecond first
_RANGE_WORD = r"(?:-|–|—|−|~|->|→|\.{2,3}|to|until|till|through|and)"
_BETWEEN = re.compile(rf"[\]\"')]*\s*(?:,|;|{_RANGE_WORD})?\s*[\[\"'(]*", re.IGNORECASE)
_RANGE = re.compile(rf"\s*(?:,|{_RANGE_WORD})\s*", re.IGNORECASE)


class TimeCodecError(ValueError):
    """A time outside the duration, or text that is not one time of the codec."""


class _Found(NamedTuple):
    start: int
    end: int
    t_s: float


@dataclass(frozen=True)
class TimeCodec(ABC):
    """What every codec offers; `duration_s` is the length of what is shown and must be positive."""

    name: ClassVar[str]

    @abstractmethod
    def max_error_s(self, duration_s: float) -> float:
        """Largest |decode(encode(t)) - t| in seconds over all t in [0, duration_s]."""

    @abstractmethod
    def _text(self, t_us: int, duration_us: int) -> str: ...

    @abstractmethod
    def _matches(self, text: str, duration_s: float) -> Iterator[_Found]:
        """Times in reading order, not yet cut at the duration."""

    def encode(self, t_s: float, duration_s: float) -> str:
        """Text of one time. Raises TimeCodecError when `t_s` lies outside [0, duration_s]."""
        t_us, duration_us = to_us(t_s), _positive_us(duration_s)
        if not 0 <= t_us <= duration_us:
            raise TimeCodecError(f"time {t_s} s lies outside [0, {duration_s}] s; shift it to the shown window first")
        return self._text(t_us, duration_us)

    def decode(self, text: str, duration_s: float) -> float:
        """Seconds of a text that is exactly one time, cut to [0, duration_s]; else TimeCodecError."""
        stripped = text.strip()
        found = list(self._matches(stripped, duration_s))
        if len(found) != 1 or (found[0].start, found[0].end) != (0, len(stripped)):
            raise TimeCodecError(f"{text!r} is not one time of the codec {self.name}")
        return _cut(found[0].t_s, duration_s)

    def encode_span(self, span: Span, duration_s: float) -> tuple[str, str]:
        """Texts of start and end, for the packager's own wording of a span."""
        return self.encode(span.start_s, duration_s), self.encode(span.end_s, duration_s)

    def decode_span(self, start: str, end: str, duration_s: float) -> Span | None:
        """The span of two texts. Equal texts mean the whole cell that the codec rounds to them; reversed:
        None.
        """
        return self._span(self.decode(start, duration_s), self.decode(end, duration_s), duration_s)

    def find_moments(self, text: str, duration_s: float) -> list[float]:
        """Every time in free text, in reading order, cut to [0, duration_s]."""
        _positive_us(duration_s)
        return [_cut(found.t_s, duration_s) for found in self._matches(text, duration_s)]

    def find_starts(self, text: str, duration_s: float) -> list[int]:
        """Where in free text each time begins, in reading order."""
        _positive_us(duration_s)
        return [found.start for found in self._matches(text, duration_s)]

    def find_runs(self, text: str, duration_s: float) -> list[list[float]]:
        """Times in free text as runs, not cut at the duration: times joined by nothing, a comma, a dash or 'to' share
        a run.
        """
        _positive_us(duration_s)
        runs: list[list[float]] = []
        end: int | None = None
        for found in self._matches(text, duration_s):
            if end is not None and _BETWEEN.fullmatch(text, end, found.start):
                runs[-1].append(found.t_s)
            else:
                runs.append([found.t_s])
            end = found.end
        return runs

    def find_spans(self, text: str, duration_s: float) -> list[Span]:
        """Spans in free text: times joined by nothing, a comma, a dash or 'to'; without any such pair, every
        two times.

        Reversed and empty pairs are left out.
        """
        runs = self.find_runs(text, duration_s)
        if all(len(run) == 1 for run in runs):
            runs = [[t_s for run in runs for t_s in run]]
        spans = [
            self.span_of(start_s, end_s, duration_s)
            for run in runs
            for start_s, end_s in zip(run[::2], run[1::2], strict=False)
        ]
        return [span for span in spans if span is not None]

    def span_of(self, start_s: float, end_s: float, duration_s: float) -> Span | None:
        """The span of two times that were read, cut at the duration: equal times mean the whole cell that the codec
        rounds to them; None when reversed or past the end.
        """
        return self._span(_cut(start_s, duration_s), _cut(end_s, duration_s), duration_s)

    def as_said(self, span: Span, duration_s: float) -> Span | None:
        """What is left of a span after it was written and read again; None where nothing is."""
        return self.decode_span(*self.encode_span(span, duration_s), duration_s)

    def _span(self, start_s: float, end_s: float, duration_s: float) -> Span | None:
        if start_s == end_s:
            reach_s = self.max_error_s(duration_s)
            return span_or_none(max(0.0, start_s - reach_s), min(duration_s, end_s + reach_s))
        return span_or_none(start_s, end_s)


@dataclass(frozen=True)
class SecondsCodec(TimeCodec):
    """Decimal seconds, `12.40s`: `decimals` digits behind the point (0 to 6) and a unit text behind the
    number.

    Two decimals by default: finer than a frame at any usual rate, and what LITA's evaluation prints.
    """

    name: ClassVar[str] = "seconds"
    decimals: int = 2
    unit: str = "s"

    _NUMBER: ClassVar[re.Pattern[str]] = re.compile(
        r"(?<![\w.:])(?:(?P<minutes>\d{1,6})\s*(?:minutes?|mins?|m)\s*(?:and\s*)?)?"
        r"(?P<seconds>\d{1,9}(?:\.\d{1,12})?)(?![\d:%]|\.\d|\s*(?:minutes?|mins?|m|hours?|hrs?|h)\b)\s*(?P<unit>(?:seconds?|secs?|s)\b)?",
        re.IGNORECASE,
    )

    def __post_init__(self) -> None:
        if not 0 <= self.decimals <= 6:
            raise ValueError(f"seconds codec: decimals is {self.decimals}; use 0 to 6")
        if not re.fullmatch(r" ?(?:seconds|sec|s)|", self.unit):
            raise ValueError(f"seconds codec: unit is {self.unit!r}; use '', 's', ' s', ' sec' or ' seconds'")

    def max_error_s(self, duration_s: float) -> float:
        return 0.5 * 10.0**-self.decimals + _GRID_ERROR_S

    def _text(self, t_us: int, duration_us: int) -> str:
        step_us = 10 ** (6 - self.decimals)
        whole, fraction = divmod(round(Fraction(t_us, step_us)), 10**self.decimals)
        return f"{whole}.{fraction:0{self.decimals}d}{self.unit}" if self.decimals else f"{whole}{self.unit}"

    def _matches(self, text: str, duration_s: float) -> Iterator[_Found]:
        """Numbers with a unit and those that share it ('3 to 5 s'); without any unit in the text, all plain
        numbers.
        """
        found = list(self._NUMBER.finditer(text))
        with_unit = [m["unit"] is not None or m["minutes"] is not None for m in found]
        for i, m in enumerate(found):
            shares = i + 1 < len(found) and with_unit[i + 1] and _RANGE.fullmatch(text, m.end(), found[i + 1].start())
            glued = text[m.end("seconds") : m.end("seconds") + 1].isalpha() and m["unit"] is None
            if with_unit[i] or (not glued and (shares or not any(with_unit))):
                end = m.end() if m["unit"] is not None else m.end("seconds")
                yield _Found(m.start(), end, 60.0 * int(m["minutes"] or 0) + float(m["seconds"]))


@dataclass(frozen=True)
class ClockCodec(TimeCodec):
    """`mm:ss`, with tenths on request (`03:07.5`); `h:mm:ss` throughout when the footage lasts an hour or
    longer.
    """

    name: ClassVar[str] = "mm:ss"
    tenths: bool = False

    _CLOCK: ClassVar[re.Pattern[str]] = re.compile(
        r"(?<![\w.:])(?:(?P<hours>\d{1,4}):(?P<of_hour>[0-5]\d)|(?P<minutes>\d{1,4})):"
        r"(?P<seconds>[0-5]\d(?:\.\d{1,6})?)(?![\d:]|\.\d)"
    )

    def max_error_s(self, duration_s: float) -> float:
        return (0.05 if self.tenths else 0.5) + _GRID_ERROR_S

    def _text(self, t_us: int, duration_us: int) -> str:
        per_second = 10 if self.tenths else 1
        step_us = MICROSECONDS_PER_SECOND // per_second
        seconds, part = divmod(round(Fraction(t_us, step_us)), per_second)
        minutes, second = divmod(seconds, 60)
        tail = f"{second:02d}.{part}" if self.tenths else f"{second:02d}"
        if round(Fraction(duration_us, step_us)) >= 3600 * per_second:
            return f"{minutes // 60}:{minutes % 60:02d}:{tail}"
        return f"{minutes:02d}:{tail}"

    def _matches(self, text: str, duration_s: float) -> Iterator[_Found]:
        for m in self._CLOCK.finditer(text):
            minutes = int(m["minutes"]) if m["hours"] is None else 60 * int(m["hours"]) + int(m["of_hour"])
            yield _Found(m.start(), m.end(), 60.0 * minutes + float(m["seconds"]))


@dataclass(frozen=True)
class RelativeTokensCodec(TimeCodec):
    """100 relative tokens: k = round(99 t / D), text `token.format(k=k)`, back as k D / 99 (LITA; its code's
    0..99).

    `token` holds `{k}` once, a format such as `{k:03d}` included, between other characters.
    """

    name: ClassVar[str] = "relative_tokens_100"
    token: str = "<{k}>"
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = list(string.Formatter().parse(self.token))
        if [part[1] for part in parts if part[1] is not None] != ["k"]:
            raise ValueError(f"token text {self.token!r} must hold {{k}} exactly once, such as <{{k}}>")
        before, after = parts[0][0], parts[1][0] if len(parts) > 1 else ""
        if not before and not after:
            raise ValueError(f"token text {self.token!r} looks like a plain number; write it as <{{k}}>")
        pattern = re.escape(before) + r"(\d{1,6})" + (re.escape(after) or r"(?!\d)")
        object.__setattr__(self, "_pattern", re.compile(pattern))

    def max_error_s(self, duration_s: float) -> float:
        return duration_s / 198 + _GRID_ERROR_S

    def _text(self, t_us: int, duration_us: int) -> str:
        return self.token.format(k=round(Fraction(99 * t_us, duration_us)))

    def _matches(self, text: str, duration_s: float) -> Iterator[_Found]:
        for m in self._pattern.finditer(text):
            if int(m[1]) <= 99:
                yield _Found(m.start(), m.end(), int(m[1]) * duration_s / 99)


def _positive_us(duration_s: float) -> int:
    duration_us = to_us(duration_s)
    if duration_us <= 0:
        raise TimeCodecError(f"duration {duration_s} s is not positive")
    return duration_us


def _cut(t_s: float, duration_s: float) -> float:
    return min(max(t_s, 0.0), duration_s)


TIME_CODECS: dict[str, Callable[..., TimeCodec]] = {
    "seconds": SecondsCodec,
    "mm:ss": ClockCodec,
    "relative_tokens_100": RelativeTokensCodec,
    "lita100": partial(RelativeTokensCodec, "<t{k}>"),
    "llavast100": partial(RelativeTokensCodec, "<TEMP-{k:03d}>"),
}


def time_codec(name: str, **parameters: object) -> TimeCodec:
    """The codec of that name; `parameters` are its class's fields (`decimals`, `unit`; `tenths`; `token`).

    Raises ValueError for a name, and TypeError for a parameter, that does not exist.
    """
    if name not in TIME_CODECS:
        raise ValueError(f"unknown time codec {name!r}; known are {', '.join(TIME_CODECS)}")
    return TIME_CODECS[name](**parameters)
