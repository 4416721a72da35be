"""Needles in long footage: what a numbered picture shows and how two differ (Oryx), what appears when, in which order and
how often (VideoNIAH).

The questions rest on needles that a composer put in, so time, picture number, order and count follow by arithmetic. Pictures
are numbered by a stated plan: the window cut into equal parts, each shown by its middle. Wrong options are other needles of
the same footage and names that differ from the right one in one word; "none of the others" is always among them, and
sometimes right. How often a thing appears counts needles: what the haystack itself shows is excluded while composing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.edits import letters_changed
from ...engine.distractors.texts import gap_s
from ...engine.distractors.vocabulary import ELSEWHERE, OTHER_ATTRIBUTE
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.markup import escape
from ...schemas.needles import COLUMNS, Needle, near_misses, needles_of, picture_time
from ...schemas.sample import (
    ChoiceAnswer,
    MediumRef,
    NumberAnswer,
    Option,
    OrderAnswer,
    PartAnswer,
    Sample,
    TextAnswer,
)
from ...schemas.span import Span, from_us, overlap_s, to_us
from ...schemas.verifying import Check
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    dialogue,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)

Kind = Literal["frame_caption", "frame_difference", "retrieve", "order", "count"]
NONE = "none of the others"


class Params(BaseParams):
    """Parameters of needle_retrieval."""

    ask: tuple[Kind, ...] = Field(
        ("frame_caption", "frame_difference", "retrieve", "order", "count"),
        min_length=1,
        description="Kinds of question.",
    )
    per_kind: int = Field(4, ge=1, description="Samples of a kind per clip, at most.")
    pictures: tuple[int, int] = Field(
        (192, 256),
        description="Least and greatest number of pictures of the plan that frame questions number (Oryx: three to four "
        "times its limit of 64).",
    )
    margin_s: float = Field(0.04, ge=0, description="A numbered picture is at least so far inside its needle.")
    span_s: tuple[float, float] = Field((4.0, 30.0), description="Length of the spans that retrieve asks about.")
    absent_share: float = Field(
        0.2, ge=0, le=1, description="Share of retrieve questions about spans without a needle."
    )
    options: int = Field(4, ge=3, le=8, description="Options of retrieve, with 'none of the others'.")
    most_ordered: int = Field(5, ge=3, description="Needles to be put in order, at most.")


@dataclass(frozen=True)
class _Found:
    """What a question of some kind comes to."""

    answer: PartAnswer
    slots: Mapping[str, str]
    said: Mapping[str, str]
    rationale: tuple[str, ...]
    difficulty: Mapping[str, float]
    options: tuple[Option, ...] = ()
    trail: Trail = field(default_factory=Trail)


class NeedleRetrieval(Task[Params]):
    """Samples from `events` of the kind needle of one medium."""

    name: ClassVar[str] = "needle_retrieval"
    version: ClassVar[int] = 1
    Params = Params
    reads = ("media", "clips", "selection", "events", "footage_groups")
    optional_reads = ("selection", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = (
        "prior", "options_only", "question_only", "fixed_interval", "middle_frame", "first_frame",
    )  # fmt: skip

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_kind` samples of each kind per kept clip that holds needles."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, split = medium_row(rows, media_id), split_of(rows, media_id)
        events = one_producer([e for e in rows["events"] if e["kind"] == "needle"])
        if not events:
            raise SkipUnit("no needles")
        for clip in kept_clips(rows, media_id):
            window = span_of(clip)
            needles = [n for n in needles_of(events) if window.contains_span(n.span)]
            for kind in self.params.ask:
                made = 0
                for targets, asked in self._asks(kind, needles, window, unit.seed):
                    key = [kind, [t.row["row_id"] for t in targets], asked.start_s, asked.end_s]
                    question, form = wordings_of(self.name).choose(kind, unit.seed, key, split=split)
                    try:
                        sample = self._build(
                            unit.recipe, media, clip, targets, needles, kind, asked, question.id, form.id
                        )
                    except Withheld:
                        continue
                    yield "samples", sample.to_row()
                    made += 1
                    if made == self.params.per_kind:
                        break

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Ask the same again of the cited needles."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """Which needles there are, when, and what follows."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        needles = needles_of(rows_of(evidence, "events"))
        kind, said = wordings_of(self.name).kind_of(sample.wording), sample.difficulty
        if kind not in self.params.ask:
            raise Withheld(f"wording {sample.wording} asks nothing that is asked here")
        wanted = [int(said.get(f"target_{i}", -1)) for i in range(int(said.get("targets", 0)))]
        if any(not 0 <= i < len(needles) for i in wanted):
            raise Withheld("a needle that is asked about is not cited")
        start, end = said.get("asked_from", 0.0), said.get("asked_to", 0.0)
        asked = Span(start, end).quantised() if 0 <= start < end else sample.window
        return self._build(
            sample.recipe, only_row(evidence, "media"), only_row(evidence, "clips"), [needles[i] for i in wanted],
            needles, kind, asked, sample.wording, sample.answer_form, trail,
        )  # fmt: skip

    def _asks(
        self, kind: Kind, needles: Sequence[Needle], window: Span, seed: int
    ) -> Iterable[tuple[list[Needle], Span]]:
        """What may be asked, each as the needles that it is about and the span, in an order that hashing gives."""
        mixed = shuffled(needles, seed, self.name, kind, key=lambda n: n.row["row_id"])
        if kind == "frame_caption":
            yield from (([n], window) for n in mixed)
        elif kind == "frame_difference":
            first = [n for n in mixed if n.span.centre_s < window.centre_s]
            later = [n for n in mixed if n.span.centre_s >= window.centre_s]
            yield from (([a, b], window) for a, b in zip(first, later, strict=False))
        elif kind == "retrieve":
            for n in mixed:
                absent = seeded_fraction(seed, self.name, "absent", n.row["row_id"]) < self.params.absent_share
                for attempt in range(12):
                    asked = self._asked(n, needles, window, absent, seed, attempt)
                    if asked is not None:
                        yield ([] if absent else [n]), asked
                        break
        elif kind == "order":
            distinct = list({n.text: n for n in mixed}.values())
            once = [n for n in distinct if sum(m.text == n.text for m in needles) == 1]
            if len(once) >= 3:
                yield sorted(once[: self.params.most_ordered], key=lambda n: n.span), window
        else:
            yield from (([n], window) for n in {n.text: n for n in mixed}.values())

    def _asked(
        self, n: Needle, needles: Sequence[Needle], window: Span, absent: bool, seed: int, attempt: int
    ) -> Span | None:
        """A span with the needle alone in it, or one without any needle; None when this attempt gives none."""
        least, most = self.params.span_s
        key = (seed, self.name, "span", n.row["row_id"], attempt)
        length = min(least + (most - least) * seeded_fraction("length", *key), window.length_s)
        low = window.start_s if absent else max(window.start_s, n.span.end_s - length)
        high = window.end_s - length if absent else min(window.end_s - length, n.span.start_s)
        if high < low:
            return None
        start = low + (high - low) * seeded_fraction("start", *key)
        edges = [round(v * 10) / 10 for v in (start, start + length)]
        asked = Span(max(window.start_s, edges[0]), min(window.end_s, edges[1])).quantised()
        touched = [m for m in needles if overlap_s(m.span, asked) > 0]
        if absent:
            return asked if not touched else None
        return asked if touched == [n] and asked.contains_span(n.span) else None

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        targets: Sequence[Needle],
        needles: Sequence[Needle],
        kind: Kind,
        asked: Span,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about `targets` among all `needles` of the clip. Raises `Withheld`."""
        window = span_of(clip)
        if any(not window.contains_span(n.span) for n in needles):
            raise Withheld("a cited needle lies outside the clip")
        question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        notes = trail if trail is not None else Trail()
        found = {
            "frame_caption": self._caption,
            "frame_difference": self._difference,
            "retrieve": self._retrieve,
            "order": self._order,
            "count": self._count,
        }[kind](targets, needles, window, asked, str(media["media_id"]), notes)
        written = {n.insert == "subtitle" for n in (targets or needles)}
        place = {str(n.row["row_id"]): i for i, n in enumerate(needles)}
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clip["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill(found.slots), answer.fill(found.said), options=bool(found.options)),
            answer=found.answer,
            options=found.options,
            rationale=found.rationale,
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                cite("clips", clip, CLIP_COLUMNS),
                *(cite("events", n.row, COLUMNS) for n in needles),
            ),
            needs=("vision", "on_screen_text") if written == {True} else ("vision",),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={
                **found.difficulty,
                "needles": float(len(needles)),
                "length_s": round(window.length_s, 6),
                "targets": float(len(targets)),
                **{f"target_{i}": float(place[str(n.row["row_id"])]) for i, n in enumerate(targets)},
            },
            generator=f"{self.name}@{self.version}",
        )

    # -- kinds --------------------------------------------------------------------------------------------------------

    def _caption(
        self,
        targets: Sequence[Needle],
        needles: Sequence[Needle],
        window: Span,
        asked: Span,
        media_id: str,
        notes: Trail,
    ) -> _Found:
        [n] = _counted(targets, 1)
        pictures = self._pictures(targets, media_id)
        number = self._number(n, pictures, window)
        text = _shown(notes, n, number, pictures, window)
        notes.conclude("text", text, note=f"So it shows {{{text}.text}}.")
        return _Found(
            TextAnswer(text=escape(n.text)),
            {"picture": str(number), "pictures": str(pictures)},
            {"answer": escape(n.text)},
            (f"Picture {number} of {pictures} is taken within {span_mark(n.span)}.", f"It shows {escape(n.text)}."),
            {"picture": float(number), "pictures": float(pictures), "frame": float(n.index), "depth": n.depth},
        )

    def _difference(
        self,
        targets: Sequence[Needle],
        needles: Sequence[Needle],
        window: Span,
        asked: Span,
        media_id: str,
        notes: Trail,
    ) -> _Found:
        a, b = _counted(targets, 2)
        if a.text == b.text:
            raise Withheld("the two pictures show the same")
        if not a.span.centre_s < window.centre_s <= b.span.centre_s:
            raise Withheld("one needle stands in the first half, the other in the second")
        pictures = self._pictures(targets, media_id)
        one, two = (self._number(n, pictures, window) for n in (a, b))
        before, after = (_shown(notes, n, k, pictures, window) for n, k in ((a, one), (b, two)))
        notes.require(before, "equal", a.text)
        notes.conclude("text", after, note=f"Where one shows {{{before}.text}}, the other shows {{{after}.text}}.")
        return _Found(
            TextAnswer(text=escape(b.text)),
            {"first": str(one), "second": str(two), "pictures": str(pictures)},
            {"answer": escape(b.text), "before": escape(a.text)},
            tuple(
                f"Picture {k} is taken within {span_mark(n.span)} and shows {escape(n.text)}."
                for n, k in ((a, one), (b, two))
            ),
            {
                "picture": float(one), "other_picture": float(two), "pictures": float(pictures),
                "frame": float(a.index), "other_frame": float(b.index), "depth": a.depth,
            },
        )  # fmt: skip

    def _retrieve(
        self,
        targets: Sequence[Needle],
        needles: Sequence[Needle],
        window: Span,
        asked: Span,
        media_id: str,
        notes: Trail,
    ) -> _Found:
        if len(targets) > 1 or not window.contains_span(asked):
            raise Withheld("a span of the clip with one needle, or none, is asked about")
        inside = [n for n in needles if overlap_s(n.span, asked) > 0]
        if inside != list(targets) or any(not asked.contains_span(n.span) for n in inside):
            raise Withheld("the span shows other needles, or a part of one")
        kinds = {n.insert for n in targets} or {n.insert for n in needles}
        wrong = [(n.text, ELSEWHERE) for n in needles if n not in targets and n.insert in kinds]
        model = targets[0] if targets else next((n for n in needles if n.insert in kinds), None)
        if model is None:
            raise Withheld("no needle tells what options look like")
        present = {n.text for n in needles}
        key = (media_id, asked.start_s, asked.end_s)
        wrong = sorted(dict(wrong).items(), key=lambda w: (seeded_fraction("wrong", *key, w[0]), w[0]))
        wrong = wrong[: (self.params.options - 1) // 2]
        wrong += [(text, OTHER_ATTRIBUTE) for text in near_misses(model, *key) if text not in present]
        right = targets[0].text if targets else NONE
        wrong = [w for w in dict(wrong).items() if w[0] != right][: self.params.options - (2 if targets else 1)]
        if len(wrong) < self.params.options - (2 if targets else 1):
            raise Withheld("too few names for wrong options")
        far = {n.text: gap_s(n.span, asked) for n in reversed(needles)}
        listed = [
            Option(
                text=escape(t),
                distractor_kind=kind,
                margin=round(far[t], 6) if kind == ELSEWHERE else float(letters_changed(model.text, t)),
            )
            for t, kind in wrong
        ]
        listed += [Option(text=text) for text in sorted({escape(right), NONE})]
        listed.sort(key=lambda o: (o.text == NONE, derive_id("option", self.name, o.text), o.text))
        index = [o.text for o in listed].index(escape(right))
        options = [o.text for o in listed]
        for n in needles:
            place = notes.locate("events", [n.row], note="A needle is in {@}." if n in targets else "")
            notes.require(place, "within" if n in targets else "apart", (asked.start_s, asked.end_s))
        if targets:
            seen = notes.read("events", [targets[0].row], "text", note="It is {@.text}.")
            notes.conclude("choice", notes.compute("index_of", seen, options=[_plain(o) for o in options]))
        else:
            notes.conclude(
                "choice", notes.compute("index_of", value=NONE, options=options), note="So nothing is there."
            )
        rationale = (
            (f"{_capital(right)} appears in {span_mark(targets[0].span)}, within {span_mark(asked)}.",)
            if targets
            else (f"Nothing was put into {span_mark(asked)}.",)
        )
        return _Found(
            ChoiceAnswer(index=index),
            {"span": span_mark(asked)},
            {"answer": "<answer>"},
            rationale,
            {
                "asked_from": asked.start_s, "asked_to": asked.end_s,
                "depth": targets[0].depth if targets else round((asked.centre_s - window.start_s) / window.length_s, 6),
            },
            tuple(listed),
        )  # fmt: skip

    def _order(
        self,
        targets: Sequence[Needle],
        needles: Sequence[Needle],
        window: Span,
        asked: Span,
        media_id: str,
        notes: Trail,
    ) -> _Found:
        texts = [n.text for n in targets]
        if not 3 <= len(targets) <= self.params.most_ordered or list(targets) != sorted(targets, key=lambda n: n.span):
            raise Withheld("three needles and more are put in order")
        if any(sum(n.text == text for n in needles) != 1 for text in texts):
            raise Withheld("a needle that is to be ordered appears twice")
        listed = sorted(texts, key=lambda t: (derive_id("option", self.name, t), t))
        times, found = [], []
        for n in targets:
            seen = notes.read("events", [n.row], "text")
            times.append(notes.locate("events", [n.row], note=f"{{{seen}.text}} appears in {{@}}."))
            found.append(notes.compute("index_of", seen, options=listed))
        notes.conclude("order", notes.compute("in_time_order", *found, *times, count=len(targets)))
        return _Found(
            OrderAnswer(order=tuple(listed.index(t) for t in texts)),
            {},
            {"answer": "<answer>"},
            tuple(f"{_capital(n.text)} appears in {span_mark(n.span)}." for n in targets),
            {"depth": targets[0].depth},
            tuple(Option(text=escape(t)) for t in listed),
        )

    def _count(
        self,
        targets: Sequence[Needle],
        needles: Sequence[Needle],
        window: Span,
        asked: Span,
        media_id: str,
        notes: Trail,
    ) -> _Found:
        [n] = _counted(targets, 1)
        same = [m for m in needles if m.text == n.text]
        if same[0] is not n and same[0].row["row_id"] != n.row["row_id"]:
            raise Withheld("a count names the first needle of its name")
        read = notes.read("events", [m.row for m in needles], "text", note="These were put in: {@.text}.")
        told = notes.compute("tellers", read, query=n.text)
        notes.conclude("number", told, unit="times")
        return _Found(
            NumberAnswer(value=float(len(same)), unit="times"),
            {"thing": escape(n.text)},
            {"answer": str(len(same))},
            tuple(f"{_capital(n.text)} appears in {span_mark(m.span)}." for m in same),
            {"depth": n.depth},
        )

    def _pictures(self, targets: Sequence[Needle], media_id: str) -> int:
        """How many pictures the plan has: drawn between three and four times a limit, as by Oryx."""
        least, most = self.params.pictures
        drawn = seeded_fraction("pictures", media_id, [n.row["row_id"] for n in targets])
        return least + int(drawn * (most - least + 1))

    def _number(self, n: Needle, pictures: int, window: Span) -> int:
        """The first picture of the plan that shows the needle. Raises `Withheld` when the plan misses it."""
        low, high = n.span.start_s + self.params.margin_s, n.span.end_s - self.params.margin_s
        first = max(1, int((low - window.start_s) / window.length_s * pictures))
        for number in range(first, pictures + 1):
            at = picture_time(number, pictures, window)
            if at > high:
                break
            if at >= low:
                return number
        raise Withheld(f"none of {pictures} pictures shows {n.text}")


def _counted(targets: Sequence[Needle], count: int) -> Sequence[Needle]:
    if len(targets) != count:
        raise Withheld(f"{len(targets)} needles are asked about instead of {count}")
    return targets


def _shown(notes: Trail, n: Needle, number: int, pictures: int, window: Span) -> str:
    """What a picture of the plan shows, as a step: the needle that is there when it is taken."""
    at = to_us(picture_time(number, pictures, window))
    place = notes.locate("events", [n.row], note=f"Picture {number} is taken within {{@}}.")
    notes.require(place, "touches", (from_us(at), from_us(at + 1)))
    return notes.read("events", [n.row], "text")


def _plain(option: str) -> str:
    return option.replace("&lt;", "<").replace("&amp;", "&")


def _capital(text: str) -> str:
    """A name as the beginning of a sentence, as markup."""
    return escape(text[:1].upper() + text[1:])


ANNOTATOR = NeedleRetrieval
