"""Time codec `frame_prefix`: the time of each frame, printed in front of the frame's placeholder, a line per frame.

Input only: a model reads `3.00s: <image>` and answers in a codec of its own. The largest error is the print precision.
DisTime's loader, TimeSearch and Keye-VL interleave times and frames in this way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .timecodec import SecondsCodec


@dataclass(frozen=True)
class FramePrefix:
    """Lines `TIME: PLACEHOLDER`, times as decimal seconds."""

    decimals: int = 2

    def max_error_s(self) -> float:
        """Largest |printed - true| in seconds."""
        return self._codec.max_error_s(1.0)

    @property
    def _codec(self) -> SecondsCodec:
        return SecondsCodec(self.decimals)

    def text(self, times: Sequence[float], placeholders: Sequence[str]) -> str:
        """A line per frame; times in seconds, at least 0. Raises ValueError when the lengths differ."""
        pairs = zip(times, placeholders, strict=True)
        return "\n".join(f"{self._codec.encode(t, max(t, 1.0))}: {holder}" for t, holder in pairs)

    def read(self, text: str, placeholder: str) -> list[float]:
        """Times in front of the placeholders of a text, in reading order, seconds."""
        found = re.findall(rf"^(\d+(?:\.\d+)?)s: {re.escape(placeholder)}$", text, re.MULTILINE)
        return [float(t) for t in found]
