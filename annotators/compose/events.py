"""What happens in a composed film, as sentences with exact spans: camera motions, movements, lettering, dissolves.

Each sentence says what a viewer sees, and all events of these kinds are listed, so that what is not listed does not happen.
Objects that stand still are no events; a moving one is described by its way over the ground, and as followed when the
camera keeps it in place. Under zoom and roll, and where two movements mix, nothing is said.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from .truth import CameraTruth, FilmTruth, ObjectTruth, TextTruth

COLUMNS = ("video", "start_s", "end_s", "caption")
_CAMERA = {
    "pan_left": "the camera pans to the left",
    "pan_right": "the camera pans to the right",
    "tilt_up": "the camera tilts up",
    "tilt_down": "the camera tilts down",
    "zoom_in": "the camera zooms in",
    "zoom_out": "the camera zooms out",
    "roll_cw": "the camera rolls clockwise",
    "roll_ccw": "the camera rolls counterclockwise",
}
_WAY = {"left": "to the left", "right": "to the right", "up": "up", "down": "down"}
_LETTERING = {"caption": "a caption", "sign": "a sign", "title": "a title"}
_SEEN_LEAST_S = 0.1
"""What is shorter cannot be seen in every frame plan."""


@dataclass(frozen=True)
class FilmEvent:
    """A sentence without a full stop, true during [start_s, end_s) on the film's clock."""

    start_s: float
    end_s: float
    text: str


def film_events(truth: FilmTruth) -> tuple[FilmEvent, ...]:
    """All events of a film, in order of time."""
    found = [event for c in truth.camera if (event := _camera(c, truth)) is not None]
    found += [event for o in truth.objects if (event := _object(o)) is not None]
    found += [_text(t) for t in truth.texts]
    found += [
        FilmEvent(t.start_s, t.end_s, "the picture dissolves into another one")
        for t in truth.transitions
        if t.kind == "dissolve"
    ]
    long = (e for e in found if e.end_s - e.start_s >= _SEEN_LEAST_S)
    return tuple(sorted(long, key=lambda e: (e.start_s, e.end_s, e.text)))


def events_csv(truth: FilmTruth, video: str) -> str:
    """The events as a manifest, one a line, about the file `video` beside it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for e in film_events(truth):
        writer.writerow((video, f"{e.start_s:.6f}", f"{e.end_s:.6f}", e.text))
    return text.getvalue()


def _camera(motion: CameraTruth, truth: FilmTruth) -> FilmEvent | None:
    if motion.kind == "static":
        return None
    whip = any(t.kind == "whip" and t.start_s == motion.start_s for t in truth.transitions)
    text = f"the camera whips {_WAY[motion.kind.partition('_')[2]]}" if whip else _CAMERA[motion.kind]
    return FilmEvent(motion.start_s, motion.end_s, text)


def _object(thing: ObjectTruth) -> FilmEvent | None:
    name = f"{thing.colour} {thing.shape}"
    if thing.world_direction not in _WAY:
        return None
    if thing.image_direction == "still":
        return FilmEvent(thing.start_s, thing.end_s, f"the camera follows {_one(name)} {_WAY[thing.world_direction]}")
    if thing.image_direction != thing.world_direction:
        return None
    return FilmEvent(thing.start_s, thing.end_s, f"{_one(name)} moves {_WAY[thing.world_direction]}")


def _text(text: TextTruth) -> FilmEvent:
    return FilmEvent(text.start_s, text.end_s, f"{_LETTERING[text.style]} reads “{text.text}”")


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
