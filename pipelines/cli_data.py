"""Commands that look at a dataset and take things out: `sql`, `show`, `verify`, `package`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import FAILED, Json, Root, UsageError, command, err, find_root, near, out, print_json, table


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("sql", rich_help_panel="Look at it and take it out")(sql)
    app.command("show", rich_help_panel="Look at it and take it out")(show)
    app.command("verify", rich_help_panel="Look at it and take it out")(verify)
    app.command("package", rich_help_panel="Look at it and take it out")(package)


@command
def sql(
    query: Annotated[
        str | None,
        typer.Argument(
            help="one statement that reads, or 'DESCRIBE clip_view'; without it, the tables and views are listed",
            metavar="QUERY",
        ),
    ] = None,
    root: Root = None,
    limit: Annotated[int, typer.Option("--rows", help="rows to print; 0 for all")] = 100,
    csv: Annotated[Path | None, typer.Option("--csv", help="write the whole result to a CSV file")] = None,
    as_json: Json = False,
) -> None:
    """Ask the dataset in SQL (DuckDB). Each table is a view; `clip_view` pools everything per clip."""
    from ..engine.catalog import Catalog
    from ..schemas.tables import TABLES
    from ..schemas.views import VIEWS

    with Catalog(find_root(root)) as catalog:
        if query is None:
            rows = [
                {
                    "name": n,
                    "rows": catalog.rows(f"SELECT count(*) AS n FROM {n}")[0]["n"],
                    "about": t.doc.split(". ")[0].rstrip("."),
                }
                for n, t in TABLES.items()
                if n != "head"
            ]
            rows += [
                {"name": n, "rows": None, "about": v.doc.split(". ")[0].rstrip(".")}
                for n, v in VIEWS.items()
                if v.columns
            ]
            print_json(rows) if as_json else out.print(table(rows))
            return
        if csv is not None:
            if not csv.parent.is_dir():
                raise UsageError(f"there is no folder {csv.parent} to write {csv.name} to")
            catalog.sql(query).to_csv(str(csv))
            err.print(f"wrote {csv}")
            return
        rows = catalog.rows(query)
    if as_json:
        print_json(rows)
        return
    shown = rows[:limit] if limit else rows
    out.print(table(shown) if rows else "(no rows)")
    if len(shown) < len(rows):
        out.print(f"... {len(rows) - len(shown)} more rows (--rows 0 shows all)", style="dim")


@command
def show(
    what: Annotated[
        list[str] | None,
        typer.Argument(help="sample identifiers (or their starts); none: a contact sheet", metavar="SAMPLE"),
    ] = None,
    root: Root = None,
    task: Annotated[str | None, typer.Option("--task", help="only this task")] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--where", help="SQL condition on columns of samples and verdicts, for example \"origin = 'real'\""
        ),
    ] = None,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="samples on the contact sheet")] = 12,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="folder for the pictures and the page; default: `pictures` in the dataset"),
    ] = None,
    scene: Annotated[
        str | None,
        typer.Option(
            "--scene",
            help="draw the scene of a medium (start of its media_id or title): from above, in 3D, frames with all tracks",
            metavar="MEDIUM",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw samples: frames, timeline with words and texts, question, options, answer, checks; as PNG and one HTML page."""
    from ..outputs.show import show_samples

    place = find_root(root)
    if scene is not None:
        from ..outputs.scene_pictures import show_scene

        drawn = show_scene(place, scene, output)
        files = [str(f) for f in (drawn.plan, drawn.frames, drawn.page) if f is not None]
        if as_json:
            print_json({"page": str(drawn.page), "pictures": files[:-1]})
        else:
            for file in files:
                out.print(near(Path(file)), markup=False)
        return
    made = show_samples(place, ids=tuple(what or ()), task=task, where=where, number=number, folder=output)
    if as_json:
        print_json({"page": str(made.page), "pictures": [str(p) for p in made.pictures]})
        return
    for picture in made.pictures:
        out.print(near(picture), markup=False)
    out.print(f"[bold]{near(made.page)}[/] shows {len(made.pictures)} samples")


@command
def verify(
    root: Root = None,
    task: Annotated[str | None, typer.Option("--task", help="only this task")] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="also look for the answers in the packaged media by a second method")
    ] = False,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="--deep, and again with evidence, sound or picture taken away")
    ] = False,
    share: Annotated[float, typer.Option("--share", min=0, max=1, help="deep: share of each task and grade")] = 0.01,
    least: Annotated[int, typer.Option("--least", min=1, help="deep: at least so many of each task and grade")] = 5,
    everything: Annotated[bool, typer.Option("--all", help="deep: every packaged sample")] = False,
    package: Annotated[str | None, typer.Option("--package", help="deep: only media of this package")] = None,
    seed: Annotated[int, typer.Option("--seed", help="deep: of the draw")] = 0,
    min_agreement: Annotated[
        float,
        typer.Option("--min-agreement", min=0, max=1, help="deep: fail when a task's agreement is surely below this"),
    ] = 0.8,
    whisper: Annotated[
        Path | None, typer.Option("--whisper", help="deep: weights of the second speech recogniser")
    ] = None,
    shots: Annotated[str, typer.Option("--shots", help="deep: auto, content, adaptive, transnetv2 or none")] = "auto",
    as_json: Json = False,
) -> None:
    """Recompute every answer from its evidence; exit code 1 when one does not follow.

    With --deep a second method looks for the answers of some samples in the packaged media; exit code 1 also when a task's
    agreement is below --min-agreement beyond doubt (upper end of its 95% interval).
    """
    from .verify import verify_root

    place = find_root(root)
    report = verify_root(place, task=task)
    found = report.as_dict()
    if not as_json:
        out.print(table(report.by_task))
        for problem in report.problems:
            out.print(f"[red]{problem['problem']}[/] {problem['task']} {problem['sample_id']}")
            out.print(f"  {problem['reason']}", markup=False)
        word = "mismatch" if len(report.problems) == 1 else "mismatches"
        out.print(
            f"{report.samples} samples, {report.recomputed} recomputed, {len(report.problems)} {word}, {report.seconds:.2f} s"
        )
    failed = bool(report.problems)
    if deep or ablate:
        from .cli_deep import deep_command

        settings = {"whisper": whisper, "shots": shots}
        drawing = {"share": share, "least": least, "everything": everything, "package": package, "task": task}
        said = deep_command(place, settings, drawing | {"seed": seed, "ablate": ablate}, min_agreement, quiet=as_json)
        found |= {"deep": said}
        failed = failed or bool(said["below_min_agreement"])
    if as_json:
        print_json(found)
    if failed:
        raise typer.Exit(FAILED)


@command
def package(
    recipe: Annotated[str, typer.Argument(help="recipe file, or the name of a built-in recipe", metavar="RECIPE")],
    root: Root = None,
    only: Annotated[str | None, typer.Option("--only", help="only this package of the recipe")] = None,
    as_json: Json = False,
) -> None:
    """Write the recipe's packages from the dataset as it is; unchanged packages are left alone."""
    from .cli_build import print_packages
    from .packages import package_all
    from .recipe import Recipe

    read = Recipe.read(recipe)
    if not read.packages:
        raise UsageError(f"recipe {read.name} names no packages; add a `package:` section")
    made = package_all(read, find_root(root, read.name), only=only)
    if as_json:
        print_json(made)
        return
    print_packages(made)
