"""What is hidden in moving noise cannot be told from a frame, and comes back from motion; encoding keeps both."""

import json
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest
from chronotope.annotators.compose.hidden import WORDS, drawn, families
from chronotope.annotators.compose.moving_noise import BLOCK
from chronotope.annotators.composers.motion_noise import MotionNoise, Params, write_luma
from chronotope.annotators.vision.hidden_mask import HiddenMask
from chronotope.annotators.vision.motion_recovery import correlation
from chronotope.annotators.vision.motion_snr import MotionSnr
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.engine.composing import Draft
from chronotope.engine.media.probe import probe
from chronotope.schemas.masks import decode_mask
from pydantic import ValidationError

SMALL = {"width": 192, "height": 128, "seconds": 1.2}


def drafts(seed: int = 3, **params) -> list[Draft]:
    return list(MotionNoise(Params(**{**SMALL, **params})).compose((), seed))


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="gray") for f in container.decode(video=0)]


def checked(draft: Draft, path: Path) -> dict[str, float]:
    facts = probe(path)
    names = ("kind", "duration_s", "fps", "frames", "width", "height")
    medium = Medium("m", path.name, path, *(facts[n] for n in names), has_video=True, has_audio=False)
    rows = Rows({t: [{**r, "producer": "p"} for r in found] for t, found in draft.rows.items()})
    made = HiddenMask(HiddenMask.Params()).annotate(Unit("m", "medium", medium, "r", 0), rows)
    return {row["name"]: row["value"] for _, row in made}


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> tuple[Draft, Path]:
    (draft,) = drafts(videos=1, categories={"shapes": 1})
    path = tmp_path_factory.mktemp("noise") / "film.mp4"
    draft.write(path)
    return draft, path


def test_no_frame_tells_and_motion_does(film):
    found = checked(*film)
    assert found["hidden_leak"] < 0.02
    assert found["hidden_iou"] >= 0.9
    assert found["hidden_iou_shuffled"] < found["hidden_chance"] + 0.2


def test_a_frame_whose_inside_is_brighter_is_caught(film, tmp_path):
    draft, path = film
    mask = decode_mask(draft.rows["boxes"][0]["mask"])
    frames = decoded(path)
    frames[7] = np.clip(frames[7].astype(int) + 8 * mask, 0, 255).astype(np.uint8)
    faulty = tmp_path / "faulty.mp4"
    write_luma(iter(frames), 192, 128, 30, 18, faulty)
    assert checked(draft, faulty)["hidden_leak"] > 0.02


def test_inside_and_outside_have_the_same_grains_in_every_frame_before_encoding(tmp_path):
    (draft,) = drafts(videos=1, categories={"dynamic": 1}, crf=0)
    path = tmp_path / "lossless.mp4"
    draft.write(path)
    frames = decoded(path)
    for box in draft.rows["boxes"]:
        frame, mask = frames[round(box["t_s"] * 30)], decode_mask(box["mask"])
        assert abs(correlation(frame, mask)) < 1e-9
        bright = (frame > 128)[::2, ::2]
        blocks = bright.reshape(bright.shape[0] // BLOCK, BLOCK, -1, BLOCK).sum(axis=(1, 3))
        assert np.all(blocks == 2)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(film, tmp_path):
    draft, path = film
    (again,), (other,) = drafts(videos=1, categories={"shapes": 1}), drafts(4, videos=1, categories={"shapes": 1})
    assert again.digest == draft.digest != other.digest
    again.write(tmp_path / "again.mp4")
    assert (tmp_path / "again.mp4").read_bytes() == path.read_bytes()


def test_categories_are_shared_out_as_published_and_every_answer_comes_once_before_any_comes_again():
    made = drafts(videos=90)
    counts = Counter(d.parameters["category"] for d in made)
    assert counts == {"text": 42, "objects": 31, "dynamic": 11, "shapes": 6}
    words = Counter(d.parameters["label"] for d in made if d.parameters["category"] == "text")
    assert max(words.values()) == 1
    assert all(d.rows["aspects"] for d in made if d.parameters["category"] == "dynamic")


def test_words_of_a_family_differ_in_one_letter_at_one_place_and_all_can_be_drawn():
    for family in WORDS:
        places = {i for a in family for b in family for i in range(4) if a[i] != b[i]}
        assert len(places) == 1
    for category in ("text", "shapes", "objects"):
        drawn_ones = [drawn(category, label, 30, 40) for f in families(category) for label in f]
        assert all(0.05 < m.mean() < 0.6 for m in drawn_ones)
        assert len({m.tobytes() for m in drawn_ones}) == len(drawn_ones)


def test_sizes_and_velocities_that_would_cut_blocks_are_refused():
    with pytest.raises(ValidationError, match="no multiple of two grains"):
        Params(velocity_px=(3,))


def snr_of(watch, tmp_path, **params) -> float:
    (draft,) = drafts(videos=1, categories={"shapes": 1}, seconds=0.5, **params)
    path = tmp_path / f"{draft.digest}.mp4"
    draft.write(path)
    rows = watch(MotionSnr(MotionSnr.Params()), path)
    return {r["name"]: r["value"] for r in rows}["motion_snr_combined"]


def test_the_signal_changes_monotonically_with_velocity_and_contrast(watch, tmp_path):
    slow, fast = (snr_of(watch, tmp_path, velocity_px=(v,)) for v in (4, 8))
    assert slow < fast
    deep, mean, faint = (snr_of(watch, tmp_path, contrast=(c,)) for c in (0.9, 0.5, 0.2))
    assert deep < mean < faint


def test_tracks_say_what_hides_and_what_could_stand_in_its_place(film):
    (track,) = film[0].rows["tracks"]
    told = json.loads(track["attributes_json"])
    assert told["hidden_by"] == "motion"
    assert track["phrase"] in told["family"]
