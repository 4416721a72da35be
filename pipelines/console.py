"""What the command line shares: finding the dataset root, printing, exit codes, and turning known errors into one line.

Exit codes: 0 all well; 1 finished, but a unit failed or is blocked, or `verify` found a mismatch; 2 wrong usage, recipe
or root; 3 the root is busy.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec

import typer
from rich.console import Console
from rich.table import Table as RichTable

OK, FAILED, USAGE, BUSY = 0, 1, 2, 3
MOST_FAILURES = 10
"""Failures of one producer that are told one by one; annotations of web videos often name thousands that are gone."""
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 140)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Root = Annotated[
    Path | None,
    typer.Option(
        "--root", help="dataset root; default ./<recipe name>.chronotope, else the only *.chronotope folder here"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
Args = ParamSpec("Args")


def fail(message: str, code: int = USAGE) -> NoReturn:
    """Print an error and end with an exit code."""
    err.print(f"[bold red]error:[/] {_escaped(message)}")
    raise typer.Exit(code)


def command(function: Callable[Args, None]) -> Callable[Args, None]:
    """Errors that a person can act on become one line and an exit code; anything else keeps its traceback."""

    @wraps(function)
    def run(*args: Args.args, **kwargs: Args.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            fail("stopped; what was committed stays, run the same command to go on", FAILED)
        except Exception as error:
            kinds = {c.__name__ for c in type(error).__mro__}
            if "RootBusy" in kinds:
                fail(str(error), BUSY)
            if kinds & {
                "RecipeError",
                "StoreError",
                "QueryError",
                "ModelNotFound",
                "UnknownName",
                "MediaError",
                "PackageError",
                "ShowError",
                "ClipModelError",
                "ReportError",
                "UsageError",
            }:
                fail(str(error))
            raise

    return run


class UsageError(Exception):
    """A command was used in a way that cannot work; the message says what to do."""


def need(extra: str) -> None:
    """Raises `UsageError` with the remedy when an extra is not installed."""
    from ..engine.extras import missing, remedy

    if lacking := missing(extra):
        raise UsageError(f"{', '.join(lacking)} is not installed here; {remedy(extra)}")


def find_root(root: Path | None, recipe_name: str | None = None) -> Path:
    """The dataset root that a command is about. Raises `UsageError` listing the roots here when it is not clear."""
    if root is not None:
        return root.expanduser().resolve()
    if recipe_name is not None:
        return Path.cwd() / f"{recipe_name}.chronotope"
    here = sorted(p for p in Path.cwd().glob("*.chronotope") if p.is_dir())
    if len(here) == 1:
        return here[0]
    if not here:
        raise UsageError(
            "no *.chronotope folder here; name one with --root, or build one with `chronotope build RECIPE`"
        )
    raise UsageError(f"several datasets here: {', '.join(p.name for p in here)}; choose one with --root")


def near(path: Path | str) -> str:
    """A path for people: relative where it lies below the current folder."""
    path = Path(path)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, default=str, ensure_ascii=False) + "\n")


def table(
    rows: Sequence[Mapping[str, Any]], columns: Iterable[str] | None = None, title: str | None = None
) -> RichTable:
    """Rows as a table for people."""
    names = list(columns) if columns is not None else list(rows[0]) if rows else []
    shown = RichTable(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in names:
        numeric = all(isinstance(r.get(name), (int, float)) or r.get(name) is None for r in rows) and bool(rows)
        shown.add_column(
            name, justify="right" if numeric else "left", overflow="fold", no_wrap=name in ("package", "path")
        )
    for row in rows:
        shown.add_row(*(_cell(row.get(name)) for name in names))
    return shown


def _cell(value: Any) -> str:
    if value is None:
        return "[dim]NULL[/]"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return _escaped(str(value))


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")
