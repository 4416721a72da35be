"""Wordings are checked while loading, chosen evenly and independently, and filled without surprises."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml
from chronotope.engine.wordings import WordingError, load_wordings


def content(questions=25, answers=8):
    letters = "abcdefghijklmnopqrstuvwxyz"
    return {
        "task": "demo",
        "kinds": {
            "when": {
                "question_slots": ["quote"],
                "answer_slots": [["span"], ["start", "end"]],
                "questions": [
                    {
                        "id": f"q{i}",
                        "registers": ["terse"],
                        "text": f"{letters[i % 26] * (1 + i // 26)} {{quote}}?",
                    }
                    for i in range(questions)
                ],
                "held_out": [f"q{i}" for i in range(5)],
                "answers": [{"id": f"a{i}", "text": f"{letters[i]} {{span}}"} for i in range(answers)],
            }
        },
    }


@pytest.fixture
def load(tmp_path):
    def write(value, name="demo.yaml"):
        file = tmp_path / name
        file.write_text(yaml.safe_dump(value))
        load_wordings.cache_clear()
        return load_wordings(file)

    return write


def broken(change):
    value = content()
    change(value["kinds"]["when"], value)
    return value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda k, v: k["questions"].pop(), "24 questions"),
        (lambda k, v: k["answers"].pop(), "7 answers"),
        (lambda k, v: k["questions"][0].update(id="q1"), "more than once"),
        (lambda k, v: k["questions"][0].update(text="When {quotation}?"), "quotation"),
        (lambda k, v: k["questions"][0].update(text="When is it said?"), "uses slots"),
        (lambda k, v: k["answers"][0].update(text="At {start}."), "uses slots"),
        (lambda k, v: k["questions"][0].update(text="B {quote}!"), "same words"),
        (lambda k, v: k["questions"][0].update(text="Open { {quote}"), "stray brace"),
        (lambda k, v: k["questions"][0].update(text="After 12 seconds, {quote}?"), "number of time"),
        (lambda k, v: k["questions"][0].update(text="<pause> {quote}?"), "unknown tag"),
        (lambda k, v: k["questions"][0].update(registers=[]), "no register"),
        (lambda k, v: k["questions"][0].update(registers=["rude"]), "rude"),
        (lambda k, v: k["held_out"].pop(), "4 questions held out"),
        (lambda k, v: k["held_out"].append("q99"), "q99"),
        (lambda k, v: k.update(held_out=[q["id"] for q in k["questions"][:15]]), "at most half"),
        (lambda k, v: v.update(task="other"), "name the file"),
    ],
)
def test_a_wrong_file_is_refused_by_name(load, change, message):
    with pytest.raises(WordingError, match=message):
        load(broken(change))


def test_choices_are_even_independent_and_repeatable(load):
    wordings = load(content())
    chosen = [wordings.choose("when", "seed", i) for i in range(8000)]
    assert chosen == [wordings.choose("when", "seed", i) for i in range(8000)]
    for count, expected in (
        (Counter(q.id for q, _ in chosen), 400),
        (Counter(a.id for _, a in chosen), 1000),
    ):
        assert all(abs(n - expected) < 4 * expected**0.5 for n in count.values())
    pairs = Counter((q.id, a.id) for q, a in chosen)
    assert len(pairs) == 160 and max(pairs.values()) < 50 + 4 * 50**0.5


def test_evaluation_is_asked_in_words_that_training_never_uses(load):
    wordings = load(content())
    asked = {
        s: {wordings.choose("when", i, split=s)[0].id for i in range(2000)} for s in ("train", "validation", "test")
    }
    assert asked["test"] == asked["validation"] == wordings.held_out == {f"q{i}" for i in range(5)}
    assert len(asked["train"]) == 20 and not asked["train"] & asked["test"]


def test_fill_writes_values_verbatim(load):
    question, _ = load(content()).choose("when", 0)
    assert question.fill({"quote": "“{span}”"}).endswith("“{span}”?")
    with pytest.raises(KeyError):
        question.fill({})


def test_any_edit_changes_the_digest(load):
    before = load(content()).digest
    value = content()
    value["kinds"]["when"]["answers"][0]["text"] = "Precisely {span}"
    assert load(value).digest != before
