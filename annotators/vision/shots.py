"""Shots: uncut spans of a video, found frame by frame inside the shared decode.

Three detectors behind one parameter. `content` and `adaptive` are PySceneDetect's per-frame detectors (change of hue,
saturation and luma between neighbouring frames; `adaptive` compares it with its neighbourhood, so fast camera moves
pass). They report one frame per change, so every transition they find is stored as a `cut`: slow dissolves and fades
are mostly missed. `transnetv2` is a neural network that finds gradual ones too, at fifty times the cost.

A flash (the picture jumps and comes back within `flash_s`) is not a cut: each candidate waits that long and is dropped
when a later picture is again like the one before it. The shots partition the medium exactly: [0, duration).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...engine.annotator import FrameAnnotator, FrameSession, Medium, Params, Row, Sampling

if TYPE_CHECKING:
    from ...engine.media.frame import Frame
    from ...engine.models import ModelRef
    from .transnet import TransNet

MICROSECOND = Fraction(1, 1_000_000)
"""Clock in which PySceneDetect is fed: exact for presentation times, whatever the frame rate does."""


class ShotsParams(Params):
    """Which detector, how sensitive, and what counts as a shot."""

    detector: Literal["adaptive", "content", "transnetv2"] = Field(
        "adaptive",
        description="adaptive or content (PySceneDetect), or transnetv2 (neural, extra shots-neural)",
    )
    analysis_side_px: int = Field(
        64, ge=16, le=1024, description="longest side of the picture that adaptive and content look at"
    )
    content_threshold: float = Field(
        27.0, gt=0, description="content: mean change of hue, saturation and luma (0..255) that makes a cut"
    )
    adaptive_threshold: float = Field(
        3.0, gt=1, description="adaptive: how many times the mean change of the four neighbouring frames"
    )
    adaptive_min_content: float = Field(
        8.0, ge=0, description="adaptive: least change (0..255) of a cut; low, for cuts between look-alikes"
    )
    min_shot_s: float = Field(0.2, ge=0, description="a boundary nearer than this to the last one is dropped")
    flash_s: float = Field(
        0.25, ge=0, description="a change that is undone within this time is a flash, not a cut; 0 keeps them"
    )
    neural_threshold: float = Field(
        0.5, gt=0, lt=1, description="transnetv2: probability that makes a transition"
    )
    neural_gradual_frames: int = Field(
        4, ge=2, description="transnetv2: transitions covering at least this many frames are gradual"
    )
    neural_batch: int = Field(2, ge=1, le=64, description="transnetv2: windows of 100 frames per call")
    neural_device: Literal["cpu", "cuda"] = Field("cpu", description="transnetv2: where it runs")
    neural_threads: int = Field(
        1, ge=1, description="transnetv2: CPU threads, fixed for equal results everywhere"
    )
    neural_weights: str | None = Field(
        None, description="transnetv2: a weights file instead of the one that the package carries"
    )


@dataclass(frozen=True)
class Boundary:
    """The first moment of a new shot; for a gradual transition the middle of it."""

    t_s: float
    score: float
    transition: Literal["cut", "gradual"] = "cut"


def partition(boundaries: Sequence[Boundary], duration_s: float, min_shot_s: float) -> list[dict[str, Any]]:
    """Rows of table `shots` that cover [0, duration_s) without gap or overlap.

    Boundaries (ascending) that would make a shot shorter than `min_shot_s` are dropped, the earlier one stays.
    """
    kept: list[Boundary] = []
    for boundary in boundaries:
        last = kept[-1].t_s if kept else 0.0
        if boundary.t_s - last >= max(min_shot_s, 1e-6) - 1e-9 and boundary.t_s < duration_s:
            kept.append(boundary)
    while kept and duration_s - kept[-1].t_s < min_shot_s - 1e-9:
        kept.pop()
    starts = [0.0, *(b.t_s for b in kept)]
    ends = [*(b.t_s for b in kept), duration_s]
    kinds = ["start", *(b.transition for b in kept)]
    scores = [None, *(b.score for b in kept)]
    return [
        {"start_s": start, "end_s": end, "transition": kind, "score": score}
        for start, end, kind, score in zip(starts, ends, kinds, scores, strict=True)
        if end > start
    ]


class FlashCheck:
    """Holds each candidate cut until it is clear whether the picture from before the cut comes back.

    A flash shows the old picture again: its distance (mean absolute difference) to the picture before the jump falls
    below `RETURN_SHARE` of the jump itself. Both the jump and the way back are then dropped.
    """

    RETURN_SHARE = 0.4
    """Much of the jump may remain, because the scene moves on during the flash; a real cut leaves about all of it."""

    def __init__(self, flash_s: float) -> None:
        self.flash_s = flash_s
        self._history: deque[tuple[float, np.ndarray]] = deque()
        self._waiting: list[Boundary] = []
        self._undone_until = -1.0

    def add_frame(self, t_s: float, picture: np.ndarray, found: Iterable[Boundary]) -> list[Boundary]:
        """One frame and the candidates found with it (they may lie a few frames back); returns settled cuts."""
        self._history.append((t_s, picture))
        self._waiting.extend(found)
        settled: list[Boundary] = []
        while self._waiting and self._waiting[0].t_s + self.flash_s <= t_s:
            settled.extend(self._settle(self._waiting.pop(0)))
        needed = (self._waiting[0].t_s if self._waiting else t_s) - self.flash_s - 1.0
        while len(self._history) > 12 and self._history[1][0] < needed:
            self._history.popleft()
        return settled

    def close(self) -> list[Boundary]:
        """Settles what still waits at the end of the video."""
        settled = [kept for candidate in self._waiting for kept in self._settle(candidate)]
        self._waiting = []
        return settled

    def _settle(self, candidate: Boundary) -> list[Boundary]:
        if candidate.t_s <= self._undone_until + 1e-6:
            return []
        before = [p for t, p in self._history if t < candidate.t_s - 1e-6]
        after = [
            (t, p) for t, p in self._history if candidate.t_s - 1e-6 <= t <= candidate.t_s + self.flash_s
        ]
        if not before or not after or self.flash_s == 0:
            return [candidate]
        jump = max(_distance(before[-1], p) for _, p in after)
        for t, picture in after:
            if _distance(before[-1], picture) < self.RETURN_SHARE * jump:
                self._undone_until = t
                return []
        return [candidate]


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    import cv2

    return cv2.norm(a, b, cv2.NORM_L1) / a.size


class PerFrameSession(FrameSession):
    """Feeds a PySceneDetect detector; scores are its content values (0..255)."""

    def __init__(self, params: ShotsParams, medium: Medium) -> None:
        from scenedetect.detectors import AdaptiveDetector, ContentDetector

        self.params, self.medium = params, medium
        self.rate = Fraction(medium.fps or 25.0).limit_denominator(100_000)
        self.detector: ContentDetector
        if params.detector == "adaptive":
            self.detector = AdaptiveDetector(
                adaptive_threshold=params.adaptive_threshold,
                min_content_val=params.adaptive_min_content,
                min_scene_len=0,
            )
        else:
            self.detector = ContentDetector(threshold=params.content_threshold, min_scene_len=0)
        self.flashes = FlashCheck(params.flash_s)
        self.recent: deque[tuple[int, float, float]] = deque(maxlen=16)
        self.boundaries: list[Boundary] = []
        self.last: Any = None

    def see(self, frame: Frame) -> Iterable[Row]:
        from scenedetect.common import FrameTimecode, Timecode

        picture = frame.bgr(self.params.analysis_side_px)
        pts = round(frame.t_s * 1_000_000)
        self.last = FrameTimecode(Timecode(pts=pts, time_base=MICROSECOND), self.rate)
        cuts = self.detector.process_frame(self.last, picture)
        self.recent.append((pts, frame.t_s, float(self.detector._frame_score or 0.0)))
        self.boundaries += self.flashes.add_frame(frame.t_s, picture.copy(), self._found(cuts))
        return ()

    def close(self) -> Iterable[Row]:
        if self.last is not None:
            for boundary in self._found(self.detector.post_process(self.last)):
                self.flashes._waiting.append(boundary)
            self.boundaries += self.flashes.close()
        for row in partition(self.boundaries, self.medium.duration_s, self.params.min_shot_s):
            yield "shots", row

    def _found(self, cuts: Iterable[Any]) -> list[Boundary]:
        known = {pts: (t_s, score) for pts, t_s, score in self.recent}
        return [Boundary(*known[cut.pts]) for cut in cuts if cut.pts in known]


class NeuralSession(FrameSession):
    """Feeds TransNetV2 and reads its transitions at the end."""

    def __init__(self, params: ShotsParams, medium: Medium, model: TransNet) -> None:
        from .transnet import Windows

        self.params, self.medium = params, medium
        self.windows = Windows(model, params.neural_batch)
        self.times: list[float] = []

    def see(self, frame: Frame) -> Iterable[Row]:
        self.times.append(frame.t_s)
        self.windows.add(frame.rgb_at(48, 27))
        return ()

    def close(self) -> Iterable[Row]:
        from .transnet import transitions

        single, covered = self.windows.close()
        boundaries = []
        for found in transitions(
            single, covered, self.params.neural_threshold, self.params.neural_gradual_frames
        ):
            if found.first_new < len(self.times):
                boundaries.append(
                    Boundary(self.times[found.first_new], found.score, "gradual" if found.gradual else "cut")
                )
        for row in partition(boundaries, self.medium.duration_s, self.params.min_shot_s):
            yield "shots", row


class Shots(FrameAnnotator[ShotsParams]):
    """Uncut spans that partition the medium, with the kind and score of the transition that begins each."""

    name = "shots"
    version = 1
    Params = ShotsParams
    writes = ("shots",)
    whole_video: ClassVar[bool] = True

    def __init__(self, params: ShotsParams) -> None:
        super().__init__(params)
        self._model: TransNet | None = None

    def models(self) -> Sequence[ModelRef]:
        if self.params.detector != "transnetv2":
            return ()
        from .transnet import resolve_weights

        return (resolve_weights(self.params.neural_weights),)

    def setup(self) -> None:
        if self.params.detector == "transnetv2":
            from .transnet import TransNet, resolve_weights

            self._model = TransNet(
                resolve_weights(self.params.neural_weights).path,
                self.params.neural_device,
                self.params.neural_threads,
            )

    def sampling(self, medium: Medium) -> Sampling:
        return Sampling(fps=None)

    def open(self, medium: Medium) -> FrameSession:
        if self.params.detector != "transnetv2":
            return PerFrameSession(self.params, medium)
        if self._model is None:
            self.setup()
        assert self._model is not None
        return NeuralSession(self.params, medium, self._model)


ANNOTATOR = Shots
