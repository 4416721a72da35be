"""What is asked for, and what counts as a reply: exactly one JSON object of the class, nothing else."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, Literal

import jsonschema
import pytest
from chronotope.engine.llm.ask import Ask, Still
from chronotope.engine.llm.messages import body, fitted, messages, repair, spread
from chronotope.engine.llm.prompts import Prompt
from chronotope.engine.llm.settings import ModelSettings
from chronotope.engine.llm.structured import (
    WAYS,
    NotAReply,
    Reply,
    fields,
    looser,
    read,
    reply_of,
    strict_schema,
    unsupported,
)
from pydantic import BaseModel, ConfigDict, Field


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = Field(description="what it is called", max_length=40)
    count: int
    kind: Literal["animal", "tool"]


class ThingsReply(BaseModel):
    """Things that are seen."""

    model_config = ConfigDict(extra="forbid")

    things: list[Thing]
    main: Thing | None = None


GOOD = {"things": [{"title": "cat", "count": 2, "kind": "animal"}], "main": None}
PROMPT = Prompt(name="things", version=2, system="Name the things.", user="<<evidence>>")
MODEL = ModelSettings(base_url="http://h/v1", model="m", context_tokens=4_096, reply_tokens=1_024)


def replied(content: Any = None, finish: str = "stop", **message: Any) -> Reply:
    return reply_of({"choices": [{"message": {"content": content, **message}, "finish_reason": finish}]})


def objects(node: Any) -> list[dict[str, Any]]:
    found = [node] if isinstance(node, dict) and node.get("type") == "object" else []
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        found += objects(inner)
    return found


def test_the_strict_schema_leaves_nothing_open_and_takes_what_the_class_takes() -> None:
    schema = strict_schema(ThingsReply)
    assert len(objects(schema)) == 2
    for node in objects(schema):
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])
    assert "default" not in json.dumps(schema) and "maxLength" not in json.dumps(schema)
    assert "title" in schema["$defs"]["Thing"]["properties"], "a field called title is no keyword"
    jsonschema.validate(GOOD, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"things": []}, schema)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_names_the_class_or_writes_the_schema_out(way: Any) -> None:
    ask = Ask("writer", PROMPT, ("e1 (speech, 1 to 2 s): “hello”",), ThingsReply)
    said = messages(ask, ask.parts, way)
    written = json.dumps([said, fields(ThingsReply, way)])
    assert written.count("ThingsReply") >= 1
    assert ("JSON schema" in said[0]["content"]) == (way in ("json_object", "prompt"))


def test_ways_go_from_strict_to_loose() -> None:
    assert [looser(way) for way in WAYS] == ["tool", "json_object", "prompt", None]
    assert unsupported("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.")
    assert not unsupported("Invalid content type. image_url is only supported by certain models.")


def test_a_reply_validates_as_text_or_as_a_tool_call() -> None:
    text = json.dumps(GOOD)
    call = [{"function": {"name": "ThingsReply", "arguments": text}}]
    for reply in (
        replied(text),
        replied(f"```json\n{text}\n```"),
        replied(f"<think>There is {{one}} cat.</think>\n{text}"),
        replied([{"type": "text", "text": text}]),
        replied(None, "tool_calls", tool_calls=call),
    ):
        found = read(reply, ThingsReply)
        assert found.value is not None and found.value.things[0].title == "cat", reply


@pytest.mark.parametrize(
    ("reply", "kind", "word"),
    [
        (replied(json.dumps(GOOD), "length"), "truncated", "reply_tokens"),
        (Reply("x" * 10, overlong=True), "truncated", "longer"),
        (replied(None, refusal="I cannot help."), "refused", "I cannot help"),
        (replied("", "content_filter"), "refused", "filter"),
        (replied(""), "empty", "nothing"),
        (replied(None), "empty", "nothing"),
        (replied("  \n"), "empty", "nothing"),
        (replied("<think>hm</think>"), "empty", "nothing"),
        (replied("Sure! " + json.dumps(GOOD)), "malformed", "JSON"),
        (replied(json.dumps(GOOD)[:-3]), "malformed", "JSON"),
        (replied(json.dumps(GOOD) + json.dumps(GOOD)), "malformed", "JSON"),
        (replied("[1]"), "wrong_schema", "the whole reply"),
        (replied('{"things": [{"title": "cat", "count": "2", "kind": "animal"}]}'), "wrong_schema", "things.0.count"),
        (replied('{"things": [{"title": "cat", "count": 2, "kind": "plant"}]}'), "wrong_schema", "things.0.kind"),
        (replied('{"things": [], "extra": 1}'), "wrong_schema", "extra"),
        (replied("{}"), "wrong_schema", "things"),
    ],
)
def test_everything_else_is_an_error_of_its_kind(reply: Reply, kind: str, word: str) -> None:
    found = read(reply, ThingsReply)
    assert (found.value, found.kind) == (None, kind)
    assert word in found.reason


@pytest.mark.parametrize("body_", [None, [], {}, {"choices": []}, {"choices": [{"message": None}]}, {"choices": "no"}])
def test_a_body_without_a_choice_is_no_reply(body_: Any) -> None:
    with pytest.raises(NotAReply):
        reply_of(body_)


def stills(count: int, width: int = 560, height: int = 280) -> tuple[Still, ...]:
    return tuple(Still(b"\xff\xd8" + bytes([k]), width, height, f"f{k} at {k} s") for k in range(1, count + 1))


def test_pictures_that_do_not_fit_are_thinned_evenly_and_it_is_said() -> None:
    ask = Ask("writer", PROMPT, ("Look.", *stills(30), "What is there?"), ThingsReply)
    parts, note = fitted(ask, MODEL, 1_024)
    labels = [p.label for p in parts if isinstance(p, Still)]
    assert 2 < len(labels) < 30
    assert (labels[0], labels[-1]) == ("f1 at 1 s", "f30 at 30 s")
    assert note == f"{len(labels)} of 30 pictures sent: more do not fit into context_tokens 4096"
    assert [p for p in parts if isinstance(p, str)] == ["Look.", "What is there?"]
    gaps = [int(b.split()[0][1:]) - int(a.split()[0][1:]) for a, b in pairwise(labels)]
    assert max(gaps) - min(gaps) <= 1
    few = Ask("writer", PROMPT, stills(3), ThingsReply)
    assert fitted(few, MODEL, 1_024) == (few.parts, "")


def test_spreading_keeps_the_ends() -> None:
    assert spread(range(10), 4) == [0, 3, 6, 9]
    assert spread(range(10), 1) == [5]
    assert spread(range(5), 5) == [0, 1, 2, 3, 4]


def test_a_model_that_sees_nothing_gets_no_pictures() -> None:
    ask = Ask("writer", PROMPT, ("Look.", *stills(2)), ThingsReply)
    parts, _ = fitted(ask, MODEL.model_copy(update={"sees": "nothing"}), 1_024)
    assert parts == ("Look.",)


def test_each_picture_comes_after_the_line_that_names_it() -> None:
    ask = Ask("writer", PROMPT, ("Look.", *stills(2)), ThingsReply)
    content = messages(ask, ask.parts, "json_schema")[1]["content"]
    assert [part.get("text") or part["image_url"]["url"][:23] for part in content] == [
        "Look.",
        "f1 at 1 s",
        "data:image/jpeg;base64,",
        "f2 at 2 s",
        "data:image/jpeg;base64,",
    ]


def test_the_same_question_gives_the_same_bytes_and_several_samples_differ_in_the_seed() -> None:
    model = MODEL.model_copy(update={"seed": 7, "extra_body": {"top_k": 1}})

    def made(sample: int) -> str:
        ask = Ask("writer", PROMPT, ("Look.", *stills(2)), ThingsReply, sample=sample)
        return json.dumps(body(ask, model, messages(ask, ask.parts, "tool"), "tool", 64, "max_tokens"))

    assert made(0) == made(0)
    assert json.loads(made(2)) == json.loads(made(0)) | {"seed": 9}
    assert json.loads(made(0))["top_k"] == 1


def test_the_repair_round_hands_back_the_reply_and_what_is_wrong() -> None:
    ask = Ask("writer", PROMPT, ("Look.",), ThingsReply)
    reply, problem = repair("{}" * 10_000, "things: Field required", ask)
    assert len(reply["content"]) < 9_000
    assert "things: Field required" in problem["content"] and "ThingsReply" in problem["content"]
    assert [m["role"] for m in repair(" ", "nothing was said", ask)] == ["user"]
