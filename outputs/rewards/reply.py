"""Where in a model's reply its answer stands: thinking taken away, answer tags followed, nothing guessed.

A reply has at most one thought (`<think>…</think>`; a thought that the chat template opened needs only its end) and at
most one `<answer>…</answer>`. Repeated, unfinished or crossed tags, an empty answer and one of more than 4,000
characters leave nothing to read: such a reply scores 0. All of it takes time linear in the reply.
"""

from __future__ import annotations

from typing import Literal

MAX_CHARACTERS = 4000
"""Longest answer that is read; thoughts may have any length."""
AnswerAt = Literal["whole", "last_line"]
"""Where the answer of an untagged reply stands: packages with a rationale write it on the last line."""


def final_answer(reply: str, at: AnswerAt = "whole") -> str | None:
    """The text that is to be read as the answer, its white space collapsed to single spaces; None: there is none."""
    said = _without_thought(reply)
    if said is None:
        return None
    tagged = _between(said, "<answer>", "</answer>")
    if tagged is None:
        return None
    text = tagged[1]
    if tagged[0] == "untagged" and at == "last_line":
        text = text.strip().rsplit("\n", 1)[-1]
    text = " ".join(text.split())
    return text if 0 < len(text) <= MAX_CHARACTERS else None


def well_formatted(reply: str) -> bool:
    """Whether the reply is exactly `<think>…</think><answer>…</answer>`: each tag once, both filled, only white space
    around them.
    """
    tags = ("<think>", "</think>", "<answer>", "</answer>")
    if any(reply.count(tag) != 1 for tag in tags):
        return False
    before, _, rest = reply.partition(tags[0])
    thought, closed, rest = rest.partition(tags[1])
    between, opened, rest = rest.partition(tags[2])
    answer, ended, after = rest.partition(tags[3])
    outside = before + between + after
    return bool(closed and opened and ended and not outside.strip() and thought.strip() and answer.strip())


def _without_thought(reply: str) -> str | None:
    opened, closed = reply.count("<think>"), reply.count("</think>")
    if (opened, closed) == (0, 0):
        return reply
    if (opened, closed) == (0, 1):
        return reply.partition("</think>")[2]
    if (opened, closed) == (1, 1):
        before, _, rest = reply.partition("<think>")
        _, found, after = rest.partition("</think>")
        return f"{before}\n{after}" if found else None
    return None


def _between(text: str, start: str, end: str) -> tuple[Literal["tagged", "untagged"], str] | None:
    if (text.count(start), text.count(end)) == (0, 0):
        return "untagged", text
    if (text.count(start), text.count(end)) != (1, 1):
        return None
    inside, found, _ = text.partition(start)[2].partition(end)
    return ("tagged", inside) if found else None
