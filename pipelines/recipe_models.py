"""The sections `models:` and `budget:` of a recipe: which endpoint plays which role, and what a build may spend.

A role is an endpoint's settings, or the name of another role. A role whose variables or key are not set in the environment
has no endpoint: the recipe stays usable, what needs the role is skipped, and the reason names the variable.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ..engine.llm.settings import BudgetSettings, ModelSettings
from ..engine.producer import RecipeError, explain
from ..engine.variables import UnsetVariable, expand, hide, names_in, values_of


@dataclass(frozen=True)
class RecipeModels:
    """The roles of a recipe."""

    roles: Mapping[str, ModelSettings] = field(default_factory=dict, repr=False)
    """Roles that can be asked."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Roles that are named but have no endpoint here, and why."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables that the section names, with their values: never to be stored or shown."""
    budget: BudgetSettings = field(default_factory=BudgetSettings)


def read_models(written: Any, budget: Any) -> RecipeModels:
    """The roles of a recipe's sections as they stand in the file. Raises `RecipeError`."""
    if not isinstance(written, Mapping):
        raise RecipeError("models: a mapping of roles, for example `writer: {base_url: ..., model: ...}`")
    roles: dict[str, ModelSettings] = {}
    missing: dict[str, str] = {}
    variables: dict[str, str] = {}
    for role, entry in written.items():
        if isinstance(entry, str):
            continue
        if entry is None or entry is False:
            missing[role] = "no endpoint is named"
        elif not isinstance(entry, Mapping):
            raise RecipeError(
                f"models: {role}: settings such as `{{base_url: ..., model: ...}}`, or another role's name"
            )
        else:
            unset = _unset(entry)
            if unset:
                missing[role] = f"{unset} is not set"
                continue
            variables |= values_of(entry)
            roles[role] = _settings(str(role), entry)
            if key := roles[role].key_variable:
                variables[key] = os.environ[key]
    for role, entry in written.items():
        if isinstance(entry, str):
            if entry not in written or isinstance(written[entry], str):
                close = difflib.get_close_matches(entry, list(written), n=1)
                hint = f"did you mean {close[0]!r}?" if close else "name a role that has settings"
                raise RecipeError(f"models: {role}: no role {entry!r} with settings; {hint}")
            if entry in roles:
                roles[role] = roles[entry]
            else:
                missing[role] = missing[entry]
    return RecipeModels(roles, missing, variables, _budget(budget))


def _unset(entry: Mapping[str, Any]) -> str | None:
    """The first variable of a role that the environment lacks."""
    names = names_in(entry)
    key = entry.get("key_variable")
    if isinstance(key, str) and "${" not in key:
        names.append(key)
    return next((name for name in names if not os.environ.get(name)), None)


def _settings(role: str, entry: Mapping[str, Any]) -> ModelSettings:
    try:
        settings = ModelSettings.model_validate(expand(dict(entry), {}))
    except UnsetVariable as error:
        raise RecipeError(f"models: {role}: {error}") from None
    except ValidationError as error:
        text = hide(explain(error, ModelSettings, entry), values_of(entry))
        raise RecipeError(f"models: {role}: {text}") from None
    if not settings.base_url.startswith(("http://", "https://")):
        raise RecipeError(f"models: {role}: base_url starts with http:// or https://, for example http://host:8000/v1")
    return settings


def _budget(written: Any) -> BudgetSettings:
    try:
        return BudgetSettings.model_validate(written or {})
    except ValidationError as error:
        raise RecipeError(f"budget: {explain(error, BudgetSettings, written)}") from None
