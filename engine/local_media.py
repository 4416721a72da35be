"""A medium's file on this machine: local ones where they are, composed ones below the root, remote ones as a scratch copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .media.fetch import Scratch, is_remote, local_copy


@contextmanager
def local_media(uri: str, root: Path | str) -> Iterator[Path]:
    """The local path of `uri` while the context lasts. A relative uri starts at the dataset root.

    Copies of remote media lie below `<root>/work/scratch`, bounded, and go away at the end. Raises `MediaError`.
    """
    if not is_remote(uri):
        path = Path(uri.removeprefix("file://"))
        yield path if path.is_absolute() else Path(root) / path
        return
    with Scratch(Path(root) / "work" / "scratch") as scratch, local_copy(uri, scratch) as copy:
        yield copy
