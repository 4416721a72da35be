"""The recipe reference, printed from the parameter models: what `docs/recipe.md` and `chronotope annotators NAME` show."""

from __future__ import annotations

import inspect
import json
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from ..engine.registry import find, names
from ..engine.task import Task
from .recipe import Manifest, RecipeModel, Source


def parameters(model: type[BaseModel]) -> list[dict[str, str]]:
    """Name, type, default and meaning of each parameter."""
    rows = []
    for name, field in model.model_fields.items():
        if field.default is PydanticUndefined:
            default = "required" if field.default_factory is None else json.dumps(_plain(field.default_factory()))  # type: ignore[call-arg]
        else:
            default = json.dumps(_plain(field.default))
        rows.append(
            {
                "parameter": field.alias or name,
                "type": _type(field.annotation),
                "default": default,
                "meaning": field.description or "",
            }
        )
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return json.loads(value.model_dump_json())
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _type(annotation: Any) -> str:
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    for noise in ("typing.", "collections.abc.", "chronotope."):
        text = text.replace(noise, "")
    return text.replace("NoneType", "None")


def recipe_reference() -> str:
    """The text of `docs/recipe.md`."""
    parts = [
        "# Recipe reference",
        "",
        "Printed from the parameter models by `python -m chronotope.pipelines.reference`; do not edit by hand.",
        "",
        "## Sections",
        "",
        _markdown(parameters(RecipeModel)),
        "Every producer also takes `as:` (another name) and `from:` (table: producers to read it from).",
        "",
        "### An entry of `sources`",
        "",
        _markdown(parameters(Source)),
        "### `manifest`",
        "",
        _markdown(parameters(Manifest)),
    ]
    classes = [(name, find("annotator", name)) for name in names("annotator")]
    for title, chosen in (
        ("Annotators", [c for c in classes if not issubclass(c[1], Task)]),
        ("Tasks", [c for c in classes if issubclass(c[1], Task)]),
        ("Packagers", [(name, find("packager", name)) for name in names("packager")]),
    ):
        parts += [f"## {title}", ""]
        for name, thing in chosen:
            tables = ""
            if hasattr(thing, "writes"):
                reads = f"Reads {', '.join(f'`{t}`' for t in thing.reads)}. " if thing.reads else ""
                tables = f"{reads}Writes {', '.join(f'`{t}`' for t in thing.writes) or 'a table of your choice'}.\n"
            rows = parameters(thing.Params)
            parts += [f"### `{name}`", "", inspect.getdoc(thing) or "", "", tables, _markdown(rows) if rows else ""]
    return "\n".join(parts).replace("\n\n\n", "\n\n").rstrip() + "\n"


def _markdown(rows: list[dict[str, str]]) -> str:
    lines = ["| parameter | type | default | meaning |", "|---|---|---|---|"]
    for row in rows:
        cells = [row["parameter"], row["type"], row["default"], row["meaning"]]
        escaped = [c.replace("|", "\\|").replace("\n", " ") for c in cells]
        lines.append(f"| `{escaped[0]}` | {escaped[1]} | `{escaped[2]}` | {escaped[3]} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(recipe_reference())
