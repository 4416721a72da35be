"""LLaMA-Factory: one sharegpt JSON list per split and the `dataset_info.json` that registers them.

The trainer opens whole files, draws frames by counting (profile `llamafactory-128`) and refuses a sample whose number of
placeholders is not its number of files. It does not look for sound in a video, so with the modality audio the sound of
a sample that needs it is a file of its own, marked `<audio>` behind its `<video>`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import Field

from ..packager import PROFILE, Contents, JsonList, PackagedSample, PackageParams, Packager
from ..rendering import PartKind

COLUMNS: tuple[tuple[PartKind, str], ...] = (("video", "videos"), ("image", "images"), ("audio", "audios"))


class Params(PackageParams):
    """Parameters of llamafactory."""

    dataset: str = Field("chronotope", min_length=1, description="Name in dataset_info.json, before the split.")
    profile: str | None = Field("llamafactory-128", description=PROFILE)
    video_fps: float | None = Field(None, gt=0, description="The trainer's video_fps; default: the profile's, 2.")
    video_maxlen: int | None = Field(None, ge=1, description="The trainer's video_maxlen; default: the profile's, 128.")


class LlamaFactory(Packager[Params]):
    """LLaMA-Factory's `messages` with `videos`, `images` and `audios`, one file per split, and `dataset_info.json`."""

    name = "llamafactory"
    Params = Params
    spans = "none"
    clock = "index"
    sound_beside = True

    def sampler(self) -> Mapping[str, float | int | bool | None]:
        return {"video_fps": self.params.video_fps, "video_maxlen": self.params.video_maxlen}

    def write(self, samples: Iterator[PackagedSample], folder: Path, contents: Contents) -> None:
        info: dict[str, Any] = {}
        for split, group in groupby(samples, key=lambda s: s.split):
            columns = [(kind, column) for kind, column in COLUMNS if kind in contents.kinds[split]]
            with JsonList(folder / f"{split}.json") as file:
                for sample in group:
                    messages = sample.messages(("loss_weight", 0.0))
                    file.add({"messages": messages, **{column: sample.files(kind) for kind, column in columns}})
            info[f"{self.params.dataset}_{split}"] = {
                "file_name": f"{split}.json",
                "formatting": "sharegpt",
                "columns": {"messages": "messages", **{column: column for _, column in columns}},
                "tags": {
                    "role_tag": "role",
                    "content_tag": "content",
                    "user_tag": "user",
                    "assistant_tag": "assistant",
                },
            }
        text = json.dumps(info, indent=2, sort_keys=True, ensure_ascii=False)
        (folder / "dataset_info.json").write_text(text + "\n", encoding="utf-8", newline="\n")

    def usage(self, contents: Contents) -> str:
        names = ", ".join(f"`{self.params.dataset}_{split}`" for split in contents.splits) or "none"
        kept = ""
        if self.profile is not None:
            flags = " and ".join(f"`{name}: {value:g}`" for name, value in self.profile.video.sampler_params.items())
            kept = f"Keep {flags}: samples whose answer those frames would miss were left out. "
        return (
            f"LLaMA-Factory data sets: {names}. Point the trainer here with `dataset_dir: <this folder>` and "
            f"`media_dir: <this folder>`. {kept}Times are those of the packaged videos. A `loss_weight` of 0 marks answers "
            "of a conversation that are only context: the trainer's v1 reads it; the classic one trains them too, unless "
            "`mask_history: true` keeps it to the last answer."
        )


PACKAGER = LlamaFactory
