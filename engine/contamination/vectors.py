"""Embedding sketches: a picture's vector as 64 signs of projections on fixed directions, compared like perceptual hashes.

The share of signs that differ estimates the angle between two vectors (random hyperplanes, Charikar 2002), so the index and
the alignment for perceptual hashes serve for vectors too. A vector stays what it is under crops, borders and overlays that
change every pixel; how far, the model decides: sketches of one model are never compared with those of another. Limits: a
model that tells two scenes badly apart gives false alarms, so the rules ask for longer and closer stretches than for hashes.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from .copies import CopyRules, Looks
from .index import Hashes

STEP_S = 0.5
"""Grid on which standing pictures count."""
_PLANES = 64


class VectorRules(CopyRules):
    """When embedded pictures and stretches count as copied: nearer and longer than for perceptual hashes."""

    min_contrast: float = Field(0.0, ge=0, description="not used: every embedded picture is compared")
    seed_bits: int = Field(6, ge=0, le=20, description="bits of 64 by which look-alikes that vote may differ")
    max_bits: int = Field(
        8, ge=0, le=24, description="bits by which aligned pictures may differ and still match; 8 are about 22 degrees"
    )
    mean_bits: float = Field(
        4.0, gt=0, description="bits by which the matching pictures of a stretch may differ on average"
    )
    min_share: float = Field(0.8, gt=0, le=1, description="least share of a stretch's pictures that match")
    min_s: float = Field(6.0, gt=0, description="least length of a copied stretch; seconds")
    still_bits: float = Field(0.0, ge=0, description="the same average for a stretch that shows one unchanging picture")
    window_s: float = Field(16.0, gt=1, description="footage that is aligned at once; seconds")


@cache
def _planes(dimension: int) -> NDArray[np.float64]:
    return np.random.Generator(np.random.PCG64(20_260_101)).standard_normal((dimension, _PLANES))


def sketch_vectors(vectors: NDArray[np.float32]) -> Hashes:
    """Unit vectors [n, dimension] to sketches [n]: bit k says on which side of plane k the vector lies."""
    if not len(vectors):
        return np.zeros(0, np.uint64)
    signs = np.asarray(vectors, np.float64) @ _planes(vectors.shape[1]) > 0
    return (signs.astype(np.uint64) << np.arange(_PLANES, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)


def looks_of(rows: pa.Table, model: str) -> Looks:
    """One medium's vectors of one model on an even grid. Columns t_s, until_s, model and vector of `embeddings`."""
    times, until = rows.column("t_s").to_numpy(), rows.column("until_s").to_numpy()
    mine = np.array([m == model for m in rows.column("model").to_pylist()], bool)
    order = np.flatnonzero(mine)[np.argsort(times[mine], kind="stable")]
    if not len(order):
        return Looks(np.zeros(0), np.zeros(0, np.uint64), STEP_S)
    column = rows.column("vector")
    hashes = sketch_vectors(np.array([column[int(i)].as_py() for i in order], np.float32))
    return on_grid(times[order], until[order], hashes)


def on_grid(times: NDArray[np.float64], until: NDArray[np.float64], hashes: Hashes) -> Looks:
    """Sketches that each stand from `times` to `until`, at every multiple of the step at which one stands."""
    grid = np.arange(np.ceil(times[0] / STEP_S) * STEP_S, until[-1], STEP_S)
    standing = np.searchsorted(times, grid + 1e-9, side="right") - 1
    shown = grid < until[standing]
    return Looks(grid[shown], hashes[standing[shown]], STEP_S)
