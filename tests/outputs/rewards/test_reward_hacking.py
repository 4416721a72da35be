"""Attempts to earn a reward without the answer: each is scored as docs/rewards.md says."""

import time

import pytest
from chronotope.outputs.rewards import check, format_reward, reward

SPAN = {
    "verifier": "tiou", "truth": [10.0, 20.0], "times": {"codec": "seconds", "decimals": 2, "unit": "s"},
    "duration_s": 100.0, "tolerance_s": 0.01, "answer_at": "whole",
}  # fmt: skip
TOKENS = SPAN | {"times": {"codec": "relative_tokens_100", "token": "<{k}>"}, "truth": [1000 / 99, 2000 / 99]}
CHOICE = {"verifier": "choice", "truth": "B", "options": ["to the left", "to the right", "up"], "answer_at": "whole"}
ORDER = CHOICE | {"verifier": "order", "truth": ["B", "A", "C"]}
NUMBER = {"verifier": "mra", "truth": 4.0, "unit": "m", "answer_at": "whole"}
TEXT = {"verifier": "text", "truth": "mind the gap", "answer_at": "whole"}
ABSENT = SPAN | {"verifier": "absent"}
ALL = (SPAN, TOKENS, CHOICE, ORDER, NUMBER, TEXT, ABSENT)


def test_the_whole_footage_earns_its_honest_tiou_and_less_with_the_length_penalty():
    whole = "0.0s - 100.0s"
    assert reward(SPAN, whole) == pytest.approx(0.1)
    assert reward(SPAN, whole, length_penalty=True) == pytest.approx(0.01)
    assert reward(SPAN, "0s - 99999s") == reward(SPAN, whole)  # past the end is cut at the end
    assert not check(SPAN, whole).ok
    assert reward(SPAN, "10s - 20s", length_penalty=True) == 1.0
    assert reward(SPAN, "12s - 18s", length_penalty=True) == reward(SPAN, "12s - 18s")


@pytest.mark.parametrize(
    "facts, reply",
    [
        (SPAN, "5 - 15, 10 - 20, 20 - 30"),
        (SPAN, "10s - 20s - 30s"),
        (SPAN, "10s to 20s or maybe 12s to 20s"),
        (SPAN, "20s - 10s"),
        (SPAN, "10s - 10s - 20s"),
        (SPAN, "-10s to 20s"),
        (SPAN, "from -5 to 20 s"),
        (SPAN, "nan - inf"),
        (SPAN, "10s to infinity"),
        (SPAN, "1e1 to 2e1"),
        (SPAN, "10s"),
        (TOKENS, "".join(f"<{k}>" for k in range(100))),
        (TOKENS, "<10> <20> <30> <40>"),
        (TOKENS, "<20> <10>"),
        (TOKENS, "<-10> <20>"),
        (CHOICE, "A, B, C"),
        (CHOICE, "A. to the left B. to the right C. up"),
        (CHOICE, "to the left, to the right, up"),
        (CHOICE, "B or C"),
        (CHOICE, "B? No, C."),
        (CHOICE, "B B B C"),
        (CHOICE, "anything but not B"),
        (ORDER, "B, A, C or A, B, C"),
        (ORDER, "B, A, C, A, B, C"),
        (ORDER, "A, B, C, A, C, B, B, A, C, B, C, A, C, A, B, C, B, A"),
        (ORDER, "BAC CAB"),
        (NUMBER, "3, 4, 5"),
        (NUMBER, "4 or 5 m"),
        (NUMBER, "NaN"),
        (NUMBER, "inf m"),
        (TEXT, "“mind the gap” “stand clear”"),
        (ABSENT, "It does not happen. It happens from 3s to 4s."),
    ],
)
def test_several_answers_and_impossible_ones_earn_nothing(facts, reply):
    assert reward(facts, reply) == 0.0


@pytest.mark.parametrize("facts", ALL, ids=lambda f: f["verifier"])
@pytest.mark.parametrize(
    "reply",
    [
        "",
        "   \n ",
        "<think></think>",
        "<answer></answer>",
        "<think>{right}</think>",
        "<think>{right}</think><answer></answer>",
        "<think>{right}",
        "<answer>{right}",
        "</answer>{right}<answer>",
        "<answer>{right}</answer><answer>{right}</answer>",
        "<answer>{right}<answer>",
        "<think>x</think><think>y</think>{right}",
        "<think>x</think></think>{right}",
    ],
)
def test_thoughts_empty_answers_and_repeated_tags_earn_nothing(facts, reply):
    right = {"tiou": "10s - 20s", "choice": "B", "order": "B, A, C", "mra": "4 m", "text": "mind the gap",
             "absent": "It does not happen."}[facts["verifier"]]  # fmt: skip
    if facts is TOKENS:
        right = "<10> <20>"
    assert reward(facts, right) == pytest.approx(1.0)
    assert reward(facts, reply.replace("{right}", right)) == 0.0


def test_an_echoed_prompt_earns_nothing():
    prompt = "<video>\nWhich way does it go?\nA. to the left\nB. to the right\nC. up"
    assert reward(CHOICE, prompt) == 0.0
    assert reward(CHOICE, f"{prompt}\nB") == 0.0
    assert reward(SPAN, "When do you hear “mind the gap”? Answer as <start> - <end> in seconds.") == 0.0


def test_format_reward_wants_each_tag_once_and_a_readable_answer():
    good = "<think>First, then.</think>\n<answer>10s - 20s</answer>"
    assert format_reward(good, SPAN) == 1.0
    assert format_reward("<think>x</think><answer>who knows</answer>") == 1.0
    for bad in (
        "<think>x</think><answer>who knows</answer>",
        "<answer>10s - 20s</answer>",
        "10s - 20s",
        good + good,
        good + " That is all.",
        "<answer>10s - 20s</answer><think>x</think>",
        "<think></think><answer>10s - 20s</answer>",
        "<think><answer>10s - 20s</answer></think>",
        "<think>x<think>y</think><answer>10s - 20s</answer>",
        "<think>x</think><answer><answer>10s - 20s</answer>",
    ):
        assert format_reward(bad, SPAN) == 0.0, bad


@pytest.mark.parametrize("facts", ALL, ids=lambda f: f["verifier"])
def test_huge_and_adversarial_replies_are_refused_in_linear_time(facts):
    pieces = ["A", " ", "\n", "(", "[0.1,", "1,", "0:", "1.", "-", "“", "<", "<think>", "</think>", "<answer>", "\\boxed{",
              "hundred and ", "3s - ", "to the ", "<1>", "not "]  # fmt: skip
    start = time.perf_counter()
    for piece in pieces:
        for reply in (piece * (4000 // len(piece)), piece * (400_000 // len(piece))):
            assert reward(facts, reply) < 0.01
            assert reward(facts, f"<answer>{reply}</answer>") < 0.01
    assert time.perf_counter() - start < 5.0


def test_a_long_thought_is_no_obstacle():
    assert reward(SPAN, f"<think>{'hm, 3 to 5 s? ' * 100_000}</think>10s - 20s") == 1.0


def test_an_answer_behind_a_rationale_stands_on_the_last_line():
    facts = SPAN | {"answer_at": "last_line"}
    assert reward(facts, "Before them, at 1s - 3s, I hear “go”.\nSo they are said in 10s - 20s.\n") == 1.0
    assert reward(SPAN, "Before them, at 1s - 3s, I hear “go”.\nSo they are said in 10s - 20s.\n") == 0.0
