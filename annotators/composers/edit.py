"""Edited clips: parts of the material cut out, played backwards, faster or slower, held at a frame, mirrored, or several of these.

Everything that is known of the material is carried over by arithmetic, and what an edit makes untrue is left out
(`schemas/edit_carry.py`). One film per part and edit, or one per part with all edits after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from ...engine.annotator import Params as BaseParams
from ...engine.composing import ComposeError, Draft, Material, MediaComposer
from ...engine.composing_graph import graph_draft, shape_of, source_of
from ...engine.composing_parts import Part, Units, parts_of
from ...schemas.edit_carry import CarryRules
from ...schemas.edit_graph import Graph
from ...schemas.edit_operations import freeze, mirror, mute, reverse, speed, take
from ...schemas.ids import seeded_fraction

Operation = Literal["cut", "reverse", "speed", "freeze", "mirror", "mute"]


class Params(BaseParams):
    """Parameters of edit."""

    operations: tuple[Operation, ...] = Field(
        ("cut",), min_length=1, description="What is done to a part; cut: nothing more."
    )
    apply: Literal["each", "all"] = Field(
        "each",
        description="each: one film per part and operation; all: one per part, with all operations in this order.",
    )
    clips: int = Field(20, ge=1, description="Parts that are edited, at most, drawn from all of the material.")
    units: Units = Field(
        "auto",
        description="What a part is: described (an event or caption), clips, shots or windows; auto takes the first that there is.",
    )
    length_s: tuple[float, float] = Field((1.0, 30.0), description="Shortest and longest part, seconds.")
    factors: tuple[float, ...] = Field(
        (0.5, 2.0), min_length=1, description="Speeds, one drawn per part: 2 is twice as fast."
    )
    keep_pitch: bool = Field(False, description="Whether sound at another speed keeps its pitch.")
    hold_s: tuple[float, float] = Field(
        (1.0, 3.0), description="Shortest and longest time that a frame is held, seconds."
    )
    event_share: float = Field(
        0.8, gt=0, le=1, description="Least share of an event that must be left for it to be told; less is left untold."
    )
    max_side_px: int = Field(640, ge=32, description="Longest side of the picture, pixels; never enlarged.")
    fps: float | None = Field(None, gt=0, le=120, description="Frames per second; default: those of the part's medium.")

    @model_validator(mode="after")
    def _usable(self) -> Params:
        for name, (low, high) in (("length_s", self.length_s), ("hold_s", self.hold_s)):
            if not 0 < low <= high:
                raise ValueError(f"{name} [{low:g}, {high:g}]: shortest and longest, above 0")
        if any(not 0.1 <= f <= 16 or f == 1 for f in self.factors):
            raise ValueError(f"factors {list(self.factors)} lie between 0.1 and 16 and are not 1")
        return self


class EditClips(MediaComposer[Params]):
    """Edits parts of the material."""

    name: ClassVar[str] = "edit"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params

    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """Drafts part by part. Raises `ComposeError` when the material has no part of the wanted length."""
        p = self.params
        parts = parts_of(material, p.length_s, p.units)
        if not parts:
            raise ComposeError(
                f"edit finds no part of {p.length_s[0]:g} to {p.length_s[1]:g} s in {len(material)} media; change length_s or units"
            )
        drawn = sorted(parts, key=lambda q: seeded_fraction("edit", seed, *q.key))[: p.clips]
        return self._drafts(sorted(drawn, key=lambda q: q.key), seed)

    def _drafts(self, parts: list[Part], seed: int) -> Iterator[Draft]:
        p = self.params
        made: set[str] = set()
        for part in parts:
            for operations in [p.operations] if p.apply == "all" else [(o,) for o in p.operations]:
                draft = self._draft(part, operations, seed)
                if draft.digest not in made:
                    made.add(draft.digest)
                    yield draft

    def _draft(self, part: Part, operations: Sequence[Operation], seed: int) -> Draft:
        p = self.params
        fps, size = shape_of([part.material], p.max_side_px, p.fps)
        graph = take(source_of(part.material), fps, size, part.span.start_s, part.span.end_s)
        said: dict[str, object] = {"operations": list(operations)}
        for number, operation in enumerate(operations):
            graph, drawn = self._edited(graph, operation, ("edit", operation, number, seed, *part.key))
            said |= drawn
        rules = CarryRules(event_share=p.event_share)
        return graph_draft(f"{self.name}@{self.version}", graph, [part.material], rules=rules, parameters=said)

    def _edited(self, graph: Graph, operation: Operation, key: tuple[object, ...]) -> tuple[Graph, dict[str, object]]:
        p, chance = self.params, seeded_fraction(*key)
        match operation:
            case "reverse":
                return reverse(graph), {}
            case "mirror":
                return mirror(graph), {}
            case "mute":
                return mute(graph), {}
            case "speed":
                factor = p.factors[int(chance * len(p.factors))]
                return speed(graph, factor, keep_pitch=p.keep_pitch), {"factor": factor}
            case "freeze":
                at_s = round((0.25 + 0.5 * chance) * graph.duration_s, 3)
                hold_s = round(p.hold_s[0] + seeded_fraction("hold", *key) * (p.hold_s[1] - p.hold_s[0]), 3)
                return freeze(graph, at_s, hold_s), {"at_s": at_s, "hold_s": hold_s}
        return graph, {}


COMPOSER = EditClips
