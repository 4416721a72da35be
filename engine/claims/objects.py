"""Claims about what is in the picture, by tracks: objects, their colours, how many there are. Checker `tracks`.

A track of the label and colour in the span supports a claim. Where the tracks are complete (a composer's), a label that is
not there, or is there in other colours only, contradicts it; a tracker's gaps contradict nothing. Nor does what is there a
little outside of the span, because a track is cut at the picture's edge and at dissolves: then nobody speaks.
"""

from __future__ import annotations

from collections.abc import Sequence

from .claim import Claim, Opinion, said
from .nouns import COLOURS, Named, colour, named, number_in
from .world import Thing, World

BY = "tracks"
SLACK_S = 0.6
"""How far around the span a thing must be missing to be called absent."""


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
    there, around = of_label(wanted, claim, world)
    if matching(there, wanted):
        return said(BY, True, claim, f"track of a {matching(there, wanted)[0].placed.phrase}")
    if not world.things_certain or matching(around, wanted):
        return None
    if not around:
        return said(BY, False, claim, f"no {wanted.label} is in the picture")
    if all(t.colour for t in around):
        return said(BY, False, claim, f"the {wanted.label} is {' or '.join(sorted({str(t.colour) for t in around}))}")
    return None


def _count(claim: Claim, world: World) -> Opinion | None:
    number = claim.number if claim.number is not None else number_in(claim.claim)
    wanted = named(claim.subject, world.labels)
    if number is None or wanted.label is None:
        return None
    there, around = (matching(things, wanted) for things in of_label(wanted, claim, world))
    together = at_once(there)
    if there and together == number:
        return said(BY, True, claim, f"{together} at the same time")
    if world.things_certain and number > most_of(around):
        return said(BY, False, claim, f"at most {most_of(around)}" if around else "there is none")
    if world.things_certain and number < together:
        return said(BY, False, claim, f"{together} at the same time")
    return None


def of_label(wanted: Named, claim: Claim, world: World) -> tuple[list[Thing], list[Thing]]:
    """Things of the label: in the claim's span, and in the span with what lies around it."""
    return tuple([t for t in world.seen(claim.span, s) if t.label == wanted.label] for s in (0.0, SLACK_S))  # type: ignore[return-value]


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


def most_of(things: Sequence[Thing]) -> int:
    """How many different things the tracks may be at most: of each colour as many as are there together, because one thing
    gives a track per camera motion.
    """
    return sum(
        at_once([t for t in things if (t.colour or "") == shade]) for shade in sorted({t.colour or "" for t in things})
    )
