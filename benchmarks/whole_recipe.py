"""Every task that asks models, over composed films and a local server: does the plan say what the build asks, and what does a
storm of faulty replies leave behind?

    python benchmarks/whole_recipe.py plan  FILMS WORK   # predicted and real requests and tokens: 6 films, then 8 more
    python benchmarks/whole_recipe.py storm FILMS WORK   # 30% faulty replies over 8 films: calls, samples, rejections

FILMS holds films of `chronotope compose` with their truth files; WORK is a new folder. The server answers from the evidence
in the prompts (`tests/lib/model_server.py`), so the figures are about the engine, not about a model.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "lib"))

from chronotope.engine.catalog import Catalog
from chronotope.pipelines.build import Build
from chronotope.pipelines.costs import costs
from chronotope.pipelines.planning import plan_recipe
from chronotope.pipelines.recipe import Recipe
from model_server import ServerProcess

TEMPLATES = ("speech_grounding", "text_grounding", "temporal_grounding", "moment_choice", "span_choice")
PROPOSED = (
    "video_questions", "dense_caption", "reasoned_when", "long_questions", "fact_fib", "spatial_recaption",
    "text_transfer", "rephrase", "worded_chain", "five_step",
)  # fmt: skip


def recipe(url: str, work: Path) -> Recipe:
    """All that models propose, with the checks that are on by default, but the ladder."""
    at: dict[str, Any] = {"base_url": url, "limits": {"concurrency": 32, "retries": 6}, "max_frames": 8}
    roles = {"captioner": "reader", "checker": "second", "writer": "reader", "judge": "judge"}
    facts = {"facts": ["speech", "text", "shot", "object"]}
    text = {
        "name": "whole",
        "sources": [{"folder": str(work / "films"), "origin": "composed"}],
        "models": {**{role: {**at, "model": model} for role, model in roles.items()}, "blind": "writer"},
        "annotate": ["composed_truth", {"frames": {"fps": 1, "max_side_px": 320}}],
        "clips": {"policy": "shot", "from": {"shots": "composed_truth"}},
        "enrich": [{"captions": facts}, "media_captions", "claims", "triples", "categories"],
        "tasks": [*TEMPLATES, *PROPOSED],
        "checks": {"ladder": False},
    }
    return Recipe.parse(yaml.safe_dump(text, sort_keys=False), work)


def put(films: Sequence[Path], work: Path) -> None:
    """Link films and their truth into the folder of the recipe."""
    (work / "films").mkdir(parents=True, exist_ok=True)
    for film in films:
        for file in (film, film.with_suffix(".truth.json")):
            (work / "films" / file.name).symlink_to(file.resolve())


def planned_and_asked(films: Sequence[Path], work: Path) -> None:
    """Annotate without asking, plan, build; twice, the second time with more films."""
    root = work / "whole.chronotope"
    print("| films | planned requests | asked | off | planned tokens | counted | off |\n|---|---|---|---|---|---|---|")
    with ServerProcess() as server:
        for first, last in ((0, 6), (6, 14)):
            put(films[first:last], work)
            Build(recipe(server.url, work), root, budget={"requests": 0}).run()
            plan: Counter[str] = Counter()
            for line in plan_recipe(recipe(server.url, work), root):
                for ask in line.asks:
                    plan["requests"] += ask["requests"]
                    plan["tokens"] += ask["prompt_tokens"] + ask["reply_tokens"]
            report = Build(recipe(server.url, work), root).run()
            real: Counter[str] = Counter()
            for row in costs(root, report.run_id)["by_producer"]:
                real["requests"] += row["requests"]
                real["tokens"] += row["prompt_tokens"] + row["reply_tokens"]
            cells = [f"{plan[k]} | {real[k]} | {plan[k] / real[k] - 1:+.1%}" for k in ("requests", "tokens")]
            print(f"| {last - first} new | {' | '.join(cells)} |", flush=True)
        again = Build(recipe(server.url, work), root).run()
        print(f"\nrerun: {'nothing to do' if again.did_nothing else 'something was done'}")


def stormed(films: Sequence[Path], work: Path) -> None:
    """One build against a server of which 30% of the replies are faulty."""
    put(films[:8], work)
    root = work / "whole.chronotope"
    with ServerProcess(("--storm", "0.3", "--slow", "0.3")) as server:
        report = Build(recipe(server.url, work), root).run()
        told = server.requests()
    print(f"{told['count']} requests, {sum(told['faults'].values())} faults; units failed: {len(report.failures)}")
    with Catalog(root) as catalog:
        for query in (
            "SELECT status, count(*) AS calls, sum(tries) AS tries FROM llm_calls GROUP BY ALL ORDER BY ALL",
            "SELECT passed, problem, count(*) AS samples FROM verdicts GROUP BY ALL ORDER BY ALL",
            "SELECT outcome, rule, count(*) AS proposals FROM proposals GROUP BY ALL ORDER BY ALL",
        ):
            print()
            for row in catalog.rows(query):
                print(row)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    what, folder, work = arguments
    films = sorted(Path(folder).glob("*.mp4"))
    {"plan": planned_and_asked, "storm": stormed}[what](films, Path(work).resolve())


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("plan", "storm"):
        raise SystemExit(__doc__)
    main(sys.argv[1:])
