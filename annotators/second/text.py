"""Text again: RapidOCR reads the packaged pictures at full size, at another rate and at other moments than the first time.

The recogniser's model is the same (only one is carried), but pictures, sizes and times are not, so what it confirms is that
the text is in the packaged footage, when and where the sample says; its reading of a letter is not a second opinion.
Agreement: read, and its span (both ends as near as two rates allow, or one and tIoU 0.5) and box (IoU 0.5) are the claimed ones. With
the pictures of the evidence taken out, the text must not be readable anywhere in the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, ClassVar

import numpy as np

from ...engine.annotator import Picture
from ...engine.models import ModelNotFound
from ...schemas.box import Box, iou
from ...schemas.readings import edit_distance, normalised
from ...schemas.sample import Sample
from ...schemas.span import Span
from ..vision.text_regions import TextRegions, TextRegionsParams
from .claims import Claim, claim_of
from .footage import Look
from .method import ENDS_S, Opinion, Removed, SecondMethod, SecondParams, Shown, alike, best_option, says

MAX_ERRORS = 0.25
"""Share of the letters that may differ."""
GAP_S = 1.0
"""Longer pauses between readings are two appearances."""
MIN_IOU = 0.5
SAME = "same model, other pictures"
LARGEST_PX = 1920
CHANGE_SIDE_PX, MIN_CHANGE = 96, 0.4
"""A picture that differs less (mean luma at this size, 0..255) from the last one read is not read again."""


@dataclass(frozen=True)
class Line:
    """A line of text in one picture."""

    text: str
    box: Box


class TextAgain(SecondMethod):
    """Quoted text on screen: when, where, or never."""

    name: ClassVar[str] = "text"
    removes: ClassVar[tuple[Removed, ...]] = ("evidence", "picture")

    def __init__(self, params: SecondParams) -> None:
        super().__init__(params)
        self._reader: TextRegions | None = None
        self._missing = ""
        self._last: tuple[float, Any, tuple[Line, ...]] = (0.0, None, ())
        self.method = f"text: RapidOCR, full size, {params.text_fps:g} fps ({SAME})"

    def prepare(self, shown: Shown, removed: Sequence[Removed] = ()) -> None:
        if shown.film is not None and claim_of(shown.sample) is not None and self._ready():
            shown.film.want([self.look(shown)])

    def look(self, shown: Shown) -> Look:
        """The pictures of the sample's window."""
        film, window, fps = shown.film, shown.sample.window, self.params.text_fps
        assert film is not None
        phase = (0.5 / fps - film.zero_s) % (1 / fps)
        return Look("text", film.to_file(window.start_s), film.to_file(window.end_s), fps, self._read, phase)

    def judge(self, shown: Shown, removed: Removed = "nothing") -> Opinion:
        claim, film = claim_of(shown.sample), shown.film
        if claim is None or not claim.text:
            return Opinion(self.method, None, None, "the sample quotes no text to look for")
        if not self._ready():
            return Opinion("text: none", None, None, self._missing)
        if film is None:
            return Opinion(self.method, False, 0.0, "the sample shows no film")
        if removed == "picture":
            return Opinion(self.method, False, 0.0, "no picture")
        window = shown.sample.window
        inside = Span(max(0.0, film.to_file(window.start_s)), max(1e-6, film.to_file(window.end_s)))
        pictures = [(film.to_source(t), lines) for t, lines in film.seen("text", inside)]
        if not pictures:
            return Opinion(self.method, False, 0.0, f"the file shows no picture in {says(window)}")
        if removed == "evidence":
            return self._anywhere(claim, [p for p in pictures if not _in_evidence(p[0], claim, shown.sample)])
        return self._placed(claim, pictures)

    def anywhere(self, shown: Shown) -> Opinion:
        """Whether a quotation can be read anywhere in the window: for what should be heard, not read."""
        claim, film = claim_of(shown.sample), shown.film
        if claim is None or not claim.text or film is None or not self._ready():
            return Opinion(self.method, None, None, "no picture in which the words could be read")
        window = shown.sample.window
        inside = Span(max(0.0, film.to_file(window.start_s)), max(1e-6, film.to_file(window.end_s)))
        return self._anywhere(claim, [(film.to_source(t), lines) for t, lines in film.seen("text", inside)])

    def _ready(self) -> bool:
        if self._reader is None and not self._missing:
            try:
                params = TextRegionsParams(
                    fps=self.params.text_fps, threads=self.params.threads, detection_side_px=736, min_confidence=0.5
                )
                self._reader = TextRegions(params)
                self._reader.setup()
            except (ModelNotFound, ImportError) as error:
                self._reader, self._missing = None, f"{error}"
        return self._reader is not None

    def _read(self, frame: Any) -> tuple[Line, ...]:
        assert self._reader is not None
        small = frame.luma(CHANGE_SIDE_PX).astype(np.int16)
        t_s, before, lines = self._last
        same = before is not None and before.shape == small.shape and t_s < frame.t_s
        if same and float(np.abs(before - small).mean()) < MIN_CHANGE:
            self._last = frame.t_s, before, lines
            return lines
        data, width, height = frame.jpeg(LARGEST_PX, 97)
        rows = self._reader.look([Picture("", frame.t_s, frame.t_s, width, height, data)])[0]
        lines = tuple(Line(r["text"], Box(r["x1"], r["y1"], r["x2"], r["y2"])) for _, r in rows)
        self._last = frame.t_s, small, lines
        return lines

    def _placed(self, claim: Claim, pictures: Sequence[tuple[float, tuple[Line, ...]]]) -> Opinion:
        if claim.others:
            return self._chosen(claim, pictures)
        found = _found(claim.text, pictures)
        if claim.box is not None and claim.at_s is not None:
            return self._at(claim, found)
        step = 1 / self.params.text_fps
        spans = _spans([t for t, _ in found], step)
        if not claim.spans:
            if spans:
                return Opinion(self.method, False, 0.0, f"read at {says(spans[0])}")
            return Opinion(self.method, True, 1.0, "not read")
        if not spans:
            return Opinion(self.method, False, 0.0, "not read")
        if claim.denied:
            longest = max(spans, key=lambda s: s.length_s)
            fits, score = best_option(longest, claim.spans[0], claim.denied)
            return Opinion(self.method, fits, score, f"read at {says(longest)}")
        scores = []
        for span in claim.spans:
            best = max(spans, key=lambda s: alike(s, span)[1])
            same, score = alike(best, span, ENDS_S + step / 2)
            if not same:
                return Opinion(self.method, False, score, f"read at {says(best)} instead of {says(span)}")
            scores.append(score)
        if len(spans) > len(claim.spans):
            return Opinion(self.method, False, min(scores), "read at " + ", ".join(says(s) for s in spans))
        if claim.box is not None:
            opinion = self._boxed(claim, [line for t, line in found if claim.spans[0].contains(t)])
            if not opinion.agrees:
                return opinion
        return Opinion(self.method, True, min(scores), "read at " + ", ".join(says(s) for s in spans))

    def _chosen(self, claim: Claim, pictures: Sequence[tuple[float, tuple[Line, ...]]]) -> Opinion:
        """A choice between texts: which of them is read in the span, with the fewest wrong letters."""
        span = claim.spans[0]
        lines = [line.text for t, lines in pictures if span.contains(t) for line in lines]
        likeness = {
            text: max((_likeness(text, line) for line in lines), default=0.0) for text in (claim.text, *claim.others)
        }
        best = max(likeness, key=lambda t: likeness[t])
        if likeness[best] < 1 - MAX_ERRORS:
            return Opinion(self.method, False, likeness[claim.text], f"none of the options is read in {says(span)}")
        return Opinion(self.method, best == claim.text, likeness[claim.text], f"read in {says(span)}: {best}")

    def _at(self, claim: Claim, found: Sequence[tuple[float, Line]]) -> Opinion:
        assert claim.at_s is not None
        near = [line for t, line in found if abs(t - claim.at_s) <= 1.5 / self.params.text_fps]
        if not near:
            return Opinion(self.method, False, 0.0, f"not read at {claim.at_s:.2f} s")
        return self._boxed(claim, near)

    def _boxed(self, claim: Claim, lines: Sequence[Line]) -> Opinion:
        assert claim.box is not None
        claimed = Box(*claim.box)
        if not lines:
            return Opinion(self.method, False, 0.0, "not read inside the span")
        place = Box(*(median(line.box.edges[i] for line in lines) for i in range(4)))
        score = iou(place, claimed)
        where = ", ".join(f"{v:.3f}" for v in place.edges)
        return Opinion(self.method, score >= MIN_IOU, score, f"read in [{where}]")

    def _anywhere(self, claim: Claim, pictures: Sequence[tuple[float, tuple[Line, ...]]]) -> Opinion:
        found = _found(claim.text, pictures)
        if not found:
            return Opinion(self.method, False, 0.0, "not read any more")
        return Opinion(self.method, True, 1.0, f"still read at {found[0][0]:.2f} s: {found[0][1].text}")


def _in_evidence(t_s: float, claim: Claim, sample: Sample) -> bool:
    """Where the claim is a place at a moment, the whole window is evidence: the text may stand as long as it likes."""
    if not claim.spans:
        return True
    return any(s.start_s - GAP_S / 2 <= t_s < s.end_s + GAP_S / 2 for s in claim.spans)


def _found(text: str, pictures: Sequence[tuple[float, tuple[Line, ...]]]) -> list[tuple[float, Line]]:
    wanted = normalised(text)
    limit = int(MAX_ERRORS * len(wanted))
    found = []
    for t, lines in pictures:
        near = [(edit_distance(wanted, normalised(line.text), limit), i) for i, line in enumerate(lines)]
        best = min(near, default=(limit + 1, 0))
        if best[0] <= limit:
            found.append((t, lines[best[1]]))
    return found


def _likeness(text: str, line: str) -> float:
    wanted, read = normalised(text), normalised(line)
    longest = max(len(wanted), len(read), 1)
    return 1 - edit_distance(wanted, read, longest) / longest


def _spans(times: Sequence[float], step: float) -> list[Span]:
    """Appearances from the times of readings, each reading standing for one step around it."""
    spans: list[Span] = []
    for t in times:
        here = Span(max(0.0, t - step / 2), t + step / 2)
        if spans and here.start_s - spans[-1].end_s <= GAP_S:
            spans[-1] = Span(spans[-1].start_s, here.end_s)
        else:
            spans.append(here)
    return spans


METHOD = TextAgain
