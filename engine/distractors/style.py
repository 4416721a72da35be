"""The style test of one question's options: none may be told by its length, capitals or punctuation.

It looks at the options alone, as somebody would who cannot see the footage. Whether options give themselves away over a
whole corpus is measured in `option_style.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_LENGTH_RATIO = 1.8
"""Longest over shortest option of a question, in characters."""


def form(text: str) -> tuple[str, str, bool]:
    """How a text looks: how it begins, how it ends, whether it has digits alone."""
    first = next((c for c in text if c.isalnum()), "")
    begins = "digit" if first.isdigit() else "upper" if first.isupper() else "lower"
    if len(text) > 1 and text.isupper():
        begins = "capitals"
    last = text.rstrip()[-1:]
    return begins, "" if last.isalnum() else last, text.isdigit()


def style_problem(texts: Sequence[str], max_ratio: float = MAX_LENGTH_RATIO) -> str:
    """Why the options can be told apart by their looks; empty when they cannot."""
    lengths = sorted(len(t) for t in texts)
    if not lengths or lengths[0] == 0:
        return "an empty option"
    if lengths[-1] > max_ratio * lengths[0]:
        return f"lengths from {lengths[0]} to {lengths[-1]} characters"
    forms = {form(t) for t in texts}
    return "" if len(forms) == 1 else f"different capitals or punctuation: {sorted(forms)}"


def may_stand_beside(text: str, other: str, max_ratio: float = MAX_LENGTH_RATIO) -> bool:
    """Whether two texts pass the style test together."""
    return not style_problem([text, other], max_ratio)
