"""LLaVA conversation JSON, as LLaVA-NeXT, LLaVA-Video and Oryx read it: one list per split, media beside it.

The trainer replaces `<image>` by the frames that it draws by counting (profile `llava-video-64`); a literal `<video>`
would be read as words, which is why the placeholder is a parameter for the forks that want it. One video, or stills,
per sample; no sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ..packager import PROFILE, Contents, JsonList, Modality, PackagedSample, PackageParams, Packager
from ..rendering import Part

SPEAKER = {"user": "human", "assistant": "gpt"}


class Params(PackageParams):
    """Parameters of llava."""

    modalities: tuple[Modality, ...] = Field(("vision",), min_length=1, description="What the trainer shows a model.")
    video_mark: Literal["<image>", "<video>"] = Field(
        "<image>",
        description="Placeholder of a video: <image> for LLaVA-NeXT, LLaVA-Video and Oryx; forks want <video>.",
    )
    profile: str | None = Field("llava-video-64", description=PROFILE)
    video_fps: float | None = Field(None, gt=0, description="The trainer's --video_fps; default: the profile's, 1.")
    frames_upbound: int | None = Field(
        None, ge=0, description="The trainer's --frames_upbound, 0 is no bound; default: the profile's, 64."
    )
    force_sample: bool | None = Field(
        None, description="The trainer's --force_sample, always frames_upbound frames; default: the profile's, true."
    )


class Llava(Packager[Params]):
    """LLaVA conversation JSON with `id`, `video` or `image`, and `conversations`, one file per split."""

    name = "llava"
    Params = Params
    spans = "none"
    clock = "index"
    shows = ("vision",)
    masks = False

    def marks(self) -> Mapping[str, str]:
        return {"video": self.params.video_mark, "image": "<image>"}

    def sampler(self) -> Mapping[str, float | int | bool | None]:
        p = self.params
        return {"video_fps": p.video_fps, "frames_upbound": p.frames_upbound, "force_sample": p.force_sample}

    def refuses(self, parts: Sequence[Part]) -> str | None:
        videos = sum(part.kind == "video" for part in parts)
        return "one video, or stills, per sample" if videos > 1 or 0 < videos < len(parts) else None

    def write(self, samples: Iterator[PackagedSample], folder: Path, contents: Contents) -> None:
        for split, group in groupby(samples, key=lambda s: s.split):
            with JsonList(folder / f"{split}.json") as file:
                for sample in group:
                    file.add(_entry(sample))

    def usage(self, contents: Contents) -> str:
        files = ", ".join(f"`{split}.json`" for split in contents.splits) or "no files, for no sample was packaged"
        return (
            f"LLaVA conversations: {files}. Paths of `video` and `image` are relative to this folder: "
            "`--data_path train.json --video_folder . --image_folder .`. "
            f"Times are those of the packaged videos; a video's placeholder is `{self.params.video_mark}`."
        )


def _entry(sample: PackagedSample) -> dict[str, Any]:
    turns = [{"from": SPEAKER[role], "value": text} for role, text in sample.turns]
    entry: dict[str, Any] = {"id": sample.sample_id, "conversations": turns}
    videos, images = sample.files("video"), sample.files("image")
    if videos:
        entry["video"] = videos[0]
    elif images:
        entry["image"] = images[0] if len(images) == 1 else images
    return entry


PACKAGER = Llava
