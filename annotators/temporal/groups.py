"""Which samples must stay together, and the split that each group falls into.

Footage belongs together when its manifest says so, when it holds near duplicates, when one is an edit of
the other, or when a sample shows both or shares a pair with one that does (footage that is only told in words is not shown). A group's split is the official
one of its media, else a seeded hash of the group, so that adding other footage moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ...engine.annotator import Grain as GrainName
from ...engine.annotator import Params, Row, Rows, Stage, Unit, UnitAnnotator
from ...schemas.ids import seeded_fraction
from .union import Components

SPLITS = ("train", "validation", "test")
_OTHER_NAMES = {"training": "train", "val": "validation", "valid": "validation", "dev": "validation", "testing": "test"}


class GroupsParams(Params):
    """Parameters of `groups`."""

    train: float = Field(default=0.9, ge=0, le=1, description="share of groups for training")
    validation: float = Field(default=0.05, ge=0, le=1, description="share of groups for validation")
    test: float = Field(default=0.05, ge=0, le=1, description="share of groups for testing")
    on_conflict: Literal["error", "strictest"] = Field(
        default="error",
        description="official splits that contradict each other inside a group: an error that names "
        "two media, or "
        "the whole group goes to the strictest of them (test before validation before train)",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train, validation and test are shares of one whole, but add up to {total:g}")
        return self


class Groups(UnitAnnotator[GroupsParams]):
    """Writes `groups`: one row per sample."""

    name: ClassVar[str] = "groups"
    version: ClassVar[int] = 2
    Params: ClassVar[type[Params]] = GroupsParams
    reads: ClassVar[tuple[str, ...]] = ("samples", "media", "duplicates", "edits")
    optional_reads: ClassVar[tuple[str, ...]] = ("duplicates", "edits")
    writes: ClassVar[tuple[str, ...]] = ("groups",)
    stage: ClassVar[Stage] = "task"
    grain: ClassVar[GrainName] = "corpus"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Group and split of every sample. Raises `ValueError` for contradictory official splits."""
        groups = footage_groups(rows["media"], rows["duplicates"], rows["edits"], rows["samples"])
        split = splits_of(groups, rows["media"], self.params, unit.seed)
        made: list[Row] = []
        for sample in sorted(rows["samples"], key=lambda s: str(s["sample_id"])):
            media_id = str(sample["media"][0]["media_id"])
            group = groups.name(media_id)
            row = {"sample_id": sample["sample_id"], "media_id": media_id, "group_id": group, "split": split(group)}
            made.append(("groups", row))
        return made


def splits_of(
    groups: Components, media: Iterable[dict[str, Any]], params: GroupsParams, seed: int
) -> Callable[[str], str]:
    """From a group's name to its split: the official one of its media, else drawn by hash.

    Raises `ValueError` for official splits that contradict each other inside a group (see `on_conflict`).
    """
    official = _official(groups, media, params)

    def split(group: str) -> str:
        if group in official:
            return official[group]
        fraction = seeded_fraction("split", group, seed)
        if fraction < params.test:
            return "test"
        return "validation" if fraction < params.test + params.validation else "train"

    return split


def _official(groups: Components, media: Iterable[dict[str, Any]], params: GroupsParams) -> dict[str, str]:
    found: dict[str, tuple[str, str]] = {}
    for row in sorted(media, key=lambda m: str(m["media_id"])):
        if not row["official_split"]:
            continue
        title = str(row["title"] or row["media_id"])
        split, group = _split_named(str(row["official_split"]), title), groups.name(str(row["media_id"]))
        before = found.setdefault(group, (split, title))
        if before[0] == split:
            continue
        if params.on_conflict == "error":
            raise ValueError(
                f"{before[1]} is officially in {before[0]} and {title} in {split}, but they belong together (same "
                "group, near duplicates, or one is an edit of the other); correct official_split in the manifest, "
                "or set splits: {on_conflict: strictest}"
            )
        found[group] = max(before, (split, title), key=lambda s: SPLITS.index(s[0]))
    return {group: split for group, (split, _) in found.items()}


def footage_groups(
    media: Iterable[dict[str, Any]],
    duplicates: Iterable[dict[str, Any]],
    edits: Iterable[dict[str, Any]],
    samples: Iterable[dict[str, Any]],
) -> Components:
    """Media that must stay in one split, as components named by their smallest media_id."""
    groups = Components()
    first: dict[tuple[str, str], str] = {}

    def together(kind: str, key: Any, media_id: str) -> None:
        groups.join(first.setdefault((kind, str(key)), media_id), media_id)

    for row in media:
        together("group", row["group_id"] or row["media_id"], str(row["media_id"]))
    for row in duplicates:
        together("duplicate", row["duplicate_group"], str(row["media_id"]))
    for row in edits:
        if row["source_media_id"]:
            groups.join(str(row["source_media_id"]), str(row["media_id"]))
    for row in samples:
        shown = [str(m["media_id"]) for m in row["media"] if m.get("kind") != "text"]
        for media_id in shown:
            groups.join(shown[0], media_id)
            if row["pair_id"]:
                together("pair", row["pair_id"], media_id)
    return groups


def _split_named(name: str, title: str) -> str:
    low = name.strip().lower()
    split = _OTHER_NAMES.get(low, low)
    if split not in SPLITS:
        raise ValueError(f"{title}: official_split {name!r} is unknown; use {', '.join(SPLITS)}")
    return split


ANNOTATOR = Groups
