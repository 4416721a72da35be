"""text_grounding: texts that stand once in the window, with the span and box of their readings, and no lie
unnoticed.
"""

from __future__ import annotations

from collections import Counter

import pytest
from chronotope.annotators.tasks.common import wordings_of
from chronotope.annotators.tasks.text_grounding import TextGrounding
from chronotope.schemas.sample import Sample
from chronotope.schemas.span import Span

SIGNS = [
    "NORTH GATE",
    "Fresh bread",
    "Platform 9",
    "Closed today",
    "Rue du Marché",
    "Open late",
    "Mind the step",
    "A < B & C",
]
PLACES = [(0.1, 0.1, 0.4, 0.2), (0.5, 0.7, 0.9, 0.8), (0.3, 0.4, 0.6, 0.5)]


def show(world, media_id, text, start_s, end_s, box, *, step_s=0.5, confidence=0.95, jitter=0.001):
    """One reading per step, with boxes that waver a little."""
    t, k = start_s, 0
    while t < end_s:
        x1, y1, x2, y2 = (v + jitter * (k % 3) for v in box)
        world.add(
            "text_regions", media_id, "ocr", start_s=t, end_s=t + step_s, text=text, confidence=confidence,
            x1=x1, y1=y1, x2=x2, y2=y2,
        )  # fmt: skip
        t, k = t + step_s, k + 1


@pytest.fixture
def world(new_world):
    world = new_world()
    for m in range(8):
        media_id = f"m{m}"
        world.medium(media_id, 80.0)
        world.clip(media_id, 0.0, 40.0)
        world.clip(media_id, 40.0, 80.0)
        for k, text in enumerate(SIGNS):
            show(world, media_id, text, 3 + 9 * k + m / 4, 6 + 9 * k + m / 2, PLACES[(k + m) % 3])
    return world


def run_all(world, **params):
    task = TextGrounding(TextGrounding.Params(**params))
    return task, [row for m in world.media_ids() for row in world.run(task, m)]


def test_span_and_box_are_those_of_the_readings(world):
    _, rows = run_all(world)
    assert len(rows) >= 20
    assert all(Sample.from_row(row).problems() == [] for row in rows)
    for row in (r for r in rows if r["answer_kind"] != "absent"):
        sample = Sample.from_row(row)
        quoted = sample.turns[0].text.partition("“")[2].partition("”")[0].replace("&lt;", "<").replace("&amp;", "&")
        readings = [r for r in world.rows(row["media_id"])["text_regions"] if r["text"] == quoted]
        assert readings
        truth = Span(min(r["start_s"] for r in readings), max(r["end_s"] for r in readings))
        answer = sample.answer
        if answer.kind in ("span", "span_box"):
            assert (answer.start_s, answer.end_s) == (truth.start_s, truth.end_s)
            assert truth.length_s <= sample.window.length_s / 2
        if answer.kind == "box":
            assert truth.contains(answer.t_s) and f"<t:{answer.t_s:g}>" in sample.turns[0].text
        if answer.kind in ("box", "span_box"):
            for edge, name in zip(answer.box, ("x1", "y1", "x2", "y2"), strict=True):
                assert min(r[name] for r in readings) - 1e-6 <= edge <= max(r[name] for r in readings) + 1e-6
    kinds = Counter(row["answer_kind"] for row in rows)
    assert min(kinds[k] for k in ("span", "box", "span_box")) >= len(rows) / 8


def test_every_lie_is_caught(world, all_caught):
    task, rows = run_all(world, per_medium=2)
    assert all_caught(world, task, rows[:6]) > 120


@pytest.mark.parametrize("other", ["NORTH GATES", "THE NORTH GATE IS HERE", "NORTH", "north gafe"])
def test_a_text_that_something_alike_shares_the_window_with_is_withheld(new_world, other):
    world = new_world()
    world.medium("m", 30.0)
    world.clip("m", 0.0, 30.0)
    show(world, "m", "NORTH GATE", 5.0, 8.0, PLACES[0])
    show(world, "m", other, 15.0, 18.0, PLACES[1])
    _, rows = run_all(world, window={"length_s": (29.0, 30.0)})
    assert not any("“NORTH GATE”" in Sample.from_row(r).turns[0].text for r in rows)


@pytest.mark.parametrize(
    ("text", "options"),
    [("ab", {}), ("Faint words", {"confidence": 0.5}), ("x" * 90, {}), ("Brief text", {"step_s": 4.0})],
)
def test_unclear_text_is_withheld(new_world, text, options):
    world = new_world()
    world.medium("m", 30.0)
    world.clip("m", 0.0, 30.0)
    show(world, "m", text, 5.0, 8.0, PLACES[0], **options)
    assert run_all(world)[1] == []


@pytest.mark.parametrize("other", ["NORTH GATE", "north-gate"])
def test_a_text_that_appears_twice_has_two_spans(new_world, all_caught, other):
    world = new_world()
    world.medium("m", 30.0)
    world.clip("m", 0.0, 30.0)
    show(world, "m", "NORTH GATE", 5.0, 8.0, PLACES[0])
    show(world, "m", other, 15.0, 18.0, PLACES[1])
    task, rows = run_all(world, window={"length_s": (29.0, 30.0)}, absent_share=0)
    assert [Sample.from_row(r).answer.spans for r in rows] == [((5.0, 8.0), (15.0, 18.0))]
    assert all_caught(world, task, rows) > 20


def test_a_text_that_flickers_is_withheld(new_world):
    world = new_world()
    world.medium("m", 30.0)
    world.clip("m", 0.0, 30.0)
    show(world, "m", "NORTH GATE", 5.0, 8.0, PLACES[0])
    show(world, "m", "NORTH GATE", 10.5, 13.0, PLACES[0])
    assert run_all(world, window={"length_s": (29.0, 30.0)})[1] == []


def test_absent_texts_are_shown_elsewhere_and_proven_absent(world, all_caught):
    task, rows = run_all(world, absent_share=0.5, ask=("when", "both"))
    absent = [Sample.from_row(r) for r in rows if r["answer_kind"] == "absent"]
    assert 0.25 * len(rows) < len(absent) < 0.8 * len(rows)
    assert {s.wording[:2] for s in absent} == {"tg", "tk"}
    for sample in absent:
        quoted = sample.turns[0].text.partition("“")[2].partition("”")[0].replace("&lt;", "<").replace("&amp;", "&")
        window, regions = sample.window, world.rows(sample.media[0].media_id)["text_regions"]
        inside = {r["text"] for r in regions if r["start_s"] < window.end_s and r["end_s"] > window.start_s}
        cited = [e.values for e in sample.evidence if e.table == "text_regions"]
        assert quoted not in inside and inside <= {v["text"] for v in cited}
        own = [v for v in cited if v["text"] == quoted]
        assert own and all(v["end_s"] <= window.start_s - 5 or v["start_s"] >= window.end_s + 5 for v in own)
    assert all_caught(world, task, [s.to_row() for s in absent[:4]]) > 60


def test_what_is_said_keeps_a_text_from_being_called_absent(new_world):
    def absent_with(spoken):
        world = new_world()
        world.medium("m", 60.0)
        world.clip("m", 0.0, 60.0)
        show(world, "m", "NORTH GATE", 5.0, 8.0, PLACES[0])
        show(world, "m", "Fresh bread", 9.0, 12.0, PLACES[0])
        for t in range(0, 60, 4):
            world.add("speech", "m", "asr", start_s=float(t), end_s=t + 3.5, text=spoken, confidence=0.9, origin="x")
        _, rows = run_all(world, absent_share=0.99, ask=("when",))
        return [r for r in rows if r["answer_kind"] == "absent" and "NORTH GATE" in r["turns"][0]["text"]]

    assert absent_with("we walk and walk on")
    assert absent_with("we walk to the north gate") == []


def test_known_texts_need_no_second_reading(new_world):
    world = new_world()
    world.medium("m", 30.0)
    world.clip("m", 0.0, 30.0)
    show(world, "m", "NORTH GATE", 5.0, 8.0, PLACES[0], step_s=3.0, confidence=None)
    _, rows = run_all(world)
    assert [r["answer_kind"] for r in rows] in (["span"], ["box"], ["span_box"])


def test_a_moving_text_is_asked_for_its_time_only(new_world):
    world = new_world()
    world.medium("m", 40.0)
    world.clip("m", 0.0, 40.0)
    for k in range(20):
        x, t = 0.1 + 0.02 * k, 5 + k / 2
        show(world, "m", "Rolling credits", t, t + 0.5, (x, 0.1, x + 0.3, 0.2), jitter=0.0)
    _, rows = run_all(world)
    assert [r["answer_kind"] for r in rows] == ["span"]


def test_a_text_that_never_leaves_is_withheld(new_world):
    world = new_world()
    world.medium("m", 30.0)
    world.clip("m", 0.0, 30.0)
    show(world, "m", "Station logo", 0.0, 30.0, PLACES[0])
    assert run_all(world)[1] == []


def test_every_kind_has_its_own_wordings():
    kinds = wordings_of("text_grounding").kinds
    assert set(kinds) == {"when", "where", "both"}
    assert sum(len(k.questions) for k in kinds.values()) >= 25
