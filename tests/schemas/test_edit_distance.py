"""The edit distance of two texts is that of the table that defines it, cut at the limit."""

from __future__ import annotations

from chronotope.schemas.readings import edit_distance
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text("abcd", max_size=12)


def by_table(a: str, b: str) -> int:
    table = [[i + j if 0 in (i, j) else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (x != y))
    return table[-1][-1]


@given(TEXT, TEXT, st.integers(0, 14))
def test_it_is_the_levenshtein_distance(a: str, b: str, limit: int) -> None:
    assert edit_distance(a, b, limit) == min(by_table(a, b), limit + 1)
