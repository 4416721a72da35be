"""Recipes: the YAML file that says which footage, which annotators, which clips, which tasks and which packages.

Reading a recipe checks its shape and names the place of each mistake with what was probably meant; `graph()` builds and
connects its producers. Environment variables are written `${NAME}` and expanded last, so that stored recipes keep no secrets.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..engine.graph import Graph, Outside, build_graph
from ..engine.producer import ProducerSpec, RecipeError
from ..engine.task import Task

RESERVED = ("as", "from")
SECTIONS = ("annotate", "enrich", "tasks")
STAGE_OF = {"annotate": "annotate", "enrich": "enrich", "tasks": "task"}


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


class Source(BaseModel):
    """One entry of `sources`; exactly one of videos, folder, list and manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    videos: str | tuple[str, ...] | None = Field(
        None, description="file, glob (`**` goes into folders) or URI; or several"
    )
    folder: str | None = Field(None, description="folder or URI prefix, searched for media files with its sub-folders")
    list_file: str | None = Field(None, alias="list", description="text file with one path or URI per line")
    manifest: Manifest | None = Field(None, description="table with one row per video or clip")
    licence: str | None = Field(None, description="licence of all this footage")
    group_id: str | None = Field(None, description="group that must stay in one split; default: each medium by itself")
    official_split: str | None = Field(
        None, description="train, validation or test, where the footage has an official split"
    )
    origin: str = Field("real", description="real, composed or rendered")


class RecipeModel(BaseModel):
    """The sections of a recipe file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(description="name of the recipe; the dataset root defaults to ./<name>.chronotope")
    description: str = Field("", description="what it is for")
    seed: int = Field(0, description="seed of every arbitrary choice")
    sources: tuple[Source, ...] = Field(description="where the footage lies")
    annotate: tuple[Any, ...] = Field((), description="producers over every medium")
    clips: dict[str, Any] | str = Field("whole", description="clip policy, or its parameters (see annotator `clips`)")
    select: dict[str, str] = Field(default_factory=dict, description="named SQL conditions on the clip view, in order")
    enrich: tuple[Any, ...] = Field((), description="producers over kept clips")
    tasks: tuple[Any, ...] = Field((), description="tasks that write samples")
    splits: dict[str, Any] = Field(default_factory=dict, description="parameters of annotator `groups`")
    package: tuple[Any, ...] = Field((), description="packages to write, one packager each")

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", value):
            raise ValueError("a recipe's name is letters, digits, '_', '.' and '-'")
        return value


class Recipe:
    """A recipe read from a file, with its producers."""

    def __init__(self, model: RecipeModel, text: str, folder: Path) -> None:
        self.model, self.text, self.folder = model, text, folder

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a recipe file, or a built-in recipe by its name. Raises `RecipeError`."""
        file = find_recipe(path)
        text = file.read_text()
        return cls.parse(text, file.parent, str(file))

    @classmethod
    def parse(cls, text: str, folder: Path, where: str = "recipe") -> Recipe:
        """Parse the text of a recipe. Raises `RecipeError` with line numbers for YAML mistakes."""
        try:
            data = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise RecipeError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from None
        if not isinstance(data, dict):
            raise RecipeError(f"{where}: a recipe is a mapping with name, sources, annotate ...; see `chronotope init`")
        data = _known_sections(data, where)
        try:
            model = RecipeModel.model_validate(expand(data, where))
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise RecipeError(f"{where}: {problems}") from None
        for source in model.sources:
            given = [k for k in ("videos", "folder", "list_file", "manifest") if getattr(source, k) is not None]
            if len(given) != 1:
                raise RecipeError(f"{where}: each entry of sources has exactly one of videos, folder, list, manifest")
        return cls(model, text, folder)

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def scan_name(self) -> str:
        """Producer of this recipe's `sources` rows."""
        return f"sources:{self.name}"

    @property
    def select_name(self) -> str:
        """Producer of this recipe's `selection` rows."""
        return f"select:{self.name}"

    @cached_property
    def specs(self) -> tuple[ProducerSpec, ...]:
        """Every producer: those that each recipe has (probe, clips, groups) and those that it lists."""
        clips = {"policy": self.model.clips} if isinstance(self.model.clips, str) else dict(self.model.clips)
        specs = [self._spec({"probe": {}}, "annotate"), self._spec({"clips": clips}, "annotate")]
        for section in SECTIONS:
            for entry in getattr(self.model, section):
                specs.append(self._spec(entry, section))
        if self.model.tasks:
            specs.append(self._spec({"verdicts": self._checking(specs)}, "tasks"))
            specs.append(self._spec({"groups": self.model.splits}, "tasks"))
        return tuple(specs)

    def _checking(self, specs: Iterable[ProducerSpec]) -> dict[str, Any]:
        """Parameters of `verdicts`: which task wrote what, and how true each producer's rows are."""
        built = [(spec, spec.build()) for spec in specs]
        return {
            "tasks": {
                spec.name: {"annotator": spec.annotator, "params": dict(spec.params), "folder": spec.folder}
                for spec, annotator in built
                if isinstance(annotator, Task)
            },
            "grades": {spec.name: type(annotator).grade for spec, annotator in built},
        }

    def _spec(self, entry: Any, section: str) -> ProducerSpec:
        name, given = _entry(entry, section)
        params = {k: v for k, v in given.items() if k not in RESERVED}
        sources = given.get("from", {})
        if not isinstance(sources, Mapping):
            raise RecipeError(
                f"{section}: {name}: `from:` maps tables to producers, for example `from: {{speech: subtitles}}`"
            )
        fixed = {t: (p,) if isinstance(p, str) else tuple(p) for t, p in sources.items()}
        default_name = name.rpartition(":")[2] if ".py:" in name else name
        return ProducerSpec(
            name=str(given.get("as", default_name)),
            annotator=name,
            params=params,
            stage=STAGE_OF[section],  # type: ignore[arg-type]
            sources=fixed,
            folder=str(self.folder),
            seed=self.model.seed,
        )

    @cached_property
    def graph(self) -> Graph:
        """Producers, built and connected. Raises `RecipeError`."""
        outside = (
            Outside(self.scan_name, ("sources",), "annotate"),
            Outside(self.select_name, ("selection",), "enrich"),
        )
        return build_graph(self.specs, outside)

    @property
    def packages(self) -> list[tuple[str, dict[str, Any]]]:
        """(packager, parameters) of each package."""
        return [_entry(entry, "package") for entry in self.model.package]


def _entry(entry: Any, section: str) -> tuple[str, dict[str, Any]]:
    if isinstance(entry, str):
        return entry, {}
    if isinstance(entry, dict) and len(entry) == 1:
        name, params = next(iter(entry.items()))
        if params is None:
            return str(name), {}
        if isinstance(params, dict):
            return str(name), dict(params)
    raise RecipeError(f"{section}: write each entry as `- name` or `- name: {{parameter: value}}`, not {entry!r}")


def _known_sections(data: dict[str, Any], where: str) -> dict[str, Any]:
    known = list(RecipeModel.model_fields)
    for key in data:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"sections are {', '.join(known)}"
            raise RecipeError(f"{where}: unknown section {key!r}; {hint}")
    for required in ("name", "sources"):
        if not data.get(required):
            raise RecipeError(f"{where}: the section {required!r} is missing or empty")
    return {k: v for k, v in data.items() if v is not None}


def expand(value: Any, where: str) -> Any:
    """Replace `${NAME}` in texts by environment variables. Raises `RecipeError` for one that is not set."""
    if isinstance(value, str):

        def put(match: re.Match[str]) -> str:
            if match[1] not in os.environ:
                raise RecipeError(f"{where}: environment variable {match[1]} is not set")
            return os.environ[match[1]]

        return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", put, value)
    if isinstance(value, Mapping):
        return {k: expand(v, where) for k, v in value.items()}
    if isinstance(value, Iterable):
        return [expand(v, where) for v in value] if isinstance(value, (list, tuple)) else value
    return value


def builtin_recipes() -> dict[str, Path]:
    """Name -> file of the recipes that Chronotope carries."""
    return {p.stem: p for p in sorted((Path(__file__).parent / "recipes").glob("*.yaml"))}


def find_recipe(path: str | Path) -> Path:
    """A recipe file by path, or a built-in one by name. Raises `RecipeError` with close names."""
    file = Path(path)
    if file.is_file():
        return file.resolve()
    carried = builtin_recipes()
    if str(path) in carried:
        return carried[str(path)]
    here = [str(p) for p in sorted(Path.cwd().glob("*.y*ml"))]
    close = difflib.get_close_matches(str(path), [*here, *carried, *(Path(h).name for h in here)], n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "write one with `chronotope init FOLDER-or-CSV`"
    raise RecipeError(f"no recipe {path}; {hint}")
