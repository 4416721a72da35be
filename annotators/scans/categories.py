"""What a source's words for things become, and which things are left out and why: data files, never code.

`categories/<source>.yaml` has `rename: {raw: label}` and `leave_out: {raw: reason}`; words that neither names stay as they are,
in lower case with spaces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from ...engine.importing import ImportNote, ImportProblem
from .scan import Item

FOLDER = Path(__file__).parent / "categories"


@dataclass(frozen=True)
class Categories:
    """Words of one source."""

    rename: dict[str, str]
    leave_out: dict[str, str]

    def label(self, raw: str) -> str:
        """The label of a source's word."""
        word = plain(raw)
        return self.rename.get(word, word)

    def why_not(self, raw: str) -> str | None:
        """Why things of that word are left out; None when they are not."""
        word = plain(raw)
        return self.leave_out.get(word) or self.leave_out.get(self.label(raw)) or (None if word else "it has no label")

    def sorted_out(self, items: Iterable[Item]) -> tuple[list[Item], list[ImportNote]]:
        """Items that stay, and one note per word of those that do not."""
        kept: list[Item] = []
        gone: Counter[str] = Counter()
        for item in items:
            if self.why_not(item.label_raw) is None:
                kept.append(item)
            else:
                gone[plain(item.label_raw)] += 1
        notes = [
            ImportNote(f"category {word or '(none)'}", "category", str(self.why_not(word)), "left_out", count)
            for word, count in sorted(gone.items())
        ]
        return kept, notes


def plain(raw: str) -> str:
    """A word in lower case with single spaces."""
    return " ".join(raw.replace("_", " ").replace("-", " ").lower().split())


@lru_cache
def categories_of(source: str, own: Path | None = None) -> Categories:
    """Words of a source, or of one's own file. Raises `ImportProblem` for a file that is no such table."""
    path = own or FOLDER / f"{source}.yaml"
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8")) if own or path.exists() else {}
        parts = [
            {plain(str(k)): plain(str(v)) if name == "rename" else str(v) for k, v in (told.get(name) or {}).items()}
            for name in ("rename", "leave_out")
        ]
    except (OSError, yaml.YAMLError, AttributeError, UnicodeDecodeError) as error:
        raise ImportProblem(f"{path.name} is no YAML file with `rename` and `leave_out`: {error}") from None
    return Categories(*parts)
