"""QVHighlights: `highlight_train_release.jsonl` and its siblings, a line per query with its windows and saliency.

A query has one or several windows; each becomes an event of kind query, and all of a query share `query_id`. The saliency
that three people gave to each clip of two seconds inside a window stays in `attributes_json`. Videos are named
`<youtube id>_<start>_<end>`; those of one youtube video belong together.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from ...engine.importing import Imported, Importer, ImporterParams
from ...schemas.ids import derive_id
from .reading import as_json, json_objects, number, sentence, shown

CLIP_S = 2.0
"""Length of the clips that saliency was given to (QVHighlights, data/README)."""


class Qvhighlights(Importer[ImporterParams]):
    """Reads QVHighlights (Lei et al. 2021) into `events` of kind query."""

    name: ClassVar[str] = "qvhighlights"
    licence: ClassVar[str | None] = "CC BY-NC-SA 4.0"

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per query."""
        for place, query in json_objects(path, lambda where, why: self.fault(path, where, why)):
            name, text = query.get("vid"), sentence(query.get("query"))
            if not isinstance(name, str) or not name:
                self.fault(path, place, f"no `vid` in {shown(query)}")
                continue
            said = Imported(name, duration_s=number(query.get("duration")), group_id=_youtube(name))
            item = f"{path.name} qid {query.get('qid', place)}"
            windows = query.get("relevant_windows")
            if text is None:
                said.leave_out(item, "no_text", f"the query is {shown(query.get('query'))}")
            elif not isinstance(windows, list) or not windows:
                said.leave_out(item, "no_moment", "no `relevant_windows`: the test files are published without answers")
            else:
                _windows(said, item, text, windows, query)
            yield said


def _windows(said: Imported, item: str, text: str, windows: list[Any], query: dict[str, Any]) -> None:
    ids, scores = query.get("relevant_clip_ids"), query.get("saliency_scores")
    given = dict(zip(ids, scores, strict=False)) if isinstance(ids, list) and isinstance(scores, list) else {}
    for count, window in enumerate(windows):
        times = [number(t) for t in window] if isinstance(window, list) else []
        mine = f"{item} window {count}"
        if len(times) != 2 or times[0] is None or times[1] is None:
            said.leave_out(mine, "no_time", f"{shown(window)} is no [start, end] in seconds")
            continue
        start_s, end_s = times[0], times[1]
        inside = [i for i in sorted(given) if start_s <= i * CLIP_S < end_s]
        attributes = {
            "qid": query.get("qid"),
            "windows": len(windows),
            "clip_ids": inside or None,
            "saliency": [given[i] for i in inside] or None,
        }
        said.add(
            "events", mine, start_s=start_s, end_s=end_s, text=text, kind="query",
            query_id=derive_id("query", text), attributes_json=as_json(attributes),
        )  # fmt: skip


def _youtube(name: str) -> str | None:
    """`bP5KfdFJzC4` of `bP5KfdFJzC4_660.0_810.0`."""
    parts = name.rsplit("_", 2)
    return parts[0] if len(parts) == 3 and all(number(p) is not None for p in parts[1:]) else None


IMPORTER = Qvhighlights
