"""COLMAP: a folder with pictures and a sparse model, binary or text, of what was reconstructed from them.

The scale of a reconstruction is arbitrary and so is its vertical, so the scene is up to scale (`scale_status: unit`) unless the
recipe says otherwise. Distorted pictures are undistorted. Pictures have no times: they stand in order of name at a stated rate.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.folder_importing import FolderParams
from ...engine.importing import ImportNote
from ..scans.colmap_model import model_in, read_model
from ..scans.conventions import Conventions
from ..scans.importer import ScanImporter, ScanParams
from ..scans.scan import Scan


class ColmapParams(ScanParams):
    """Parameters of colmap."""

    images: str = Field("images", description="folder of the pictures, below that of the scan")
    model: str | None = Field(
        None, description="folder of the model, below that of the scan; null: sparse/0, sparse, colmap ..."
    )
    frames_per_s: float = Field(
        2.0, gt=0, description="pictures per second in the film; they have no times of their own"
    )
    scale_status: Literal["unit", "anchored"] = Field("unit", description="anchored: the model was brought to metres")
    scale_sigma: float | None = Field(
        None, ge=0, description="standard deviation of the logarithm of its scale, where anchored"
    )


class Colmap(ScanImporter[ColmapParams]):
    """Reads COLMAP models (Schönberger and Frahm 2016): poses and sparse points of pictures."""

    name: ClassVar[str] = "colmap"
    Params: ClassVar[type[FolderParams]] = ColmapParams
    needs: ClassVar[tuple[str, ...]] = ("pycolmap",)
    conventions: ClassVar[Conventions] = Conventions(pose_kind="w2c", world_up="unknown")

    def scan(self, name: str, folder: Path) -> Scan:
        """Pictures, poses and points."""
        p = self.params
        frames, mesh, bent = read_model(model_in(folder, p.model), folder / p.images, p.frames_per_s)
        notes = [
            ImportNote("times", "no_times", f"no times of pictures: taken as {p.frames_per_s:g} per second", "noted", 0)
        ]
        if bent:
            notes.append(ImportNote("pictures", "undistorted", f"{bent} pictures were undistorted", "noted", bent))
        return Scan(
            name, "colmap", self.conventions, frames, mesh, scale_status=p.scale_status,
            scale_sigma=p.scale_sigma if p.scale_status == "anchored" else None, indoor=False, notes=tuple(notes),
        )  # fmt: skip


IMPORTER = Colmap
