"""A small world of hand-made rows for the tasks: put rows in, run a task on a medium, check what it wrote."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chronotope.engine.annotator import Medium, Rows, SkipUnit, Unit
from chronotope.engine.check import check_sample
from chronotope.engine.task import Task
from chronotope.schemas.sample import Sample
from chronotope.schemas.tables import TABLES


class World:
    """Rows of all tables, as the store would hold them."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)

    def add(self, table: str, media_id: str, producer: str | None = None, **values: Any) -> dict[str, Any]:
        row = TABLES[table].complete(values | {"media_id": media_id}, producer or table, media_id, media_id)
        self.tables[table][row["row_id"]] = row
        return row

    def medium(self, media_id: str, duration_s: float, **values: Any) -> None:
        defaults = {
            "kind": "video",
            "origin": "real",
            "width": 640,
            "height": 360,
            "fps": 25.0,
            "title": media_id,
        }
        self.add("media", media_id, "probe", duration_s=duration_s, **(defaults | values))

    def clip(self, media_id: str, start_s: float, end_s: float, kept: bool | None = None) -> str:
        clip_id = f"{media_id}:{start_s:g}-{end_s:g}"
        self.add("clips", media_id, clip_id=clip_id, start_s=start_s, end_s=end_s, policy="shot")
        if kept is not None:
            self.add("selection", media_id, clip_id=clip_id, recipe="r", kept=kept, rule=None if kept else "sharp")
        return clip_id

    def rows(self, media_id: str) -> Rows:
        """What the engine delivers about one medium: its rows, and those of its edited twins."""
        edits = [r for r in self.tables["edits"].values() if r["source_media_id"] == media_id]
        twins = {r["media_id"] for r in edits}
        found = {t: [r for r in rows.values() if r["media_id"] == media_id] for t, rows in self.tables.items()}
        found["edits"] = edits
        found["media"] = [r for r in self.tables["media"].values() if r["media_id"] in twins | {media_id}]
        return Rows({t: sorted(r, key=lambda x: [str(x[k]) for k in TABLES[t].key]) for t, r in found.items()})

    def run(self, task: Task[Any], media_id: str, seed: int = 0) -> list[dict[str, Any]]:
        media = next(r for r in self.tables["media"].values() if r["media_id"] == media_id)
        is_video = media["kind"] == "video"
        medium = Medium(
            media_id, f"{media_id}.mp4", None, media["kind"], media["duration_s"], media["fps"], None,
            media["width"], media["height"], is_video, True, row=media,
        )  # fmt: skip
        unit = Unit(media_id, "medium", medium, "r", seed)
        try:
            return [values for _, values in task.annotate(unit, self.rows(media_id))]
        except SkipUnit:
            return []

    def lookup(self, table: str, row_id: str) -> dict[str, Any] | None:
        return self.tables[table].get(row_id)

    def check(self, task: Task[Any], row: dict[str, Any]) -> dict[str, Any]:
        return check_sample(row, self.lookup, task, lambda table, row: "model")

    def media_ids(self) -> list[str]:
        return sorted({r["media_id"] for r in self.tables["media"].values()})


def corruptions(row: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every planted lie about a sample, by name. A liar also repairs the identifier, except where the name
    says so.
    """
    sample = Sample.from_row(row)
    answer = sample.answer.model_dump()

    def lie(**update: Any) -> dict[str, Any]:
        content = sample.model_dump() | update
        return Sample.model_validate(content).to_row()

    def media_lie(**update: Any) -> dict[str, Any]:
        return lie(media=[m.model_dump() | update for m in sample.media])

    if "start_s" in answer:
        text = sample.turns[1].text
        for name, by in (("shifted span", 0.2), ("nudged span", 0.002)):
            moved = answer | {"start_s": answer["start_s"] + by, "end_s": answer["end_s"] + by}
            yield name, lie(answer=moved)
        yield "longer span", lie(answer=answer | {"end_s": sample.window.end_s})
        yield (
            "text contradicts answer",
            lie(turns=[sample.turns[0].model_dump(), {"role": "assistant", "text": "<t:0.5>" + text}]),
        )
    if answer["kind"] == "spans":
        spans = [list(span) for span in answer["spans"]]
        yield "a span dropped", lie(answer=answer | {"spans": spans[:-1]})
        yield "a span shifted", lie(answer=answer | {"spans": [[a + 0.2, b + 0.2] for a, b in spans]})
        yield "one of the spans alone", lie(answer={"kind": "span", "start_s": spans[0][0], "end_s": spans[0][1]})
    if answer["kind"] in ("span", "spans", "span_box"):
        yield "absent instead", lie(answer={"kind": "absent"})
    if answer["kind"] == "absent":
        start = sample.window.start_s
        yield "present instead", lie(answer={"kind": "span", "start_s": start, "end_s": start + 1.0})
    if answer["kind"] == "choice":
        for index in range(len(sample.options)):
            if index != answer["index"]:
                yield f"answer {index} instead", lie(answer=answer | {"index": index})
        options = [o.model_dump() for o in sample.options]
        i, j = answer["index"], (answer["index"] + 1) % len(options)
        options[i], options[j] = options[j], options[i]
        yield "options swapped", lie(options=options)
    if answer["kind"] == "order":
        order = list(answer["order"])
        yield "order reversed", lie(answer=answer | {"order": order[::-1]})
        yield "neighbours swapped", lie(answer=answer | {"order": [order[1], order[0], *order[2:]]})
    if "box" in answer:
        x1, y1, x2, y2 = answer["box"]
        yield "box mirrored", lie(answer=answer | {"box": (1 - x2, 1 - y2, 1 - x1, 1 - y1)})
    user = sample.turns[0].text
    yield (
        "question edited",
        lie(turns=[{"role": "user", "text": user + " Not."}, sample.turns[1].model_dump()]),
    )
    if "“" in user:
        yield (
            "other quotation",
            lie(turns=[{"role": "user", "text": user.replace("“", "“xyzzy ")}, sample.turns[1].model_dump()]),
        )
    yield "end past the end", media_lie(end_s=sample.media[0].end_s + 100_000)
    yield "window moved", media_lie(start_s=sample.media[0].start_s + 0.01)
    yield "other medium", media_lie(media_id="f" * 20)
    yield "needs dropped", lie(needs=["3d"])
    yield "rationale edited", lie(rationale=[*sample.rationale, "I am sure."])
    yield "evidence dropped", lie(evidence=[e.model_dump() for e in sample.evidence[:-1]])
    yield "wording unknown", lie(wording="zz99")
    yield "answer form swapped", lie(answer_form="zz99")
    for name in ("sample_id", "media_id"):
        yield f"{name} forged", row | {name: "0" * 20}
    yield "window column forged", row | {"window_end_s": row["window_end_s"] + 1}
    other = {"kind": "absent"} if answer["kind"] != "absent" else {"kind": "text", "text": "here"}
    yield "answer edited, identifier kept", row | {"answer_json": json.dumps(other)}


@pytest.fixture
def new_world() -> Callable[[], World]:
    return World


@pytest.fixture
def lies() -> Callable[[dict[str, Any]], Iterator[tuple[str, dict[str, Any]]]]:
    return corruptions


def assert_all_caught(world: World, task: Task[Any], rows: list[dict[str, Any]]) -> int:
    caught = 0
    for row in rows:
        assert world.check(task, row)["passed"], world.check(task, row)
        for name, lie in corruptions(row):
            verdict = world.check(task, lie)
            assert not verdict["passed"], f"{name} was not caught in {row['turns']}"
            assert verdict["reason"]
            caught += 1
        caught += _evidence_caught(world, task, row)
    return caught


def _evidence_caught(world: World, task: Task[Any], row: dict[str, Any]) -> int:
    """Every cited value tampered with in the store, one at a time, and every cited row removed."""
    for cited in row["evidence"]:
        table, row_id = cited["source_table"], cited["row_id"]
        stored = world.tables[table].pop(row_id)
        assert world.check(task, row)["problem"] == "evidence missing"
        for column, value in json.loads(cited["values_json"]).items():
            changed = value + 0.01 if isinstance(value, float) else "changed"
            world.tables[table][row_id] = stored | {column: changed}
            verdict = world.check(task, row)
            assert verdict["problem"] == "evidence changed", (table, column, verdict)
            assert column in verdict["reason"]
        world.tables[table][row_id] = stored
    return len(row["evidence"])


@pytest.fixture
def all_caught() -> Callable[[World, Task[Any], list[dict[str, Any]]], int]:
    """Checks that true samples pass and that each planted lie about them and their evidence is caught."""
    return assert_all_caught


Told = Callable[..., tuple[World, Task[Any], list[Sample]]]


@pytest.fixture
def told(new_world: Callable[[], World]) -> Told:
    """`told(Task, events, ...)`: a task run on media of which (start_s, end_s, text) are told, as `events` or `captions`; the
    world, the task and its samples. Further arguments are the task's parameters.
    """

    def run(
        kind: Any,
        events: Any,
        *,
        duration_s: float = 60.0,
        media: int = 1,
        table: str = "events",
        **params: Any,
    ) -> tuple[World, Task[Any], list[Sample]]:
        world, task = new_world(), kind(kind.Params(**params))
        own = {"kind": "event"} if table == "events" else {"level": "event", "model": "x"}
        samples = []
        for name in [f"m{i}" for i in range(media)]:
            world.medium(name, duration_s)
            world.clip(name, 0.0, duration_s)
            for start_s, end_s, text in events:
                world.add(table, name, "people", start_s=start_s, end_s=end_s, text=text, **own)
            samples += [Sample.from_row(row) for row in world.run(task, name)]
        return world, task, samples

    return run
