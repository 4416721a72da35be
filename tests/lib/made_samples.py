"""Made samples about made footage: honest ones, and ones that give their answer away in a known manner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from chronotope.engine.ladder.item import Item
from chronotope.engine.ladder.item import items_of as of_row
from chronotope.engine.ladder.pictures import PictureIndex
from chronotope.schemas.sample import (
    AbsentAnswer,
    ChoiceAnswer,
    Evidence,
    MediumRef,
    NumberAnswer,
    Option,
    OrderAnswer,
    Sample,
    SpanAnswer,
    Turn,
    TurnPart,
    TurnsAnswer,
)

SAMPLES_PER_GROUP = 5
THINGS = ("cup", "door", "lamp", "bicycle", "ladder", "curtain", "kettle", "basket", "carpet", "mirror")
DEEDS = ("opens", "falls", "turns", "stops", "shines", "rolls away", "is lifted", "is painted", "breaks", "is cleaned")
WAYS = ("to the left", "to the right", "upwards", "downwards")


@dataclass
class Maker:
    """Draws the parts of samples; one seed, one set of samples."""

    seed: int = 0
    window_s: float = 20.0

    def __post_init__(self) -> None:
        self.draw = np.random.default_rng(self.seed)

    def sample(self, n: int, question: str, answer: Any, options: tuple[str, ...] = (), **more: Any) -> Sample:
        """Sample number n, about its own window of the footage of its group."""
        media_id, start = f"group{n // SAMPLES_PER_GROUP:03}", float(100 * (n % SAMPLES_PER_GROUP))
        return Sample(
            task="made",
            recipe="made",
            media=(MediumRef(media_id=media_id, start_s=start, end_s=start + self.window_s),),
            turns=(
                Turn(role="user", text=f"<video>\n{question}" + ("\n<options>" if options else "")),
                Turn(role="assistant", text="<answer>" if options else "It is so."),
            ),
            answer=answer,
            options=tuple(Option(text=text) for text in options),
            evidence=(Evidence(table="media", row_id=f"{n}", values={}),),
            needs=("vision",),
            wording="w1",
            answer_form="a1",
            generator="made@1",
            **more,
        )

    def phrase(self) -> str:
        return f"the {self.draw.choice(THINGS)} {self.draw.choice(DEEDS)}"

    def phrases(self, n: int) -> tuple[str, ...]:
        found: dict[str, None] = {}
        while len(found) < n:
            found[self.phrase()] = None
        return tuple(found)

    def choices(self, count: int, leak: str | None = None) -> Iterator[Sample]:
        """Four phrases, one right. Leaks: `longest` (the right one is), `word` (the question says it in other words),
        `place` (the question's adverb goes with one phrase).
        """
        for n in range(count):
            options, right = list(self.phrases(4)), int(self.draw.integers(4))
            question = f"What happens {self.draw.choice(['then', 'there', 'afterwards', 'now'])}?"
            if leak == "longest":
                options[right] += " while everybody watches"
                wrong = (right + 1) % 4
                options[wrong] = options[wrong].replace("the ", "a ")
            if leak == "word":
                question = f"What does one see of {options[right].split()[1]}s here?"
            yield self.sample(n, question, ChoiceAnswer(index=right), tuple(options))

    def directions(self, count: int, leak: str | None = None) -> Iterator[Sample]:
        """Four fixed options. Leaks: `often` (one is right in 7 of 10), `adverb` (the question's adverb tells which)."""
        for n in range(count):
            right = int(self.draw.integers(4))
            if leak == "often" and self.draw.random() < 0.6:
                right = 1
            adverb = ("slowly", "quickly", "gladly", "sadly")[right if leak == "adverb" else int(self.draw.integers(4))]
            yield self.sample(n, f"Where does it {adverb} move?", ChoiceAnswer(index=right), WAYS)

    def orders(self, count: int, leak: str | None = None) -> Iterator[Sample]:
        """Four phrases to order. Leak: `numbered` (each names its place)."""
        for n in range(count):
            order = tuple(int(i) for i in self.draw.permutation(4))
            items = list(self.phrases(4))
            if leak == "numbered":
                for place, item in enumerate(order):
                    items[item] = f"{('first', 'second', 'third', 'last')[place]} {items[item]}"
            yield self.sample(n, "In which order?", OrderAnswer(order=order), tuple(items))

    def spans(self, count: int, leak: str | None = None, absent: float = 0.0) -> Iterator[Sample]:
        """Spans anywhere in the window. Leaks: `centre` (always in the middle), `verb` (early things open)."""
        for n in range(count):
            share = float(self.draw.uniform(0.15, 0.5))
            place = 0.5 if leak == "centre" else float(self.draw.random())
            question = f"When does one see that {self.phrase()}?"
            if leak == "verb":
                question = f"When does the cup {'open' if place < 0.5 else 'fall'}?"
                place = 0.05 if place < 0.5 else 0.95
            first = float(100 * (n % SAMPLES_PER_GROUP)) + place * (1 - share) * self.window_s
            answer: Any = SpanAnswer(start_s=round(first, 3), end_s=round(first + share * self.window_s, 3))
            yield self.sample(n, question, AbsentAnswer() if self.draw.random() < absent else answer)

    def numbers(self, count: int, leak: str | None = None) -> Iterator[Sample]:
        """Lengths in metres. Leak: `thing` (each thing has a length of its own)."""
        for n in range(count):
            kind = int(self.draw.integers(len(THINGS)))
            value = float(self.draw.lognormal(0, 0.8))
            if leak == "thing":
                value = (1 + kind) ** 1.5 * float(self.draw.uniform(0.97, 1.03))
            yield self.sample(n, f"How long is the {THINGS[kind]}?", NumberAnswer(value=value, unit="m"))

    def talk(self, first: Sample, then: Sample) -> Sample:
        """A conversation: the question of one sample, then that of another about the same window."""
        scope = (first.window.start_s, first.window.end_s)
        part = {"task": "made", "scope": scope, "lead": "l1", "form": "a1"}
        n = len(first.options)
        parts = (
            TurnPart(turn=1, answer=first.answer, options=(0, n), **part),
            TurnPart(turn=3, answer=then.answer, options=(n, n), **part),
        )
        return first.model_copy(update={"turns": (*first.turns, *then.turns), "answer": TurnsAnswer(parts=parts)})


def items_of(samples: Iterator[Sample]) -> list[Item]:
    """Samples as the solvers get them; each medium is a group."""
    return [item for s in samples for item in of_row(s.to_row(), s.media[0].media_id)]


def pictures_of(samples: list[Sample], telling: bool, seed: int = 0) -> PictureIndex:
    """An embedding every five seconds of each window: noise, which tells the right option in the middle of the window if
    `telling`.
    """
    draw = np.random.default_rng(seed)
    rows = []
    for sample in samples:
        assert isinstance(sample.answer, ChoiceAnswer)
        for t_s in np.arange(sample.window.start_s, sample.window.end_s + 0.1, 5.0):
            vector = draw.normal(0, 0.3, 16)
            if telling and abs(t_s - sample.window.centre_s) < 1:
                vector[sample.answer.index] += 1
            vector /= np.linalg.norm(vector)
            rows.append(
                {"media_id": sample.media[0].media_id, "t_s": float(t_s), "model": "m", "vector": vector.tolist()}
            )
    return PictureIndex(rows, 1.0)
