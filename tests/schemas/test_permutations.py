"""Permutations by number: every one has a rank, the identity has 0, and the inverse undoes it."""

from __future__ import annotations

from itertools import permutations

import pytest
from chronotope.schemas.permutations import inverse, permutation_of, rank_of, swapped_pairs


def test_ranks_count_all_permutations_in_order() -> None:
    everyone = list(permutations(range(4)))
    assert [permutation_of(rank, 4) for rank in range(24)] == everyone
    assert [rank_of(p) for p in everyone] == list(range(24))


def test_the_inverse_puts_things_back() -> None:
    for rank in range(24):
        shown = permutation_of(rank, 4)
        assert [shown[i] for i in inverse(shown)] == [0, 1, 2, 3]


def test_swapped_pairs_run_from_none_to_all() -> None:
    assert (swapped_pairs((0, 1, 2)), swapped_pairs((1, 0, 2)), swapped_pairs((2, 1, 0))) == (0, 1, 3)


def test_what_is_no_permutation_is_an_error() -> None:
    with pytest.raises(ValueError, match="no permutation"):
        rank_of((0, 0, 2))
    with pytest.raises(ValueError, match="no permutation number 6"):
        permutation_of(6, 3)
