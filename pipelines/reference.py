"""The recipe reference, printed from the parameter models: what `docs/recipe.md` and `chronotope annotators NAME` show.

Types are written in the words of a recipe (text, list, one of ...), parameters that all packagers share are printed
once, and groups of parameters (a parameter that has parameters itself) get tables of their own.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ..engine.annotator import AudioAnnotator, BatchAnnotator, Composer, FrameAnnotator
from ..engine.asking import Asking
from ..engine.llm.settings import BudgetSettings, Limits, ModelSettings, Price
from ..engine.plans.policies import POLICIES
from ..engine.plans.policy import Policy
from ..engine.registry import find, names
from ..engine.task import Task
from ..outputs.packager import PackageParams
from .recipe import RecipeModel
from .recipe_sources import Manifest, Source

NOTES = {
    "clip_embedding": "ONNX exports and `composed-tiny` need the extra `onnx` only.",
    "clip_scores": "ONNX exports and `composed-tiny` need the extra `onnx` only.",
    "probe": "Every recipe has it.",
    "clips": "Every recipe has it; its parameters are the section `clips`.",
    "groups": "Every recipe with tasks has it; its parameters are the section `splits`.",
    "verdicts": "Every recipe with tasks has it; the recipe fills in its parameters.",
    "corpus_verdicts": "Every recipe with a task that looks at the whole dataset has it; the recipe fills in its parameters.",
    "plain_function": "Not written by this name: a function `thing` in `my_file.py` is the producer `my_file.py:thing`.",
}
"""What a person should know about some annotators before the parameters."""
BLACK_BOX = ("verdicts", "corpus_verdicts")
"""Annotators whose parameters nobody writes."""
WORDS: Mapping[Any, str] = {str: "text", int: "integer", float: "number", bool: "true or false", Any: "anything"}


def parameters(model: type[BaseModel]) -> list[dict[str, str]]:
    """Name, type, default and meaning of each parameter that a recipe may set."""
    return [
        {
            "parameter": field.alias or name,
            "type": _type(field.annotation),
            "default": _default(field),
            "meaning": _sentence(field.description or ""),
        }
        for name, field in model.model_fields.items()
        if not field.exclude
    ]


def shape_of(thing: Any) -> str:
    """What an annotator is fed: frame, audio, batch, unit; composer, or model for those that ask one."""
    kinds = (
        ("frame", FrameAnnotator),
        ("audio", AudioAnnotator),
        ("batch", BatchAnnotator),
        ("composer", Composer),
        ("model", Asking),
    )
    return next((name for name, kind in kinds if issubclass(thing, kind)), "unit")


MODELS = """Language models propose, code disposes: what they are asked, how replies are checked and what is kept is in
[models.md](models.md). A role's settings, or the name of another role (`judge: writer`). A role whose variables or key
are not set has no endpoint: what needs it is skipped, and the ledger says which variable to set. The roles are `captioner`
(sees), `writer` (writes questions, chains and wordings), `checker` (a second captioner), `judge`, `blind` (a reader that
sees nothing), and `grounder` (names the evidence during which a description holds); an annotator's parameters may name any other.

```yaml
models:
  captioner: {base_url: "${VLM_URL}", model: qwen2.5-vl-7b, key_variable: VLM_KEY, max_frames: 16, limits: {concurrency: 64}}
  writer: {base_url: "${LLM_URL}", model: gpt-4.1-mini, key_variable: LLM_KEY, sees: nothing, price: {input_per_million: 0.4, output_per_million: 1.6}}
  judge: captioner
budget: {requests: 20000, money: 25}
```
"""
BUDGET = """A hard bound over all roles, for each build anew: at the bound, units end as `undecided` and the next build goes on from
there; nothing that was asked is asked again. `chronotope plan` says before what it would take, `status --cost` after what it took.
"""


def recipe_reference() -> str:
    """The text of `docs/recipe.md`."""
    classes = [(name, find("annotator", name)) for name in names("annotator")]
    annotators = [c for c in classes if not issubclass(c[1], Task)]
    tasks = [c for c in classes if issubclass(c[1], Task)]
    packagers = [(name, find("packager", name)) for name in names("packager")]
    parts = [INTRODUCTION.replace("{recipe}", _quickstart()).rstrip(), ""]
    parts += ["## Sections", "", _markdown(parameters(RecipeModel)), PRODUCERS, SELECTION]
    parts += ["### An entry of `sources`", "", _markdown(parameters(Source)), SOURCES]
    parts += ["### `manifest`", "", _markdown(parameters(Manifest))]
    parts += ["### A role of `models`", "", MODELS, _markdown(parameters(ModelSettings))]
    parts += [
        "### `limits` of a role",
        "",
        _markdown(parameters(Limits)),
        "### `price` of a role",
        "",
        _markdown(parameters(Price)),
    ]
    parts += ["### `budget`", "", BUDGET, _markdown(parameters(BudgetSettings))]
    parts += ["## Composers", "", COMPOSERS, *(_plain_entry(*c) for c in _of_kind("composer"))]
    parts += ["## Importers", "", IMPORTERS, *(_plain_entry(*c) for c in _of_kind("importer"))]
    parts += ["## Annotators", "", *(_annotator(name, thing) for name, thing in annotators)]
    parts += ["## Tasks", "", TASKS, *(_annotator(name, thing) for name, thing in tasks)]
    parts += ["## Packagers", "", PACKAGERS, _markdown(parameters(PackageParams))]
    parts += [_packager(name, thing) for name, thing in packagers]
    parts += ["## Frame policies", "", POLICY, *(_policy(policy) for policy in POLICIES.values())]
    classes += [*_of_kind("composer"), *_of_kind("importer")]
    groups = sorted({g for _, c in classes for g in _groups(c.Params)}, key=lambda g: (g.__name__, g.__module__))
    parts += ["## Groups of parameters", "", "Set inside a parameter: `window: {length_s: [20, 60]}`.", ""]
    parts += [f"### {g.__name__}\n\n{inspect.getdoc(g)}\n\n{_markdown(parameters(g))}" for g in groups]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def _annotator(name: str, thing: Any) -> str:
    says = [inspect.getdoc(thing) or "", ""]
    facts = [] if issubclass(thing, Task) else [f"Shape: {shape_of(thing)}."]
    reads = [f"`{t}`" + (" (if there)" if t in thing.optional_reads else "") for t in thing.reads]
    if reads:
        facts.append(f"Reads {', '.join(reads)}.")
    if thing.writes and not issubclass(thing, Task):
        facts.append(f"Writes {', '.join(f'`{t}`' for t in thing.writes)}.")
    if thing.needs_extra:
        facts.append(f"Needs the extra `{thing.needs_extra}`.")
    if name in NOTES:
        facts.append(NOTES[name])
    if issubclass(thing, Asking):
        asked = thing(thing.Params())
        roles = [f"`{r}`" for r in asked.roles()] + [f"`{r}` (if there)" for r in asked.optional_roles()]
        facts.append(
            f"Asks the role{'s' if len(roles) > 1 else ''} {', '.join(roles)}."
            if roles
            else "Asks no model by default."
        )
    rows = [] if name in BLACK_BOX else parameters(thing.Params)
    return "\n".join([f"### `{name}`", "", *says, " ".join(facts), "", _markdown(rows) if rows else ""])


def _of_kind(kind: str) -> list[tuple[str, Any]]:
    return [(name, find(kind, name)) for name in names(kind)]


def _plain_entry(name: str, thing: Any) -> str:
    rows = parameters(thing.Params)
    return "\n".join([f"### `{name}`", "", inspect.getdoc(thing) or "", "", _markdown(rows) if rows else ""])


def _policy(policy: Policy) -> str:
    facts = [f"Row {policy.row} of the list of papers." if policy.row else "", _needs(policy)]
    rows = parameters(policy.Params)
    said = inspect.getdoc(policy.plan) or ""
    return "\n".join([f"### `{policy.name}`", "", said, "", " ".join(f for f in facts if f), "", _markdown(rows)])


def _needs(policy: Policy) -> str:
    words = {"likeness": "features of pictures to compare", "scores": "scores of a query", "cuts": "shots"}
    return f"Needs {' and '.join(words.get(n, n) for n in policy.needs)}." if policy.needs else ""


def _packager(name: str, thing: Any) -> str:
    shared = {row["parameter"]: row for row in parameters(PackageParams)}
    own = [row for row in parameters(thing.Params) if shared.get(row["parameter"]) != row]
    shows = f"Shows {' and '.join(thing.shows)}; a row {'may' if thing.spans == 'native' else 'cannot'} name a part of a file."
    return "\n".join([f"### `{name}`", "", inspect.getdoc(thing) or "", "", shows, "", _markdown(own) if own else ""])


def _groups(model: type[BaseModel]) -> Iterable[type[BaseModel]]:
    for field in model.model_fields.values():
        if inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel):
            yield field.annotation
            yield from _groups(field.annotation)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True) if not field.is_required() else PydanticUndefined
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, BaseModel):
        changed = json.loads(value.model_dump_json(exclude_defaults=True))
        return json.dumps(changed) if changed else "its defaults"
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return json.loads(value.model_dump_json())
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _type(annotation: Any) -> str:
    """A type in the words of a recipe."""
    if annotation in WORDS:
        return WORDS[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(str(value) for value in inner)
    if origin in (Union, UnionType):
        said = [_type(kind) for kind in inner if kind is not NoneType]
        return " or ".join(said) + (" or null" if NoneType in inner else "")
    if origin in (tuple, list):
        if Ellipsis in inner or origin is list:
            return "list" if inner[0] is Any else f"list of {_type(inner[0])}"
        return f"[{', '.join(_type(kind) for kind in inner)}]"
    if origin is dict:
        return "mapping" if inner[1] is Any else f"name: {_type(inner[1])}"
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return f"{annotation.__name__} (mapping)"
    return str(getattr(annotation, "__name__", annotation))


def _sentence(text: str) -> str:
    """One style for all meanings: a small letter first, no full stop after a single sentence."""
    if re.match(r"[A-Z][a-z]*[ :]", text):
        text = text[0].lower() + text[1:]
    return text[:-1] if text.endswith(".") and ". " not in text else text


def _markdown(rows: list[dict[str, str]]) -> str:
    lines = ["| parameter | type | default | meaning |", "|---|---|---|---|"]
    for row in rows:
        default = row["default"] if row["default"] in ("required", "its defaults") else f"`{row['default']}`"
        cells = (f"`{row['parameter']}`", _html_safe(row["type"]), default, _html_safe(row["meaning"]))
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _html_safe(text: str) -> str:
    """`<name>` outside of code would vanish as an HTML tag."""
    return "".join(p if i % 2 else p.replace("<", "&lt;") for i, p in enumerate(re.split(r"(`[^`]*`)", text)))


def _quickstart() -> str:
    return (Path(__file__).parent / "recipes" / "quickstart.yaml").read_text(encoding="utf-8").rstrip()


INTRODUCTION = """# Recipe reference

Printed from the parameter models by `python -m chronotope.pipelines.reference`; do not edit by hand (`make docs` prints it).
`chronotope init FOLDER-or-CSV` writes a recipe for your footage, `chronotope annotators NAME` (or `tasks`, `packagers`) shows
one entry of this page, and an unknown section or parameter is an error that says what was probably meant.
Tables and their columns: [tables.md](tables.md).

This is the recipe of the demo:

```yaml
{recipe}
```
"""

PRODUCERS = """Entries of `annotate`, `enrich`, `tasks` and `package` are a name, or a name with parameters. A class or function of your own is
named by its file, relative to the recipe: `my_file.py:thing`. Each entry also takes `as:`, another name for it, which lets
one annotator stand in a recipe twice; entries other than packages take `from:`, which says whose rows it reads when several write a table:

```yaml
annotate:
  - speech: {model: tiny.en}
  - speech: {as: speech_large, model: large-v3}
tasks:
  - speech_grounding: {from: {speech: speech_large, words: speech_large}}
```

`${NAME}` anywhere in a recipe is replaced by the environment variable of that name, `${NAME:-this}` by `this` where it is not set. The dataset stores the recipe as
it is written, so what is secret stays out of it; a variable with a default is a setting, whose value is stored.
"""

SELECTION = """A rule of `select` is an SQL condition over the columns of [`clip_view`](tables.md#clip_view), for example
`speech_share > 0.2 AND motion_mean > q('motion_mean', 0.2)`. `q('column', share)` is that quantile over all clips of the recipe,
whatever the other rules say. A clip is kept when every rule is true; the first rule that is not is the reason that
is stored. A condition that meets NULL (nobody measured it) is not true.
"""

SOURCES = """Each entry has exactly one of `videos`, `folder`, `list`, `manifest`, [`compose`](#composers) and [`import`](#importers). Relative paths start from the folder of the recipe; URIs
such as `s3://bucket/folder` name object stores, and footage there is copied to local scratch while it is looked at.
"""

TASKS = """Every task reads tables of one medium and writes `samples`; a window is the footage that a sample shows.
"""

COMPOSERS = """Named by `compose:` in an entry of `sources`; parameters stand under `with:`. How they work, and how to write one:
[writing_a_composer.md](writing_a_composer.md).
"""

IMPORTERS = """Named by `import:` in an entry of `sources`; parameters stand under `with:`, the media under `media:`. What each expects and what is
reported: [importing.md](importing.md).
"""

POLICY = """Named by the annotator [`sampling_plans`](#sampling_plans), each with its parameters; what each one reproduces and how it is checked:
[recipes/policies.md](recipes/policies.md).
"""

PACKAGERS = """All packagers have these parameters; the tables below list only what a packager adds or sets otherwise.
"""

if __name__ == "__main__":
    import sys

    sys.stdout.write(recipe_reference())
