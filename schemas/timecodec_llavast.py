"""Time codec `llavast100`: places in a window of frames as numbers in lists beside the text, as LLaVA-ST trains them.

Text holds a placeholder for each number; the list holds x = (f - first) / (last - first) with three decimals, cut to 0..1,
where f is the frame nearest to the time (half to even). Numbers are not pre-quantised, because the trainer splits a number's
weight over two of its hundred tokens. A model answers with tokens `<TEMP-034>` (`RelativeTokensCodec`), read as k / 99.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .span import from_us, to_us
from .timecodec import TimeCodecError

DECIMALS = 3
STEPS = 99
"""Tokens 0..99 cut the window into 99 steps."""


def place(share: Fraction | float) -> float:
    """A share of the window, or of width or height, as the lists hold it: cut to 0..1, three decimals, half to even."""
    exact = share if isinstance(share, Fraction) else Fraction(to_us(share), 1_000_000)
    return round(min(max(exact, Fraction(0)), Fraction(1)) * 10**DECIMALS) / 10**DECIMALS


@dataclass(frozen=True)
class FrameWindow:
    """Frames `first` to `last` (both shown) of a file of a steady rate; times count from the first of them."""

    first: int
    last: int
    fps: float

    def __post_init__(self) -> None:
        if not (0 <= self.first < self.last and self.fps > 0):
            raise TimeCodecError(
                f"frames {self.first}..{self.last} at {self.fps} fps are no window; two frames at least"
            )

    @property
    def split(self) -> list[int]:
        """As the format names the window: both frame numbers."""
        return [self.first, self.last]

    def share(self, t_s: float) -> float:
        """The number of a time: 0 at the first frame, 1 at the last."""
        frame = round(Fraction(to_us(t_s), 1_000_000) * Fraction(self.fps))
        return place(Fraction(frame, self.last - self.first))

    def token(self, share: float) -> int:
        """The token nearest to a number, 0..99."""
        return round(Fraction(to_us(share), 1_000_000) * STEPS)

    def time(self, token: int) -> float:
        """Time of a token in seconds from the first frame."""
        if not 0 <= token <= STEPS:
            raise TimeCodecError(f"token {token} is not 0..{STEPS}")
        return from_us(to_us(token / STEPS * (self.last - self.first) / self.fps))

    @property
    def length_s(self) -> float:
        """From the first frame to the last."""
        return (self.last - self.first) / self.fps

    def max_error_s(self, *, listed: bool = False) -> float:
        """Largest error of a time up to one frame past the last: of its number (`listed`), else of its token.

        A frame (the end of the footage lies one past its last frame), the rounding of the number, half a token, and the
        grid of microseconds.
        """
        number = 1 / self.fps + self.length_s * 0.5 * 10**-DECIMALS + 1e-6
        return number if listed else number + self.length_s / (2 * STEPS)
