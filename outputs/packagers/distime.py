"""DisTime: `<TIME_STAMP>` for each interval, and the seconds of all of them in `tgt`, in reading order.

Times are those of the packaged videos and stay as they are. The trainer's loader refuses videos shorter than a second, which
are left out, and cuts times one second before the end: `shortened.jsonl` lists the samples whose interval loses its end
there. A single time or a box cannot be said. No sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import Field

from ...engine.answering.samplers import stream_facts
from ...schemas.span import Span
from ...schemas.timecodec import TimeCodecError
from ...schemas.timecodec_distime import LOADER_MARGIN_S, PLACEHOLDER, flat, shortened, spans_of
from ..packager import Contents, JsonList, Modality, PackagedSample, PackageError, PackageParams, Packager, dumps
from ..rendering import Language, LeftOut, Part, Placeholders
from .llava import SPEAKER

LEAST_S = 1.0


class Params(PackageParams):
    """Parameters of distime."""

    modalities: tuple[Modality, ...] = Field(("vision",), min_length=1, description="What the trainer shows a model.")


class DisTime(Packager[Params]):
    """DisTime's conversations with `tgt`, one file per split."""

    name = "distime"
    Params = Params
    spans = "none"
    clock = "index"
    shows = ("vision",)
    masks = False

    def language(self) -> Language:
        return replace(super().language(), placeholders=Placeholders(None, PLACEHOLDER, None))

    def refuses(self, parts: Sequence[Part]) -> str | None:
        return None if [part.kind for part in parts] == ["video"] else "one video per sample"

    def drawn_s(self, video: Path) -> tuple[float, ...] | None:
        facts = stream_facts(video)
        length_s = facts.duration_s or len(facts.times_s) / max(facts.average_fps, 1e-6)
        if length_s < LEAST_S:
            raise LeftOut("window: the trainer refuses videos shorter than a second", f"{length_s:.2f} s")
        return super().drawn_s(video)

    def write(self, samples: Iterator[PackagedSample], folder: Path, contents: Contents) -> None:
        with (folder / "shortened.jsonl").open("w", encoding="utf-8", newline="\n") as cut:
            for split, group in groupby(samples, key=lambda s: s.split):
                with JsonList(folder / f"{split}.json") as file:
                    for sample in group:
                        entry, spans = _entry(sample)
                        file.add(entry)
                        lost = shortened(spans, sample.facts["media"][0]["duration_s"])
                        if lost:
                            cut.write(
                                dumps({"id": sample.sample_id, "spans": [[s.start_s, s.end_s] for s in lost]}) + "\n"
                            )

    def usage(self, contents: Contents) -> str:
        files = ", ".join(f"`{split}.json`" for split in contents.splits) or "no files, for no sample was packaged"
        return (
            f"DisTime conversations: {files}; paths of `video` are relative to this folder. `tgt` holds start and end in seconds of "
            f"each `{PLACEHOLDER}`, in reading order over questions and answers. The loader cuts times {LOADER_MARGIN_S:g} s "
            "before the end of a video: `shortened.jsonl` lists the samples that lose by it; their true times stand in `tgt`."
        )


def _entry(sample: PackagedSample) -> tuple[Mapping[str, Any], list[Span]]:
    tgt = flat(Span(*mark.times) for mark in sample.marks)
    try:
        spans = spans_of("".join(text for _, text in sample.turns), tgt)
    except TimeCodecError as error:
        raise PackageError(f"sample {sample.sample_id}: {error}") from None
    turns = [{"from": SPEAKER[role], "value": text} for role, text in sample.turns]
    return {"id": sample.sample_id, "video": sample.files("video")[0], "tgt": tgt, "conversations": turns}, spans


PACKAGER = DisTime
