"""The demo: the quickstart recipe on real footage and a composed film, then eight short looks at what came out.

Real footage lies in folders that the Makefile fills with two packages' test videos. Everything is written below the
demo's folder. A second run finds nothing to do.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from rich.rule import Rule

from ..engine.catalog import Catalog
from ..engine.media.fetch import VIDEO_SUFFIXES
from .build import Build
from .cli_build import print_summary
from .console import err, out, table
from .lies import copy_dataset, plant
from .packages import package_all
from .progress import BuildProgress
from .recipe import Recipe, find_recipe
from .status import funnel, summary
from .verify import verify_root

FILM_SEED = 11
FILM_SCENES = 16
LEFT_ALONE = ("carphone_distorted",)
"""A degraded copy of another video: a near duplicate with nothing new to show."""
STRICTER = ("sharp: sharpness_p10 > q('sharpness_p10', 0.02)", "sharp: sharpness_p10 > q('sharpness_p10', 0.3)")


def run_demo(folder: Path, footage: tuple[Path, ...]) -> bool:
    """Build and show. False when verifying finds a mismatch or a planted lie goes unnoticed."""
    started = time.perf_counter()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    videos = _find_footage(footage)
    (folder / "real.txt").write_text("".join(f"{v}\n" for v in videos))
    _compose(folder / "film.mp4")
    os.environ["CHRONOTOPE_DEMO"] = str(folder)
    recipe = Recipe.read("quickstart")
    root = folder / "quickstart.chronotope"
    with BuildProgress(err) as progress:
        report = Build(recipe, root, told=progress.told).run()
    report.packages = package_all(recipe, root)
    print_summary(report, summary(root, recipe.name))
    good = _verify(root)
    _say("1. The funnel: clips kept and dropped by rule")
    with Catalog(root) as catalog:
        out.print(table(funnel(catalog, recipe.name)))
    _say("2. A contact sheet of samples")
    _contact_sheet(root)
    _say("3. The lie test: five planted lies in a copy of the dataset")
    good = _lies(root, folder / "lies.chronotope") and good
    _say("4. One threshold changed, in another copy")
    _threshold(recipe, root, folder / "stricter.chronotope")
    _say("5. One sample in three coordinate languages")
    _languages(root)
    _say("6. SQL over the dataset")
    _sql(root)
    _say("7. How far it can be trusted: second methods look at the packaged media, baselines try without looking")
    _trust(root)
    _say("8. When: the film's events found again by what is said, written and moves, against their true spans")
    _grounding(root)
    _places(root, folder)
    out.print(f"\nThe whole demo took {time.perf_counter() - started:.1f} s.")
    return good


def _find_footage(folders: tuple[Path, ...]) -> list[Path]:
    found = [p.resolve() for f in folders if f.is_dir() for p in sorted(f.iterdir()) if p.suffix in VIDEO_SUFFIXES]
    found = [p for p in found if p.stem not in LEFT_ALONE]
    if not found:
        err.print(
            "[yellow]no real footage was found[/]: the demo runs on the composed film alone (`make demo` fetches some)"
        )
    return found


def _compose(film: Path) -> None:
    """The composed film, with its truth and its events beside it; composed once."""
    truth, events = film.with_suffix(".truth.json"), film.with_suffix(".events.csv")
    if film.exists() and truth.exists() and events.exists():
        return
    from ..annotators.compose.events import events_csv
    from ..annotators.compose.film import compose_film
    from ..annotators.compose.script import FilmParams

    started = time.perf_counter()
    made = compose_film(film, FilmParams(seed=FILM_SEED, scenes=FILM_SCENES, title="A Small Film"))
    truth.write_text(made.to_json())
    events.write_text(events_csv(made, film.name), encoding="utf-8")
    err.print(f"[dim]composed a narrated film of {made.duration_s:.0f} s in {time.perf_counter() - started:.1f} s[/]")


def _say(title: str) -> None:
    out.print()
    out.print(Rule(title, align="left", style="bold"))


def _verify(root: Path) -> bool:
    report = verify_root(root)
    out.print(
        f"\nverify: {report.recomputed} of {report.samples} samples recomputed from their evidence, "
        f"{len(report.problems)} mismatches, {report.seconds:.2f} s"
    )
    return not report.problems and report.recomputed == report.samples


def _contact_sheet(root: Path) -> None:
    from ..outputs.show import show_samples

    made = show_samples(root, ids=(), task=None, where=None, number=12, folder=None)
    out.print(f"{len(made.pictures)} samples: {made.page}", markup=False)


def _lies(root: Path, copy: Path) -> bool:
    lies = plant(copy_dataset(root, copy))
    named = {p["sample_id"]: p for p in verify_root(copy).problems}
    rows = [
        {
            "lie": lie.kind,
            "task": lie.task,
            "caught": "yes" if lie.sample_id in named else "NO",
            "as": f"{named[lie.sample_id]['problem']}: {named[lie.sample_id]['reason']}"
            if lie.sample_id in named
            else "",
        }
        for lie in lies
    ]
    out.print(table(rows))
    others = [p for sample_id, p in named.items() if sample_id not in {lie.sample_id for lie in lies}]
    if others:
        out.print(f"with {len(others)} of the conversations, which hold one of them", style="dim")
    return all(lie.sample_id in named for lie in lies) and all(p["task"] == "conversation" for p in others)


def _threshold(recipe: Recipe, root: Path, copy: Path) -> None:
    copy_dataset(root, copy)
    (copy / "media").rmdir()
    (copy / "media").symlink_to(root / "media")
    text = recipe.text.replace(*STRICTER)
    started = time.perf_counter()
    report = Build(Recipe.parse(text, find_recipe("quickstart").parent), copy).run()
    seconds = time.perf_counter() - started
    kept = []
    for place in (root, copy):
        with Catalog(place) as catalog:
            kept.append(catalog.rows("SELECT count(*) AS n FROM selection WHERE kept")[0]["n"])
    out.print(f"{STRICTER[0]}\n{STRICTER[1]}", markup=False)
    out.print(
        f"clips kept: {kept[0]} before, {kept[1]} after; {report.model_calls} model calls, "
        f"{report.decoded_s:.0f} s decoded, {seconds:.1f} s; ran {', '.join(sorted(n.partition(':')[0] for n in report.worked))}"
    )


def _languages(root: Path) -> None:
    from ..outputs.languages import say_in

    for line in say_in(root):
        out.print(line, markup=False)


def _sql(root: Path) -> None:
    query = (
        "SELECT title, count(*) AS clips, round(avg(duration_s), 2) AS mean_s, "
        "round(max(motion_mean), 3) AS most_motion, sum(words) AS words, round(max(text_area), 4) AS text_area "
        "FROM clip_view GROUP BY title ORDER BY title"
    )
    out.print(query, markup=False)
    with Catalog(root) as catalog:
        out.print(table(catalog.rows(query)))


def _trust(root: Path) -> None:
    from .cli_deep import deep_command
    from .cli_report import ladder_table, language_table
    from .report import write_report

    drawing = {"share": 0.0, "least": 1, "everything": False, "package": "huggingface", "task": None, "seed": 0}
    deep_command(root, {}, drawing, 0.0, quiet=False)
    made = write_report(root, root / "report")
    out.print()
    if any(t["ladder"]["solvers"] for t in made.figures["tasks"]):
        out.print(ladder_table(made.figures["tasks"]))
    else:
        out.print("ladder of baselines: so little footage gives no held-out groups; from four groups on it is climbed")
    out.print(language_table(made.figures["tasks"]))
    out.print(f"the whole report: {made.page}", markup=False)


def _grounding(root: Path) -> None:
    from .evaluate import Request, evaluate
    from .evaluate_scoring import scoring

    rows = []
    for what in ("candidates", "events"):
        for line in evaluate(root, Request(what), scoring(None)).totals:
            found = {name: figure["value"] for name, figure in line["figures"].items()}
            rows.append({"table": what, "who": line["who"], "items": line["items"], **_some(found)})
    out.print(table(rows))
    out.print(
        "an event that nobody finds counts 0; more: chronotope evaluate events --root ...", style="dim", markup=False
    )


def _some(found: dict[str, float | None]) -> dict[str, str]:
    """The figures that fit on one line."""
    wanted = ("answered", "mIoU", "R@1@0.3", "R@1@0.5", "R@1@0.7")
    return {name: f"{found[name]:.3f}" for name in wanted if found.get(name) is not None}


def _places(root: Path, folder: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"what": "dataset (Delta tables)", "where": str(root / "tables")},
        {"what": "composed media", "where": str(root / "media")},
        *({"what": f"package {p.name}", "where": str(p)} for p in sorted((root / "packages").iterdir()) if p.is_dir()),
        {"what": "contact sheet", "where": str(root / "pictures")},
        {"what": "report", "where": str(root / "report")},
        {"what": "the composed film", "where": str(folder / "film.mp4")},
        {"what": "the recipe", "where": str(find_recipe("quickstart"))},
    ]
    out.print("\nWhere everything lies")
    out.print(table(rows))
    out.print(f"Try: chronotope sql --root {root} 'SELECT * FROM clip_view LIMIT 3'", markup=False)
