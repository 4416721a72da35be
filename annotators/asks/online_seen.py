"""Questions of a walk about what was seen so far: did I, when, which first, anything new, how many?

They are about labels, and two thresholds keep them honest. A label is *seen* in a turn when one of its sightings counts as
visible there (`View.seen`: 0.3 % of the picture, a tenth of the object). It is *hinted at* where a sighting fills half of that
share of the picture, or an unknown one. What is denied must not even be hinted at. Every picture must be fully observed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...engine.distractors.vocabulary import OPPOSITE, OTHER_OBJECT
from ...schemas.objects import with_article
from ...schemas.space import Sighting
from ..tasks.common import Withheld
from .ask import About, Number, Pick, Solved, Wrong
from .online import OnlineKind, Walk, ordered_pairs
from .view import View, ordinal

HINT = 0.5
"""Share of the least area that hints at something."""


@dataclass(frozen=True)
class Memory:
    """What was seen so far, by label: turns (from 1, ascending), objects, and the sightings that say so."""

    seen: Mapping[str, tuple[int, ...]]
    hinted: Mapping[str, tuple[int, ...]]
    counted: Mapping[str, frozenset[str]]
    """Objects that were visible."""
    doubtful: Mapping[str, frozenset[str]]
    """Objects that were only hinted at."""
    sightings: Mapping[str, tuple[Sighting, ...]]
    """All of a label so far."""

    def first(self, label: str) -> int:
        """The first turn that shows it. Raises `Withheld` where that is not clear."""
        turns = self.seen.get(label, ())
        if not turns:
            raise Withheld("not seen so far")
        if self.hinted[label][0] < turns[0]:
            raise Withheld("it may have been seen before")
        return turns[0]


def memory(walk: Walk) -> Memory:
    """What a walk has shown so far."""
    view = walk.view
    seen: dict[str, set[int]] = {}
    hinted: dict[str, set[int]] = {}
    counted: dict[str, set[str]] = {}
    maybe: dict[str, set[str]] = {}
    rows: dict[str, list[Sighting]] = {}
    for turn in range(1, walk.now + 1):
        for t in walk.pictures(turn):
            for s in view.space.seen_at(t):
                thing = view.space.by_id.get(s.object_id)
                if thing is None:
                    continue
                rows.setdefault(thing.label, []).append(s)
                if view.seen.holds(s):
                    seen.setdefault(thing.label, set()).add(turn)
                    counted.setdefault(thing.label, set()).add(thing.object_id)
                if s.area is None or s.area >= HINT * view.seen.area:
                    hinted.setdefault(thing.label, set()).add(turn)
                    maybe.setdefault(thing.label, set()).add(thing.object_id)
    return Memory(
        {k: tuple(sorted(v)) for k, v in sorted(seen.items())},
        {k: tuple(sorted(v)) for k, v in sorted(hinted.items())},
        {k: frozenset(v) for k, v in sorted(counted.items())},
        {k: frozenset(v - counted.get(k, set())) for k, v in sorted(maybe.items())},
        {k: tuple(v) for k, v in sorted(rows.items())},
    )


class _OfLabels(OnlineKind):
    """A question about what was seen of labels; a label is told by its first object (by identifier)."""

    counts = True

    def remembered(self, view: View) -> Memory:
        """What was seen so far. Raises `Withheld` where a picture may show more than is known."""
        walk = self.walk(view)
        walk.require_observed()
        return memory(walk)

    def candidates(self, view: View) -> Iterable[About]:
        """Every label of the scene."""
        return (About(objects=(things[0].object_id,)) for things in view.space.by_label.values())

    def label(self, view: View, about: About) -> str:
        """The label that is asked about."""
        (thing,) = view.asked(about, 1)
        return str(thing.label)


class ExistenceJudgement(_OfLabels):
    """Has something of this label been seen so far? Yes when it was visible, no when nothing even hinted at it."""

    name = "existence_judgement"

    def solve(self, view: View, about: About) -> Solved:
        """Yes or no."""
        label, past = self.label(view, about), self.remembered(view)
        yes = bool(past.seen.get(label))
        if not yes and past.hinted.get(label):
            raise Withheld("it may have been seen")
        right, other = ("yes", "no") if yes else ("no", "yes")
        largest = max((s.area or 0.0 for s in past.sightings.get(label, ())), default=0.0)
        least = view.seen.area if yes else HINT * view.seen.area
        return Solved(
            Pick(right, (Wrong(other, OPPOSITE),)), {"thing": with_article(label)}, says=right,
            margin=round(abs(largest - least), 9), margin_unit="share",
            rationale=(f"I go through all pictures so far: {'there was' if yes else 'none of them shows'} {with_article(label)}.",),
            labels=(label,), sightings=past.sightings.get(label, ()), cameras=view.stills, source="boxes",
            difficulty={"turns": float(self.walk(view).now)}, needs=("vision",),
        )  # fmt: skip


class ExistenceWhen(_OfLabels):
    """In which turn was this label seen for the first time (variant 0), or the last (1)? The last is asked only when the
    present turn shows none; in turns that are denied nothing hints at it, and there are two turns at least.
    """

    name = "existence_when"

    def candidates(self, view: View) -> Iterable[About]:
        """Every label of the scene, both ways."""
        return (About(a.objects, variant=v) for a in super().candidates(view) for v in (0, 1))

    def solve(self, view: View, about: About) -> Solved:
        """A turn's number."""
        label, past, now = self.label(view, about), self.remembered(view), self.walk(view).now
        if now < 2:
            raise Withheld("there is one turn so far")
        turn = past.first(label) if about.variant == 0 else self._last(past, label, now)
        which = "first" if about.variant == 0 else "last"
        return Solved(
            Number(float(turn), "set"), {"thing": with_article(label), "which": which}, says=str(turn),
            rationale=(f"I go through the sets of pictures: {with_article(label)} was {which} visible in the {ordinal(turn)} set of pictures.",),
            labels=(label,), sightings=past.sightings[label], cameras=view.stills, source="boxes",
            difficulty={"turns": float(now)}, needs=("vision",),
        )  # fmt: skip

    def _last(self, past: Memory, label: str, now: int) -> int:
        turns = past.seen.get(label, ())
        if not turns:
            raise Withheld("not seen so far")
        if turns[-1] == now:
            raise Withheld("seen in the present turn")
        if past.hinted[label][-1] > turns[-1]:
            raise Withheld("it may have been seen later")
        return turns[-1]


class OrderJudgement(_OfLabels):
    """Which of two labels was seen first, in an earlier turn than the other, which nothing hinted at until then?"""

    name = "order_judgement"

    def candidates(self, view: View) -> Iterable[About]:
        """Every two labels of the scene."""
        by_label = view.space.by_label
        return (
            About(objects=(by_label[a][0].object_id, by_label[b][0].object_id)) for a, b in ordered_pairs(by_label)
        )  # fmt: skip

    def solve(self, view: View, about: About) -> Solved:
        """One of the two."""
        labels, past = [str(o.label) for o in view.asked(about, 2)], self.remembered(view)
        turns = [past.first(label) for label in labels]
        if turns[0] == turns[1]:
            raise Withheld("both were first seen in one turn")
        early, late = labels if turns[0] < turns[1] else labels[::-1]
        gap = abs(turns[0] - turns[1])
        return Solved(
            Pick(early, (Wrong(late, OTHER_OBJECT, float(gap)),)), {"first": labels[0], "second": labels[1]},
            says=f"{turns[0]} {turns[1]}", margin=float(gap), margin_unit="turns",
            rationale=(f"The {early} came up in the {ordinal(min(turns))} set of pictures, the {late} only in the {ordinal(max(turns))}.",),
            labels=tuple(sorted(labels)), sightings=(*past.sightings[labels[0]], *past.sightings[labels[1]]),
            cameras=view.stills, source="boxes", difficulty={"turns": float(self.walk(view).now)}, needs=("vision",),
        )  # fmt: skip


class DiversityJudgement(_OfLabels):
    """Does the present turn show a label that was not seen before? Yes when one is visible that nothing hinted at before,
    no when all that it hints at was visible before.
    """

    name = "diversity_judgement"

    def candidates(self, view: View) -> Iterable[About]:
        """One question, about everything."""
        return (About(),)

    def solve(self, view: View, about: About) -> Solved:
        """Yes or no."""
        past, now = self.remembered(view), self.walk(view).now
        if now < 2:
            raise Withheld("there is one turn so far")
        here = [label for label, turns in past.hinted.items() if now in turns]
        new = [label for label in here if now in past.seen.get(label, ()) and past.hinted[label][0] == now]
        known = [label for label in here if past.seen.get(label, (now,))[0] < now]
        if not here or (not new and len(known) < len(here)):
            raise Withheld("not clear whether something is new")
        right, other = ("yes", "no") if new else ("no", "yes")
        told = f"the {new[0]} was not there before" if new else "everything in the new pictures was there before"
        return Solved(
            Pick(right, (Wrong(other, OPPOSITE),)), {}, says=", ".join(new) or "nothing new",
            rationale=(f"I compare the new pictures with all earlier ones: {told}.",),
            labels=tuple(view.space.by_label), sightings=tuple(s for of in past.sightings.values() for s in of),
            cameras=view.stills, source="boxes", difficulty={"turns": float(now)}, needs=("vision",),
        )  # fmt: skip


class QuantityCounting(_OfLabels):
    """How many different objects of this label were visible so far; none may have been hinted at only."""

    name = "quantity_counting"

    def solve(self, view: View, about: About) -> Solved:
        """A count of one or more."""
        label, past = self.label(view, about), self.remembered(view)
        count = len(past.counted.get(label, ()))
        if not count:
            raise Withheld("not seen so far")
        if past.doubtful.get(label):
            raise Withheld("one more may have been seen")
        return Solved(
            Number(float(count), "objects"), {"thing": label}, says=str(count),
            rationale=(f"Counted once each over all pictures so far, the number of objects called {label} is {count}.",),
            labels=(label,), sightings=past.sightings[label], cameras=view.stills, source="boxes",
            difficulty={"turns": float(self.walk(view).now)}, needs=("vision",),
        )  # fmt: skip
