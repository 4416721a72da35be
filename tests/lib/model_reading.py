"""How the test server's careful reader reads a question with options: the words, the evidence at the asked time, likeness."""

from __future__ import annotations

import re
import zlib

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
