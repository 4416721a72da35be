"""The packager contract: what a package format declares, the parameters that all formats share, and what it writes.

A packager says what its trainer can be shown (`modalities`), whether it knows spans inside a file (`spans`) and whether
it takes times from timestamps or from counting frames (`clock`); the shared flow (`packaging.py`) selects, cuts,
renders and counts, and hands finished samples to `write`. Adding a format is adding a file to `outputs/packagers/` with
a class and `PACKAGER = TheClass` at its end.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..engine.annotator import Grade
from ..engine.answering.answerable import AUDIBLE, VISUAL
from ..engine.answering.samplers import drawn_times, stream_facts
from ..engine.answering.trainer_profiles import Profile, ProfileError, load_profile
from ..engine.plans.plan import PlanError
from ..engine.plans.policies import configured
from ..schemas.boxcodec import BOX_CODECS
from ..schemas.timecodec import time_codec
from ..schemas.timecodec_prefix import FramePrefix
from .mixture import Mixture
from .rendering import AnswerStyle, Language, LeftOut, Mark, Part, PartKind

Modality = Literal["vision", "audio"]
PROVIDES: Mapping[str, frozenset[str]] = {
    "vision": VISUAL,
    "audio": AUDIBLE,
}
"""What a sample may need, by the modality that shows it."""
PROFILE = "Trainer profile: samples that its frames do not show are left out; `chronotope profiles` lists them. null: no check."


class PackageError(ValueError):
    """A package cannot be written as asked; the message says what to change."""


class PackageParams(BaseModel):
    """Parameters that every packager has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    times: Literal["seconds", "mm:ss", "relative_tokens_100", "lita100", "llavast100"] = Field(
        "seconds", description="How times are written."
    )
    time_token: str = Field("<{k}>", description="Text of a relative token, for relative_tokens_100.")
    time_decimals: int = Field(2, ge=0, le=6, description="Digits behind the point, for seconds.")
    span_text: str | None = Field(
        None, description="A span, with {start} and {end}; by default '{start} - {end}', tokens with a space only."
    )
    frame_times: bool = Field(
        False, description="Whether the times of several stills of one medium are printed in front of them."
    )
    frames: str | None = Field(
        None,
        description="Show the frames of this stored plan: a policy of `sampling_plans`, or policy@params_hash. null: the "
        "trainer samples.",
    )
    frames_as: Literal["list", "images"] = Field(
        "list", description="Planned frames as frames.jsonl beside the videos, or as pictures in place of them."
    )
    boxes: Literal[BOX_CODECS] = Field("float01", description="How boxes are written.")  # type: ignore[valid-type]
    box_decimals: int = Field(3, ge=1, le=6, description="Digits behind the point, for float01.")
    answer: AnswerStyle = Field("letter", description="How a choice or an order is answered.")
    rationale: bool = Field(False, description="Whether answers begin with the steps that lead to them.")
    modalities: tuple[Modality, ...] = Field(("vision",), min_length=1, description="What the trainer shows a model.")
    profile: str | None = Field(None, description=PROFILE)
    tasks: tuple[str, ...] | None = Field(None, description="Only these tasks.")
    splits: tuple[str, ...] | None = Field(None, description="Only these splits.")
    seed: int = Field(0, description="Decides letters and the order of options.")
    only_passed: bool = Field(True, description="Leave out samples that no check has passed.")
    min_grade: Grade = Field("judge", description="Least true evidence: exact, two_source, model or judge (all).")
    test_min_grade: Grade = Field(
        "exact",
        description="The same for the split test, whose samples must be recomputed; exact takes reviewed ones too.",
    )
    contaminated: Literal["drop", "keep"] = Field(
        "drop", description="Samples whose footage or question stands in a registered benchmark."
    )
    shortcuts: Literal["drop", "keep"] = Field(
        "keep", description="Samples that baselines answer from the question alone and from a single frame."
    )
    needless: Literal["drop", "keep"] = Field(
        "drop",
        description="Samples whose answer another modality of this package gives without what they say they need.",
    )
    mixture: Mixture | None = Field(
        None, description="What the package should be made of: quotas, caps, repeated questions; see docs/mixtures.md."
    )
    media: Literal["cut", "copy", "link"] = Field(
        "cut", description="Cut what is shown exactly, or give whole files: copied, or linked where they lie."
    )
    max_side_px: int | None = Field(None, ge=16, description="Longest side of cut media; never enlarged.")
    fps: float | None = Field(None, gt=0, description="Frame rate of cut media; by default that of the source.")
    crf: int = Field(20, ge=0, le=51, description="H.264 quality of cut media, lower is better.")
    jpeg_quality: int = Field(90, ge=1, le=100, description="JPEG quality of stills.")

    @field_validator("frames")
    @classmethod
    def _policy(cls, frames: str | None) -> str | None:
        if frames is not None:
            try:
                configured(frames.partition("@")[0])
            except PlanError as error:
                raise ValueError(str(error)) from None
        return frames


P = TypeVar("P", bound=PackageParams)


@dataclass(frozen=True)
class PackagedSample:
    """A finished sample: its text, its files, and what is known about it."""

    sample_id: str
    split: str
    turns: tuple[tuple[str, str], ...]
    """(role, text), roles `user` and `assistant`."""
    parts: tuple[Part, ...]
    """Files in the order of their placeholders, paths inside the package."""
    facts: Mapping[str, Any]
    """Everything else, JSON values: task, answer, options, media with source spans, grade ..."""
    marks: tuple[Mark, ...] = ()
    """Times and boxes of the turns, as numbers, in reading order: for formats with lists beside the text."""

    def files(self, kind: PartKind) -> list[str]:
        """Paths of one kind of file."""
        return [part.file for part in self.parts if part.kind == kind]

    def masked(self) -> frozenset[int]:
        """Indices of the turns whose loss is masked: answers of a conversation that are only context."""
        parts = self.facts["answer"].get("parts", ())
        return frozenset(part["turn"] for part in parts if not part["trained"])

    def messages(self, mask: tuple[str, Any] | None = None) -> list[dict[str, Any]]:
        """Turns as messages; those whose loss is masked get the trainer's key and value for that."""
        masked = self.masked() if mask is not None else frozenset()
        return [
            {"role": role, "content": text, **(dict([mask]) if mask is not None and i in masked else {})}
            for i, (role, text) in enumerate(self.turns)
        ]

    def record(self) -> dict[str, Any]:
        """All of it as JSON values; a message whose loss is masked says `"loss": false`, as ms-swift reads it."""
        messages = self.messages(("loss", False))
        files = [{"kind": part.kind, "file": part.file} for part in self.parts]
        return {"sample_id": self.sample_id, "split": self.split, "messages": messages, "files": files, **self.facts}


@dataclass
class PackageReport:
    """What became of the samples. `inputs` = `packaged` + the sum of `left_out`."""

    package: str
    path: Path
    inputs: int = 0
    packaged: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    files: int = 0
    media_files: int = 0
    cuts_made: int = 0
    unchanged: bool = False
    mixture: list[dict[str, Any]] = field(default_factory=list)
    """What a mixture gave and what was asked, by split; empty without one."""
    frame_plan: dict[str, Any] = field(default_factory=dict)
    """Of planned frames: policy, parameters' hash, and by split frames and predicted visual tokens; empty without."""

    def counts(self) -> dict[str, Any]:
        """The part that the manifest keeps."""
        names = ("inputs", "packaged", "left_out", "splits", "tasks", "media_files")
        mixed = {"mixture": self.mixture} if self.mixture else {}
        planned = {"frame_plan": self.frame_plan} if self.frame_plan else {}
        return {name: getattr(self, name) for name in names} | mixed | planned

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and tables."""
        return {
            "package": self.package,
            "path": str(self.path),
            **self.counts(),
            "cuts_made": self.cuts_made,
            "unchanged": self.unchanged,
        }


@dataclass(frozen=True)
class Contents:
    """What a package will hold, known before it is written."""

    splits: Mapping[str, int]
    """Samples by split, in order."""
    kinds: Mapping[str, frozenset[str]]
    """Kinds of files that appear, by split."""
    params: Mapping[str, Any]
    counts: Mapping[str, Any]
    index: bool
    """Whether `samples.jsonl` lies beside it."""
    trust: str = ""
    """Markdown: grades, ladder and language of its samples."""


class Packager(ABC, Generic[P]):
    """Base of all package formats."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raise it when the same samples would give other bytes."""
    Params: ClassVar[type[PackageParams]] = PackageParams
    spans: ClassVar[Literal["native", "none"]] = "none"
    """Whether a row can name a part of a file, so that whole files may be given for parts of them."""
    clock: ClassVar[Literal["pts", "index"]] = "pts"
    """Whether the trainer takes times from timestamps, or counts frames (then variable rates are made constant)."""
    shows: ClassVar[tuple[Modality, ...]] = ("vision", "audio")
    """What the format and its trainer can show at all."""
    masks: ClassVar[bool] = True
    """Whether single answers of a conversation can be kept out of the loss."""
    sound_beside: ClassVar[bool] = False
    """Whether the sound of a video is a file of its own, because the trainer does not look for it in the video."""
    regions: ClassVar[bool] = False
    """Whether records carry the masks of the regions that the text names (`facts["regions"]`)."""
    keeps_media: ClassVar[bool] = True
    """Whether media stay in the package's folder `media/` (otherwise `write` has put them elsewhere)."""

    def __init__(self, params: P) -> None:
        self.params = params
        unknown = [m for m in params.modalities if m not in self.shows]
        if unknown:
            raise PackageError(
                f"packager {self.name} cannot show {', '.join(unknown)}; it shows {', '.join(self.shows)}"
            )
        try:
            self.profile = self._profile()
        except ProfileError as error:
            raise PackageError(f"packager {self.name}: {error}") from None

    def _profile(self) -> Profile | None:
        if self.params.profile is None:
            return None
        return load_profile(self.params.profile).with_sampler(**self.sampler())

    def language(self) -> Language:
        """How the trainer writes things. Raises `PackageError` for a token text without {k}."""
        p = self.params
        settings: dict[str, Any] = {}
        if p.times == "seconds":
            settings = {"decimals": p.time_decimals}
        elif p.times == "relative_tokens_100":
            settings = {"token": p.time_token}
        try:
            times = time_codec(p.times, **settings)
        except ValueError as error:
            raise PackageError(str(error)) from None
        span = p.span_text or ("{start} - {end}" if p.times in ("seconds", "mm:ss") else "{start} {end}")
        prefix = FramePrefix(p.time_decimals) if p.frame_times else None
        return Language(times, span, p.boxes, p.box_decimals, p.answer, self.marks(), prefix=prefix)

    def marks(self) -> Mapping[str, str]:
        """The trainer's placeholder of each kind of file."""
        return {"video": "<video>", "image": "<image>", "audio": "<audio>"}

    def sampler(self) -> Mapping[str, float | int | bool | None]:
        """The trainer's own sampler settings among the parameters, which overrule the profile's; None: as the profile."""
        return {}

    def drawn_s(self, video: Path) -> tuple[float, ...] | None:
        """Times of the frames that the trainer draws from a file (its own clock); None: it may show every frame.

        Raises `LeftOut` for a file that the trainer cannot sample.
        """
        if self.profile is None:
            return None
        facts = stream_facts(video)
        try:
            return drawn_times(facts, self.profile.draws(facts))
        except ValueError as error:
            raise LeftOut("unanswerable: the trainer cannot sample the video", str(error)) from None

    def refuses(self, parts: Sequence[Part]) -> str | None:
        """Why the format cannot hold a sample with these files, or None."""
        return None

    @abstractmethod
    def write(self, samples: Iterator[PackagedSample], folder: Path, contents: Contents) -> None:
        """Write the samples, which come sorted by split and identifier, into `folder`, where `media/` already lies."""

    @abstractmethod
    def usage(self, contents: Contents) -> str:
        """Markdown: what lies where, and how a trainer is pointed at it."""


def dumps(value: Any) -> str:
    """One line of JSON with sorted keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with plain line ends on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


class JsonList:
    """A JSON file that holds one list, written item by item. A context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._count = 0

    def __enter__(self) -> JsonList:
        self._file = self.path.open("w", encoding="utf-8", newline="\n")
        self._file.write("[")
        return self

    def add(self, item: Any) -> None:
        """Append one item, on a line of its own."""
        self._file.write(("," if self._count else "") + "\n" + dumps(item))
        self._count += 1

    def __exit__(self, *_: object) -> None:
        self._file.write("\n]\n")
        self._file.close()


def count_by(values: Iterator[str]) -> dict[str, int]:
    """Counts by value, sorted by value."""
    return dict(sorted(Counter(values).items()))


def card(contents: Contents) -> str:
    """Markdown about what is in the package and what was left out."""
    lines = ["| split | samples |", "|---|---|", *(f"| {k} | {n} |" for k, n in contents.splits.items()), ""]
    lines += ["| task | samples |", "|---|---|", *(f"| {k} | {n} |" for k, n in contents.counts["tasks"].items()), ""]
    lines += _mixture_lines(contents.counts.get("mixture", ()))
    lines += _planned_lines(contents)
    if contents.counts["left_out"]:
        lines += [
            "Left out, with the reason of each sample in `left_out.jsonl`:",
            "",
            "| reason | samples |",
            "|---|---|",
        ]
        lines += [*(f"| {k} | {n} |" for k, n in contents.counts["left_out"].items()), ""]
    if contents.trust:
        lines += [contents.trust]
    if contents.index:
        lines += [
            "`samples.jsonl` says of each sample where it comes from: source span, evidence grade, typed answer.",
            "",
        ]
    lines.append("`package.json` holds the parameters.")
    return "\n".join(lines) + "\n"


def _planned_lines(contents: Contents) -> list[str]:
    plan = contents.counts.get("frame_plan")
    if not plan:
        return []
    frames, tokens = (sum(split[what] for split in plan["splits"].values()) for what in ("frames", "tokens"))
    said = f"Frames follow the stored plan `{plan['policy']}`: {frames} frames, {tokens} predicted visual tokens. "
    shown = "Each is a picture of its own." if plan["shown_as"] == "images" else (
        "Videos are whole: a trainer has to draw the frames that are listed for each sample, for samples were chosen by them."
    )  # fmt: skip
    return [said + shown, ""]


def _mixture_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = [
        "The mixture, as asked and as given:",
        "",
        "| split | part | asked | share | samples |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        share = f"{row['share']:.1%}" if "share" in row else ""
        lines.append(f"| {row['split']} | {row['part']} | {row['asked']} | {share} | {row['samples']} |")
    return [*lines, ""]
