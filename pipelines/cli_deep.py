"""The deep half of `chronotope verify`: runs it with a progress bar, keeps its rows and prints what it found."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..annotators.second.method import SecondParams
from .console import UsageError, err, out, table
from .deep_report import ablations, agreement, as_dict, disagreements, failing
from .deep_rows import write_checks
from .deep_verify import look_deep

SHOWN = 20


def deep_command(
    root: Path, settings: Mapping[str, Any], drawing: Mapping[str, Any], least: float, *, quiet: bool
) -> dict[str, Any]:
    """Look, record, print; what `--json` says. Raises `UsageError` for wrong settings or when there is no package."""
    started = time.perf_counter()
    whisper = settings.get("whisper")
    if whisper is not None and not Path(whisper).expanduser().exists():
        raise UsageError(f"--whisper: there is no file or folder {whisper}")
    try:
        params = SecondParams.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"--{first['loc'][0]}: {first['msg']}") from None
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=quiet or not err.is_terminal) as bars:
        bar = bars.add_task("second methods look at packaged media", total=None)
        report = look_deep(
            root, params=params, told=lambda done, of: bars.update(bar, completed=done, total=of), **drawing
        )
    write_checks(root, report.checks)
    said = as_dict(report, least)
    if quiet:
        return said
    rows = agreement(report)
    out.print(f"\nsecond methods on {report.drawn} packaged samples of {', '.join(report.packages)}")
    out.print(table(rows, [k for k in rows[0] if k != "high"]) if rows else "(none)")
    contradicted = disagreements(report)
    for row in contradicted[:SHOWN]:
        out.print(f"[yellow]disagrees[/] {row['task']} {row['sample']}")
        out.print(f"  {row['method']}: {row['found']}", markup=False)
    if len(contradicted) > SHOWN:
        out.print(f"... {len(contradicted) - SHOWN} more: SELECT * FROM deep_checks WHERE NOT agrees", style="dim")
    for task, n in sorted(report.no_method.items()):
        out.print(f"{task}: no second method for its {n} samples", style="dim")
    for task, n in sorted(report.out_of_reach.items()):
        out.print(f"{task}: none of its {n} samples is in a package that can be opened", style="dim")
    if report.gone:
        out.print(f"{report.gone} packaged samples are no longer in the dataset; package again", style="dim")
    removed = ablations(report)
    if removed:
        out.print("\nstill found with something taken away (0 is right)")
        out.print(table(removed))
    for name in failing(rows, least):
        out.print(f"[red]agreement of {name} is below {least:g}[/] (--min-agreement), even at the upper end")
    out.print(f"recorded in deep_checks, {time.perf_counter() - started:.1f} s")
    return said
