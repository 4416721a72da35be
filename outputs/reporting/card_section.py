"""The part of a package's README that says how far to trust it: grades, ladder and language of the samples in it.

The same figures as `chronotope report`, for these samples only, from what stood in the tables when it was written.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection

from ...engine.catalog import Catalog
from .ladder_figures import TOLERANCE, ladder_figures
from .language_figures import language_figures
from .markdown import ladder_words, language_table, md_table
from .sample_figures import GRADES
from .task_facts import task_facts


def trust_section(catalog: Catalog, samples: Collection[str]) -> str:
    """Markdown about the named samples; empty when there are none."""
    wanted = frozenset(samples)
    grades: dict[str, Counter[str]] = defaultdict(Counter)
    for row in catalog.rows("SELECT task, sample_id, grade FROM sample_view ORDER BY task"):
        if row["sample_id"] in wanted:
            grades[row["task"]][row["grade"] or "unchecked"] += 1
    if not grades:
        return ""
    used = [g for g in (*GRADES, "unchecked") if any(count[g] for count in grades.values())]
    facts = {task: fact for task, fact in task_facts(catalog).items() if task in grades}
    ladder = ladder_figures(catalog, facts, samples=wanted)
    language = language_figures(catalog, facts, samples=wanted)
    parts = [
        "## How far to trust it",
        "Samples by how true their evidence is: `exact` is known by construction or from people's annotation, `reviewed` was "
        "called right by a person, `two_source` rests on two methods that agree, `model` on one, `judge` on a model's opinion.",
        md_table(("task", *used), [[task, *(count[g] for g in used)] for task, count in sorted(grades.items())]),
        ladder_words(ladder, TOLERANCE),
        "Questions as they are asked, with times and places as one mark:",
        language_table(language),
        *_flip_warning(catalog, wanted),
    ]
    return "\n\n".join(parts) + "\n"


def _flip_warning(catalog: Catalog, wanted: Collection[str]) -> list[str]:
    """That sides are spoken of: pictures that are flipped while training would turn such answers into lies."""
    sides = (
        r"\b(left(most|ward|wards)?|rightmost|rightwards?|(to|on|at) the right|right (of|side)|(counter-?)?clockwise)\b"
    )
    rows = catalog.rows(
        "SELECT DISTINCT sample_id FROM samples WHERE regexp_matches(array_to_string(list_concat("
        "list_transform(turns, lambda t: t.text), list_transform(options, lambda o: o.text)), ' '), ?, 'i')",
        [sides],
    )
    named = sum(row["sample_id"] in wanted for row in rows)
    if not named:
        return []
    return [
        f"`flip_safe=false`: {named} of {len(wanted)} samples speak of left and right: train them without horizontal flips."
    ]


def trust_state(catalog: Catalog) -> str:
    """A digest of what the section depends on beside the samples themselves: attempts, and which baselines must fail."""
    rows = catalog.rows(
        "SELECT md5(string_agg(concat_ws(chr(9), sample_id, solver, reward, chance, correct), chr(10) "
        "ORDER BY sample_id, solver, producer)) AS state FROM attempts WHERE model IS NULL"
    )
    facts = task_facts(catalog)
    known = [[f.task, f.must_hurt, f.wordings.digest if f.wordings else None] for f in facts.values()]
    return hashlib.blake2b(json.dumps([rows[0]["state"], known]).encode(), digest_size=16).hexdigest()
