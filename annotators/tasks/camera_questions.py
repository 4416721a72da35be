"""Questions about where pictures of a space were taken from and what lies where in them: VSTI-Bench and VLM-3R.

Stills of one video are shown, spread evenly over it; a question names them by their rank among those shown, and a package ships
exactly these. Things are unique in the picture that is asked about, not in the whole room.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, get_args

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ..asks.ask import Kind
from ..asks.camera_moves import Displacement, MoveDirection, PathLength, Rotation, RotationDegrees
from ..asks.camera_pairs import AboveBelow, LeftRight, NearFar, Occlusion, UpDown
from ..asks.camera_rule import PictureRule
from ..asks.camera_things import CameraDirection, CameraDistance, CameraDistanceChange, CameraKind, CameraNearest
from .space_task import SpaceParams, SpaceTask

CameraKindName = Literal[
    "cam_obj_abs_dist", "cam_obj_rel_dist", "cam_obj_dist_change", "cam_obj_direction", "obj_obj_lr", "obj_obj_ud",
    "obj_obj_above", "obj_obj_nf", "occlusion", "cam_displacement", "cam_path_length", "cam_move_dir", "cam_rotation",
    "cam_rotation_deg",
]  # fmt: skip
KINDS: dict[str, type[CameraKind]] = {
    k.name: k
    for k in (
        CameraDistance, CameraNearest, CameraDistanceChange, CameraDirection, LeftRight, UpDown, AboveBelow, NearFar, Occlusion,
        Displacement, PathLength, MoveDirection, Rotation, RotationDegrees,
    )
}  # fmt: skip


class Params(SpaceParams):
    """Parameters of camera_questions."""

    kinds: tuple[CameraKindName, ...] = Field(get_args(CameraKindName), min_length=1, description="What is asked.")
    camera: PictureRule = Field(default_factory=PictureRule, description="Margins.")


class CameraQuestions(SpaceTask[Params]):
    """Samples about stills of a medium and the cameras that took them."""

    name: ClassVar[str] = "camera_questions"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params

    def kinds(self) -> Sequence[Kind]:
        """Those that are asked for, in the order of the parameters."""
        return tuple(KINDS[name](self.params.camera) for name in self.params.kinds)


ANNOTATOR = CameraQuestions
