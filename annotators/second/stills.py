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

from ...schemas.markup import Media, Moment, parse
from ...schemas.metrics import order_accuracy
from ...schemas.sample import ChoiceAnswer, OrderAnswer, Sample
from ...schemas.span import Span
from .footage import Look
from .method import Opinion, Removed, SecondMethod, SecondParams, Shown

WIDTH, HEIGHT = 64, 36
MIN_ALIKE = 0.9
"""Correlation below which a still is not in the footage."""
AROUND_S = 1.5
NEAR_S = 0.2
MIN_LEAD = 0.005
"""Lead in correlation below which two pictures are the same to this method."""
Pixels = np.ndarray[Any, Any]


class StillsAgain(SecondMethod):
    """The order of stills, and which still belongs to a moment."""

    name: ClassVar[str] = "stills"
    removes: ClassVar[tuple[Removed, ...]] = ("picture",)

    def __init__(self, params: SecondParams) -> None:
        super().__init__(params)
        self.method = f"stills: correlation at {WIDTH} px with every frame"

    def prepare(self, shown: Shown, removed: Sequence[Removed] = ()) -> None:
        film, asked = shown.film, _asked_s(shown.sample)
        if film is not None and shown.still_of and asked is not None:
            at = film.to_file(asked)
            film.want([Look("stills", at - NEAR_S, at + NEAR_S, None, _look)])
        if shown.source is not None:
            times = [t for m in shown.sample.media for t in m.frame_times]
            window = shown.sample.window
            start, end = min([window.start_s, *times]) - AROUND_S, max([window.end_s, *times]) + AROUND_S
            shown.source.want(
                [Look("stills", max(0.0, start), end, None, lambda frame: small(frame.luma_at(WIDTH, HEIGHT)))]
            )

    def judge(self, shown: Shown, removed: Removed = "nothing") -> Opinion:
        sample = shown.sample
        if shown.still_of and shown.film is not None and isinstance(sample.answer, ChoiceAnswer):
            return self._at_moment(shown, sample.answer.index, removed)
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
        return Opinion(self.method, None, None, f"stills at {where}; the answer is of a kind that has no second way")

    def _at_moment(self, shown: Shown, index: int, removed: Removed) -> Opinion:
        """Of several pictures, the one that the film shows at the moment that is asked about."""
        film, asked = shown.film, _asked_s(shown.sample)
        assert film is not None
        if asked is None:
            return Opinion(self.method, None, None, "no single moment is asked about")
        if removed == "picture":
            return Opinion(self.method, False, 0.0, "no picture")
        at = film.to_file(asked)
        frames = film.seen("stills", Span(max(0.0, at - NEAR_S), max(1e-6, at + NEAR_S)))
        paths = [shown.still_of.get(_medium_of(option.text)) for option in shown.sample.options]
        if not frames or None in paths:
            return Opinion(self.method, False, 0.0, f"no frame at {asked:.2f} s, or an option without its picture")
        likeness = [locate(small(_read(path)), frames)[1] for path in paths if path is not None]
        best = int(np.argmax(likeness))
        found = f"at {asked:.2f} s the film looks most like option {best + 1} ({likeness[best]:.3f})"
        if likeness[best] < MIN_ALIKE:
            return Opinion(self.method, False, likeness[index], f"no option is what the film shows at {asked:.2f} s")
        lead = likeness[best] - sorted(likeness)[-2]
        if best != index and lead < MIN_LEAD:
            return Opinion(self.method, None, likeness[index], f"too close: {found}")
        return Opinion(self.method, best == index, max(0.0, likeness[index]), found)


def _look(frame: Any) -> Pixels:
    return small(frame.luma_at(WIDTH, HEIGHT))


def _medium_of(option: str) -> int:
    """Number of the medium that an option names; 0 when it names none."""
    return next((t.medium for t in parse(option) if isinstance(t, Media)), 0)


def _asked_s(sample: Sample) -> float | None:
    """The one moment of the first medium that the question names."""
    question = next((t.text for t in sample.turns if t.role == "user"), "")
    moments = {t.t_s for t in parse(question) if isinstance(t, Moment) and t.medium == 1}
    return moments.pop() if len(moments) == 1 else None


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
