"""A path of typical content and length to a question's answer, from which `plan` predicts what five_step asks and costs."""

from __future__ import annotations

from typing import Any

from ...schemas.facts import Fact, Facts
from ...schemas.paths import LIKE, like
from ...schemas.sample import ChoiceAnswer, SpanAnswer
from ...schemas.span import overlap_s, to_us
from .five_step_questions import Question


def typical_path(question: Question, facts: Facts) -> dict[str, Any]:
    """Fields of a right and sound path: what decides is read and located, compared where two things are, and concluded."""
    found = [fact for need in question.asked.decisive for fact in _deciding(need.text, need.span, facts)[:1]]
    steps: list[dict[str, Any]] = []
    for fact in found:
        steps.append(_step("read", [fact.name], f"What is told here is {{{fact.name}.text}}."))
        steps.append(
            _step("locate", [fact.name], f"That goes on from {{{fact.name}.start}} until {{{fact.name}.end}}.")
        )
    names = [fact.name for fact in found]
    if question.asked.compared and len(found) == 2:
        a, b = sorted(found, key=lambda f: to_us(f.span.start_s) if f.span else 0)
        claim = {"rel": "starts_first", "a": a.name, "b": b.name}
        steps.append(
            {
                **_step(
                    "compare",
                    names,
                    f"Of the two, what goes on in {{{a.name}}} is first to begin; the other is {{{b.name}}}.",
                ),
                "claims": [claim],
            }
        )
    steps.append(
        _step(
            "conclude",
            names[:1],
            f"So what {{{names[0]}.text}} tells is what the question asks for." if names else "So.",
        )
    )
    key = question.asked.key
    answer: dict[str, Any] = {
        "option": key.index + 1 if isinstance(key, ChoiceAnswer) else None,
        "order": [],
        "span": f"{{{names[0]}}}" if names and isinstance(key, SpanAnswer) else None,
        "text": f"{{{names[0]}.text}}" if names and key.kind == "text" else None,
    }
    hints = {
        "concept": "The question is about what comes when.",
        "strategy": "Go through what is told in order of time, and keep what fits the question.",
        "tool": "Listen to what is said, and read what is written.",
        "key_step": "Find the one place where it is told.",
    }
    return {"steps": steps, "answer": answer, "confidence": 0.8, "hints": hints}


def _deciding(text: str, span: Any, facts: Facts) -> list[Fact]:
    held = [f for f in facts.values() if f.span is not None and overlap_s(f.span, span) > 0]
    alike = {f.name: like(text, f.text or "") for f in held}
    return sorted((f for f in held if alike[f.name] >= LIKE), key=lambda f: -alike[f.name])


def _step(kind: str, evidence: list[str], text: str) -> dict[str, Any]:
    return {"kind": kind, "evidence": evidence, "text": text, "claims": []}
