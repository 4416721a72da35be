"""`evaluate` for what is not a described span: shot boundaries, words, frames that were planned, boxes, questions, orders, attempts.

Each function takes the rows of both sides and gives items; media without truth are not measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..schemas.box import Box, box_or_none, viou
from ..schemas.metrics import boundary_prf, exact_order, normalise_words, order_accuracy, temporal_prf, word_edits
from ..schemas.metrics_boxes import matched_tracks, on_times, siou, track_tiou
from ..schemas.metrics_intervals import Share
from ..schemas.metrics_spans import best_iop, best_tiou, reaches
from ..schemas.metrics_words import boundary_errors, plain_words
from ..schemas.span import Span
from .evaluate_items import Item, bucket
from .evaluate_scoring import Scoring
from .evaluate_spans import Row, grouped, span_of

MOST_CELLS = 400_000_000
"""Words times words up to which boundaries of words are compared; beyond (some six hours of speech) only words are."""


def shots(
    predicted: Sequence[Row], truth: Sequence[Row], lengths: Mapping[str, float], s: Scoring, _table: str
) -> Iterator[Item]:
    """Boundaries between shots, one to one within the tolerance; precision, recall and F1 of all boundaries together."""
    for group, media_id, mine, true in _by_medium(predicted, truth, "shots"):
        found = boundary_prf(_cuts(mine), _cuts(true), s.tolerance_s)
        values = {
            "precision": Share(found.predicted_hits, found.predicted),
            "recall": Share(found.truth_hits, found.truth),
            "F1": Share(2 * found.truth_hits, found.predicted + found.truth),
        }
        yield Item(media_id, group, values, _length(lengths, media_id))


def speech(
    predicted: Sequence[Row], truth: Sequence[Row], lengths: Mapping[str, float], _s: Scoring, _table: str
) -> Iterator[Item]:
    """Word error rate of the texts of each medium in order of time: edits / words of the truth."""
    for group, media_id, mine, true in _by_medium(predicted, truth, "speech"):
        heard, said = (normalise_words(" ".join(str(r["text"]) for r in _timed(rows))) for rows in (mine, true))
        yield Item(media_id, group, {"WER": Share(word_edits(heard, said), len(said))}, _length(lengths, media_id))


def words(
    predicted: Sequence[Row], truth: Sequence[Row], lengths: Mapping[str, float], s: Scoring, _table: str
) -> Iterator[Item]:
    """Word error rate, and how far starts and ends of the right words are off."""
    for group, media_id, mine, true in _by_medium(predicted, truth, "words"):
        heard, said = (plain_words([(str(r["word"]), _span(r)) for r in _timed(rows)]) for rows in (mine, true))
        values: dict[str, Share] = {}
        if len(heard) * len(said) <= MOST_CELLS:
            edits, errors = boundary_errors(heard, said)
            values["boundary error s"] = Share(sum(errors), len(errors))
            values[f"boundaries within {s.tolerance_s:g} s"] = Share(
                sum(e <= s.tolerance_s + 1e-9 for e in errors), len(errors)
            )
        else:
            edits = word_edits([w for w, _ in heard], [w for w, _ in said])
        yield Item(media_id, group, {"WER": Share(edits, len(said)), **values}, _length(lengths, media_id))


def frames(
    predicted: Sequence[Row], truth: Sequence[Row], lengths: Mapping[str, float], s: Scoring, _table: str
) -> Iterator[Item]:
    """Temporal precision, recall and F1 of planned frames (or of times in a file) against true moments, and how far the
    nearest frame of a moment is.
    """
    true: dict[str, list[float]] = defaultdict(list)
    for row in truth:
        true[row["media_id"]] += _times(row)
    by_plan: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in predicted:
        by_plan[str(row.get("policy") or row.get("producer") or "predictions"), row["media_id"]] += _times(row)
    for group in sorted({g for g, _ in by_plan}):
        for media_id, moments in sorted(true.items()):
            mine = by_plan.get((group, media_id), [])
            if not mine and s.unread == "skip":
                continue
            found = temporal_prf(mine, moments, s.delta_s)
            values = {
                "precision": Share(found.precision),
                "recall": Share(found.recall),
                "F1": Share(found.f1),
                "frames": Share(len(mine)),
            }
            if mine and moments:
                near = [min(abs(t - g) for t in mine) for g in moments]
                values["distance s"] = Share(sum(near), len(near))
            yield Item(media_id, group, values, _length(lengths, media_id))


def boxes(
    predicted: Sequence[Row], truth: Sequence[Row], lengths: Mapping[str, float], s: Scoring, _table: str
) -> Iterator[Item]:
    """An item per true track: when (tIoU), where (sIoU) and both (vIoU); tracks are matched one to one by vIoU."""
    for group, media_id, mine, true in _by_medium(predicted, truth, "boxes"):
        told = list(_tracks(true).values())
        times = sorted({t for track in told for t in track})
        found = [on_times(track, times, s.tolerance_s) for track in _tracks(mine).values()]
        for track, match in zip(told, matched_tracks(found, told), strict=True):
            if match is None and s.unread == "skip":
                continue
            own: Mapping[float, Box] = {} if match is None else found[match]
            both = viou(own, track)
            values = {
                "m_tIoU": Share(track_tiou(own, track)),
                "m_sIoU": Share(siou(own, track)),
                "m_vIoU": Share(both),
            }
            values |= {f"vIoU@{m:g}": Share(float(reaches(both, m, strict_gt=s.strict_gt))) for m in s.levels}
            yield Item(media_id, group, values, _length(lengths, media_id))


def questions(
    predicted: Sequence[Row], truth: Sequence[Row], lengths: Mapping[str, float], s: Scoring, _table: str
) -> Iterator[Item]:
    """Answers with the span that shows them: accuracy, accuracy with a grounded span (Acc@GQA), IoP and tIoU."""
    by_group = {g: {_question(r): r for r in rows} for g, rows in grouped(predicted, "questions").items()}
    for group, own in sorted(by_group.items()):
        for row in sorted(truth, key=_question):
            said = own.get(_question(row))
            if said is None and s.unread == "skip":
                continue
            right = said is not None and _same_answer(said, row)
            values = {"accuracy": Share(float(right)), "answered": Share(float(said is not None))}
            true = span_of(row)
            if true is not None:
                span = None if said is None else span_of(said)
                share = best_iop(span, [true])
                values["Acc@GQA"] = Share(float(right and reaches(share, s.iop)))
                values["mIoP"] = Share(share)
                values[f"IoP@{s.iop:g}"] = Share(float(reaches(share, s.iop)))
                values["mIoU"] = Share(best_tiou([] if span is None else [span], [true]))
            labels = {**_length(lengths, row["media_id"]), "kind": str(row.get("kind") or "question")}
            yield Item(row["media_id"], group, values, labels)


def orders(
    predicted: Sequence[Row], truth: Sequence[Row], lengths: Mapping[str, float], s: Scoring, _table: str
) -> Iterator[Item]:
    """Orders of files (`id`, `order`): share of pairs in the right order, and share of orders that are wholly right."""
    by_group = {g: {str(r["id"]): r for r in rows} for g, rows in grouped(predicted, "orders").items()}
    for group, own in sorted(by_group.items()):
        for row in sorted(truth, key=lambda r: str(r["id"])):
            said = own.get(str(row["id"]), {}).get("order")
            if said is None and s.unread == "skip":
                continue
            values = {
                "pairs": Share(order_accuracy(said, row["order"])),
                "exact": Share(exact_order(said, row["order"])),
                "answered": Share(float(said is not None)),
            }
            yield Item(row["media_id"], group, values, _length(lengths, row["media_id"]))


def attempts(
    predicted: Sequence[Row], _truth: Sequence[Row], lengths: Mapping[str, float], s: Scoring, _table: str
) -> Iterator[Item]:
    """Answers of solvers and models to samples, by what the sample asks for; `answer_kind` stands on each row."""
    for row in predicted:
        unread = row.get("reason") is not None
        if unread and s.unread == "skip":
            continue
        reward, right = float(row["reward"] or 0.0), float(bool(row["correct"]))
        kind = str(row["answer_kind"])
        values: dict[str, Share]
        if kind in ("span", "spans", "absent"):
            values = {"mIoU": Share(reward)}
            values |= {f"R@1@{m:g}": Share(float(reaches(reward, m, strict_gt=s.strict_gt))) for m in s.levels}
        elif kind == "order":
            values = {"pairs": Share(reward), "exact": Share(right)}
        else:
            values = {"accuracy": Share(right), "reward": Share(reward)}
        values["answered"] = Share(float(not unread))
        who = f"{row['task']} ({kind}): {str(row['solver']).split('#')[0]}"
        yield Item(row["media_id"], who, values, {**_length(lengths, row["media_id"]), "kind": kind})


def _by_medium(
    predicted: Sequence[Row], truth: Sequence[Row], table: str
) -> Iterator[tuple[str, str, list[Row], list[Row]]]:
    true = _media(truth)
    for group, rows in sorted(grouped(predicted, table).items()):
        mine = _media(rows)
        for media_id in sorted(true):
            yield group, media_id, mine.get(media_id, []), true[media_id]


def _media(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["media_id"]].append(row)
    return found


def _cuts(rows: Sequence[Row]) -> list[float]:
    return sorted({float(r["start_s"]) for r in rows})[1:]


def _timed(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda r: (float(r["start_s"]), float(r["end_s"])))


def _span(row: Row) -> Span:
    start, end = float(row["start_s"]), float(row["end_s"])
    return Span(start, max(end, start + 1e-6))


def _times(row: Row) -> list[float]:
    """Times of a planned row's frames, its own time, or the middle of its span."""
    if row.get("frames") is not None:
        return [float(f["t_s"]) for f in row["frames"]]
    if row.get("t_s") is not None:
        return [float(row["t_s"])]
    span = span_of(row)
    return [] if span is None else [(span.start_s + span.end_s) / 2]


def _tracks(rows: Sequence[Row]) -> dict[str, dict[float, Box]]:
    found: dict[str, dict[float, Box]] = defaultdict(dict)
    for row in sorted(rows, key=lambda r: (str(r.get("track_id")), float(r["t_s"]))):
        box = box_or_none(*(float(row[edge]) for edge in ("x1", "y1", "x2", "y2")))
        if box is not None:
            found[str(row.get("track_id"))][float(row["t_s"])] = box
    return found


def _question(row: Row) -> tuple[str, str]:
    named: Any = row.get("question_id") or " ".join(normalise_words(str(row.get("question") or "")))
    return row["media_id"], str(named)


def _same_answer(said: Row, true: Row) -> bool:
    if said.get("answer_index") is not None and true.get("answer_index") is not None:
        return int(said["answer_index"]) == int(true["answer_index"])
    return normalise_words(str(said.get("answer_text") or "")) == normalise_words(str(true.get("answer_text") or ""))


def _length(lengths: Mapping[str, float], media_id: str) -> dict[str, str]:
    return {"length": bucket(lengths.get(media_id, 0.0))}
