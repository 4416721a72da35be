"""Claims about what is in the picture, by tracks: objects, their colours, how many there are. Checker `tracks`.

A track of the label and colour in the span supports a claim. Where the tracks are complete (a composer's), a label that is
not there, or is there in other colours only, contradicts it; a tracker's gaps contradict nothing. Something counts as
there up to a second outside of the span, because a track is cut where the object touches the picture's edge.
"""

from __future__ import annotations

from collections.abc import Sequence

from .claim import Claim, Opinion, said
from .nouns import COLOURS, Named, colour, named, number_in
from .world import Thing, World

BY = "tracks"
SLACK_S = 1.0


def check_objects(claim: Claim, world: World) -> Opinion | None:
    """What the tracks say to a claim of the kinds object, attribute or count; None where they cannot tell."""
    if not world.things:
        return None
    if claim.kind == "object":
        return _exists(claim, world, claim.subject)
    if claim.kind == "attribute" and colour(claim.attribute.strip().lower()) in COLOURS:
        return _exists(claim, world, f"{claim.attribute} {_bare(claim.subject)}")
    if claim.kind == "count":
        return _count(claim, world)
    return None


def _exists(claim: Claim, world: World, phrase: str) -> Opinion | None:
    wanted = named(phrase, world.labels)
    if wanted.label is None:
        return None
    there = [t for t in world.seen(claim.span, SLACK_S) if t.label == wanted.label]
    if not there:
        return said(BY, False, claim, f"no {wanted.label} is in the picture") if world.things_certain else None
    if matching(there, wanted):
        return said(BY, True, claim, f"track of a {matching(there, wanted)[0].placed.phrase}")
    seen = sorted({t.colour for t in there if t.colour})
    if world.things_certain and all(t.colour for t in there):
        return said(BY, False, claim, f"the {wanted.label} is {' or '.join(seen)}")
    return None


def _count(claim: Claim, world: World) -> Opinion | None:
    number = claim.number if claim.number is not None else number_in(claim.claim)
    wanted = named(claim.subject, world.labels)
    if number is None or wanted.label is None:
        return None
    there = matching([t for t in world.seen(claim.span, SLACK_S) if t.label == wanted.label], wanted)
    together = at_once(there)
    if there and together == number:
        return said(BY, True, claim, f"{together} at the same time")
    if world.things_certain and number > len(there):
        return said(BY, False, claim, f"only {len(there)} in the span" if there else "none in the span")
    if world.things_certain and number < together:
        return said(BY, False, claim, f"{together} at the same time")
    return None


def matching(things: Sequence[Thing], wanted: Named) -> list[Thing]:
    """Those of the label and of one of the colours, if any is named."""
    return [t for t in things if t.label == wanted.label and (not wanted.colours or t.colour in wanted.colours)]


def at_once(things: Sequence[Thing]) -> int:
    """The greatest number of them that are in the picture at the same time."""
    starts = [t.placed.span.start_s for t in things]
    return max((sum(t.placed.span.contains(s) for t in things) for s in starts), default=0)


def _bare(phrase: str) -> str:
    """A phrase without colours: the claim is that its subject has another one."""
    return " ".join(w for w in phrase.split() if colour(w.lower().strip(",.")) not in COLOURS)
