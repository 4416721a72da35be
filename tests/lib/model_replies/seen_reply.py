"""Looks at the doctor's picture (or the first frame of its video): counts the shapes, names their colour and kind."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from model_asked import Asked
from PIL import Image


def reply(asked: Asked) -> dict[str, Any]:
    import cv2

    if not asked.images and not asked.videos:
        return {"count": 0, "colour": "", "shape": ""}
    pixels = _pixels(asked).astype(np.int32)
    mask = (pixels.max(axis=2) - pixels.min(axis=2) > 60).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    large = [s for s in stats[1:count] if s[cv2.CC_STAT_AREA] > 500]
    red, green, blue = np.median(pixels[mask > 0], axis=0)
    colour = "yellow" if red > 150 and green > 150 else ("red", "green", "blue")[int(np.argmax([red, green, blue]))]
    filled = large[0][cv2.CC_STAT_AREA] / (large[0][cv2.CC_STAT_WIDTH] * large[0][cv2.CC_STAT_HEIGHT])
    shape = "triangle" if filled < 0.65 else "circle" if filled < 0.9 else "square"
    return {"count": len(large), "colour": colour, "shape": shape}


def _pixels(asked: Asked) -> np.ndarray:
    if asked.images:
        return np.asarray(Image.open(io.BytesIO(asked.images[0])).convert("RGB"))
    import av

    with av.open(io.BytesIO(asked.videos[0])) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")
