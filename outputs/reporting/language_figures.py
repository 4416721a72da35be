"""How varied the language of a task is: wordings, templates, 4-grams, answer forms, and wordings that were held out.

Questions are taken as they are asked, slots filled, with every time, place and picture as the same mark, so that numbers do
not pass for variety. Distinct n-gram share: Li et al., NAACL 2016; it falls with the number of questions, so compare it at
equal numbers only. Asked twice means the same words and options about windows of one medium that overlap by half or more.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from ...engine.catalog import Catalog
from ...engine.wordings import EVALUATION
from ...schemas.metrics import wilson_interval
from .task_facts import TaskFacts

MOST_OF_ONE = 0.08
"""Share of the samples of a task that one wording may have."""
LEAST_JUDGED = 100
"""Samples of a task from which the share of one wording is judged; among fewer, some wording is always frequent."""
_TAG = re.compile(r"<[a-z]+(?:@\d+)?(?::[^<>]*)?>")
_WORD = re.compile(r"\w+(?:['’]\w+)*|§")

_ROWS = """
SELECT s.task, s.sample_id, s.media_id, s.window_start_s, s.window_end_s, s.turns, s.wording, s.answer_form,
       list_sort(list_transform(s.options, lambda o: o.text)) AS options, v.split
FROM (SELECT * FROM samples QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1) s
JOIN sample_view v USING (sample_id) ORDER BY s.task, s.sample_id"""


def language_figures(
    catalog: Catalog, facts: Mapping[str, TaskFacts], samples: frozenset[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Task -> figures; of the named samples only, if `samples` is given."""
    by_task: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in catalog.rows(_ROWS):
        if samples is None or row["sample_id"] in samples:
            by_task[row["task"]].append(row)
    return {task: _figures(by_task[task], fact) for task, fact in facts.items() if by_task.get(task)}


def _figures(rows: Sequence[Mapping[str, Any]], fact: TaskFacts) -> dict[str, Any]:
    # where a model words the questions, a wording is what it wrote, values aside
    wordings = Counter(" ".join(words(_questions(r)[0])) if fact.asks else r["wording"] for r in rows)
    forms = Counter(r["answer_form"] for r in rows)
    top, most = max(wordings.items(), key=lambda w: (w[1], w[0]))
    lengths = sorted(len(words(_last(r))) for r in rows)
    distinct, total = distinct_grams(words(text) for r in rows for text in _questions(r))
    known = fact.wordings
    held_out = known.held_out if known else frozenset()
    kinds = known.kinds.values() if known else ()
    found = {
        "samples": len(rows),
        "wordings_used": len(wordings),
        "wordings": sum(len(k.questions) for k in kinds) or None,
        "largest_wording": top,
        "largest_wording_share": round(most / len(rows), 4),
        "largest_wording_flagged": len(rows) >= LEAST_JUDGED and wilson_interval(most, len(rows))[0] > MOST_OF_ONE,
        "four_grams": total,
        "distinct_four_grams": round(distinct / total, 4) if total else None,
        "answer_forms_used": len(forms),
        "answer_forms": sum(len(k.answers) for k in kinds) or None,
        "largest_answer_form_share": round(max(forms.values()) / len(rows), 4),
        "answer_form_mix": [{"form": f, "samples": n} for f, n in sorted(forms.items(), key=lambda x: (-x[1], x[0]))],
        "answer_words": {"least": lengths[0], "median": median(lengths), "most": lengths[-1]},
        "held_out_wordings": len(held_out),
        "splits": _splits(rows, held_out),
        "held_out_in_train": sum(r["wording"] in held_out and r["split"] not in EVALUATION for r in rows),
        "trained_in_evaluation": sum(r["wording"] not in held_out and r["split"] in EVALUATION for r in rows)
        if held_out
        else 0,
        "asked_twice": asked_twice(rows),
    }
    return found


def _splits(rows: Sequence[Mapping[str, Any]], held_out: frozenset[str]) -> list[dict[str, Any]]:
    """Per split: samples, and the share that is asked in held-out wordings."""
    counts = Counter(r["split"] for r in rows)
    held = Counter(r["split"] for r in rows if r["wording"] in held_out)
    return [{"split": s, "samples": counts[s], "held_out_share": round(held[s] / counts[s], 4)} for s in sorted(counts)]


def distinct_grams(texts: Iterable[Sequence[str]], n: int = 4) -> tuple[int, int]:
    """(distinct, all) n-grams of words of some texts; texts shorter than n have none."""
    seen: set[tuple[str, ...]] = set()
    total = 0
    for text in texts:
        for i in range(len(text) - n + 1):
            seen.add(tuple(text[i : i + n]))
            total += 1
    return len(seen), total


def words(markup: str) -> list[str]:
    """Words of a turn in lower case; each time, place or medium is the one mark `§`."""
    return _WORD.findall(_TAG.sub(" § ", markup).casefold())


def asked_twice(rows: Sequence[Mapping[str, Any]]) -> int:
    """Samples whose question was asked before about (half of) the same footage."""
    same: dict[tuple[Any, ...], list[tuple[float, float]]] = defaultdict(list)
    count = 0
    for row in rows:
        key = row["media_id"], " ".join(words(" ".join(_questions(row)))), tuple(row["options"] or ())
        start, end = row["window_start_s"], row["window_end_s"]
        windows = same[key]
        count += any(min(end, b) - max(start, a) >= 0.5 * (max(end, b) - min(start, a)) for a, b in windows)
        windows.append((start, end))
    return count


def _questions(row: Mapping[str, Any]) -> list[str]:
    return [str(turn["text"]) for turn in row["turns"] if turn["role"] == "user"]


def _last(row: Mapping[str, Any]) -> str:
    return str(row["turns"][-1]["text"])
