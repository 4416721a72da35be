"""LLaVA-ST: text with placeholders for times and edges of boxes, and their numbers in lists in reading order.

A question holds `<TEMP-INPUT>`, `<WIDTH-INPUT>`, `<HEIGHT-INPUT>`, an answer the OUTPUT ones: a span is two times in braces, a
box `[width height width height]`, a box at a time `time:[...]`. Numbers are shares of the window of frames `meta.split`, of
width and of height, with three decimals; they are not rounded to tokens, because the trainer weighs two neighbouring ones.
Whole files may be given: the window says which part is meant. No sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ...engine.answering.samplers import stream_facts
from ...schemas.timecodec import TimeCodecError
from ...schemas.timecodec_llavast import FrameWindow, place
from ..packager import Contents, JsonList, Modality, PackagedSample, PackageError, PackageParams, Packager
from ..rendering import Language, LeftOut, Mark, Part, Placeholders
from .llava import SPEAKER

_BOX = "[<WIDTH-{role}><HEIGHT-{role}><WIDTH-{role}><HEIGHT-{role}>]"
PLACEHOLDERS = Placeholders("<TEMP-{role}>", "{<TEMP-{role}><TEMP-{role}>}", _BOX)
AXES = {"temporal": "TEMP", "spatial_height": "HEIGHT", "spatial_width": "WIDTH"}
"""Lists by name, and the token that stands for their numbers."""
ROLES = {"input": "human", "output": "gpt"}


class Params(PackageParams):
    """Parameters of llava_st."""

    modalities: tuple[Modality, ...] = Field(("vision",), min_length=1, description="What the trainer shows a model.")
    times: Literal["llavast100"] = Field("llavast100", description="How a model writes times.")


class LlavaSt(Packager[Params]):
    """LLaVA-ST's conversations with `variables` and `meta`, one file per split."""

    name = "llava_st"
    Params = Params
    spans = "native"
    clock = "index"
    shows = ("vision",)
    masks = False

    def language(self) -> Language:
        return replace(super().language(), placeholders=PLACEHOLDERS)

    def marks(self) -> Mapping[str, str]:
        return {"video": "<video>", "image": "<image>"}

    def refuses(self, parts: Sequence[Part]) -> str | None:
        return None if [part.kind for part in parts] == ["video"] else "one video per sample"

    def drawn_s(self, video: Path) -> tuple[float, ...] | None:
        if len(stream_facts(video).times_s) < 2:
            raise LeftOut("window: fewer than two frames")
        return super().drawn_s(video)

    def write(self, samples: Iterator[PackagedSample], folder: Path, contents: Contents) -> None:
        @lru_cache(maxsize=256)
        def rate(file: str) -> tuple[float, int, int, int]:
            return file_shape(folder / file)

        for split, group in groupby(samples, key=lambda s: s.split):
            with JsonList(folder / f"{split}.json") as file:
                for sample in group:
                    file.add(_entry(sample, *rate(sample.files("video")[0])))

    def usage(self, contents: Contents) -> str:
        files = ", ".join(f"`{split}.json`" for split in contents.splits) or "no files, for no sample was packaged"
        return (
            f"LLaVA-ST conversations: {files}; paths of `video` are relative to this folder. `variables` holds the numbers of the "
            "placeholders in reading order, questions (input) and answers (output) apart; `meta.split` the first and last frame "
            "of the window that they count in, `meta.width` and `meta.height` the size in pixels."
        )


def variables(sides: Mapping[str, Sequence[Mark]], window: FrameWindow) -> dict[str, list[float]]:
    """The lists of a sample; `sides` holds the marks of `input` and `output` in reading order."""
    lists: dict[str, list[float]] = {}
    for role, marks in sides.items():
        boxes = [mark.box for mark in marks if mark.box is not None]
        lists[f"temporal_{role}_locations"] = [window.share(t) for mark in marks for t in mark.times]
        lists[f"spatial_width_{role}_locations"] = [place(x) for box in boxes for x in (box.x1, box.x2)]
        lists[f"spatial_height_{role}_locations"] = [place(y) for box in boxes for y in (box.y1, box.y2)]
    return lists


def mismatches(entry: Mapping[str, Any]) -> list[str]:
    """Where placeholders and lists of an entry differ: the number of each kind, per role, and whose turns they stand in."""
    found: list[str] = []
    for role, speaker in ROLES.items():
        said = "".join(turn["value"] for turn in entry["conversations"] if turn["from"] == speaker)
        other = "".join(turn["value"] for turn in entry["conversations"] if turn["from"] != speaker)
        for axis, token in AXES.items():
            holder, name = f"<{token}-{role.upper()}>", f"{axis}_{role}_locations"
            numbers = entry["variables"][name]
            if said.count(holder) != len(numbers):
                found.append(f"{said.count(holder)} {holder} and {len(numbers)} numbers in {name}")
            if holder in other:
                found.append(f"{holder} stands in a turn that is not of {speaker}")
            found += [f"{name} holds {x}" for x in numbers if not 0 <= x <= 1]
    return found


def _entry(sample: PackagedSample, fps: float, frames: int, width: int, height: int) -> dict[str, Any]:
    shown = sample.facts["media"][0]
    first = round(shown["shown_start_s"] * fps)
    last = min(frames, round(shown["shown_end_s"] * fps)) - 1
    try:
        window = FrameWindow(first, last, fps)
    except TimeCodecError as error:
        raise PackageError(f"sample {sample.sample_id}: {error}") from None
    sides = {role: [m for m in sample.marks if SPEAKER[m.role] == speaker] for role, speaker in ROLES.items()}
    entry = {
        "id": sample.sample_id,
        "video": sample.files("video")[0],
        "meta": {"split": window.split, "width": width, "height": height},
        "conversations": [{"from": SPEAKER[role], "value": text} for role, text in sample.turns],
        "variables": variables(sides, window),
    }
    problems = mismatches(entry)
    if problems:
        raise PackageError(f"sample {sample.sample_id}: {problems[0]}")
    return entry


def file_shape(path: Path) -> tuple[float, int, int, int]:
    """Frames per second, frames, and size of a packaged file."""
    from ...engine.media.timeline import read_timeline

    facts, shape = stream_facts(path), read_timeline(path).geometry
    assert shape is not None
    return facts.average_fps, len(facts.times_s), shape.width, shape.height


PACKAGER = LlavaSt
