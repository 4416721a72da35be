"""Environment variables in recipes: `${NAME}` is put in at the last moment and taken out again before anything is stored;
`${NAME:-this}` is `this` where the variable is not set, or empty. A variable with a default is a setting and no secret: `settle` puts
it in at once, so that what was built is stored and checked with the value that it was built with.

A producer keeps its parameters as the recipe wrote them, beside the values of the variables that it names. What is
stored or printed goes through `hide`, so that tokens and machine paths stay out of tables, plans and error messages.
Limit: in free text only values of `SHORTEST` characters or more are recognised; shorter ones are no secrets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..schemas.ids import derive_id

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
SHORTEST = 6


class UnsetVariable(Exception):
    """A variable that is not in the environment; the message names it."""


def settle(value: Any) -> Any:
    """The value with each variable that has a default (not an empty one) replaced; the others stay as they are written."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda m: (os.environ.get(m[1]) or m[2]) if m[2] else m[0], value)
    if isinstance(value, Mapping):
        return {k: settle(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [settle(v) for v in value]
    return value


def names_in(value: Any) -> list[str]:
    """Names of the variables that the texts inside a value mention, sorted; those with a default only where they are set to something."""
    if isinstance(value, str):
        return sorted({m[1] for m in VARIABLE.finditer(value) if m[2] is None or os.environ.get(m[1])})
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return sorted({name for part in parts for name in names_in(part)})


def values_of(value: Any) -> dict[str, str]:
    """The variables that a value mentions, with their values. Raises `UnsetVariable`."""
    return {name: _value(name, {}) for name in names_in(value)}


def expand(value: Any, known: Mapping[str, str]) -> Any:
    """The value with each variable replaced, from `known` or else the environment. Raises `UnsetVariable`."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda m: _value(m[1], known, m[2]), value)
    if isinstance(value, Mapping):
        return {k: expand(v, known) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [expand(v, known) for v in value]
    return value


def _value(name: str, known: Mapping[str, str], default: str | None = None) -> str:
    if name in known:
        return known[name]
    if default is not None and not os.environ.get(name):
        return default
    if name not in os.environ:
        raise UnsetVariable(f"environment variable {name} is not set; set it with `export {name}=...`")
    return os.environ[name]


def hide(value: Any, known: Mapping[str, str]) -> Any:
    """The value with every text that equals or contains a variable's value naming the variable instead."""
    if isinstance(value, str):
        for name, secret in sorted(known.items(), key=lambda kv: (-len(kv[1]), kv[0])):
            if len(secret) >= SHORTEST:
                for form in dict.fromkeys((secret, quote(secret, safe=""), repr(secret)[1:-1])):
                    value = value.replace(form, f"${{{name}}}")
        return value
    if isinstance(value, Mapping):
        return {hide(k, known): hide(v, known) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [hide(v, known) for v in value]
    return value


def written(stored: Any, template: Any, known: Mapping[str, str]) -> Any:
    """`stored` (parameters as JSON) with whatever came from variables as the recipe (`template`) wrote it, numbers too."""
    if isinstance(template, str) and VARIABLE.search(template):
        return template
    if isinstance(stored, Mapping) and isinstance(template, Mapping):
        return {hide(k, known): written(v, template.get(k), known) for k, v in stored.items()}
    if isinstance(stored, list) and isinstance(template, (list, tuple)) and len(stored) == len(template):
        return [written(s, t, known) for s, t in zip(stored, template, strict=True)]
    return hide(stored, known)


def marks(known: Mapping[str, str]) -> dict[str, str]:
    """A digest of each value, salted with its name: another value is another configuration, but cannot be read off."""
    return {name: derive_id("environment variable", name, value) for name, value in sorted(known.items())}
