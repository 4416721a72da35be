"""Near duplicates: copies are found, different clips are not, and only the set of clips matters."""

from __future__ import annotations

import io
from itertools import count

import cv2
import numpy as np
import pytest
from chronotope.annotators.temporal.duplicates import Duplicates, DuplicatesParams
from chronotope.annotators.vision.picture_numbers import dct_hash
from chronotope.engine.annotator import Rows, Unit
from chronotope.schemas.ids import clip_id
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image


def run(clips, signals, embeddings=(), **params) -> dict[str, dict]:
    rows = Rows({"clips": list(clips), "signals": list(signals), "embeddings": list(embeddings)})
    found = Duplicates(DuplicatesParams(**params)).annotate(Unit("corpus", "corpus", None, "r", 0), rows)
    return {row["clip_id"]: row for _, row in found}


def clip(media_id: str, start_s: float, end_s: float) -> dict:
    return {"clip_id": clip_id(media_id, start_s, end_s), "media_id": media_id, "start_s": start_s, "end_s": end_s}


def signal(media_id: str, t_s: float, phash: int, contrast: float = 50.0, black: bool = False) -> dict:
    return {"media_id": media_id, "t_s": t_s, "phash": phash, "contrast": contrast, "black": black}


def moving(seed: int, seconds: float = 5.0, fps: float = 12.0) -> list[np.ndarray]:
    """Pictures 320x180 of smooth random texture under a panning camera."""
    rng = np.random.default_rng(seed)
    world = cv2.GaussianBlur(rng.integers(0, 255, (260, 640, 3)).astype(np.float32), (0, 0), 14)
    world = (world - world.min()) / (world.max() - world.min()) * 255
    xs = [round(40 * i / fps) for i in range(int(seconds * fps))]
    return [world[30:210, x : x + 320].astype(np.uint8) for x in xs]


def encoded(pictures: list[np.ndarray], size: tuple[int, int], quality: int) -> list[np.ndarray]:
    """The pictures as a smaller and worse copy would show them."""
    copies = []
    for picture in pictures:
        data = io.BytesIO()
        Image.fromarray(picture).resize(size).save(data, "JPEG", quality=quality)
        copies.append(np.array(Image.open(data)))
    return copies


def signals_of(media_id: str, pictures: list[np.ndarray], start_s: float = 0.0, fps: float = 12.0) -> list[dict]:
    """Every third picture as a row, hashed as the annotator `signals` does."""
    rows = []
    for i in range(0, len(pictures), 3):
        luma = cv2.cvtColor(pictures[i], cv2.COLOR_RGB2GRAY)
        small = cv2.resize(luma, (32, 32), interpolation=cv2.INTER_AREA)
        rows.append(signal(media_id, start_s + i / fps, dct_hash(small), float(luma.std())))
    return rows


def test_a_scaled_and_reencoded_copy_is_found_and_other_footage_is_not() -> None:
    first, other = moving(1), moving(2)
    copy = encoded(first, (176, 100), 25)
    signals = signals_of("film", first) + signals_of("copy", copy, start_s=7.1) + signals_of("other", other)
    clips = [clip("film", 0.0, 5.0), clip("copy", 7.1, 12.1), clip("other", 0.0, 5.0)]
    film, twin, alone = (run(clips, signals)[c["clip_id"]] for c in clips)
    assert film["duplicate_group"] == twin["duplicate_group"] == min(film["clip_id"], twin["clip_id"])
    assert (film["members"], twin["members"]) == (2, 2)
    assert [film["is_duplicate"], twin["is_duplicate"]].count(True) == 1
    assert 0 <= film["distance"] < 0.1
    assert alone["members"] == 1 and not alone["is_duplicate"] and alone["distance"] is None
    assert twin["media_id"] == "copy"


def test_a_slightly_shifted_cut_of_the_copy_is_still_found() -> None:
    pictures = moving(3)
    signals = signals_of("film", pictures) + signals_of("copy", encoded(pictures[1:], (240, 136), 40))
    found = run([clip("film", 0.0, 5.0), clip("copy", 0.0, 4.9)], signals)
    assert {row["members"] for row in found.values()} == {2}


def test_the_same_footage_backwards_is_no_copy() -> None:
    pictures = moving(4)
    signals = signals_of("film", pictures) + signals_of("back", pictures[::-1])
    found = run([clip("film", 0.0, 5.0), clip("back", 0.0, 5.0)], signals)
    assert {row["members"] for row in found.values()} == {1}


def test_black_and_even_pictures_make_no_duplicates() -> None:
    signals = [signal(m, i / 4, 77, contrast=1.0) for m in ("a", "b") for i in range(10)]
    signals += [signal(m, 5 + i / 4, 99, black=True) for m in ("a", "b") for i in range(10)]
    clips = [clip(m, *span) for m in ("a", "b") for span in ((0.0, 2.5), (5.0, 7.5))]
    assert {row["members"] for row in run(clips, signals).values()} == {1}


def test_clips_of_one_medium_are_compared_only_on_request() -> None:
    signals = [signal("a", i / 4, 0x0F0F_3333_5555_1234) for i in range(40)]
    clips = [clip("a", 0.0, 5.0), clip("a", 5.0, 10.0), clip("a", 2.5, 7.5)]
    assert {r["members"] for r in run(clips, signals).values()} == {1}
    found = run(clips, signals, within_medium=True)
    assert [found[c["clip_id"]]["members"] for c in clips] == [2, 2, 1], "overlapping clips are no copies"


def embedding(media_id: str, t_s: float, until_s: float, vector: np.ndarray) -> dict:
    unit = vector / np.linalg.norm(vector)
    return {"media_id": media_id, "t_s": t_s, "until_s": until_s, "model": "m", "vector": unit.tolist()}


def test_embeddings_find_what_hashes_cannot_when_asked() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=(40, 64)) + 1.0
    near = base[0] + rng.normal(size=64) * 0.1
    rows = [embedding(f"m{i}", 0.0, 4.0, v) for i, v in enumerate(base)] + [embedding("near", 0.0, 9.0, near)]
    clips = [clip(f"m{i}", 0.0, 4.0) for i in range(40)] + [clip("near", 1.0, 8.0)]
    assert {r["members"] for r in run(clips, [], rows).values()} == {1}
    found = run(clips, [], rows, min_cosine=0.97)
    assert found[clips[0]["clip_id"]]["duplicate_group"] == found[clips[-1]["clip_id"]]["duplicate_group"]
    assert sum(r["members"] > 1 for r in found.values()) == 2
    assert "embeddings" in Duplicates(DuplicatesParams(min_cosine=0.97)).dynamic_reads()
    assert "embeddings" not in Duplicates(DuplicatesParams()).dynamic_reads()


@st.composite
def corpora(draw) -> tuple[list[dict], list[dict]]:
    """Clips that copy each other with a few flipped bits."""
    originals = [np.random.default_rng(seed).integers(-(2**62), 2**62, 12) for seed in range(4)]
    names = count()
    clips, signals = [], []
    for which, flips, seconds in draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.sampled_from([3.0, 2.9, 1.5])), max_size=8)
    ):
        media_id = f"m{next(names)}"
        clips.append(clip(media_id, 0.0, seconds))
        bits = np.random.default_rng(flips).permutation(63)[:flips]
        mask = sum(1 << int(b) for b in bits)
        signals += [signal(media_id, i / 4, int(h) ^ mask) for i, h in enumerate(originals[which])]
    return clips, signals


@settings(max_examples=60, deadline=None)
@given(corpora(), st.randoms(use_true_random=False))
def test_groups_depend_only_on_the_set(corpus, random) -> None:
    clips, signals = corpus
    found = run(clips, signals)
    assert set(found) == {c["clip_id"] for c in clips}
    for row in found.values():
        group = [r for r in found.values() if r["duplicate_group"] == row["duplicate_group"]]
        assert row["members"] == len(group)
        assert row["duplicate_group"] == min(r["clip_id"] for r in group)
        assert (row["distance"] is None) == (len(group) == 1)
        assert row["is_duplicate"] == (row["clip_id"] != row["duplicate_group"])
    random.shuffle(clips)
    random.shuffle(signals)
    assert run(clips, signals) == found


def test_a_thousand_clips_are_compared_in_seconds() -> None:
    rng = np.random.default_rng(5)
    clips, signals = [], []
    for i in range(1000):
        clips.append(clip(f"m{i}", 0.0, 4.0))
        hashes = rng.integers(-(2**62), 2**62, 16) if i % 10 else np.arange(16) * 1_000_003 + i // 100
        signals += [signal(f"m{i}", k / 4, int(h)) for k, h in enumerate(hashes)]
    found = run(clips, signals)
    assert sum(r["members"] == 1 for r in found.values()) == 900
    assert sum(r["is_duplicate"] for r in found.values()) == 99


@pytest.mark.parametrize("clips", [[], [clip("a", 0.0, 1.0)]])
def test_small_corpora(clips) -> None:
    assert [r["members"] for r in run(clips, []).values()] == [1] * len(clips)
