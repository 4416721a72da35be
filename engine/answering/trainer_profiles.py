"""Trainer profiles: what a trainer shows a model of a video, as data files that anybody can write.

A profile names a sampler with the trainer's own parameters, the steps of its resizing, how pixels become tokens, how
times and boxes are written, and the least that must be visible for a question to be fair. Shipped ones lie in
`profiles/` beside this file; a path ending in `.yaml` is a profile of your own. What follows for a sample is in `answerable.py`.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...schemas.boxcodec import BOX_CODECS
from ...schemas.ids import derive_id
from ...schemas.timecodec import TimeCodec, time_codec
from .resizing import Step, TokenRule
from .samplers import SAMPLERS, Indices, StreamFacts

FOLDER = Path(__file__).parent / "profiles"


class ProfileError(ValueError):
    """No such profile, or its file is wrong; the message says what to change."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VideoRule(_Part):
    """How a video becomes frames."""

    sampler: str = Field(description="Name of a sampler: llava_video, qwen_vl or llamafactory.")
    sampler_params: Mapping[str, float | int | bool] = Field(
        default_factory=dict, description="The sampler's parameters."
    )
    resize: tuple[Step, ...] = Field((), description="Steps of resizing, in order.")
    tokens: TokenRule = Field(TokenRule(), description="How pixels become tokens.")

    @model_validator(mode="after")
    def _known(self) -> VideoRule:
        if self.sampler not in SAMPLERS:
            raise ValueError(f"no sampler is called {self.sampler!r}; {_close(self.sampler, list(SAMPLERS))}")
        known = list(inspect.signature(SAMPLERS[self.sampler]).parameters)[1:]
        for name in self.sampler_params:
            if name not in known:
                raise ValueError(f"sampler {self.sampler} has no parameter {name!r}; it has {', '.join(known)}")
        return self


class StillsRule(_Part):
    """How single pictures are shown."""

    resize: tuple[Step, ...] = Field((), description="Steps of resizing, in order.")
    tokens: TokenRule = Field(TokenRule(), description="How pixels become tokens.")


class Said(_Part):
    """How the trainer's language writes times and boxes. A package brings its own instead."""

    times: Literal["seconds", "mm:ss", "relative_tokens_100", "lita100"] = Field(
        "seconds", description="How times are written."
    )
    time_decimals: int = Field(2, ge=0, le=6, description="Digits behind the point, for seconds.")
    boxes: Literal[BOX_CODECS] = Field("float01", description="How boxes are written.")  # type: ignore[valid-type]
    box_decimals: int = Field(3, ge=1, le=6, description="Digits behind the point, for float01.")

    def codec(self) -> TimeCodec:
        """The time codec."""
        return time_codec(self.times, **({"decimals": self.time_decimals} if self.times == "seconds" else {}))


class Least(_Part):
    """What a sample must show to be answerable."""

    frames: int = Field(1, ge=1, description="Frames inside each span that is asked about.")
    motion_frames: int = Field(2, ge=2, description="The same where motion must be seen.")
    object_px: float = Field(
        10.0,
        ge=0,
        description="Shorter side of what must be seen or read, after resizing; texts below 10 px are misread.",
    )
    codec_share: float = Field(
        0.5, gt=0, description="Greatest error of a written time, as a share of the span that is asked about."
    )
    reach_s: float = Field(0.5, gt=0, description="A frame speaks for this much time before and after it.")
    absent_coverage: float = Field(
        0.5, ge=0, le=1, description="Share of the window within reach of a frame, before something is called absent."
    )


class Profile(_Part):
    """What one way of training shows a model."""

    name: str = Field(description="The file's name without its ending.")
    description: str = Field("", description="For lists.")
    sources: tuple[str, ...] = Field((), description="Where each fact was read.")
    video: VideoRule
    stills: StillsRule = Field(StillsRule(), description="How single pictures are shown.")
    sound: bool = Field(False, description="Whether the model hears the sound. A package's modalities overrule it.")
    language: Said = Field(Said(), description="How times and boxes are written.")
    least: Least = Field(Least(), description="What must be visible.")

    @property
    def digest(self) -> str:
        """Digest of everything but prose, so that an edited profile makes what rests on it stale."""
        return derive_id("profile", self.model_dump(mode="json", exclude={"description", "sources"}))

    def draws(self, facts: StreamFacts) -> Indices:
        """Numbers of the frames drawn from a file. Raises ValueError for a file that the trainer cannot sample."""
        return SAMPLERS[self.video.sampler](facts, **self.video.sampler_params)

    def with_sampler(self, **changes: float | int | bool | None) -> Profile:
        """The profile with other sampler parameters; None keeps the profile's. Raises `ProfileError`."""
        given = {name: value for name, value in changes.items() if value is not None}
        if not given:
            return self
        video = self.video.model_dump() | {"sampler_params": {**self.video.sampler_params, **given}}
        try:
            return self.model_copy(update={"video": VideoRule.model_validate(video)})
        except ValidationError as error:
            raise ProfileError(f"profile {self.name}: {_said(error)}") from None


@cache
def profile_names() -> tuple[str, ...]:
    """Names of the shipped profiles."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))


def load_profile(name: str) -> Profile:
    """The shipped profile of that name, or the one in a file `*.yaml` (relative paths: from where the command runs).

    Raises `ProfileError` for an unknown name, with close ones, and for a wrong file.
    """
    if name in profile_names():
        return _read(FOLDER / f"{name}.yaml")
    if not name.endswith((".yaml", ".yml")):
        raise ProfileError(
            f"no profile is called {name!r} (one of your own is a path ending in .yaml); {_close(name, profile_names())}"
        )
    path = Path(name).expanduser()
    if not path.is_file():
        raise ProfileError(f"profile {name}: there is no such file; start from `chronotope profiles NAME --yaml`")
    return _read(path)


def _read(path: Path) -> Profile:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProfileError(f"profile {path.name}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise ProfileError(f"profile {path.name}: it must be a mapping with `video:`")
    try:
        return Profile.model_validate({"name": path.stem, **data})
    except ValidationError as error:
        raise ProfileError(f"profile {path.name}: {_said(error)}") from None


def _said(error: ValidationError) -> str:
    found = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"])
        found.append(f"{where or 'video'}: {item['msg'].removeprefix('Value error, ')}")
    return "; ".join(found)


def _close(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    return f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}"
