"""Corruptions of one sample: what a bug, a careless script or a forger may do to a stored row, each kind a pure function.

A kind takes a row of `samples` and what else the dataset holds, and returns the false row, or None where it does not apply.
Everything else of the row stays as it was, and the false row gets the identifier that its content has, so that the
identifier does not give it away. Kinds that touch evidence or media instead are in `corrupt_evidence.py` and
`corrupt_media.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..annotators.second.claims import quotations
from ..schemas.sample import Sample

Row = dict[str, Any]
FRAME_S = 0.04
"""One frame at 25 pictures per second."""
NEGATION = "It does not happen."


@dataclass(frozen=True)
class Surroundings:
    """What kinds may draw from: all media of the dataset, and words that it holds."""

    media_ids: Sequence[str] = ()
    words: Sequence[str] = ()


Kind = Callable[[Row, Surroundings], Row | None]


def renamed(row: Row) -> Row:
    """The row under the identifier that its new content has, so that the identifier does not give it away."""
    try:
        return {**row, "sample_id": Sample.from_row(row).sample_id}
    except ValueError:
        return row


def with_answer(row: Row, **values: Any) -> Row:
    """The row with some values of its answer replaced."""
    return {**row, "answer_json": json.dumps({**json.loads(row["answer_json"]), **values})}


def _shifted(row: Row, by_s: float) -> Row | None:
    if row["answer_kind"] not in ("span", "span_box", "tube"):
        return None
    answer = json.loads(row["answer_json"])
    late = {k: answer[k] + by_s for k in ("start_s", "end_s")}
    if late["end_s"] > row["window_end_s"]:
        late = {k: answer[k] - by_s for k in ("start_s", "end_s")}
    return None if late["start_s"] < row["window_start_s"] else renamed(with_answer(row, **late))


def shifted_half(row: Row, _: Surroundings) -> Row | None:
    """The answer span half a second away."""
    return _shifted(row, 0.5)


def shifted_frame(row: Row, _: Surroundings) -> Row | None:
    """The answer span one frame away."""
    return _shifted(row, FRAME_S)


def past_the_end(row: Row, _: Surroundings) -> Row | None:
    """The answer span ends after the window."""
    if row["answer_kind"] not in ("span", "span_box", "tube"):
        return None
    return renamed(with_answer(row, end_s=row["window_end_s"] + 3.0))


def swapped_option(row: Row, _: Surroundings) -> Row | None:
    """Another option is called right."""
    if row["answer_kind"] != "choice":
        return None
    index = json.loads(row["answer_json"])["index"]
    return renamed(with_answer(row, index=(index + 1) % len(row["options"])))


def wrong_direction(row: Row, _: Surroundings) -> Row | None:
    """Left for right, up for down, clockwise for counter-clockwise."""
    if row["task"] not in ("motion_direction", "camera_motion"):
        return None
    texts = [o["text"] for o in row["options"]]
    index = json.loads(row["answer_json"])["index"]
    for one, other in (("left", "right"), ("up", "down")):
        for a, b in ((one, other), (other, one)):
            twin = texts[index].replace(a, b)
            if twin != texts[index] and twin in texts:
                return renamed(with_answer(row, index=texts.index(twin)))
    return None


def wrong_order(row: Row, _: Surroundings) -> Row | None:
    """Two items change places."""
    if row["answer_kind"] != "order":
        return None
    order = json.loads(row["answer_json"])["order"]
    return renamed(with_answer(row, order=[order[1], order[0], *order[2:]]))


def wrong_box(row: Row, _: Surroundings) -> Row | None:
    """The box in the other half of the picture, upside down."""
    if row["answer_kind"] == "tube":
        boxes = json.loads(row["answer_json"])["boxes"]
        return renamed(with_answer(row, boxes=[[t, *_upside_down(edges)] for t, *edges in boxes]))
    if row["answer_kind"] not in ("box", "span_box"):
        return None
    return renamed(with_answer(row, box=_upside_down(json.loads(row["answer_json"])["box"])))


def _upside_down(edges: list[float]) -> list[float]:
    x1, y1, x2, y2 = edges
    return [round(v, 6) for v in (1 - x2, 1 - y2, 1 - x1, 1 - y1)]


def moved_window(row: Row, _: Surroundings) -> Row | None:
    """The shown window a second later, or earlier where the answer would fall out."""
    ends = [json.loads(row["answer_json"]).get(k) for k in ("start_s", "end_s")]
    start, end = row["window_start_s"], row["window_end_s"]
    by = 1.0 if ends[0] is None or start + 1.0 <= ends[0] else -1.0
    if start + by < 0 or (ends[1] is not None and ends[1] > end + by):
        return None
    media = [
        {**m, "start_s": m["start_s"] + by, "end_s": m["end_s"] + by} if i == 0 else m
        for i, m in enumerate(row["media"])
    ]
    return renamed({**row, "media": media, "window_start_s": start + by, "window_end_s": end + by})


def edited_question(row: Row, around: Surroundings) -> Row | None:
    """One quoted word of the question replaced by another word of the footage."""
    turns = [dict(t) for t in row["turns"]]
    quoted = quotations(turns[0]["text"])
    words = quoted[0].split() if quoted else []
    long = [w for w in words if w.isalpha() and len(w) > 3]
    other = next((w for w in around.words if long and w.lower() not in quoted[0].lower() and len(w) > 3), None)
    if not long or other is None or long[0] not in turns[0]["text"]:
        return None
    turns[0]["text"] = turns[0]["text"].replace(long[0], other, 1)
    return renamed({**row, "turns": turns})


def said_absent(row: Row, _: Surroundings) -> Row | None:
    """What is there is called absent."""
    if row["answer_kind"] not in ("span", "spans"):
        return None
    turns = [row["turns"][0], {**row["turns"][1], "text": NEGATION}]
    return renamed({**row, "answer_kind": "absent", "answer_json": json.dumps({"kind": "absent"}), "turns": turns})


def said_present(row: Row, _: Surroundings) -> Row | None:
    """What is absent gets a span."""
    if row["answer_kind"] != "absent":
        return None
    third = (row["window_end_s"] - row["window_start_s"]) / 3
    answer = {"kind": "span", "start_s": row["window_start_s"] + third, "end_s": row["window_start_s"] + 2 * third}
    return renamed({**row, "answer_kind": "span", "answer_json": json.dumps(answer)})


def doubled_option(row: Row, _: Surroundings) -> Row | None:
    """A wrong option says what the right one says."""
    if row["answer_kind"] != "choice":
        return None
    return _with_wrong_option(row, lambda right: right)


def true_distractor(row: Row, _: Surroundings) -> Row | None:
    """A wrong option that is true too: the right one in other words."""
    if row["answer_kind"] != "choice":
        return None
    return _with_wrong_option(row, _in_other_words)


def _with_wrong_option(row: Row, make: Callable[[str], str | None]) -> Row | None:
    options = [dict(o) for o in row["options"]]
    index = json.loads(row["answer_json"])["index"]
    text = make(options[index]["text"])
    if text is None:
        return None
    options[(index + 1) % len(options)]["text"] = text
    return renamed({**row, "options": options})


def _in_other_words(text: str) -> str | None:
    if text.startswith("<span:"):
        start, end = text[len("<span:") : -1].split(",")
        return f"<span:{start},{float(end) + 0.1:.6g}>"
    return None if text.startswith("<") else f"{text}, and nothing else"


def other_medium(row: Row, around: Surroundings) -> Row | None:
    """Another medium is shown."""
    mine = row["media"][0]["media_id"]
    other = next((m for m in around.media_ids if m != mine), None)
    if other is None:
        return None
    media = [{**m, "media_id": other} if i == 0 else m for i, m in enumerate(row["media"])]
    return renamed({**row, "media": media, "media_id": other})


def edited_citation(row: Row, _: Surroundings) -> Row | None:
    """A time among the cited values is changed, the evidence is not."""
    evidence = [dict(e) for e in row["evidence"]]
    for item in reversed(evidence):
        values = json.loads(item["values_json"])
        name = next((n for n in ("start_s", "t_s") if isinstance(values.get(n), (int, float))), None)
        if name is not None:
            values[name] += 0.5
            item["values_json"] = json.dumps(values)
            return {**row, "evidence": evidence}
    return None


def other_rationale(row: Row, _: Surroundings) -> Row | None:
    """The steps that lead to the answer tell other times."""
    steps = [s.replace("<t:", "<t:1").replace("<span:", "<span:1") for s in row["rationale"] or ()]
    return {**row, "rationale": steps} if steps and steps != list(row["rationale"]) else None


SAMPLE_KINDS: dict[str, Kind] = {
    "span shifted by 0.5 s": shifted_half,
    "span shifted by one frame": shifted_frame,
    "end past the window": past_the_end,
    "another option called right": swapped_option,
    "opposite direction": wrong_direction,
    "two items change places": wrong_order,
    "box turned around": wrong_box,
    "window moved by 1 s": moved_window,
    "quoted word changed": edited_question,
    "present called absent": said_absent,
    "absent given a span": said_present,
    "right option doubled": doubled_option,
    "true distractor": true_distractor,
    "another medium shown": other_medium,
    "cited value edited": edited_citation,
    "rationale edited": other_rationale,
}
"""Kinds that a row of `samples` can be corrupted in; plain `verify` must catch all of them."""
