"""Verifiers as rewards for reinforcement learning: what a package says of a sample, and a model's reply, give a score.

Imports nothing but the pure functions of `chronotope.schemas` (numpy, no Ray, no torch): usable inside a training job.
Adapters for trainers are modules of their own: `trl`, `ms_swift`, `verl`, `easyr1`.
"""

from .reply import final_answer, well_formatted
from .scoring import check, facts_of, format_reward, reward, rewards_of_turns, training_rows
from .verifiers import VERIFIERS

__all__ = [
    "VERIFIERS",
    "check",
    "facts_of",
    "final_answer",
    "format_reward",
    "reward",
    "rewards_of_turns",
    "training_rows",
    "well_formatted",
]
