"""LLaVA-style conversations: a JSON list (or JSON lines) of `{id, video, conversations: [{from, value}]}`.

Each conversation becomes a row of `questions`: its first question and answer, and all turns in `turns_json`. Placeholders of
media (`<video>`, `<image>`) are taken off; times inside the texts stay as they are written. Conversations without a medium
(text only) or with several media are passed over and counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from ...engine.importing import Imported, Importer, ImporterParams
from .reading import as_json, json_objects, shown

ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
_PLACEHOLDER = re.compile(r"<(video|image|audio|vid|speech)>\s*")


class LlavaConversations(Importer[ImporterParams]):
    """Reads conversations in the layout of LLaVA, Video-ChatGPT and their kin into `questions`."""

    name: ClassVar[str] = "llava_conversations"

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per conversation."""
        used: Counter[tuple[str, str]] = Counter()
        for place, entry in json_objects(path, lambda where, why: self.fault(path, where, why)):
            named = [entry[key] for key in ("video", "image", "audio") if entry.get(key)]
            named = named[0] if len(named) == 1 and isinstance(named[0], list) else named
            if len(named) != 1 or not isinstance(named[0], str):
                self.passed_over[
                    "conversations without a medium" if not named else "conversations about several media"
                ] += 1
                continue
            said = Imported(named[0])
            given = str(entry.get("id", place))
            used[named[0], given] += 1
            count = used[named[0], given]
            question_id = given if count == 1 else f"{given}#{count}"
            _conversation(said, f"{path.name} {place} id {given}", question_id, entry)
            yield said


def _conversation(said: Imported, item: str, question_id: str, entry: dict[str, Any]) -> None:
    turns, problem = _turns(entry.get("conversations"))
    if problem:
        said.leave_out(item, "turns", problem)
        return
    spoken = [turn for turn in turns if turn["role"] != "system"]
    said.add(
        "questions", item, question_id=question_id, question=spoken[0]["text"], options=[], answer_text=spoken[1]["text"],
        kind="conversation", turns_json=json.dumps(turns, ensure_ascii=False),
        attributes_json=as_json({"data_source": entry.get("data_source") or entry.get("source")}),
    )  # fmt: skip


def _turns(found: Any) -> tuple[list[dict[str, str]], str]:
    """Turns as {role, text}, or why they are none: they alternate, the person begins, and nobody says nothing."""
    if not isinstance(found, list) or not all(isinstance(turn, dict) for turn in found):
        return [], f"no list `conversations`, but {shown(found)}"
    turns = []
    for turn in found:
        role = ROLES.get(str(turn.get("from", turn.get("role"))))
        text = _PLACEHOLDER.sub("", str(turn.get("value", turn.get("content")) or "")).strip()
        if role is None or not text:
            return [], f"a turn without a known speaker or without text: {shown(turn)}"
        turns.append({"role": role, "text": text})
    spoken = [turn["role"] for turn in turns if turn["role"] != "system"]
    wanted = ["user", "assistant"] * (len(spoken) // 2)
    if not spoken or spoken != wanted:
        return (
            [],
            f"turns must alternate between person and model, the person first, but are {', '.join(spoken) or 'none'}",
        )
    return turns, ""


IMPORTER = LlavaConversations
