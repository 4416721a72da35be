"""The command `rollout`: a model under test answers the samples of a dataset, and how hard they are for it is kept."""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import FAILED, Json, Root, UsageError, command, err, find_root, need, out, print_json, table

if TYPE_CHECKING:
    from ..engine.llm.settings import ModelSettings
    from .rollout import Rolled


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rollout", rich_help_panel="Look at it and take it out")(rollout)


@command
def rollout(
    recipe: Annotated[
        str | None,
        typer.Argument(help="recipe that names the role, or a dataset root with --base-url", metavar="RECIPE-or-ROOT"),
    ] = None,
    root: Root = None,
    role: Annotated[str | None, typer.Option("--role", help="role of the recipe's `models:`")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="endpoint, instead of a role")] = None,
    model: Annotated[str | None, typer.Option("--model", help="the endpoint's name of the model")] = None,
    key_variable: Annotated[
        str | None, typer.Option("--key-variable", help="environment variable that holds the key, with --base-url")
    ] = None,
    attempts: Annotated[int, typer.Option("-k", "--attempts", min=1, help="independent answers to each sample")] = 8,
    profile: Annotated[
        str, typer.Option("--profile", help="trainer profile whose frames are shown (`chronotope profiles`)")
    ] = "qwen2.5-vl-2fps",
    task: Annotated[str | None, typer.Option("--task", help="only this task")] = None,
    where: Annotated[
        str | None,
        typer.Option("--where", help="SQL condition on columns of `sample_view`, such as \"split = 'train'\""),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="at most so many samples, drawn by lot")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="also samples that the profile does not show well enough to be answered")
    ] = False,
    temperature: Annotated[float, typer.Option("--temperature", min=0, help="of sampling")] = 1.0,
    think: Annotated[bool, typer.Option("--think", help="let it write a thought before the answer")] = False,
    max_frames: Annotated[
        int | None,
        typer.Option("--max-frames", min=1, help="frames of one question, at most; default: all that are drawn"),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="of the draw, and of the options' letters")] = 0,
    max_requests: Annotated[int | None, typer.Option("--max-requests", min=0, help="hard budget: requests")] = None,
    max_tokens: Annotated[int | None, typer.Option("--max-tokens", min=0, help="hard budget: tokens")] = None,
    max_money: Annotated[float | None, typer.Option("--max-money", min=0, help="hard budget: money")] = None,
    as_json: Json = False,
) -> None:
    """Let a model answer stored samples k times with the frames its trainer would show; keep answers, rewards, difficulty.

    Nothing is asked twice: run it again to go on, or after a build for what is new. Exit code 1 when samples are left
    without their replies (endpoint down, budget spent).
    """
    need("llm")
    from ..engine.answering.trainer_profiles import ProfileError, load_profile
    from ..engine.catalog import QueryError
    from ..engine.llm.settings import BudgetSettings
    from .rollout import RolloutSettings, roll
    from .rollout_rows import write_attempts
    from .rollout_source import Choice

    place, settings, budget = _asked(recipe, root, role, base_url, model, key_variable)
    given = {"requests": max_requests, "tokens": max_tokens, "money": max_money}
    budget |= {name: bound for name, bound in given.items() if bound is not None}
    try:
        shown = load_profile(profile)
    except ProfileError as error:
        raise UsageError(f"--profile: {error}") from None
    choice = Choice(shown, task, where, limit, max_frames, everything, settings.sees != "nothing", seed)
    wanted = RolloutSettings(settings, choice, attempts, temperature, think, BudgetSettings.model_validate(budget))
    run_id = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    try:
        rolled = _with_progress(lambda told: roll(place, wanted, run_id, told), settings, quiet=as_json)
    except QueryError as error:
        raise UsageError(f"--where: {error}") from None
    rows = write_attempts(place, rolled.attempts, settings.name, shown.name, run_id, wait_s=60.0)
    said = _said(rolled, settings, shown.name, rows)
    if as_json:
        print_json(said)
    else:
        _show(said, rolled, settings.price.currency)
    if rolled.failed:
        raise typer.Exit(FAILED)


def _asked(
    recipe: str | None,
    root: Path | None,
    role: str | None,
    base_url: str | None,
    model: str | None,
    key_variable: str | None,
) -> tuple[Path, ModelSettings, dict[str, Any]]:
    """The root, the model under test, and the recipe's budget. Raises `UsageError`."""
    from pydantic import ValidationError

    from ..engine.llm.settings import ModelSettings
    from .recipe import Recipe

    if base_url is not None:
        if role is not None:
            raise UsageError("give --role or --base-url, not both")
        if model is None:
            raise UsageError("--base-url needs --model NAME")
        if key_variable is not None and not os.environ.get(key_variable):
            raise UsageError(f"--key-variable: {key_variable} is not set")
        try:
            settings = ModelSettings(base_url=base_url, model=model, key_variable=key_variable)
        except ValidationError as error:
            raise UsageError(f"--base-url: {error.errors()[0]['msg']}") from None
        if recipe is not None and not Path(recipe).is_dir():
            return find_root(root, Recipe.read(recipe).name), settings, {}
        return find_root(root if recipe is None else Path(recipe)), settings, {}
    if recipe is None or role is None:
        raise UsageError("name who answers: RECIPE --role ROLE, or --base-url URL --model NAME")
    if Path(recipe).is_dir():
        raise UsageError("roles stand in a recipe; give the recipe, and the dataset with --root")
    read = Recipe.read(recipe)
    if role not in read.models.roles:
        why = read.models.missing.get(role)
        known = ", ".join(read.models.roles) or "none"
        raise UsageError(f"--role {role}: {why or f'the recipe has no such role with an endpoint; it has: {known}'}")
    return find_root(root, read.name), read.models.roles[role], read.models.budget.model_dump(exclude_none=True)


def _with_progress(work: Any, settings: ModelSettings, *, quiet: bool) -> Rolled:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=quiet or not err.is_terminal) as bars:
        bar = bars.add_task(f"{settings.name} answers", total=None)
        rolled: Rolled = work(lambda done, of: bars.update(bar, completed=done, total=of))
    return rolled


def _said(rolled: Rolled, settings: ModelSettings, profile: str, rows: int) -> dict[str, Any]:
    """What `--json` prints."""
    by_task: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for attempt in rolled.attempts:
        by_task[attempt.task][attempt.sample_id].append(attempt)
    tasks = []
    for task, samples in sorted(by_task.items()):
        means = [sum(a.reward for a in made) / len(made) for made in samples.values()]
        right = [sum(a.correct for a in made) / len(made) for made in samples.values()]
        tasks.append(
            {
                "task": task,
                "samples": len(samples),
                "attempts": sum(len(made) for made in samples.values()),
                "mean_reward": round(sum(means) / len(means), 4),
                "difficulty": round(1 - sum(means) / len(means), 4),
                "always_right": sum(share == 1 for share in right),
                "sometimes": sum(0 < share < 1 for share in right),
                "never": sum(share == 0 for share in right),
            }
        )
    return {
        "model": settings.name,
        "profile": profile,
        "samples": rolled.samples,
        "rows": rows,
        "calls": rolled.calls,
        "known": rolled.cached,
        "requests": rolled.spent.requests,
        "tokens": rolled.spent.tokens,
        "money": round(rolled.spent.money, 6),
        "unusable_replies": dict(sorted(rolled.unusable.items())),
        "samples_without_replies": dict(sorted(rolled.failed.items())),
        "left_out": dict(sorted(rolled.left_out.items())),
        "samples_with_fewer_frames": rolled.thinned,
        "pictures_from_stored_frames": rolled.from_stored,
        "tasks": tasks,
    }


def _show(said: dict[str, Any], rolled: Rolled, currency: str) -> None:
    out.print(table(said["tasks"]) if said["tasks"] else "(no attempts)")
    out.print(
        f"{said['model']} with the frames of {said['profile']}: {said['rows']} attempts at {said['samples']} samples, "
        f"{said['requests']} requests ({said['known']} answers known already), {said['tokens']} tokens"
        + (f", {said['money']:g} {currency}" if said["money"] else "")
    )
    for kind, n in said["unusable_replies"].items():
        out.print(f"[yellow]{n} unusable {'reply' if n == 1 else 'replies'}[/] ({kind}): counted as 0")
    for rule, n in said["left_out"].items():
        out.print(f"{n} samples left out: {rule}", style="dim", markup=False)
    if rolled.thinned:
        out.print(
            f"{rolled.thinned} samples shown with fewer frames than the profile draws (--max-frames)", style="dim"
        )
    if rolled.from_stored:
        out.print(f"{rolled.from_stored} pictures taken from `frames`: their media cannot be opened", style="dim")
    for reason, n in said["samples_without_replies"].items():
        out.print(f"[red]{n} samples without replies[/]")
        out.print(f"  {reason}", markup=False)
    if said["tasks"]:
        out.print(
            'next: chronotope sql "SELECT * FROM rollout_view"; choose by rollout_difficulty of sample_view',
            markup=False,
        )
