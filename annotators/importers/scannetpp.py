"""ScanNet++: a folder per scene with `scans` (mesh, segments, objects with boxes) and `iphone` or `dslr` footage.

Of the iPhone the video is the medium, with `aligned_pose` (camera to world, OpenCV axes, the mesh's world) and the depth of the
LiDAR, packed by LZ4 or zlib. Of the DSLR the stills are, with the COLMAP model that lies in the mesh's world; the fisheye is
undistorted. Boxes are centre, full lengths and axes as rows; those that lean get an upright one around their vertices.
"""

from __future__ import annotations

import zlib
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from ...engine.folder_importing import FolderParams
from ...engine.importing import ImportNote, ImportProblem
from ...engine.media.container import MediaError
from ...engine.media.timeline import read_timeline
from ..scans.colmap_model import model_in, read_model
from ..scans.conventions import Conventions, Floats
from ..scans.importer import ScanImporter, ScanParams
from ..scans.pictures import picture, picture_size
from ..scans.ply import read_ply
from ..scans.scan import Frame, Scan
from ..scans.segments import groups_of, items_of, segment_numbers
from .reading import read_mapping

DEPTH_WIDTH, DEPTH_HEIGHT = 256, 192
VIDEOS = ("rgb.mkv", "rgb.mp4")


class ScannetppParams(ScanParams):
    """Parameters of scannetpp."""

    stream: Literal["iphone", "dslr"] = Field("iphone", description="which footage is the film")
    frames_per_s: float = Field(2.0, gt=0, description="pictures per second of dslr stills, which have no times")


class Scannetpp(ScanImporter[ScannetppParams]):
    """Reads ScanNet++ (Yeshwanth et al. 2023): laser scan, objects with boxes, iPhone video with depth, or DSLR stills."""

    name: ClassVar[str] = "scannetpp"
    Params: ClassVar[type[FolderParams]] = ScannetppParams
    licence: ClassVar[str | None] = "ScanNet++ Terms of Use"
    conventions: ClassVar[Conventions] = Conventions()
    fps: ClassVar[float] = 60.0

    def video(self, folder: Path) -> Path | None:
        """The iPhone's video; None where its frames were exported, or of stills."""
        if self.params.stream == "dslr":
            return None
        return next((p for name in VIDEOS if (p := folder / "iphone" / name).is_file()), None)

    def scan(self, name: str, folder: Path) -> Scan:
        """Frames, mesh and objects of a scene."""
        scans = folder / "scans"
        ply = read_ply(
            next(
                (p for n in ("", "_semantic") if (p := scans / f"mesh_aligned_0.05{n}.ply").is_file()),
                scans / "mesh_aligned_0.05.ply",
            )
        )
        numbers = segment_numbers(scans / "segments.json", len(ply.vertices), "vertices")
        items = items_of(groups_of(scans / "segments_anno.json"), numbers)
        notes = [
            ImportNote(
                "masks",
                "no_masks",
                "the source has no instance masks: what is seen follows from mesh and poses",
                "noted",
                0,
            )
        ]
        end_s = None
        conventions = self.conventions
        if self.params.stream == "dslr":
            conventions = Conventions(pose_kind="w2c")
            images = next(
                (p for n in ("resized_images", "original_images") if (p := folder / "dslr" / n).is_dir()),
                folder / "dslr",
            )
            frames, _, bent = read_model(model_in(folder, "dslr/colmap"), images, self.params.frames_per_s)
            notes.append(ImportNote("pictures", "undistorted", f"{bent} pictures were undistorted", "noted", bent))
        else:
            frames, end_s, more = self._iphone(folder / "iphone", self.video(folder))
            notes += more
        return Scan(folder.name, "scannetpp", conventions, frames, ply.mesh, items, end_s=end_s, notes=tuple(notes))

    def _iphone(self, folder: Path, video: Path | None) -> tuple[tuple[Frame, ...], float | None, list[ImportNote]]:
        told = read_mapping(
            folder / "pose_intrinsic_imu.json", "{frame_000000: {pose, aligned_pose, intrinsic, timestamp}}"
        )
        times: np.ndarray | None = None
        end_s = None
        notes: list[ImportNote] = []
        if video is not None:
            try:
                timeline = read_timeline(video)
            except MediaError as error:
                raise ImportProblem(str(error)) from None
            assert timeline.geometry is not None
            times, end_s = timeline.times_s, timeline.end_s
            size = timeline.geometry.width, timeline.geometry.height
        depth_file = folder / "depth.bin"
        depths = _depths(depth_file) if depth_file.is_file() else []
        first = min(
            (float(about["timestamp"]) for about in told.values() if about.get("timestamp") is not None), default=0.0
        )
        frames, past = [], 0
        for name, about in sorted(told.items()):
            place = int(name.rpartition("_")[2])
            shown = None
            if times is None:
                path = folder / "rgb" / f"{name}.jpg"
                if not path.is_file():
                    past += 1
                    continue
                size, shown = picture_size(path), partial(picture, path)
                stamp = about.get("timestamp")
                t_s = place / self.fps if stamp is None else float(stamp) - first
            elif place >= len(times):
                past += 1
                continue
            else:
                t_s = float(times[place])
            k = np.asarray(about["intrinsic"], np.float64)
            pose = about.get("aligned_pose")
            frames.append(
                Frame(
                    name, t_s, size, (float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2])),
                    None if pose is None else np.asarray(pose, np.float64), shown,
                    depths[place] if place < len(depths) else None,
                )
            )  # fmt: skip
        if past:
            notes.append(
                ImportNote("frames", "missing", "frames with poses whose picture is not there", "left_out", past)
            )
        return tuple(frames), end_s, notes


def _depths(path: Path) -> list[partial[Floats]]:
    """Readers of the frames of `depth.bin`, millimetres: chunks with their length before them, or one stream for all."""
    total = path.stat().st_size
    chunks: list[tuple[int, int]] = []
    with path.open("rb") as file:
        at = 0
        while at < total:
            length = int.from_bytes(file.read(4), "little")
            if length <= 0 or at + 4 + length > total:
                chunks = []
                break
            chunks.append((at + 4, length))
            at += 4 + length
            file.seek(at)
    if chunks:
        return [partial(_chunk, path, *chunk) for chunk in chunks]
    try:
        whole = np.frombuffer(zlib.decompress(path.read_bytes(), wbits=-zlib.MAX_WBITS), "<f4")
    except zlib.error as error:
        raise ImportProblem(
            f"{path.name} is packed neither by frame nor as a whole ({error}); download it again"
        ) from None
    maps = whole.reshape(-1, DEPTH_HEIGHT, DEPTH_WIDTH)
    return [partial(_millimetres, one) for one in maps]


def _chunk(path: Path, at: int, length: int) -> Floats:
    """One frame: 16-bit millimetres packed by LZ4, or 32-bit metres packed by zlib."""
    with path.open("rb") as file:
        file.seek(at)
        data = file.read(length)
    try:
        import lz4.block

        steps = lz4.block.decompress(data, uncompressed_size=DEPTH_WIDTH * DEPTH_HEIGHT * 2)
        return np.frombuffer(steps, "<u2").reshape(DEPTH_HEIGHT, DEPTH_WIDTH).astype(np.float64)
    except ImportError:
        raise ImportProblem(f"{path.name} is packed by LZ4; pip install lz4") from None
    except (lz4.block.LZ4BlockError, ValueError):
        pass
    try:
        metres = np.frombuffer(zlib.decompress(data, wbits=-zlib.MAX_WBITS), "<f4")
    except zlib.error as error:
        raise ImportProblem(f"{path.name}: a frame is packed neither by LZ4 nor by zlib ({error})") from None
    return _millimetres(metres.reshape(DEPTH_HEIGHT, DEPTH_WIDTH))


def _millimetres(metres: Floats) -> Floats:
    return np.asarray(metres, np.float64) * 1000.0


IMPORTER = Scannetpp
