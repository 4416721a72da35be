"""Small worlds with known truth, written as real video files and watched through the real decode pass."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chronotope.annotators.compose.film import FilmParams, FilmTruth, compose_film
from chronotope.engine.annotator import FrameAnnotator, Medium
from chronotope.engine.media.events import Finished, RowsOut
from chronotope.engine.media.probe import probe
from chronotope.engine.media.shared_pass import FrameTap, run_frames

Watch = Callable[[FrameAnnotator, Path], list[dict[str, Any]]]
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def watch() -> Watch:
    """Rows that a frame annotator writes about a file, without their table's name."""

    def watched(annotator: FrameAnnotator, path: Path) -> list[dict[str, Any]]:
        facts = probe(path)
        names = ("kind", "duration_s", "fps", "frames", "width", "height")
        medium = Medium("m", path.as_uri(), path, *(facts[n] for n in names), has_video=True, has_audio=False)
        annotator.setup()
        events = list(run_frames(medium, [FrameTap("p", annotator.open(medium), annotator.sampling(medium))]))
        failed = [e.error for e in events if isinstance(e, Finished) and e.error]
        if failed:
            raise failed[0]
        rows = [row for event in events if isinstance(event, RowsOut) for row in event.rows]
        assert {table for table, _ in rows} <= set(annotator.writes)
        return [row for _, row in rows]

    return watched


@pytest.fixture
def write_video(tmp_path: Path) -> Write:
    """Writes uint8 RGB pictures as H.264; `times_s` gives a variable frame rate."""
    import av

    def write(pictures: Iterable[np.ndarray], fps: int = 25, times_s: list[float] | None = None, crf: int = 12) -> Path:
        path = tmp_path / f"world{len(list(tmp_path.iterdir()))}.mp4"
        with av.open(str(path), "w") as container:
            stream = None
            for i, picture in enumerate(pictures):
                if stream is None:
                    stream = container.add_stream("libx264", rate=fps)
                    stream.height, stream.width = picture.shape[:2]
                    stream.pix_fmt, stream.options = "yuv420p", {"crf": str(crf), "preset": "veryfast"}
                    stream.codec_context.time_base = Fraction(1, 12_800)
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                frame.time_base = Fraction(1, 12_800)
                frame.pts = round((times_s[i] if times_s else i / fps) * 12_800)
                container.mux(stream.encode(frame))
            assert stream is not None
            container.mux(stream.encode())
        return path

    return write


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FilmTruth]:
    """A short composed film with cuts between look-alikes, a dissolve, a flash and a whip pan."""
    params = FilmParams(
        seed=11,
        scenes=12,
        width=320,
        height=180,
        scene_s=(1.6, 2.4),
        narration=False,
        kinds=("pan_right", "move_left", "flash", "zoom_in", "whip_left", "tilt_up", "move_down", "roll_cw", "still",
               "track_right", "pan_left", "zoom_out"),
        joins=("cut", "lookalike", "cut", "lookalike", "cut", "dissolve", "lookalike", "cut"),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("vision") / "film.mp4"
    return path, compose_film(path, params)


def texture(height: int, width: int, seed: int, grain: float = 2.0) -> np.ndarray:
    """Smooth random luma, float [height, width] in 0..255: something to follow everywhere."""
    import cv2

    rough = np.random.default_rng(seed).uniform(0, 255, (height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(rough, (0, 0), grain)
    return (smooth - smooth.min()) / (smooth.max() - smooth.min()) * 255


@pytest.fixture(scope="session")
def textured() -> Callable[..., np.ndarray]:
    """The function `texture`."""
    return texture
