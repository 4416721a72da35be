"""Finding annotators, composers, importers and packagers by name: built-ins by file name, third parties by entry points, a user's own by path.

Looking up a name imports one module; listing names imports none: a file belongs to a kind when its text ends in
`ANNOTATOR =`, `COMPOSER =`, `IMPORTER =` or `PACKAGER =`. Entry points live in the groups `chronotope.annotators` and so on.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE_ROOT = Path(__file__).parent.parent
KINDS = {
    "annotator": ("annotators", "ANNOTATOR"),
    "composer": ("annotators/composers", "COMPOSER"),
    "importer": ("annotators/importers", "IMPORTER"),
    "packager": ("outputs/packagers", "PACKAGER"),
}


class UnknownName(Exception):
    """Nothing of that kind has this name; the message lists close names."""


@cache
def builtin_files(kind: str) -> dict[str, Path]:
    """Name -> file of every built-in of a kind, without importing any."""
    folder, marker = KINDS[kind]
    found = {}
    for file in sorted((PACKAGE_ROOT / folder).rglob("*.py")):
        if f"\n{marker} = " in file.read_text():
            found[file.stem] = file
    return found


def names(kind: str) -> list[str]:
    """Every known name of a kind: built-ins and entry points."""
    return sorted({*builtin_files(kind), *(e.name for e in entry_points(group=f"chronotope.{kind}s"))})


def find(kind: str, name: str, *, relative_to: Path | None = None) -> Any:
    """The class behind `name`: a built-in, an entry point, or `my_file.py:thing` (relative to the recipe's folder).

    Raises `UnknownName`, or `ImportError` naming the extra to install.
    """
    marker = KINDS[kind][1]
    file = builtin_files(kind).get(name)
    if file is not None:
        dotted = ".".join(file.relative_to(PACKAGE_ROOT).with_suffix("").parts)
        return getattr(importlib.import_module(f"..{dotted}", __package__), marker)
    for entry in entry_points(group=f"chronotope.{kind}s"):
        if entry.name == name:
            return entry.load()
    if ".py:" in name:
        return _from_file(kind, name, relative_to or Path.cwd())
    close = difflib.get_close_matches(name, names(kind), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names(kind))}"
    raise UnknownName(f"no {kind} is called {name!r}; {hint}")


def _from_file(kind: str, name: str, folder: Path) -> Any:
    file_text, _, attribute = name.rpartition(":")
    path = (folder / file_text).resolve()
    if not path.is_file():
        raise UnknownName(f"{kind} {name}: no file {path}")
    module = load_file(path)
    if not hasattr(module, attribute):
        raise UnknownName(f"{kind} {name}: {path.name} defines no {attribute!r}")
    return getattr(module, attribute)


def load_file(path: Path) -> ModuleType:
    """Import a user's Python file under a name derived from its path."""
    module_name = f"chronotope_user_{path.stem}_{abs(hash_text(str(path)))}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise UnknownName(f"{path} cannot be imported as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module


def hash_text(text: str) -> int:
    """A stable integer for a text (Python's own `hash` differs between processes)."""
    import zlib

    return zlib.crc32(text.encode())


def first_sentence(thing: Any) -> str:
    """The first sentence of a docstring, for lists."""
    text = " ".join((thing.__doc__ or "").split())
    return text.split(". ")[0].rstrip(".") + "." if text else ""
