"""ActivityNet Captions: `train.json`, `val_1.json`, `val_2.json`, each `{v_id: {duration, timestamps, sentences}}`.

Every sentence becomes an event. The two validation files are two people's descriptions of the same videos; which one it was
stays in `attributes_json`. Media are called `v_<id>` or `<id>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from ...engine.importing import Imported, Importer, ImporterParams
from .reading import as_json, number, read_mapping, sentence, shown

PREFIX = "v_"


class ActivitynetCaptions(Importer[ImporterParams]):
    """Reads ActivityNet Captions (Krishna et al. 2017) into `events` of kind event."""

    name: ClassVar[str] = "activitynet_captions"

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per video."""
        for name, about in read_mapping(path, "{v_id: {duration, timestamps, sentences}}").items():
            other = name.removeprefix(PREFIX) if name.startswith(PREFIX) else f"{PREFIX}{name}"
            said = Imported(name, also=(other,))
            if not isinstance(about, dict) or not all(
                isinstance(about.get(k), list) for k in ("timestamps", "sentences")
            ):
                why = f"needs lists `timestamps` and `sentences`, has {shown(about)}"
                said.leave_out(f"{path.name} {name}", "missing_key", why)
                yield said
                continue
            said.duration_s = number(about.get("duration"))
            _events(said, about["timestamps"], about["sentences"], path.name)
            yield said


def _events(said: Imported, spans: list[Any], sentences: list[Any], file: str) -> None:
    if len(spans) != len(sentences):
        why = f"{len(spans)} timestamps for {len(sentences)} sentences; the surplus has no partner"
        said.leave_out(f"{file} {said.name}", "unequal_lists", why, abs(len(spans) - len(sentences)))
    for place, (span, text) in enumerate(zip(spans, sentences, strict=False)):
        item = f"{file} {said.name}[{place}]"
        times = [number(t) for t in span] if isinstance(span, list) else []
        if len(times) != 2 or None in times:
            said.leave_out(item, "no_time", f"timestamps {shown(span)} are no [start, end] in seconds")
        elif (words := sentence(text)) is None:
            said.leave_out(item, "no_text", f"the sentence is {shown(text)}")
        else:
            attributes = as_json({"file": file, "number": place})
            said.add(
                "events", item, start_s=times[0], end_s=times[1], text=words, kind="event", attributes_json=attributes
            )


IMPORTER = ActivitynetCaptions
