"""From a uri to a local file: local paths as they are, object stores (`s3://`, `gs://`) through bounded
local scratch.

Decoders seek, so remote media are copied whole, one at a time, and deleted after use. A scratch folder
holds a file lock while its process lives; what a killed process left behind is removed by the next one.
Entity tags are not exposed by PyArrow, so the modification time stands for the content's version, in
stores too. S3-compatible servers are reached with the environment variable `AWS_ENDPOINT_URL_S3` or
`AWS_ENDPOINT_URL`.
"""

from __future__ import annotations

import fcntl
import fnmatch
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath, PurePosixPath
from types import TracebackType
from typing import TYPE_CHECKING

from .container import MediaError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

VIDEO_SUFFIXES = frozenset(
    [
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".mpg",
        ".mpeg",
        ".ts",
        ".mts",
        ".m2ts",
        ".wmv",
        ".flv",
        ".3gp",
        ".ogv",
        ".vob",
        ".mxf",
        ".gif",
    ]
)
IMAGE_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"])
AUDIO_SUFFIXES = frozenset([".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus", ".wma"])
MEDIA_SUFFIXES = VIDEO_SUFFIXES | IMAGE_SUFFIXES | AUDIO_SUFFIXES
"""What a folder is searched for; a glob or a file name may ask for anything."""

DEFAULT_SCRATCH_BYTES = 20 << 30
_COPY_BYTES = 8 << 20
_PREFIX = "chronotope-scratch-"


@dataclass(frozen=True)
class FoundFile:
    """A file of a listing."""

    uri: str
    size: int
    etag: str
    """Modification time in nanoseconds."""


def is_remote(uri: str) -> bool:
    """Whether a uri names an object store."""
    return "://" in uri and not uri.startswith("file://")


def stat(uri: str) -> tuple[int, str]:
    """(size in bytes, modification time in ns as text). Raises `MediaError` for what is missing or out of
    reach.
    """
    if not is_remote(uri):
        path = _local(uri)
        try:
            facts = path.stat()
        except OSError as error:
            raise MediaError(uri, error.strerror or str(error), "correct the path in the sources") from error
        return facts.st_size, str(facts.st_mtime_ns)
    from pyarrow.fs import FileType

    with _reaching(uri):
        info = _store(uri).get_file_info(_key(uri))
    if info.type != FileType.File:
        raise MediaError(uri, "no such object", "correct the uri in the sources, or check who may read the bucket")
    return info.size, str(info.mtime_ns or 0)


def list_files(pattern: str) -> list[FoundFile]:
    """Files of a folder (searched deeply for media), a glob (`*`, `?`, `[]`, `**`) or a single uri, sorted
    by uri.

    Hidden files are left out. Raises `MediaError` when a named file or folder does not exist or a store
    cannot be reached; a glob that matches nothing is an empty list.
    """
    found = _list_remote(pattern) if is_remote(pattern) else _list_local(pattern)
    return sorted(found, key=lambda f: f.uri)


class Scratch:
    """A folder of this process for copies of remote media, at most `limit_bytes` large. A context manager."""

    def __init__(self, parent: Path | str | None = None, limit_bytes: int = DEFAULT_SCRATCH_BYTES) -> None:
        base = Path(parent or tempfile.gettempdir())
        base.mkdir(parents=True, exist_ok=True)
        _remove_orphans(base)
        fresh = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=base))
        self._lock = (fresh / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Locked before it has the name that others look for.
        self.folder = fresh.rename(base / fresh.name[1:])
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._count = 0

    def reserve(self, uri: str, size: int) -> Path:
        """A new path for a copy of `size` bytes. Raises `MediaError` when it does not fit."""
        if self.used_bytes + size > self.limit_bytes:
            left = self.limit_bytes - self.used_bytes
            raise MediaError(
                uri,
                f"its copy needs {size / 1e6:.0f} MB and {left / 1e6:.0f} MB of scratch are left",
                "give more scratch space, or split the file",
            )
        self.used_bytes += size
        self._count += 1
        return self.folder / f"{self._count:06d}{PurePosixPath(_key(uri)).suffix}"

    def release(self, path: Path, size: int) -> None:
        """Delete a copy."""
        path.unlink(missing_ok=True)
        self.used_bytes -= size

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def local_copy(uri: str, scratch: Scratch) -> Iterator[Path]:
    """The local file of `uri`: itself when local, otherwise a copy in `scratch` that is deleted on leaving.

    Raises `MediaError` when it is missing, does not fit or arrives incomplete.
    """
    if not is_remote(uri):
        stat(uri)
        yield _local(uri)
        return
    size, _ = stat(uri)
    path = scratch.reserve(uri, size)
    try:
        with _reaching(uri), _store(uri).open_input_stream(_key(uri)) as source, path.open("wb") as copy:
            while chunk := source.read(_COPY_BYTES):
                copy.write(chunk)
        if path.stat().st_size != size:
            got = path.stat().st_size
            raise MediaError(uri, f"{got} of {size} bytes arrived", "run again; it may have changed meanwhile")
        yield path
    finally:
        scratch.release(path, size)


def _local(uri: str) -> Path:
    return Path(uri.removeprefix("file://"))


def _key(uri: str) -> str:
    return uri.partition("://")[2] if is_remote(uri) else uri


def _list_local(pattern: str) -> Iterator[FoundFile]:
    path = _local(pattern)
    names: Iterator[Path]
    if path.is_dir():
        names = (p for p in path.rglob("*") if p.suffix.lower() in MEDIA_SUFFIXES and not _hidden(p.relative_to(path)))
    elif path.exists():
        names = iter([path])
    elif _is_glob(pattern):
        base = _fixed_part(str(path))
        deeper = str(path)[len(base) :].lstrip("/")
        names = (p for p in Path(base or ".").glob(deeper) if not _hidden(p.relative_to(base or ".")))
    else:
        raise MediaError(pattern, "no such file or folder", "correct the path in the sources")
    for name in names:
        if name.is_file():
            facts = name.stat()
            yield FoundFile(str(name), facts.st_size, str(facts.st_mtime_ns))


def _list_remote(pattern: str) -> Iterator[FoundFile]:
    from pyarrow.fs import FileSelector, FileType

    scheme, _, key = pattern.partition("://")
    store = _store(pattern)
    glob = _is_glob(key)
    base = (_fixed_part(key) if glob else key).rstrip("/")
    with _reaching(pattern):
        if not glob:
            info = store.get_file_info(base)
            if info.type == FileType.File:
                yield FoundFile(pattern, info.size, str(info.mtime_ns or 0))
                return
            if info.type == FileType.NotFound:
                raise MediaError(pattern, "no such object or folder", "correct the uri in the sources")
        bucket = base.partition("/")[0]
        if store.get_file_info(bucket).type == FileType.NotFound:
            raise MediaError(pattern, f"no bucket {bucket}", "correct the uri in the sources")
        infos = store.get_file_info(FileSelector(base, allow_not_found=True, recursive=True))
    wanted = _glob_regex(key) if glob else None
    for info in infos:
        inside = PurePosixPath(info.path[len(base) :].lstrip("/"))
        if info.type != FileType.File or _hidden(inside):
            continue
        if wanted.fullmatch(info.path) if wanted else inside.suffix.lower() in MEDIA_SUFFIXES:
            yield FoundFile(f"{scheme}://{info.path}", info.size, str(info.mtime_ns or 0))


def _hidden(path: PurePath) -> bool:
    """Hidden files, and whatever lies in a dataset: its cuts and packages are no footage."""
    return any(part.startswith(".") or part.endswith(".chronotope") for part in path.parts)


def _is_glob(text: str) -> bool:
    return any(c in text for c in "*?[")


def _fixed_part(pattern: str) -> str:
    """The folders before the first one with a wildcard."""
    head = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return head.rpartition("/")[0] or ("/" if pattern.startswith("/") else "")


def _glob_regex(pattern: str) -> re.Pattern[str]:
    """`**` spans folders, everything else stays within one."""
    parts = []
    for part in pattern.split("/"):
        if part == "**":
            parts.append("(?:[^/]+/)*")
        else:
            one = fnmatch.translate(part).removesuffix(r"\Z").removesuffix(r"\z")
            parts.append(one.replace("(?s:.*)", "[^/]*").replace(".*", "[^/]*") + "/")
    return re.compile("".join(parts).removesuffix("/"))


def _store(uri: str) -> FileSystem:
    scheme = uri.partition("://")[0]
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    with _reaching(uri):
        return _open_store(scheme, _key(uri).partition("/")[0], endpoint, region)


@lru_cache(maxsize=16)
def _open_store(scheme: str, bucket: str, endpoint: str, region: str) -> FileSystem:
    from pyarrow import fs

    if scheme in ("s3", "s3a"):
        options: dict[str, object] = {
            "connect_timeout": 10,
            "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=3),
        }
        if region:
            options["region"] = region
        if endpoint:
            options["endpoint_override"] = endpoint
        return fs.S3FileSystem(**options)
    return fs.FileSystem.from_uri(f"{scheme}://{bucket}")[0]


@contextmanager
def _reaching(uri: str) -> Iterator[None]:
    """Turns errors of the store into one that names the uri."""
    try:
        yield
    except (OSError, ValueError, NotImplementedError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = "check the uri, the credentials and AWS_ENDPOINT_URL in the environment"
        raise MediaError(uri, f"the store does not give it: {first}", remedy) from error


def _remove_orphans(base: Path) -> None:
    """Scratch folders whose process is gone: their lock can be taken."""
    for folder in sorted(base.glob(f"{_PREFIX}*")):
        with suppress(OSError), (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
