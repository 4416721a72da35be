"""A producer: a configured annotator in a recipe, as data that can travel to a worker.

`ProducerSpec` is the plain description (annotator name and parameters); `Producer` is the built thing with its resolved
inputs. Two producers with equal specs do equal work, whatever recipe they stand in. Environment variables stay unexpanded
in the description; their values travel beside it, enter the settings as digests only, and are put in by `build`.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..schemas.ids import derive_id
from .annotator import Annotator, AudioAnnotator, BatchAnnotator, FrameAnnotator, Stage, UnitAnnotator
from .asking import Asking, without
from .extras import missing, remedy
from .llm.prompts import PromptError
from .llm.settings import ModelSettings
from .registry import UnknownName, find
from .variables import UnsetVariable, expand, hide, marks, written


class RecipeError(Exception):
    """The recipe is wrong: the message names the place, the cause and what to write instead."""


@dataclass(frozen=True)
class ProducerSpec:
    """What a recipe says about one producer."""

    name: str
    annotator: str
    params: Mapping[str, Any] = field(default_factory=dict)
    """As the recipe writes them, with `${NAME}` where it names environment variables."""
    stage: Stage | None = None
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`from:` of the recipe: table -> producers to read it from (all of them otherwise)."""
    folder: str = "."
    """Folder of the recipe, for annotators given as `my_file.py:thing`."""
    seed: int = 0
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values of the environment variables in `params`; those that are not here come from the environment of `build`."""
    models: Mapping[str, ModelSettings] = field(default_factory=dict, repr=False)
    """Language models that the recipe has, by role; those that the annotator asks are part of its settings."""
    without: Mapping[str, str] = field(default_factory=dict)
    """Roles that the recipe names without an endpoint, and why."""

    def build(self) -> Annotator:
        """The configured annotator. Raises `RecipeError` for unknown names, wrong parameters or missing extras."""
        try:
            params = expand(dict(self.params), self.variables)
            thing = find("annotator", self.annotator, relative_to=Path(self.folder))
            if not (isinstance(thing, type) and issubclass(thing, Annotator)):
                thing = find("annotator", "plain_function")
                annotator: Annotator = thing.from_path(self.annotator, params, Path(self.folder))
            else:
                annotator = thing(thing.Params.model_validate(params))
                if hasattr(annotator, "folder"):
                    annotator.folder = self.folder
                if isinstance(annotator, Asking):
                    annotator.prompts()
        except (UnknownName, UnsetVariable, PromptError) as error:
            raise RecipeError(f"producer {self.name}: {hide(str(error), self.variables)}") from None
        except ValidationError as error:
            text = explain(error, thing.Params, self.params)
            raise RecipeError(f"producer {self.name}: {hide(text, self.variables)}") from None
        for extra in annotator.extras():
            if lacking := missing(extra):
                raise RecipeError(
                    f"producer {self.name}: {', '.join(lacking)} is not installed here; {remedy(extra)}, or leave it out"
                )
        return annotator


def explain(error: ValidationError, model: Any, template: Any = None) -> str:
    """A pydantic error as one line a person can act on. `template` is the input with variables unexpanded."""
    parts = []
    for item in error.errors():
        where = ".".join(str(p) for p in item["loc"])
        if item["type"] == "extra_forbidden":
            parts.append(
                f"unknown parameter {where!r}; {_meant(str(item['loc'][-1]), _fields(model, item['loc'][:-1]))}"
            )
        elif item["type"] == "missing":
            parts.append(f"{where} is missing")
        else:
            said = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
            said = re.sub(r"(a )?valid dictionary.*", "a mapping `{name: value}`", said).replace(
                "a valid tuple", "a list"
            )
            got = written(item["input"], _at(template, item["loc"]), {})
            shown = f" (got {got!r})" if item["type"] != "value_error" else ""
            parts.append(f"{where or 'parameters'}: {said}{shown}")
    return "; ".join(parts)


def _meant(given: str, known: Sequence[str]) -> str:
    import difflib

    close = difflib.get_close_matches(given, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known) or 'none'}"


def _fields(model: Any, path: Sequence[Any]) -> list[str]:
    """Names that are known at a place inside nested parameter models."""
    from typing import get_args

    for part in path:
        field_info = getattr(model, "model_fields", {}).get(part)
        kinds = () if field_info is None else (field_info.annotation, *get_args(field_info.annotation))
        model = next((k for k in kinds if hasattr(k, "model_fields")), model)
    return [info.alias or name for name, info in getattr(model, "model_fields", {}).items()]


def _at(value: Any, path: Sequence[Any]) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


@dataclass(frozen=True)
class Producer:
    """A built producer inside a graph."""

    spec: ProducerSpec
    annotator: Annotator
    stage: Stage
    inputs: Mapping[str, tuple[str, ...]]
    """Table -> names of the producers whose rows it reads."""

    @property
    def name(self) -> str:
        return self.spec.name

    def _why_not(self, role: str) -> str:
        """Why a role has no endpoint; nothing where the recipe names no roles at all."""
        if role in self.spec.without:
            return self.spec.without[role]
        named = sorted({*self.spec.models, *self.spec.without})
        close = difflib.get_close_matches(role, named, n=1)
        return f"did you mean {close[0]!r}?" if close else f"the recipe names {', '.join(named)}" if named else ""

    @property
    def shape(self) -> str:
        """frame, audio, batch, model or unit."""
        kinds = (
            ("frame", FrameAnnotator),
            ("audio", AudioAnnotator),
            ("batch", BatchAnnotator),
            ("model", Asking),
            ("unit", UnitAnnotator),
        )
        return next(name for name, kind in kinds if isinstance(self.annotator, kind))

    @property
    def upstream(self) -> tuple[str, ...]:
        """Names of all producers that it reads from, sorted."""
        return tuple(sorted({name for names in self.inputs.values() for name in names}))

    @property
    def settings(self) -> dict[str, Any]:
        """What identifies its configuration: shown in plans, compared between recipes."""
        known = self.spec.variables
        params = json.loads(self.annotator.params.model_dump_json())
        found = {
            "annotator": type(self.annotator).name,
            "version": type(self.annotator).version,
            "params": written(params, self.spec.params, known),
            "code": self.annotator.code_digest(),
            "models": {hide(m.name, known): m.digest for m in self.annotator.models()},
            "seed": self.spec.seed,
            "inputs": {
                table: [n.partition(":")[0] if table == "sources" else n for n in names]
                for table, names in sorted(self.inputs.items())
            },
        }
        if isinstance(self.annotator, Asking):
            found["asks"] = {
                role: self._identity(role) for role in (*self.annotator.roles(), *self.annotator.optional_roles())
            }
        return {**found, "variables": marks(known)} if known else found

    def _identity(self, role: str) -> dict[str, Any] | None:
        """What can change the replies of a role's model; None without an endpoint."""
        model = self.spec.models.get(role)
        return None if model is None else model.identity

    @property
    def unmet(self) -> str | None:
        """Why it cannot ask what it must: the rule with which its units are skipped. None when it can, or asks nobody."""
        if not isinstance(self.annotator, Asking):
            return None
        lacking = [role for role in self.annotator.roles() if role not in self.spec.models]
        reasons = [f"{role}: {why}" for role in lacking if (why := self._why_not(role))]
        return without(lacking, reasons) if lacking else None

    @property
    def settings_digest(self) -> str:
        """Digest of `settings`."""
        return derive_id("settings", self.settings)
