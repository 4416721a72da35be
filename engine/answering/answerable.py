"""Whether a sample can be answered from what a trainer shows of it: one pure function, for every task and answer.

`show_video` and `show_stills` turn a profile and the facts of a file into the frames that a model gets; `answerability`
puts a sample's evidence beside them and names the first thing that stands in the way. Everything is on the source's
clock. It judges what is visible, not what is difficult: a frame inside a span does not promise that the model sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...schemas.boxcodec import BoxCodec
from ...schemas.sample import AbsentAnswer, Sample
from ...schemas.span import Span, intersection_of_sets, merge, span_or_none, union_length_s
from ...schemas.timecodec import TimeCodec
from .evidence_spans import asked_spans, evidence_spans, moving_spans, sample_boxes, sizes_to_see
from .resizing import frame_tokens, resized
from .samplers import StreamFacts, drawn_times
from .trainer_profiles import Least, Profile

VISUAL = frozenset({"vision", "motion", "on_screen_text", "3d"})
"""Needs that pictures serve."""
AUDIBLE = frozenset({"audio", "speech_text"})
"""Needs that sound serves."""
_TICK_S = 1e-4
"""Containers round times to their ticks; a frame this little before a span still belongs to it."""


@dataclass(frozen=True)
class Drawn:
    """A frame that a model gets: when it was taken (source clock), its size in px, its visual tokens."""

    t_s: float
    width: int
    height: int
    tokens: int


@dataclass(frozen=True)
class Shown:
    """What a model is shown of one medium of a sample."""

    frames: tuple[Drawn, ...]
    """In the order in which they are drawn, repetitions included."""
    duration_s: float
    """Length of what is shown: times are written relative to it."""
    kept: tuple[float, float] = (0.0, 0.0)
    """Pixels of the picture's own width and height that are left after resizing."""
    stills: bool = False
    refused: str | None = None
    """Why the trainer cannot show it at all."""

    @property
    def times(self) -> tuple[float, ...]:
        """When the frames were taken, each once, in order of time."""
        return tuple(sorted({f.t_s for f in self.frames}))


@dataclass(frozen=True)
class Answerability:
    """What a trainer shows of a sample, and the first rule that is not met (None: it can be answered)."""

    frames_in_evidence: int | None
    """None when no span is asked about."""
    coverage: float
    object_px: float | None
    codec_error_s: float | None
    evidence_s: float | None
    rule: str | None
    detail: str = ""

    @property
    def answerable(self) -> bool:
        return self.rule is None


def show_video(profile: Profile, facts: StreamFacts, zero_s: float, width: int, height: int) -> Shown:
    """What the profile shows of a file of `width` x `height` px whose t = 0 is `zero_s` of the source."""
    end_s = facts.duration_s or (len(facts.times_s) / facts.average_fps if facts.average_fps else 0.0)
    if not len(facts.times_s):
        return Shown((), end_s)
    try:
        times = drawn_times(facts, profile.draws(facts))
    except ValueError as error:
        return Shown((), end_s, refused=str(error))
    return show_frames(profile, [zero_s + t for t in times], end_s, width, height)


def show_frames(profile: Profile, times_s: Sequence[float], duration_s: float, width: int, height: int) -> Shown:
    """What the profile shows of frames of a video drawn at `times_s` (source clock), repetitions included."""
    try:
        size = resized(width, height, profile.video.resize, len(times_s))
    except ValueError as error:
        return Shown((), duration_s, refused=str(error))
    tokens = frame_tokens(size.width, size.height, profile.video.tokens, len(times_s))
    frames = tuple(Drawn(round(t, 6), size.width, size.height, n) for t, n in zip(times_s, tokens, strict=True))
    return Shown(frames, duration_s, size.kept)


def show_stills(profile: Profile, times_s: Sequence[float], window_s: float, width: int, height: int) -> Shown:
    """What the profile shows of stills of `width` x `height` px taken at `times_s`."""
    try:
        size = resized(width, height, profile.stills.resize)
    except ValueError as error:
        return Shown((), window_s, stills=True, refused=str(error))
    (tokens,) = frame_tokens(size.width, size.height, profile.stills.tokens, 1)
    frames = tuple(Drawn(t, size.width, size.height, tokens) for t in times_s)
    return Shown(frames, window_s, size.kept, stills=True)


def answerability(
    sample: Sample,
    shown: Mapping[int, Shown],
    least: Least,
    *,
    times: TimeCodec,
    boxes: BoxCodec | None,
    sound: bool,
) -> Answerability:
    """What `shown` (by place of the medium in the sample, from 0) gives of the evidence, and what stands in the way.

    `times` and `boxes` are how the trainer's language writes them (None: boxes are not checked), `sound` whether the
    model hears. A medium that is not in `shown` (nothing is known of it) is not held against the sample.
    """
    asked = [(m, s) for m, s in asked_spans(sample) if m in shown]
    evidence = [(m, s) for m, s in evidence_spans(sample) if m in shown]
    seen = [len(_inside(shown[m], s)) for m, s in asked if not shown[m].stills]
    sizes = [(w * shown[m].kept[0], h * shown[m].kept[1]) for m, w, h in sizes_to_see(sample) if m in shown]
    object_px = min((min(size) for size in sizes if all(size)), default=None)
    moving = {m: s for m, s in shown.items() if not s.stills}
    error_s = max((times.max_error_s(s.duration_s) for s in moving.values() if s.duration_s > 0), default=None)
    found = Answerability(
        frames_in_evidence=min(seen) if seen else None,
        coverage=_coverage(evidence, shown, least.reach_s),
        object_px=None if object_px is None else round(object_px, 2),
        codec_error_s=error_s,
        evidence_s=min((round(s.length_s, 6) for _, s in asked), default=None),
        rule=None,
    )
    obstacles = _obstacles(sample, shown, least, found, evidence, boxes, sound)
    rule, detail = next(iter(obstacles), (None, ""))
    return replace(found, rule=rule, detail=detail)


def _obstacles(
    sample: Sample,
    shown: Mapping[int, Shown],
    least: Least,
    found: Answerability,
    evidence: Sequence[tuple[int, Span]],
    boxes: BoxCodec | None,
    sound: bool,
) -> Iterable[tuple[str, str]]:
    """What stands in the way, the most basic first: (rule, detail)."""
    needs = set(sample.needs)
    if needs & AUDIBLE and not sound:
        yield "no sound is shown", f"needs {', '.join(sorted(needs & AUDIBLE))}"
    if needs & VISUAL:
        yield from _unseen(sample, shown, least, found, evidence)
        if boxes is not None and any(not boxes.fits(box) for _, box in sample_boxes(sample)):
            yield "box smaller than the codec can say", f"{boxes.name} {boxes.steps}"
    error_s, shortest = found.codec_error_s, found.evidence_s
    if error_s is not None and shortest is not None and error_s > least.codec_share * shortest:
        yield "span shorter than the codec can say", f"{shortest:g} s, times are written to {error_s:.3g} s"


def _unseen(
    sample: Sample,
    shown: Mapping[int, Shown],
    least: Least,
    found: Answerability,
    evidence: Sequence[tuple[int, Span]],
) -> Iterable[tuple[str, str]]:
    for view in shown.values():
        if view.refused:
            yield "the trainer cannot sample the video", view.refused
    frames = sum(len(view.times) for view in shown.values())
    if shown and not frames:
        yield "no frame is drawn", ""
    moves = "motion" in sample.needs
    if moves and any(view.stills for view in shown.values()):
        if frames < least.motion_frames:
            yield f"fewer than {least.motion_frames} frames to see motion", f"{frames} stills"
        moves = False
    moving = moving_spans(sample) if moves else []
    for medium, span in evidence:
        if shown[medium].stills:
            continue
        inside = len(_inside(shown[medium], span))
        where = f"{inside} of {len(shown[medium].times)} frames in {span.start_s:g}..{span.end_s:g} s"
        if inside == 0:
            yield "no frame inside the evidence", where
        if inside < least.frames:
            yield f"fewer than {least.frames} frames inside the evidence", where
        if (medium, span) in moving and inside < least.motion_frames:
            yield f"fewer than {least.motion_frames} frames to see motion", where
    if isinstance(sample.answer, AbsentAnswer) and found.coverage < least.absent_coverage:
        yield "too little is seen to call it absent", f"{found.coverage:.0%} of the window"
    if found.object_px is not None and found.object_px < least.object_px:
        yield f"object smaller than {least.object_px:g} px", f"{found.object_px:.1f} px after resizing"


def roles(sample: Sample, medium: int, shown: Shown) -> list[str]:
    """`evidence` or `context` for each frame of a medium, in the order of drawing. Stills are their own evidence."""
    spans = [span for m, span in evidence_spans(sample) if m == medium]
    return [
        "evidence" if shown.stills or any(_holds(span, f.t_s) for span in spans) else "context" for f in shown.frames
    ]


def _holds(span: Span, t_s: float) -> bool:
    return span.start_s - _TICK_S <= t_s < span.end_s - _TICK_S


def _inside(shown: Shown, span: Span) -> list[float]:
    return [t for t in shown.times if _holds(span, t)]


def _coverage(evidence: Sequence[tuple[int, Span]], shown: Mapping[int, Shown], reach_s: float) -> float:
    """Share of the evidence that lies within `reach_s` of a frame, 0..1; stills are their own evidence."""
    whole = covered = 0.0
    for medium in sorted({m for m, _ in evidence}):
        view = shown[medium]
        if view.stills:
            continue
        spans = merge(span for m, span in evidence if m == medium)
        near = [s for t in view.times if (s := span_or_none(max(0.0, t - reach_s), t + reach_s)) is not None]
        whole += union_length_s(spans)
        covered += union_length_s(intersection_of_sets(spans, near))
    if not whole:
        return 1.0 if any(view.frames for view in shown.values()) else 0.0
    return round(min(1.0, covered / whole), 6)
