"""What answers to true and false statements about relations say beyond accuracy (VSRE): consistency, bias, and whether one looks.

A `Said` is one answer to one cell of a group: a picture, a statement and a wording. Group accuracy asks for all cells of a
group at once. Inconsistent is who says the same to a relation and to its inverse; sensitive to the picture is who says another
thing of its reflection. All figures are of answers that could be read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import pvariance

from .metrics import mean


@dataclass(frozen=True)
class Said:
    """One answer."""

    group: str
    """Group, form and wording: what the four cells share."""
    picture: str
    cell: int
    """Which of the two statements."""
    wording: str
    yes: bool
    """Whether the statement was called true."""
    right: bool


def diagnostics(answers: Iterable[Said]) -> Mapping[str, float]:
    """`accuracy`, `group_accuracy`, `variance` of accuracy over wordings, `inconsistent`, `yes_bias` (share of yes minus the true
    share) and `sensitive`; a figure without anything to be made of is left out.
    """
    told = list(answers)
    groups: dict[str, list[Said]] = defaultdict(list)
    wordings: dict[str, list[float]] = defaultdict(list)
    pictures: dict[tuple[str, str], dict[int, bool]] = defaultdict(dict)
    cells: dict[tuple[str, int], dict[str, bool]] = defaultdict(dict)
    for one in told:
        groups[one.group].append(one)
        wordings[one.wording].append(float(one.right))
        pictures[one.group, one.picture][one.cell] = one.yes
        cells[one.group, one.cell][one.picture] = one.yes
    inverse = [float(len(set(v.values())) == 1) for v in pictures.values() if len(v) == 2]
    mirrored = [float(len(set(v.values())) == 2) for v in cells.values() if len(v) == 2]
    found: dict[str, float] = {}
    if told:
        found["accuracy"] = mean([float(s.right) for s in told])
        found["group_accuracy"] = mean([float(all(s.right for s in g)) for g in groups.values()])
        found["variance"] = pvariance([mean(v) for v in wordings.values()])
        found["yes_bias"] = mean([float(s.yes) for s in told]) - mean([float(s.yes == s.right) for s in told])
    if inverse:
        found["inconsistent"] = mean(inverse)
    if mirrored:
        found["sensitive"] = mean(mirrored)
    return found
