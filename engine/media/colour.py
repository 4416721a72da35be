"""Colour of decoded pixels: which 3x4 matrix turns stored Y, U, V (8 bit) into B, G, R.

The matrix follows the stream's own tags; without tags, still pictures are BT.601 and video is BT.709 from 720
lines or 1280 columns on and BT.601 below, as players do. High dynamic range is not tone-mapped: such pictures
come out flat.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_KR_KB = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593), "240": (0.212, 0.087)}
_BY_TAG = {1: "709", 4: "601", 5: "601", 6: "601", 7: "240", 9: "2020", 10: "2020"}
"""Values of FFmpeg's AVColorSpace."""
_FULL_RANGE = 2


def colour_of(frame: VideoFrame) -> tuple[str, bool]:
    """(matrix name, whether values use the full range 0..255) of a decoded frame."""
    full = frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj")
    name = _BY_TAG.get(int(frame.colorspace))
    if name is None:
        large = frame.height >= 720 or frame.width >= 1280
        name = "709" if large and not frame.format.name.startswith("yuvj") else "601"
    return name, full


@lru_cache(maxsize=16)
def yuv_to_bgr(name: str, full_range: bool) -> np.ndarray[Any, Any]:
    """float32 [3, 4]: (B, G, R) = M @ (Y, U, V, 1) for 8-bit values."""
    kr, kb = _KR_KB[name]
    kg = 1 - kr - kb
    y_gain, c_gain, y_zero = (1.0, 1.0, 0.0) if full_range else (255 / 219, 255 / 224, 16.0)
    u_b, v_r = 2 * (1 - kb) * c_gain, 2 * (1 - kr) * c_gain
    u_g, v_g = -u_b * kb / kg, -v_r * kr / kg
    rows = [[y_gain, u_b, 0.0], [y_gain, u_g, v_g], [y_gain, 0.0, v_r]]
    return np.array([[*r, -r[0] * y_zero - (r[1] + r[2]) * 128] for r in rows], np.float32)


@lru_cache(maxsize=1)
def limited_to_full() -> np.ndarray[Any, Any]:
    """uint8 [256]: luma 16..235 stretched to 0..255."""
    values = (np.arange(256, dtype=np.float64) - 16) * 255 / 219
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
