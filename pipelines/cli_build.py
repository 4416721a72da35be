"""Commands that build and tell about builds: `build`, `plan`, `status`, `show-error`."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from .console import (
    FAILED,
    MOST_FAILURES,
    Json,
    Root,
    UsageError,
    command,
    err,
    find_root,
    near,
    out,
    print_json,
    table,
)

RecipeArg = Annotated[str, typer.Argument(help="recipe file, or the name of a built-in recipe", metavar="RECIPE")]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="only the first N files, in the order of their paths")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("build", rich_help_panel="Build a dataset")(build)
    app.command("plan", rich_help_panel="Build a dataset")(plan)
    app.command("status", rich_help_panel="Build a dataset")(status)
    app.command("show-error", rich_help_panel="Build a dataset")(show_error)


@command
def build(
    recipe: RecipeArg,
    root: Root = None,
    limit: Limit = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="parallel workers; default: one per core")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="also try units again whose failure was permanent")
    ] = False,
    rehash: Annotated[
        bool, typer.Option("--rehash", help="read every file again instead of trusting size and time")
    ] = False,
    package: Annotated[bool, typer.Option(help="write the recipe's packages at the end")] = True,
    max_requests: Annotated[
        int | None,
        typer.Option("--max-requests", min=0, help="requests to language models, instead of the recipe's budget"),
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=0, help="tokens, instead of the recipe's budget")
    ] = None,
    max_money: Annotated[
        float | None, typer.Option("--max-money", min=0, help="money, instead of the recipe's budget")
    ] = None,
    wait: Annotated[float, typer.Option("--wait", help="seconds to wait for a busy root")] = 0.0,
    as_json: Json = False,
) -> None:
    """Build a dataset, or bring it up to date: only what is new or changed is worked on."""
    from .build import Build
    from .costs import costs
    from .progress import BuildProgress
    from .recipe import Recipe
    from .status import summary

    read = Recipe.read(recipe)
    place = find_root(root, read.name)
    with BuildProgress(err, quiet=as_json) as progress:
        work = Build(
            read,
            place,
            told=progress.told,
            workers=workers,
            limit=limit,
            retry_failed=retry_failed,
            rehash=rehash,
            budget={"requests": max_requests, "tokens": max_tokens, "money": max_money},
        )
        report = work.run(wait_s=wait)
    if package and read.packages:
        from .packages import package_all

        report.packages = package_all(read, place)
    report.asked = [] if report.did_nothing else costs(place, report.run_id)["by_producer"]
    facts = summary(place, read.name)
    troubled = bool(facts["failures"] or report.unaccounted)
    if as_json:
        print_json({"build": report.__dict__, **facts})
    else:
        print_summary(report, facts)
    if troubled:
        raise typer.Exit(FAILED)


def print_summary(report: Any, facts: dict[str, Any]) -> None:
    """The end of a build, for people."""
    footage_h = sum(m["hours"] or 0.0 for m in facts["media"] if m["origin"] != "edited")
    count = sum(m["media"] for m in facts["media"])
    out.print(f"\n[bold]{report.recipe}[/] -> {near(report.root)} (version {report.dataset_version})")
    if report.did_nothing:
        out.print(f"Nothing to do: everything is up to date ({report.seconds:.2f} s, Ray not started).")
    else:
        speed = f", {report.source_s / report.seconds:.1f} h of footage per hour" if report.source_s else ""
        ratio = f", decoded {report.decoded_s / report.source_s:.2f} of it" if report.source_s else ""
        out.print(
            f"{count} media, {footage_h:.2f} h; saw {report.source_s:.0f} s of footage{ratio}, "
            f"{report.model_calls} model calls, {report.seconds:.1f} s{speed}"
        )
        if report.models:
            out.print("models: " + ", ".join(f"{n} ({m['found_in']})" for n, m in report.models.items()), markup=False)
    if facts["funnel"]:
        out.print("\n[bold]Clips[/]")
        out.print(table(facts["funnel"]))
    if facts["samples"]:
        out.print("\n[bold]Samples[/]")
        out.print(table(facts["samples"]))
    if report.packages:
        out.print("\n[bold]Packages[/]")
        print_packages(report.packages)
    if report.stages and not report.did_nothing:
        slow = [{"stage": k, "seconds": v} for k, v in report.stages.items() if v >= 0.05]
        out.print("\n[bold]Seconds per stage[/]")
        out.print(table(slow))
    if report.asked:
        out.print("\n[bold]Language models[/]")
        out.print(table(report.asked))
    for row in facts["without_models"]:
        out.print(f"skipped {row['producer']}: {row['rule']}", markup=False)
    print_without_samples(facts["without_samples"])
    for line in report.unaccounted:
        out.print(f"[bold red]not accounted for[/] {line}")
    print_failures(facts["failures"])


def print_without_samples(tasks: list[dict[str, Any]]) -> None:
    """Tasks that asked nothing, and why."""
    for row in tasks:
        why = f": {'; '.join(row['reasons'])} (tables withheld and ledger)" if row["reasons"] else ""
        out.print(f"no samples of {row['producer']}{why}", markup=False)


def print_packages(packages: list[dict[str, Any]]) -> None:
    """Packages, and what was left out of them by rule."""
    names = ("package", "inputs", "packaged", "media_files", "unchanged", "path")
    out.print(table([{**entry, "path": near(entry["path"])} for entry in packages], names))
    for entry in packages:
        for reason, number in entry["left_out"].items():
            out.print(f"  {entry['package']}: left out {number}: {reason}", markup=False)


def print_failures(failures: list[dict[str, Any]]) -> None:
    """Failed units: the first of each producer, and how many more there are."""
    if failures:
        out.print(f"\n[bold red]{len(failures)} failed[/] (`chronotope show-error UNIT` tells more)")
        counts = Counter(row["producer"] for row in failures)
        shown: Counter[str] = Counter()
        for row in failures:
            shown[row["producer"]] += 1
            if shown[row["producer"]] > MOST_FAILURES:
                continue
            blocks = f"; blocks {row['blocks']} producers" if row["blocks"] else ""
            out.print(
                f"  {row['producer']}: {row['source']}\n    {row['error']}{blocks}\n    unit {row['unit']}",
                markup=False,
            )
        for producer, count in counts.items():
            if count > MOST_FAILURES:
                out.print(
                    f"  {producer}: {count - MOST_FAILURES} more (`chronotope status --json` lists all)", markup=False
                )


@command
def plan(
    recipe: RecipeArg,
    root: Root = None,
    limit: Limit = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="include units that failed for good")] = False,
    as_json: Json = False,
) -> None:
    """Say what a build would do, why, and about how long it takes; change nothing."""
    from .planning import plan_recipe
    from .recipe import Recipe

    read = Recipe.read(recipe)
    place = find_root(root, read.name)
    lines = plan_recipe(read, place, retry_failed=retry_failed, limit=limit)
    if as_json:
        print_json([line.as_dict() for line in lines])
        return
    shown = [
        {
            "producer": line.producer,
            "units": line.units,
            "run": ("at most " if line.at_most else "") + str(line.run),
            "gone": line.gone,
            "footage": f"{line.footage_s:.0f} s" if line.footage_s else "",
            "about": "" if line.seconds is None or not line.run else f"{line.seconds:.1f} s",
            "why": line.reason,
        }
        for line in lines
    ]
    out.print(table(shown))
    print_asks(read, [line for line in lines if line.shape == "model"])
    if not any(line.run or line.gone for line in lines):
        out.print("Nothing to do.")


def print_asks(recipe: Any, lines: list[Any]) -> None:
    """What the plan would ask of language models, and what that costs."""
    asks = [{"producer": line.producer, **ask} for line in lines for ask in line.asks]
    if asks:
        out.print("\n[bold]Language models[/]")
        out.print(table(asks))
        total = {k: sum(a[k] for a in asks) for k in ("requests", "prompt_tokens", "reply_tokens", "money")}
        names = sorted({a["currency"] for a in asks})
        out.print(
            f"about {total['requests']} requests, {total['prompt_tokens'] + total['reply_tokens']} tokens, "
            f"{total['money']:.4f} {'/'.join(names)}",
            markup=False,
        )
        budget = recipe.models.budget
        over = [
            f"{name} {limit:g}"
            for name, limit, need in (
                ("requests", budget.requests, total["requests"]),
                ("tokens", budget.tokens, total["prompt_tokens"] + total["reply_tokens"]),
                ("money", budget.money, total["money"]),
            )
            if limit is not None and need > limit
        ]
        if over:
            out.print(
                f"The budget ({', '.join(over)}) ends it before; what is left comes with the next build.", markup=False
            )
    waiting = [line.producer for line in lines if line.at_most and line.run]
    if waiting and recipe.models.roles:
        out.print(
            f"{', '.join(waiting)}: what they ask is known once what they read is annotated (`chronotope build "
            "--max-requests 0` does that and asks nothing).",
            markup=False,
        )


@command
def status(
    root: Root = None,
    digests: Annotated[
        bool, typer.Option("--digests", help="add a digest of every table; equal builds have equal ones")
    ] = False,
    cost: Annotated[
        bool,
        typer.Option("--cost", help="what language models were asked and what it cost, by producer, model and day"),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what a dataset holds: media, the funnel, samples, units by status, failures."""
    from ..engine.store import Store
    from .costs import costs
    from .status import summary

    place = find_root(root)
    if cost:
        spent = costs(place)
        if as_json:
            print_json(spent)
        else:
            print_costs(spent)
        return
    facts = summary(place)
    if digests:
        facts["digests"] = Store.open(place).digests()
    if as_json:
        print_json(facts)
        return
    out.print(f"[bold]{facts['recipe'] or 'dataset'}[/] at {near(place)}, version {facts['dataset_version']}")
    for name in ("media", "funnel", "samples", "ledger"):
        if facts[name]:
            out.print(f"\n[bold]{name}[/]")
            out.print(table(facts[name]))
    if digests:
        out.print("\n[bold]digests[/]")
        out.print(table([{"table": k, "digest": v} for k, v in facts["digests"].items()]))
    print_without_samples(facts["without_samples"])
    print_failures(facts["failures"])


def print_costs(spent: dict[str, list[dict[str, Any]]]) -> None:
    """What language models were asked, and what it cost."""
    if not spent["by_producer"]:
        out.print("No language model was asked.")
    for name, rows in spent.items():
        if rows:
            out.print(f"\n[bold]{name.replace('_', ' ')}[/]")
            out.print(table(rows))


@command
def show_error(
    unit: Annotated[
        str,
        typer.Argument(help="a unit as `status` prints it, the start of one, or part of a file name", metavar="UNIT"),
    ],
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Show why a unit failed, was skipped or is blocked, with the traceback."""
    from ..engine.catalog import Catalog

    with Catalog(find_root(root)) as catalog:
        rows = catalog.rows(
            """
            SELECT DISTINCT l.producer, l.unit, l.status, l.rule, l.error, l.error_kind, l.attempt, l.run_id, l.traceback
            FROM ledger l LEFT JOIN sources s ON s.media_id = l.media_id
            WHERE (starts_with(l.unit, $u) OR contains(coalesce(s.uri, l.unit), $u)) AND l.status <> 'done'
            ORDER BY l.status = 'failed' DESC, l.producer, l.unit LIMIT 50
            """,
            {"u": unit},
        )
        known = catalog.rows(
            """
            SELECT count(DISTINCT (l.producer, l.unit)) AS n FROM ledger l LEFT JOIN sources s ON s.media_id = l.media_id
            WHERE starts_with(l.unit, $u) OR contains(coalesce(s.uri, l.unit), $u)
            """,
            {"u": unit},
        )[0]["n"]
    if as_json:
        print_json(rows)
        return
    if not rows and not known:
        raise UsageError(
            f"no unit starts with {unit!r} and no file name contains it; `chronotope status` lists failures"
        )
    if not rows:
        out.print(f"{known} units are about {unit}; all of them are done.", markup=False)
    for row in rows:
        out.print(f"[bold]{row['producer']}[/] {row['unit']}: {row['status']}", highlight=False)
        out.print(f"  {row['error'] or row['rule']}", markup=False)
        if row["traceback"]:
            out.print(row["traceback"], markup=False, style="dim")
