"""Rewards for verl: this file as `reward.custom_reward_function.path`, `compute_score` as its name.

The reward manager calls `compute_score(data_source=, solution_str=, ground_truth=, extra_info=)` per reply and takes a
number or a dict with `score`, whose other values it logs (verl-project/verl, reward_manager/naive.py and
trainer/ppo/reward.py, 0.10.0.dev of 2026-08-22). It loads the file by its path, so imports are absolute here. The data
set's `reward_model.ground_truth` is the column `reward_facts` of `training_rows`.
"""

from __future__ import annotations

from typing import Any

from chronotope.outputs.rewards.scoring import check, format_reward


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: dict[str, Any] | None = None,
    *,
    format_weight: float = 0.0,
    **kwargs: Any,
) -> dict[str, float]:
    """`score` = (1 - format_weight) x answer + format_weight x format; `acc` says whether the answer is right."""
    found, formatted = check(ground_truth, solution_str), format_reward(solution_str, ground_truth)
    score = (1 - format_weight) * found.score + format_weight * formatted
    return {"score": score, "acc": float(found.ok), "format": formatted}
