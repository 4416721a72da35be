"""`evaluate chains`: a file of predictions against the what-when-where chains of a dataset, as V-STaR scores them.

A row names its sample (`sample_id`) and medium, and says `answer_vqa` (the option's text, or its index), `answer_temporal`
([start, end], seconds on the source clock) and `answer_spatial` ({second: [x1, y1, x2, y2]}, shares of the picture; of the chain
that asks for places first, a list of boxes in order). What is missing or unreadable counts 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..engine.catalog import Catalog
from ..schemas.box import Box, box_or_none
from ..schemas.markup import unescape
from ..schemas.metrics_vstar import arithmetic_mean, chain_score, logarithmic_mean
from ..schemas.sample import ChoiceAnswer, Sample, SpanAnswer, TubeAnswer, TurnsAnswer
from ..schemas.span import Span, span_or_none
from .console import UsageError
from .evaluate_items import Item, Share
from .evaluate_rows import RowDict, Side
from .evaluate_scoring import Scoring

TASK = "vstar_chains"
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)


def chains_side(catalog: Catalog) -> Side:
    """The chains of a dataset. Raises `UsageError` where there are none."""
    found: list[RowDict] = catalog.rows(
        "SELECT DISTINCT ON (sample_id) * FROM samples WHERE task = ? ORDER BY sample_id", [TASK]
    )
    if not found:
        raise UsageError(f"no samples of the task {TASK}; build the recipe vstar_rstr_chains first")
    return Side(found, f"samples of {TASK}")


def chains(
    predicted: Sequence[Mapping[str, Any]],
    truth: Sequence[Mapping[str, Any]],
    _lengths: Mapping[str, float],
    s: Scoring,
    _table: str,
) -> Iterator[Item]:
    """An item per chain: Acc, m_tIoU, m_vIoU, R1@m, AP@m and the joint share."""
    said = {str(row.get("sample_id")): row for row in predicted}
    for row in truth:
        sample = Sample.from_row(row)
        if not isinstance(sample.answer, TurnsAnswer):
            continue
        answers = [part.answer for part in sample.answer.parts]
        what = next(a for a in answers if isinstance(a, ChoiceAnswer))
        when = next(a for a in answers if isinstance(a, SpanAnswer))
        where = next(a for a in answers if isinstance(a, TubeAnswer))
        mine = said.get(str(row["sample_id"]))
        if mine is None and s.unread == "skip":
            continue
        told = mine or {}
        true = Span(when.start_s, when.end_s)
        right = told.get("answer_vqa") in (what.index, unescape(sample.options[what.index].text))
        score = chain_score(
            right, _span(told.get("answer_temporal")), _places(told.get("answer_spatial")), true, where.track
        )
        values = {
            "Acc": Share(float(score.right)),
            "m_tIoU": Share(score.when),
            "m_vIoU": Share(score.where),
            "joint": Share(float(score.joint)),
            "answered": Share(float(mine is not None)),
        }
        values |= {f"R1@{m:g}": Share(float(score.when >= m)) for m in s.levels}
        values |= {f"AP@{m:g}": Share(sum(x >= m for x in score.seconds) / len(score.seconds)) for m in LEVELS}
        order = "what-when-where" if isinstance(answers[1], SpanAnswer) else "what-where-when"
        yield Item(str(row["media_id"]), order, values, {"chain": order})


def with_means(lines: Sequence[dict[str, Any]]) -> None:
    """Adds AM and LGM, which are made of the figures of a line, not of its items."""
    for line in lines:
        three = [line["figures"][name]["value"] for name in ("Acc", "m_tIoU", "m_vIoU")]
        for name, made in (("AM", arithmetic_mean), ("LGM", logarithmic_mean)):
            line["figures"][name] = {"value": round(made(*three), 6), "low": None, "high": None, "n": line["items"]}


def _span(value: Any) -> Span | None:
    try:
        start, end = (float(v) for v in value)
    except (TypeError, ValueError):
        return None
    return span_or_none(start, end)


def _places(value: Any) -> dict[float, Box] | None:
    """Boxes by second, or by their place in a list; those that are none are left out."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    found: dict[float, Box] = {}
    for key, edges in items:
        try:
            box = box_or_none(*(float(v) for v in edges))
            second = float(key)
        except (TypeError, ValueError):
            continue
        if box is not None:
            found[second] = box
    return found or None
