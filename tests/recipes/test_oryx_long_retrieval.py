"""oryx_long_retrieval (row 1): the numbered picture is the needle, depths are even, and uniform sampling misses as it must."""

from __future__ import annotations

import numpy as np
import pytest
from chronotope.annotators.composers.needle import Needle
from chronotope.annotators.composers.needle_drawing import card
from chronotope.engine.media.hashing import media_id_of
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.needles import needles_of, picture_time, words_of
from long_footage import (
    bits_apart,
    files_in,
    hidden_in,
    material_in,
    pictures_of,
    rows_in,
    samples_in,
    source_in,
)

SMALL = {
    "CHRONOTOPE_VIDEOS": 2,
    "CHRONOTOPE_MIN_DURATION_S": 40,
    "CHRONOTOPE_FPS": 6,
    "CHRONOTOPE_WIDTH": 96,
    "CHRONOTOPE_HEIGHT": 54,
}
ALIKE_BITS = 10


def originals(root, films):
    """What each needle looks like where it came from: a drawn card, or the frame of the other film. By row."""
    donors = {media_id_of(path): pictures_of(path) for path in sorted(films.glob("*.mp4"))}
    found = {}
    for n in needles_of(rows_in(root, "events")):
        if n.insert == "picture":
            found[n.row["row_id"]] = card(*words_of(n), 64, 36)
            continue
        [edit] = [
            e
            for e in rows_in(root, "edits", n.row["media_id"])
            if e["target_start_s"] == n.span.start_s and "insert" in e["operation"]
        ]
        pictures = donors[edit["source_media_id"]]
        found[n.row["row_id"]] = pictures[round(edit["start_s"] * 12)]
    return found


def hashed(root, films, shift=0):
    """Share of numbered pictures that hash to their needle; `shift` pictures beside the stated number."""
    files, looks, good = files_in(root), originals(root, films), []
    shown = {media_id: pictures_of(path) for media_id, path in files.items()}
    for sample in samples_in(root):
        said = sample.difficulty
        if "picture" not in said:
            continue
        needles = needles_of(rows_in(root, "events", sample.media[0].media_id))
        for number, target in (("picture", "target_0"), ("other_picture", "target_1")):
            if number not in said:
                continue
            needle = needles[int(said[target])]
            at = picture_time(int(said[number]) + shift, int(said["pictures"]), sample.window)
            index = int(at * 6 + 1e-6)
            assert shift or needle.index <= index < needle.index + needle.frames
            picture = shown[sample.media[0].media_id][min(index, len(shown[sample.media[0].media_id]) - 1)]
            good.append(bits_apart(picture, looks[needle.row["row_id"]]) <= ALIKE_BITS)
    return good


def test_the_numbered_picture_is_the_needle(build, films):
    root = build("oryx_long_retrieval", **SMALL)
    assert verify_root(root).problems == []
    right = hashed(root, films)
    print(f"{sum(right)} of {len(right)} numbered pictures hash to their needle")
    assert len(right) >= 8 and all(right)
    # planted fault: questions number the pictures a dozen too late
    assert sum(hashed(root, films, shift=12)) / len(right) < 0.3
    kinds = {s.answer.kind for s in samples_in(root)}
    assert kinds == {"text", "choice", "order"}


@pytest.fixture
def depths(films, tmp_path, monkeypatch):
    """Depth and span of the needles of forty films that are only drafted, and their lengths."""
    for key, value in {**SMALL, "CHRONOTOPE_VIDEOS": 40, "CHRONOTOPE_FOOTAGE": films}.items():
        monkeypatch.setenv(key, str(value))
    source = source_in("oryx_long_retrieval")
    drafts = Needle(Needle.Params(**source.settings)).compose(material_in(source, tmp_path, bare=True), 0)
    return [(n.depth, n.span, d.duration_s) for d in drafts for n in hidden_in(d)]


def missed(found, pictures):
    """(seen to be missed, expected from the stride) of `pictures` uniform pictures, over all places of the first one."""
    seen, expected = [], []
    for _, span, length in found:
        stride = length / pictures
        expected.append(max(0.0, 1 - span.length_s / stride))
        for phase in np.arange(0.5, 32) / 32:
            times = (np.arange(-1, pictures + 1) + phase) * stride
            seen.append(not ((times >= span.start_s) & (times < span.end_s)).any())
    return float(np.mean(seen)), float(np.mean(expected))


def test_depths_are_even_and_uniform_sampling_misses_by_the_stride(depths):
    from scipy.stats import chisquare

    values = np.array([d for d, _, _ in depths])
    assert len(values) >= 160
    assert chisquare(np.histogram(values, bins=10, range=(0, 1))[0]).pvalue > 0.05
    print(f"{len(values)} needles, chi-square p {chisquare(np.histogram(values, bins=10, range=(0, 1))[0]).pvalue:.3f}")
    # planted fault: needles drift to the beginning
    assert chisquare(np.histogram(values**1.5, bins=10, range=(0, 1))[0]).pvalue < 0.05
    for pictures in (8, 16, 32):
        seen, expected = missed(depths, pictures)
        print(f"{pictures} uniform pictures miss {seen:.3f}, by the stride {expected:.3f}")
        assert abs(seen - expected) <= 0.03 and expected > 0.1
