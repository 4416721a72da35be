"""The plan of one scene and its geometry: who stands where, how the camera moves, what the picture shows.

World coordinates are frame widths (x) and frame heights (y) at zoom 1 from the point that the camera looks
at when the scene begins; y points down. Everything here is pure arithmetic on the plan, so pictures and
truth cannot disagree.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import cos, exp, pi, sin
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .drawing import Sprite, lettering, shape_mask
from .truth import Box, CameraKind

SceneKind = Literal[
    "still", "move_left", "move_right", "move_up", "move_down", "track_left", "track_right",
    "pan_left", "pan_right", "tilt_up", "tilt_down", "zoom_in", "zoom_out", "roll_cw", "roll_ccw",
    "whip_left", "whip_right", "flash", "title",
]  # fmt: skip
Join = Literal["start", "cut", "lookalike", "dissolve"]


@dataclass(frozen=True)
class Move:
    """A camera motion of constant rate during the frames [first, last); units of rate as in CameraTruth."""

    first: int
    last: int
    kind: CameraKind
    rate: float
    whip: bool = False


@dataclass(frozen=True)
class Prop:
    """A shape in the world: centre at the scene's first frame, size in frame heights, velocity per second."""

    shape: str
    colour: str
    size: float
    x: float
    y: float
    vx: float = 0.0
    vy: float = 0.0
    hero: bool = False

    @property
    def moving(self) -> bool:
        """Whether it moves over the ground."""
        return self.vx != 0 or self.vy != 0


@dataclass(frozen=True)
class Lettering:
    """Words that stand in the picture during the frames [first, last); `x` is their centre, in widths."""

    text: str
    style: Literal["caption", "sign", "title"]
    first: int
    last: int
    x: float = 0.5


@dataclass(frozen=True)
class SceneSpec:
    """One scene: `frames` frames from `first_frame` of the film.

    Its first `join_frames` dissolve in and its last `next_join_frames` dissolve away.
    """

    index: int
    kind: SceneKind
    theme: str
    texture_seed: int
    first_frame: int
    frames: int
    join: Join
    join_frames: int
    next_join_frames: int
    moves: tuple[Move, ...]
    props: tuple[Prop, ...]
    letterings: tuple[Lettering, ...]
    flash: tuple[int, int] | None = None
    zoom0: float = 1.0
    roll0_deg: float = 0.0

    @property
    def solo(self) -> tuple[int, int]:
        """The scene's own frames [first, last) in which nothing dissolves."""
        return self.join_frames, self.frames - self.next_join_frames


@dataclass(frozen=True)
class Pose:
    """Where the camera looks (world units), its scale and its clockwise turn in radians."""

    x: float
    y: float
    zoom: float
    roll: float


def pose_at(scene: SceneSpec, frame: float, fps: int) -> Pose:
    """The camera at a frame of the scene (0 is the scene's first frame)."""
    x = y = log_zoom = turn = 0.0
    for move in scene.moves:
        amount = move.rate * (min(max(frame, move.first), move.last) - move.first) / fps
        match move.kind:
            case "pan_left":
                x -= amount
            case "pan_right":
                x += amount
            case "tilt_up":
                y -= amount
            case "tilt_down":
                y += amount
            case "zoom_in":
                log_zoom += amount
            case "zoom_out":
                log_zoom -= amount
            case "roll_cw":
                turn += amount
            case "roll_ccw":
                turn -= amount
    return Pose(x, y, scene.zoom0 * exp(log_zoom), (scene.roll0_deg + turn) * pi / 180)


def frame_to_world(pose: Pose, width: int, height: int) -> NDArray[np.float64]:
    """2 x 3 matrix from picture points (pixels, corner origin) to world points (pixels at zoom 1)."""
    c, s = cos(pose.roll) / pose.zoom, sin(pose.roll) / pose.zoom
    turn = np.array([[c, -s], [s, c]])
    centre = np.array([width / 2, height / 2])
    shift = np.array([pose.x * width, pose.y * height]) - turn @ centre
    return np.column_stack([turn, shift])


def to_picture(pose: Pose, points: NDArray[np.float64], aspect: float) -> NDArray[np.float64]:
    """World points (N x 2, widths and heights) as picture points (N x 2, shares of the frame)."""
    x = (points[:, 0] - pose.x) * aspect * pose.zoom
    y = (points[:, 1] - pose.y) * pose.zoom
    c, s = cos(pose.roll), sin(pose.roll)
    return np.column_stack([0.5 + (c * x + s * y) / aspect, 0.5 - s * x + c * y])


@lru_cache(maxsize=64)
def _rim(shape: str) -> NDArray[np.float64]:
    """Points on the rim of a shape, N x 2, in sizes from its centre."""
    inside = shape_mask(shape, 96) > 0.5
    rows, columns = np.nonzero(inside)
    points = []
    for angle in np.linspace(0, 2 * pi, 72, endpoint=False):
        far = int(np.argmax((columns - 47.5) * cos(angle) + (rows - 47.5) * sin(angle)))
        points.append((columns[far] - 47.5 + 0.5 * np.sign(cos(angle)), rows[far] - 47.5 + 0.5 * np.sign(sin(angle))))
    return np.array(points) / 96


def prop_box(scene: SceneSpec, prop: Prop, frame: float, fps: int, aspect: float) -> Box:
    """Box of a prop in the picture at a frame of the scene, in shares of the frame; it may reach outside."""
    at = frame / fps
    rim = _rim(prop.shape) * prop.size
    world = np.column_stack([prop.x + prop.vx * at + rim[:, 0] / aspect, prop.y + prop.vy * at + rim[:, 1]])
    picture = to_picture(pose_at(scene, frame, fps), world, aspect)
    (x1, y1), (x2, y2) = picture.min(axis=0), picture.max(axis=0)
    return float(x1), float(y1), float(x2), float(y2)


@dataclass(frozen=True)
class PlacedText:
    """A drawn lettering, the pixel of its upper left corner and the box of its ink in shares of the frame."""

    sprite: Sprite
    left: int
    top: int
    box: Box


@lru_cache(maxsize=32)
def place_text(words: Lettering, width: int, height: int) -> PlacedText:
    """Draw words at the place of their style: captions low, signs high, titles in the middle."""
    share = {"caption": 0.115, "sign": 0.125, "title": 0.19}[words.style]
    size = max(8, round(height * share))
    while True:
        if words.style == "sign":
            sprite, ink = lettering(words.text, size, (62, 36, 18), (244, 226, 178), size // 4, (128, 84, 44))
        elif words.style == "caption":
            sprite, ink = lettering(words.text, size, (250, 250, 244), (24, 26, 34), size // 5)
        else:
            sprite, ink = lettering(words.text, size, (255, 252, 240), (46, 40, 66), size // 3, (244, 226, 178))
        if sprite.shape[1] <= width * 0.94 or size <= 8:
            break
        size -= 1
    middle = {"caption": 0.87, "sign": 0.17, "title": 0.48}[words.style]
    leftmost, rightmost = width * 0.02, width * 0.98 - sprite.shape[1]
    left = round(min(max(words.x * width - sprite.shape[1] / 2, leftmost), rightmost))
    top = round(middle * height - sprite.shape[0] / 2)
    x1, y1, x2, y2 = ink
    box = ((left + x1) / width, (top + y1) / height, (left + x2) / width, (top + y2) / height)
    return PlacedText(sprite, left, top, box)
