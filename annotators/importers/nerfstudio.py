"""nerfstudio (and instant-ngp): a folder with `transforms.json` that lists pictures, poses and intrinsics.

Poses are camera to world with OpenGL camera axes. Scale and vertical are whatever they were brought to: up to scale and unknown
unless the recipe says otherwise. Depth maps (`depth_file_path`) and points (`ply_file_path`) come along where they are listed.
"""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...engine.folder_importing import FolderParams
from ...engine.importing import ImportNote, ImportProblem
from ..scans.conventions import Conventions
from ..scans.importer import ScanImporter, ScanParams
from ..scans.lens import Lens, lens_from
from ..scans.pictures import PICTURES, depth_steps, picture, picture_size
from ..scans.ply import read_ply
from ..scans.scan import Frame, Scan
from .reading import number, read_mapping

COEFFICIENTS = ("k1", "k2", "k3", "k4", "p1", "p2")


class NerfstudioParams(ScanParams):
    """Parameters of nerfstudio."""

    file: str = Field("transforms.json", description="file of the poses, below the folder of the scan")
    frames_per_s: float = Field(
        2.0, gt=0, description="pictures per second in the film; they have no times of their own"
    )
    scale_status: Literal["unit", "anchored", "sensor"] = Field(
        "unit", description="sensor or anchored: its numbers are metres"
    )
    scale_sigma: float | None = Field(
        None, ge=0, description="standard deviation of the logarithm of its scale, where known"
    )


class Nerfstudio(ScanImporter[NerfstudioParams]):
    """Reads `transforms.json` (Tancik et al. 2023; Müller et al. 2022): poses, intrinsics, depth maps, points."""

    name: ClassVar[str] = "nerfstudio"
    Params: ClassVar[type[FolderParams]] = NerfstudioParams
    needs: ClassVar[tuple[str, ...]] = ("plyfile", "embreex")
    conventions: ClassVar[Conventions] = Conventions(camera_axes="opengl", world_up="unknown")

    def scan(self, name: str, folder: Path) -> Scan:
        """Frames, and points if there are any."""
        p = self.params
        file = folder / p.file
        if not file.is_file():
            raise ImportProblem(f"no {p.file} in {folder.name}; name the file with `file:`")
        told = read_mapping(file, "{frames: [...]}")
        listed = told.get("frames")
        if not isinstance(listed, list):
            raise ImportProblem(f"{p.file}: no list `frames`; is it a file of nerfstudio or instant-ngp?")
        frames: list[Frame] = []
        absent: list[str] = []
        bent = 0
        for about in sorted(listed, key=lambda f: str(f.get("file_path"))):
            path = _picture(folder, str(about["file_path"]))
            if path is None:
                absent.append(str(about["file_path"]))
                continue
            size, lens = _lens({**told, **about}, path)
            bent += not lens.straight
            depth = about.get("depth_file_path")
            frames.append(
                Frame(
                    str(about["file_path"]), len(frames) / p.frames_per_s, size, lens.k,
                    _matrix(about["transform_matrix"]), lens.undistorted(partial(picture, path)),
                    partial(depth_steps, folder / depth) if depth else None,
                )
            )  # fmt: skip
        notes = [
            ImportNote("times", "no_times", f"no times of pictures: taken as {p.frames_per_s:g} per second", "noted", 0)
        ]
        if absent:
            notes.append(
                ImportNote("pictures", "missing", f"not there: {', '.join(absent[:3])}", "left_out", len(absent))
            )
        if bent:
            notes.append(ImportNote("pictures", "undistorted", f"{bent} pictures were undistorted", "noted", bent))
        cloud = told.get("ply_file_path")
        mesh = read_ply(folder / cloud).mesh if cloud and (folder / cloud).is_file() else None
        steps = told.get("depth_unit_scale_factor")
        conventions = self.conventions if not steps else self._counted(1.0 / float(steps))
        return Scan(
            name, "nerfstudio", conventions, tuple(frames), mesh, scale_status=p.scale_status,
            scale_sigma=None if p.scale_status == "unit" else p.scale_sigma, indoor=False, notes=tuple(notes),
        )  # fmt: skip

    def _counted(self, depth_per_m: float) -> Conventions:
        return Conventions(camera_axes="opengl", world_up="unknown", depth_per_m=depth_per_m)


def _matrix(rows: Any) -> Any:
    made = np.eye(4)
    given = np.asarray(rows, np.float64)
    made[: given.shape[0]] = given
    return made


def _picture(folder: Path, said: str) -> Path | None:
    """The file of a frame; older files leave its suffix out."""
    path = folder / said
    if path.is_file():
        return path
    return next((p for s in PICTURES if (p := path.with_name(path.name + s)).is_file()), None)


def _lens(told: dict[str, Any], path: Path) -> tuple[tuple[int, int], Lens]:
    """Size of the picture and its lens. Raises `ImportProblem` without a focal length."""
    size = picture_size(path)
    said = number(told.get("w")) or size[0], number(told.get("h")) or size[1]
    fx = number(told.get("fl_x"))
    if fx is None:
        angle = number(told.get("camera_angle_x"))
        if angle is None:
            raise ImportProblem(f"{path.name}: neither `fl_x` nor `camera_angle_x`")
        fx = said[0] / 2 / math.tan(angle / 2)
    fy = number(told.get("fl_y")) or fx
    cx, cy = number(told.get("cx")), number(told.get("cy"))
    cx, cy = said[0] / 2 if cx is None else cx, said[1] / 2 if cy is None else cy
    x, y = size[0] / said[0], size[1] / said[1]
    k = fx * x, fy * y, cx * x, cy * y
    numbers = {name: value for name in COEFFICIENTS if (value := number(told.get(name)))}
    return size, lens_from(k, numbers, fisheye="FISHEYE" in str(told.get("camera_model", "")).upper())


IMPORTER = Nerfstudio
