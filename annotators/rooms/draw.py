"""Draws from a seed, and colours with names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from ...schemas.ids import derive_id
from .scene import Colour, Material

T = TypeVar("T")

COLOURS: dict[str, Colour] = {
    "red": (196, 40, 38), "green": (44, 140, 60), "blue": (40, 84, 190), "yellow": (232, 200, 44), "orange": (230, 120, 30),
    "purple": (122, 56, 150), "pink": (232, 130, 170), "white": (232, 232, 228), "black": (38, 38, 42), "grey": (128, 130, 134),
    "brown": (124, 82, 48), "turquoise": (52, 180, 180),
}  # fmt: skip
WOODEN = ("brown", "white", "black", "grey")
BRIGHT = ("red", "green", "blue", "yellow", "orange", "purple", "pink", "turquoise")
METAL: Colour = (150, 154, 160)


class Draw:
    """A stream of numbers that depends on nothing but its seed."""

    def __init__(self, *seed: Any) -> None:
        self.seed = derive_id("draw", *seed)
        self._rng = np.random.Generator(np.random.PCG64(int(self.seed, 16)))

    def between(self, low: float, high: float) -> float:
        """A number in [low, high), on a grid of a thousandth: lengths come out in whole millimetres."""
        return round(low + (high - low) * float(self._rng.random()), 3)

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(float(self._rng.random()) * (high - low + 1))

    def pick(self, of: Sequence[T]) -> T:
        """One of them."""
        return of[self.whole(0, len(of) - 1)]

    def chance(self, share: float) -> bool:
        """True in that share of draws."""
        return float(self._rng.random()) < share

    def shuffled(self, of: Sequence[T]) -> list[T]:
        """All of them in another order."""
        return [of[i] for i in np.argsort(self._rng.random(len(of)), kind="stable")]

    def material(
        self, colour: str | Colour, pattern: str = "speckle", tile_m: float = 0.8, contrast: float = 0.35
    ) -> Material:
        """A surface of a colour: its pattern runs from a darker to a lighter shade of it."""
        base = COLOURS[colour] if isinstance(colour, str) else colour
        dark = tuple(int(c * (1 - contrast)) for c in base)
        light = tuple(min(255, int(c + (255 - c) * contrast * 0.6 + 10)) for c in base)
        return Material(
            (dark[0], dark[1], dark[2]), (light[0], light[1], light[2]), pattern, tile_m, f"{self.whole(0, 7)}"
        )
