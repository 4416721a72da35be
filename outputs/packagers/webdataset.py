"""WebDataset: tar shards whose members share a stem per sample, for streaming.

A sample is `<sample_id>.json` and its media (`.mp4`, `.flac`, `.0.jpg`, `.1.jpg` ...) next to each other, with planned frames
also `<sample_id>.frames.json`. Splits have
shards of their own. Identifiers are hashes, so their order is already a shuffle. Media that several samples show are
repeated, for a shard stands alone. Times and owners inside the archives are fixed: equal content, equal bytes.
"""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath

from pydantic import Field

from ..packager import Contents, Modality, PackagedSample, PackageParams, Packager, dumps
from ..rendering import Part

BLOCK = 512
"""Tar archives consist of blocks of this many bytes."""


class Params(PackageParams):
    """Parameters of webdataset."""

    modalities: tuple[Modality, ...] = Field(
        ("vision", "audio"), min_length=1, description="What the trainer shows a model."
    )
    shard_mb: float = Field(512.0, gt=0, description="Shards end before this many megabytes (of a million bytes).")


class WebDataset(Packager[Params]):
    """Tar shards `<split>-000000.tar` with `<sample_id>.json` and media beside it."""

    name = "webdataset"
    Params = Params
    spans = "none"
    clock = "pts"
    keeps_media = False

    def write(self, samples: Iterator[PackagedSample], folder: Path, contents: Contents) -> None:
        for split, group in groupby(samples, key=lambda s: s.split):
            shards = _Shards(folder, split, int(self.params.shard_mb * 1e6))
            for sample in group:
                shards.add(sample)
            shards.close()

    def usage(self, contents: Contents) -> str:
        return (
            "WebDataset shards, splits apart: `webdataset.WebDataset('train-{000000..000003}.tar')`. A sample has "
            "`json` (messages with placeholders, typed answer, where it comes from; `files` names its media in the order "
            "of the placeholders by their extension) and its media. Times are those of the packaged media."
        )


class _Shards:
    """The archives of one split, one after the other."""

    def __init__(self, folder: Path, split: str, limit: int) -> None:
        self.folder, self.split, self.limit = folder, split, limit
        self.number = self.size = 0
        self.tar: tarfile.TarFile | None = None

    def add(self, sample: PackagedSample) -> None:
        files = sorted({p.file for p in sample.parts}, key=[p.file for p in sample.parts].index)
        names = _extensions([next(p for p in sample.parts if p.file == f) for f in files])
        record = sample.record()
        record["files"] = [{"kind": p.kind, "file": names[files.index(p.file)]} for p in sample.parts]
        for medium in record["media"]:
            medium["files"] = [names[files.index(file)] for file in medium["files"]]
        planned = record.pop("frames", None)
        texts = {"json": dumps(record).encode()}
        if planned is not None:
            for medium in planned:
                medium["files"] = [names[files.index(file)] for file in medium["files"]]
            texts["frames.json"] = dumps(planned).encode()
        sizes = [*map(len, texts.values()), *((self.folder / file).stat().st_size for file in files)]
        needed = sum(BLOCK + -(-size // BLOCK) * BLOCK for size in sizes)
        if self.tar is not None and self.size + needed > self.limit:
            self.close()
        if self.tar is None:
            path = self.folder / f"{self.split}-{self.number:06d}.tar"
            self.tar = tarfile.open(path, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115
            self.number, self.size = self.number + 1, 2 * BLOCK
        self.size += needed
        for name, text in texts.items():
            self.tar.addfile(_member(f"{sample.sample_id}.{name}", len(text)), io.BytesIO(text))
        for name, file, size in zip(names, files, sizes[len(texts) :], strict=True):
            with (self.folder / file).open("rb") as data:
                self.tar.addfile(_member(f"{sample.sample_id}.{name}", size), data)

    def close(self) -> None:
        if self.tar is not None:
            self.tar.close()
            self.tar = None


def _member(name: str, size: int) -> tarfile.TarInfo:
    """A regular file of nobody, from 1970."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, 0, 0o644
    return info


def _extensions(parts: list[Part]) -> list[str]:
    """Names behind the stem: the plain suffix, or numbered where a sample has several files with it."""
    suffixes = [PurePosixPath(part.file).suffix.lstrip(".").lower() for part in parts]
    several = {suffix for suffix, n in Counter(suffixes).items() if n > 1}
    return [f"{suffixes[:i].count(s)}.{s}" if s in several else s for i, s in enumerate(suffixes)]


PACKAGER = WebDataset
