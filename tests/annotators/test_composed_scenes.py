"""Composed scenes: the picture shows what its captions say, and a seed gives the same bytes."""

import hashlib

import numpy as np
import pytest
from chronotope.annotators.compose.drawing import COLOURS as PALETTE
from chronotope.annotators.compose.scenes import (
    COLOURS,
    COMBINATIONS,
    POSITIONS,
    SEEN,
    SHAPES,
    UNSEEN,
    attribute_captions,
    captions,
    draw_scene,
    full_captions,
    sample_scene,
)


def test_a_seed_gives_the_same_bytes():
    first, again, other = (
        hashlib.sha256(draw_scene(sample_scene(seed, COMBINATIONS[17]), 160, 90).tobytes()).hexdigest()
        for seed in (4, 4, 5)
    )
    assert first == again != other


@pytest.mark.parametrize("combination", COMBINATIONS[::23])
def test_the_named_colour_lies_at_the_named_position(combination):
    colour, _, position = combination
    scene = sample_scene(11, combination, dim_share=0.0)
    picture = draw_scene(scene, 320, 180).astype(int)
    near = np.abs(picture - np.asarray(scene.paint)).max(axis=2) < 60
    rows, columns = np.nonzero(near)
    x, y = np.median(columns) / 320, np.median(rows) / 180
    nearest = min(POSITIONS, key=lambda p: (POSITIONS[p][0] - x) ** 2 + (POSITIONS[p][1] - y) ** 2)
    assert nearest == position
    assert min(COLOURS, key=lambda c: sum(abs(np.subtract(PALETTE[c], scene.paint)))) == colour


def test_held_out_combinations_leave_every_pair_of_colour_and_shape_in_training():
    assert (len(SEEN), len(UNSEEN)) == (192, 48) and not set(SEEN) & set(UNSEEN)
    assert {x[:2] for x in SEEN} == {(c, s) for c in COLOURS for s in SHAPES}
    assert {x[0] for x in UNSEEN} == set(COLOURS) and {x[1] for x in UNSEEN} == set(SHAPES)
    assert {x[2] for x in UNSEEN} == set(POSITIONS)


def test_captions_are_distinct_and_name_the_attributes():
    assert full_captions(("orange", "ring", "top"))[0] == "an orange ring at the top"
    everything = [text for x in COMBINATIONS for text in full_captions(x)]
    assert len(set(everything)) == len(everything)
    assert all("red" in text and "star" in text for text in captions(sample_scene(1, ("red", "star", "left"))))
    assert captions(sample_scene(1, None))[0] == "an empty scene"
    assert attribute_captions("colour", "orange")[1] == "an orange shape"
    with pytest.raises(ValueError, match="kind 'size' is unknown"):
        attribute_captions("size", "big")
