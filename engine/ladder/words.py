"""Words as numbers: character n-grams of texts, and crossings of the words of a question with those of an option.

Everything is hashed, so that features need no fitting and depend on nothing but the text. A crossing lets a linear
solver learn that "quickly" in a question speaks for "to the left"; a dense picture vector is crossed in the same way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

GRAMS = 2**16
CROSSED = 2**17
_WORD = re.compile(r"\w+(?:[.'’-]\w+)*")
_MOST_WORDS = 24
"""Words of a text that are crossed, at most."""


def char_grams(texts: Sequence[str]) -> csr_matrix:
    """[n, 65536] L2-normalised counts of character 2- to 4-grams within words."""
    from sklearn.feature_extraction.text import HashingVectorizer

    distinct = sorted(set(texts))
    place = {text: i for i, text in enumerate(distinct)}
    vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=GRAMS, alternate_sign=False)
    return vectorizer.transform(distinct)[[place[text] for text in texts]]


@lru_cache(maxsize=200_000)
def _hashed(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")


def tokens(text: str, *, whole: bool = False) -> np.ndarray:
    """Hashes (uint64) of the distinct words of a text, and of the text itself if `whole`."""
    words = list(dict.fromkeys(_WORD.findall(text.casefold())))[:_MOST_WORDS]
    if whole:
        words.append(f"= {text.casefold()}")
    return np.array([_hashed(word) for word in words], np.uint64)


def crossings(left: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> csr_matrix:
    """[n, 131072]: for each row, every token of `left` with every one of `right`, each row of length one."""
    columns, values, ends = [], [], [0]
    for a, b in zip(left, right, strict=True):
        cells = _mixed(a[:, None], b[None, :]).ravel()
        columns.append(cells)
        values.append(np.full(len(cells), 1 / np.sqrt(max(1, len(cells))), np.float64))
        ends.append(ends[-1] + len(cells))
    return _rows(columns, values, ends)


def crossed_vectors(vectors: np.ndarray, right: Sequence[np.ndarray]) -> csr_matrix:
    """[n, 131072]: each dimension of row i of `vectors` [n, d] with each token of `right[i]`, scaled by the row's length."""
    dimensions = np.array([_hashed(f"dimension {i}") for i in range(vectors.shape[1])], np.uint64)
    columns, values, ends = [], [], [0]
    for vector, b in zip(vectors, right, strict=True):
        cells = _mixed(dimensions[:, None], b[None, :]).ravel()
        columns.append(cells)
        values.append(np.repeat(vector, len(b)) / np.sqrt(max(1, len(b))))
        ends.append(ends[-1] + len(cells))
    return _rows(columns, values, ends)


def _mixed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A cell for each pair of hashes: multiply-xor, then the high bits."""
    with np.errstate(over="ignore"):
        mixed = (a * np.uint64(0x9E3779B97F4A7C15)) ^ (b * np.uint64(0xC2B2AE3D27D4EB4F))
        return ((mixed * np.uint64(0xD6E8FEB86659FD93)) >> np.uint64(47)).astype(np.int32)


def _rows(columns: list[np.ndarray], values: list[np.ndarray], ends: list[int]) -> csr_matrix:
    from scipy.sparse import csr_matrix

    flat: Any = np.concatenate(columns) if columns else np.zeros(0, np.int32)
    numbers = np.concatenate(values) if values else np.zeros(0)
    made = csr_matrix((numbers, flat, np.array(ends, np.int64)), shape=(len(ends) - 1, CROSSED))
    made.sum_duplicates()
    return made
