"""ScanNet: a folder per scan with `<id>.sens` or its exported frames, the mesh, its segments and the objects made of them.

Poses are camera to world, depth counts millimetres, masks number objects from 1 where the aggregation counts from 0; mesh and
poses both take the scan's `axisAlignment`. ScanNet gives no boxes: they are fitted to the objects' vertices, upright.
"""

from __future__ import annotations

import io
import zipfile
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from ...engine.folder_importing import FolderParams
from ...engine.importing import ImportNote, ImportProblem
from ..scans.conventions import Conventions, Floats
from ..scans.importer import ScanImporter, ScanParams
from ..scans.pictures import PICTURES, depth_steps, mask_numbers, picture, picture_size, written_numbers
from ..scans.ply import read_ply
from ..scans.scan import Frame, Ints, K, Scan
from ..scans.segments import groups_of, items_of, segment_numbers
from ..scans.sens import read_sens

MESH = "_vh_clean_2"
MASKS = ("instance-filt", "instance")


class ScannetParams(ScanParams):
    """Parameters of scannet."""

    frames_per_s: float = Field(30.0, gt=0, description="rate of the sensor, where frames are numbered and not timed")


class Scannet(ScanImporter[ScannetParams]):
    """Reads ScanNet (Dai et al. 2017): depth sensor, mesh, instances, instance masks."""

    name: ClassVar[str] = "scannet"
    Params: ClassVar[type[FolderParams]] = ScannetParams
    licence: ClassVar[str | None] = "ScanNet Terms of Use"
    conventions: ClassVar[Conventions] = Conventions(mask_offset=1)

    def group(self, name: str, folder: Path) -> str:
        """The space: scans of one room share all but the last number of their names."""
        return folder.name.rpartition("_")[0] or folder.name

    def scan(self, name: str, folder: Path) -> Scan:
        """Frames, mesh and objects of a scan."""
        about = _about(folder / f"{folder.name}.txt")
        sens = folder / f"{folder.name}.sens"
        masks = _masks(folder)
        frames, notes = self._of_sens(sens, masks) if sens.is_file() else self._of_folder(folder, masks)
        ply = read_ply(_one(folder, f"{folder.name}{MESH}.ply"))
        numbers = segment_numbers(_one(folder, f"*{MESH}*.segs.json"), len(ply.vertices), "vertices")
        items = items_of(groups_of(_one(folder, "*.aggregation.json")), numbers)
        matrix = about.get("axisAlignment")
        alignment = None if matrix is None else np.array(matrix.split(), np.float64).reshape(4, 4)
        if alignment is None:
            notes.append(
                ImportNote(folder.name, "alignment", "no axisAlignment: the mesh is taken as it is", "noted", 0)
            )
        told = {"scene_type": about["sceneType"]} if "sceneType" in about else {}
        return Scan(
            folder.name, "scannet", self.conventions, frames, ply.mesh, items, alignment, notes=tuple(notes), told=told
        )

    def _of_sens(
        self, path: Path, masks: dict[int, Path | tuple[Path, str]]
    ) -> tuple[tuple[Frame, ...], list[ImportNote]]:
        sens = read_sens(path)
        fps = self.params.frames_per_s
        stamps = [f.colour_us for f in sens.frames]
        timed = len(stamps) > 1 and all(b > a for a, b in pairwise(stamps))
        k, depth_k = _k(sens.colour_k), _k(sens.depth_k)
        notes = _offset(sens.extrinsic_colour, sens.extrinsic_depth)
        if not timed:
            notes.append(
                ImportNote(path.name, "no_times", f"no times of frames: taken as {fps:g} per second", "noted", 0)
            )
        return tuple(
            Frame(
                str(n), (f.colour_us - stamps[0]) / 1e6 if timed else n / fps, sens.colour_size, k, f.pose, f.colour, f.depth,
                (depth_k, sens.depth_size), _mask(masks.get(n)),
            )
            for n, f in enumerate(sens.frames)
        ), notes  # fmt: skip

    def _of_folder(
        self, folder: Path, masks: dict[int, Path | tuple[Path, str]]
    ) -> tuple[tuple[Frame, ...], list[ImportNote]]:
        colour = {
            int(p.stem): p for p in (folder / "color").glob("*") if p.suffix.lower() in PICTURES and p.stem.isdigit()
        }
        if not colour:
            raise ImportProblem(
                f"neither {folder.name}.sens nor a folder `color` with pictures called by their numbers"
            )
        numbers = sorted(colour)
        size = picture_size(colour[numbers[0]])
        intrinsic = folder / "intrinsic"
        k = _k(written_numbers(_one(intrinsic, "intrinsic_color.txt")))
        depth_k = _k(written_numbers(_one(intrinsic, "intrinsic_depth.txt")))
        depths = {n: path for n in numbers if (path := folder / "depth" / f"{n}.png").is_file()}
        depth_size = picture_size(next(iter(depths.values()))) if depths else size
        frames = []
        for n in numbers:
            pose = folder / "pose" / f"{n}.txt"
            frames.append(
                Frame(
                    str(n), n / self.params.frames_per_s, size, k, written_numbers(pose) if pose.is_file() else None,
                    partial(picture, colour[n]), partial(depth_steps, depths[n]) if n in depths else None, (depth_k, depth_size),
                    _mask(masks.get(n)),
                )
            )  # fmt: skip
        files = [intrinsic / f"extrinsic_{what}.txt" for what in ("color", "depth")]
        notes = _offset(*(written_numbers(f) for f in files)) if all(f.is_file() for f in files) else []
        return tuple(frames), notes


def _about(path: Path) -> dict[str, str]:
    """`name = value` lines; empty where the file is missing."""
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs if value}


def _k(matrix: Floats) -> K:
    return float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]), float(matrix[1, 2])


def _offset(colour: Floats, depth: Floats) -> list[ImportNote]:
    """A note where colour and depth camera are not at one place."""
    apart = float(np.abs(np.linalg.inv(colour) @ depth - np.eye(4)).max())
    if apart < 1e-3:
        return []
    return [
        ImportNote(
            "extrinsics", "depth_camera", f"colour and depth camera differ by {apart:.3f}; taken as one", "noted", 0
        )
    ]


def _one(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise ImportProblem(f"no file {pattern} in {folder.name}")
    return found[0]


def _masks(folder: Path) -> dict[int, Path | tuple[Path, str]]:
    """Instance masks by number of frame: files, or members of a zip archive; the filtered ones before the raw ones."""
    for kind in MASKS:
        files = {int(p.stem): p for p in (folder / kind).glob("*.png") if p.stem.isdigit()}
        if files:
            return dict(files)
        for archive in sorted(folder.glob(f"*_2d-{kind}.zip")):
            with _opened(archive) as opened:
                inside = [n for n in opened.namelist() if n.endswith(".png") and Path(n).stem.isdigit()]
            return {int(Path(n).stem): (archive, n) for n in inside}
    return {}


def _mask(where: Path | tuple[Path, str] | None) -> partial[Ints] | None:
    if where is None:
        return None
    return partial(mask_numbers, where) if isinstance(where, Path) else partial(_zipped, *where)


def _opened(archive: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except zipfile.BadZipFile as error:
        raise ImportProblem(f"{archive.name} is no zip archive that can be read: {error}; copy it again") from None


def _zipped(archive: Path, member: str) -> Ints:
    with _opened(archive) as opened:
        return mask_numbers(io.BytesIO(opened.read(member)), f"{archive.name}/{member}")


IMPORTER = Scannet
