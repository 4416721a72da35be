"""Rendering a room as a film: frames in order, H.264 with one encoder thread and bit-exact flags, the truth taken on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

from ...schemas.geometry.camera import Camera
from .caster import Caster, View
from .scene import RoomScene
from .shading import Pixels, Shader
from .truth import Rows, TruthPlan, TruthTaker, truth_of


class RoomFilm:
    """A room that is to be written: `write` renders it and keeps the truth, `truth` gives it."""

    def __init__(self, make: Callable[[], RoomScene], name: str, plan: TruthPlan, crf: int) -> None:
        self._make, self.name, self.plan, self.crf = make, name, plan, crf
        self._rows: Rows | None = None

    def write(self, path: Path) -> None:
        """Render and encode all frames to `path`."""
        scene = self._make()
        taker = TruthTaker(scene, self.name, self.plan)
        write_film(pictures(scene, taker), scene, self.crf, path)
        self._rows = taker.rows()

    def truth(self) -> Rows:
        """Rows by table; casts the rays again where the film was written by another process."""
        return truth_of(self._make(), self.name, self.plan) if self._rows is None else self._rows


def pictures(scene: RoomScene, taker: TruthTaker | None = None) -> Iterator[Pixels]:
    """uint8 rgb [height, width, 3] of every frame; `taker` gets what it wants to know on the way."""
    caster = Caster(scene)
    shader = Shader(scene, caster, scene.cameras[0].width)
    for frame in range(scene.frames):
        view = caster.view(frame)
        if taker is not None and taker.wants(frame):
            taker.take(caster, frame, view)
        yield shader.picture(frame, view)


def render_view(scene: RoomScene, camera: Camera, frame: int = 0) -> tuple[Pixels, View]:
    """One picture of a scene from any camera, and its owners and depth."""
    caster = Caster(scene)
    view = caster.view(frame, camera)
    return Shader(scene, caster, camera.width).picture(frame, view, camera), view


def write_film(frames: Iterator[Pixels], scene: RoomScene, crf: int, path: Path) -> None:
    """Encode pictures at the scene's rate."""
    write_pictures(frames, scene.fps, (scene.cameras[0].width, scene.cameras[0].height), crf, path)


def write_pictures(frames: Iterable[Pixels], fps: float, size: tuple[int, int], crf: int, path: Path) -> None:
    """Encode RGB pictures of one size (width, height; even) at a rate, the same bytes everywhere."""
    import av
    from av.codec.context import Flags

    rate = Fraction(fps).limit_denominator(1001)
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= Flags.bitexact
        stream.codec_context.gop_size = max(1, round(2 * fps))
        stream.codec_context.colorspace, stream.codec_context.color_range = 5, 1
        stream.options = {
            "preset": "veryfast", "crf": str(crf), "threads": "1", "bf": "0", "x264-params": "mbtree=0",
        }  # fmt: skip
        for index, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=5, dst_color_range=1)
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
