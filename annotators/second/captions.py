"""Captions again: is what a text tells really seen where the sample says?

Three ways, by what the text tells. A camera that moves is measured: the flow of the claimed span, pooled, must have the told
label. A coloured shape of composed footage is looked for by a CLIP model that was made for such scenes: pictures in the claimed
span must be more alike to it than those outside, against all other coloured shapes, by `LEAD` standard deviations. Choices
between texts are compared in the span that is asked about. Of everything else, and of other footage, it cannot say; writing
that a text quotes is for the method `text`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any, ClassVar

import numpy as np

from ...engine.models import ModelNotFound
from ...schemas.markup import Text, parse
from ...schemas.sample import AbsentAnswer, ChoiceAnswer, Sample, SpanAnswer, SpansAnswer
from ...schemas.span import Span
from ..compose.drawing import COLOURS, SHAPES
from ..vision.clip_choice import COMPOSED_TINY, ClipParams, load_clip
from .claims import plain, quotations, spans_in
from .flow import SIDE_PX as FLOW_PX
from .footage import Footage, Look
from .method import Opinion, Removed, SecondMethod, SecondParams, Shown
from .motion import pool

FPS = 2.0
SIDE_PX = 224
LEAD = 0.7
"""Lead of the span over the rest, in standard deviations of the curve, that decides."""
_CAMERA = re.compile(
    r"\bcamera (pans|tilts|zooms|rolls)(?: to the)? (left|right|up|down|in|out|clockwise|counterclockwise)\b"
)
_BATCH = 16
Pixels = np.ndarray[Any, Any]


class CaptionsAgain(SecondMethod):
    """What happens when, by likeness of text and picture."""

    name: ClassVar[str] = "captions"
    removes: ClassVar[tuple[Removed, ...]] = ("picture",)

    def __init__(self, params: SecondParams) -> None:
        super().__init__(params)
        self.method = f"captions: CLIP {COMPOSED_TINY}, {FPS:g} fps"
        self._encoder: Any = None
        self._missing = ""

    def prepare(self, shown: Shown, removed: Sequence[Removed] = ()) -> None:
        film, window = shown.film, shown.sample.window
        if film is None:
            return
        start, end = film.to_file(window.start_s), film.to_file(window.end_s)
        if camera_label(_texts(shown.sample)) is not None:
            film.want([Look("motion", start, end, self.params.motion_fps, lambda frame: frame.luma(FLOW_PX))])
        elif shown.sample.origin == "composed":
            film.want([Look("captions", start, end, FPS, lambda frame: frame.rgb(SIDE_PX))])

    def judge(self, shown: Shown, removed: Removed = "nothing") -> Opinion:
        sample, film = shown.sample, shown.film
        if removed == "picture":
            return Opinion(self.method, False, 0.0, "no picture")
        label, spans = camera_label(_texts(sample)), _claimed(sample)
        if label is not None and film is not None and spans:
            return self._camera(film, label, spans)
        if sample.origin != "composed":
            return Opinion("captions: none", None, None, f"no CLIP model for {sample.origin} footage is at hand")
        texts = [thing for text in _texts(sample) if (thing := coloured_shape(text))]
        if film is None or not texts or len(texts) < len(_texts(sample)):
            return Opinion(
                self.method, None, None, "the text names no coloured shape, and the model knows nothing else"
            )
        if not self._ready():
            return Opinion("captions: none", None, None, self._missing)
        inside = Span(max(0.0, film.to_file(sample.window.start_s)), max(1e-6, film.to_file(sample.window.end_s)))
        seen = film.seen("captions", inside)
        if len(seen) < 3:
            return Opinion(self.method, False, 0.0, f"the file shows {len(seen)} pictures of the window")
        pictures = self._encoder.encode_images([picture for _, picture in seen])
        times = np.array([film.to_source(t) for t, _ in seen])
        others = [f"a {c} {s}" for c, s in product(COLOURS, SHAPES) if f"a {c} {s}" not in texts]
        curves = pictures @ self._encoder.encode_texts([*texts, *others]).T
        return self._judged(sample, texts, times, curves[:, : len(texts)] - curves.mean(axis=1, keepdims=True))

    def _camera(self, film: Footage, label: str, spans: Sequence[Span]) -> Opinion:
        """Whether the flow of each claimed span has the told label."""
        method = f"captions: camera by Farneback flow, {self.params.motion_fps:g} fps"
        for span in spans:
            inside = Span(max(0.0, film.to_file(span.start_s)), max(1e-6, film.to_file(span.end_s)))
            pictures = film.seen("motion", inside)
            if len(pictures) < 4:
                return Opinion(
                    method, None, None, f"{len(pictures)} pictures in the span are too few to measure motion"
                )
            pooled = pool(pictures, True)
            if pooled.label != label:
                return Opinion(method, None if pooled.label is None else False, 0.0, pooled.label or pooled.reason)
        return Opinion(method, True, 1.0, label)

    def _judged(self, sample: Sample, texts: Sequence[str], times: Pixels, curves: Pixels) -> Opinion:
        """`curves` is [pictures, texts]."""
        answer = sample.answer
        if isinstance(answer, ChoiceAnswer) and len(texts) == len(sample.options):
            asked = [s for t in sample.turns if t.role == "user" for s in spans_in(t.text)]
            within = _within(times, asked[:1])
            if len(asked) != 1 or not within.any():
                return Opinion(self.method, None, None, "no single span is asked about")
            scores = curves[within].mean(axis=0)
            best = int(scores.argmax())
            return Opinion(
                self.method, best == answer.index, _share(scores, answer.index), f"most alike: {texts[best]}"
            )
        curve = curves[:, 0]
        spread = max(float(curve.std()), 1e-6)
        if isinstance(answer, ChoiceAnswer):
            options = [spans_in(o.text) for o in sample.options]
            if not all(len(o) == 1 for o in options):
                return Opinion(self.method, None, None, "the options name no spans")
            means = np.array([curve[w].mean() if (w := _within(times, o)).any() else -1.0 for o in options])
            best = int(means.argmax())
            return Opinion(
                self.method, best == answer.index, _share(means, answer.index), f"most alike in option {best + 1}"
            )
        spans = _claimed(sample)
        if spans:
            within = _within(times, spans)
            if not within.any() or within.all():
                return Opinion(self.method, None, None, "no picture inside, or none outside")
            lead = float(curve[within].mean() - curve[~within].mean()) / spread
            found = f"inside {lead:+.2f} standard deviations above the rest; peak at {times[int(curve.argmax())]:.1f} s"
            agrees = None if abs(lead) < LEAD else lead > 0
            return Opinion(self.method, agrees, min(1.0, max(0.0, lead / 2)), found)
        if isinstance(answer, AbsentAnswer):
            return Opinion(self.method, None, None, "likeness has no threshold below which nothing happens")
        return Opinion(self.method, None, None, f"no second way for {answer.kind}")

    def _ready(self) -> bool:
        if self._encoder is None and not self._missing:
            try:
                params = ClipParams.model_validate({"model": COMPOSED_TINY, "threads": self.params.threads})
                self._encoder = load_clip(params, _BATCH)
            except (ModelNotFound, ImportError, ValueError) as error:
                self._missing = str(error)
        return self._encoder is not None


def camera_label(texts: Sequence[str]) -> str | None:
    """The label of `schemas/motion.py` that a text tells of the camera, as in `the camera pans to the left`."""
    found = _CAMERA.search(texts[0]) if len(texts) == 1 else None
    if found is None:
        return None
    way = {"clockwise": "cw", "counterclockwise": "ccw"}.get(found[2], found[2])
    return f"{found[1][:-1]}_{way}"


def coloured_shape(text: str) -> str | None:
    """`a red circle`, when that is what a text tells of; None for writing and for what the model does not know."""
    words = re.findall(r"[a-z]+", text.lower())
    pairs = [(c, s) for c, s in pairwise(words) if c in COLOURS and s in SHAPES]
    return f"a {pairs[0][0]} {pairs[0][1]}" if len(pairs) == 1 and "‘" not in text else None


def _claimed(sample: Sample) -> list[Span]:
    match sample.answer:
        case SpanAnswer(start_s=start, end_s=end):
            return [Span(start, end)]
        case SpansAnswer(spans=spans):
            return [Span(*s) for s in spans]
    return []


def _texts(sample: Sample) -> list[str]:
    """What is asked about: quotations of the question, or texts to choose from."""
    question = next((t.text for t in sample.turns if t.role == "user"), "")
    if isinstance(sample.answer, ChoiceAnswer) and not any(spans_in(o.text) for o in sample.options):
        return [(quotations(o.text) or [plain(o.text)])[0] for o in sample.options]
    quoted = quotations(question)
    if quoted:
        return quoted[:1]
    words = " ".join(t.text for t in parse(question) if isinstance(t, Text)).strip()
    return [words] if words else []


def _within(times: Pixels, spans: Sequence[Span]) -> Pixels:
    found = np.zeros(len(times), bool)
    for span in spans:
        found |= (times >= span.start_s - 1e-6) & (times < span.end_s)
    return found


def _share(scores: Pixels, index: int) -> float:
    low, high = float(scores.min()), float(scores.max())
    return (float(scores[index]) - low) / max(high - low, 1e-6)


METHOD = CaptionsAgain
