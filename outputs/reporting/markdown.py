"""The report as Markdown: the same tables as the page, for a repository or a dataset card.

`card_section` is the short form for a package: only the samples that are in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .sample_figures import GRADES, SPLITS


def report_markdown(figures: Mapping[str, Any]) -> str:
    """The whole report."""
    tasks = figures["tasks"]
    parts = [
        f"# Report on {figures['dataset']}",
        f"{figures['samples']} samples, dataset version {figures['version']}.",
    ]
    if figures["looks"]:
        parts.append("## Worth a look")
        parts.append("\n".join(f"- {look['task']}, {look['about']}: {look['what']}" for look in figures["looks"]))
    counted = [
        [t["task"], t["counts"]["samples"], *(t["counts"][s] for s in SPLITS), t["counts"]["groups"], t["counts"]["failed"],
         ", ".join(f"{g} {t['counts'][g]}" for g in GRADES if t["counts"][g])]
        for t in tasks
    ]  # fmt: skip
    parts += ["## Samples", md_table(("task", "samples", *SPLITS, "groups", "failed", "grades"), counted)]
    parts += ["## Ladder", ladder_words({t["task"]: t["ladder"] for t in tasks}, figures["tolerance"])]
    parts += ["## Language", language_table({t["task"]: t["language"] for t in tasks})]
    deep = [
        [t["task"], d["method"], d["removed"], d["agree"], d["disagree"], d["undecided"], _share(d, "agreement")]
        for t in tasks
        for d in t["deep"]
    ]
    if deep:
        heads = ("task", "method", "removed", "agree", "disagree", "undecided", "agreement")
        parts += ["## Second methods", md_table(heads, deep)]
    reviews = [
        [t["task"], r["evidence_grade"], r["right"], r["wrong"], r["unclear"], _share(r, "precision")]
        for t in tasks
        for r in t["reviews"]
    ]
    if reviews:
        parts += ["## Reviews", md_table(("task", "evidence", "right", "wrong", "unclear", "precision"), reviews)]
    plans = [[t["task"], p["profile"], p["answerable"], p["samples"]] for t in tasks for p in t["answerability"]]
    if plans:
        parts += ["## Answerability", md_table(("task", "profile", "answerable", "of"), plans)]
    if figures["captions"]:
        parts += ["## Captions of models", caption_words(figures["captions"])]
    return "\n\n".join(parts) + "\n"


def ladder_words(ladders: Mapping[str, Mapping[str, Any]], tolerance: float) -> str:
    """A row per task and a column per solver, and what they say; why there are none, where no baseline was tried."""
    solvers = list(dict.fromkeys(s["solver"] for ladder in ladders.values() for s in ladder["solvers"]))
    untried = [f"- {task}: {ladder['withheld']}" for task, ladder in ladders.items() if not ladder["solvers"]]
    parts = []
    if solvers:
        parts.append(
            "What baselines earn above chance (choices, orders) or above the best constant (spans, numbers) on footage that "
            f"they have not seen, with the 95% interval. In bold: must fail, but its interval lies above {tolerance:g}."
        )
        rows = []
        for task, ladder in ladders.items():
            by_solver = {s["solver"]: s for s in ladder["solvers"]}
            if by_solver:
                rows.append([task, *(_gap(by_solver.get(s)) for s in solvers), ladder["shortcuts"]])
        parts.append(md_table(("task", *(s.replace("_", " ") for s in solvers), "shortcuts"), rows))
    if untried:
        parts.append("No baselines were tried on:\n\n" + "\n".join(untried))
    return "\n\n".join(parts)


def language_table(languages: Mapping[str, Mapping[str, Any]]) -> str:
    """A row per task."""
    rows = [
        [task, f"{f['wordings_used']} of {f['wordings'] or '?'}", f"{100 * f['largest_wording_share']:.1f}%",
         "" if f["distinct_four_grams"] is None else f"{f['distinct_four_grams']:.2f} of {f['four_grams']}",
         f"{f['answer_forms_used']} of {f['answer_forms'] or '?'}", f["held_out_in_train"], f["asked_twice"]]
        for task, f in languages.items()
    ]  # fmt: skip
    heads = (
        "task",
        "wordings",
        "largest wording",
        "distinct 4-grams",
        "answer forms",
        "held-out in train",
        "asked twice",
    )
    return md_table(heads, rows)


def caption_words(models: Sequence[Mapping[str, Any]]) -> str:
    """How much of what models wrote is supported: a row per model and kind of claim, and what was cut."""
    rows = [
        [m["model"], k["kind"], k["claims"], k["supported"], k["contradicted"], k["unchecked"], _share(k, "share")]
        for m in models
        for k in (*m["kinds"], m)
    ]
    told = [
        f"- {m['model']}: {m['captions']} captions of {m['sentences']} sentences; {m['cut']} sentences were cut because evidence "
        f"contradicts them, {m['silent']} claim nothing."
        for m in models
    ]
    heads = ("model", "claims about", "claims", "supported", "contradicted", "unchecked", "supported of checked")
    return md_table(heads, rows) + "\n\n" + "\n".join(told)


def md_table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _gap(line: Mapping[str, Any] | None) -> str:
    if line is None:
        return ""
    gap = f"{line['gap']:+.2f}"
    return f"{f'**{gap}**' if line['flagged'] else gap} ({line['low']:+.2f} to {line['high']:+.2f})"


def _share(row: Mapping[str, Any], name: str) -> str:
    if row[name] is None:
        return ""
    return f"{100 * row[name]:.0f}% ({100 * row['low']:.0f} to {100 * row['high']:.0f})"
