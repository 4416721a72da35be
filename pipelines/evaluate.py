"""`evaluate`: a table of a dataset (or a file of predictions) measured against what is true, with intervals and breakdowns.

Truth is a file, a table of a producer, or what composers, importers and people said. Only media with truth are measured, and
what is left out is counted. `calibrate_file` fits the probability that a fused event is right on the same comparison.
"""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..engine.catalog import Catalog, QueryError
from ..schemas.span import Span
from . import evaluate_marks as marks
from . import evaluate_spans as spans
from .console import UsageError
from .evaluate_chains import chains, chains_side, with_means
from .evaluate_items import Item, lines
from .evaluate_objects import OBJECTS, objects, truth_table, with_boxes
from .evaluate_relations import relations, relations_side, with_diagnostics
from .evaluate_rows import TOLD, MediaNames, RowDict, Side, described_side, file_side, table_side
from .evaluate_scoring import Scoring

Measure = Callable[[Sequence[Any], Sequence[Any], Mapping[str, float], Scoring, str], Iterator[Item]]
MEASURES: Mapping[str, tuple[Measure, str]] = {
    "candidates": (spans.localised, "where each localiser places a description: mIoU, R@k, mAP, IoP"),
    "events": (spans.localised, "where fused events lie: the same"),
    "captions": (spans.dense, "dense captioning: event F1 over tIoU .3 .5 .7 .9, SODA"),
    "shots": (marks.shots, "boundaries: precision, recall, F1"),
    "speech": (marks.speech, "word error rate"),
    "words": (marks.words, "word error rate, errors of word boundaries"),
    "sampling_plans": (marks.frames, "planned frames against moments: temporal precision, recall, F1"),
    "boxes": (marks.boxes, "tracks: m_tIoU, m_sIoU, m_vIoU, vIoU@m"),
    "tracks": (objects, "many tracks at once: HOTA, DetA, AssA, IDF1, IoU of boxes"),
    "detections": (objects, "boxes of single pictures against tracks: average precision at IoU .5"),
    "boxes3d": (objects, "boxes in space that stay still: IoU in 3D, found at .25 and .5, error of centres"),
    "questions": (marks.questions, "answers with spans, from a file: accuracy, Acc@GQA, IoP"),
    "orders": (marks.orders, "orders, from files: pairs, exact"),
    "chains": (chains, "what-when-where chains, from a file: Acc, m_tIoU, m_vIoU, AM, LGM (V-STaR)"),
    "relations": (relations, "answers to true and false statements: accuracy, groups, consistency, bias (VSRE)"),
    "attempts": (marks.attempts, "answers of baselines and models to samples, by what is asked for"),
}
"""What can be measured, and how."""
DESCRIBED = {"candidates", "events", "captions", "sampling_plans"}
"""Tables whose truth, where none is named, is what is described."""


@dataclass(frozen=True)
class Request:
    """What is compared with what."""

    table: str
    producer: str | None = None
    predictions: Path | None = None
    against: str | None = None
    truth_producer: str | None = None
    truth: Path | None = None
    where: str | None = None
    """SQL condition on the rows of the table that are measured."""
    kinds: tuple[str, ...] = ()
    """Only truth of these kinds."""


@dataclass
class Evaluation:
    """What came of it. `totals` has one line per localiser (producer, solver); `by` the breakdowns of the same figures."""

    table: str
    predicted: str
    truth: str
    scoring: Scoring
    totals: list[dict[str, Any]]
    by: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "table": self.table,
            "predicted": self.predicted,
            "truth": self.truth,
            "scoring": self.scoring.model_dump(mode="json"),
            "totals": self.totals,
            "by": self.by,
            "left_out": self.left_out,
        }


def evaluate(root: Path, request: Request, scoring: Scoring, *, by: Sequence[str] = (), seed: int = 0) -> Evaluation:
    """Measure. `by` names breakdowns: length (of media), span (of what is looked for), kind (of truth), p (told probability).

    The same dataset, files, settings and seed give the same figures. Raises `UsageError` where there is nothing to compare.
    """
    if request.table not in MEASURES:
        close = difflib.get_close_matches(request.table, MEASURES, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(MEASURES)}"
        raise UsageError(f"nobody measures the table {request.table!r}; {hint}")
    with Catalog(root) as catalog:
        names = MediaNames.of(catalog)
        try:
            predicted, truth, left_out = sides(catalog, request, names)
        except QueryError as error:
            if not request.where:
                raise
            raise UsageError(f"--where {request.where!r}: {str(error).splitlines()[0]}") from None
    measure, _ = MEASURES[request.table]
    items = list(measure(predicted.rows, truth.rows, names.lengths, scoring, request.table))
    if not items:
        raise UsageError(
            f"nothing to measure: {predicted.said} and {truth.said} have no medium or description in common"
        )
    known = sorted({label for item in items for label in item.labels} | {"length", "span", "kind", "p"})
    if unknown := [label for label in by if label not in known]:
        raise UsageError(f"--by {unknown[0]}: {request.table} can be broken down by {', '.join(known)}")
    macro = scoring.macro_by_video
    made = Evaluation(
        request.table, predicted.said, truth.said, scoring, lines(items, None, macro=macro, seed=seed),
        {label: lines(items, label, macro=macro, seed=seed) for label in by}, left_out,
    )  # fmt: skip
    if request.table == "chains":
        for told in (made.totals, *made.by.values()):
            with_means(told)
    if request.table == "relations":
        with_diagnostics(made.totals, predicted.rows)
    return made


def sides(catalog: Catalog, request: Request, names: MediaNames) -> tuple[Side, Side, dict[str, int]]:
    """Both sides, and what of them is not compared. Raises `UsageError`."""
    if request.table == "attempts":
        side = _attempts(catalog, request)
        return side, Side([], "the answers of the samples"), {}
    if request.table == "relations":
        return relations_side(catalog), Side([], "the statements of the samples"), {}
    truth = _truth(catalog, request, names)
    if request.kinds:
        truth = Side([r for r in truth.rows if str(r.get("kind")) in request.kinds], truth.said, truth.unknown_media)
        if not truth.rows:
            raise UsageError(f"{truth.said} has nothing of kind {', '.join(request.kinds)}")
    if request.predictions is not None:
        predicted = file_side(request.predictions, names)
    elif request.table in ("orders", "questions", "chains"):
        raise UsageError(f"evaluate {request.table} takes a file: --predictions FILE")
    else:
        predicted = table_side(catalog, request.table, request.producer, without=(*truth.producers, *TOLD))
        predicted = _chosen(catalog, predicted, request)
        predicted = with_boxes(catalog, predicted, request.table)
    true_media = {r["media_id"] for r in truth.rows}
    left_out = Counter(
        {
            "truth about media that are not here": truth.unknown_media,
            "predictions about media that are not here": predicted.unknown_media,
            "predictions about media without truth": sum(r["media_id"] not in true_media for r in predicted.rows),
        }
    )
    return predicted, truth, {what: count for what, count in left_out.items() if count}


def calibrate_file(root: Path, request: Request, out: Path, name: str) -> dict[str, Any]:
    """Fit on the dataset's `candidates` and the truth, and write the calibration to `out`; its title and reliability.

    Raises `UsageError` where there is too little truth.
    """
    from ..annotators.temporal.events import setting_of
    from ..engine.grounding.calibrating import Known, calibrate
    from ..engine.grounding.fusion import FusionRules
    from ..engine.grounding.proposals import Candidate

    with Catalog(root) as catalog:
        names = MediaNames.of(catalog)
        asked = replace(request, table="candidates")
        if request.table != "candidates":  # whose events are measured says nothing about whose candidates they are of
            asked = replace(asked, producer=None, predictions=None, where=None)
        predicted, truth, _ = sides(catalog, asked, names)
        edges = {table: _edges(catalog, table, tuple(TOLD)) for table in ("shots", "words")}
    proposals: dict[spans.Query, list[Candidate]] = defaultdict(list)
    for query, found in spans.queries_of(predicted.rows).items():
        proposals[query] += [c for _, row in found if (c := Candidate.from_row(row)) is not None]
    known = [
        Known(
            query[0],
            str(told[0][1]["text"]),
            tuple(Span(s.start_s, s.end_s) for s, _ in told),
            tuple(sorted(proposals.get(query, ()), key=lambda c: (c.localiser, c.rank, c.span))),
            setting_of(names.lengths[query[0]], edges["shots"].get(query[0], ()), edges["words"].get(query[0], ())),
        )
        for query, told in sorted(spans.queries_of(truth.rows).items())
    ]
    try:
        made = calibrate(name, known, FusionRules())
    except ValueError as error:
        raise UsageError(f"--calibrate: {error}") from None
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(made.to_json(), encoding="utf-8", newline="\n")
    return {
        "calibration": made.title,
        "file": str(out),
        "events": made.events,
        "media": made.media,
        "right": made.right,
        "expected_calibration_error": made.ece,
        "brier": made.brier,
        "reliability": [b.model_dump(mode="json") for b in made.reliability],
    }


def _truth(catalog: Catalog, request: Request, names: MediaNames) -> Side:
    if request.table == "chains":
        return chains_side(catalog)
    if request.truth is not None:
        return file_side(request.truth, names, true=True)
    if request.against is None and request.table in DESCRIBED:
        return described_side(catalog, request.truth_producer)
    if request.against is None and request.table == "orders":
        raise UsageError("evaluate orders takes a file: --truth FILE")
    if request.table in OBJECTS:
        table = request.against or truth_table(request.table)
        return with_boxes(catalog, table_side(catalog, table, request.truth_producer, only=TOLD), table)
    return table_side(catalog, request.against or request.table, request.truth_producer, only=TOLD)


def _chosen(catalog: Catalog, side: Side, request: Request) -> Side:
    """Fused events only, where nothing else is asked for; and what `--where` says."""
    rows = side.rows
    if request.table == "events" and request.producer is None:
        rows = [r for r in rows if r["localiser"] is not None]
        if not rows:
            raise UsageError("table events has no fused events to measure; say whose events with --producer")
    if request.where:
        wanted = {r["row_id"] for r in catalog.rows(f"SELECT row_id FROM {request.table} WHERE {request.where}")}
        rows = [r for r in rows if r["row_id"] in wanted]
    return Side(rows, side.said, side.unknown_media, side.producers)


def _attempts(catalog: Catalog, request: Request) -> Side:
    where = f"WHERE {request.where}" if request.where else ""
    rows: list[RowDict] = catalog.rows(
        "SELECT a.* FROM (SELECT t.*, json_extract_string(s.answer_json, '$.kind') AS answer_kind FROM attempts t JOIN "
        "(SELECT DISTINCT sample_id, answer_json FROM samples) s USING (sample_id)) a "
        f"{where} ORDER BY a.row_id"
    )
    rows = [r for r in rows if request.producer in (None, r["producer"])]
    if not rows:
        raise UsageError("table attempts has no answers; `chronotope rollout` and the check `ladder` write them")
    return Side(rows, "attempts")


def _edges(catalog: Catalog, table: str, told: tuple[str, ...]) -> dict[str, list[RowDict]]:
    """Edges of the recognised rows of a table by medium, of the first producer; of told rows where nothing was recognised."""
    there = [r["producer"] for r in catalog.rows(f"SELECT DISTINCT producer FROM {table} ORDER BY producer")]
    chosen = next((p for p in there if p not in told), there[0] if there else None)
    found: dict[str, list[RowDict]] = defaultdict(list)
    if chosen is not None:
        for row in catalog.rows(f"SELECT media_id, start_s, end_s FROM {table} WHERE producer = ?", [chosen]):
            found[row["media_id"]].append(row)
    return found
