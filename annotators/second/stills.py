"""Stills again: each still is looked for in the footage by comparing pictures, which gives its time, and so the order.

The footage around the window is decoded and every frame compared with the still at a small size (normalised correlation,
contrast and light taken out). A still that resembles no frame, or two times equally, is told apart from one that is in
another place. Needs the medium that the stills were taken from; without it nothing can be said. Without a picture nothing is
left to compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ...schemas.metrics import order_accuracy
from ...schemas.sample import ChoiceAnswer, OrderAnswer, SpanAnswer
from ...schemas.span import Span
from .claims import spans_in
from .footage import Look
from .method import Opinion, Removed, SecondMethod, SecondParams, Shown

WIDTH, HEIGHT = 64, 36
MIN_ALIKE = 0.9
"""Correlation below which a still is not in the footage."""
AROUND_S = 1.5
NEAR_S = 0.3
Pixels = np.ndarray[Any, Any]


class StillsAgain(SecondMethod):
    """The order of stills, and which still belongs to a moment."""

    name: ClassVar[str] = "stills"
    removes: ClassVar[tuple[Removed, ...]] = ("picture",)

    def __init__(self, params: SecondParams) -> None:
        super().__init__(params)
        self.method = f"stills: correlation at {WIDTH} px with every frame"

    def prepare(self, shown: Shown, removed: Sequence[Removed] = ()) -> None:
        if shown.source is not None:
            times = [t for m in shown.sample.media for t in m.frame_times]
            window = shown.sample.window
            start, end = min([window.start_s, *times]) - AROUND_S, max([window.end_s, *times]) + AROUND_S
            shown.source.want(
                [Look("stills", max(0.0, start), end, None, lambda frame: small(frame.luma_at(WIDTH, HEIGHT)))]
            )

    def judge(self, shown: Shown, removed: Removed = "nothing") -> Opinion:
        sample = shown.sample
        if not shown.stills:
            return Opinion(self.method, None, None, "the sample shows no stills")
        if removed == "picture":
            return Opinion(self.method, False, 0.0, "no picture")
        if shown.source is None:
            return Opinion(self.method, None, None, "the footage that the stills were taken from is not at hand")
        start, end = sample.window.start_s - AROUND_S, sample.window.end_s + AROUND_S
        frames = shown.source.seen("stills", Span(max(0.0, start), end))
        if not frames:
            return Opinion(self.method, False, 0.0, "the footage has no frame in the window")
        found = [locate(small(_read(path)), frames) for path in shown.stills]
        weak = [i for i, (_, likeness) in enumerate(found) if likeness < MIN_ALIKE]
        if weak:
            return Opinion(
                self.method, False, found[weak[0]][1], f"still {weak[0] + 1} resembles no frame of the window"
            )
        times = [t for t, _ in found]
        where = ", ".join(f"{t:.2f} s" for t in times)
        match sample.answer:
            case OrderAnswer(order=order) if sorted(order) == list(range(len(times))):
                mine = sorted(range(len(times)), key=lambda i: times[i])
                return Opinion(
                    self.method, mine == list(order), order_accuracy(mine, list(order)), f"stills at {where}"
                )
            case ChoiceAnswer(index=index):
                return self._chosen(shown, times, index, where)
        return Opinion(self.method, None, None, f"stills at {where}; the answer is of a kind that has no second way")

    def _chosen(self, shown: Shown, times: Sequence[float], index: int, where: str) -> Opinion:
        """Of several stills, that which lies in the span (or at the moment) that is asked about."""
        sample = shown.sample
        asked = [s for turn in sample.turns if turn.role == "user" for s in spans_in(turn.text)]
        if isinstance(sample.answer, SpanAnswer) or not asked or len(times) != len(sample.options):
            return Opinion(self.method, None, None, f"stills at {where}; no single span is asked about")
        inside = [i for i, t in enumerate(times) if asked[0].start_s - NEAR_S <= t <= asked[0].end_s + NEAR_S]
        return Opinion(
            self.method, inside == [index], float(index in inside) / max(1, len(inside)), f"stills at {where}"
        )


def small(picture: Pixels) -> Pixels:
    """float32 [h * w] of a uint8 luma picture with mean 0 and length 1."""
    import cv2

    if picture.shape != (HEIGHT, WIDTH):
        picture = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    values = picture.astype(np.float32).ravel()
    values -= values.mean()
    return values / max(float(np.linalg.norm(values)), 1e-6)


def locate(still: Pixels, frames: Sequence[tuple[float, Pixels]]) -> tuple[float, float]:
    """(time, correlation) of the frame that a still resembles most; the middle of a run of equals."""
    likeness = np.array([float(still @ frame) for _, frame in frames])
    best = float(likeness.max())
    equal = [t for (t, _), value in zip(frames, likeness, strict=True) if value >= best - 1e-4]
    return equal[len(equal) // 2], best


def _read(path: Path) -> Pixels:
    import cv2

    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise ValueError(f"{path.name} is no picture")
    return picture


METHOD = StillsAgain
