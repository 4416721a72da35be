"""How far a wrong step in an otherwise right path is demoted from tier A, and that right answers for wrong reasons are not A.

    python benchmarks/planted_steps.py ROOT [--cases 50] [--questions 150] [--show]

ROOT is a dataset with verified samples and the speech, writing and captions of its media (nothing is written). For questions of
`five_step` made from them, a sound path is written as a careful model would, and one step is made wrong: another piece of
evidence, a start for an end, a claim turned round, a time written out, words of something else. The answer stays right.
Printed is a Markdown table of how many of each kind are still of tier A, and how many sound paths are not.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chronotope.annotators.tasks.common import Withheld
from chronotope.annotators.tasks.five_step import KINDS, Params
from chronotope.annotators.tasks.five_step_questions import Question, question_of, questions_of, reachable
from chronotope.annotators.tasks.five_step_typical import typical_path
from chronotope.engine.annotator import Rows
from chronotope.engine.catalog import Catalog
from chronotope.engine.llm.evidence import facts_of
from chronotope.schemas.facts import Facts
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.paths import LIKE, grade, like
from chronotope.schemas.paths import Path as Reasoning

Fields = dict[str, Any]
Planting = Callable[[Fields, str, str], Fields | None]
"""Path, name of a fact that decides, name of one that does not -> the path with a wrong step; None where it cannot be."""


def sound_path(question: Question, facts: Facts) -> Fields:
    """A right path with a step about something else as well, so that there is more than what decides."""
    path = typical_path(question, facts)
    key = {n for s in path["steps"] for n in s["evidence"]}
    near = [f for f in facts.values() if f.name not in key and f.span is not None and f.text]
    first = facts[next(iter(key))] if key else None
    for other in near[:1]:
        seen = f"Something else, {{{other.name}.text}}, goes on in {{{other.name}}}."
        path["steps"].insert(0, {"kind": "read", "evidence": [other.name], "text": seen, "claims": []})
        if first is not None and first.span is not None and other.span is not None:
            early, late = sorted((first, other), key=lambda f: f.span.start_s if f.span else 0.0)
            if late.span.start_s - early.span.start_s > 1:  # type: ignore[union-attr]
                claim = {"rel": "starts_first", "a": early.name, "b": late.name}
                text = f"What goes on in {{{early.name}}} is first to begin; the other is {{{late.name}}}."
                step = {"kind": "compare", "evidence": [early.name, late.name], "text": text, "claims": [claim]}
                path["steps"].insert(-1, step)
    return path


def _with(path: Fields, at: int, **changes: Any) -> Fields:
    steps = [dict(s) for s in path["steps"]]
    steps[at].update(changes)
    return {**path, "steps": steps}


def _key_steps(path: Fields, key: str) -> list[int]:
    return [i for i, s in enumerate(path["steps"]) if s["evidence"] == [key] and s["kind"] != "conclude"]


def _renamed(text: str, old: str, new: str) -> str:
    return re.sub(rf"\{{{old}(?=[.}}])", f"{{{new}", text)


def other_slot(path: Fields, key: str, other: str) -> Fields | None:
    at = _key_steps(path, key)
    return _with(path, at[0], text=_renamed(path["steps"][at[0]]["text"], key, other)) if at else None


def half_swapped(path: Fields, key: str, other: str) -> Fields | None:
    for i in _key_steps(path, key):
        text = path["steps"][i]["text"]
        if ".start}" in text:
            return _with(path, i, text=text.replace(f"{{{key}.start}}", f"{{{other}.start}}"), evidence=[key, other])
    return None


def other_evidence(path: Fields, key: str, other: str) -> Fields | None:
    found = path
    for i in _key_steps(path, key):
        found = _with(found, i, text=_renamed(found["steps"][i]["text"], key, other), evidence=[other])
    return found if found is not path else None


def ends_swapped(path: Fields, key: str, other: str) -> Fields | None:
    for i in _key_steps(path, key):
        text = path["steps"][i]["text"]
        if ".start}" in text:
            turned = text.replace(".start}", ".END}").replace(".end}", ".start}").replace(".END}", ".end}")
            return _with(path, i, text=turned)
    return None


def start_at_end(path: Fields, key: str, other: str) -> Fields | None:
    at = _key_steps(path, key)
    return _with(path, at[-1], text=f"It begins at {{{key}.end}}.", kind="locate") if at else None


def claim_turned(path: Fields, key: str, other: str) -> Fields | None:
    for i, step in enumerate(path["steps"]):
        for claim in step["claims"]:
            return _with(path, i, claims=[{**claim, "a": claim["b"], "b": claim["a"]}])
    return None


def order_turned(path: Fields, key: str, other: str) -> Fields | None:
    for i, step in enumerate(path["steps"]):
        for claim in step["claims"]:
            a, b = claim["a"], claim["b"]
            return _with(path, i, text=f"It is {{{b}}} that comes before {{{a}}}.", claims=[{**claim, "a": b, "b": a}])
    return None


def time_written(path: Fields, key: str, other: str) -> Fields | None:
    at = _key_steps(path, key)
    return _with(path, at[-1], text=f"That goes on from 3.2 s until {{{key}.end}}.") if at else None


def words_of_other(path: Fields, key: str, other: str) -> Fields | None:
    at = _key_steps(path, key)
    return _with(path, at[0], text=f"In {{{key}}} it is told: {{{other}.text}}.") if at else None


def invented(path: Fields, key: str, other: str) -> Fields | None:
    at = _key_steps(path, key)
    return _with(path, at[0], text=_renamed(path["steps"][at[0]]["text"], key, "e97"), evidence=["e97"]) if at else None


def concluded_from_other(path: Fields, key: str, other: str) -> Fields | None:
    return _with(path, -1, text=f"So {{{other}.text}} decides.", evidence=[other])


def wrong_reason(path: Fields, key: str, other: str) -> Fields | None:
    steps = [
        {"kind": "read", "evidence": [other], "text": f"Here it is told: {{{other}.text}}.", "claims": []},
        {"kind": "locate", "evidence": [other], "text": f"That is in {{{other}}}.", "claims": []},
        {"kind": "conclude", "evidence": [other], "text": f"So {{{other}.text}} is the reason.", "claims": []},
    ]
    return {**path, "steps": steps}


PLANTINGS: dict[str, Planting] = {
    "a slot of other evidence": other_slot,
    "a start of other evidence": half_swapped,
    "the deciding steps about other evidence": other_evidence,
    "start and end exchanged": ends_swapped,
    "begins at the end": start_at_end,
    "a claim turned round": claim_turned,
    "an order turned round": order_turned,
    "a time written out": time_written,
    "words of other evidence": words_of_other,
    "evidence that does not exist": invented,
    "concluded from other evidence": concluded_from_other,
    "right answer, wrong reason": wrong_reason,
}


def cases(root: Path) -> Iterator[tuple[Question, Facts, Fields, str, str]]:
    """Questions of the dataset with a sound path, a deciding fact and another."""
    with Catalog(root) as catalog:
        media = [r["media_id"] for r in catalog.rows("SELECT media_id FROM media ORDER BY media_id")]
        for media_id in media:
            tables = {
                t: catalog.rows(f"SELECT * FROM {t} WHERE media_id = ? ORDER BY row_id", [media_id])
                for t in ("samples", "speech", "text_regions", "captions")
            }
            yield from _of_medium(Rows(tables))


def _of_medium(rows: Rows) -> Iterator[tuple[Question, Facts, Fields, str, str]]:
    params = Params()
    for kind, members in questions_of(rows["samples"], params.tasks):
        try:
            question = question_of(kind, members, min_tiou=params.min_tiou, longest_s=params.longest_s)
        except (Withheld, ValueError):
            continue
        facts = facts_of(rows, question.window, KINDS, most=params.most_facts)
        if not reachable(question, facts):
            continue
        path = sound_path(question, facts)
        keys = [n for s in path["steps"][-1:] for n in s["evidence"]]
        needed = [d.text for d in question.asked.decisive]
        others = [f.name for f in facts.values() if f.text and all(like(t, f.text) < LIKE for t in needed)]
        others = [n for n in others if n not in {m for s in path["steps"] for m in s["evidence"]}]
        if keys and others:
            yield question, facts, path, keys[0], others[int(seeded_fraction(question.question_id) * len(others))]


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--questions", type=int, default=150)
    parser.add_argument("--show", action="store_true", help="list what stays in tier A, and sound paths that do not")
    given = parser.parse_args()
    tried, left = dict.fromkeys(PLANTINGS, 0), dict.fromkeys(PLANTINGS, 0)
    sound = demoted = 0
    for question, facts, path, key, other in cases(given.root):
        clean = grade(Reasoning.model_validate(path), question.asked, facts)
        if min(tried.values()) >= given.cases or sound >= given.questions:
            break
        sound += 1
        if clean.tier != "A":
            demoted += 1
            if given.show:
                print(f"sound, but {clean.tier}: {clean.problem} ({question.kind})")
            continue
        for name, plant in PLANTINGS.items():
            wrong = plant(path, key, other) if tried[name] < given.cases else None
            if wrong is None:
                continue
            tried[name] += 1
            found = grade(Reasoning.model_validate(wrong), question.asked, facts)
            if found.tier == "A":
                left[name] += 1
                if given.show:
                    print(f"{name}: still A: {[s['text'] for s in wrong['steps']]} ({question.kind})")
    print("| planted | cases | demoted from A |\n|---|---|---|")
    for name in PLANTINGS:
        share = 1 - left[name] / tried[name] if tried[name] else 0.0
        print(f"| {name} | {tried[name]} | {tried[name] - left[name]} ({share:.1%}) |")
    total, kept = sum(tried.values()), sum(left.values())
    print(f"| all | {total} | {total - kept} ({1 - kept / max(1, total):.1%}) |")
    print(f"| sound paths | {sound} | {demoted} ({demoted / max(1, sound):.1%}) |")


if __name__ == "__main__":
    main()
