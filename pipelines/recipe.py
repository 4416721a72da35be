"""Recipes: the YAML file that says which footage, which annotators, which clips, which tasks and which packages.

Reading a recipe checks its shape and names the place of each mistake with what was probably meant; `graph` builds and
connects its producers, `check` tries rules and packages. Environment variables are written `${NAME}` and expanded last, so
that stored recipes keep no secrets; only in `sources` they become part of what is stored, because they name places.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..engine.annotator import Annotator
from ..engine.configured import configured_of
from ..engine.graph import Graph, Outside, build_graph
from ..engine.producer import ProducerSpec, RecipeError, explain
from ..engine.registry import UnknownName, builtin_files, find
from ..engine.select import check_rules
from ..engine.task import Task
from ..engine.variables import UnsetVariable, expand, hide, settle, values_of
from .recipe_models import read_models
from .recipe_sources import Source, known_sources

RESERVED = ("as", "from")
SECTIONS = ("annotate", "enrich", "tasks")
STAGE_OF = {"annotate": "annotate", "enrich": "enrich", "tasks": "task"}
LISTS = {
    "sources": "folder: footage",
    "annotate": "shots",
    "enrich": "mirror",
    "tasks": "frame_order",
    "package": "llava: {times: seconds}",
}
MAPPINGS = {
    "select": "length: duration_s > 2",
    "splits": "train: 0.9",
    "checks": "ladder: {folds: 5}",
    "models": "writer: {base_url: http://host:8000/v1, model: NAME}",
    "budget": "requests: 1000",
}


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
    checks: dict[str, Any] = Field(
        default_factory=dict,
        description="what measures the samples, on by default: parameters of an annotator of annotators/checks, or false",
    )
    models: dict[str, Any] = Field(
        default_factory=dict,
        description="language models by role (captioner, writer, judge, blind ...): settings of an endpoint, or another role's name",
    )
    budget: dict[str, Any] = Field(
        default_factory=dict, description="what one build may spend on them: requests, tokens, money"
    )
    package: tuple[Any, ...] = Field((), description="packages to write, one packager each")

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", value):
            raise ValueError("a recipe's name is letters, digits, '_', '.' and '-'")
        return value


class Recipe:
    """A recipe read from a file, with its producers."""

    def __init__(self, model: RecipeModel, text: str, folder: Path, written: Mapping[str, Any] | None = None) -> None:
        self.model, self.text, self.folder = model, text, folder
        self._written = written or {}
        """The sections as they stand in the file, variables unexpanded."""
        self.models = read_models(self._written.get("models", {}), self._written.get("budget", {}))
        """The language models that may be asked, by role."""
        plain = {k: v for k, v in self._written.items() if k not in ("sources", "models")}
        self.variables = {**self.models.variables, **values_of(plain)}
        """Values of the environment variables that must never be stored or shown."""

    def hide(self, text: str) -> str:
        """A text in which values of environment variables are replaced by their names."""
        return str(hide(text, self.variables))

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
            data = yaml.load(text, Loader=_Loader)
        except yaml.YAMLError as error:
            said = " ".join(str(error).replace('in "<unicode string>", ', "in ").split())
            raise RecipeError(f"{where}: not valid YAML: {said}") from None
        if not isinstance(data, dict):
            raise RecipeError(f"{where}: a recipe is a mapping with name, sources, annotate ...; see `chronotope init`")
        data = settle(_known_sections(data, where))
        _known_shapes(data, where)
        try:
            asked = {k: data[k] for k in ("models",) if k in data}
            rest = {k: v for k, v in data.items() if k not in asked}
            model = RecipeModel.model_validate(expand(rest, {}) | asked)
            recipe = cls(model, text, folder, data)
        except RecipeError as error:
            raise RecipeError(f"{where}: {error}") from None
        except UnsetVariable as error:
            raise RecipeError(f"{where}: {error}") from None
        except ValidationError as error:
            raise RecipeError(f"{where}: {explain(error, RecipeModel, data)}") from None
        known_sources(model.sources, where)
        return recipe

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
        clips = self._written.get("clips", self.model.clips)
        clips = {"policy": clips} if isinstance(clips, str) else dict(clips)
        specs = [self._spec({"probe": {}}, "annotate"), self._spec({"clips": clips}, "annotate")]
        splits = self._written.get("splits", {})
        if self.model.tasks:
            specs.append(self._own({"footage_groups": splits}))
        for section in SECTIONS:
            for entry in self._written.get(section, ()):
                spec = self._spec(entry, section)
                _right_section(spec, section)
                specs.append(spec)
        plain = [spec for spec in specs if not _runs_tasks(spec)]
        specs = [self._told(spec, plain) for spec in specs]
        if self.model.tasks:
            checking = self._checking(specs)
            specs.append(self._own({"verdicts": checking}))
            if any(_looks_at_all(spec) for spec in specs):
                specs.append(self._own({"corpus_verdicts": checking}))
            specs.append(self._own({"groups": splits}))
            specs += [self._told(spec, specs) for spec in self._checks()]
        return tuple(specs)

    def _told(self, spec: ProducerSpec, specs: Iterable[ProducerSpec]) -> ProducerSpec:
        """A producer that runs other tasks' code is told how these are configured."""
        if not _runs_tasks(spec):
            return spec
        return replace(spec, params={**spec.params, "configured": configured_of((s, s.build()) for s in specs)})

    def _checks(self) -> list[ProducerSpec]:
        """Producers that measure the samples: the built-in ones unless they are false, and those that a recipe adds."""
        roles = set(self._written.get("models", {}))
        asking: dict[str, Any] = {
            name: {} for name in model_checks() if (needs := _roles_by_default(name)) and needs <= roles
        }
        entries: dict[str, Any] = (
            {name: {} for name in builtin_checks() if not getattr(find("annotator", name), "on_request", False)}
            | asking
            | dict(self._written.get("checks", {}))
        )
        known = [*builtin_checks(), *model_checks()]
        for name, params in entries.items():
            if not (params is None or params is False or params is True or isinstance(params, dict)):
                raise RecipeError(f"checks: {name}: write its parameters as a mapping, or false to leave it out")
            if name not in known and ".py:" not in name:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"checks are {', '.join(known)}"
                raise RecipeError(f"checks: unknown check {name!r}; {hint}")
        wanted = {n: p if isinstance(p, dict) else {} for n, p in entries.items() if p is not False}
        return [self._own({name: params}) for name, params in wanted.items()]

    def _own(self, entry: dict[str, Any]) -> ProducerSpec:
        """A producer that every recipe with tasks has: it looks at this recipe's samples and is named after it, so that
        recipes of one root do not replace each other's rows.
        """
        spec = self._spec(entry, "tasks")
        return replace(spec, name=f"{spec.name}:{self.name}")

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
        name = expand(name, {})
        params = {k: v for k, v in given.items() if k not in RESERVED}
        called = given.get("as", name.rpartition(":")[2] if ".py:" in name else name)
        if not isinstance(called, str) or not re.fullmatch(r"[\w.-]+", called):
            raise RecipeError(f"{section}: {name}: `as:` gives a producer a name of letters, digits, '_', '.' and '-'")
        sources = given.get("from", {})
        if not isinstance(sources, Mapping):
            raise RecipeError(
                f"{section}: {name}: `from:` maps tables to producers, for example `from: {{speech: subtitles}}`"
            )
        fixed = {t: (p,) if isinstance(p, str) else tuple(p) for t, p in sources.items()}
        return ProducerSpec(
            name=called,
            annotator=name,
            params=params,
            stage=STAGE_OF[section],  # type: ignore[arg-type]
            sources=fixed,
            folder=str(self.folder),
            seed=self.model.seed,
            variables=values_of(params),
            models=self.models.roles,
            without=self.models.missing,
        )

    @cached_property
    def graph(self) -> Graph:
        """Producers, built and connected. Raises `RecipeError`."""
        outside = (
            Outside(self.scan_name, ("sources",), "annotate"),
            Outside(self.select_name, ("selection",), "enrich"),
            Outside("benchmarks", ("benchmarks",), "annotate"),
        )
        return build_graph(self.specs, outside)

    @property
    def before_selection(self) -> list[str]:
        """Names of the producers whose rows the selection may look at."""
        return [p.name for p in self.graph.producers if p.stage == "annotate"]

    @property
    def packages(self) -> list[tuple[str, dict[str, Any]]]:
        """(packager, parameters) of each package."""
        return [_entry(entry, "package") for entry in self.model.package]

    def check(self) -> None:
        """Try what comes last before anything is worked on: rules of `select` and packages. Raises `RecipeError`."""
        check_rules(self.model.select)
        for number, (name, given) in enumerate(self.packages):
            try:
                kind = find("packager", name, relative_to=self.folder)
                params = kind.Params.model_validate({k: v for k, v in given.items() if k != "as"})
            except UnknownName as error:
                raise RecipeError(f"package: {error}") from None
            except ValidationError as error:
                template = _entry(self._written["package"][number], "package")[1]
                raise RecipeError(f"package {name}: {self.hide(explain(error, kind.Params, template))}") from None
            if params.frames is not None and not self.graph.writers("sampling_plans"):
                policy = params.frames.partition("@")[0]
                raise RecipeError(
                    f"package {name}: `frames: {params.frames}` shows stored plans, which nothing in the recipe writes; add "
                    f"`- sampling_plans: {{plans: [{policy}]}}` to annotate"
                )


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


def _known_shapes(data: dict[str, Any], where: str) -> None:
    """Lists where lists belong, mappings where mappings belong, each with an example of how to write it."""
    for section, example in LISTS.items():
        if not isinstance(data.get(section, []), list):
            raise RecipeError(f"{where}: {section} is a list, one `- entry` a line, for example `- {example}`")
    for section, example in MAPPINGS.items():
        if not isinstance(data.get(section, {}), dict):
            raise RecipeError(f"{where}: {section} is a mapping, one `name: value` a line, for example `{example}`")
    for number, entry in enumerate(data["sources"], start=1):
        if not isinstance(entry, dict):
            raise RecipeError(
                f"{where}: sources, entry {number}: say what {entry!r} is, for example `- folder: {entry}`"
            )


def _right_section(spec: ProducerSpec, section: str) -> None:
    """Tasks stand under `tasks`, composers under `enrich`, and nothing else under `tasks`."""
    try:
        thing = find("annotator", spec.annotator, relative_to=Path(spec.folder))
    except UnknownName:
        return  # building the producer says so with close names
    is_class = isinstance(thing, type) and issubclass(thing, Annotator)
    stage = thing.stage if is_class else "annotate"
    is_task = is_class and issubclass(thing, Task)
    if is_task != (section == "tasks") or (stage == "enrich" and section == "annotate"):
        right = "tasks" if is_task else stage
        raise RecipeError(f"{section}: {spec.annotator} does not belong here; write it under `{right}:`")


def _looks_at_all(spec: ProducerSpec) -> bool:
    """Whether a producer is a task of grain corpus."""
    thing = find("annotator", spec.annotator, relative_to=Path(spec.folder))
    return isinstance(thing, type) and issubclass(thing, Task) and thing.grain == "corpus"


def _runs_tasks(spec: ProducerSpec) -> bool:
    """Whether a producer has the parameter `configured`: the recipe's tasks, whose code it runs on their samples."""
    try:
        thing = find("annotator", spec.annotator, relative_to=Path(spec.folder))
    except UnknownName:
        return False  # building the producer says so with close names
    return isinstance(thing, type) and issubclass(thing, Annotator) and "configured" in thing.Params.model_fields


def builtin_checks() -> list[str]:
    """Names of the annotators that measure samples without being asked for."""
    return sorted(name for name, file in builtin_files("annotator").items() if file.parent.name == "checks")


def model_checks() -> list[str]:
    """Names of the checks that ask a model: on where the recipe names their roles under `models:`."""
    return sorted(name for name, file in builtin_files("annotator").items() if file.parent.name == "model_checks")


def _roles_by_default(name: str) -> set[str]:
    """The roles of a check that is on wherever a recipe names them; none for one that a recipe must ask for."""
    thing = find("annotator", name)
    return set() if thing.on_request else set(thing(thing.Params()).roles())


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping, where YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} stands here twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


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
