"""Conversations in packages: letters and answers part by part, masks where the format has them, a reward per turn."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
from chronotope.outputs.packaging import package
from chronotope.outputs.rewards import reward, rewards_of_turns, training_rows
from chronotope.schemas.sample import (
    ChoiceAnswer,
    Option,
    OrderAnswer,
    SpanAnswer,
    Turn,
    TurnPart,
    TurnsAnswer,
)


def talk(make: SimpleNamespace, media_id: str, number: int = 0, trained: tuple[bool, ...] = (True, True, True)) -> Any:
    """When is it red, which colour, in which order: all about the window of ten to thirty seconds."""
    texts = [f"colour {number} {i}" for i in range(4)] + [f"item {number} {i}" for i in range(3)]
    said = [
        "<video>\nWhen is it red?", "In <span:22,24>.",
        f"And which colour is number {number}?\n<options@2>", "It is <answer@2>.",
        "In which order do they come?\n<options@3>", "<answer@3>",
    ]  # fmt: skip
    answers = (SpanAnswer(start_s=22.0, end_s=24.0), ChoiceAnswer(index=1), OrderAnswer(order=(2, 0, 1)))
    parts = tuple(
        TurnPart(task="t", turn=2 * i + 1, answer=a, options=o, scope=(10.0, 30.0), trained=t, lead="l", form="f")
        for i, (a, o, t) in enumerate(zip(answers, ((0, 0), (0, 4), (4, 7)), trained, strict=True))
    )
    roles = ("user", "assistant") * 3
    return make.sample(
        media_id, ("", ""), TurnsAnswer(parts=parts), task="conversation", options=tuple(Option(text=t) for t in texts),
        turns=tuple(Turn(role=r, text=t) for r, t in zip(roles, said, strict=True)),
    )  # fmt: skip


def records(folder: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    "settings",
    [{"times": "seconds", "answer": "letter"}, {"times": "mm:ss", "answer": "letter_text"}, {"times": "lita100", "answer": "text"}],
    ids=lambda s: s["times"],
)  # fmt: skip
def test_each_part_has_its_letters_and_its_right_answer_earns_one(tmp_path, world, films, make, settings):
    sample = talk(make, world.film(films.silent))
    assert sample.problems() == []
    world.sample(sample)
    with world.catalog() as catalog:
        package(catalog, "llamafactory", settings, tmp_path / "out", workers=1)
    (record,) = records(tmp_path / "out")
    asked = [m["content"] for m in record["messages"] if m["role"] == "user"]
    if settings["answer"] != "text":
        assert [line[0] for line in asked[1].splitlines()[1:]] == list("ABCD")
        assert [line[0] for line in asked[2].splitlines()[1:]] == list("ABC")
    replies = [m["content"] for m in record["messages"] if m["role"] == "assistant"]
    assert rewards_of_turns(record, replies) == [1.0, 1.0, 1.0]
    assert reward(record, replies[1], turn=0) == 0.0
    rows = list(training_rows(record))
    assert [len(row["prompt"]) for row in rows] == [1, 3, 5]
    assert [reward(row["reward_facts"], row["answer"]) for row in rows] == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="needs `turn`"):
        reward(record, "B")


def test_letters_are_balanced_in_each_part(tmp_path, world, films, make):
    media_id = world.film(films.silent)
    for number in range(12):
        world.sample(talk(make, media_id, number))
    with world.catalog() as catalog:
        package(catalog, "llamafactory", {}, tmp_path / "out", workers=1)
    letters = Counter(r["answer"]["parts"][1]["answer"]["letter"] for r in records(tmp_path / "out"))
    assert letters == {letter: 3 for letter in "ABCD"}


def test_masked_answers_are_marked_in_each_format_or_left_out(tmp_path, world, films, make):
    world.sample(talk(make, world.film(films.silent), trained=(False, False, True)))
    with world.catalog() as catalog:
        for name in ("llamafactory", "llava", "huggingface", "webdataset"):
            package(catalog, name, {}, tmp_path / name, workers=1)
    (row,) = json.loads((tmp_path / "llamafactory/train.json").read_text())
    assert [m.get("loss_weight") for m in row["messages"]] == [None, 0.0, None, 0.0, None, None]
    (line,) = (tmp_path / "llava/left_out.jsonl").read_text().splitlines()
    assert "cannot keep single answers out of the loss" in line
    (row,) = pq.read_table(tmp_path / "huggingface/data").to_pylist()
    assert [m["loss"] for m in row["messages"]] == [None, False, None, False, None, None]
    with tarfile.open(tmp_path / "webdataset/train-000000.tar") as tar:
        name = next(n for n in tar.getnames() if n.endswith(".json"))
        record = json.load(tar.extractfile(name))
    assert [m.get("loss") for m in record["messages"]] == [None, False, None, False, None, None]
    assert [row["turn"] for row in training_rows(record)] == [2]


def test_trained_conversations_are_in_all_formats(tmp_path, world, films, make):
    world.sample(talk(make, world.film(films.silent)))
    with world.catalog() as catalog:
        for name in ("llamafactory", "llava", "huggingface", "webdataset"):
            assert package(catalog, name, {}, tmp_path / name, workers=1).packaged == 1
    (row,) = json.loads((tmp_path / "llava/train.json").read_text())
    assert [turn["from"] for turn in row["conversations"]] == ["human", "gpt"] * 3


def test_what_is_malformed_in_a_conversation_is_named(make):
    good = talk(make, "m")
    parts = good.answer.parts
    wrong = {
        "in turn": {"turns": good.turns[:-1]},
        "share out the options": {"options": good.options[:-1]},
        "part 2: answer names option 9": {"answer": TurnsAnswer(parts=(parts[0], parts[1].model_copy(update={"answer": ChoiceAnswer(index=9)}), parts[2]))},
        "leaves the window": {"answer": TurnsAnswer(parts=(parts[0].model_copy(update={"scope": (5.0, 30.0)}), *parts[1:]))},
        "belongs to part 1": {"turns": (Turn(role="user", text="<video>\n<options@2>"), *good.turns[1:])},
    }  # fmt: skip
    for problem, change in wrong.items():
        found = good.model_copy(update=change).problems()
        assert any(problem in line for line in found), (problem, found)
