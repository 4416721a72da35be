"""Cuts a long medium into episodes where it falls silent, or else where the picture changes, as HippoMM does.

Within a window of `max_s` from the last cut, the last silence wins; without one the last change of the picture; without
either the window's end. HippoMM measures SSIM of neighbouring frames and the level of half seconds; here silence comes from
`sounds` (or from pauses between words), changes from `shots` (or from jumps of the perceptual hash in `signals`), so both are
as exact as those rows. No episode is shorter than `min_s`, unless the medium is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import Field, model_validator

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import one_producer
from ...schemas.span import Span, from_us, merge, span_or_none, to_us

_MASK = 2**64 - 1


class Params(BaseParams):
    """Parameters of episodes."""

    max_s: float = Field(30.0, gt=0, description="Longest episode (HippoMM's configuration; its code's default is 10).")
    min_s: float = Field(10.0, ge=0, description="Shortest episode (its code's default is 5).")
    silence_s: float = Field(0.5, gt=0, description="Shortest silence that ends an episode.")
    silence_db: float = Field(-40.0, description="Silences of `sounds` with a higher level do not count, dBFS.")
    change_bits: int = Field(
        20, ge=1, le=64, description="Least distance of neighbouring perceptual hashes that is a change, without shots."
    )

    @model_validator(mode="after")
    def _room(self) -> Params:
        if self.max_s < 2 * self.min_s:
            raise ValueError(f"max_s {self.max_s:g} must be at least twice min_s {self.min_s:g}")
        return self


@dataclass(frozen=True)
class Silence:
    """A silence and its level, dBFS; None when it is a pause between words."""

    span: Span
    level_db: float | None


@dataclass(frozen=True)
class Episode:
    """An episode, and what ends it."""

    span: Span
    boundary: str
    score: float | None


class Episodes(UnitAnnotator[Params]):
    """Writes `episodes`, which follow each other without a gap from the medium's start to its end."""

    name: ClassVar[str] = "episodes"
    version: ClassVar[int] = 1
    Params = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "shots", "signals", "sounds", "words")
    optional_reads: ClassVar[tuple[str, ...]] = ("shots", "signals", "sounds", "words")
    writes: ClassVar[tuple[str, ...]] = ("episodes",)
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Rows of one medium."""
        assert unit.medium is not None
        if unit.medium.duration_s <= 0:
            raise SkipUnit("no length")
        silences = silences_of(rows, unit.medium.duration_s, self.params)
        changes = changes_of(rows, self.params.change_bits)
        for e in cut_episodes(unit.medium.duration_s, silences, changes, self.params):
            yield (
                "episodes",
                {"start_s": e.span.start_s, "end_s": e.span.end_s, "boundary": e.boundary, "score": e.score},
            )


def cut_episodes(
    duration_s: float, silences: Sequence[Silence], changes: Sequence[tuple[float, float | None]], params: Params
) -> Iterator[Episode]:
    """Episodes of a medium of `duration_s`; `changes` are (time, size) of changes of the picture."""
    start, end = 0, to_us(duration_s)
    shortest, longest = to_us(params.min_s), to_us(params.max_s)
    while end - start > longest:
        low, high = start + shortest, min(start + longest, end - shortest)
        quiet = [(max(to_us(s.span.start_s), low), s.level_db) for s in silences if to_us(s.span.end_s) > low]
        quiet = [(at, level) for at, level in quiet if at <= high]
        jumps = [(to_us(at), size) for at, size in changes if low <= to_us(at) <= high]
        cut, boundary, score = _chosen(quiet, jumps, high)
        yield Episode(Span(from_us(start), from_us(cut)), boundary, score)
        start = cut
    yield Episode(Span(from_us(start), from_us(end)), "end", None)


def silences_of(rows: Rows, duration_s: float, params: Params) -> list[Silence]:
    """Silences that are long and low enough, in order: those of `sounds`, or else pauses between words."""
    quiet = one_producer([s for s in rows["sounds"] if s["label"] == "silence"])
    if quiet:
        long = [s for s in quiet if s["end_s"] - s["start_s"] >= params.silence_s]
        low = [s for s in long if s["level_db"] is None or s["level_db"] <= params.silence_db]
        return [Silence(Span(s["start_s"], s["end_s"]).quantised(), s["level_db"]) for s in low]
    words = [span_or_none(w["start_s"], w["end_s"]) for w in one_producer(rows["words"])]
    spoken = merge(w for w in words if w is not None)
    if not spoken:
        return []
    edges = [0.0, *(t for s in spoken for t in (s.start_s, s.end_s)), duration_s]
    pauses = [span_or_none(a, b) for a, b in list(pairwise(edges))[::2]]
    return [Silence(p.quantised(), None) for p in pauses if p is not None and p.length_s >= params.silence_s]


def changes_of(rows: Rows, least_bits: int) -> list[tuple[float, float | None]]:
    """(time, size) of changes of the picture: cuts between shots, or else jumps of the hash (share of bits)."""
    shots = one_producer(rows["shots"])
    if shots:
        return [(s["start_s"], s["score"]) for s in shots if s["transition"] != "start" and s["start_s"] > 0]
    seen: list[Any] = sorted(
        (s for s in one_producer(rows["signals"]) if s["phash"] is not None), key=lambda s: s["t_s"]
    )
    jumps = [(b["t_s"], ((a["phash"] ^ b["phash"]) & _MASK).bit_count()) for a, b in pairwise(seen)]
    return [(at, bits / 64) for at, bits in jumps if bits >= least_bits]


def _chosen(
    quiet: Sequence[tuple[int, float | None]], jumps: Sequence[tuple[int, float | None]], high: int
) -> tuple[int, str, float | None]:
    """Where to cut, what ends the episode, and its score: walking backward, silence first."""
    for boundary, found in (("sound", quiet), ("picture", jumps)):
        if found:
            at, score = max(found, key=lambda f: f[0])
            return at, boundary, score
    return high, "limit", None


ANNOTATOR = Episodes
