"""Adapters called as the trainers call them, and a fresh process that imports rewards alone."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import chronotope.outputs.rewards as rewards
import pytest
from chronotope.outputs.rewards import training_rows

FACTS = {"verifier": "choice", "truth": "B", "options": ["left", "right"], "answer_at": "whole"}
GOOD, BAD = "<think>It turns.</think><answer>B</answer>", "A"
HEAVY = ("ray", "torch", "duckdb", "pyarrow", "deltalake", "av", "cv2", "scipy", "sklearn", "pandas")


def loaded_by_path(name):
    """The adapter as a trainer loads it that is given a file."""
    spec = importlib.util.spec_from_file_location("custom_reward", Path(rewards.__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_trl_gets_a_number_per_completion_of_both_kinds():
    from chronotope.outputs.rewards.trl import chronotope_format, chronotope_reward

    columns = {
        "reward_facts": [json.dumps(FACTS)] * 3,
        "sample_id": ["x"] * 3,
        "trainer_state": None,
        "log_extra": print,
    }
    said = [[{"role": "assistant", "content": GOOD}], [{"role": "assistant", "content": BAD}], GOOD]
    asked = {"prompts": ["q"] * 3, "completions": said, "completion_ids": [[1]] * 3, **columns}
    assert chronotope_reward(**asked) == [1.0, 0.0, 1.0]
    assert chronotope_format(**asked) == [1.0, 0.0, 1.0]


def test_ms_swift_builds_with_args_and_calls_with_columns():
    from chronotope.outputs.rewards.ms_swift import ChronotopeFormat, ChronotopeReward

    columns = {"reward_facts": [json.dumps(FACTS)] * 2, "messages": [[], []], "trainer_state": None}
    assert ChronotopeReward(args=None)([GOOD, BAD], **columns) == [1.0, 0.0]
    assert ChronotopeFormat(args=None)([GOOD, BAD], **columns) == [1.0, 0.0]


def test_verl_loads_the_file_and_asks_for_one_reply_at_a_time():
    compute_score = loaded_by_path("verl").compute_score
    asked = {"data_source": "chronotope", "ground_truth": json.dumps(FACTS), "extra_info": {"num_turns": 2}}
    assert compute_score(solution_str=GOOD, **asked) == {"score": 1.0, "acc": 1.0, "format": 1.0}
    assert compute_score(solution_str="B", format_weight=0.5, **asked) == {"score": 0.5, "acc": 1.0, "format": 0.0}


def test_easyr1_loads_the_file_and_asks_for_a_batch():
    module = loaded_by_path("easyr1")
    inputs = [{"response": r, "response_length": 3, "ground_truth": json.dumps(FACTS)} for r in (GOOD, BAD)]
    assert module.REWARD_TYPE == "batch"
    assert [score["overall"] for score in module.compute_score(inputs)] == [1.0, 0.0]


@pytest.mark.parametrize("module", ["", ".trl", ".ms_swift", ".verl", ".easyr1"])
def test_a_training_job_imports_rewards_without_the_engine(module):
    code = f"import sys, chronotope.outputs.rewards{module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_training_rows_hold_prompt_answer_and_facts():
    record = {
        "sample_id": "s1", "reward": FACTS, "files": [{"kind": "video", "file": "media/a.mp4"}],
        "messages": [{"role": "user", "content": "<video>\nWhich?"}, {"role": "assistant", "content": "B"}],
    }  # fmt: skip
    (row,) = training_rows(record)
    assert row["prompt"] == record["messages"][:1] and row["answer"] == "B" and row["videos"] == ["media/a.mp4"]
    assert rewards.reward(row["reward_facts"], row["answer"]) == rewards.reward(record, "right") == 1.0


def test_a_record_without_reward_says_what_to_do():
    with pytest.raises(ValueError, match="write the package again"):
        rewards.reward({"answer": {}}, "B")
