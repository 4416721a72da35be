"""frame_choice on hand-made hashes, vectors and twins: pictures of other moments, look-alikes, mirrored and reversed ones."""

from __future__ import annotations

from collections import defaultdict

import pytest
from chronotope.annotators.tasks.frame_choice import FrameChoice
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.sample import Sample

MIRROR = {"time_scale": 1.0, "box_affine": [-1.0, 0.0, 1.0, 0.0, 1.0, 0.0]}
REVERSE = {"time_scale": -1.0, "box_affine": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]}


def phash(*seed: object) -> int:
    return int(seeded_fraction("hash", *seed) * 2**62)


@pytest.fixture
def film(new_world):
    """Three shots of 6 s, measured four times a second; the picture changes between the whole seconds."""
    world = new_world()
    world.medium("film", 18.0)
    for shot in range(3):
        world.clip("film", 6.0 * shot, 6.0 * shot + 6)
    for k in range(72):
        t = k / 4
        box = {f"residual_{n}": v for n, v in zip(("x1", "y1", "x2", "y2"), (0.05, 0.4, 0.35, 0.6), strict=True)}
        world.add("signals", "film", "signals", t_s=t, phash=phash(int(t + 0.5)), contrast=40.0, **box)
        if k % 4 == 0:
            angle = seeded_fraction("angle", int(t) % 6)
            vector = [(1 - angle**2) ** 0.5, angle]
            world.add("embeddings", "film", "clip", t_s=t, until_s=t + 1, model="m", dimension=2, vector=vector)
    return world


def twin(world, clip: int, operation: str, edit: dict):
    start = 6.0 * clip
    media_id = f"{operation}-{clip}"
    world.medium(media_id, 6.0, origin="edited")
    world.add(
        "edits", media_id, operation, step=0, operation=operation, source_media_id="film",
        source_clip_id=f"film:{start:g}-{start + 6:g}", start_s=start, end_s=start + 6,
        time_offset_s=-start if operation == "mirror" else start + 6, **edit,
    )  # fmt: skip


def samples_of(world, task):
    rows = world.run(task, "film")
    pairs = defaultdict(list)
    for row in rows:
        sample = Sample.from_row(row)
        assert sample.problems() == [] and world.check(task, row)["passed"], world.check(task, row)
        pairs[sample.pair_id].append(sample)
    return rows, list(pairs.values())


def kinds(sample):
    return sorted(o.distractor_kind for o in sample.options if o.distractor_kind)


def right(sample):
    return sample.media[1 + sample.answer.index]


def test_other_moments_and_look_alikes_of_other_shots(film):
    _, pairs = samples_of(film, FrameChoice(FrameChoice.Params()))
    assert len(pairs) == 3
    for a, b in pairs:
        assert a.media == b.media and right(a) != right(b), "one video, the same pictures, another moment"
        for sample in (a, b):
            assert kinds(sample) == ["embedding neighbour", "embedding neighbour", "near in time"]
            window, still = sample.window, right(sample)
            assert window.contains(still.start_s) and f"<t:{still.start_s:g}>" in sample.turns[0].text


def test_a_mirrored_twin_makes_left_and_right_matter(film):
    twin(film, 0, "mirror", MIRROR)
    _, pairs = samples_of(film, FrameChoice(FrameChoice.Params(casts=("mirrored",))))
    ((a, b),) = pairs
    assert (a.media[0].media_id, b.media[0].media_id) == ("film", "mirror-0")
    assert a.media[1:] == b.media[1:], "the same four pictures"
    assert right(a).media_id == "film" and right(b).media_id == "mirror-0"
    assert kinds(a) == kinds(b) == ["mirrored", "near in time", "near in time"]
    assert right(b).start_s == pytest.approx(right(a).start_s, abs=0.04)


def test_nothing_is_asked_of_a_mirrored_twin_that_may_look_the_same(film):
    twin(film, 0, "mirror", MIRROR)
    for row in film.tables["signals"].values():
        row |= {"residual_x1": 0.35, "residual_x2": 0.65}
    assert film.run(FrameChoice(FrameChoice.Params(casts=("mirrored",))), "film") == []


def test_a_reversed_twin_shows_another_picture_at_the_same_time(film):
    twin(film, 1, "reverse", REVERSE)
    _, pairs = samples_of(film, FrameChoice(FrameChoice.Params(casts=("reversed",))))
    ((a, b),) = pairs
    assert a.media[1:] == b.media[1:] and right(a) != right(b)
    assert "reversed" in kinds(a) and "reversed" in kinds(b)
    # the twin shows at (nearly) the same time since its beginning what the source shows at the mirrored time
    into_source, into_source_reversed = right(a).start_s - 6, 12 - right(b).start_s
    assert into_source == pytest.approx(into_source_reversed, abs=0.5)


def test_pictures_that_hardly_differ_are_not_asked_about(film):
    for row in film.tables["signals"].values():
        row["phash"] = 1 << (int(row["t_s"]) % 3)
    assert film.run(FrameChoice(FrameChoice.Params()), "film") == []


def test_a_picture_like_one_next_to_the_asked_moment_is_refused(film):
    task = FrameChoice(FrameChoice.Params(casts=("moments",)))
    _, pairs = samples_of(film, task)
    sample = pairs[0][0]
    asked = float(sample.turns[0].text.partition("<t:")[2].partition(">")[0])
    stills = int(sample.difficulty["stills"])
    signals = [e for e in sample.evidence if e.table == "signals"]
    other = next(e for e in signals[:stills] if abs(e.values["t_s"] - asked) > 0.1)
    beside = next(e for e in signals[stills:] if 0 < abs(e.values["t_s"] - asked) <= 0.3)
    film.tables["signals"][beside.row_id]["phash"] = other.values["phash"]
    evidence = [
        e.model_dump() | ({"values": dict(e.values) | {"phash": other.values["phash"]}} if e == beside else {})
        for e in sample.evidence
    ]
    lie = Sample.model_validate(sample.model_dump() | {"evidence": evidence}).to_row()
    verdict = film.check(task, lie)
    assert not verdict["passed"] and "bits" in verdict["reason"]


@pytest.mark.parametrize("cast", ["moments", "mirrored", "reversed"])
def test_no_lie_passes(film, cast, all_caught):
    twin(film, 0, "mirror", MIRROR)
    twin(film, 1, "reverse", REVERSE)
    task = FrameChoice(FrameChoice.Params(casts=(cast,), per_medium=1))
    rows = film.run(task, "film")
    assert len(rows) == 2 and all_caught(film, task, rows) > 30
