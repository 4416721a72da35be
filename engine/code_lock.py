"""The lock of annotator code: a change of behaviour must raise the annotator's version, or stored rows would go stale unseen.

For each built-in annotator the lock keeps its version and a digest of its code: the syntax trees, without docstrings and
formatting, of its module and of the modules that it imports, directly or not, from `annotators/`, `schemas/` and the rooms of
the engine that decide what rows say (`RULES`). Table schemas are left out, they carry versions of their own; `engine/media`
has `MEDIA_VERSION`, and the rest of the engine carries rows without changing them.

    python -m chronotope.engine.code_lock            # what differs
    python -m chronotope.engine.code_lock --write    # after raising versions; --same NAME for changes without effect on rows
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from .registry import PACKAGE_ROOT, builtin_files, find

LOCK = PACKAGE_ROOT / "annotators" / "versions.lock"
COVERED = ("annotators", "schemas")
RULES = (
    "answering",
    "captions.py",
    "claims",
    "contamination",
    "distractors",
    "grounding",
    "ladder",
    "kept.py",
    "llm/evidence.py",
    "wordings.py",
)
"""What of `engine/` decides about rows."""


def code_digest(name: str) -> str:
    """Digest of the code behind a built-in annotator."""
    total = hashlib.blake2b(digest_size=10)
    for file in sorted(_closure(builtin_files("annotator")[name])):
        total.update(str(file.relative_to(PACKAGE_ROOT)).encode() + _stripped(file).encode())
    return total.hexdigest()


def differences() -> dict[str, str]:
    """Annotators that the lock does not describe, each with what to do."""
    locked = json.loads(LOCK.read_text()) if LOCK.exists() else {}
    found = {}
    for name in builtin_files("annotator"):
        version, digest = find("annotator", name).version, code_digest(name)
        entry = locked.get(name)
        if entry is None:
            found[name] = "is not in the lock; run `make lock`"
        elif entry["digest"] != digest and entry["version"] == version:
            found[name] = "changed its code but not its version; raise `version`, then run `make lock`"
        elif entry != {"version": version, "digest": digest}:
            found[name] = f"is version {version}, the lock says {entry['version']}; run `make lock`"
    for name in sorted(set(locked) - set(builtin_files("annotator"))):
        found[name] = "is in the lock but gone; run `make lock`"
    return found


def write(same: Sequence[str] = ()) -> list[str]:
    """Write the lock. Annotators that changed without a new version are refused unless named in `same`."""
    refused = [n for n, why in differences().items() if "but not its version" in why and n not in same]
    if not refused:
        entries = {
            n: {"version": find("annotator", n).version, "digest": code_digest(n)} for n in builtin_files("annotator")
        }
        LOCK.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n")
    return refused


def _closure(file: Path) -> set[Path]:
    seen: set[Path] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += _imports(current)
    return seen


@cache
def _imports(file: Path) -> tuple[Path, ...]:
    package = file.parent.relative_to(PACKAGE_ROOT).parts
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = package[: len(package) - node.level + 1]
        parts = (*base, *(node.module.split(".") if node.module else ()))
        for tail in (parts, *((*parts, alias.name) for alias in node.names)):
            target = PACKAGE_ROOT.joinpath(*tail).with_suffix(".py")
            if target.is_file() and _covered(target.relative_to(PACKAGE_ROOT).parts):
                found.append(target)
    return tuple(found)


def _covered(parts: tuple[str, ...]) -> bool:
    if parts[0] == "engine":
        return parts[1] in RULES or "/".join(parts[1:]) in RULES
    return parts[0] in COVERED and not parts[-1].startswith("table")


@cache
def _stripped(file: Path) -> str:
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [s for s in body if not _is_text(s)]  # type: ignore[attr-defined]
    return ast.dump(tree, include_attributes=False)


def _is_text(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def main(arguments: Sequence[str]) -> int:
    """The command behind `make lock`."""
    if "--write" in arguments:
        refused = write([arguments[i + 1] for i, a in enumerate(arguments[:-1]) if a == "--same"])
        for name in refused:
            sys.stderr.write(f"{name} changed its code but not its version; raise it, or say --same {name}\n")
        return 1 if refused else 0
    for name, why in differences().items():
        sys.stdout.write(f"{name} {why}\n")
    return 1 if differences() else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
