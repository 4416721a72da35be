"""TVQA: `tvqa_train.jsonl` and `tvqa_val.jsonl`, a line per question with five answers and the moment that answers it.

Questions go to the table `questions` with their options in the published order. Some published moments are `nan-nan`: such
questions are kept without a moment, and a note says so. The test file has no answers; its questions are left out. Subtitles
of the clips come through the importer `srt_vtt`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from ...engine.importing import Imported, Importer, ImporterParams, ImportNote
from .reading import as_json, json_objects, number, plain, shown

OPTIONS = ("a0", "a1", "a2", "a3", "a4")


class Tvqa(Importer[ImporterParams]):
    """Reads TVQA (Lei et al. 2018) into `questions`."""

    name: ClassVar[str] = "tvqa"

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per question."""
        for place, asked in json_objects(path, lambda where, why: self.fault(path, where, why)):
            name = asked.get("vid_name")
            if not isinstance(name, str) or not name:
                self.fault(path, place, f"no `vid_name` in {shown(asked)}")
                continue
            said = Imported(name, group_id=_episode(name))
            _question(said, f"{path.name} qid {asked.get('qid', place)}", str(asked.get("qid", place)), asked)
            yield said


def _question(said: Imported, item: str, question_id: str, asked: dict[str, Any]) -> None:
    question, options = plain(asked.get("q")), [plain(asked.get(name)) for name in OPTIONS]
    lacking = [name for name, value in zip(("q", *OPTIONS), (question, *options), strict=True) if value is None]
    answer = asked.get("answer_idx")
    answer = int(answer) if isinstance(answer, (int, str)) and str(answer).isdecimal() else None
    if lacking:
        said.leave_out(item, "missing_key", f"no text under {', '.join(lacking)}")
    elif answer is None:
        said.leave_out(item, "no_answer", "no `answer_idx`: the test file is published without answers")
    elif answer >= len(OPTIONS):
        said.leave_out(item, "no_answer", f"answer_idx {answer} names none of the {len(OPTIONS)} answers")
    else:
        start_s, end_s = _moment(said, item, asked.get("ts"))
        said.add(
            "questions", item, question_id=question_id, question=question, options=options, answer_index=answer,
            answer_text=options[answer], kind="tvqa", start_s=start_s, end_s=end_s,
            attributes_json=as_json({"show": asked.get("show_name")}),
        )  # fmt: skip


def _moment(said: Imported, item: str, ts: Any) -> tuple[float | None, float | None]:
    """Start and end of `76.01-84.2`."""
    times = [number(t) for t in (ts if isinstance(ts, list) else str(ts).split("-"))]
    if len(times) == 2 and times[0] is not None and times[1] is not None:
        return times[0], times[1]
    said.notes.append(
        ImportNote(item, "no_time", f"ts {shown(ts)} is no moment; the question is kept without one", "noted")
    )
    return None, None


def _episode(name: str) -> str | None:
    """`castle_s01e02` of `castle_s01e02_seg01_clip_00`: clips of one episode belong together."""
    found = re.match(r"(.*?s\d+e\d+)_seg\d+", name)
    return found[1] if found else None


IMPORTER = Tvqa
