"""Finding benchmarks in our own: identifiers as whole tokens, copies on a line of time, questions by their 8-grams."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from chronotope.engine.contamination.copies import CopyRules, Looks, find_copies
from chronotope.engine.contamination.ids import IdIndex, clean_id, spans_of, texts_of
from chronotope.engine.contamination.index import Sketch, SketchIndex, packed
from chronotope.engine.contamination.questions import QuestionIndex, grams

IDS = IdIndex([(i, "bench") for i in ("dQw4w9WgXcQ", "-bcDEFgh_1j", "scene0011_00", "41069021", "12", "kitchen")])


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("/data/v_dQw4w9WgXcQ.mp4", ["dQw4w9WgXcQ"]),
        ("/data/dQw4w9WgXcQ_000010_000020.mp4", ["dQw4w9WgXcQ"]),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3", ["dQw4w9WgXcQ"]),
        ("/data/dqw4w9wgxcq.mp4", []),
        ("/data/xdQw4w9WgXcQ.mp4", []),
        ("/data/dQw4w9WgXcQ2.mp4", []),
        ("/data/-bcDEFgh_1j.mp4", ["-bcDEFgh_1j"]),
        ("/scans/scene0011_00/video.mp4", ["scene0011_00"]),
        ("/scans/scene0011_001/video.mp4", []),
        ("/arkit/41069021/41069021_frames.mov", ["41069021"]),
        ("/data/12/take.mp4", []),
        ("/data/12.mp4", ["12"]),
        ("/kitchen/one.mp4", []),
        ("/data/kitchen.mp4", ["kitchen"]),
    ],
)
def test_an_identifier_stands_whole(place: str, found: list[str]) -> None:
    assert [item for _, item in IDS.find(place, name=True)] == found


def test_identifiers_are_sought_in_manifest_columns_but_not_in_captions() -> None:
    places = [
        {
            "uri": "/a.mp4",
            "group_id": None,
            "entries_json": '[{"start_s": 2, "end_s": 4, "caption": "41069021", "user": {"visit": 41069021}},'
            ' {"start_s": 5, "end_s": 6, "caption": "41069021", "user": null}]',
        }
    ]
    assert spans_of(places) == [(2.0, 4.0, ["41069021"])]
    texts = texts_of({"title": "a.mp4", "user_json": '{"yt": "dQw4w9WgXcQ"}'}, places)
    assert {i for text, name in texts for _, i in IDS.find(text, name=name)} == {"dQw4w9WgXcQ"}


def test_addresses_and_file_names_become_identifiers() -> None:
    assert clean_id(" https://youtu.be/dQw4w9WgXcQ?t=4 ") == "dQw4w9WgXcQ"
    assert clean_id("videos/test/dQw4w9WgXcQ.mp4") == "dQw4w9WgXcQ"
    assert clean_id("scene0011_00") == "scene0011_00"


def test_a_question_is_found_with_other_times_and_marks() -> None:
    theirs = "When does the person in the red shirt open the fridge after 12.5 s?"
    index = QuestionIndex([("bench", "q1", grams(theirs)), ("bench", "q2", grams("Is it raining?"))])
    ours = "<video>\nWhen does the person in the red shirt open the fridge after <t:7.2> s?"
    (asked,) = index.find([ours], 0.6)
    assert (asked.item, asked.share) == ("q1", 1.0)
    assert not index.find(["<video>\nWhen does the person in the blue coat close the fridge after <t:7.2> s?"], 0.6)
    assert not index.find(["Is it raining?"], 0.6)


def film(seconds: float, seed: int, fps: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    """Times and hashes of footage: every 2 s another scene, some bits of which change from picture to picture."""
    random = np.random.default_rng(seed)
    times = np.arange(0, seconds, 1 / fps)
    hashes = np.zeros(len(times), np.uint64)
    for i in range(len(times)):
        if i % 8 == 0:
            now = int(random.integers(0, 1 << 63))
        for bit in random.integers(0, 64, 2):
            now ^= 1 << int(bit)
        hashes[i] = now
    return times, hashes


def sketch(item: str, times: np.ndarray, hashes: np.ndarray) -> Sketch:
    row = {"benchmark": "b", "item": item, "times": times.tolist(), "variants": ["whole"], "hashes": packed(hashes)}
    return Sketch.of(row)


INDEX = SketchIndex([sketch(f"v{seed}", *film(40, seed)) for seed in range(6)])


@pytest.mark.parametrize(("speed", "start"), [(1.0, 0.0), (1.0, 11.13), (1.1, 4.0), (0.85, 6.6), (1.24, 2.0)])
def test_a_piece_at_another_place_and_speed_is_found_where_it_lies(speed: float, start: float) -> None:
    times, hashes = film(40, 2)
    other, other_hashes = film(30, 99)
    ours = np.arange(0, 12, 0.25)
    piece = hashes[np.clip(np.round((start + speed * ours) * 4).astype(int), 0, len(times) - 1)]
    looks = Looks(
        np.concatenate([other, 30 + ours, 42 + other]), np.concatenate([other_hashes, piece, other_hashes]), 0.25
    )
    (copy,) = find_copies(looks, INDEX, CopyRules())
    assert copy.item == "v2" and len(copy.spans) == 1
    assert copy.spans[0] == pytest.approx((30.0, 42.0), abs=0.6)
    assert copy.overlap(10, 29) is None and copy.overlap(35, 60) is not None
    assert copy.share(looks, 30, 42) > 0.9 > copy.share(looks, 36, 48)


def test_a_copy_that_was_cut_and_put_together_again_is_found_in_pieces() -> None:
    _, hashes = film(40, 4)
    pieces = [hashes[100:130], hashes[10:40]]
    looks = Looks(np.arange(60) * 0.25, np.concatenate(pieces), 0.25)
    (copy,) = find_copies(looks, INDEX, CopyRules())
    assert copy.item == "v4" and copy.share(looks, 0, 15) > 0.9


def test_other_footage_and_pictures_out_of_order_are_no_copy() -> None:
    times, hashes = film(40, 77)
    assert find_copies(Looks(times, hashes, 0.25), INDEX, CopyRules()) == []
    shuffled = np.random.default_rng(1).permutation(film(40, 3)[1])
    assert find_copies(Looks(times, shuffled, 0.25), INDEX, CopyRules()) == []


def test_dark_and_even_pictures_are_not_compared() -> None:
    times, hashes = film(10, 1)
    rows = [
        {"t_s": t, "phash": int(np.int64(h)), "contrast": 30.0, "black": False}
        for t, h in zip(times.tolist(), hashes.view(np.int64).tolist(), strict=True)
    ]
    assert [c.item for c in find_copies(Looks.of(pa.Table.from_pylist(rows), 8.0), INDEX, CopyRules())] == ["v1"]
    even = [{**r, "contrast": 3.0} if i % 2 else {**r, "black": True} for i, r in enumerate(rows)]
    assert find_copies(Looks.of(pa.Table.from_pylist(even), 8.0), INDEX, CopyRules()) == []


def test_a_damaged_sketch_is_refused() -> None:
    times, hashes = film(5, 1)
    with pytest.raises(ValueError, match="holds 19 hashes, not 1 variants of 20 pictures"):
        sketch("v", times, hashes[:-1])


def test_a_camera_that_never_moves_costs_bounded_work() -> None:
    """Thousands of equal pictures on both sides: every pair is a look-alike, and the still shot counts as found."""
    times = np.arange(0, 1500, 0.25)
    still = np.full(len(times), 0x5A5A_1234_F00D_BEEF, np.uint64)
    index = SketchIndex([sketch("room", times, still), *(sketch(f"v{s}", *film(40, s)) for s in range(3))])
    (copy,) = find_copies(Looks(times[:400], still[:400], 0.25), index, CopyRules())
    assert copy.item == "room" and copy.share(Looks(times, still, 0.25), 0, 100) == 1.0
