"""What `doctor --models` asks: tiny questions with known answers, a picture and a video of counted shapes that are drawn here.

Each is one short request. Whether a reply is right is decided by code; what it said is told as it was said.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ..engine.llm.ask import Ask, Footage, Part, Still
from ..engine.llm.prompts import Prompt
from ..schemas.ids import seeded_fraction

SIDE_PX = 448
COLOURS = {"red": (210, 40, 40), "green": (40, 160, 60), "blue": (40, 70, 210), "yellow": (235, 200, 40)}
SHAPES = ("circle", "square", "triangle")
REPLY_TOKENS = 512
"""Room for models that think before they speak."""
LONG_TEXT = "A cup stands on the table while the camera moves to the left, and somebody says that the train leaves at the hour. "


class CopiedReply(BaseModel):
    """A word and a number, copied."""

    model_config = ConfigDict(extra="forbid")
    word: str
    number: int


class SeenReply(BaseModel):
    """What is seen: how many shapes, their colour and what shapes they are."""

    model_config = ConfigDict(extra="forbid")
    count: int
    colour: str
    shape: str


COPY = Prompt(
    name="doctor_copy",
    version=1,
    about="Is a reply of a given form possible?",
    system="You copy values into JSON. Write nothing else.",
    user="Copy these values.\nword: <<word>>\nnumber: <<number>>",
)
LOOK = Prompt(
    name="doctor_look",
    version=1,
    about="Are pictures seen?",
    system="You describe what you see as JSON: `count`, how many shapes there are; `colour`, one word; `shape`, one word "
    "such as circle, square or triangle. All shapes are alike. If you see no picture, write 0 and empty texts.",
    user="How many shapes of which colour and kind are there?",
)


def copy_ask(role: str, word: str, number: int, before: str = "") -> Ask[CopiedReply]:
    """A question whose right answer is to copy; `before` is text that stands in front of it."""
    parts: tuple[Part, ...] = (f"{before}{COPY.fill(word=word, number=str(number))}",)
    return Ask(role, COPY, parts, CopiedReply, about="doctor", reply_tokens=REPLY_TOKENS)


class Scene(BaseModel):
    """What is drawn."""

    model_config = ConfigDict(frozen=True)
    count: int
    colour: str
    shape: Literal["circle", "square", "triangle"]

    def right(self, said: SeenReply) -> int:
        """How many of the three are right."""
        words = (said.colour.lower(), said.shape.lower())
        return (said.count == self.count) + (self.colour in words[0]) + (self.shape in words[1])

    def __str__(self) -> str:
        return f"{self.count} {self.colour} {self.shape}s"


def scene_of(*seed: Any) -> Scene:
    """A scene drawn by lot, so that it cannot be guessed."""
    lot = [seeded_fraction("doctor", *seed, what) for what in ("count", "colour", "shape")]
    return Scene(
        count=2 + int(lot[0] * 3), colour=[*COLOURS][int(lot[1] * len(COLOURS))], shape=SHAPES[int(lot[2] * 3)]
    )


def look_ask(role: str, scene: Scene, video: bool = False) -> Ask[SeenReply]:
    """A question about a picture (or a video of two seconds) of the scene."""
    part = (
        Footage(_video(scene), 2.0, "the video")
        if video
        else Still(_jpeg(scene), SIDE_PX, SIDE_PX, "the picture", t_s=0.0)
    )
    return Ask(role, LOOK, (part, LOOK.user), SeenReply, about="doctor", reply_tokens=REPLY_TOKENS)


def picture(scene: Scene) -> Any:
    """uint8 [448, 448, 3] rgb: the shapes in a row of two, on light grey."""
    import cv2
    import numpy as np

    canvas = np.full((SIDE_PX, SIDE_PX, 3), 225, np.uint8)
    colour, half = COLOURS[scene.colour], SIDE_PX // 6
    for n in range(scene.count):
        x, y = SIDE_PX // 4 + n % 2 * SIDE_PX // 2, SIDE_PX // 4 + n // 2 * SIDE_PX // 2
        if scene.shape == "circle":
            cv2.circle(canvas, (x, y), half, colour, -1, cv2.LINE_AA)
        elif scene.shape == "square":
            cv2.rectangle(canvas, (x - half, y - half), (x + half, y + half), colour, -1)
        else:
            corners = np.array([(x, y - half), (x - half, y + half), (x + half, y + half)])
            cv2.fillPoly(canvas, [corners], colour, cv2.LINE_AA)
    return canvas


@cache
def _jpeg(scene: Scene) -> bytes:
    import cv2

    done, data = cv2.imencode(".jpg", picture(scene)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    return bytes(data)


@cache
def _video(scene: Scene) -> bytes:
    import io

    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=4)
        stream.width, stream.height, stream.pix_fmt = SIDE_PX, SIDE_PX, "yuv420p"
        for _ in range(8):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(scene), format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()
