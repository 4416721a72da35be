"""Shots: uncut spans of a video, found frame by frame inside the shared decode.

Three detectors behind one parameter. `content` and `adaptive` are PySceneDetect's per-frame detectors (change
of hue, saturation and luma between neighbouring frames; `adaptive` compares it with its neighbourhood, so that
fast camera moves pass). They see one frame at a time, so all they find is stored as a `cut`, and slow dissolves
and fades are mostly missed. `transnetv2` is a neural network that finds gradual ones too, at fifty times the
cost; their boundary is the middle of the transition. The shots partition the medium exactly: [0, duration).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ...engine.annotator import FrameAnnotator, FrameSession, Medium, Params, Row, Sampling, SkipUnit
from .cut_check import Boundary, CutCheck

if TYPE_CHECKING:
    from scenedetect.detectors import ContentDetector

    from ...engine.media.frame import Frame
    from ...engine.models import ModelRef
    from .transnet import TransNet


class ShotsParams(Params):
    """Which detector, how sensitive, and what counts as a shot."""

    detector: Literal["adaptive", "content", "transnetv2"] = Field(
        "adaptive", description="adaptive or content (PySceneDetect), or transnetv2 (neural; extra shots-neural)"
    )
    analysis_side_px: int = Field(
        64, ge=16, le=1024, description="longest side of the picture that adaptive and content look at"
    )
    content_threshold: float = Field(
        27.0, gt=0, description="content: mean change of hue, saturation and value (0..255) that makes a cut"
    )
    adaptive_threshold: float = Field(
        3.0, gt=1, description="adaptive: how many times the mean change of the four neighbouring frames"
    )
    adaptive_min_content: float = Field(
        6.0, ge=0, description="adaptive: least change (0..255) of a cut; low, for cuts between look-alikes"
    )
    min_changed_share: float = Field(
        0.45, ge=0, le=1, description="least share of the picture that a cut changes; spares pop-up lettering"
    )
    flash_s: float = Field(
        0.25, ge=0, description="a change that is undone within this time is a flash, not a cut; 0: all are cuts"
    )
    min_shot_s: float = Field(
        0.2, ge=0, description="a boundary nearer than this to the one before, or to the end, is dropped"
    )
    neural_threshold: float = Field(
        0.3, gt=0, lt=1, description="transnetv2: probability that makes a transition; 0.5 misses dim cuts"
    )
    neural_gradual_frames: int = Field(
        4, ge=2, description="transnetv2: transitions covering at least this many frames are gradual"
    )
    neural_batch: int = Field(2, ge=1, le=64, description="transnetv2: windows of 100 frames per call")
    neural_device: Literal["cpu", "cuda"] = Field("cpu", description="transnetv2: where it runs")
    neural_threads: int = Field(
        1, ge=1, description="transnetv2: CPU threads, fixed so that results do not depend on the machine"
    )
    neural_weights: str | None = Field(
        None, description="transnetv2: a weights file instead of the one that the package carries"
    )


def partition(boundaries: Sequence[Boundary], duration_s: float, min_shot_s: float = 0.0) -> list[dict[str, Any]]:
    """Rows of table `shots` that cover [0, duration_s) without gap or overlap.

    Of ascending boundaries that would make a shot shorter than `min_shot_s` the earlier one stays.
    """
    least = max(min_shot_s, 1e-6) - 1e-9
    kept: list[Boundary] = []
    for boundary in boundaries:
        if boundary.t_s - (kept[-1].t_s if kept else 0.0) >= least and duration_s - boundary.t_s >= least:
            kept.append(boundary)
    starts = [0.0, *(b.t_s for b in kept)]
    ends = [*starts[1:], duration_s]
    kinds = ["start", *(b.transition for b in kept)]
    scores = [None, *(b.score for b in kept)]
    return [
        {"start_s": start, "end_s": end, "transition": kind, "score": score}
        for start, end, kind, score in zip(starts, ends, kinds, scores, strict=True)
    ]


def per_frame_detector(params: ShotsParams) -> ContentDetector:
    """PySceneDetect's detector, with its score (mean change of hue, saturation and value) worked out by OpenCV on all
    three at once, which takes a quarter of the time.

    It lets every cut through (`min_scene_len` 0), so it does no arithmetic on times and takes whole numbers for them.
    """
    import cv2
    from scenedetect.detectors import AdaptiveDetector, ContentDetector

    class Quick:
        earlier: Any = None

        def _calculate_frame_score(self, timecode: Any, frame_img: Any) -> float:
            hsv = cv2.cvtColor(frame_img, cv2.COLOR_BGR2HSV)
            earlier, self.earlier = self.earlier, hsv
            if earlier is None:
                return 0.0
            return sum(cv2.sumElems(cv2.absdiff(hsv, earlier))) / hsv.size

    class Adaptive(Quick, AdaptiveDetector):
        pass

    class Content(Quick, ContentDetector):
        pass

    if params.detector == "content":
        return Content(threshold=params.content_threshold, min_scene_len=0)
    return Adaptive(
        adaptive_threshold=params.adaptive_threshold, min_content_val=params.adaptive_min_content, min_scene_len=0
    )


class PerFrameSession(FrameSession):
    """Feeds a PySceneDetect detector; a score is its mean change of hue, saturation and value, 0..255."""

    def __init__(self, params: ShotsParams, medium: Medium) -> None:
        self._side, self._medium, self._least_s = params.analysis_side_px, medium, params.min_shot_s
        self._detector: Any = per_frame_detector(params)
        self._check = CutCheck(params.flash_s, params.min_changed_share)
        self._recent: deque[tuple[int, float, float]] = deque(maxlen=8)
        self._boundaries: list[Boundary] = []
        self._number = 0

    def see(self, frame: Frame) -> Iterable[Row]:
        picture = frame.bgr(self._side)
        self._number += 1
        cuts = self._detector.process_frame(self._number, picture)
        self._recent.append((self._number, frame.t_s, self._detector._frame_score))
        self._boundaries += self._check.add(frame.t_s, picture, self._found(cuts))
        return ()

    def close(self) -> Iterable[Row]:
        late = self._detector.post_process(self._number) if self._number else []
        self._boundaries += self._check.close(self._found(late))
        for row in partition(self._boundaries, self._medium.duration_s, self._least_s):
            yield "shots", row

    def _found(self, cuts: Sequence[int]) -> Sequence[Boundary]:
        if not cuts:
            return ()
        return [Boundary(t_s, score) for number, t_s, score in self._recent if number in cuts]


class NeuralSession(FrameSession):
    """Feeds TransNetV2 and reads its transitions at the end; a score is its probability."""

    def __init__(self, params: ShotsParams, medium: Medium, model: TransNet) -> None:
        from .transnet import Windows

        self._params, self._medium = params, medium
        self._windows = Windows(model, params.neural_batch)
        self._times: list[float] = []

    def see(self, frame: Frame) -> Iterable[Row]:
        self._times.append(frame.t_s)
        self._windows.add(frame.rgb_at(48, 27))
        return ()

    def close(self) -> Iterable[Row]:
        from .transnet import transitions

        params = self._params
        found = transitions(*self._windows.close(), params.neural_threshold, params.neural_gradual_frames)
        boundaries = [
            Boundary(self._times[it.first_new], it.score, "gradual" if it.gradual else "cut")
            for it in found
            if it.first_new < len(self._times)
        ]
        for row in partition(boundaries, self._medium.duration_s, params.min_shot_s):
            yield "shots", row


class Shots(FrameAnnotator[ShotsParams]):
    """Uncut spans that partition the medium, with the kind and score of the transition that begins each."""

    name = "shots"
    version = 2
    Params = ShotsParams
    writes = ("shots",)

    def __init__(self, params: ShotsParams) -> None:
        super().__init__(params)
        self._model: TransNet | None = None

    def extras(self) -> tuple[str, ...]:
        """The neural detector is an extra."""
        return ("shots-neural",) if self.params.detector == "transnetv2" else ()

    def models(self) -> Sequence[ModelRef]:
        if self.params.detector != "transnetv2":
            return ()
        from .transnet import resolve_weights

        return (resolve_weights(self.params.neural_weights),)

    def setup(self) -> None:
        if self.params.detector == "transnetv2":
            from .transnet import TransNet

            weights = self.models()[0].path
            self._model = TransNet(weights, self.params.neural_device, self.params.neural_threads)

    def sampling(self, medium: Medium) -> Sampling:
        return Sampling(fps=None)

    def open(self, medium: Medium) -> FrameSession:
        if medium.duration_s <= 0:
            raise SkipUnit("a still picture has no shots")
        if self.params.detector != "transnetv2":
            return PerFrameSession(self.params, medium)
        if self._model is None:
            raise RuntimeError("shots: call setup() before open() when the detector is transnetv2")
        return NeuralSession(self.params, medium, self._model)


ANNOTATOR = Shots
