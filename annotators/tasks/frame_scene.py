"""The pictures that a frame_choice sample offers: which stills of a clip play which part, and which rows they rest on.

A scene is a clip, perhaps one of its twins, and two to four measured stills: the first two are asked about. It is found
once when samples are written, and read again from the cited rows when they are checked; all times are the source's until
`time_in` says what they are in the twin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from ...engine.annotator import Params, Rows, Unit
from ...engine.distractors.stills import Still, apart_s, hash_distance, mirror_shift, neighbours, other_moments
from ...engine.kept import one_producer
from ...engine.task import EvidenceRow
from ...schemas.motion import Edit
from ...schemas.sample import Evidence
from ...schemas.span import Span, from_us, span_or_none, to_us
from .common import CLIP_COLUMNS, MEDIA_COLUMNS, RowDict, Withheld, cite, grid, rows_of, shuffled, span_of
from .shown import EDIT_COLUMNS

STILL_COLUMNS = ("t_s", "phash", "contrast", "residual_x1", "residual_x2")
EMBEDDING_COLUMNS = ("t_s", "model", "vector")
TEXT_COLUMNS = ("start_s", "end_s", "text", "confidence")
Cast = Literal["mirrored", "reversed", "moments"]


class FrameParams(Params):
    """Parameters of frame_choice."""

    per_clip: int = Field(1, ge=1, description="Pairs of samples per kept clip, at most.")
    per_medium: int = Field(6, ge=1, description="Pairs of samples per medium, at most.")
    casts: tuple[Cast, ...] = Field(
        ("mirrored", "reversed", "moments"), min_length=1, description="Which casts of options may be used."
    )
    window_s: tuple[float, float] = Field((2.0, 20.0), description="Shortest and longest window of the video.")
    min_gap_s: float = Field(0.7, gt=0, description="Least time between the asked moment and any other option's.")
    min_bits: int = Field(8, ge=1, le=64, description="Least perceptual-hash distance of two options, bits.")
    around_s: float = Field(
        0.3, ge=0, description="No option may resemble what is measured this near the asked moment."
    )
    min_contrast: float = Field(12.0, description="Least contrast of a still: a flat picture shows nothing.")
    min_shift: float = Field(
        0.25,
        gt=0,
        le=1,
        description="Least shift, in frame widths, of what proves that a mirrored picture looks different.",
    )


@dataclass(frozen=True)
class Scene:
    """A clip with its medium, the twin in play (with its edit), and the rows that the options rest on."""

    media: RowDict
    clip: RowDict
    twin: RowDict | None
    edit: RowDict | None
    stills: tuple[RowDict, ...]
    """Rows of `signals`: the option stills; the first two are asked about."""
    around: tuple[RowDict, ...]
    """Rows of `signals` near the moments that are asked about."""
    embeddings: tuple[RowDict, ...]
    """Rows of `embeddings` of the stills, where they are used."""
    readings: tuple[RowDict, ...]
    """Rows of `text_regions` that prove what mirroring turns round."""

    @property
    def cast(self) -> Cast:
        """Which options there are."""
        if self.edit is None:
            return "moments"
        return "mirrored" if self.edit["operation"] == "mirror" else "reversed"

    @property
    def step_s(self) -> float:
        """Time for which a still stands: a frame, as far as the medium's rate tells."""
        return 1.0 / float(self.media["fps"]) if self.media["fps"] else 0.04

    @property
    def bounds(self) -> Span | None:
        """What a window may show: the clip, or the part of it that the twin was made of."""
        held = self.clip if self.edit is None else self.edit
        return span_or_none(held["start_s"], min(held["end_s"], self.media["duration_s"]))

    def holds(self, row: RowDict) -> bool:
        """Whether a still belongs to the clip."""
        return span_of(self.clip).contains(row["t_s"])

    def time_in(self, t_s: float, *, twin: bool) -> float:
        """A time of the source on the clock of what is shown. Raises `Withheld` when the twin does not hold it.

        In a twin it lies inside the frame, not on its edge; played backwards, a frame that began at a time ends there.
        """
        if not twin:
            return grid(t_s)
        assert self.edit is not None and self.twin is not None
        edit = Edit.from_row(self.edit)
        t = edit.time(t_s) + self.step_s / (4 if edit.time_scale > 0 else -2)
        if not 0 <= t < self.twin["duration_s"]:
            raise Withheld("the twin does not hold this moment")
        return grid(t)

    def window_in_twin(self, window: Span) -> Span:
        """A window of the source on the twin's clock. Raises `Withheld` when nothing of it is there."""
        assert self.edit is not None and self.twin is not None
        edit = Edit.from_row(self.edit)
        ends = sorted(edit.time(t) for t in (window.start_s, window.end_s))
        start, end = max(0, to_us(ends[0])), min(to_us(ends[1]), to_us(self.twin["duration_s"]))
        if start >= end:
            raise Withheld("the twin does not hold this window")
        return Span(from_us(start), from_us(end))

    def evidence(self) -> tuple[Evidence, ...]:
        """All rows, with the values used."""
        media = (self.media,) if self.twin is None else (self.media, self.twin)
        return (
            *(cite("media", m, (*MEDIA_COLUMNS, "fps")) for m in media),
            cite("clips", self.clip, CLIP_COLUMNS),
            *(cite("edits", e, EDIT_COLUMNS) for e in ([] if self.edit is None else [self.edit])),
            *(cite("signals", s, STILL_COLUMNS) for s in (*self.stills, *self.around)),
            *(cite("embeddings", e, EMBEDDING_COLUMNS) for e in self.embeddings),
            *(cite("text_regions", r, TEXT_COLUMNS) for r in self.readings),
        )


def still_of(row: RowDict) -> Still:
    """A row of `signals` as a still. Raises `Withheld` without a perceptual hash."""
    if row["phash"] is None:
        raise Withheld("a still without a perceptual hash")
    return Still(float(row["t_s"]), int(row["phash"]), str(row["row_id"]))


def scenes(unit: Unit, media: RowDict, clip: RowDict, rows: Rows, params: FrameParams) -> Iterator[Scene]:
    """Scenes of a clip that may carry a sample, in an order that the seed gives."""
    signals = sorted(one_producer(rows["signals"]), key=lambda s: s["t_s"])
    held = span_or_none(clip["start_s"], min(clip["end_s"], media["duration_s"]))
    good = [s for s in signals if s["phash"] is not None and (s["contrast"] or 0) >= params.min_contrast]
    inside = [s for s in good if held and held.contains(s["t_s"])]
    outside = [s for s in good if not (held and held.contains(s["t_s"]))]
    known = {m["media_id"]: m for m in rows["media"]}
    twins: list[RowDict | None] = [
        e
        for e in rows["edits"]
        if e["source_clip_id"] == clip["clip_id"] and e["operation"] in ("mirror", "reverse") and e["media_id"] in known
    ]
    for edit in shuffled([*twins, None], unit.seed, "cast", clip["clip_id"], key=lambda e: e["media_id"] if e else ""):
        for first in shuffled(inside, unit.seed, "still", key=lambda s: s["row_id"])[:16]:
            stills = _cast(first, inside, outside, edit, rows, params)
            if len(stills) >= 2:
                yield _scene(media, clip, edit, known, stills, signals, rows, params)


def _cast(
    first: RowDict,
    inside: Sequence[RowDict],
    outside: Sequence[RowDict],
    edit: RowDict | None,
    rows: Rows,
    params: FrameParams,
) -> list[RowDict]:
    """The stills of a scene in the order of their parts; none when the footage does not give enough."""
    by_row = {str(s["row_id"]): s for s in (*inside, *outside)}
    vectors = {to_us(e["t_s"]): e["vector"] for e in one_producer(rows["embeddings"])} if edit is None else {}
    if to_us(first["t_s"]) in vectors:  # look-alikes are compared with both asked stills
        inside = [s for s in inside if to_us(s["t_s"]) in vectors]
    elif any(to_us(s["t_s"]) in vectors for s in inside):
        return []
    truth = still_of(first)
    chosen = [truth]

    def add(proposals: Iterable[Still], most: int) -> None:
        for s in proposals:
            apart = all(
                hash_distance(s, c) >= params.min_bits and to_us(apart_s(s, c)) >= to_us(params.min_gap_s)
                for c in chosen
            )
            if apart and len(chosen) < most:
                chosen.append(s)

    if edit is not None and edit["operation"] == "reverse":
        back = to_us(edit["start_s"] + edit["end_s"] - first["t_s"])
        add(sorted(map(still_of, inside), key=lambda s: (abs(to_us(s.t_s) - back), s.t_s))[:1], 2)
        if len(chosen) < 2 or abs(to_us(chosen[1].t_s) - back) > to_us(params.around_s):
            return []
    moments = [d.value for d in other_moments(truth, map(still_of, inside), params.min_gap_s, params.min_bits)]
    add(moments, 2)
    if len(chosen) < 2 or (edit is not None and edit["operation"] == "mirror"):
        return [by_row[s.row] for s in chosen]
    for asked in chosen[:2]:
        alike = neighbours(asked, map(still_of, outside), vectors, params.min_bits)
        add([d.value for d in alike[:6]], len(chosen) + 1)
    add(moments, 4)
    return [by_row[s.row] for s in chosen] if len(chosen) >= 3 else []


def _scene(
    media: RowDict,
    clip: RowDict,
    edit: RowDict | None,
    known: dict[str, Any],
    stills: Sequence[RowDict],
    signals: Sequence[RowDict],
    rows: Rows,
    params: FrameParams,
) -> Scene:
    own, near = {s["row_id"] for s in stills}, to_us(params.around_s)
    around = [
        s
        for s in signals
        if s["phash"] is not None
        and s["row_id"] not in own
        and any(abs(to_us(s["t_s"]) - to_us(asked["t_s"])) <= near for asked in stills[:2])
    ]
    readings: list[RowDict] = []
    if edit is not None and edit["operation"] == "mirror":
        proofs = [mirror_shift(s, one_producer(rows["text_regions"]))[1] for s in stills]
        readings = list({str(r["row_id"]): r for r in proofs if r is not None}.values())
    times = {to_us(s["t_s"]) for s in stills}
    vectors = [e for e in one_producer(rows["embeddings"]) if to_us(e["t_s"]) in times] if len(stills) > 2 else []
    twin = known[edit["media_id"]] if edit is not None else None
    return Scene(media, clip, twin, edit, tuple(stills), tuple(around), tuple(vectors), tuple(readings))


def scene_of(evidence: Sequence[EvidenceRow], stills: int) -> Scene:
    """The scene of a stored sample from its evidence, `stills` being how many of its signals are options. Raises
    `Withheld`.
    """
    media, clips, edits, signals = (rows_of(evidence, table) for table in ("media", "clips", "edits", "signals"))
    embeddings, readings = rows_of(evidence, "embeddings"), rows_of(evidence, "text_regions")
    if len(clips) != 1 or len(edits) > 1 or len(media) != 1 + len(edits) or not 2 <= stills <= len(signals):
        raise Withheld("the cited rows are not those of one scene")
    source, clip = media[0], clips[0]
    if any(r["media_id"] != source["media_id"] for r in (clip, *signals, *embeddings, *readings)):
        raise Withheld("evidence of another medium is cited")
    edit, twin = (edits[0], media[1]) if edits else (None, None)
    if edit is not None and twin is not None:
        made = edit["media_id"] == twin["media_id"] and edit["source_clip_id"] == clip["clip_id"]
        if not made or edit["source_media_id"] != source["media_id"] or edit["operation"] not in ("mirror", "reverse"):
            raise Withheld("the edit is not one of this clip")
    asked, rest = tuple(signals[:stills]), tuple(signals[stills:])
    return Scene(source, clip, twin, edit, asked, rest, tuple(embeddings), tuple(readings))
