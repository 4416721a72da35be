"""The command `audit`: people judge samples, and the dataset learns what they said."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import Json, Root, UsageError, command, err, find_root, near, out, print_json, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit", rich_help_panel="Look at it and take it out")(audit)


@command
def audit(
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="samples to judge")] = 200,
    by: Annotated[
        str, typer.Option("--by", help="columns of sample_view: some samples of each combination are drawn")
    ] = "task,evidence_grade",
    root: Root = None,
    seed: Annotated[int, typer.Option("--seed", help="decides which samples are drawn")] = 0,
    task: Annotated[str | None, typer.Option("--task", help="only this task")] = None,
    where: Annotated[
        str | None, typer.Option("--where", help="SQL condition on columns of sample_view, such as \"origin = 'real'\"")
    ] = None,
    reviewer: Annotated[str | None, typer.Option("--reviewer", help="your name; default: that of your account")] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="port of the page; 0 takes a free one")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="open the page in the browser")] = True,
    show_answers: Annotated[
        bool, typer.Option("--show-answers", help="show each answer at once instead of after a key")
    ] = False,
    export: Annotated[
        Path | None, typer.Option("--export", help="write the samples for reviewing elsewhere: a .html or .csv file")
    ] = None,
    read: Annotated[
        Path | None, typer.Option("--import", help="read verdicts from a CSV file: sample_id, verdict, comment")
    ] = None,
    only_summary: Annotated[bool, typer.Option("--summary", help="only say what the verdicts so far mean")] = False,
    as_json: Json = False,
) -> None:
    """Judge samples by eye and ear in a local page, and learn their precision with a 95% interval."""
    from .audit import Asked, Audit, summarise
    from .audit_draw import audit_label, columns_of
    from .audit_rows import commit_reviews, read_csv

    if sum((export is not None, read is not None, only_summary)) > 1:
        raise UsageError("--export, --import and --summary are three different things; give one")
    asked = Asked(find_root(root), number, by, seed, task, where, (reviewer or _account()).strip(), not show_answers)
    if read is not None:
        from ..engine.catalog import Catalog

        if not read.is_file():
            raise UsageError(f"there is no file {read}")
        with Catalog(asked.root) as catalog:
            label = audit_label(number, columns_of(catalog, by), seed, task, where)
            found = read_csv(read, catalog, asked.reviewer, label)
        kept = commit_reviews(asked.root, found)
        err.print(f"{len(found)} verdicts read, {kept} of them new or changed")
    elif not only_summary:
        with Audit(asked) as drawn:
            if not as_json:
                err.print(table(drawn.strata_rows()))
            if export is not None:
                written = drawn.export(export.expanduser(), lambda n, of: _told(n, of))
                err.print(f"wrote {' and '.join(near(p) for p in written)}; read the verdicts back with --import")
                return
            _serve(drawn, port, browser)
    _commit(asked.root)
    result = summarise(asked)
    print_json(result) if as_json else _print(result)


def _serve(drawn: Any, port: int, browser: bool) -> None:
    def ready(url: str) -> None:
        err.print(f"judge {len(drawn.drawn)} samples at [bold]{url}[/] (Ctrl-C ends; nothing is lost)", soft_wrap=True)
        if browser:
            import webbrowser

            webbrowser.open(url)

    try:
        drawn.serve(port, ready)
    except KeyboardInterrupt:
        err.print("stopped; the same command goes on from here")


def _commit(root: Path) -> None:
    from ..engine.lock import RootBusy
    from .audit import WAIT_S
    from .audit_rows import commit_reviews

    try:
        kept = commit_reviews(root, wait_s=WAIT_S)
    except RootBusy as error:
        err.print(f"[yellow]the verdicts wait in the journal[/] ({error}); run `chronotope audit --summary` later")
        return
    if kept:
        err.print(f"{kept} verdicts committed to table reviews")


def _told(n: int, of: int) -> None:
    if n % 10 == 0 or n == of:
        err.print(f"{n} of {of} samples cut and drawn")


def _print(result: dict[str, Any]) -> None:
    rows = [_shown(r) for r in result["precision"]]
    out.print(table(rows))
    if result["agreement"]:
        out.print(table(result["agreement"]))
    if result["elsewhere"]:
        out.print(f"{len(result['elsewhere'])} verdicts are about other samples and not counted here")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    judged = row["precision"] is not None
    interval = f"{row['low']:.1%} to {row['high']:.1%}" if judged else "not judged"
    shown = {k: row[k] for k in ("stratum", "samples", "right", "wrong", "unclear")}
    return {**shown, "precision": f"{row['precision']:.1%}" if judged else "", "95% interval": interval}


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "me"
