"""Captions again: does the footage look most like the text where the text is said to belong?

Pictures of the packaged window and the text that is asked about go through a CLIP model; agreement is that the pictures in
the claimed span are more alike to the text than those outside, by `LEAD` standard deviations, or for a choice between texts
that the right one is the most alike in the span. Only composed footage has a model here (made for composed scenes): for other
footage the method cannot say, unless weights are given to CLIP in another way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ...engine.models import ModelNotFound
from ...schemas.markup import Text, parse
from ...schemas.sample import AbsentAnswer, ChoiceAnswer, Sample, SpanAnswer, SpansAnswer
from ...schemas.span import Span
from ..vision.clip_choice import COMPOSED_TINY, ClipParams, load_clip
from .claims import plain, quotations, spans_in
from .footage import Look
from .method import Opinion, Removed, SecondMethod, SecondParams, Shown

FPS = 2.0
SIDE_PX = 224
LEAD = 0.5
"""Lead of the span over the rest, in standard deviations of the curve, that decides."""
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
        if film is not None and shown.sample.origin == "composed":
            start, end = film.to_file(window.start_s), film.to_file(window.end_s)
            film.want([Look("captions", start, end, FPS, lambda frame: frame.rgb(SIDE_PX))])

    def judge(self, shown: Shown, removed: Removed = "nothing") -> Opinion:
        sample, film = shown.sample, shown.film
        if removed == "picture":
            return Opinion(self.method, False, 0.0, "no picture")
        if sample.origin != "composed":
            return Opinion("captions: none", None, None, f"no CLIP model for {sample.origin} footage is at hand")
        texts = _texts(sample)
        if film is None or not texts:
            return Opinion(self.method, None, None, "the sample names no text to compare with pictures")
        if not self._ready():
            return Opinion("captions: none", None, None, self._missing)
        inside = Span(max(0.0, film.to_file(sample.window.start_s)), max(1e-6, film.to_file(sample.window.end_s)))
        seen = film.seen("captions", inside)
        if len(seen) < 3:
            return Opinion(self.method, False, 0.0, f"the file shows {len(seen)} pictures of the window")
        pictures = self._encoder.encode_images([picture for _, picture in seen])
        times = np.array([film.to_source(t) for t, _ in seen])
        return self._judged(sample, texts, times, pictures @ self._encoder.encode_texts(texts).T)

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
        if isinstance(answer, (SpanAnswer, SpansAnswer)):
            spans = (
                [Span(answer.start_s, answer.end_s)]
                if isinstance(answer, SpanAnswer)
                else [Span(*s) for s in answer.spans]
            )
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
