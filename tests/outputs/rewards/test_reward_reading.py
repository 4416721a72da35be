"""What a reply is read as: the forms that models use are understood, and every task's own answer forms are."""

from pathlib import Path

import chronotope.annotators.tasks as tasks
import pytest
from chronotope.engine.wordings import load_wordings
from chronotope.outputs.rewards import check, reward
from chronotope.outputs.rewards.options import LETTERS, read_choice, read_order
from chronotope.outputs.rewards.words import denies, read_number, read_text

SECONDS = {"codec": "seconds", "decimals": 2, "unit": "s"}
CLOCK = {"codec": "mm:ss", "tenths": False}
TOKENS = {"codec": "relative_tokens_100", "token": "<t{k}>"}
SIDES = ["it goes to the left", "it goes to the right", "it goes up", "it goes to the right and up"]


def spoken(times=SECONDS, truth=(3.2, 7.9), duration_s=40.0, verifier="tiou", **more):
    return {"verifier": verifier, "truth": list(truth), "times": times, "duration_s": duration_s,
            "tolerance_s": 0.01, "answer_at": "whole", **more}  # fmt: skip


@pytest.mark.parametrize(
    "reply",
    [
        "from 3.2s to 7.9 s",
        "3.2 - 7.9",
        "3.20s-7.90s",
        "[3.2, 7.9]",
        "It is said from 3.2 seconds until 7.9 seconds.",
        "The words begin at 3.20s and end at 7.90s.",
        "Of the 40 s shown, 3.2 to 7.9 seconds.",
        "<answer>3.2s – 7.9s</answer>",
        "<think>Perhaps 1.0 to 2.0 s. No.</think>\n<answer> 3.2s to 7.9s </answer>",
        "it opened a thought 9 to 12 s</think> 3.2s to 7.9s",
        "3.2 - 7.9 (again: 3.20s to 7.90s)",
    ],
)
def test_a_span_is_read_however_it_is_written(reply):
    assert check(spoken(), reply).ok


def test_clock_times_and_relative_tokens_are_read():
    assert reward(spoken(CLOCK, (3, 7)), "00:03 to 00:07") == 1.0
    assert reward(spoken(SECONDS, (3, 7)), "00:03 to 00:07") == 1.0
    assert reward(spoken(CLOCK, (3, 7)), "from 3s to 7s") == 1.0
    tokens = spoken(TOKENS, (12 * 40 / 99, 20 * 40 / 99))
    assert reward(tokens, "It is in <t12> <t20>.") == 1.0
    assert reward(tokens, "4.85 - 8.08") == 0.0  # tokens were asked for


def test_several_spans_are_a_set():
    facts = spoken(verifier="span_set", truth=[[3.2, 7.9], [10, 12]])
    for reply in ("3.2 - 7.9 and 10 - 12", "10.00s - 12.00s; 3.20s - 7.90s", "[3.2, 7.9], [10, 12]"):
        assert check(facts, reply).ok, reply
    assert reward(facts, "3.2 - 7.9") == pytest.approx(4.7 / 6.7)
    assert reward(facts, "It does not happen.") == 0.0


@pytest.mark.parametrize(
    "reply, letter",
    [
        ("B", "B"),
        ("b.", "B"),
        ("(B)", "B"),
        ("**B**", "B"),
        ("\\boxed{B}", "B"),
        ("B. it goes to the right", "B"),
        ("The answer is B", "B"),
        ("Answer: (b)", "B"),
        ("A is right.", "A"),
        ("Of the options, A is right.", "A"),
        ("A man walks by, and it goes up.", "C"),
        ("I think it goes to the right and up", "D"),
        ("It goes to the RIGHT", "B"),
        ("I say C, because it is right there.", "C"),
        ("E", None),
        ("A man walks by.", None),
        ("I would rather not say.", None),
        ("not B", None),
        ("A or B", None),
        ("B. it goes to the left", None),
        ("it goes up, it goes to the left", None),
    ],
)
def test_a_choice_is_read_by_letter_or_text(reply, letter):
    assert read_choice(reply, SIDES) == letter


@pytest.mark.parametrize(
    "reply, letters",
    [
        ("A, C, B", ["A", "C", "B"]),
        ("ACB", ["A", "C", "B"]),
        ("A then C then B", ["A", "C", "B"]),
        ("(A) -> (C) -> (B)", ["A", "C", "B"]),
        ("The order is A, C, B. So: A, C, B.", ["A", "C", "B"]),
        ("A. I left; C. the end; B. a dog", ["A", "C", "B"]),
        ("I left; the end; a dog", ["A", "C", "B"]),
        ("A, C", None),
        ("A, C, C", None),
        ("A, C, B or B, C, A", None),
        ("A. the end; C. I left; B. a dog", None),
    ],
)
def test_an_order_is_read_in_letters_or_texts(reply, letters):
    assert read_order(reply, ["I left", "a dog", "the end"]) == letters


def test_every_answer_form_of_every_task_is_understood_with_every_letter():
    nine = [
        f"motion number {word}" for word in ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    ]
    for file in sorted((Path(tasks.__file__).parent / "wordings").glob("*.yaml")):
        options = nine if file.stem == "camera_motion" else nine[:6]  # only camera_motion comes as far as the letter I
        for kind in load_wordings(file).kinds.values():
            for form in kind.answers:
                if form.slots != {"answer"}:
                    continue
                for i, text in enumerate(options):
                    letter = LETTERS[i]
                    for said in (letter, text, f"{letter}. {text}"):
                        assert read_choice(form.fill({"answer": said}), options) == letter, (file.stem, form.id, said)
                backwards = LETTERS[: len(options)][::-1]
                said = form.fill({"answer": ", ".join(backwards)})
                assert read_order(said, options) == list(backwards), (file.stem, form.id)


@pytest.mark.parametrize(
    "reply, unit, value",
    [
        ("three", "", 3.0),
        ("There are twenty-five people.", "", 25.0),
        ("one hundred and five", "", 105.0),
        ("1,234.5", "m", 1234.5),
        ("about 2.5 meters", "m", 2.5),
        ("150 cm", "m", 1.5),
        ("3 (three) chairs in 10 s", "count", 3.0),
        ("-4 degrees", "°", -4.0),
        ("20.0 m2", "m2", 20.0),
        ("about 20 m^2", "m2", 20.0),
        ("20 square metres", "m2", 20.0),
        ("215.278 sq. ft", "m2", 19.99998064512),
        ("20 m", "m2", None),
        ("between 3 and 5", "", None),
        ("3 or four: 3, 4", "", None),
        ("NaN", "", None),
        ("inf", "", None),
        ("1e999", "", None),
        ("", "", None),
    ],
)
def test_numbers_with_words_separators_and_units(reply, unit, value):
    assert read_number(reply, unit) == pytest.approx(value) if value is not None else read_number(reply, unit) is None


def test_measured_numbers_earn_mean_relative_accuracy_and_counts_must_be_exact():
    measured = {"verifier": "mra", "truth": 2.0, "unit": "m", "answer_at": "whole"}
    assert reward(measured, "2 m") == 1.0
    assert reward(measured, "2.1 m") == 1.0  # an error of 5% is within 1 - 0.95
    assert reward(measured, "2.5 m") == pytest.approx(0.6)
    assert reward(measured, "4 m") == 0.0
    counted = {"verifier": "count", "truth": 3, "unit": "count", "answer_at": "whole"}
    assert [reward(counted, said) for said in ("3", "three dogs", "4", "3.2")] == [1.0, 1.0, 0.0, 0.0]


def test_words_and_denials():
    assert read_text("The sign says “Exit only”.") == "Exit only"
    assert read_text("“Exit” or “Enter”") is None
    assert denies("That does not happen in this footage.")
    assert not denies("It happens at the end.")
    absent = spoken(verifier="absent")
    assert reward(absent, "It never happens.") == 1.0
    assert reward(absent, "It does not happen, or from 3 s to 5 s.") == 0.0
    assert reward(absent, "Yes.") == 0.0


def test_every_way_of_saying_that_it_does_not_happen_is_a_denial_and_no_other_answer_form_is():
    for file in sorted((Path(tasks.__file__).parent / "wordings").glob("*.yaml")):
        for kind in load_wordings(file).kinds.values():
            for form in kind.answers:
                assert denies(form.text) is (form.outcome == "absent"), (file.stem, form.id, form.text)


def test_boxes_and_places_in_time():
    box = {"verifier": "box_iou", "truth": [0.1, 0.2, 0.5, 0.6], "boxes": {"codec": "int1000", "width": 1, "height": 1},
           "answer_at": "whole"}  # fmt: skip
    assert reward(box, "It stands at [100, 200, 500, 600].") == 1.0
    assert reward(box, '{"bbox_2d": [100, 200, 500, 600]}') == 1.0
    assert reward(box, "[300, 200, 500, 600]") == pytest.approx(0.5)
    assert reward(box, "[100, 200, 500, 600] or [1, 2, 5, 6]") == 0.0
    assert reward(box, "[500, 200, 100, 600]") == reward(box, "[nan, 2, 3, inf]") == 0.0
    both = spoken(verifier="viou", boxes=box["boxes"]) | {"truth": {"span": [3.2, 7.9], "box": box["truth"]}}
    assert reward(both, "From 3.2s to 7.9s it stands at [100, 200, 500, 600].") == 1.0
    assert reward(both, "From 3.2s to 12.6s it stands at [300, 200, 500, 600].") == pytest.approx(0.25)
    assert reward(both, "[100, 200, 500, 600]") == 0.0
    track = both | {"truth": {"track": [[1.0, *box["truth"]], [2.0, *box["truth"]]]}}
    assert reward(track, "1.0s: [100, 200, 500, 600]; 2.0s: [100, 200, 500, 600]") == 1.0
    assert reward(track, "1.0s: [100, 200, 500, 600]") == 0.5
