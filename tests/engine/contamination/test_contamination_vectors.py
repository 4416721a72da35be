"""Embedding sketches keep angles, stand as long as their pictures, and one changing film is not another."""

from __future__ import annotations

import numpy as np
import pytest
from chronotope.engine.contamination.copies import find_copies
from chronotope.engine.contamination.index import Sketch, SketchIndex
from chronotope.engine.contamination.vectors import STEP_S, VectorRules, on_grid, sketch_vectors


def film(seed: int, pictures: int = 40, dimension: int = 128) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((pictures, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def turned(vectors: np.ndarray, degrees: float) -> np.ndarray:
    """The vectors, each turned by an angle into a direction at right angles to it."""
    aside = np.random.default_rng(99).standard_normal(vectors.shape)
    aside -= (aside * vectors).sum(axis=1, keepdims=True) * vectors
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    angle = np.radians(degrees)
    return (np.cos(angle) * vectors + np.sin(angle) * aside).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 5, 20, 60, 90])
def test_the_share_of_differing_bits_is_the_angle(degrees: float) -> None:
    vectors = film(1, pictures=2000)
    bits = np.bitwise_count(sketch_vectors(vectors) ^ sketch_vectors(turned(vectors, degrees)))
    assert bits.mean() / 64 == pytest.approx(degrees / 180, abs=0.01)


@pytest.mark.parametrize(
    ("degrees", "speed", "found"), [(0, 1.0, True), (8, 1.0, True), (8, 1.1, True), (60, 1.0, False)]
)
def test_a_copy_is_found_while_its_vectors_are_near(degrees: float, speed: float, found: bool) -> None:
    theirs = film(2)
    times = np.arange(len(theirs)) * STEP_S
    index = SketchIndex([Sketch("bench", "film", ("model",), times, sketch_vectors(theirs)[None])])
    grid = np.arange(0, times[-1], STEP_S * speed)
    mine = turned(theirs[np.minimum((grid / STEP_S).astype(int), len(theirs) - 1)], degrees)
    at = np.arange(len(mine)) * STEP_S
    copies = find_copies(on_grid(at, at + STEP_S, sketch_vectors(mine)), index, VectorRules())
    assert bool(copies) is found
    other = film(3)
    assert not find_copies(on_grid(times, times + STEP_S, sketch_vectors(other)), index, VectorRules())


def test_a_standing_picture_counts_for_as_long_as_it_stands() -> None:
    looks = on_grid(np.array([0.0, 3.0]), np.array([3.0, 4.0]), sketch_vectors(film(4, pictures=2)))
    assert looks.times.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert len(set(looks.hashes[:6].tolist())) == 1 and looks.hashes[5] != looks.hashes[6]
