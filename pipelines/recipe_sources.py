"""The entries of `sources` in a recipe: plain footage, manifests, what composers make, and published annotations.

Each entry names footage in one way; what belongs to another way is an error that says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..engine.producer import RecipeError


class Manifest(BaseModel):
    """A CSV, JSONL or Parquet file with one row per video or clip."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: str = Field(description="CSV, TSV, JSONL or Parquet file; local or an object-store URI")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="our name: their column, for uri, start_s, end_s, caption, licence, group_id, official_split, origin; "
        "other columns are kept as user columns",
    )
    base: str | None = Field(
        None, description="folder or URI that relative uris start from; default: the manifest's folder"
    )
    spans: Literal["clips", "captions"] = Field(
        "clips",
        description="what a row with a span is: a clip of its own; or a caption of a part of the footage, as in annotated "
        "events (video, start, end, sentence), and the footage is cut by the clip policy",
    )


class Source(BaseModel):
    """One entry of `sources`; exactly one of videos, folder, list, manifest, compose and import."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    videos: str | tuple[str, ...] | None = Field(
        None, description="file, glob (`**` goes into folders) or URI; or several"
    )
    folder: str | None = Field(None, description="folder or URI prefix, searched for media files with its sub-folders")
    list_file: str | None = Field(None, alias="list", description="text file with one path or URI per line")
    manifest: Manifest | None = Field(None, description="table with one row per video or clip")
    composer: str | None = Field(
        None,
        alias="compose",
        description="composer that makes the media, with exact truth beside them (`chronotope composers` lists them)",
    )
    importer: str | None = Field(
        None,
        alias="import",
        description="importer that reads published annotations (`chronotope importers` lists them); the annotator `imported` "
        "writes them to their tables",
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="parameters of composer or importer"
    )
    media: str | tuple[str, ...] | None = Field(
        None, description="of an import: where the media lie that the annotations name; a glob, a folder, or several"
    )
    material: tuple[Source, ...] = Field(
        (),
        description="of a composer: footage that it may cut up, as entries of sources; what is known of it comes along",
    )
    dataset: str | None = Field(
        None, description="of a composer, instead of material: a built dataset, whose media and annotations it may use"
    )
    licence: str | None = Field(None, description="licence of all this footage")
    group_id: str | None = Field(None, description="group that must stay in one split; default: each medium by itself")
    official_split: Literal["train", "validation", "val", "dev", "test"] | None = Field(
        None, description="train, validation or test, where the footage has an official split"
    )
    origin: Literal["real", "composed", "rendered"] = Field("real", description="real, composed or rendered")

    @property
    def kinds(self) -> list[str]:
        """Which of the ways to name footage this entry uses; a good one uses one."""
        ways = {
            "videos": self.videos,
            "folder": self.folder,
            "list": self.list_file,
            "manifest": self.manifest,
            "compose": self.composer,
            "import": self.importer,
        }
        return [name for name, value in ways.items() if value is not None]


def known_sources(sources: Iterable[Source], where: str) -> None:
    """Each entry names footage in one way, and has only what belongs to that way."""
    for source in sources:
        if len(source.kinds) != 1:
            raise RecipeError(
                f"{where}: each entry of sources has exactly one of videos, folder, list, manifest, compose, import"
                + (f", not {' and '.join(source.kinds)}" if source.kinds else "")
            )
        [kind] = source.kinds
        owners = {
            "with": ("compose", "import"),
            "media": ("import",),
            "material": ("compose",),
            "dataset": ("compose",),
        }
        given = {"with": source.settings, "media": source.media, "material": source.material, "dataset": source.dataset}
        for name, value in given.items():
            if value and kind not in owners[name]:
                raise RecipeError(f"{where}: sources: `{name}:` belongs to {' or '.join(owners[name])}, not to {kind}")
        if source.material and source.dataset:
            raise RecipeError(f"{where}: sources: compose {source.composer}: name `material:` or `dataset:`, not both")
        known_sources(source.material, where)
