"""Model resolution: an explicit path, else weights that an installed package carries, else a hub.

`resolve` never loads a model. It says which of the three was used and the digest of the weights, so that a fingerprint
covers the model and `runs` names it. A missing model is one error that names the model and each remedy.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


class ModelNotFound(Exception):
    """No weights: the message says where was looked and what to do."""


@dataclass(frozen=True)
class ModelRef:
    """A resolved model: what it is called, where its weights lie and how they were found."""

    name: str
    path: str
    found_in: str
    """`path`, `package NAME` or `hub`."""
    digest: str


@dataclass(frozen=True)
class Carried:
    """Weights inside an installed package: `package` and the path below its folder."""

    package: str
    inside: str


def resolve(
    name: str,
    *,
    explicit: str | Path | None = None,
    carried: Sequence[Carried] = (),
    hub: Callable[[], str] | None = None,
    remedy: str,
) -> ModelRef:
    """Find the weights of `name`.

    `hub` downloads (or finds in its cache) and returns a local path; its error becomes part of the message.
    Raises `ModelNotFound` naming what was tried and `remedy`.
    """
    tried: list[str] = []
    if explicit is not None:
        path = Path(explicit).expanduser()
        if not path.exists():
            raise ModelNotFound(f"model {name}: {path} does not exist; {remedy}")
        return ModelRef(name, str(path), "path", digest_of(path))
    for weights in carried:
        path_in_package = _inside(weights)
        if path_in_package is not None:
            return ModelRef(name, str(path_in_package), f"package {weights.package}", digest_of(path_in_package))
        tried.append(f"package {weights.package} is not installed")
    if hub is not None:
        try:
            path = Path(hub())
        except Exception as error:
            tried.append(f"hub: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        else:
            return ModelRef(name, str(path), "hub", digest_of(path))
    raise ModelNotFound(f"model {name}: no weights found ({'; '.join(tried) or 'nowhere to look'}); {remedy}")


def _inside(weights: Carried) -> Path | None:
    spec = importlib.util.find_spec(weights.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(next(iter(spec.submodule_search_locations))) / weights.inside
    return path if path.exists() else None


def digest_of(path: Path) -> str:
    """Digest of a file, or of all files below a folder; remembered by (path, size, mtime) between runs."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    stamp = [(str(p.relative_to(path)) if p != path else p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    key = hashlib.blake2b(json.dumps([str(path.resolve()), stamp]).encode(), digest_size=16).hexdigest()
    remembered = _cache_dir() / key
    if remembered.exists():
        return remembered.read_text()
    total = hashlib.blake2b(digest_size=16)
    for file, (inside, _, _) in zip(files, stamp, strict=True):
        total.update(inside.encode())
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "blake2b").digest())
    digest = total.hexdigest()
    remembered.parent.mkdir(parents=True, exist_ok=True)
    partial = remembered.with_suffix(f".{os.getpid()}")
    partial.write_text(digest)
    partial.replace(remembered)
    return digest


def _cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "chronotope" / "model-digests"
