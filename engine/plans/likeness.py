"""How alike two pictures of a medium are, 0 to 1, from whatever is stored of them: vectors, hashes or the pictures.

Policies that follow change ask for nothing else, so that any feature serves any of them. Pictures are compared patch by
patch, by the cosine of their HSV values as Keye-VL does, or by their difference in colour. Limits: the cosine of plain
patches of unlike, saturated colours stays above Keye's 0.7, so that such a cut is missed; the colour difference sees it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...schemas.ids import derive_id

Floats = NDArray[np.float64]
PatchRule = Literal["hsv_cosine", "colour_difference"]
PATCH_PX, MOST_PATCHES = 28, 256
ALIKE_COSINE = 0.7
"""Patches with at least this cosine count as alike (Keye's `vision_process.py`)."""
ALIKE_DIFFERENCE = 0.1
"""Patches whose mean difference stays below this share of full scale count as alike (ours)."""
NOISE_BITS = 6
"""Bits of 64 by which hashes of one view differ through coding and small motion."""
_BLACK = 10


class Likeness(ABC):
    """Pictures of one medium that can be compared with one another."""

    times_s: Floats
    """float64 [n]: when each picture was taken, ascending."""
    model: str
    """What the comparison rests on."""

    @abstractmethod
    def between(self, i: int, j: int) -> float:
        """How alike pictures i and j are, 0..1; 1 for the same picture."""

    @abstractmethod
    def take(self, indices: NDArray[np.int64]) -> Likeness:
        """The same for some of the pictures, repetitions allowed."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """Digest of all that is compared."""

    def __len__(self) -> int:
        return len(self.times_s)

    def adjacent(self) -> Floats:
        """float64 [n - 1]: likeness of each picture and the next."""
        return np.array([self.between(i, i + 1) for i in range(len(self) - 1)])


class VectorLikeness(Likeness):
    """Cosine of vectors, negative ones counting as 0."""

    def __init__(self, times_s: Floats, vectors: NDArray[Any], model: str) -> None:
        """`vectors` [n, d] of any length; zeros are unlike everything."""
        values = np.asarray(vectors, np.float64)
        norms = np.linalg.norm(values, axis=1, keepdims=True)
        self.times_s, self.model = np.asarray(times_s, np.float64), model
        self.vectors: Floats = values / np.where(norms > 0, norms, 1.0)

    def between(self, i: int, j: int) -> float:
        return float(np.clip(self.vectors[i] @ self.vectors[j], 0.0, 1.0))

    def adjacent(self) -> Floats:
        return np.clip(np.einsum("nd,nd->n", self.vectors[:-1], self.vectors[1:]), 0.0, 1.0)

    def take(self, indices: NDArray[np.int64]) -> VectorLikeness:
        return VectorLikeness(self.times_s[indices], self.vectors[indices], self.model)

    @property
    def digest(self) -> str:
        return derive_id("vectors", self.model, self.times_s.tobytes(), self.vectors.astype(np.float32).tobytes())


class HashLikeness(Likeness):
    """Agreement of perceptual hashes between noise and chance, and of mean light; whichever is less."""

    def __init__(self, times_s: Floats, hashes: NDArray[np.int64], luma: Floats) -> None:
        """`hashes` [n] of 64 bits, `luma` [n] 0..255."""
        self.times_s, self.model = np.asarray(times_s, np.float64), "phash"
        self.hashes, self.luma = np.asarray(hashes, np.int64), np.asarray(luma, np.float64)

    def between(self, i: int, j: int) -> float:
        bits = int(np.bitwise_xor(self.hashes[i], self.hashes[j]).view(np.uint64)).bit_count()
        light = abs(float(self.luma[i] - self.luma[j])) / 255
        return max(0.0, min(1 - max(0, bits - NOISE_BITS) / (32 - NOISE_BITS), 1 - light))

    def take(self, indices: NDArray[np.int64]) -> HashLikeness:
        return HashLikeness(self.times_s[indices], self.hashes[indices], self.luma[indices])

    @property
    def digest(self) -> str:
        return derive_id("hashes", self.times_s.tobytes(), self.hashes.tobytes(), self.luma.tobytes())


class PictureLikeness(Likeness):
    """Share of the patches of two pictures that are alike; patches that are black in both are not counted."""

    def __init__(self, times_s: Floats, jpegs: Sequence[bytes], rule: PatchRule) -> None:
        """`jpegs` are pictures of one size; they are decoded when they are compared."""
        self.times_s, self.model = np.asarray(times_s, np.float64), f"patches/{rule}"
        self._album, self._places = _Album(tuple(jpegs), rule), np.arange(len(jpegs))

    def between(self, i: int, j: int) -> float:
        return self._album.likeness(int(self._places[i]), int(self._places[j]))

    def take(self, indices: NDArray[np.int64]) -> PictureLikeness:
        some = PictureLikeness(self.times_s[indices], (), self._album.rule)
        some._album, some._places = self._album, self._places[indices]
        return some

    @property
    def digest(self) -> str:
        marks = [self._album.mark(int(place)) for place in self._places]
        return derive_id("pictures", self._album.rule, self.times_s.tobytes(), marks)


class _Album:
    """Pictures that several likenesses share: what was compared once is not decoded again."""

    def __init__(self, jpegs: tuple[bytes, ...], rule: PatchRule) -> None:
        self.jpegs, self.rule = jpegs, rule
        self._known: dict[tuple[int, int], float] = {}
        self._marks: dict[int, str] = {}
        self._patches = lru_cache(maxsize=4)(self._read)

    def likeness(self, i: int, j: int) -> float:
        pair = (min(i, j), max(i, j))
        if pair not in self._known:
            same = self.jpegs[i] == self.jpegs[j]
            self._known[pair] = (
                1.0 if same else patch_likeness(self._patches(pair[0]), self._patches(pair[1]), self.rule)
            )
        return self._known[pair]

    def mark(self, i: int) -> str:
        if i not in self._marks:
            self._marks[i] = derive_id(self.jpegs[i])
        return self._marks[i]

    def _read(self, i: int) -> NDArray[np.uint8]:
        return patches_of(decoded(self.jpegs[i]), self.rule)


def decoded(jpeg: bytes) -> NDArray[np.uint8]:
    """A JPEG as uint8 [h, w, 3] BGR. Raises ValueError for bytes that are none."""
    import cv2

    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("a stored picture is no JPEG")
    return np.asarray(picture, np.uint8)


def patches_of(bgr: NDArray[np.uint8], rule: PatchRule) -> NDArray[np.uint8]:
    """uint8 [patches, 28 * 28, 3] of a picture [h, w, 3], HSV or BGR, shrunk to at most 256 patches of 28 x 28 px."""
    import cv2

    height, width = bgr.shape[:2]
    rows, columns = max(1, round(height / PATCH_PX)), max(1, round(width / PATCH_PX))
    if rows * columns > MOST_PATCHES:
        scale = (MOST_PATCHES / (rows * columns)) ** 0.5
        rows, columns = max(1, int(rows * scale)), max(1, int(columns * scale))
    small = cv2.resize(bgr, (columns * PATCH_PX, rows * PATCH_PX), interpolation=cv2.INTER_AREA)
    if rule == "hsv_cosine":
        small = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
    parts = np.asarray(small, np.uint8).reshape(rows, PATCH_PX, columns, PATCH_PX, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(parts.reshape(rows * columns, PATCH_PX * PATCH_PX, 3))


def patch_likeness(first: NDArray[np.uint8], second: NDArray[np.uint8], rule: PatchRule) -> float:
    """Share of patches that are alike, of those that are not black in both; 1 where all are black."""
    if first.shape != second.shape:
        raise ValueError(f"pictures of {len(first)} and {len(second)} patches cannot be compared")
    light = (first[..., 2], second[..., 2]) if rule == "hsv_cosine" else (first.max(axis=2), second.max(axis=2))
    seen = (light[0].max(axis=1) > _BLACK) | (light[1].max(axis=1) > _BLACK)
    if not seen.any():
        return 1.0
    a, b = (p[seen].reshape(int(seen.sum()), -1).astype(np.float32) for p in (first, second))
    if rule == "colour_difference":
        return float((np.abs(a - b).mean(axis=1) / 255 < ALIKE_DIFFERENCE).mean())
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = np.einsum("pd,pd->p", a, b) / np.where(norms > 0, norms, 1.0)
    return float((cosine > ALIKE_COSINE).mean())
