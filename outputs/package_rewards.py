"""What a package says about each sample so that a reply can be scored from the package alone: verifier, truth, language.

The value becomes `reward` in `samples.jsonl` and is read by `outputs/rewards/`. Truths are given as the package's
language can say them (a time in hundredths of the footage, a box in thousandths), because nothing closer can be said
back; the typed answer beside it keeps the full precision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..schemas.box import Box
from ..schemas.boxcodec import BoxCodec
from ..schemas.span import Span
from ..schemas.timecodec import TIME_CODECS, TimeCodec
from ..schemas.verifying import COUNTED
from .rendering import Language, LeftOut, Rendered, View


def reward_facts(rendered: Rendered, view: View, language: Language, *, rationale: bool) -> dict[str, Any]:
    """Reward facts of a rendered sample about its first view; `rationale` says that answers begin with their steps.

    Raises `LeftOut` when nothing of the truth is left in the language.
    """
    return _facts(rendered.answer, rendered.options, view, language, "last_line" if rationale else "whole")


def _facts(
    answer: Mapping[str, Any], options: Sequence[str], view: View, language: Language, answer_at: str
) -> dict[str, Any]:
    facts: dict[str, Any] = {"answer_at": answer_at}
    times = language.times
    clock = {
        "times": codec_settings(times),
        "duration_s": view.duration_s,
        "tolerance_s": times.max_error_s(view.duration_s),
    }
    match answer["kind"]:
        case "turns":
            parts = [
                {
                    "turn": part["turn"],
                    "trained": part["trained"],
                    "reward": _facts(part["answer"], part["options"], view, language, "whole"),
                }
                for part in answer["parts"]
            ]
            return {"verifier": "turns", "parts": parts}
        case "span":
            span = _said(Span(answer["start_s"], answer["end_s"]), view, times)
            return {**facts, **clock, "verifier": "tiou", "truth": _edges(span)}
        case "spans":
            spans = [_said(Span(*ends), view, times) for ends in answer["spans"]]
            return {**facts, **clock, "verifier": "span_set", "truth": [_edges(s) for s in spans]}
        case "box":
            codec = language.box_codec(view)
            return {**facts, "boxes": box_settings(codec), "verifier": "box_iou", "truth": _said_box(answer, codec)}
        case "span_box":
            codec = language.box_codec(view)
            span = _said(Span(answer["start_s"], answer["end_s"]), view, times)
            both = {"span": _edges(span), "box": _said_box(answer, codec)}
            return {**facts, **clock, "boxes": box_settings(codec), "verifier": "viou", "truth": both}
        case "tube":
            return {**facts, **clock, "verifier": "viou", **_tube(answer, view, language)}
        case "choice":
            return {**facts, "verifier": "choice", "truth": answer["letter"], "options": list(options)}
        case "order":
            return {**facts, "verifier": "order", "truth": answer["letters"], "options": list(options)}
        case "number":
            verifier = "count" if answer["unit"] in COUNTED else "mra"
            return {**facts, "verifier": verifier, "truth": answer["value"], "unit": answer["unit"]}
        case "text":
            return {**facts, "verifier": "text", "truth": answer["text"]}
        case "absent":
            return {**facts, **clock, "verifier": "absent"}
    raise LeftOut("malformed", f"no verifier for an answer of kind {answer['kind']}")


def _tube(answer: Mapping[str, Any], view: View, language: Language) -> dict[str, Any]:
    """Boxes by their times as the language says them; by their places in the list where the times are not said; with the
    span where the answer says it.
    """
    codec = language.box_codec(view)
    boxes = [_said_box({"box": edges}, codec) for _, *edges in answer["boxes"]]
    times = [float(i) for i in range(len(boxes))]
    if answer["said"] != "places":
        written = [language.times.encode(t, view.duration_s) for t, *_ in answer["boxes"]]
        times = [language.times.decode(text, view.duration_s) for text in written]
        if len(set(times)) < len(times):
            raise LeftOut("time shorter than the codec can say", "two boxes of a tube get the same time")
    truth: dict[str, Any] = {"track": [[t, *edges] for t, edges in zip(times, boxes, strict=True)]}
    if answer["said"] == "both":
        truth["span"] = _edges(_said(Span(answer["start_s"], answer["end_s"]), view, language.times))
    return {"boxes": box_settings(codec), "truth": truth, "said": answer["said"]}


def codec_settings(codec: TimeCodec) -> dict[str, Any]:
    """A time codec as JSON: its name among `TIME_CODECS` and its parameters."""
    assert codec.name in TIME_CODECS
    return {"codec": codec.name, **{f.name: getattr(codec, f.name) for f in fields(codec) if f.init}}


def box_settings(codec: BoxCodec) -> dict[str, Any]:
    """A box codec as JSON: its name, the size of the picture, and decimals where it has them."""
    settings = {"codec": codec.name, "width": 1, "height": 1}
    return settings | {f.name: getattr(codec, f.name) for f in fields(codec)}


def _said(span: Span, view: View, times: TimeCodec) -> Span:
    said = times.as_said(span, view.duration_s)
    if said is None:
        raise LeftOut("time shorter than the codec can say", f"{span.start_s:g}..{span.end_s:g} s")
    return said


def _said_box(answer: Mapping[str, Any], codec: BoxCodec) -> list[float]:
    return list(codec.decode(codec.encode(Box(*answer["box"]))).edges)


def _edges(span: Span) -> list[float]:
    return [span.start_s, span.end_s]
