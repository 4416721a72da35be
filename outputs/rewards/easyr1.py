"""Rewards for EasyR1: this file and `compute_score` as `worker.reward.reward_function=<this file>:compute_score`.

The batch reward manager calls `compute_score(reward_inputs)` with dicts of `response`, `response_length` and
`ground_truth`, and takes a dict with `overall` for each; it loads the file by its path (hiyouga/EasyR1,
verl/workers/reward/function.py of 2026-07-30), so imports are absolute here. The data set's answer column is the column
`reward_facts` of `training_rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chronotope.outputs.rewards.scoring import check, format_reward

REWARD_NAME = "chronotope"
REWARD_TYPE = "batch"


def compute_score(reward_inputs: Sequence[dict[str, Any]], format_weight: float = 0.0) -> list[dict[str, float]]:
    """`overall` = (1 - format_weight) x answer + format_weight x format; `accuracy` is the answer's score."""
    scores = []
    for item in reward_inputs:
        found = check(item["ground_truth"], item["response"])
        formatted = format_reward(item["response"], item["ground_truth"])
        overall = (1 - format_weight) * found.score + format_weight * formatted
        scores.append({"overall": overall, "format": formatted, "accuracy": found.score})
    return scores
