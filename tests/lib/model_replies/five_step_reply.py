"""A careful path to the answer of a question about told facts; of eight, one with weak steps and one that is wrong.

Repairs are always sound. It looks only at the prompt: quoted words of the question, times that it names, options.
"""

from __future__ import annotations

import re
from typing import Any

from model_asked import Asked, Told

TIMES = re.compile(r"([\d.]+) to ([\d.]+) s")
OPTION = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
QUOTED = re.compile(r"“([^”]*)”")


def reply(asked: Asked) -> dict[str, Any]:
    """Read, locate, compare where two things are to be told apart, conclude."""
    question = asked.user.split("Evidence:")[0]
    options = [text for _, text in OPTION.findall(question)]
    head = question.split("Answer with")[0]
    mending = "What is wrong:" in asked.user
    if options and all(QUOTED.fullmatch(o) for o in options) and not QUOTED.search(head):
        found = [_most_like(asked.facts, o) for o in options]
        right = min(found, key=lambda n: asked.facts[n].start_s)
        names, answer = found, {"option": found.index(right) + 1}
    else:
        names = [_asked_for(asked.facts, head)]
        right = names[0]
        answer = _answer(asked.facts, right, options, "Answer with a span" in question)
    odd = -1 if mending else asked.number % 8
    if odd == 7:
        answer = _wrong(answer, right, asked.facts, len(options))
    steps = [] if odd == 5 else [s for n in names for s in _looked_up(n)]
    if odd == 5:
        other = next((n for n in asked.facts if n not in names), right)
        steps = _looked_up(other)
    if len(names) == 2 and odd != 5:
        a, b = sorted(names, key=lambda n: asked.facts[n].start_s)
        claim = {"rel": "starts_first", "a": a, "b": b}
        steps.append(
            _step(
                "compare",
                [a, b],
                f"Of these two, what goes on in {{{a}}} is first to begin; the other is {{{b}}}.",
                [claim],
            )
        )
    steps.append(_step("conclude", [right], f"So {{{right}.text}} is what the question is about."))
    hints = {
        "concept": "It is about when something is told.",
        "strategy": "Find the words of the question among what is told.",
        "tool": "Listen, and read what is written.",
        "key_step": "Look for the place where these very words stand.",
    }
    filled = {"option": None, "order": [], "span": None, "text": None} | answer
    return {"steps": steps, "answer": filled, "confidence": 0.4 if odd == 7 else 0.9, "hints": hints}


def _looked_up(name: str) -> list[dict[str, Any]]:
    return [
        _step("read", [name], f"Here it is told: {{{name}.text}}."),
        _step("locate", [name], f"That goes on from {{{name}.start}} until {{{name}.end}}."),
    ]


def _step(kind: str, evidence: list[str], text: str, claims: list[Any] | None = None) -> dict[str, Any]:
    return {"kind": kind, "evidence": evidence, "text": text, "claims": claims or []}


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _shared(a: str, b: str) -> float:
    mine, other = set(_words(a)), set(_words(b))
    return len(mine & other) / max(1, min(len(mine), len(other)))


def _most_like(facts: dict[str, Told], text: str) -> str:
    return max(facts, key=lambda n: (_shared(text, facts[n].text), -facts[n].start_s))


def _asked_for(facts: dict[str, Told], head: str) -> str:
    times = TIMES.search(head)
    if times:
        start, end = float(times[1]), float(times[2])
        kind = "text" if re.search(r"read|writ|letter|screen|shown|text", head) else "speech"
        held = [n for n, f in facts.items() if f.kind == kind] or list(facts)
        return max(held, key=lambda n: min(end, facts[n].end_s) - max(start, facts[n].start_s))
    quoted = QUOTED.search(head)
    return _most_like(facts, quoted[1] if quoted else head)


def _answer(facts: dict[str, Told], name: str, options: list[str], span: bool) -> dict[str, Any]:
    fact = facts[name]
    if options:
        if all(TIMES.fullmatch(o) for o in options):
            apart = [
                abs(float(a) - fact.start_s) + abs(float(b) - fact.end_s) for o in options for a, b in TIMES.findall(o)
            ]
            return {"option": apart.index(min(apart)) + 1}
        return {"option": max(range(len(options)), key=lambda i: _shared(options[i], fact.text)) + 1}
    return {"span": f"{{{name}}}"} if span else {"text": f"{{{name}.text}}"}


def _wrong(answer: dict[str, Any], right: str, facts: dict[str, Told], options: int) -> dict[str, Any]:
    other = next((n for n in facts if n != right), right)
    if "option" in answer:
        return {"option": answer["option"] % options + 1}
    return {field: value.replace(right, other) for field, value in answer.items()}
