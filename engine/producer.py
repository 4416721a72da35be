"""A producer: a configured annotator in a recipe, as data that can travel to a worker.

`ProducerSpec` is the plain description (annotator name and parameters); `Producer` is the built thing with its resolved
inputs. Two producers with equal specs do equal work, whatever recipe they stand in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..schemas.ids import derive_id
from .annotator import Annotator, AudioAnnotator, BatchAnnotator, FrameAnnotator, Stage, UnitAnnotator
from .registry import UnknownName, find


class RecipeError(Exception):
    """The recipe is wrong: the message names the place, the cause and what to write instead."""


@dataclass(frozen=True)
class ProducerSpec:
    """What a recipe says about one producer."""

    name: str
    annotator: str
    params: Mapping[str, Any] = field(default_factory=dict)
    stage: Stage | None = None
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`from:` of the recipe: table -> producers to read it from (all of them otherwise)."""
    folder: str = "."
    """Folder of the recipe, for annotators given as `my_file.py:thing`."""
    seed: int = 0

    def build(self) -> Annotator:
        """The configured annotator. Raises `RecipeError` for unknown names, wrong parameters or missing extras."""
        try:
            thing = find("annotator", self.annotator, relative_to=Path(self.folder))
            if not (isinstance(thing, type) and issubclass(thing, Annotator)):
                thing = find("annotator", "plain_function")
                return thing.from_path(self.annotator, dict(self.params), Path(self.folder))
            return thing(thing.Params.model_validate(dict(self.params)))
        except UnknownName as error:
            raise RecipeError(f"producer {self.name}: {error}") from None
        except ValidationError as error:
            raise RecipeError(f"producer {self.name}: {explain(error, thing.Params)}") from None


def explain(error: ValidationError, model: Any) -> str:
    """A pydantic error as one line a person can act on."""
    import difflib

    parts = []
    for item in error.errors():
        where = ".".join(str(p) for p in item["loc"])
        if item["type"] == "extra_forbidden":
            known = list(model.model_fields)
            close = difflib.get_close_matches(where, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known) or 'none'}"
            parts.append(f"unknown parameter {where!r}; {hint}")
        else:
            parts.append(f"{where or 'value'}: {item['msg'].removeprefix('Value error, ')} (got {item['input']!r})")
    return "; ".join(parts)


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

    @property
    def shape(self) -> str:
        """frame, audio, batch or unit."""
        kinds = (
            ("frame", FrameAnnotator),
            ("audio", AudioAnnotator),
            ("batch", BatchAnnotator),
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
        return {
            "annotator": type(self.annotator).name,
            "version": type(self.annotator).version,
            "params": json.loads(self.annotator.params.model_dump_json()),
            "code": self.annotator.code_digest(),
            "models": {m.name: m.digest for m in self.annotator.models()},
            "seed": self.spec.seed,
            "inputs": {table: list(names) for table, names in sorted(self.inputs.items())},
        }

    @property
    def settings_digest(self) -> str:
        """Digest of `settings`."""
        return derive_id("settings", self.settings)
