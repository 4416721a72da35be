"""LITA conversation JSON: `<image>` for the video, times as hundredths of it, `<t25> <t40>`; and its raw layout by video.

The trainer draws a hundred frames evenly and has a token for each hundredth, so a time is off by up to 1/198 of the video.
`SPLIT.json` holds conversations; `SPLIT_qa.json` holds `{video: {duration, QA: [{q, a}]}}` with seconds in angle brackets,
which LITA's own loader turns into tokens: single questions of one video only. No sound.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ..packager import Contents, JsonList, Modality, PackagedSample, PackageParams, Packager, write_text
from ..rendering import Part
from .llava import SPEAKER

MARK = "<image>"
_TOKEN = re.compile(r"<t\d{1,2}>")


class Params(PackageParams):
    """Parameters of lita."""

    modalities: tuple[Modality, ...] = Field(("vision",), min_length=1, description="What the trainer shows a model.")
    times: Literal["lita100"] = Field("lita100", description="How times are written.")
    raw: bool = Field(True, description="Whether the raw layout by video is written as well.")


class Lita(Packager[Params]):
    """LITA's conversations with time tokens, one file per split, and its layout by video."""

    name = "lita"
    Params = Params
    spans = "none"
    clock = "index"
    shows = ("vision",)
    masks = False

    def marks(self) -> Mapping[str, str]:
        return {"video": MARK, "image": MARK}

    def refuses(self, parts: Sequence[Part]) -> str | None:
        return None if [part.kind for part in parts] == ["video"] else "one video per sample"

    def write(self, samples: Iterator[PackagedSample], folder: Path, contents: Contents) -> None:
        for split, group in groupby(samples, key=lambda s: s.split):
            videos: dict[str, dict[str, Any]] = {}
            with JsonList(folder / f"{split}.json") as file:
                for sample in group:
                    turns = [{"from": SPEAKER[role], "value": text} for role, text in sample.turns]
                    file.add({"id": sample.sample_id, "video": sample.files("video")[0], "conversations": turns})
                    if self.params.raw and len(sample.turns) == 2:
                        _add(videos, sample)
            if self.params.raw:
                text = json.dumps(videos, indent=1, sort_keys=True, ensure_ascii=False)
                write_text(folder / f"{split}_qa.json", text + "\n")

    def usage(self, contents: Contents) -> str:
        files = ", ".join(f"`{split}.json`" for split in contents.splits) or "no files, for no sample was packaged"
        return (
            f"LITA conversations: {files}; paths of `video` are relative to this folder, its placeholder is `{MARK}`. Tokens "
            "`<t0>` to `<t99>` are hundredths of the packaged video: `<tk>` is k / 99 of its length. The files `*_qa.json` hold "
            "the single questions by video, times in seconds in angle brackets, as LITA's loader reads its own."
        )


def _add(videos: dict[str, dict[str, Any]], sample: PackagedSample) -> None:
    """The sample as a question and answer of its video, tokens replaced by seconds in reading order."""
    path = sample.files("video")[0]
    duration = float(sample.facts["media"][0]["duration_s"])
    entry = videos.setdefault(path, {"duration": duration, "QA": []})
    said = []
    for turn, (_, text) in enumerate(sample.turns):
        times = iter([t for mark in sample.marks if mark.turn == turn for t in mark.times])
        said.append(_TOKEN.sub(lambda _token, left=times: f"<{next(left):.2f}>", text))  # type: ignore[misc]
    entry["QA"].append({"q": said[0].replace(MARK, "").strip(), "a": said[1]})


PACKAGER = Lita
