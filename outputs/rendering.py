"""From neutral markup to a trainer's own language: the step that is bound last, when it is known what is shown.

Times move from the source's clock to the clock of the packaged file (its first frame is 0), and are written by a time
codec at the length of that file; boxes by a box codec at its size; options get letters; media tags become the trainer's
placeholders. A trainer that reads numbers from lists beside the text gets placeholders in the text (`Placeholders`); the
numbers are noted in reading order whatever the language (`Rendered.marks`), and its packager writes the lists from them.
Whatever cannot be said truthfully is refused with `LeftOut`, never bent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..schemas.box import Box
from ..schemas.boxcodec import BoxCodec, BoxCodecError, box_codec
from ..schemas.markup import (
    AnswerMark,
    BoxAt,
    BoxMark,
    MarkupError,
    Media,
    Moment,
    OptionsMark,
    SpanMark,
    Text,
    Token,
    parse,
    replace,
)
from ..schemas.sample import (
    Answer,
    BoxAnswer,
    ChoiceAnswer,
    OrderAnswer,
    Sample,
    SpanAnswer,
    SpanBoxAnswer,
    SpansAnswer,
    TextAnswer,
    TubeAnswer,
    TurnPart,
    TurnsAnswer,
)
from ..schemas.span import Span, from_us, to_us
from ..schemas.timecodec import TimeCodec
from ..schemas.timecodec_prefix import FramePrefix
from .letters import ALPHABET

PartKind = Literal["video", "image", "audio"]
AnswerStyle = Literal["letter", "letter_text", "text"]
_TAG_LIKE = re.compile(r"<([^<>\s]{1,40})>")


class LeftOut(Exception):
    """A sample that this package cannot carry: `rule` is counted, `detail` says what exactly."""

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule, self.detail = rule, detail


@dataclass(frozen=True)
class Part:
    """One packaged file that a sample shows: its kind and its path inside the package."""

    kind: PartKind
    file: str
    t_s: float | None = None
    """Source time of a still."""


@dataclass(frozen=True)
class Mark:
    """A time, span or box that stands in the text, as a number: what a trainer's lists beside the text are made of."""

    turn: int
    role: str
    """`user` or `assistant`."""
    medium: int
    times: tuple[float, ...]
    """One time, or start and end, on the packaged file's clock; empty for a box alone."""
    box: Box | None = None


@dataclass(frozen=True)
class Placeholders:
    """What stands in the text for numbers that stand in lists beside it; None for what the format cannot say.

    `{role}` becomes INPUT in a question and OUTPUT in an answer.
    """

    moment: str | None
    span: str | None
    box: str | None
    region: str | None = None
    """Of a box at a time, where the format has one word for both."""

    def said(self, kind: Literal["moment", "span", "box", "region"], role: str) -> str:
        """The placeholder of one thing. Raises `LeftOut` where there is none."""
        text: str | None = getattr(self, kind)
        if text is None:
            raise LeftOut(f"format: cannot say a {kind}")
        return text.replace("{role}", "OUTPUT" if role == "assistant" else "INPUT")


@dataclass(frozen=True)
class View:
    """What a package shows of one medium of a sample. Spans are on the source's clock."""

    parts: tuple[Part, ...]
    window: Span
    """The part of the source that the sample may speak about."""
    zero_s: float
    """Source time of the packaged file's t = 0."""
    duration_s: float
    """Length of what is shown, on the packaged file's clock."""
    width: int
    height: int
    starts_at_s: float = 0.0
    """Where the shown part begins in the packaged file; times in the text count from there."""
    drawn_s: tuple[float, ...] | None = None
    """Times of the frames that the trainer draws, on the packaged file's clock; None: it is not known to skip any."""

    def time(self, t_s: float) -> float:
        """A source time on the packaged file's clock. Raises `LeftOut` for one outside the window."""
        if not to_us(self.window.start_s) - 1 <= to_us(t_s) <= to_us(self.window.end_s) + 1:
            shown = f"{self.window.start_s:g}..{self.window.end_s:g} s"
            raise LeftOut("time outside what is shown", f"{t_s:g} s is not in {shown}")
        return from_us(to_us(min(max(t_s - self.zero_s, 0.0), self.duration_s)))

    def span(self, start_s: float, end_s: float) -> Span:
        """A source span on the packaged file's clock. Raises `LeftOut` when nothing of it is left."""
        start, end = self.time(start_s), self.time(end_s)
        if not start < end:
            raise LeftOut("time outside what is shown", f"nothing of {start_s:g}..{end_s:g} s is left in the cut")
        return Span(start, end)


@dataclass(frozen=True)
class Language:
    """How a trainer writes things."""

    times: TimeCodec
    span_text: str
    """With {start} and {end}."""
    boxes: str
    box_decimals: int
    answer: AnswerStyle
    marks: Mapping[str, str]
    """Placeholder of each kind of part."""
    placeholders: Placeholders | None = None
    """Set where times and boxes stand in lists beside the text; `times` is then how the model itself writes them."""
    prefix: FramePrefix | None = None
    """How the times of several stills of one medium are printed in front of them; None: they are not."""

    def span(self, span: Span, duration_s: float) -> str:
        """A span on the packaged file's clock."""
        start, end = self.times.encode_span(span, duration_s)
        return self.span_text.replace("{start}", start).replace("{end}", end)

    def box_codec(self, view: View) -> BoxCodec:
        """The codec of boxes at the size of a view."""
        return box_codec(self.boxes, width=max(view.width, 1), height=max(view.height, 1), decimals=self.box_decimals)

    def box(self, box: Box, view: View) -> str:
        """A box. Raises `LeftOut` when the codec cannot say it."""
        try:
            return self.box_codec(view).encode(box)
        except BoxCodecError as error:
            raise LeftOut("box smaller than the codec can say", str(error)) from None


@dataclass(frozen=True)
class Rendered:
    """A sample in a trainer's language."""

    turns: tuple[tuple[str, str], ...]
    """(role, text), roles `user` and `assistant`."""
    parts: tuple[Part, ...]
    """Packaged files in the order in which their placeholders stand in the text."""
    options: tuple[str, ...]
    """Option texts in the order of their letters."""
    answer: dict[str, Any]
    """The typed answer: times on the packaged file's clock, letters for indices."""
    marks: tuple[Mark, ...] = ()
    """Times and boxes of the turns in reading order."""


def render(
    sample: Sample, views: Sequence[View], order: Sequence[int], language: Language, *, rationale: bool = False
) -> Rendered:
    """The sample as a trainer reads it; `order[i]` is the canonical index of the option with letter i.

    With `rationale` the last answer begins with the steps, a line each. Raises `LeftOut`.
    """
    try:
        return _Renderer(sample, views, order, language).render(rationale)
    except MarkupError as error:
        raise LeftOut("malformed", str(error)) from None


def harmless(text: str) -> str:
    """Human text that no trainer takes for one of its own tokens: `<video>` that somebody said becomes `(video)`."""
    return _TAG_LIKE.sub(r"(\1)", text)


def _numbers(answer: Answer) -> range:
    """Numbers of the parts, from 1; a sample of one turn is one part."""
    return range(1, 1 + (len(answer.parts) if isinstance(answer, TurnsAnswer) else 1))


def _view(views: Sequence[View], medium: int) -> View:
    if not 1 <= medium <= len(views):
        raise LeftOut("malformed", f"medium {medium} does not exist; the sample has {len(views)}")
    return views[medium - 1]


@dataclass
class _Renderer:
    sample: Sample
    views: Sequence[View]
    order: Sequence[int]
    language: Language
    parts: list[Part] = field(default_factory=list)
    role: str = "user"
    turn: int | None = None
    """The turn that is being written; None: nothing is noted."""
    marks: list[Mark] = field(default_factory=list)

    def render(self, rationale: bool) -> Rendered:
        pictured = any(isinstance(t, Media) for o in self.sample.options for t in parse(o.text))
        self.style: AnswerStyle = "letter" if pictured else self.language.answer
        answer = self.sample.answer
        most = max((len(self.listed(k)) for k in _numbers(answer)), default=0)
        if most > len(ALPHABET):
            raise LeftOut("malformed", f"{most} options, and {len(ALPHABET)} letters")
        tokens = [t for turn in self.sample.turns for t in parse(turn.text)]
        if any(isinstance(t, OptionsMark) for t in tokens):
            tokens += [t for option in self.sample.options for t in parse(option.text)]
        named = {t.medium for t in tokens if isinstance(t, Media)}
        unnamed = "".join(self.place(m) for m in range(1, len(self.views) + 1) if m not in named)
        turns: list[tuple[str, str]] = []
        last = len(self.sample.turns) - 1
        for i, turn in enumerate(self.sample.turns):
            self.role, self.turn = turn.role, i
            steps = self.sample.rationale if rationale and i == last and turn.role == "assistant" else ()
            text = "\n".join([*(replace(step, self.token) for step in steps), replace(turn.text, self.token)])
            turns.append((turn.role, f"{unnamed}\n{text}" if unnamed and not turns else text))
        self.turn = None
        options = tuple(replace(self.sample.options[i].text, self._aside) for i in self.order)
        return Rendered(tuple(turns), tuple(self.parts), options, self.answer(), tuple(self.marks))

    def token(self, token: Token) -> str:
        match token:
            case Text(text):
                return harmless(text)
            case Moment(t_s, medium):
                return self.moment(t_s, medium)
            case SpanMark(start_s, end_s, medium):
                return self.span(start_s, end_s, medium)
            case BoxMark():
                return self.box(token)
            case BoxAt():
                if self.language.placeholders is not None and self.language.placeholders.region is not None:
                    return self.region(token)
                between = ": " if self.language.placeholders is None else ":"
                return f"{self.moment(token.t_s, token.medium)}{between}{self.box(token)}"
            case Media(medium=medium):
                if self.role == "assistant":
                    raise LeftOut("malformed", "an answer shows a medium")
                return self.place(medium)
            case OptionsMark(part):
                texts = [replace(self.sample.options[i].text, self.token) for i in self.listed(part)]
                heads = ["-"] * len(texts) if self.style == "text" else [f"{letter}." for letter in ALPHABET]
                return "\n".join(f"{head} {text}" for head, text in zip(heads, texts, strict=False))
            case AnswerMark(part):
                return self.written_answer(part)

    def _aside(self, token: Token) -> str:
        """A token in a list of option texts: media are named there, not shown again."""
        return f"({token.kind})" if isinstance(token, Media) else self.token(token)

    def moment(self, t_s: float, medium: int) -> str:
        view = _view(self.views, medium)
        t = view.time(t_s)
        self.note(medium, (t,))
        holders = self.language.placeholders
        return self.language.times.encode(t, view.duration_s) if holders is None else holders.said("moment", self.role)

    def span(self, start_s: float, end_s: float, medium: int) -> str:
        view = _view(self.views, medium)
        span = view.span(start_s, end_s)
        self.note(medium, (span.start_s, span.end_s))
        holders = self.language.placeholders
        return self.language.span(span, view.duration_s) if holders is None else holders.said("span", self.role)

    def box(self, token: BoxMark | BoxAt) -> str:
        try:
            box = token.box
        except ValueError as error:
            raise LeftOut("malformed", str(error)) from None
        self.note(token.medium, (), box)
        holders = self.language.placeholders
        said = self.language.box(box, _view(self.views, token.medium))
        return said if holders is None else holders.said("box", self.role)

    def region(self, token: BoxAt) -> str:
        """A box at a time as one word."""
        holders = self.language.placeholders
        assert holders is not None
        try:
            self.note(token.medium, (_view(self.views, token.medium).time(token.t_s),), token.box)
        except ValueError as error:
            raise LeftOut("malformed", str(error)) from None
        return holders.said("region", self.role)

    def note(self, medium: int, times: tuple[float, ...], box: Box | None = None) -> None:
        """Remember a number of the turn that is being written."""
        if self.turn is not None:
            self.marks.append(Mark(self.turn, self.role, medium, times, box))

    def place(self, medium: int) -> str:
        """The placeholders of a medium; the files join the sample's list in the order of the text."""
        view = _view(self.views, medium)
        self.parts += view.parts
        holders = [self.language.marks[part.kind] for part in view.parts]
        times = [part.t_s for part in view.parts if part.t_s is not None]
        if self.language.prefix is None or not 2 <= len(times) == len(holders) or times != sorted(times):
            return "".join(holders)  # a single still, or stills out of order: their times may be what is asked
        return self.language.prefix.text([view.time(t) for t in times], holders)

    def listed(self, part: int) -> Sequence[int]:
        """Canonical indices in the order of the letters, of all options or of those of a conversation's part."""
        if not isinstance(self.sample.answer, TurnsAnswer):
            return self.order
        first, end = self._part(part).options
        return self.order[first:end]

    def _part(self, part: int) -> TurnPart:
        assert isinstance(self.sample.answer, TurnsAnswer)
        if not 1 <= part <= len(self.sample.answer.parts):
            raise LeftOut("malformed", f"part {part} does not exist; there are {len(self.sample.answer.parts)}")
        return self.sample.answer.parts[part - 1]

    def chosen(self, part: int = 1) -> list[int]:
        """Places (0 is A) of the right option, or of the items in their right order."""
        listed, first, answer = self.listed(part), 0, self.sample.answer
        if isinstance(answer, TurnsAnswer):
            first, answer = self._part(part).options[0], self._part(part).answer
        match answer:
            case ChoiceAnswer(index=index):
                return [listed.index(first + index)]
            case OrderAnswer(order=order):
                return [listed.index(first + i) for i in order]
        raise LeftOut("malformed", f"<answer> stands for a choice or an order, not for {answer.kind}")

    def written_answer(self, part: int = 1) -> str:
        places, listed = self.chosen(part), self.listed(part)
        if self.style == "letter":
            return ", ".join(ALPHABET[p] for p in places)
        texts = [replace(self.sample.options[listed[p]].text, self.token) for p in places]
        if self.style == "letter_text":
            texts = [f"{ALPHABET[p]}. {text}" for p, text in zip(places, texts, strict=True)]
        return "; ".join(texts)

    def answer(self) -> dict[str, Any]:
        """The typed answer with the packaged file's times, and letters instead of canonical indices."""
        if not isinstance(self.sample.answer, TurnsAnswer):
            return self._answer(self.sample.answer, 1)
        return {"kind": "turns", "parts": [self._turn(k, p) for k, p in enumerate(self.sample.answer.parts, start=1)]}

    def _turn(self, number: int, part: TurnPart) -> dict[str, Any]:
        scope = self.views[0].span(*part.scope)
        return {
            "turn": part.turn,
            "task": part.task,
            "trained": part.trained,
            "scope": [scope.start_s, scope.end_s],
            "at_s": None if part.at_s is None else self.views[0].time(part.at_s),
            "options": [replace(self.sample.options[i].text, self._aside) for i in self.listed(number)],
            "answer": self._answer(part.answer, number),
        }

    def _answer(self, answer: Answer, part: int) -> dict[str, Any]:
        said: dict[str, Any] = answer.model_dump(mode="json")
        first = self.views[0]
        match answer:
            case ChoiceAnswer():
                return {"kind": "choice", "letter": ALPHABET[self.chosen(part)[0]]}
            case OrderAnswer():
                return {"kind": "order", "letters": [ALPHABET[p] for p in self.chosen(part)]}
            case SpanAnswer(start_s=start, end_s=end) | SpanBoxAnswer(start_s=start, end_s=end):
                span = first.span(start, end)
                return {**said, "start_s": span.start_s, "end_s": span.end_s}
            case TubeAnswer(start_s=start, end_s=end, boxes=boxes):
                span = first.span(start, end)
                placed = [[first.time(t), *edges] for t, *edges in boxes]
                return {**said, "start_s": span.start_s, "end_s": span.end_s, "boxes": placed}
            case SpansAnswer(spans=spans):
                shown = [first.span(*s) for s in spans]
                return {**said, "spans": [[s.start_s, s.end_s] for s in shown]}
            case BoxAnswer(t_s=t_s):
                return {**said, "t_s": first.time(t_s)}
            case TextAnswer(text=text):
                return {**said, "text": replace(text, self.token)}
        return said
