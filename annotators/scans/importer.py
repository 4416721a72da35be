"""What all importers of scans share: from a scan as its source writes it to a film with rows, or to why it must not be used."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import Field, field_validator

from ...engine.folder_importing import FolderImporter, FolderMedium, FolderParams
from ...engine.importing import ImportNote, ImportProblem
from ...schemas.evenly import evenly
from ...schemas.span import from_us, to_us
from .categories import categories_of
from .conventions import Align, BoxAxes, BoxLengths, Conventions, DepthKind, Up
from .film import end_of, film_size, write_film
from .mending import checked
from .rows import Amounts, ScanRows
from .scan import Frame, Pixels, Scan

CONVENTIONS = (
    "pose_kind", "camera_axes", "depth_per_m", "depth_kind", "box_axes", "box_lengths", "mask_offset", "align", "world_up",
    "metres_per_unit", "intrinsics_size",
)  # fmt: skip


class ScanParams(FolderParams):
    """Parameters of importers of scans."""

    scenes: tuple[str, ...] = Field(
        description="folders of scans, or globs; relative names start from the recipe's folder"
    )
    categories: str | None = Field(
        None,
        description="YAML file with `rename` and `leave_out` instead of the carried one; relative to the recipe's folder",
    )
    failing: Literal["refuse", "note"] = Field(
        "refuse", description="a scan that fails a self-check: a failed entry of the scan, or taken with a note"
    )
    depth_maps: int = Field(100, ge=0, description="depth maps that are kept, evenly spread")
    mask_frames: int = Field(400, ge=0, description="frames whose masks become boxes, evenly spread")
    mask_side_px: int = Field(320, ge=16, description="larger side of a stored mask")
    object_points: int = Field(1000, ge=0, description="surface points kept of each object")
    scene_points: int = Field(5000, ge=0, description="surface points kept of the whole scan")
    pose_kind: Literal["c2w", "w2c"] | None = Field(
        None, description="poses are camera to world or world to camera; null: as published"
    )
    camera_axes: Literal["opencv", "opengl"] | None = Field(None, description="camera axes; null: as published")
    depth_per_m: float | None = Field(None, gt=0, description="steps of a depth map per metre; null: as published")
    depth_kind: DepthKind | None = Field(
        None, description="depth along the camera's z axis or along the ray; null: as published"
    )
    box_axes: BoxAxes | None = Field(
        None, description="rows or columns of a box's nine numbers are its axes; null: as published"
    )
    box_lengths: BoxLengths | None = Field(None, description="boxes list full or half lengths; null: as published")
    mask_offset: int | None = Field(
        None, description="taken from a mask's number to get the object's; null: as published"
    )
    align: Align | None = Field(None, description="what the scan's alignment matrix is applied to; null: as published")
    world_up: Up | None = Field(None, description="vertical axis of the source's world; null: as published")
    metres_per_unit: float | None = Field(None, gt=0, description="of mesh, boxes and poses; null: as published")
    intrinsics_size: tuple[int, int] | None = Field(
        None, description="width and height of the picture that the intrinsics are of; null: as published"
    )

    @field_validator("scenes", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


P = TypeVar("P", bound=ScanParams)


class ScanImporter(FolderImporter[P], Generic[P]):
    """Reads one layout of scans. Subclass it with `conventions` and `scan`."""

    Params: ClassVar[type[FolderParams]] = ScanParams
    needs: ClassVar[tuple[str, ...]] = ("plyfile", "embreex")
    conventions: ClassVar[Conventions] = Conventions()
    """What the layout means, as published."""
    fps: ClassVar[float] = 30.0
    """Frames per second where the layout does not tell times."""

    @abstractmethod
    def scan(self, name: str, folder: Path) -> Scan:
        """The scan as the source writes it, all frames in order of time. Raises `ImportProblem`."""

    def patterns(self) -> Sequence[str]:
        """The scans."""
        return self.params.scenes

    def read(self, name: str, folder: Path) -> FolderMedium:
        """Film and rows of a scan. Raises `ImportProblem` where it cannot be read or fails a self-check."""
        p = self.params
        scan = self.opened(name, folder)
        checks, why = checked(scan)
        notes = list(scan.notes)
        if why is not None and p.failing == "refuse":
            raise ImportProblem(why)
        if why is not None:
            notes.append(ImportNote("self-checks", "self_check", why, "noted", 0))
        video = self.video(folder)
        times = [f.t_s for f in scan.frames]
        end_s = scan.end_s if scan.end_s is not None else end_of(times, self.fps)
        end_s = from_us(to_us(end_s))
        first = scan.lens(scan.frames[0])
        size = None if video is not None else film_size(first.width, first.height, p.longest_side_px)
        amounts = Amounts(p.depth_maps, p.mask_frames, p.mask_side_px, p.object_points, p.scene_points)
        own = None if p.categories is None else self.base / p.categories
        maker = ScanRows(scan, checks, categories_of(self.name, own), size, end_s, amounts)
        rows = maker.make()
        for check in checks:
            if check.passed is None:
                notes.append(ImportNote(f"self-check {check.name}", "not_checked", check.says, "noted", 0))
        write: Callable[[Path], None] | None = None
        if size is not None:
            write = partial(_write, scan, times, end_s, size, p.crf)
        return FolderMedium(end_s, rows, (*notes, *maker.notes), write, {"scene": maker.scene_id, **scan.told})

    def opened(self, name: str, folder: Path) -> Scan:
        """The scan with what the recipe says of its conventions, and with the frames that are taken. Raises `ImportProblem`."""
        scan = self.scan(name, folder)
        said = {key: value for key in CONVENTIONS if (value := getattr(self.params, key)) is not None}
        scan = scan.read_as(replace(scan.conventions, **said))
        if not scan.frames:
            raise ImportProblem("no frame was found; is it the right folder?")
        frames = evenly(scan.frames[:: self.params.every], self.params.max_frames)
        shift = 0.0 if self.video(folder) is not None else frames[0].t_s
        return replace(scan, frames=tuple(replace(f, t_s=from_us(to_us(f.t_s - shift))) for f in frames))


def _write(scan: Scan, times: list[float], end_s: float, size: tuple[int, int], crf: int, path: Path) -> None:
    write_film((_upright(f) for f in scan.frames), times, end_s, size, crf, path)


def _upright(frame: Frame) -> Pixels:
    import numpy as np

    assert frame.picture is not None
    return np.rot90(frame.picture(), -(frame.turn_deg // 90))
