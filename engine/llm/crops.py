"""A region of a stored picture as a picture of its own: the box with a margin, what is outside of the mask turned grey.

Models describe what fills their picture; cut out and cleared of its surroundings, a region is that. Needs OpenCV.
"""

from __future__ import annotations

import numpy as np

from ...schemas.box import Box
from ...schemas.masks import decode_mask
from .ask import Still
from .pictures import QUALITY

MARGIN = 0.15
"""Margin around the box, as a share of its longer side."""
GREY = 127
LEAST_PX = 56
"""A smaller region is enlarged to this."""


def region_still(still: Still, box: Box, mask: str | None, label: str, margin: float = MARGIN) -> Still:
    """The region of a picture. `mask`: COCO run-length encoding of the whole picture at any size, as JSON, or None.

    Raises ValueError for bytes that are no picture.
    """
    import cv2

    picture = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"the stored picture {still.label} is no JPEG; build again with `--retry-failed`")
    height, width = picture.shape[:2]
    if mask is not None:
        shown = cv2.resize(decode_mask(mask).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        picture = np.where(shown[..., None] > 0, picture, np.uint8(GREY))
    x1, y1, x2, y2 = box.to_pixels(width, height)
    by = margin * max(x2 - x1, y2 - y1)
    left, top = max(0, int(x1 - by)), max(0, int(y1 - by))
    right, bottom = min(width, int(np.ceil(x2 + by))), min(height, int(np.ceil(y2 + by)))
    cut = picture[top : max(bottom, top + 1), left : max(right, left + 1)]
    scale = LEAST_PX / max(cut.shape[:2])
    if scale > 1:
        size = round(cut.shape[1] * scale), round(cut.shape[0] * scale)
        cut = cv2.resize(cut, (max(1, size[0]), max(1, size[1])), interpolation=cv2.INTER_CUBIC)
    done, data = cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise RuntimeError("JPEG encoding of a region failed")
    return Still(data.tobytes(), cut.shape[1], cut.shape[0], label, still.media_id, still.t_s)
