"""Commands around a dataset: `init`, `doctor`, `compose`, `export-clip`, and the lists of what there is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import FAILED, Json, UsageError, command, err, need, out, print_json, table


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init", rich_help_panel="Start and prepare")(init)
    app.command("doctor", rich_help_panel="Start and prepare")(doctor)
    app.command("annotators", rich_help_panel="What there is")(annotators)
    app.command("tasks", rich_help_panel="What there is")(tasks)
    app.command("importers", rich_help_panel="What there is")(importers)
    app.command("composers", rich_help_panel="What there is")(composers)
    app.command("packagers", rich_help_panel="What there is")(packagers)
    app.command("recipes", rich_help_panel="What there is")(recipes)
    app.command("compose", rich_help_panel="Start and prepare")(compose)
    app.command("export-clip", rich_help_panel="Start and prepare")(export_clip)
    app.command("demo", rich_help_panel="Start and prepare")(demo)


@command
def init(
    source: Annotated[
        str, typer.Argument(help="folder of videos, or a CSV, JSONL or Parquet manifest", metavar="FOLDER-or-CSV")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="recipe file to write; default: ./<name>.yaml")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="name of the recipe; default: that of the folder or file")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="replace an existing file")] = False,
) -> None:
    """Look at your footage and write a commented recipe for it."""
    from .init import write_recipe

    made = write_recipe(source, output, name, force)
    out.print(f"wrote [bold]{made.path}[/]: {made.found}")
    for note in made.notes:
        out.print(f"  {note}", markup=False)
    out.print(f"next: chronotope plan {made.path}; chronotope build {made.path} --limit 3", markup=False)


@command
def doctor(
    models: Annotated[
        str | None,
        typer.Option("--models", help="ask the endpoints that this recipe names under `models:`", metavar="RECIPE"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check this machine: libraries, optional parts, models that installed packages carry, accelerators, disk.

    With --models RECIPE, check the language models of a recipe instead, with a handful of small requests for each: reach,
    structured output, sight, context, limits, price. Exit code 1 when one cannot do what the recipe asks of it.
    """
    from .doctor import examine

    checks = examine() if models is None else _asked_models(models, as_json)
    if as_json:
        print_json([c.__dict__ for c in checks])
    else:
        width = max(26, *(len(c.name) for c in checks))
        for check in checks:
            mark = {"ok": "[green]ok[/]     ", "missing": "[yellow]missing[/]", "bad": "[red]bad[/]    "}[check.state]
            out.print(f"{mark} {check.name:<{width}} {check.detail}")
    if any(c.state == "bad" for c in checks):
        raise typer.Exit(FAILED)


def _asked_models(recipe: str, quiet: bool) -> list[Any]:
    need("llm")
    from .doctor_models import announced, examine_models
    from .recipe import Recipe

    asked = Recipe.read(recipe).models
    if not asked.roles and not asked.missing:
        raise UsageError(f"{recipe} names no roles under `models:`")
    if asked.roles and not quiet:
        err.print(announced(asked))
    return examine_models(asked)


def _list(kind: str, wanted: Any, as_json: bool) -> None:
    from ..engine.registry import find, first_sentence, names
    from ..engine.task import Task
    from .reference import shape_of

    rows = []
    for name in names(kind):
        thing = find(kind, name)
        if wanted(thing):
            row = {"name": name, "about": first_sentence(sys.modules[thing.__module__]) or first_sentence(thing)}
            if kind == "annotator" and not issubclass(thing, Task):
                row = {"name": name, "shape": shape_of(thing), "writes": ", ".join(thing.writes), "about": row["about"]}
            rows.append(row)
    print_json(rows) if as_json else out.print(table(rows))


@command
def annotators(
    name: Annotated[str | None, typer.Argument(help="show one annotator's parameters", metavar="NAME")] = None,
    as_json: Json = False,
) -> None:
    """List annotators, or show the parameters of one."""
    from ..engine.task import Task

    if name is None:
        _list("annotator", lambda c: not issubclass(c, Task), as_json)
    else:
        _describe("annotator", name, as_json)


@command
def tasks(
    name: Annotated[str | None, typer.Argument(help="show one task's parameters", metavar="NAME")] = None,
    as_json: Json = False,
) -> None:
    """List tasks, or show the parameters of one."""
    from ..engine.task import Task

    if name is None:
        _list("annotator", lambda c: issubclass(c, Task), as_json)
    else:
        _describe("annotator", name, as_json)


@command
def importers(
    name: Annotated[str | None, typer.Argument(help="show one importer's parameters", metavar="NAME")] = None,
    as_json: Json = False,
) -> None:
    """List importers of published annotations (`import:` in sources), or show the parameters of one (`with:`)."""
    if name is None:
        _list("importer", lambda c: True, as_json)
    else:
        _describe("importer", name, as_json)


@command
def composers(
    name: Annotated[str | None, typer.Argument(help="show one composer's parameters", metavar="NAME")] = None,
    as_json: Json = False,
) -> None:
    """List composers of media (`compose:` in sources), or show the parameters of one (`with:`)."""
    if name is None:
        _list("composer", lambda c: True, as_json)
    else:
        _describe("composer", name, as_json)


@command
def packagers(
    name: Annotated[str | None, typer.Argument(help="show one packager's parameters", metavar="NAME")] = None,
    as_json: Json = False,
) -> None:
    """List packagers, or show the parameters of one."""
    if name is None:
        _list("packager", lambda c: True, as_json)
    else:
        _describe("packager", name, as_json)


def _describe(kind: str, name: str, as_json: bool) -> None:
    import inspect

    from ..engine.registry import find
    from .reference import parameters

    thing = find(kind, name)
    rows = parameters(thing.Params)
    if as_json:
        print_json({"name": name, "about": inspect.getdoc(thing), "parameters": rows})
        return
    out.print(f"[bold]{name}[/]: {inspect.getdoc(thing)}")
    out.print(table(rows) if rows else "(no parameters)")


@command
def recipes(
    literature: Annotated[
        bool,
        typer.Option("--seeds", help="the 85 papers whose data, policies and signals are rebuilt, with their state"),
    ] = False,
    as_json: Json = False,
) -> None:
    """List the recipes that Chronotope carries; with --seeds the papers that they rebuild, with their checks."""
    import yaml

    from .recipe import builtin_recipes

    if literature:
        from .seeds import seed_rows, seeds

        if as_json:
            print_json([{**s.model_dump(by_alias=True), "state": s.state} for s in seeds()])
            return
        out.print(table(seed_rows()))
        counts = [
            f"{sum(s.state == state for s in seeds())} {state}"
            for state in ("ready", "partly", "not yet", "nothing to build")
        ]
        out.print(", ".join(counts))
        return
    rows = [
        {"name": name, "about": str(yaml.safe_load(path.read_text()).get("description", ""))}
        for name, path in builtin_recipes().items()
    ]
    print_json(rows) if as_json else out.print(table(rows))


@command
def compose(
    output: Annotated[Path, typer.Argument(help="video file to write, for example film.mp4", metavar="FILE")],
    seed: Annotated[int, typer.Option("--seed", help="another seed, another film")] = 0,
    scenes: Annotated[int, typer.Option("--scenes", min=1, help="number of scenes")] = 14,
    width: Annotated[int, typer.Option("--width", min=64, help="pixels")] = 640,
    height: Annotated[int, typer.Option("--height", min=36, help="pixels")] = 360,
    narration: Annotated[bool, typer.Option(help="speak over the scenes")] = True,
) -> None:
    """Compose a narrated film whose cuts, words, texts, movements and camera are known exactly."""
    from pydantic import ValidationError

    from ..annotators.compose.events import events_csv
    from ..annotators.compose.film import FilmParams, compose_film
    from ..engine.producer import explain

    if narration:
        need("compose")
    try:
        params = FilmParams(seed=seed, scenes=scenes, width=width, height=height, narration=narration)
    except ValidationError as error:
        raise UsageError(explain(error, FilmParams)) from None
    output.parent.mkdir(parents=True, exist_ok=True)
    truth = compose_film(output, params)
    beside, events = output.with_suffix(".truth.json"), output.with_suffix(".events.csv")
    beside.write_text(truth.to_json())
    events.write_text(events_csv(truth, output.name), encoding="utf-8")
    out.print(
        f"{output}: {truth.duration_s:.1f} s, {len(truth.shots)} shots, {len(truth.words)} words; truth in {beside}, "
        f"events in {events}"
    )


@command
def export_clip(
    model: Annotated[str, typer.Argument(help="open_clip model name, for example ViT-B-32", metavar="MODEL")],
    output: Annotated[Path, typer.Argument(help="folder to write", metavar="FOLDER")],
    pretrained: Annotated[
        str | None, typer.Option("--pretrained", help="pretrained tag, or path of a checkpoint")
    ] = None,
) -> None:
    """Export an open_clip model to ONNX, so that it runs without torch (`clip_embedding: {backend: onnx, path: FOLDER}`)."""
    from ..annotators.vision.clip_export import export_clip as export

    need("clip")
    made = export(model, pretrained, output)
    out.print(f"wrote {output}")
    if made is not None:
        out.print(str(made), markup=False)


@command
def demo(
    root: Annotated[Path, typer.Option("--root", help="folder for the film, the dataset and its copies")] = Path(
        ".demo"
    ),
    footage: Annotated[
        list[Path] | None,
        typer.Option(
            "--footage", help="folder with real footage; may be given several times; `make demo` fetches some"
        ),
    ] = None,
) -> None:
    """Build the quickstart on real footage and a composed film, and show what came out."""
    from .demo import run_demo

    if not run_demo(root, tuple(footage or ())):
        raise UsageError("the demo found a mismatch; see above")
    err.print("[dim]demo finished[/]")
