"""YouCook2: `youcookii_annotations_trainval.json`, `{database: {id: {duration, subset, recipe_type, annotations}}}`.

Every annotated segment becomes an event of kind step; the number of the step and the type of the recipe stay in
`attributes_json`. Videos of the test subset are published without annotations and are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from ...engine.importing import Imported, Importer, ImporterParams, ImportProblem, split_said
from .reading import as_json, number, read_mapping, sentence, shown


class Youcook2(Importer[ImporterParams]):
    """Reads YouCook2 (Zhou et al. 2018) into `events` of kind step."""

    name: ClassVar[str] = "youcook2"

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per annotated video."""
        videos = read_mapping(path, "{database: {id: ...}}").get("database")
        if not isinstance(videos, dict):
            raise ImportProblem(
                f"{path.name}: no `database`; expected {{database: {{id: {{duration, subset, annotations}}}}}}"
            )
        for name, about in videos.items():
            steps = about.get("annotations") if isinstance(about, dict) else None
            if steps is None and isinstance(about, dict) and split_said(about.get("subset")) == "test":
                self.passed_over["videos of the test subset, published without annotations"] += 1
                continue
            said = Imported(name)
            if not isinstance(steps, list):
                said.leave_out(f"{path.name} {name}", "missing_key", f"no list `annotations` in {shown(about)}")
                yield said
                continue
            said.duration_s, said.official_split = number(about.get("duration")), split_said(about.get("subset"))
            for place, step in enumerate(steps):
                _step(said, f"{path.name} {name}[{place}]", step, about)
            yield said


def _step(said: Imported, item: str, step: Any, about: dict[str, Any]) -> None:
    if not isinstance(step, dict):
        said.leave_out(item, "missing_key", f"expected {{segment, sentence}}, found {shown(step)}")
        return
    segment = step.get("segment")
    times = [number(t) for t in segment] if isinstance(segment, list) else []
    if len(times) != 2 or None in times:
        said.leave_out(item, "no_time", f"segment {shown(segment)} is no [start, end] in seconds")
    elif (text := sentence(step.get("sentence"))) is None:
        said.leave_out(item, "no_text", f"the sentence is {shown(step.get('sentence'))}")
    else:
        attributes = as_json({"step": step.get("id"), "recipe_type": about.get("recipe_type")})
        said.add("events", item, start_s=times[0], end_s=times[1], text=text, kind="step", attributes_json=attributes)


IMPORTER = Youcook2
