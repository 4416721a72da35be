"""How the test server's careful reader reads a question with options: the words, the evidence at the asked time, likeness."""

from __future__ import annotations

import re
import zlib
from typing import Any

from model_asked import Asked

_OPTION = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)
_SPAN = re.compile(r"(\d+(?:\.\d+)?) to (\d+(?:\.\d+)?) s")


def words(text: str) -> set[str]:
    """Lower-case words."""
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def question_and_options(user: str) -> tuple[str, dict[int, str]]:
    """The question alone, and its options by number."""
    asked = re.split(r"Question(?: about footage that you cannot see)?:\n", user)[-1]
    options = {int(n): text for n, text in _OPTION.findall(asked)}
    return _OPTION.sub("", asked), options


def told(asked: Asked, question: str) -> list[str]:
    """Texts of the evidence at the times that the question names; of all of it when it names none."""
    spans = [(float(a), float(b)) for a, b in _SPAN.findall(question)]
    facts = [f for f in asked.facts.values() if f.text]
    near = [f for f in facts if any(f.start_s < b and f.end_s > a for a, b in spans)]
    return [f.text for f in (near or facts)]


def likeness(text: str, other: str) -> float:
    """Share of the words of `text` that stand in the other one."""
    mine = words(text)
    return len(mine & words(other)) / max(1, len(mine))


def best(asked: Asked, question: str, options: dict[int, str]) -> list[int]:
    """Numbers of the options, the likeliest first."""
    known = told(asked, question)

    def score(number: int) -> tuple[float, float, int]:
        text = options[number]
        found = max((likeness(text, t) for t in known), default=0.0)
        return -found, -likeness(text, question) if not known else 0.0, zlib.crc32(f"{question}|{text}".encode())

    return sorted(options, key=score)


NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_STATED = re.compile(r"“([^”]*)” (comes before|comes after|overlaps with) “([^”]*)”\.")
_COUNTED = re.compile(r"When “([^”]*)” is heard, the number of signs and captions shown so far is (\w+)\.")


def decided(asked: Asked, text: str) -> bool | None:
    """Whether the evidence bears out a statement of the forms that `fact_fib_reply` writes; None for any other text."""
    if match := _STATED.search(text):
        a, b = _told_as(asked, match[1]), _told_as(asked, match[3])
        if a is None or b is None:
            return None
        if match[2] == "overlaps with":
            return min(a.end_s, b.end_s) > max(a.start_s, b.start_s)
        return a.end_s <= b.start_s if match[2] == "comes before" else b.end_s <= a.start_s
    if match := _COUNTED.search(text):
        heard = _told_as(asked, match[1])
        shown = sum(f.kind == "text" and f.start_s < heard.start_s for f in asked.facts.values()) if heard else -1
        return shown == NUMBERS.index(match[2]) if match[2] in NUMBERS else None
    return None


def _told_as(asked: Asked, quoted: str) -> Any:
    """The evidence that says exactly these words."""
    return next((f for f in asked.facts.values() if words(f.text) == words(quoted) and f.end_s > f.start_s), None)
