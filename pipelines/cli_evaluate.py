"""The command `evaluate`: how right a table is, against a file or another producer, with intervals and breakdowns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import Json, Root, command, find_root, near, out, print_json, table

FIGURES_ABREAST = 5
"""Figures with intervals that stand in one table."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate", rich_help_panel="Look at it and take it out")(evaluate)


@command
def evaluate(
    what: Annotated[
        str | None,
        typer.Argument(
            help="table to measure; without it, the tables and presets are listed", metavar="TABLE", show_default=False
        ),
    ] = None,
    root: Root = None,
    producer: Annotated[str | None, typer.Option("--producer", help="whose rows are measured")] = None,
    predictions: Annotated[
        Path | None,
        typer.Option("--predictions", help="rows from a file (JSON, JSON lines, CSV) instead of the dataset"),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="truth from a file: media, start_s, end_s, text ...")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", help="table that holds the truth; default: what is described, or the same table"),
    ] = None,
    truth_producer: Annotated[str | None, typer.Option("--truth-producer", help="whose rows are true")] = None,
    where: Annotated[
        str | None,
        typer.Option("--where", help='SQL condition on the rows that are measured, such as "agreement >= 2"'),
    ] = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="only truth of this kind; may be repeated")] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            help="break down by length (of media; the default), span, kind, or p (told probability); may be repeated",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--as", help="score as a source does: llava_st, lita, qvhighlights ... (listed without TABLE)"),
    ] = None,
    strict_gt: Annotated[
        bool | None, typer.Option("--strict-gt/--at-least", help="above a threshold, or at least at it")
    ] = None,
    macro: Annotated[
        bool | None,
        typer.Option("--macro-by-video/--micro", help="average within each medium first, or over all items"),
    ] = None,
    skip_unparsed: Annotated[
        bool, typer.Option("--skip-unparsed", help="items without an answer leave the denominator")
    ] = False,
    tolerance: Annotated[
        float | None, typer.Option("--tolerance", min=0, help="seconds by which boundaries, words and boxes may be off")
    ] = None,
    delta: Annotated[
        float | None, typer.Option("--delta", min=0, help="seconds at which a frame still shows a moment")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="of the intervals")] = 0,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            "--calibrate", help="also fit the probability that a fused event is right, and write it to this file"
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="name of the calibration set; default: that of the dataset")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure a table against truth: a file, another producer's rows, or what composers and importers said.

    Intervals are 95%, from 1,000 draws of whole media. Answers that could not be read, or were not given, count 0.
    """
    from .evaluate import MEASURES, Request, calibrate_file
    from .evaluate import evaluate as measure
    from .evaluate_scoring import PRESETS, scoring

    if what is None:
        if as_json:
            tables = {t: about for t, (_, about) in MEASURES.items()}
            print_json({"tables": tables, "sources": {n: about for n, (_, about) in PRESETS.items()}})
            return
        out.print(table([{"table": t, "figures": about} for t, (_, about) in MEASURES.items()]))
        out.print()
        out.print(table([{"--as": n, "what it does": about} for n, (_, about) in PRESETS.items()]))
        return
    settings = scoring(
        source,
        strict_gt=strict_gt,
        macro_by_video=macro,
        unread="skip" if skip_unparsed else None,
        tolerance_s=tolerance,
        delta_s=delta,
    )
    place = find_root(root)
    request = Request(what, producer, predictions, against, truth_producer, truth, where, tuple(kind or ()))
    made = measure(place, request, settings, by=by or (() if what == "attempts" else ("length",)), seed=seed)
    fitted = None if calibrate is None else calibrate_file(place, request, calibrate, name or place.stem)
    if as_json:
        print_json(made.as_dict() | ({} if fitted is None else {"calibration": fitted}))
        return
    title = f"{made.predicted} against {made.truth}"
    _show(made.totals, None, title)
    for label, rows in made.by.items():
        if len({row[label] for row in rows}) > 1:
            out.print()
            _show(rows, label, f"By {label}")
    for reason, count in made.left_out.items():
        out.print(f"  left out: {count} {reason}", style="dim", markup=False)
    if fitted is not None:
        out.print()
        out.print(
            table(fitted["reliability"], title="Probability told and share of right ones, on media held out in turn")
        )
        out.print(
            f"[bold]{near(calibrate or '')}[/] {fitted['calibration']}: {fitted['events']} events of {fitted['media']} media, "
            f"expected calibration error {fitted['expected_calibration_error']:.3f}"
        )


def _show(rows: Sequence[Mapping[str, Any]], label: str | None, title: str) -> None:
    """Totals with their intervals, some figures beside each other; breakdowns without. One table for rows with equal figures."""
    most = FIGURES_ABREAST if label is None else None
    first = True
    for names in dict.fromkeys(tuple(row["figures"]) for row in rows):
        same = [row for row in rows if tuple(row["figures"]) == names]
        for start in range(0, len(names), most or len(names)):
            shown = names[start : start + most] if most else names
            if not first:
                out.print()
            out.print(table([_line(row, label, shown) for row in same], title=title if first else None))
            first = False


def _line(row: Mapping[str, Any], label: str | None, names: Sequence[str]) -> dict[str, Any]:
    head = {"who": row["who"], **({label: row[label]} if label else {}), "items": row["items"], "media": row["media"]}
    return head | {name: _shown(row["figures"][name], interval=label is None) for name in names}


def _shown(found: Mapping[str, float | None], *, interval: bool) -> str:
    value = f"{found['value']:.3f}"
    return value if found["low"] is None or not interval else f"{value} ({found['low']:.2f} to {found['high']:.2f})"
