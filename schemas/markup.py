"""Neutral markup: the one way in which sample text carries times, places, media, options and answer.

Text is a sequence of tokens: plain text, `<t:12.4>`, `<span:3.2,7.9>`, `<box:x1,y1,x2,y2>`,
`<boxat:t,x1,y1,x2,y2>`, `<video>`, `<image>`, `<audio>`, `<options>` and `<answer>` (in an assistant turn:
where the packager writes the letters or texts of a choice or order). A tag means the sample's first medium,
`<t@2:12.4>` or `<image@2>` its second; `<options@2>` and `<answer@2>` belong to the second part of a conversation. Times are seconds on the source clock of that medium, boxes normalised
edges with 6 decimals. In plain text `<` is written `&lt;` and `&` is written `&amp;`; packagers bind all of
it late.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from .box import Box
from .span import Span, seconds_text, to_us

MediaKind = Literal["video", "image", "audio"]


class MarkupError(ValueError):
    """Text is not markup; the message quotes the offending piece and says what to write."""


@dataclass(frozen=True, slots=True)
class Text:
    """Human text, unescaped."""

    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in seconds on the clock of medium number `medium` (1-based)."""

    t_s: float
    medium: int = 1


@dataclass(frozen=True, slots=True)
class SpanMark:
    """A half-open span in seconds on the clock of medium number `medium`."""

    start_s: float
    end_s: float
    medium: int = 1

    @property
    def span(self) -> Span:
        """As a checked Span; raises ValueError when it is empty or reversed."""
        return Span(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class BoxMark:
    """A box in medium number `medium`, normalised edges."""

    x1: float
    y1: float
    x2: float
    y2: float
    medium: int = 1

    @property
    def box(self) -> Box:
        """As a checked Box; raises ValueError when it is out of range or inverted."""
        return Box(self.x1, self.y1, self.x2, self.y2)


@dataclass(frozen=True, slots=True)
class BoxAt:
    """A box at a time of medium number `medium`."""

    t_s: float
    x1: float
    y1: float
    x2: float
    y2: float
    medium: int = 1

    @property
    def box(self) -> Box:
        """As a checked Box; raises ValueError when it is out of range or inverted."""
        return Box(self.x1, self.y1, self.x2, self.y2)


@dataclass(frozen=True, slots=True)
class Media:
    """The place where medium number `medium` is shown or played."""

    kind: MediaKind
    medium: int = 1


@dataclass(frozen=True, slots=True)
class OptionsMark:
    """The place where the options are listed: all of them, or those of a conversation's part (1-based)."""

    part: int = 1


@dataclass(frozen=True, slots=True)
class AnswerMark:
    """The place in an assistant turn where a choice or order is written out; `part` as in `OptionsMark`."""

    part: int = 1


Token: TypeAlias = Text | Moment | SpanMark | BoxMark | BoxAt | Media | OptionsMark | AnswerMark

_TAG = re.compile(r"<(?P<name>[a-z]+)(?:@(?P<medium>\d{1,4}))?(?::(?P<numbers>[^<>]*))?>")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
_ENTITY = re.compile(r"&(lt|amp);")
_KINDS: tuple[str, ...] = get_args(MediaKind)
_NUMBERS_OF = {"t": 1, "span": 2, "box": 4, "boxat": 5}
_SHOWN = 40  # characters of a faulty piece that a message quotes


def escape(text: str) -> str:
    """Human text as markup text. `escape(a) + escape(b) == escape(a + b)`."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def unescape(text: str) -> str:
    """The inverse of `escape`; a lone `&` stays."""
    return _ENTITY.sub(lambda m: "<" if m[1] == "lt" else "&", text)


def quote(text: str) -> str:
    """Speech or on-screen text as a markup quotation: escaped, in curly quotes, inner curly quotes made
    single.

    `validate` lets numbers of time stand inside such quotes: they were said or shown, not measured.
    """
    return f"“{escape(text.replace('“', '‘').replace('”', '’'))}”"


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise MarkupError(f"malformed number {text[:_SHOWN]!r}; write plain decimals such as 12.4")
    return float(text)


def _token(tag: re.Match[str]) -> Token:
    name, numbers = tag["name"], tag["numbers"]
    medium = int(tag["medium"]) if tag["medium"] is not None else 1
    if name in _NUMBERS_OF:
        values = [_number(part) for part in numbers.split(",")] if numbers is not None else []
        if len(values) != _NUMBERS_OF[name]:
            raise MarkupError(f"{tag[0][:_SHOWN]} needs {_NUMBERS_OF[name]} numbers, has {len(values)}")
        match values:
            case [t_s]:
                return Moment(t_s, medium)
            case [start_s, end_s]:
                return SpanMark(start_s, end_s, medium)
            case [x1, y1, x2, y2]:
                return BoxMark(x1, y1, x2, y2, medium)
            case [t_s, x1, y1, x2, y2]:
                return BoxAt(t_s, x1, y1, x2, y2, medium)
    for kind in _KINDS:
        if name == kind and numbers is None:
            return Media(kind, medium)  # type: ignore[arg-type]
    if name in ("options", "answer") and numbers is None:
        return OptionsMark(medium) if name == "options" else AnswerMark(medium)
    raise MarkupError(
        f"unknown tag {tag[0][:_SHOWN]}; known are t, span, box, boxat, {', '.join(_KINDS)}, options, answer"
    )


def _scan(text: str) -> Iterator[tuple[Token | MarkupError, str]]:
    """Tokens in order, each with its raw text; a faulty piece comes as its error, and scanning goes on behind
    it.
    """
    position = 0
    while position < len(text):
        start = text.find("<", position)
        if start < 0:
            start = len(text)
        if start > position:
            yield Text(unescape(text[position:start])), text[position:start]
        if start == len(text):
            return
        tag = _TAG.match(text, start)
        if tag is None:
            shown = text[start : start + _SHOWN]
            yield MarkupError(f"'<' opens no tag in {shown!r}; write &lt; for a literal '<'"), "<"
            position = start + 1
            continue
        try:
            yield _token(tag), tag[0]
        except MarkupError as error:
            yield error, tag[0]
        position = tag.end()


def parse(text: str) -> list[Token]:
    """Tokens of `text` in order. Raises MarkupError at the first piece that is not markup.

    Values are read as written: `validate` says whether spans, boxes and media make sense.
    """
    tokens: list[Token] = []
    for item, _raw in _scan(text):
        if isinstance(item, MarkupError):
            raise item
        tokens.append(item)
    return tokens


def render(tokens: Iterable[Token]) -> str:
    """Canonical markup of the tokens: shortest decimals that restore the microsecond, boxes with 6 decimals.

    `render(parse(text)) == text` for canonical text; `parse(render(tokens)) == tokens` for tokens on the grid
    whose texts are neither empty nor adjacent.
    """
    return "".join(_render(token) for token in tokens)


def _render(token: Token) -> str:
    match token:
        case Text(text):
            return escape(text)
        case Moment(t_s, medium):
            return f"<t{_at(medium)}:{seconds_text(t_s)}>"
        case SpanMark(start_s, end_s, medium):
            return f"<span{_at(medium)}:{seconds_text(start_s)},{seconds_text(end_s)}>"
        case BoxMark(x1, y1, x2, y2, medium):
            return f"<box{_at(medium)}:{_edges(x1, y1, x2, y2)}>"
        case BoxAt(t_s, x1, y1, x2, y2, medium):
            return f"<boxat{_at(medium)}:{seconds_text(t_s)},{_edges(x1, y1, x2, y2)}>"
        case Media(kind, medium):
            return f"<{kind}{_at(medium)}>"
        case OptionsMark(part):
            return f"<options{_at(part)}>"
        case AnswerMark(part):
            return f"<answer{_at(part)}>"


def _at(medium: int) -> str:
    return f"@{medium}" if medium != 1 else ""


def _edges(*values: float) -> str:
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f"box {values!r} is not finite")
    return ",".join(f"{round(value, 6) + 0.0:.6f}" for value in values)


def media_shown(text: str) -> set[int]:
    """Numbers of the media whose tags stand in a text, whatever else is malformed in it."""
    return {item.medium for item, _raw in _scan(text) if isinstance(item, Media)}


def replace(text: str, fn: Callable[[Token], str]) -> str:
    """The text with every token, plain text included, replaced by what `fn` says: how packagers bind markup.

    Plain text arrives unescaped, so a speaker may have said a trainer's own placeholder; `fn` decides what
    becomes of it. Raises MarkupError as `parse`.
    """
    return "".join(fn(token) for token in parse(text))


_WORD_NUMBER = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety"
)
_NO_LENGTH = r"(?!\s*(?:%|°|to\b|and\b|(?:[ckm]?m|met\w*|deg\w*)\b))"  # 'at 2.5 m' is no time
_LITERALS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        # 12.5 s, 3-second, 2 min; a decade such as 1990s is no time of the footage
        (
            "time",
            r"(?<![\w.])(?!(?:1\d|20)\d0s\b)\d+(?:\.\d+)?[\s-]?"
            r"(?:s|secs?|seconds?|ms|milliseconds?|mins?|minutes?|hrs?|h|hours?)\b",
        ),
        ("time", rf"\b(?:{_WORD_NUMBER})(?:\s+|-)(?:seconds|minutes|hours)\b"),
        ("time", rf"\b(?:{_WORD_NUMBER})-(?:second|minute|hour)\b"),
        ("time", r"(?<![\d:.])\d{1,3}:[0-5]\d(?::[0-5]\d)?(?:\.\d+)?(?![\d:])"),
        ("time", r"\b(?:seconds?|minutes?|timestamps?|frames?)\s*(?:=|:|#|number|no\.)?\s*\d+(?:\.\d+)?\b"),
        ("time", r"\bt\s*[=:]\s*\d+(?:\.\d+)?"),
        ("time", rf"\b(?:at|until|till|from)\s+\d+\.\d+\b{_NO_LENGTH}"),
        (
            "time",
            rf"\b(?:from|between)\s+\d+(?:\.\d+)?\s+(?:to|until|till|and)\s+\d+\.\d+\b{_NO_LENGTH}",
        ),
        ("place", r"[\[(]\s*\d+(?:\.\d+)?(?:\s*,\s*\d+(?:\.\d+)?)+\s*[\])]"),
        ("place", r"(?<![\w.])\d+(?:\.\d+)?[\s-]?(?:px|pixels?)\b"),
        ("place", r"\b[xy][12]?\s*=\s*\d+(?:\.\d+)?"),
    )
)


def _unquoted(pieces: Iterable[str]) -> tuple[str, bool]:
    """Plain text with quotations taken out (tags became a separator before), and whether a quotation stays
    open.
    """
    outside: list[str] = []
    is_open = False
    for character in "".join(pieces):
        if character == "“":
            is_open = True
        elif character == "”" and is_open:
            is_open = False
            outside.append("|")
        elif not is_open:
            outside.append(character)
    return "".join(outside), is_open


def validate(
    text: str, *, media: int, windows: Sequence[Span | None] | None = None, part: int | None = None
) -> list[str]:
    """Problems of one turn's text, in reading order; an empty list means that it may be stored.

    `media` is the number of the sample's media, `part` that of the conversation's part whose turn this is (None: not a
    conversation); `windows[k-1]` is the span that medium k shows (None: no
    clock, such as an image). Found: what `parse` rejects, numbers that are not canonical, empty or reversed
    spans, times outside the window, boxes out of range or inverted, media that do not exist or are placed
    twice, more than one `<options>` or `<answer>`, and numbers of time or place in plain text outside “curly
    quotes”.
    """
    problems: list[str] = []
    plain: list[str] = []
    seen: set[str | int] = set()
    for item, raw in _scan(text):
        if isinstance(item, MarkupError):
            problems.append(str(item))
        elif isinstance(item, Text):
            plain.append(item.text)
            continue
        else:
            problems += [f"{raw}: {problem}" for problem in _problems_of(item, media, windows)]
            if isinstance(item, OptionsMark | AnswerMark) and item.part != (part or 1):
                problems.append(f"{raw}: this turn belongs to part {part or 1}")
            if raw != _render(item):
                problems.append(f"{raw}: not canonical; write {_render(item)}")
            if isinstance(item, Media | OptionsMark | AnswerMark):
                place = item.medium if isinstance(item, Media) else raw
                if place in seen:
                    hint = f"; <{item.kind}@2> is the second medium" if isinstance(item, Media) else ""
                    problems.append(f"{raw}: stands more than once{hint}")
                seen.add(place)
        plain.append("|")
    outside, is_open = _unquoted(plain)
    if is_open:
        problems.append("a quotation “ is not closed with ”; make quotations with quote()")
    for kind, pattern in _LITERALS:
        problems += [
            f"{found[0].strip()!r} is a number of {kind} in plain text; use a tag, or quote() what was said"
            for found in pattern.finditer(outside)
        ]
    return problems


def _problems_of(token: Token, media: int, windows: Sequence[Span | None] | None) -> list[str]:
    if isinstance(token, Text | OptionsMark | AnswerMark):
        return []
    problems: list[str] = []
    if not 1 <= token.medium <= media:
        problems.append(f"medium {token.medium} does not exist; the sample has {media}")
    window = windows[token.medium - 1] if windows and 1 <= token.medium <= len(windows) else None
    times: tuple[float, ...] = ()
    match token:
        case SpanMark(start_s, end_s):
            times = (start_s, end_s)
            if to_us(end_s) <= to_us(start_s):
                problems.append("the span ends before or where it starts")
        case Moment(t_s) | BoxAt(t_s):
            times = (t_s,)
    if any(t_s < 0 for t_s in times):
        problems.append("time before 0")
    if window is not None:
        low, high = to_us(window.start_s), to_us(window.end_s)
        if not all(low <= to_us(t_s) <= high for t_s in times):
            shown = f"{seconds_text(window.start_s)}..{seconds_text(window.end_s)}"
            problems.append(f"outside the window {shown} s")
    if isinstance(token, BoxMark | BoxAt) and not (0 <= token.x1 < token.x2 <= 1 and 0 <= token.y1 < token.y2 <= 1):
        problems.append("box outside [0, 1], empty or inverted")
    return problems
