"""The command `report`: how far the samples of a dataset can be trusted, in tables, on a page, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from .console import Json, Root, command, find_root, near, out, print_json, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report", rich_help_panel="Look at it and take it out")(report)


@command
def report(
    root: Root = None,
    task: Annotated[str | None, typer.Option("--task", help="only this task")] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0, help="gap to chance that is forgiven a baseline that must fail")
    ] = 0.05,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder for the report; default: `report` in the dataset")
    ] = None,
    as_json: Json = False,
) -> None:
    """Checks, grades, second opinions, the ladder of baselines, language and answers: tables here, a page and JSON."""
    from .report import write_report

    place = find_root(root)
    made = write_report(place, output or place / "report", task=task, tolerance=tolerance)
    if as_json:
        print_json(made.figures)
        return
    tasks = made.figures["tasks"]
    out.print(table([_counts(t) for t in tasks], title="Samples"))
    out.print()
    out.print(ladder_table(tasks))
    for t in tasks:
        if t["ladder"]["withheld"]:
            out.print(f"  {t['task']}: {t['ladder']['withheld']}", style="dim", markup=False)
    out.print()
    out.print(language_table(tasks))
    opinions = [_deep(t["task"], d) for t in tasks for d in t["deep"]]
    if opinions:
        out.print()
        out.print(table(opinions, title="Second methods"))
    people = [_review(t["task"], r) for t in tasks for r in t["reviews"]]
    if people:
        out.print()
        out.print(table(people, title="People"))
    models = [_claims(m["model"], k) for m in made.figures["captions"] for k in (*m["kinds"], m)]
    if models:
        out.print()
        out.print(table(models, title="Captions of models: claims that evidence supports"))
    for look in made.figures["looks"]:
        out.print(f"[yellow]look[/] {look['task']}, {look['about']}: ", end="")
        out.print(look["what"], markup=False)
    out.print(f"[bold]{near(made.page)}[/] shows all of it")


def ladder_table(tasks: Sequence[Mapping[str, Any]]) -> Table:
    """What the baselines reach, from the figures of a report."""
    from ..outputs.reporting.ladder_figures import SOLVERS

    used = {line["solver"] for t in tasks for line in t["ladder"]["solvers"]}
    solvers = [*(s for s in SOLVERS if s in used), *sorted(used - set(SOLVERS))]
    title = "Ladder: gap to chance or prior, lower end of its 95% interval (! too good)"
    return table([_climbed(t, solvers) for t in tasks], ["task", *solvers, "shortcuts"], title=title)


def language_table(tasks: Sequence[Mapping[str, Any]]) -> Table:
    """Wordings and answer forms, from the figures of a report."""
    return table([_language(t) for t in tasks], title="Language")


def _counts(task: Mapping[str, Any]) -> dict[str, Any]:
    c = task["counts"]
    names = ("samples", "train", "validation", "test", "groups", "passed", "failed")
    grades = ", ".join(f"{g} {c[g]}" for g in ("exact", "reviewed", "two_source", "model", "judge", "refuted") if c[g])
    origins = ", ".join(f"{o} {c[o]}" for o in ("real", "edited", "composed", "rendered") if c[o])
    return {"task": task["task"], **{n: c[n] for n in names}, "grades": grades, "origin": origins}


def _climbed(task: Mapping[str, Any], solvers: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"task": task["task"], **dict.fromkeys(solvers, "")}
    for line in task["ladder"]["solvers"]:
        mark = " !" if line["flagged"] else ""
        found[line["solver"]] = f"{line['gap']:+.2f} {line['low']:+.2f}{mark}"
    found["shortcuts"] = str(task["ladder"]["shortcuts"]) if task["ladder"]["solvers"] else "not climbed"
    return found


def _language(task: Mapping[str, Any]) -> dict[str, Any]:
    f = task["language"]
    return {
        "task": task["task"],
        "wordings": f"{f['wordings_used']} of {f['wordings'] or '?'}",
        "largest": f"{100 * f['largest_wording_share']:.1f}%{' !' if f['largest_wording_flagged'] else ''}",
        "distinct 4-grams": f["distinct_four_grams"],
        "answer forms": f"{f['answer_forms_used']} of {f['answer_forms'] or '?'}",
        "held-out in train": f["held_out_in_train"],
        "asked twice": f["asked_twice"],
    }


def _deep(task: str, row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("method", "removed", "agree", "disagree", "undecided", "agreement", "low", "high")
    return {"task": task, **{n: row[n] for n in names}}


def _review(task: str, row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("evidence_grade", "right", "wrong", "unclear", "precision", "low", "high")
    return {"task": task, **{n: row[n] for n in names}}


def _claims(model: str, row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("claims", "supported", "contradicted", "unchecked", "share", "low", "high")
    return {"model": model, "about": row["kind"], **{n: row[n] for n in names}}
