"""What a kind of question about a space is made of: what it asks about, its solved answer, and the kind itself.

`About` is all that a sample has to keep so that its question can be asked again; `Solved` is what one pure function makes of
it. Texts here are plain words: the task escapes them. Reasons to withhold are constant texts, so that they can be counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ...schemas.chain_building import Trail
from ...schemas.sample import Need
from ...schemas.space import Sighting
from .numbers import ChoiceRule, numeric_choice
from .reply import Number, Pick, Ranking, Reply, Wrong

if TYPE_CHECKING:
    from .view import View

Medium = Literal["video", "stills"]
__all__ = ["About", "Kind", "Medium", "Number", "Pick", "Ranking", "Reply", "Second", "Solved", "Wrong"]


@dataclass(frozen=True)
class About:
    """Which question of a kind: objects and times in the order of their roles, and which variant."""

    objects: tuple[str, ...] = ()
    """Their `object_id`s; cited first, in this order."""
    times: tuple[float, ...] = ()
    """Times of cameras, seconds; cited first, in this order."""
    variant: int = 0
    """Index among the kind's own variants (how many options, which level, which reference)."""


@dataclass(frozen=True)
class Second:
    """What another representation of the scene answers, and whether that agrees within the kind's tolerance."""

    source: str
    """points, depths, cameras, boxes ..."""
    says: str
    agrees: bool


@dataclass(frozen=True)
class Solved:
    """The answer to a question, and everything that it rests on."""

    reply: Reply
    slots: Mapping[str, str]
    """Slots of the wordings, in plain words."""
    marks: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """Slots that are markup already, such as a box."""
    says: str
    """The answer unrounded, as `spatial_checks.first_answer` keeps it; of a number its value in the unit of the answer."""
    rationale: tuple[str, ...]
    """Sentences in plain words, without letters of options and without times."""
    labels: tuple[str, ...] = ()
    """Labels of which every object is cited, so that counts and uniqueness can be made again."""
    margin: float | None = None
    """Distance to the nearest other answer, in `margin_unit`."""
    margin_unit: str = "m"
    confidence: float = 1.0
    """What the kind's own steps are certain of; scores of objects and cameras are multiplied by the task."""
    sightings: tuple[Sighting, ...] = ()
    cameras: tuple[float, ...] = ()
    """Times of further cameras that it rests on."""
    points: tuple[str, ...] = ()
    """Objects whose points are cited for the second answer; '' is the rest of the scene."""
    second: Second | None = None
    source: str = "boxes3d"
    """What the answer was made of: boxes3d, cameras, boxes3d and cameras ..."""
    group: str = ""
    """What numbers are balanced by (their sign, say); '': each number by itself."""
    difficulty: Mapping[str, float] = field(default_factory=dict)
    needs: tuple[Need, ...] = ("vision", "3d")
    chain: Callable[[Trail], str] | None = None
    """Writes the steps to the answer; gives the name of the result: the number as it is said, the text of the right option,
    or the list of texts in the right order.
    """

    @property
    def key(self) -> str:
        """What the answer is, for balancing."""
        match self.reply:
            case Number():
                return self.reply.text
            case Pick():
                return self.reply.right
            case Ranking():
                return ", ".join(self.reply.items)


class Kind(ABC):
    """One kind of question. Margins and thresholds are given to the constructor."""

    name: ClassVar[str]
    """Its name in wordings files and in `spatial_checks`."""
    medium: ClassVar[Medium] = "video"
    """Shown as the footage of a clip, or as the stills of `View.stills`."""
    gravity: ClassVar[bool] = False
    """Needs a vertical z axis."""
    scale: ClassVar[bool] = False
    """Needs real metres. A kind that does not compares only, with margins that `View.least` scales."""
    area: ClassVar[bool] = False
    """Its number is an area: the scale counts twice."""
    counts: ClassVar[bool] = False
    """Needs every object of the labels that occur (`scenes.all_labelled`)."""

    even: ClassVar[bool] = False
    """Its options are names of things of which some are right by habit (a table is near): of a medium only questions are kept
    in which each name is right about as often as its share.
    """

    @abstractmethod
    def candidates(self, view: View) -> Iterable[About]:
        """Everything that could be asked, cheaply: `solve` says no where it must."""

    @abstractmethod
    def solve(self, view: View, about: About) -> Solved:
        """The answer. Raises `Withheld` with the reason that there is none."""

    def choice(self, number: Number, rule: ChoiceRule, *seed: Any) -> Pick:
        """A number of this kind beside wrong ones. Raises `Withheld` where there are none."""
        return numeric_choice(number, rule, *seed)
