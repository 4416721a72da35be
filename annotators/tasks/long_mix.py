"""Long mixed contexts up to a token target, after V2PE: many questions about many pictures in one row, and needles in long documents.

A row holds stills of one medium and, in documents, what is said in it, until a stated token count is reached: so many
tokens per picture, and one per so many characters of text. The kind `pictures` (Long-VQA) asks about all pictures at once that
show a needle or a writing; the documents (Long-MR) hide a sentence or a card's picture at an even depth. The position step that
V2PE draws for pictures is recorded. Pictures show what they show exactly; the count is an estimate for real tokenizers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.ids import seeded_fraction
from ...schemas.markup import escape, quote
from ...schemas.needles import COLUMNS, THINGS, TONES, needles_of
from ...schemas.sample import MediumRef, Need, Sample, TextAnswer, Turn
from ...schemas.span import Span, overlap_s
from ...schemas.verifying import Check
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    grid,
    only_row,
    rebuilt,
    rows_of,
    span_of,
    wordings_of,
)

Kind = Literal["pictures", "document_text", "document_picture"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TEXT_COLUMNS = ("start_s", "end_s", "text", "confidence", "x1", "y1", "x2", "y2")
SPEECH_COLUMNS = ("start_s", "end_s", "text")
_TAG = re.compile(r"<image(?:@\d+)?>")


class Params(BaseParams):
    """Parameters of long_mix."""

    ask: tuple[Kind, ...] = Field(KINDS, min_length=1, description="What rows hold.")
    targets: tuple[int, ...] = Field(
        (32_768, 65_536),
        min_length=1,
        description="Tokens of a row; V2PE bins 32 768 to 262 144, one row is made for each.",
    )
    tolerance: float = Field(0.02, gt=0, le=0.2, description="Greatest share by which a row may miss its target.")
    picture_tokens: int = Field(256, ge=1, description="Tokens of a picture (InternVL: 256 per tile).")
    characters_per_token: float = Field(4.0, gt=0, description="Characters of text that count as a token.")
    picture_share: float = Field(0.6, ge=0, lt=1, description="Share of a document's tokens that are pictures.")
    least_step_s: float = Field(0.1, gt=0, description="Least time between two pictures of a row.")
    steps: tuple[float, ...] = Field(
        tuple(2.0**-k for k in range(9)), min_length=1, description="Position steps of pictures, one recorded per row."
    )


@dataclass(frozen=True)
class _Asked:
    """A still and what it shows."""

    at_s: float
    text: str


class LongMix(Task[Params]):
    """Samples from needles, writings and speech of one medium."""

    name: ClassVar[str] = "long_mix"
    version: ClassVar[int] = 1
    Params = Params
    reads = ("media", "clips", "selection", "events", "text_regions", "speech", "footage_groups")
    optional_reads = ("selection", "events", "text_regions", "speech", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior",)
    """Not the question alone: documents stand in it."""

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """One sample per kept clip, kind and target, as far as the clip has enough for it."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, split = medium_row(rows, media_id), split_of(rows, media_id)
        needles = one_producer([e for e in rows["events"] if e["kind"] == "needle"])
        texts, speech = one_producer(rows["text_regions"]), one_producer(rows["speech"])
        if not needles and not texts:
            raise SkipUnit("no needles and no writing")
        for clip in kept_clips(rows, media_id):
            window = span_of(clip)
            hidden, shown, said = (
                [r for r in mine if r["end_s"] > r["start_s"] and window.contains_span(span_of(r))]
                for mine in (needles, texts, speech)
            )
            for kind in self.params.ask:
                for target in self.params.targets:
                    question, form = wordings_of(self.name).choose(
                        kind, unit.seed, clip["clip_id"], target, split=split
                    )
                    try:
                        sample = self._build(
                            unit.recipe, media, clip, hidden, shown, said, kind, target, question.id, form.id
                        )
                    except Withheld:
                        continue
                    yield "samples", sample.to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Lay out the row again from the cited rows."""

        def build() -> Sample:
            kind = wordings_of(self.name).kind_of(sample.wording)
            if kind not in KINDS:
                raise Withheld(f"unknown wording {sample.wording}")
            media, clip = only_row(evidence, "media"), only_row(evidence, "clips")
            needles, texts, speech = (rows_of(evidence, table) for table in ("events", "text_regions", "speech"))
            target = int(sample.difficulty.get("target_tokens", 0))
            return self._build(
                sample.recipe, media, clip, needles, texts, speech, kind, target, sample.wording, sample.answer_form
            )  # fmt: skip

        return rebuilt(sample, build)

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        needles: Sequence[RowDict],
        texts: Sequence[RowDict],
        speech: Sequence[RowDict],
        kind: Kind,
        target: int,
        wording: str,
        form: str,
    ) -> Sample:
        """The row. Raises `Withheld` when the clip has too little for the target."""
        if target not in self.params.targets or kind not in self.params.ask:
            raise Withheld(f"no row of {target} tokens is asked for")
        window, key = span_of(clip), (self.name, str(clip["clip_id"]), kind, target)
        if any(not window.contains_span(span_of(r)) for r in (*needles, *texts, *speech)):
            raise Withheld("a cited row lies outside the clip")
        question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        used_texts = texts if kind == "pictures" else []
        used_speech = [] if kind == "pictures" else speech
        if kind == "pictures":
            times, asked = self._album(window, needles, texts, target, (question.text, answer.text))
            numbers = [k for k, _ in asked]
            told = "; ".join(f"picture {k}: {escape(a.text)}" for k, a in asked)
            places = ", ".join(f"picture {k}" for k in numbers)
            user = f"<image>\n{question.fill({'places': places})}"
            refs = [self._still(media, window, times)]
            depth, said = asked[0][0] / len(times), told
            factors = {"questions": float(len(asked))}
        else:
            hidden, said = self._hidden(kind, needles, speech, key)
            user, times, depth = self._document(
                window, needles, used_speech, hidden, target, question.text, answer.text, key
            )
            refs = [self._still(media, window, (t,)) for t in times]
            factors = {}
        reply = answer.fill({"answer": said})
        tokens = self.tokens(f"{user}{reply}", len(times))
        if abs(tokens - target) > self.params.tolerance * target:
            raise Withheld(f"{tokens} tokens are too far from {target}")
        step = self.params.steps[int(seeded_fraction("step", *key) * len(self.params.steps))]
        pictures = len(times) * self.params.picture_tokens
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clip["clip_id"],
            media=tuple(refs),
            turns=(Turn(role="user", text=user), Turn(role="assistant", text=reply)),
            answer=TextAnswer(text=said),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                cite("clips", clip, CLIP_COLUMNS),
                *(cite("events", n, COLUMNS) for n in needles),
                *(cite("text_regions", r, TEXT_COLUMNS) for r in used_texts),
                *(cite("speech", r, SPEECH_COLUMNS) for r in used_speech),
            ),
            needs=_needs(kind),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={
                "target_tokens": float(target),
                "tokens": float(tokens),
                "pictures": float(len(times)),
                "depth": round(depth, 6),
                "position_step": step,
                "positions": round(tokens - pictures + pictures * step, 6),
                **factors,
            },
            generator=f"{self.name}@{self.version}",
        )

    def tokens(self, text: str, pictures: int) -> int:
        """The stated count: `picture_tokens` per picture, and text by its characters, tags of media left out."""
        characters = len(_TAG.sub("", text))
        return pictures * self.params.picture_tokens + math.ceil(characters / self.params.characters_per_token)

    def _still(self, media: RowDict, window: Span, times: Sequence[float]) -> MediumRef:
        return MediumRef(
            media_id=media["media_id"],
            kind="image",
            start_s=window.start_s,
            end_s=window.end_s,
            frame_times=tuple(times),
        )

    def _album(
        self, window: Span, needles: Sequence[RowDict], texts: Sequence[RowDict], target: int, around: tuple[str, str]
    ) -> tuple[list[float], list[tuple[int, _Asked]]]:
        """(times of all pictures, number and content of those that are asked about), within the target."""
        asked = [_Asked(_middle(n.row), n.text) for n in needles_of(needles)]
        for row in texts:
            at = _middle(row)
            others = [o for o in (*texts, *needles) if o is not row and o["start_s"] <= at < o["end_s"]]
            if not others:
                asked.append(_Asked(at, f"the words {' '.join(str(row['text']).split())}"))
        asked = sorted(asked, key=lambda a: (a.at_s, a.text))
        asked = [a for i, a in enumerate(asked) if not i or a.at_s - asked[i - 1].at_s >= self.params.least_step_s]
        if not asked:
            raise Withheld("nothing is shown that could be asked about")
        overhead = self.tokens("".join(around) + "".join(f"picture 000: {a.text}; picture 000, " for a in asked), 0)
        count = round((target - overhead) / self.params.picture_tokens)
        busy = [span_of(r) for r in (*needles, *texts)]
        return _mixed(asked, _fillers(window, busy, count - len(asked), self.params.least_step_s))

    def _hidden(
        self, kind: Kind, needles: Sequence[RowDict], speech: Sequence[RowDict], key: tuple[object, ...]
    ) -> tuple[float | str, str]:
        """What is hidden in a document (the time of a still, or a sentence), and the answer."""
        if kind == "document_picture":
            cards = [n for n in needles_of(needles) if n.insert in ("picture", "object")]
            if not cards:
                raise Withheld("no needle can be hidden as a picture")
            chosen = cards[int(seeded_fraction("needle", *key) * len(cards))]
            return _middle(chosen.row), escape(chosen.text)
        word = TONES[int(seeded_fraction("tone", *key) * len(TONES))]
        thing = THINGS[int(seeded_fraction("thing", *key) * len(THINGS))]
        if any(thing in str(r["text"]).lower() for r in speech):
            raise Withheld("the hidden word is said in the footage too")
        return f"The thing to remember is the {word} {thing}.", f"the {word} {thing}"

    def _document(
        self,
        window: Span,
        needles: Sequence[RowDict],
        speech: Sequence[RowDict],
        hidden: float | str,
        target: int,
        asked: str,
        answer: str,
        key: tuple[object, ...],
    ) -> tuple[str, list[float], float]:
        """(user turn, times of its pictures in order, depth of what is hidden): sentences and pictures in turn."""
        sentences = [" ".join(str(r["text"]).split()) for r in speech]
        if not sentences:
            raise Withheld("nothing is said that a document could be made of")
        shown = isinstance(hidden, float)
        count = int(target * self.params.picture_share / self.params.picture_tokens) - shown
        busy = [span_of(n) for n in needles]
        fillers = _fillers(window, busy, count, self.params.least_step_s)
        extra = "" if isinstance(hidden, float) else quote(hidden)
        lines: list[str] = []
        size = len(asked) + len(answer) + 40 + len(extra) + len(fillers) + 1
        goal = (target - (len(fillers) + shown) * self.params.picture_tokens) * self.params.characters_per_token
        while size < goal - 20:
            lines.append(quote(sentences[len(lines) % len(sentences)]))
            size += len(lines[-1]) + 1
        depth = seeded_fraction("depth", *key)
        items: list[tuple[float, str | float]] = [
            ((i + 0.5) / max(1, len(lines)), line) for i, line in enumerate(lines)
        ]
        items += [((i + 0.25) / max(1, len(fillers)), at) for i, at in enumerate(fillers)]
        items = sorted(items, key=lambda item: (item[0], str(item[1])))
        items.insert(round(depth * len(items)), (depth, hidden if isinstance(hidden, float) else extra))
        times: list[float] = []
        written: list[str] = []
        for _, item in items:
            if isinstance(item, float):
                times.append(grid(item))
                written.append("<image>" if len(times) == 1 else f"<image@{len(times)}>")
            else:
                written.append(item)
        return "\n".join([*written, asked]), times, depth


def _needs(kind: Kind) -> tuple[Need, ...]:
    return (
        ("vision", "on_screen_text")
        if kind == "pictures"
        else ("speech_text",)
        if kind == "document_text"
        else ("vision",)
    )


def _middle(row: RowDict) -> float:
    return grid((row["start_s"] + row["end_s"]) / 2)


def _fillers(window: Span, busy: Sequence[Span], count: int, least_step_s: float) -> list[float]:
    """`count` times, evenly spread over the window, at which nothing of what is asked about is shown."""
    if count < 0 or count * least_step_s > window.length_s:
        raise Withheld(f"{count} pictures cannot be taken of {window.length_s:g} s")
    free = [window.start_s + window.length_s * (i + 0.5) / (4 * count + 4) for i in range(4 * count + 4)]
    free = [t for t in free if not any(overlap_s(Span(t, t + least_step_s), b) > 0 for b in busy)]
    if len(free) < count:
        raise Withheld("too little of the footage shows nothing that is asked about")
    return [grid(free[int((i + 0.5) * len(free) / count)]) for i in range(count)]


def _mixed(asked: Sequence[_Asked], fillers: Sequence[float]) -> tuple[list[float], list[tuple[int, _Asked]]]:
    """All times in order, and the numbers (from 1) of the asked ones."""
    by_time = {a.at_s: a for a in asked}
    times = sorted({*by_time, *fillers})
    return times, [(i, by_time[t]) for i, t in enumerate(times, 1) if t in by_time]


ANNOTATOR = LongMix
