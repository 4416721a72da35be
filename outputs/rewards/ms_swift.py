"""Rewards for ms-swift's GRPO: classes to register in its table of outcome rewards.

A plugin file given as `--external_plugins` does `orms["chronotope"] = ChronotopeReward` (`from swift.rewards import
orms`), and `--reward_funcs chronotope` names it. The trainer builds `ORM(args=...)` and calls `orm(completions,
**columns)`, one value of each column per completion (modelscope/ms-swift, swift/rewards/orm.py and
swift/rl_core/grpo_algorithm.py, 4.6.0.dev0 of 2026-08-22). The data set needs the column `reward_facts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chronotope.outputs.rewards.scoring import format_reward, reward


class ChronotopeReward:
    """Score of each completion, 0..1."""

    def __init__(self, args: Any = None, **kwargs: Any) -> None:
        self.args = args

    def __call__(self, completions: Sequence[str], reward_facts: Sequence[str], **kwargs: Any) -> list[float]:
        return [reward(facts, said) for facts, said in zip(reward_facts, completions, strict=True)]


class ChronotopeFormat:
    """1 for each completion of the form `<think>…</think><answer>…</answer>` with a readable answer, else 0."""

    def __init__(self, args: Any = None, **kwargs: Any) -> None:
        self.args = args

    def __call__(self, completions: Sequence[str], reward_facts: Sequence[str], **kwargs: Any) -> list[float]:
        return [format_reward(said, facts) for facts, said in zip(reward_facts, completions, strict=True)]
