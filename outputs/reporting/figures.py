"""Everything that `chronotope report` tells, as plain values: one record per task, and what deserves a look first."""

from __future__ import annotations

from typing import Any

from ...engine.catalog import Catalog
from .claim_figures import claim_figures
from .ladder_figures import TOLERANCE, ladder_figures
from .language_figures import MOST_OF_ONE, language_figures
from .sample_figures import answerability, answers, contamination, counts, deep_agreement, precision
from .task_facts import task_facts

STYLE_AUC = 0.6
"""AUC of option style from which options count as told apart by their wording."""


class ReportError(ValueError):
    """There is nothing to report; the message says what to do."""


def report_figures(catalog: Catalog, task: str | None = None, tolerance: float = TOLERANCE) -> dict[str, Any]:
    """Figures of a dataset, or of one task. Raises `ReportError` when it has no samples (of that task)."""
    facts = task_facts(catalog)
    if task is not None and task not in facts:
        raise ReportError(f"no samples of task {task!r}; there are samples of {', '.join(facts) or 'no task'}")
    if not facts:
        raise ReportError("this dataset has no samples; give its recipe a `tasks:` section and build it")
    counted, answered = counts(catalog), answers(catalog)
    ladder, language = ladder_figures(catalog, facts, tolerance), language_figures(catalog, facts)
    deep, reviewed = deep_agreement(catalog), precision(catalog)
    plans, found = answerability(catalog), contamination(catalog)
    tasks: list[dict[str, Any]] = [
        {
            "task": name,
            "counts": counted[name],
            "ladder": ladder[name],
            "language": language[name],
            "answers": answered[name],
            "deep": deep.get(name, []),
            "reviews": reviewed.get(name, []),
            "answerability": plans.get(name, []),
            "contamination": found.get(name, []),
        }
        for name in facts
        if task in (None, name)
    ]
    benchmarks = catalog.rows("SELECT count(DISTINCT benchmark) AS n FROM benchmarks")[0]["n"]
    return {
        "dataset": catalog.store.root.name,
        "version": catalog.store.head().dataset_version,
        "tolerance": tolerance,
        "benchmarks": benchmarks,
        "samples": sum(t["counts"]["samples"] for t in tasks),
        "looks": [look for t in tasks for look in _looks(t)],
        "tasks": tasks,
        "captions": claim_figures(catalog),
    }


def _looks(task: dict[str, Any]) -> list[dict[str, str]]:
    """What deserves a look, in words: the most telling first."""
    name, counted, language = task["task"], task["counts"], task["language"]
    found: list[tuple[str, str]] = []
    if counted["failed"]:
        found.append(
            ("check", f"{counted['failed']} of {counted['samples']} samples do not follow from their evidence")
        )
    for line in task["ladder"]["solvers"]:
        if line["flagged"]:
            interval = f"{line['low']:+.2f} to {line['high']:+.2f}"
            solver = line["solver"].replace("_", " ")
            found.append(("ladder", f"{solver} {line['gap']:+.2f} ({interval}) above {task['ladder']['reference']}"))
    if language["largest_wording_flagged"]:
        share = f"{100 * language['largest_wording_share']:.0f}%"
        found.append(
            ("language", f"wording {language['largest_wording']} asks {share}; at most {100 * MOST_OF_ONE:.0f}%")
        )
    if language["held_out_in_train"]:
        found.append(("language", f"{language['held_out_in_train']} training samples are asked in held-out wordings"))
    style = task["answers"]["option_style"]
    if style and style["low"] > STYLE_AUC and not task["answers"]["fixed_list"]:
        found.append(("options", f"the wording of options tells the right one: AUC {style['auc']:.2f}"))
    for deep in task["deep"]:
        if deep["removed"] == "nothing" and deep["high"] < 0.9:
            found.append(
                ("deep check", f"{deep['method']} agrees in {deep['agree']} of {deep['agree'] + deep['disagree']}")
            )
    for review in task["reviews"]:
        if review["wrong"]:
            found.append(("reviews", f"{review['wrong']} called wrong, evidence {review['evidence_grade']}"))
    if counted["contaminated"]:
        found.append(("contamination", f"{counted['contaminated']} samples stand in registered benchmarks"))
    return [{"task": name, "about": about, "what": what} for about, what in found]
