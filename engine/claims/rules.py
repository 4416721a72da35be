"""All rules that speak about claims, in one list: to add one, write a pure checker and name it here."""

from __future__ import annotations

from collections.abc import Callable

from .claim import Claim, Opinion
from .motions import check_camera, check_motion
from .objects import check_objects
from .orders import check_order
from .places import check_relation
from .texts import check_speech, check_writing
from .world import World

CHECKERS: tuple[Callable[[Claim, World], Opinion | None], ...] = (
    check_writing,
    check_speech,
    check_objects,
    check_motion,
    check_camera,
    check_relation,
    check_order,
)


def opinions_of_rules(claim: Claim, world: World) -> list[Opinion]:
    """What each rule that can tell says about a claim."""
    return [opinion for check in CHECKERS if (opinion := check(claim, world)) is not None]
