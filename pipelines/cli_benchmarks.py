"""Commands about benchmarks: register what a model is tested on, and find which samples stand in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .console import FAILED, Json, Root, UsageError, command, err, find_root, near, out, print_json, table

Name = Annotated[str, typer.Argument(help="name of the benchmark", metavar="NAME")]
group = typer.Typer(help="Register benchmarks, so that their media and questions stay out of training data.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    panel = "Look at it and take it out"
    group.command("add")(add)
    group.command("list")(list_)
    group.command("export")(export)
    group.command("remove")(remove)
    app.add_typer(group, name="benchmark", rich_help_panel=panel, no_args_is_help=True)
    app.command("decontaminate", rich_help_panel=panel)(decontaminate)


@command
def add(
    name: Name,
    ids: Annotated[
        Path | None,
        typer.Option("--ids", help="file of identifiers or file names: one a line, or CSV, TSV, JSON, JSONL, Parquet"),
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id-column", help="its column, when the name does not tell")
    ] = None,
    videos: Annotated[
        Path | None, typer.Option("--videos", help="folder of its videos (or one); only sketches are kept")
    ] = None,
    fps: Annotated[float, typer.Option("--fps", min=0.5, max=30, help="pictures per second that are sketched")] = 4.0,
    embed: Annotated[
        str | None,
        typer.Option(
            "--embed",
            metavar="MODEL",
            help="sketch the videos' CLIP embeddings too: the model of the recipe's clip_embedding, as NAME/TAG, "
            "composed-tiny or a folder",
        ),
    ] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", help="file of its questions, in the same forms; only hashes are kept")
    ] = None,
    question_column: Annotated[
        str | None, typer.Option("--question-column", help="its column, when the name does not tell")
    ] = None,
    sketches: Annotated[
        Path | None,
        typer.Option("--sketches", help="file that `benchmark export` wrote, instead of the benchmark itself"),
    ] = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Register a benchmark, or add to one. Without options: one of the lists that Chronotope carries."""
    from .benchmark_inputs import Inputs, read_ids, read_questions, read_sketches, shipped
    from .benchmarks import add as register_rows

    if embed is not None and videos is None:
        raise UsageError("--embed sketches videos; name their folder with --videos")
    place = find_root(root)
    parts: list[Inputs] = []
    if not (ids or videos or questions or sketches):
        if name not in shipped():
            raise UsageError(
                f"say what {name} holds: --ids FILE, --videos FOLDER, --questions FILE or --sketches FILE; without them "
                f"the name is one of the lists that Chronotope carries: {', '.join(shipped())}"
            )
        ids = shipped()[name]
    parts += [read_ids(ids, id_column)] if ids else []
    parts += [read_questions(questions, question_column)] if questions else []
    parts += [read_sketches(sketches)] if sketches else []
    parts += [_sketched(videos, fps, embed, quiet=as_json)] if videos else []
    line = register_rows(place, name, [row for part in parts for row in part.rows])
    failed = [f for part in parts for f in part.failed]
    short = sum(part.too_short for part in parts)
    columns = {k: v for part in parts for k, v in part.columns.items()}
    if as_json:
        print_json(
            {**line, "columns": columns, "too_short": short, "failed": [{"file": f, "why": w} for f, w in failed]}
        )
    else:
        for what, column in columns.items():
            out.print(f"{what}: from column {column!r}", markup=False)
        if short:
            out.print(f"{short} questions of fewer than eight words were left out: they say too little")
        out.print(table([line]))
        for file, why in failed:
            err.print(f"[red]not sketched[/] {near(file)}: ", end="")
            err.print(why, markup=False)
        out.print(
            "`chronotope decontaminate` finds the samples that stand in it; so does the next build.", markup=False
        )
    if failed:
        raise typer.Exit(FAILED)


def _sketched(folder: Path, fps: float, model: str | None, quiet: bool) -> Any:
    from rich.progress import Progress

    from .benchmark_inputs import sketch_folder

    with Progress(console=err, disable=quiet or not err.is_terminal, transient=True) as bars:
        task = bars.add_task("sketching", total=None)

        def told(name: str) -> None:
            bars.update(task, advance=1, description=f"sketched {name}")

        return sketch_folder(folder, fps, told, model)


@command
def list_(root: Root = None, as_json: Json = False) -> None:
    """List the registered benchmarks, and the lists that Chronotope carries."""
    from .benchmark_inputs import shipped
    from .benchmarks import list_all

    lines = list_all(find_root(root))
    if as_json:
        print_json({"registered": lines, "shipped": list(shipped())})
        return
    out.print(table(lines) if lines else "no benchmark is registered; `chronotope benchmark add NAME` adds one")
    out.print(f"lists that Chronotope carries: {', '.join(shipped())}", style="dim")


@command
def export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="file to write, for example vsi.sketches", metavar="FILE")],
    root: Root = None,
) -> None:
    """Write a benchmark's identifiers and sketches to one file, which holds no footage and no question texts."""
    from ..engine.catalog import Catalog
    from .benchmark_inputs import write_sketches
    from .benchmarks import rows_of

    with Catalog(find_root(root)) as catalog:
        rows = rows_of(catalog, name)
    if not rows:
        raise UsageError(f"no benchmark {name} is registered here; `chronotope benchmark list` shows those that are")
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent} to write {file.name} to")
    write_sketches(rows, file)
    out.print(f"wrote {near(file)}: {len(rows)} items, {file.stat().st_size / 1e6:.2f} MB", markup=False)


@command
def remove(name: Name, root: Root = None) -> None:
    """Forget a benchmark."""
    from .benchmarks import remove as forget

    forget(find_root(root), name)
    out.print(f"forgot {name}; `chronotope decontaminate` or the next build frees its samples", markup=False)


@command
def decontaminate(root: Root = None, as_json: Json = False) -> None:
    """Find the samples that stand in registered benchmarks: by identifier, by copied pictures or embeddings, by question."""
    from .decontaminate import decontaminate as check
    from .progress import BuildProgress

    place = find_root(root)
    with BuildProgress(err, quiet=as_json) as progress:
        report = check(place, progress.told)
    if as_json:
        print_json(report)
        return
    if report["found"]:
        out.print(table(report["found"]))
    out.print(
        f"{report['contaminated']} of {report['samples']} samples stand in a registered benchmark"
        + ("" if report["changed"] else " (nothing had changed)")
        + ("; packages leave them out unless they say `contaminated: keep`" if report["contaminated"] else ""),
        markup=False,
    )
