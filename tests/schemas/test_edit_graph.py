"""Edit graphs: every mapping of times and boxes can be inverted, pieces fill the new clock, and only what is true is carried."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from chronotope.schemas.aspects import described_aspect
from chronotope.schemas.box import Box
from chronotope.schemas.edit_carry import CarryRules, carry, merged, shots_of
from chronotope.schemas.edit_graph import Graph
from chronotope.schemas.edit_operations import (
    cut,
    freeze,
    insert,
    join,
    mirror,
    mute,
    overlay,
    reverse,
    speed,
    stack,
    take,
)
from chronotope.schemas.edit_pieces import Source, nominal_fps
from chronotope.schemas.reversible import after_edit, opposite
from chronotope.schemas.span import Span, to_us
from hypothesis import given, settings
from hypothesis import strategies as st

FPS, SIZE = Fraction(25), (160, 90)
A = Source("a", Fraction(20), Fraction(25), 320, 180, True)
B = Source("b", Fraction(12), Fraction(30000, 1001), 90, 160, True)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs of up to five operations on spans of two sources of different rate and shape."""

    def part() -> Graph:
        source = draw(st.sampled_from((A, B)))
        start = draw(st.integers(0, 8_000)) / 1000
        return take(source, FPS, SIZE, start, start + draw(st.integers(400, 3_900)) / 1000)

    graph = part()
    for operation in draw(
        st.lists(st.sampled_from(("cut", "reverse", "speed", "freeze", "insert", "join", "mirror")), max_size=5)
    ):
        share = draw(st.integers(0, 100)) / 100
        match operation:
            case "cut" if graph.frames > 4:
                graph = cut(graph, graph.duration_s * share / 3, graph.duration_s * (1 - share / 3))
            case "reverse":
                graph = reverse(graph)
            case "speed" if graph.frames > 20:
                graph = speed(graph, draw(st.sampled_from((0.5, 0.8, 1.25, 2))))
            case "freeze":
                graph = freeze(graph, min(share * graph.duration_s, graph.duration_s - 0.04), 0.4)
            case "insert":
                graph = insert(graph, part(), share * graph.duration_s)
            case "join":
                graph = join([graph, part()])
            case "mirror":
                graph = mirror(graph)
    return stack([graph, part()]) if draw(st.booleans()) else graph


@given(graphs())
@settings(max_examples=120, deadline=None)
def test_pieces_fill_every_layer_without_gap_or_overlap(graph: Graph) -> None:
    for layer in range(len(graph.layers)):
        mine = [p for p in graph.placed if p.layer == layer]
        assert mine[0].begin == 0 and mine[-1].end == graph.duration
        assert all(a.end == b.begin for a, b in pairwise(mine))
        for p in mine:
            low, high = p.used
            assert low >= 0 and high <= p.piece.source.duration + Fraction(1, 1_000_000)


@given(graphs(), st.integers(0, 10_000))
@settings(max_examples=150, deadline=None)
def test_there_and_back_is_the_same_time_and_box(graph: Graph, place: int) -> None:
    t_s = place / 10_000 * graph.duration_s * 0.9999
    for p in graph.placed:
        if p.begin <= Fraction(to_us(t_s), 1_000_000) < p.end and p.piece.rate:
            source_t = p.source_of(Fraction(to_us(t_s), 1_000_000))
            assert p.target_of(source_t) == Fraction(to_us(t_s), 1_000_000)
            ids = dict(graph.to_source(t_s))
            assert abs(to_us(ids[p.piece.source.media_id]) - float(source_t) * 1e6) <= 1 or len(graph.layers) > 1
    box = Box(0.2, 0.3, 0.5, 0.7)
    for media_id, source_s in graph.to_source(t_s):
        shown = [b for t, b in graph.box_to_target(media_id, source_s, box) if abs(to_us(t) - to_us(t_s)) <= 2]
        for placed in shown:
            back = [b for m, s, b in graph.box_to_source(t_s, placed) if m == media_id and abs(s - source_s) < 1e-5]
            assert any(max(abs(x - y) for x, y in zip(b.edges, box.edges, strict=True)) < 1e-9 for b in back)


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_spans_of_the_source_are_where_the_points_between_them_are(graph: Graph) -> None:
    for p in graph.placed:
        low, high = p.used
        if p.piece.rate and high - low > Fraction(1, 10):
            a, b = float(low) + 0.02, float(high) - 0.02
            image = p.image(Fraction(to_us(a), 1_000_000), Fraction(to_us(b), 1_000_000))
            assert image is not None
            middle = float(p.target_of(Fraction(to_us((a + b) / 2), 1_000_000)))
            spans = graph.to_target(p.piece.source.media_id, Span(a, b))
            assert any(s.contains(middle) for s in spans)
            assert image[1] - image[0] == (Fraction(to_us(b), 1_000_000) - Fraction(to_us(a), 1_000_000)) / abs(
                p.piece.rate
            )


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_rows_of_edits_say_the_same_as_the_graph(graph: Graph) -> None:
    for p, row in zip(graph.placed, graph.edit_rows(), strict=True):
        a, _, c, _, e, f = row["box_affine"]
        moved = graph.place(p.piece, Box(0.25, 0.25, 0.5, 0.75))
        assert moved is not None
        assert sorted((a * 0.25 + c, a * 0.5 + c)) == pytest.approx([moved.x1, moved.x2])
        assert (e * 0.25 + f, e * 0.75 + f) == pytest.approx((moved.y1, moved.y2))
        if row["time_scale"] is not None:
            ends = sorted(row["time_scale"] * t + row["time_offset_s"] for t in (row["start_s"], row["end_s"]))
            assert ends == pytest.approx([row["target_start_s"], row["target_end_s"]], abs=5e-6)


def test_arithmetic_of_lengths_and_order() -> None:
    a, b = take(A, FPS, SIZE, 2, 6), take(B, FPS, SIZE, 0, 3)
    assert (a.frames, b.frames) == (100, 75)
    assert join([a, b]).frames == 175
    assert speed(a, 2).frames == 50 and speed(a, 0.5).frames == 200
    assert freeze(a, 1, 2).duration_s == 6
    assert stack([a, b]).frames == 75 and stack([a, b]).height == 180
    assert reverse(reverse(a)).key() == a.key()
    assert mirror(mirror(a)).key() == a.key()
    assert [m for m, _ in (join([b, a]).to_source(1)[0], join([b, a]).to_source(4)[0])] == ["b", "a"]
    assert insert(a, b, 1).to_target("a", Span(2, 6)) == (Span(0, 1), Span(4, 7))
    assert reverse(a).to_target("a", Span(2, 3)) == (Span(3, 4),)
    assert freeze(a, 1, 2).to_target("a", Span(2.5, 3.5)) == (Span(0.5, 3.5),)


def test_graphs_that_cannot_be_made_say_why() -> None:
    a = take(A, FPS, SIZE, 2, 6)
    with pytest.raises(ValueError, match="holds no frame"):
        take(A, FPS, SIZE, 30, 31)
    with pytest.raises(ValueError, match="different rates or sizes"):
        join([a, take(B, Fraction(24), SIZE)])
    with pytest.raises(ValueError, match="cannot be stacked"):
        stack([stack([a, a]), a])
    with pytest.raises(ValueError, match="leaves no frame"):
        cut(a, 3, 3)
    with pytest.raises(ValueError, match="no sound"):
        overlay(a, B, 9)


def test_letterboxed_boxes_lie_beside_the_bars() -> None:
    graph = take(B, FPS, SIZE)
    ((_, box),) = graph.box_to_target("b", 1.0, Box(0, 0, 1, 1))
    assert box.y1 == 0 and box.y2 == 1 and box.x1 > 0.3 and box.x2 < 0.7


def test_measured_rates_are_understood() -> None:
    assert nominal_fps(29.97002997) == Fraction(30000, 1001) and nominal_fps(25.0) == 25


EVENT = {"level": "event", "model": "composer"}
KNOWN = {
    "captions": [
        {"start_s": 3.0, "end_s": 5.0, "text": "a red circle moves to the left", **EVENT},
        {"start_s": 3.0, "end_s": 5.0, "text": "a dog runs across the field", **EVENT},
        {"start_s": 4.0, "end_s": 9.0, "text": "the camera pans to the right", **EVENT},
        {"start_s": 3.5, "end_s": 4.5, "text": "a sign reads “LEFT”", **EVENT},
    ],
    "words": [
        {"start_s": 2.5, "end_s": 2.9, "word": "one", "position": 7},
        {"start_s": 5.8, "end_s": 6.2, "word": "two", "position": 8},
    ],
    "speech": [{"start_s": 2.5, "end_s": 6.2, "text": "one two", "origin": "composed"}],
    "text_regions": [{"start_s": 3.5, "end_s": 4.5, "text": "LEFT", "x1": 0.1, "y1": 0.1, "x2": 0.3, "y2": 0.2}],
    "tracks": [{"track_id": "t", "start_s": 3.0, "end_s": 5.0, "label": "circle", "phrase": "red circle"}],
    "boxes": [
        {"track_id": "t", "t_s": 3 + i / 5, "x1": 0.5 - i / 50, "y1": 0.4, "x2": 0.6 - i / 50, "y2": 0.6}
        for i in range(10)
    ],
    "sounds": [{"start_s": 2.2, "end_s": 2.4, "label": "tone", "pitch_hz": 440.0, "attributes_json": '{"note": "A4"}'}],
    "questions": [
        {"question_id": "q1", "question": "What moves?", "start_s": 3.0, "end_s": 5.0},
        {"question_id": "q2", "question": "How many dogs?", "start_s": None, "end_s": None},
    ],
}


def texts(graph: Graph, **rules: float) -> list[str]:
    return [r["text"] for r in carry(graph, "a", KNOWN, CarryRules(**rules))["captions"]]


def test_a_cut_keeps_what_is_whole() -> None:
    clip = take(A, FPS, SIZE, 2, 6)
    found = carry(clip, "a", KNOWN)
    assert texts(clip) == [
        "a red circle moves to the left",
        "a dog runs across the field",
        "the camera pans to the right",
        "a sign reads “LEFT”",
    ]
    assert (found["captions"][2]["start_s"], found["captions"][2]["end_s"]) == (2.0, 4.0)
    assert (found["captions"][0]["start_s"], found["captions"][0]["end_s"]) == (1.0, 3.0)
    assert [w["word"] for w in found["words"]] == ["one"] and found["speech"] == []
    assert [q["question"] for q in found["questions"]] == ["What moves?"]
    assert "a dog runs across the field" not in texts(cut(clip, 0, 2.9))
    assert "a dog runs across the field" in texts(cut(clip, 0, 2.9), event_share=0.9)
    assert [b["t_s"] for b in found["boxes"]][:3] == [1.0, 1.2, 1.4]


def test_backward_footage_says_the_opposite_or_nothing() -> None:
    back = reverse(take(A, FPS, SIZE, 2, 6))
    found = carry(back, "a", KNOWN)
    assert texts(back) == ["a red circle moves to the right", "the camera pans to the left", "a sign reads “LEFT”"]
    assert (found["captions"][0]["start_s"], found["captions"][0]["end_s"]) == (1.0, 3.0)
    assert found["words"] == found["speech"] == found["sounds"] == found["questions"] == []
    boxes = sorted(found["boxes"], key=lambda b: b["t_s"])
    assert boxes[0]["x1"] < boxes[-1]["x1"]
    # The frame that began at 3.0 s lasted until 3.04 s, which now is its begin: 6 - 3.04.
    assert boxes[-1]["t_s"] == pytest.approx(2.96)


def test_mirrored_footage_has_other_sides_and_no_lettering() -> None:
    turned = mirror(take(A, FPS, SIZE, 2, 6))
    found = carry(turned, "a", KNOWN)
    assert texts(turned) == [
        "a red circle moves to the right",
        "a dog runs across the field",
        "the camera pans to the left",
    ]
    assert found["text_regions"] == []
    assert found["boxes"][0]["x1"] == pytest.approx(0.4)


def test_sound_follows_its_rate() -> None:
    fast = carry(speed(take(A, FPS, SIZE, 2, 6), 2), "a", KNOWN)["sounds"][0]
    kept = carry(speed(take(A, FPS, SIZE, 2, 6), 2, keep_pitch=True), "a", KNOWN)["sounds"][0]
    assert (fast["pitch_hz"], fast["attributes_json"], fast["start_s"]) == (880.0, None, 0.1)
    assert kept["pitch_hz"] == 440.0
    assert carry(speed(take(A, FPS, SIZE, 2, 6), 4), "a", KNOWN)["words"] == []
    assert carry(mute(take(A, FPS, SIZE, 2, 6)), "a", KNOWN)["words"] == []


def test_what_is_said_on_top_is_said_then() -> None:
    graph = overlay(take(B, FPS, SIZE, 0, 5), A, 1.0, start_s=2.0, length_s=3.0)
    found = carry(graph, "a", KNOWN)
    assert [(w["word"], w["start_s"], w["end_s"]) for w in found["words"]] == [("one", 1.5, 1.9)]
    assert [s["start_s"] for s in found["sounds"]] == [1.2]
    assert found["captions"] == found["speech"] == []


def test_a_held_frame_interrupts_events_but_not_tracks() -> None:
    held = freeze(take(A, FPS, SIZE, 2, 6), 2.0, 1.0)
    found = carry(held, "a", KNOWN)
    spans = [(r["text"].split()[-1], r["start_s"], r["end_s"]) for r in found["captions"]]
    assert spans == [("left", 1.0, 2.0), ("left", 3.0, 4.0), ("right", 3.0, 5.0), ("“LEFT”", 1.5, 3.5)]
    (track,) = found["tracks"]
    assert (track["start_s"], track["end_s"]) == (1.0, 4.0)
    inside = [b for b in found["boxes"] if 2.0 <= b["t_s"] < 3.0]
    assert len({b["x1"] for b in inside}) == 1


def test_halves_of_a_stack_are_named_and_only_one_is_heard() -> None:
    both = stack([take(A, FPS, SIZE, 2, 6), take(A, FPS, SIZE, 2, 6)])
    found = carry(both, "a", KNOWN)
    assert sorted(texts(both))[-1].endswith("half of the picture")
    assert len(found["words"]) == 1
    assert {round(b["y1"], 2) for b in found["boxes"]} == {0.2, 0.7}


def test_shots_are_the_cuts_between_pieces_and_those_inside() -> None:
    inner = {
        "a": [
            {"start_s": 0.0, "end_s": 4.0, "transition": "start"},
            {"start_s": 4.0, "end_s": 20.0, "transition": "cut"},
        ]
    }
    inner["b"] = [{"start_s": 0.0, "end_s": 12.0, "transition": "start"}]
    graph = join([take(A, FPS, SIZE, 2, 6), take(B, FPS, SIZE, 0, 3)])
    assert [(s["start_s"], s["end_s"], s["transition"]) for s in shots_of(graph, inner)] == [
        (0.0, 2.0, "start"), (2.0, 4.0, "cut"), (4.0, 7.0, "cut"),
    ]  # fmt: skip
    assert [s["start_s"] for s in shots_of(reverse(take(A, FPS, SIZE, 3, 6)), inner)] == [0.0, 2.0]
    assert [s["start_s"] for s in shots_of(freeze(take(A, FPS, SIZE, 5, 6), 0.4, 1), inner)] == [0.0]
    assert shots_of(graph, {"a": inner["a"]}) == []


def test_words_of_several_sources_are_numbered_in_order() -> None:
    graph = join([take(A, FPS, SIZE, 2, 3), take(A, FPS, SIZE, 2, 3)])
    assert [(w["position"], w["start_s"]) for w in merged([carry(graph, "a", KNOWN)])["words"]] == [(0, 0.5), (1, 1.5)]


@pytest.mark.parametrize(
    ("text", "backwards", "mirrored"),
    [
        ("the camera rolls clockwise", "the camera rolls counterclockwise", "the camera rolls counterclockwise"),
        ("a man opens the door", "a man closes the door", "a man opens the door"),
        ("a man opens the door and walks in", None, "a man opens the door and walks in"),
        (
            "a cat stands to the left of a dog",
            "a cat stands to the left of a dog",
            "a cat stands to the right of a dog",
        ),
        ("she left the room", None, "she left the room"),
        ("a title reads “UP”", "a title reads “UP”", None),
        ("a dog barks, then runs to the left", None, "a dog barks, then runs to the right"),
        ("a train approaches", "a train recedes", "a train approaches"),
    ],
)
def test_sentences_after_an_edit(text: str, backwards: str | None, mirrored: str | None) -> None:
    assert after_edit(text, backwards=True) == backwards
    assert after_edit(text, mirrored=True) == mirrored


def test_what_speaks_of_pace_or_sound_does_not_survive_their_change() -> None:
    assert after_edit("a car drives slowly", rate=2) is None
    assert after_edit("a woman sings", heard=False) is None
    assert opposite("moves up") == "moves down" and opposite("eats") is None


def test_aspects_are_read_from_sentences() -> None:
    told = described_aspect("a red circle moves to the left")
    assert told is not None and (told.kind, told.subject, told.value) == (
        "object_motion",
        "a red circle",
        "moves to the left",
    )
    assert told.wrong[0] == "moves to the right" and "moves up" in told.wrong
    assert described_aspect("a dog runs across the field") is None
