"""The truth of a composed film as frozen records that survive a trip through JSON.

Times are seconds on the presentation clock (frame i is shown at i / fps), spans are half-open, boxes are x1,
y1, x2, y2 as shares of the frame with y down. Velocities are frame widths (x) and heights (y) per second. A
camera turns: "pan right" means that the camera turns right and the picture's content moves left; likewise
"roll clockwise" turns the content counter-clockwise.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Box = tuple[float, float, float, float]
Velocity = tuple[float, float]
CameraKind = Literal[
    "static", "pan_left", "pan_right", "tilt_up", "tilt_down", "zoom_in", "zoom_out", "roll_cw", "roll_ccw"
]
Direction = Literal["left", "right", "up", "down", "still", "mixed"]


class _Span(BaseModel):
    model_config = ConfigDict(frozen=True)

    start_s: float = Field(description="First moment, seconds.")
    end_s: float = Field(description="First moment after it, seconds.")


class TransitionTruth(_Span):
    """A boundary between shots (cut, dissolve) or a distractor inside a shot (flash, whip).

    A cut has start_s = end_s = the time of the first frame of the new shot.
    """

    kind: Literal["cut", "dissolve", "flash", "whip"]
    lookalike: bool = Field(False, description="Both sides share palette, texture and props.")


class ShotTruth(_Span):
    """An uncut span; the middle of a dissolve divides its two shots."""


class WordTruth(_Span):
    """A spoken word without punctuation."""

    word: str


class SpeechTruth(_Span):
    """A spoken sentence."""

    text: str


class TextTruth(_Span):
    """Lettering that stands still in the picture; the box holds its ink, without the plate."""

    text: str
    style: Literal["caption", "sign", "title"]
    box: Box


class BoxAt(BaseModel):
    """Where an object is at one moment."""

    model_config = ConfigDict(frozen=True)

    t_s: float
    box: Box


class ObjectTruth(_Span):
    """A shape while it is wholly inside the frame under one camera motion (dissolves and whips excluded).

    Under zoom and roll an object off the centre has the image direction "mixed"; its image velocity is then
    the mean.
    """

    shape: str
    colour: str
    image_direction: Direction = Field(description="Direction in the picture, after the camera's own motion.")
    world_direction: Direction = Field(description="Direction over the ground.")
    image_velocity: Velocity
    world_velocity: Velocity
    boxes: tuple[BoxAt, ...] = Field(description="Every 0.2 s and at the last frame.")


class CameraTruth(_Span):
    """One camera motion of constant rate.

    `rate` is not negative: frame widths per second (pan), frame heights per second (tilt), natural logarithm
    of the scale per second (zoom), degrees per second (roll).
    """

    kind: CameraKind
    rate: float


class FilmTruth(BaseModel):
    """All that happens in a composed film."""

    model_config = ConfigDict(frozen=True)

    fps: int
    frames: int
    duration_s: float
    width: int
    height: int
    transitions: tuple[TransitionTruth, ...]
    shots: tuple[ShotTruth, ...]
    words: tuple[WordTruth, ...]
    speech: tuple[SpeechTruth, ...]
    texts: tuple[TextTruth, ...]
    objects: tuple[ObjectTruth, ...]
    camera: tuple[CameraTruth, ...]

    def to_json(self) -> str:
        """The truth as one JSON document."""
        return self.model_dump_json(indent=1)

    @classmethod
    def from_json(cls, text: str) -> "FilmTruth":
        """Read what `to_json` wrote; raises pydantic.ValidationError for anything else."""
        return cls.model_validate_json(text)
