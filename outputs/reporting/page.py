"""The report as one HTML page: what deserves a look, samples, ladder, language, answers, second opinions; nothing to fetch.

Made of the same figures as `report.json`. Follows the reader's light or dark setting, fits phones and prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from .drawing import bars, histogram, intervals, stacked
from .sample_figures import GRADES, SPLITS

ORIGINS = ("real", "edited", "composed", "rendered")
_LISTED = 6


def report_page(figures: Mapping[str, Any]) -> str:
    """The whole page."""
    tasks = figures["tasks"]
    sections = (
        ("look", "Worth a look", _looks(figures)),
        ("samples", "Samples", _samples(tasks)),
        ("ladder", "The ladder", _ladder(figures)),
        ("language", "Language", _language(tasks)),
        ("answers", "Answers", _answers(tasks)),
        ("opinions", "Second opinions", _opinions(figures)),
        ("shown", "What trainers show", _shown(tasks)),
        *((("captions", "Captions of models", _captions(figures["captions"])),) if figures["captions"] else ()),
    )
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    name = escape(figures["dataset"])
    links = "".join(f'<a href="#{key}">{title}</a>' for key, title, _ in sections)
    body = "".join(f'<section id="{key}"><h2>{title}</h2>{text}</section>' for key, title, text in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Report on {name}</title><style>\n{style}</style></head><body>"
        f'<header><h1>{name}</h1><p class="lead">{_lead(figures)}</p>{_tiles(figures)}'
        f'<nav aria-label="Sections">{links}</nav></header><main>{body}</main></body></html>\n'
    )


def _lead(figures: Mapping[str, Any]) -> str:
    tasks = figures["tasks"]
    named = "task" if len(tasks) == 1 else "tasks"
    return f"{figures['samples']:,} samples of {len(tasks)} {named}, dataset version {figures['version']}."


def _tiles(figures: Mapping[str, Any]) -> str:
    counts = [t["counts"] for t in figures["tasks"]]
    n = figures["samples"]
    passed, true = sum(c["passed"] for c in counts), sum(c["exact"] + c["reviewed"] for c in counts)
    deep = [d for t in figures["tasks"] for d in t["deep"] if d["removed"] == "nothing"]
    agree, of = sum(d["agree"] for d in deep), sum(d["agree"] + d["disagree"] for d in deep)
    right = sum(r["right"] for t in figures["tasks"] for r in t["reviews"])
    reviewed = right + sum(r["wrong"] for t in figures["tasks"] for r in t["reviews"])
    flags = sum(line["flagged"] for t in figures["tasks"] for line in t["ladder"]["solvers"])
    climbed = sum(bool(t["ladder"]["solvers"]) for t in figures["tasks"])
    tiles = (
        (_percent(passed, n), "follow from their evidence", passed < n),
        (_percent(true, n), "of exact or reviewed evidence", False),
        (_percent(agree, of), f"agreement of second methods, {of} looked at" if of else "not checked by a second method", False),
        (_percent(right, reviewed), f"called right by people, {reviewed} judged" if reviewed else "not judged by people", False),
        (str(flags), f"baselines too good, {climbed} of {len(counts)} tasks climbed", flags > 0),
    )  # fmt: skip
    cells = "".join(
        f"<li{' class=bad' if bad else ''}><b>{value}</b><span>{what}</span></li>" for value, what, bad in tiles
    )
    return f'<ul class="tiles">{cells}</ul>'


def _percent(part: int, of: int) -> str:
    return f"{100 * part / of:.1f}%".replace("100.0%", "100%") if of else "&ndash;"


def _looks(figures: Mapping[str, Any]) -> str:
    if not figures["looks"]:
        return "<p>Nothing stands out.</p>"
    rows = [
        [_spoken(look["task"]), f'<span class="pill">{escape(look["about"])}</span>', escape(look["what"])]
        for look in figures["looks"]
    ]
    return _table(("Task", "About", "What"), rows, left=3)


def _samples(tasks: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for task in tasks:
        c = task["counts"]
        known = sum(c[g] for g in GRADES)
        grades = [(g, _spoken(g), c[g]) for g in GRADES] + [("none", "unchecked", c["samples"] - known)]
        origins = [(o, o, c[o]) for o in ORIGINS]
        rows.append(
            [_spoken(task["task"]), c["samples"], *(c[s] or "" for s in SPLITS), c["groups"], c["pairs"] or "", c["failed"] or "",
             stacked(grades) + _legend(grades), stacked(origins) + _legend(origins)]
        )  # fmt: skip
    heads = ("Task", "Samples", "Train", "Validation", "Test", "Groups", "Pairs", "Failed", "Grade", "Origin")
    return _table(heads, rows, wide=("Grade", "Origin"))


def _legend(parts: Sequence[tuple[str, str, int]]) -> str:
    return '<small class="legend">' + ", ".join(f"{name} {n}" for _, name, n in parts if n) + "</small>"


def _ladder(figures: Mapping[str, Any]) -> str:
    tolerance = figures["tolerance"]
    lines = [line for t in figures["tasks"] for line in t["ladder"]["solvers"]]
    note = (
        "<p class=note>What baselines earn above chance on footage that they have not seen, with 95% intervals. "
        "<span class=keys><span class=key>must fail, and does</span><span class='key bad'>must fail, but earns more than "
        f"{tolerance:g}</span><span class='key free'>may succeed</span></span></p>"
    )
    if not lines:
        reasons = "".join(f"<li>{_spoken(t['task'])}: {escape(t['ladder']['withheld'])}</li>" for t in figures["tasks"])
        return f"<p>No task has attempts.</p><ul>{reasons}</ul>"
    low = min(-0.2, *(max(-0.4, line["low"]) for line in lines))
    high = max(0.4, *(line["high"] for line in lines))
    cards = [_climbed(t, low, high, tolerance) for t in figures["tasks"]]
    heads = (
        "Task",
        "Solver",
        "Samples",
        "Groups",
        "Reward",
        "Chance",
        "Gap",
        "From",
        "To",
        "Right",
        "Pairs right",
        "Must fail",
    )
    rows = [
        [_spoken(t["task"]), _spoken(s["solver"]), s["samples"], s["groups"], *(f"{s[k]:.3f}" for k in ("reward", "chance")),
         *(f"{s[k]:+.3f}" for k in ("gap", "low", "high")), f"{100 * s['right']:.0f}%",
         "" if s["pair_accuracy"] is None else f"{100 * s['pair_accuracy']:.0f}%",
         '<b class="bad">too good</b>' if s["flagged"] else "yes" if s["must_hurt"] else ""]
        for t in figures["tasks"] for s in t["ladder"]["solvers"]
    ]  # fmt: skip
    table = f"<details><summary>All numbers</summary>{_table(heads, rows, left=2)}</details>"
    return f'{note}<div class="cards">{"".join(cards)}</div>{table}'


def _climbed(task: Mapping[str, Any], low: float, high: float, tolerance: float) -> str:
    ladder = task["ladder"]
    head = f"<h3>{_spoken(task['task'])}</h3>"
    if ladder["withheld"]:
        return f'<article>{head}<p class="quiet">Not climbed: {escape(ladder["withheld"])}.</p></article>'
    pairs = [s for s in ladder["solvers"] if s["pair_accuracy"] is not None]
    told = [f"gap to {ladder['reference']}"]
    if ladder["shortcuts"]:
        told.append(f"{ladder['shortcuts']} of {ladder['attempted']} samples are shortcuts")
    if pairs:
        best = max(pairs, key=lambda s: s["pair_accuracy"])
        told.append(f"pairs: at most {100 * best['pair_accuracy']:.0f}% ({_spoken(best['solver'])})")
    if ladder["without_pictures"]:
        told.append("no embeddings, so no picture baselines")
    drawn = intervals(ladder["solvers"], low, high, tolerance)
    return f'<article>{head}<div class="scroll">{drawn}</div><p class="quiet">{"; ".join(told)}.</p></article>'


def _language(tasks: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for task in tasks:
        f = task["language"]
        largest = f"{100 * f['largest_wording_share']:.1f}%"
        held = [s for s in f["splits"] if s["split"] != "train"]
        evaluation = ", ".join(f"{s['split']} {100 * s['held_out_share']:.0f}%" for s in held)
        length = f["answer_words"]
        rows.append(
            [_spoken(task["task"]), f"{f['wordings_used']} of {f['wordings'] or '?'}",
             f'<b class="bad">{largest}</b>' if f["largest_wording_flagged"] else largest,
             "" if f["distinct_four_grams"] is None else f"{f['distinct_four_grams']:.2f} <small>of {f['four_grams']:,}</small>",
             f"{f['answer_forms_used']} of {f['answer_forms'] or '?'}", f"{100 * f['largest_answer_form_share']:.1f}%",
             f"{length['least']} / {length['median']:g} / {length['most']}", evaluation,
             f'<b class="bad">{f["held_out_in_train"]}</b>' if f["held_out_in_train"] else 0, f["asked_twice"]]
        )  # fmt: skip
    heads = ("Task", "Wordings", "Largest", "Distinct 4-grams", "Answer forms", "Largest", "Answer words",
             "Held-out wordings", "Of them in train", "Asked twice")  # fmt: skip
    note = (
        '<p class="note">Questions as they are asked, slots filled, times and places as one mark. Largest: share of the most '
        "frequent wording, 8% at most. Answer words: least, median, most. Asked twice: the same words and options about the "
        "same footage.</p>"
    )
    return note + _table(heads, rows)


def _answers(tasks: Sequence[Mapping[str, Any]]) -> str:
    cards = []
    for task in tasks:
        a = task["answers"]
        parts = []
        kinds = ", ".join(f"{_spoken(k)} {n}" for k, n in a["kinds"].items())
        for key, title in (("choices", "Right option"), ("orders", "Order of the items as stored")):
            if a[key]:
                rows = [(x["answer"], x["samples"]) for x in a[key]["answers"][:_LISTED]]
                rest = a[key]["distinct"] - len(rows)
                parts.append(f"<h4>{title}</h4>{bars(rows, a[key]['samples'], rest)}")
        if a["position"]:
            parts.append(f"<h4>Where in the window</h4>{histogram(a['position'], 'Middle of the evidence')}")
        if a["ratio"]:
            parts.append(f"<h4>Share of the window</h4>{histogram(a['ratio'], 'Share of the window')}")
        for unit in a["numbers"]:
            quartiles = " / ".join(f"{v:.3g}" for v in unit["quartiles"])
            parts.append(
                f"<h4>Numbers, {escape(unit['unit'])}</h4><p>{quartiles} <small>least, quartiles, most</small></p>"
            )
        if a["distractors"]:
            rows = [(_spoken(d["kind"]), d["options"]) for d in a["distractors"][:_LISTED]]
            listed = sum(d["options"] for d in a["distractors"])
            parts.append(f"<h4>Wrong options</h4>{bars(rows, listed, len(a['distractors']) - len(rows))}")
        if a["option_style"]:
            s = a["option_style"]
            parts.append(
                f'<p class="quiet">Wording of options: AUC {s["auc"]:.2f} ({s["low"]:.2f} to {s["high"]:.2f}); the right one is '
                f"the longest in {100 * s['longest_share']:.0f}%, by chance {100 * s['chance_share']:.0f}%."
                + (" A fixed list of answers: this is their balance.</p>" if a["fixed_list"] else "</p>")
            )
        cards.append(f'<article><h3>{_spoken(task["task"])}</h3><p class="quiet">{kinds}</p>{"".join(parts)}</article>')
    return f'<div class="cards">{"".join(cards)}</div>'


def _opinions(figures: Mapping[str, Any]) -> str:
    deep = [
        [_spoken(t["task"]), escape(d["method"]), d["removed"], d["samples"], d["agree"], d["disagree"], d["undecided"],
         _interval(d, "agreement")]
        for t in figures["tasks"] for d in t["deep"]
    ]  # fmt: skip
    reviews = [
        [_spoken(t["task"]), _spoken(r["evidence_grade"] or "unknown"), r["samples"], r["right"], r["wrong"], r["unclear"],
         _interval(r, "precision")]
        for t in figures["tasks"] for r in t["reviews"]
    ]  # fmt: skip
    found = [
        [_spoken(t["task"]), escape(c["benchmark"]), c["found_by"], c["samples"]]
        for t in figures["tasks"]
        for c in t["contamination"]
    ]
    parts = ["<h3>Second methods on packaged media</h3>"]
    heads: tuple[str, ...] = ("Task", "Method", "Removed", "Samples", "Agree", "Disagree", "Undecided", "Agreement")
    none = '<p class="quiet">None yet: <code>chronotope verify --deep</code>.</p>'
    parts.append(_table(heads, deep, left=3) if deep else none)
    parts.append("<h3>People</h3>")
    heads = ("Task", "Evidence", "Samples", "Right", "Wrong", "Unclear", "Precision")
    parts.append(
        _table(heads, reviews, left=2) if reviews else '<p class="quiet">None yet: <code>chronotope audit</code>.</p>'
    )
    parts.append("<h3>Benchmarks</h3>")
    number = figures["benchmarks"]
    looked = f"{number} registered {'benchmark' if number == 1 else 'benchmarks'}; no sample stands in one."
    none = looked if number else "None are registered: <code>chronotope benchmark add</code>."
    heads = ("Task", "Benchmark", "Found by", "Samples")
    parts.append(_table(heads, found, left=3) if found else f'<p class="quiet">{none}</p>')
    return "".join(parts)


def _interval(row: Mapping[str, Any], name: str) -> str:
    if row[name] is None:
        return "&ndash;"
    low, high = 100 * row["low"], 100 * row["high"]
    return f"<b>{100 * row[name]:.0f}%</b> <small>{low:.0f} to {high:.0f}</small>"


def _shown(tasks: Sequence[Mapping[str, Any]]) -> str:
    profiles = sorted({p["profile"] for t in tasks for p in t["answerability"]})
    if not profiles:
        return '<p class="quiet">No frame plans: build with the check <code>frame_plans</code>.</p>'
    rows = []
    for task in tasks:
        by_profile = {p["profile"]: p for p in task["answerability"]}
        cells = [_plan(by_profile.get(name)) for name in profiles]
        rows.append([_spoken(task["task"]), *cells])
    note = '<p class="note">Samples that can be answered from what a trainer shows of them, and what stands in the way of the others.</p>'
    return note + _table(("Task", *profiles), rows, left=len(profiles) + 1)


def _plan(plan: Mapping[str, Any] | None) -> str:
    if plan is None:
        return "&ndash;"
    rules = "".join(f"<br><small>{n} {escape(rule)}</small>" for rule, n in plan["rules"].items())
    return f"<b>{100 * plan['share']:.0f}%</b> <small>of {plan['samples']}</small>{rules}"


def _captions(models: Sequence[Mapping[str, Any]]) -> str:
    """What models wrote, claim by claim."""
    rows, told = [], []
    for m in models:
        for k in (*m["kinds"], m):
            parts = [("exact", "supported", k["supported"]), ("refuted", "contradicted", k["contradicted"]),
                     ("none", "unchecked", k["unchecked"])]  # fmt: skip
            rows.append(
                [
                    escape(m["model"]),
                    _spoken(k["kind"]),
                    k["claims"],
                    _interval(k, "share"),
                    stacked(parts) + _legend(parts),
                ]
            )
        by = ", ".join(f"{_spoken(c['checker'])} {c['claims']}" for c in m["checkers"])
        told.append(
            f"<li>{escape(m['model'])}: {m['captions']:,} captions of {m['sentences']:,} sentences, of which {m['cut']:,} were cut "
            f"and {m['silent']:,} claim nothing. Checked by {by or 'nobody'}.</li>"
        )
    note = (
        '<p class="note">Captions are split into single claims, and each is looked up in what is recorded or asked of another '
        "model. Supported: of those that were checked, with the 95% interval. A sentence with a contradicted claim is cut "
        "wherever the caption is used.</p>"
    )
    heads = ("Model", "Claims about", "Claims", "Supported", "Status")
    return note + _table(heads, rows, left=2, wide=("Status",)) + f"<ul>{''.join(told)}</ul>"


def _spoken(name: str) -> str:
    return escape(name.replace("_", " "))


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]], left: int = 1, wide: Sequence[str] = ()) -> str:
    """A table; the first `left` columns are words, `wide` ones hold drawings, the others numbers."""
    kinds = ["wide" if h in wide else "word" if i < left else "" for i, h in enumerate(heads)]
    head = "".join(f'<th scope="col" class="{k}">{h}</th>' for h, k in zip(heads, kinds, strict=True))
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{cell}</th>' if i == 0 else f'<td class="{kinds[i]}">{cell}</td>'
            for i, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
