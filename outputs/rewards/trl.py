"""Rewards for TRL's GRPOTrainer (and RLOOTrainer): `reward_funcs=[chronotope_reward, chronotope_format]`.

The trainer calls `reward_func(prompts=, completions=, completion_ids=, **columns)`, columns of the data set repeated to
one value per completion, and takes a list of numbers (huggingface/trl, trl/trainer/grpo_trainer.py `_calculate_rewards`,
1.10.0.dev0 of 2026-07-24). A completion is text or, for conversational data, a list of messages whose last one counts.
The data set needs the column `reward_facts` of `training_rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chronotope.outputs.rewards.scoring import format_reward, reward

Completion = str | Sequence[dict[str, Any]]


def chronotope_reward(
    prompts: Sequence[Any], completions: Sequence[Completion], *, reward_facts: Sequence[str], **columns: Any
) -> list[float]:
    """Score of each completion, 0..1."""
    return [reward(facts, _text(said)) for facts, said in zip(reward_facts, completions, strict=True)]


def chronotope_format(
    prompts: Sequence[Any], completions: Sequence[Completion], *, reward_facts: Sequence[str], **columns: Any
) -> list[float]:
    """1 for each completion of the form `<think>…</think><answer>…</answer>` with a readable answer, else 0."""
    return [format_reward(_text(said), facts) for facts, said in zip(reward_facts, completions, strict=True)]


def _text(completion: Completion) -> str:
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
