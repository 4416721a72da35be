"""What each kind of question about needles comes to: answer, options, reasons, and the steps that lead there.

Pure functions of a scene: the needles that were put into a clip, those that are asked about, and the span. Each says with
`Withheld` when the question has no one answer. How samples are drawn and written is in `needle_retrieval`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.distractors.edits import letters_changed
from ...engine.distractors.texts import gap_s
from ...engine.distractors.vocabulary import ELSEWHERE, OTHER_ATTRIBUTE
from ...schemas.chain_building import Trail
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.markup import escape, unescape
from ...schemas.needles import Needle, near_misses, picture_time
from ...schemas.sample import ChoiceAnswer, NumberAnswer, Option, OrderAnswer, PartAnswer, TextAnswer
from ...schemas.span import Span, from_us, overlap_s, to_us
from .common import Withheld, span_mark

Kind = Literal["frame_caption", "frame_difference", "retrieve", "order", "count"]
NONE = "none of the others"
TASK = "needle_retrieval"


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
class Scene:
    """What is asked about: `targets` among all `needles` of a clip that is shown as `window`, and the span in question."""

    params: Params
    media_id: str
    window: Span
    needles: Sequence[Needle]
    targets: Sequence[Needle]
    asked: Span
    notes: Trail

    def only(self, count: int) -> Sequence[Needle]:
        """The targets. Raises `Withheld` when they are not so many."""
        if len(self.targets) != count:
            raise Withheld(f"{len(self.targets)} needles are asked about instead of {count}")
        return self.targets


@dataclass(frozen=True)
class Found:
    """What a question comes to: the answer, what fills the question and the answer form, and why."""

    answer: PartAnswer
    slots: Mapping[str, str]
    said: Mapping[str, str]
    rationale: tuple[str, ...]
    difficulty: Mapping[str, float]
    options: tuple[Option, ...] = ()


def frame_caption(scene: Scene) -> Found:
    """What a numbered picture shows."""
    [n] = scene.only(1)
    pictures = pictures_of(scene)
    number = _number(scene, n, pictures)
    text = _shown(scene, n, number, pictures)
    scene.notes.conclude("text", text, note=f"So it shows {{{text}.text}}.")
    return Found(
        TextAnswer(text=escape(n.text)),
        {"picture": str(number), "pictures": str(pictures)},
        {"answer": escape(n.text)},
        (f"Picture {number} of {pictures} is taken within {span_mark(n.span)}.", f"It shows {escape(n.text)}."),
        {"picture": float(number), "pictures": float(pictures), "frame": float(n.index), "depth": n.depth},
    )


def frame_difference(scene: Scene) -> Found:
    """How a numbered picture of the second half differs from one of the first."""
    a, b = scene.only(2)
    if a.text == b.text:
        raise Withheld("the two pictures show the same")
    if not a.span.centre_s < scene.window.centre_s <= b.span.centre_s:
        raise Withheld("one needle stands in the first half, the other in the second")
    pictures = pictures_of(scene)
    one, two = (_number(scene, n, pictures) for n in (a, b))
    before, after = (_shown(scene, n, k, pictures) for n, k in ((a, one), (b, two)))
    scene.notes.require(before, "equal", a.text)
    scene.notes.conclude("text", after, note=f"Where one shows {{{before}.text}}, the other shows {{{after}.text}}.")
    return Found(
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


def retrieve(scene: Scene) -> Found:
    """What appears in a span; "none of the others" is among the options, and sometimes right."""
    targets, needles, window, asked, notes = scene.targets, scene.needles, scene.window, scene.asked, scene.notes
    if len(targets) > 1 or not window.contains_span(asked):
        raise Withheld("a span of the clip with one needle, or none, is asked about")
    inside = [n for n in needles if overlap_s(n.span, asked) > 0]
    if inside != list(targets) or any(not asked.contains_span(n.span) for n in inside):
        raise Withheld("the span shows other needles, or a part of one")
    right = targets[0].text if targets else NONE
    listed = [*_wrong_options(scene, right), *(Option(text=text) for text in sorted({escape(right), NONE}))]
    listed.sort(key=lambda o: (o.text == NONE, derive_id("option", TASK, o.text), o.text))
    options = [o.text for o in listed]
    for n in needles:
        place = notes.locate("events", [n.row], note="A needle is in {@}." if n in targets else "")
        notes.require(place, "within" if n in targets else "apart", (asked.start_s, asked.end_s))
    if targets:
        seen = notes.read("events", [targets[0].row], "text", note="It is {@.text}.")
        notes.conclude("choice", notes.compute("index_of", seen, options=[unescape(o) for o in options]))
        why = f"{_capital(right)} appears in {span_mark(targets[0].span)}, within {span_mark(asked)}."
    else:
        notes.conclude("choice", notes.compute("index_of", value=NONE, options=options), note="So nothing is there.")
        why = f"Nothing was put into {span_mark(asked)}."
    return Found(
        ChoiceAnswer(index=options.index(escape(right))),
        {"span": span_mark(asked)},
        {"answer": "<answer>"},
        (why,),
        {
            "asked_from": asked.start_s, "asked_to": asked.end_s,
            "depth": targets[0].depth if targets else round((asked.centre_s - window.start_s) / window.length_s, 6),
        },
        tuple(listed),
    )  # fmt: skip


def order(scene: Scene) -> Found:
    """In which order things appear that appear once."""
    targets, notes = scene.targets, scene.notes
    texts = [n.text for n in targets]
    if not 3 <= len(targets) <= scene.params.most_ordered or list(targets) != sorted(targets, key=lambda n: n.span):
        raise Withheld("three needles and more are put in order")
    if any(sum(n.text == text for n in scene.needles) != 1 for text in texts):
        raise Withheld("a needle that is to be ordered appears twice")
    listed = sorted(texts, key=lambda t: (derive_id("option", TASK, t), t))
    times, found = [], []
    for n in targets:
        seen = notes.read("events", [n.row], "text")
        times.append(notes.locate("events", [n.row], note=f"{{{seen}.text}} appears in {{@}}."))
        found.append(notes.compute("index_of", seen, options=listed))
    notes.conclude("order", notes.compute("in_time_order", *found, *times, count=len(targets)))
    return Found(
        OrderAnswer(order=tuple(listed.index(t) for t in texts)),
        {},
        {"answer": "<answer>"},
        tuple(f"{_capital(n.text)} appears in {span_mark(n.span)}." for n in targets),
        {"depth": targets[0].depth},
        tuple(Option(text=escape(t)) for t in listed),
    )


def count(scene: Scene) -> Found:
    """How often a thing appears."""
    [n] = scene.only(1)
    same = [m for m in scene.needles if m.text == n.text]
    if same[0].row["row_id"] != n.row["row_id"]:
        raise Withheld("a count names the first needle of its name")
    read = scene.notes.read("events", [m.row for m in scene.needles], "text", note="These were put in: {@.text}.")
    scene.notes.conclude("number", scene.notes.compute("tellers", read, query=n.text), unit="times")
    return Found(
        NumberAnswer(value=float(len(same)), unit="times"),
        {"thing": escape(n.text)},
        {"answer": str(len(same))},
        tuple(f"{_capital(n.text)} appears in {span_mark(m.span)}." for m in same),
        {"depth": n.depth},
    )


ASKS: Mapping[Kind, Callable[[Scene], Found]] = {
    "frame_caption": frame_caption,
    "frame_difference": frame_difference,
    "retrieve": retrieve,
    "order": order,
    "count": count,
}
"""The kinds of question. Each raises `Withheld` when it has no one answer."""


def pictures_of(scene: Scene) -> int:
    """How many pictures the plan has: drawn between three and four times a limit, as by Oryx."""
    least, most = scene.params.pictures
    drawn = seeded_fraction("pictures", scene.media_id, [n.row["row_id"] for n in scene.targets])
    return least + int(drawn * (most - least + 1))


def _wrong_options(scene: Scene, right: str) -> list[Option]:
    """Names of other needles of the same footage, and near misses of the right one."""
    targets, needles, asked = scene.targets, scene.needles, scene.asked
    kinds = {n.insert for n in targets} or {n.insert for n in needles}
    model = targets[0] if targets else next((n for n in needles if n.insert in kinds), None)
    if model is None:
        raise Withheld("no needle tells what options look like")
    wanted = scene.params.options - (2 if targets else 1)
    present = {n.text for n in needles}
    key = (scene.media_id, asked.start_s, asked.end_s)
    elsewhere = {n.text: ELSEWHERE for n in needles if n not in targets and n.insert in kinds}
    names = sorted(elsewhere.items(), key=lambda w: (seeded_fraction("wrong", *key, w[0]), w[0]))
    names = names[: (scene.params.options - 1) // 2]
    names += [(text, OTHER_ATTRIBUTE) for text in near_misses(model, *key) if text not in present]
    names = [w for w in dict(names).items() if w[0] != right][:wanted]
    if len(names) < wanted:
        raise Withheld("too few names for wrong options")
    far = {n.text: gap_s(n.span, asked) for n in reversed(needles)}
    return [
        Option(
            text=escape(text),
            distractor_kind=kind,
            margin=round(far[text], 6) if kind == ELSEWHERE else float(letters_changed(model.text, text)),
        )
        for text, kind in names
    ]


def _number(scene: Scene, n: Needle, pictures: int) -> int:
    """The first picture of the plan that shows the needle. Raises `Withheld` when the plan misses it."""
    margin_s, window = scene.params.margin_s, scene.window
    low, high = n.span.start_s + margin_s, n.span.end_s - margin_s
    first = max(1, int((low - window.start_s) / window.length_s * pictures))
    for number in range(first, pictures + 1):
        at = picture_time(number, pictures, window)
        if at > high:
            break
        if at >= low:
            return number
    raise Withheld(f"none of {pictures} pictures shows {n.text}")


def _shown(scene: Scene, n: Needle, number: int, pictures: int) -> str:
    """What a picture of the plan shows, as a step: the needle that is there when it is taken."""
    at = to_us(picture_time(number, pictures, scene.window))
    place = scene.notes.locate("events", [n.row], note=f"Picture {number} is taken within {{@}}.")
    scene.notes.require(place, "touches", (from_us(at), from_us(at + 1)))
    return scene.notes.read("events", [n.row], "text")


def _capital(text: str) -> str:
    """A name as the beginning of a sentence, as markup."""
    return escape(text[:1].upper() + text[1:])
