"""What is heard, in words: the description of a row of `sounds` or `speech`, as questions and answers write it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .markup import quote

COMMON = {"silence": "silence", "tone": "a steady tone", "loud": "a loud passage", "onset": "the beginning of a sound"}


def heard_words(row: Mapping[str, Any]) -> str:
    """Such as `a loud bright C# on the violin`, `silence`, or the words that are said, in quotation marks."""
    if row.get("label") is None:
        return f"the line {quote(str(row['text']).strip())}"
    label, told = str(row["label"]), json.loads(row["attributes_json"] or "{}")
    if told.get("note") and told.get("loudness") and told.get("brightness"):
        return f"a {told['loudness']} {told['brightness']} {told['note']} on the {label}"
    if label == "tone" and told.get("note"):
        return f"a steady tone at {told['note']}"
    return COMMON.get(label, label)
