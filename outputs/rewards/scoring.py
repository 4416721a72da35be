"""A reply scored by what the package says of its sample: `reward(record, reply)`.

`record` is a line of a package's `samples.jsonl` (as a dict or as JSON text), or only its value `reward`. A
conversation has one such value per turn; give the turn, or a reply for each of them. Nothing here raises for what a
model says, only for a record that carries no reward.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...schemas.verifying import Check
from .reply import final_answer, well_formatted
from .verifiers import VERIFIERS, tiou_length_penalised

Record = Mapping[str, Any] | str


def reward(record: Record, reply: str, *, turn: int | None = None, length_penalty: bool = False) -> float:
    """Score of a reply, 0..1; `turn` (from 0) says which turn of a conversation it answers.

    `length_penalty` scores a single span that is too long below its tIoU. Raises ValueError without a reward in the
    record, or when the turn does not exist.
    """
    return check(record, reply, turn=turn, length_penalty=length_penalty).score


def check(record: Record, reply: str, *, turn: int | None = None, length_penalty: bool = False) -> Check:
    """As `reward`, with verdict and reason."""
    facts = facts_of(record, turn)
    answer = final_answer(reply, facts["answer_at"])
    if answer is None:
        return Check(False, "no answer outside thoughts, or more than one", 0.0)
    if length_penalty and facts["verifier"] == "tiou":
        return tiou_length_penalised(facts, answer)
    return VERIFIERS[facts["verifier"]](facts, answer)


def rewards_of_turns(record: Record, replies: Sequence[str]) -> list[float]:
    """Scores of one reply per trained turn of a conversation, in order. Raises ValueError when their numbers differ."""
    facts = facts_of(record, None, whole=True)
    turns = [i for i, part in enumerate(facts["parts"]) if part["trained"]]
    if len(turns) != len(replies):
        raise ValueError(f"{len(replies)} replies for {len(turns)} trained turns")
    return [reward(record, reply, turn=turn) for turn, reply in zip(turns, replies, strict=True)]


def format_reward(reply: str, record: Record | None = None, *, turn: int | None = None) -> float:
    """1 for `<think>…</think><answer>…</answer>` and nothing else, and, with a record, a readable answer in it."""
    if not well_formatted(reply):
        return 0.0
    return 1.0 if record is None or check(record, reply, turn=turn).reason != "no readable answer" else 0.0


def facts_of(record: Record, turn: int | None = None, *, whole: bool = False) -> Mapping[str, Any]:
    """The reward facts of a record, or of one turn of a conversation. Raises ValueError when there are none."""
    facts = json.loads(record) if isinstance(record, str) else record
    facts = facts.get("reward", facts)
    if not isinstance(facts, Mapping) or "verifier" not in facts:
        raise ValueError("the record carries no `reward`; write the package again with this version of chronotope")
    if facts["verifier"] != "turns":
        if whole or turn not in (None, 0):
            raise ValueError("a sample of one turn has only turn 0")
        return facts
    if whole:
        return facts
    if turn is None or not 0 <= turn < len(facts["parts"]):
        raise ValueError(f"a conversation of {len(facts['parts'])} turns needs `turn`, 0 to {len(facts['parts']) - 1}")
    found: Mapping[str, Any] = facts["parts"][turn]["reward"]
    return found


def training_rows(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What a trainer needs of a record: one row per trained turn.

    `prompt` (messages before the answer), `reward_facts` (JSON text for the adapters), `answer` (the right reply), and
    paths of `videos`, `images` and `audios` inside the package.
    """
    files = {
        f"{kind}s": [f["file"] for f in record["files"] if f["kind"] == kind] for kind in ("video", "image", "audio")
    }
    facts = facts_of(record, None, whole=True) if record["reward"]["verifier"] == "turns" else None
    answers = [i for i, m in enumerate(record["messages"]) if m["role"] == "assistant"]
    for turn, at in enumerate(answers):
        if facts is None or facts["parts"][turn]["trained"]:
            yield {
                "sample_id": record["sample_id"],
                "turn": turn,
                "prompt": record["messages"][:at],
                "answer": record["messages"][at]["content"],
                "reward_facts": json.dumps(facts_of(record, turn), sort_keys=True, ensure_ascii=False),
                **files,
            }
