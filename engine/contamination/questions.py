"""Questions of benchmarks as hashed 8-grams of normalised words, and how much of our own questions stands in them.

Words are lower-case letters and digits; times, boxes and numbers all count as the word `0`, so that a question does not
escape by another time; other markup is left out. A question of fewer than eight words has no 8-gram: it says too little to
tell a copy from the same everyday wording. Limits: a paraphrase is not found.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRAM = 8
_TAG = re.compile(r"<[^<>]*>")
_PLACEHOLDER = re.compile(r"<(?:video|image|audio|options|answer)(?:@\d+)?>")
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """Normalised words of a question; times, boxes and numbers are `0`, other markup is left out."""
    plain = _TAG.sub(" 0 ", _PLACEHOLDER.sub(" ", text)).replace("&lt;", " ").replace("&amp;", " ")
    found = _WORD.findall(unicodedata.normalize("NFKC", plain).lower().replace("'", "").replace("\u2019", ""))
    kept: list[str] = []
    for word in ("0" if w.isdigit() else w for w in found):
        if word != "0" or not kept or kept[-1] != "0":
            kept.append(word)
    return kept


def grams(text: str) -> NDArray[np.int64]:
    """Sorted distinct 64-bit hashes of the 8-grams of a question; empty when it has fewer than eight words."""
    words = words_of(text)
    found = {_hash(" ".join(words[i : i + GRAM])) for i in range(len(words) - GRAM + 1)}
    return np.array(sorted(found), np.int64)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


@dataclass(frozen=True)
class Asked:
    """A question that stands in a benchmark: `share` of its 8-grams are in the benchmark's `item`."""

    benchmark: str
    item: str
    share: float


class QuestionIndex:
    """Questions of benchmarks: (benchmark, item, 8-gram hashes) each."""

    def __init__(self, entries: Iterable[tuple[str, str, NDArray[np.int64]]]) -> None:
        self._items: list[tuple[str, str]] = []
        self._by_gram: dict[int, list[int]] = {}
        for number, (benchmark, item, hashes) in enumerate(entries):
            self._items.append((benchmark, item))
            for value in hashes.tolist():
                self._by_gram.setdefault(value, []).append(number)

    def __len__(self) -> int:
        return len(self._items)

    def find(self, texts: Sequence[str], min_share: float) -> list[Asked]:
        """Of each benchmark the item that holds most of a sample's question (several texts are looked at one by one),
        when it holds at least `min_share` of its 8-grams.
        """
        best: dict[str, Asked] = {}
        for text in texts:
            mine = grams(text).tolist()
            counts = Counter(number for value in mine for number in self._by_gram.get(value, ()))
            for number, count in sorted(counts.items()):
                benchmark, item = self._items[number]
                share = count / len(mine)
                if share >= min_share and (benchmark not in best or share > best[benchmark].share):
                    best[benchmark] = Asked(benchmark, item, share)
        return [best[name] for name in sorted(best)]
