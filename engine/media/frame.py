"""One decoded video frame, whose pictures are made when somebody asks, once, at the size that was asked for.

Scaling is what costs in a shared pass, so Y, U and V are scaled as planes and only the small picture is turned into
colour, rotated and kept. Y comes from a halving pyramid (2x2 means) and one bilinear step of less than 2; U and V,
which are coarse anyway, from a pyramid of quarters (the middle 2x2 of each 4x4) and a step of less than 4. That costs a
tenth of decoding the frame, where a conversion at full size costs as much as the decoding. A product depends on the
frame and its size alone, never on what else was asked for. Rare pixel formats are converted by FFmpeg first, which is
slower.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .colour import colour_of, limited_to_full, yuv_to_bgr
from .geometry import Geometry, fit

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane

Pixels = np.ndarray[Any, Any]
"""uint8 [h, w] or [h, w, 3]."""

_PLANAR = {f"yuv{s}p" for s in ("420", "422", "444", "440", "411", "410")} | {
    f"yuvj{s}p" for s in ("420", "422", "444", "440")
}
_DEEP = {f"yuv{s}p{bits}le": bits for s in ("420", "422", "444", "440") for bits in (9, 10, 12, 14, 16)} | {
    "gray10le": 10,
    "gray12le": 12,
}


class Frame:
    """A presented frame in display orientation. Its arrays are read-only by contract and valid while the
    frame is.

    `luma` is full range (black 0, white 255) whatever the stream's range. Sizes are in display pixels.
    """

    __slots__ = ("_av", "_cache", "_full", "_geometry", "_levels", "_matrix", "index", "key_frame", "t_s")

    def __init__(self, av_frame: VideoFrame, index: int, t_s: float, geometry: Geometry) -> None:
        self.index = index
        self.t_s = t_s
        self.key_frame: bool = av_frame.key_frame
        self._av = av_frame
        self._geometry = geometry
        self._cache: dict[Any, Any] = {}
        self._levels: list[list[Pixels]] | None = None
        self._matrix: Any = None
        self._full = True

    @property
    def width(self) -> int:
        """Display width in px."""
        return self._geometry.width

    @property
    def height(self) -> int:
        """Display height in px."""
        return self._geometry.height

    def size(self, max_side: int) -> tuple[int, int]:
        """(width, height) of the `max_side` forms: longest side at most `max_side`, even when shrunk, never
        upscaled.
        """
        return fit(self._geometry.width, self._geometry.height, max_side)

    def luma(self, max_side: int) -> Pixels:
        """uint8 [h, w], full range."""
        return self.luma_at(*self.size(max_side))

    def bgr(self, max_side: int) -> Pixels:
        """uint8 [h, w, 3], OpenCV's order."""
        return self.bgr_at(*self.size(max_side))

    def rgb(self, max_side: int) -> Pixels:
        """uint8 [h, w, 3]."""
        return self.rgb_at(*self.size(max_side))

    def luma_at(self, width: int, height: int) -> Pixels:
        """uint8 [height, width], full range, stretched to exactly this size."""
        key = ("luma", width, height)
        if key not in self._cache:
            self._cache[key] = self._oriented(self._make_luma(*self._stored(width, height)))
        return self._cache[key]

    def bgr_at(self, width: int, height: int) -> Pixels:
        """uint8 [height, width, 3], stretched to exactly this size."""
        key = ("bgr", width, height)
        if key not in self._cache:
            self._cache[key] = self._oriented(self._make_bgr(*self._stored(width, height)))
        return self._cache[key]

    def rgb_at(self, width: int, height: int) -> Pixels:
        """uint8 [height, width, 3], stretched to exactly this size."""
        key = ("rgb", width, height)
        if key not in self._cache:
            import cv2

            self._cache[key] = cv2.cvtColor(self.bgr_at(width, height), cv2.COLOR_BGR2RGB)
        return self._cache[key]

    def jpeg(self, max_side: int, quality: int = 90) -> tuple[bytes, int, int]:
        """(JPEG bytes, width, height), longest side at most `max_side`; the same bytes for the same
        pixels.
        """
        width, height = self.size(max_side)
        key = ("jpeg", width, height, quality)
        if key not in self._cache:
            import cv2

            done, data = cv2.imencode(".jpg", self.bgr_at(width, height), [cv2.IMWRITE_JPEG_QUALITY, quality])
            if not done:
                raise RuntimeError(f"JPEG encoding of a {width}x{height} picture at {self.t_s:.3f} s failed")
            self._cache[key] = (data.tobytes(), width, height)
        return self._cache[key]

    def _stored(self, width: int, height: int) -> tuple[int, int]:
        return (height, width) if self._geometry.orientation.transpose else (width, height)

    def _oriented(self, picture: Pixels) -> Pixels:
        return self._geometry.orientation.apply(picture)

    def _make_luma(self, width: int, height: int) -> Pixels:
        import cv2

        planes = self._planes()
        y = self._scaled(0, width, height)
        if self._matrix is None:
            return y if len(planes) == 1 and y.ndim == 2 else cv2.cvtColor(y, cv2.COLOR_BGR2GRAY)
        return y if self._full else cv2.LUT(y, limited_to_full())

    def _make_bgr(self, width: int, height: int) -> Pixels:
        import cv2

        planes = self._planes()
        y = self._scaled(0, width, height)
        if self._matrix is None:
            return y if y.ndim == 3 else cv2.cvtColor(y, cv2.COLOR_GRAY2BGR)
        if len(planes) == 1:
            return cv2.cvtColor(self._make_luma(width, height), cv2.COLOR_GRAY2BGR)
        yuv = cv2.merge([y, *(self._scaled(i, width, height) for i in range(1, len(planes)))])
        return cv2.transform(yuv, self._matrix)

    def _scaled(self, plane: int, width: int, height: int) -> Pixels:
        """Plane at stored size (width, height): down its pyramid while it stays at least as large, then bilinear."""
        key = (plane, width, height)
        done = self._cache.get(key)
        if done is not None:
            return done
        import cv2

        levels = self._planes()[plane]
        picture = levels[0]
        whole = picture.shape[1], picture.shape[0]
        for depth, size in enumerate(_pyramid(whole, (width, height), plane > 0), start=1):
            if depth == len(levels):
                levels.append(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))
            picture = levels[depth]
        if picture.shape[:2] != (height, width):
            picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
        if picture.dtype != np.uint8:
            picture = cv2.convertScaleAbs(picture, alpha=256.0 / (1 << _DEEP[self._av.format.name]))
        self._cache[key] = picture
        return picture

    def _planes(self) -> list[list[Pixels]]:
        """The pyramid of each plane, level 0 as stored. One BGR plane for formats that are not YUV."""
        if self._levels is None:
            self._levels = [[plane] for plane in self._open_planes()]
        return self._levels

    def _open_planes(self) -> list[Pixels]:
        frame = self._av
        name = frame.format.name
        if name in _PLANAR or name in _DEEP or name in ("gray", "nv12", "nv21"):
            matrix, self._full = colour_of(frame)
            if name.startswith("gray") and frame.color_range != 1:
                self._full = True
            self._matrix = yuv_to_bgr(matrix, self._full)
        elif frame.format.is_rgb or name.startswith(("pal", "mono", "ya", "xyz", "bayer")):
            self._av = frame = frame.reformat(format="bgr24")
            return [_view(frame.planes[0], channels=3)]
        else:
            matrix, self._full = colour_of(frame)
            self._matrix = yuv_to_bgr(matrix, self._full)
            self._av = frame = frame.reformat(format="yuv444p")
            name = "yuv444p"
        planes = frame.planes
        if name in ("nv12", "nv21"):
            chroma = _view(planes[1], channels=2)
            order = (0, 1) if name == "nv12" else (1, 0)
            return [_view(planes[0]), *(np.ascontiguousarray(chroma[:, :, c]) for c in order)]
        dtype = np.uint16 if name in _DEEP else np.uint8
        return [_view(plane, dtype) for plane in planes[:3]]


@lru_cache(maxsize=1024)
def _pyramid(whole: tuple[int, int], wanted: tuple[int, int], coarse: bool) -> tuple[tuple[int, int], ...]:
    """Sizes (width, height) below `whole` that a plane goes through on its way to `wanted`: halves, or for a coarse
    plane quarters.
    """
    sizes = []
    (width, height), shift = whole, 2 if coarse else 1
    while width > 1 or height > 1:
        width, height = -(-width >> shift), -(-height >> shift)
        if width < wanted[0] or height < wanted[1]:
            break
        sizes.append((width, height))
    return tuple(sizes)


def _view(plane: VideoPlane, dtype: type[np.generic] = np.uint8, channels: int = 1) -> Pixels:
    """A plane's own memory as [h, w] or [h, w, channels], without a copy."""
    height, width = plane.height, plane.width
    items = np.frombuffer(plane, dtype)  # type: ignore[call-overload]
    if channels == 1:
        return items.reshape(height, -1)[:, :width]
    return items.reshape(height, -1)[:, : width * channels].reshape(height, width, channels)
