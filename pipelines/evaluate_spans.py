"""`evaluate` for spans: localised descriptions (events, candidates) and dense captions against described truth.

A query is a description of one medium; its true spans are all at which it is true. Texts are compared by their words, so
case and punctuation do not matter. Of candidates every localiser is measured by itself; a description that it says nothing
about is unread. The dense measure compares all spans of a medium without asking which description belongs to which.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..schemas.metrics import normalise_words
from ..schemas.metrics_captions import DENSE_LEVELS, event_prf, soda
from ..schemas.metrics_intervals import Share
from ..schemas.metrics_spans import average_precision, best_iop, best_tiou, mean_average_precision, reaches
from ..schemas.span import Span, span_or_none
from .evaluate_items import SPANS, Item, bucket
from .evaluate_scoring import Scoring

Row = Mapping[str, Any]
Query = tuple[str, str]
"""(media_id, normalised words)."""
HIT = 0.5
"""tIoU from which a fused event counts as right, when its probability is judged."""


def queries_of(rows: Sequence[Row]) -> dict[Query, list[tuple[Span, Row]]]:
    """Described spans by medium and words; rows without a text or length are left out."""
    found: dict[Query, list[tuple[Span, Row]]] = defaultdict(list)
    for row in rows:
        span = span_of(row)
        key = " ".join(normalise_words(str(row.get("text") or "")))
        if span is not None and key:
            found[row["media_id"], key].append((span, row))
    return dict(found)


def span_of(row: Row) -> Span | None:
    """The span of a row; None where it has none."""
    start, end = row.get("start_s"), row.get("end_s")
    return None if start is None or end is None else span_or_none(float(start), float(end))


def localised(
    predicted: Sequence[Row], truth: Sequence[Row], lengths: Mapping[str, float], s: Scoring, table: str
) -> Iterator[Item]:
    """An item per true query and localiser (of `candidates`), or per true query and producer."""
    true = queries_of(truth)
    media = {media_id for media_id, _ in true}
    by_group: dict[str, dict[Query, list[tuple[Span, Row]]]] = {}
    for group, rows in grouped([r for r in predicted if r["media_id"] in media], table).items():
        by_group[group] = queries_of(rows)
    for group, own in sorted(by_group.items()):
        for query, spans in sorted(true.items()):
            ranked = sorted(own.get(query, ()), key=lambda p: _rank(p[1], p[0]))
            item = _query_item(query, group, ranked, spans, lengths, s)
            if item is not None:
                yield item


def grouped(rows: Sequence[Row], table: str) -> dict[str, list[Row]]:
    """Rows by who is measured: the localiser of a candidate, the solver of an attempt, else the producer or file."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        name = row.get("localiser") if table == "candidates" else None
        found[str(name or row.get("producer") or "predictions")].append(row)
    return dict(found)


def _rank(row: Row, span: Span) -> tuple[float, float, Span]:
    rank = row.get("rank")
    score = row.get("p_correct") if row.get("p_correct") is not None else row.get("score")
    return (float(rank) if rank is not None else 0.0, -float(score or 0.0), span)


def _query_item(
    query: Query,
    group: str,
    ranked: Sequence[tuple[Span, Row]],
    true: Sequence[tuple[Span, Row]],
    lengths: Mapping[str, float],
    s: Scoring,
) -> Item | None:
    media_id, _ = query
    spans = [span for span, _ in ranked]
    answered = float(bool(spans))
    length = lengths.get(media_id, 0.0)
    if not spans:
        if s.unread == "skip":
            return None
        whole = span_or_none(0.0, length)
        spans = [whole] if s.unread == "whole" and whole is not None else []
    spans, truth = spans[: s.most], [span for span, _ in true]
    top = best_tiou(spans, truth)
    values = {"mIoU": Share(top)}
    values |= {f"R@1@{m:g}": Share(float(reaches(top, m, strict_gt=s.strict_gt))) for m in s.levels}
    for k in s.recall_k:
        best = best_tiou(spans, truth, k)
        values |= {f"R@{k}@{m:g}": Share(float(reaches(best, m, strict_gt=s.strict_gt))) for m in s.levels}
    values["mAP"] = Share(mean_average_precision(spans, truth, strict_gt=s.strict_gt))
    values["mAP@0.5"] = Share(average_precision(spans, truth, 0.5, strict_gt=s.strict_gt))
    values["mIoP"] = Share(best_iop(spans[0] if spans else None, truth))
    values["answered"] = Share(answered)
    if answered:
        values["mIoU of answers"] = Share(top)
    labels = {"length": bucket(length), "span": bucket(min(t.length_s for t in truth), SPANS)}
    p = ranked[0][1].get("p_correct") if ranked else None
    if p is not None:
        right = float(top >= HIT)
        values |= {"p_correct": Share(p), "right": Share(right), "Brier": Share((p - right) ** 2)}
        labels["p"] = f"{min(int(p * 10), 9) / 10:.1f} to {min(int(p * 10), 9) / 10 + 0.1:.1f}"
    kind = str(true[0][1].get("kind") or "event")
    return Item(media_id, group, values, {**labels, "kind": kind})


def dense(
    predicted: Sequence[Row],
    truth: Sequence[Row],
    lengths: Mapping[str, float],
    s: Scoring,
    table: str,
    likeness: Callable[[str, str], float] | None = None,
) -> Iterator[Item]:
    """An item per medium with truth and producer: event precision, recall and F1 over tIoU .3, .5, .7, .9, and SODA."""
    mine = {group: _described(rows) for group, rows in grouped(predicted, table).items()}
    for media_id, told in sorted(_described(truth).items()):
        for group, by_medium in sorted(mine.items()):
            found = by_medium.get(media_id, [])
            if not found and s.unread == "skip":
                continue
            values: dict[str, Share] = {}
            scores = [event_prf([a for a, _ in found], [b for b, _ in told], m) for m in DENSE_LEVELS]
            precision = sum(p.precision for p in scores) / len(scores)
            recall = sum(p.recall for p in scores) / len(scores)
            both = precision + recall
            values["F1"] = Share(2 * precision * recall / both if both else 0.0)
            values |= {"precision": Share(precision), "recall": Share(recall)}
            values |= {f"F1@{m:g}": Share(p.f1) for m, p in zip(DENSE_LEVELS, scores, strict=True)}
            values["SODA (words)"] = Share((soda(found, told, likeness) if likeness else soda(found, told)).f1)
            values["SODA (tIoU)"] = Share(soda(found, told, lambda _a, _b: 1.0).f1)
            yield Item(media_id, group, values, {"length": bucket(lengths.get(media_id, 0.0))})


def _described(rows: Sequence[Row]) -> dict[str, list[tuple[Span, str]]]:
    found: dict[str, list[tuple[Span, str]]] = defaultdict(list)
    for row in rows:
        span = span_of(row)
        if span is not None:
            found[row["media_id"]].append((span, str(row.get("text") or "")))
    return found
