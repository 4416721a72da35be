"""Which frames a sample's card shows: a strip over its window, or its stills, and a large one for a place or a motion.

Known before anything is decoded, so that one pass over a medium serves all cards that show it. The middle of the answer,
and of what the steps of reasoning look at, is in the strip, however short it is; without both, the middle of what is
asked about.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..schemas.sample import BoxAnswer, Sample, SpanBoxAnswer, TubeAnswer
from .frames_at import FrameWish, wish_at
from .motion_arrows import motion_of
from .readable import answer_spans, evidence_times, reasons, seconds, spans_named
from .timeline import Around, axis_of, stills_of

STRIP_PX, GAP_PX = 1136, 8
"""Width of the strip, and the space between its pictures."""
TILE_PX, FEATURE_PX, FEATURE_WIDTH_PX = 220.0, 420.0, 440
"""Greatest height of a picture in the strip; greatest height and width of the large one."""
MOST_STILLS = 96
"""More stills than this are not all shown."""


@dataclass(frozen=True)
class Wanted:
    """A picture on a card: which medium and when."""

    media_id: str
    t_s: float
    label: str
    wish: FrameWish


@dataclass(frozen=True)
class FramePlan:
    """The pictures of a card: the strip, and a large one for answers that are a place or a motion."""

    strip: tuple[Wanted, ...]
    feature: Wanted | None
    aspect: float
    """Width / height of the strip's pictures."""

    @property
    def all(self) -> tuple[Wanted, ...]:
        """Every picture."""
        return (*self.strip, self.feature) if self.feature else self.strip


def frame_plan(sample: Sample, around: Around) -> FramePlan:
    """Which frames to draw: the stills of the sample, else six to eight over its window with the answer's middle."""
    first = sample.media[0]
    aspect = _aspect(around, first.media_id)
    stills = list(enumerate(stills_of(sample), 1))
    if stills:
        stills = _few_enough(sample, stills)
        side = _side(tile_width(min(max(len(stills), 4), 8)), _aspect(around, stills[0][1][0]))
        strip = [Wanted(media_id, t, f"{i} · {seconds(t)} s", wish_at(t, side)) for i, (media_id, t) in stills]
        return FramePlan(tuple(strip), None, _aspect(around, stills[0][1][0]))
    if first.kind in ("audio", "text") or not _has_pictures(around, first.media_id):
        return FramePlan((), None, aspect)
    count = 6 if aspect >= 1.5 else 7 if aspect >= 1 else 8
    count = min(max(count, len(key_times(sample)) + 1), 8)
    side = _side(tile_width(count), aspect)
    times = strip_times(sample, count)
    strip = [Wanted(first.media_id, t, f"{seconds(t)} s", wish_at(t, side)) for t in times]
    feature = feature_time(sample)
    large = None
    if feature is not None:
        width, height = fitted(FEATURE_WIDTH_PX, FEATURE_PX, aspect)
        large = Wanted(first.media_id, feature, f"{seconds(feature)} s", wish_at(feature, round(max(width, height))))
    return FramePlan(tuple(strip), large, aspect)


def strip_times(sample: Sample, count: int) -> list[float]:
    """Times in the middle of `count` equal parts of the window; the nearest gives way to each of `key_times`."""
    axis = axis_of(sample)
    step = (axis.end_s - axis.start_s) / count
    times = [axis.start_s + (i + 0.5) * step for i in range(count)]
    taken: set[int] = set()
    wanted = key_times(sample)
    if len(wanted) > count:
        wanted = [wanted[i * len(wanted) // count] for i in range(count)]
    for t in wanted:
        free = [i for i in range(count) if i not in taken]
        nearest = min(free, key=lambda i: (abs(times[i] - t), i))
        times[nearest] = t
        taken.add(nearest)
    return sorted(times)


def key_times(sample: Sample) -> list[float]:
    """Middles of the answer's spans, the box's time, middles of what reasons look at; else of what is asked about."""
    axis = axis_of(sample)
    spans = answer_spans(sample)
    times = [(a + b) / 2 for a, b in spans]
    if isinstance(sample.answer, BoxAnswer):
        times.append(sample.answer.t_s)
    times += [(a + b) / 2 for a, b in reasons(sample).values()]
    if not times:
        times = [(a + b) / 2 for a, b in spans_named(t.text for t in sample.turns if t.role == "user")]
    return [t for t in dict.fromkeys(times) if axis.start_s <= t <= axis.end_s]


def key_spans(sample: Sample) -> list[tuple[float, float]]:
    """What reasons look at; of stills without reasons, the cited events."""
    found = list(reasons(sample).values())
    if found or answer_spans(sample) or not stills_of(sample):
        return found
    cited = (evidence_times(e) for e in sample.evidence if e.table == "events")
    return [span for span in cited if span is not None and span[1] > span[0]]


Still = tuple[int, tuple[str, float]]
"""Number of a still, its medium and time."""


def _few_enough(sample: Sample, stills: list[Still]) -> list[Still]:
    """Of very many stills the ones that matter and others evenly between, under their own numbers."""
    if len(stills) <= MOST_STILLS:
        return stills
    spans = [*answer_spans(sample), *key_spans(sample)]
    kept = [s for s in stills if any(a <= s[1][1] < b for a, b in spans)][: MOST_STILLS // 2]
    step = len(stills) / (MOST_STILLS - len(kept))
    return sorted({*kept, *(stills[int(i * step)] for i in range(MOST_STILLS - len(kept)))})


def feature_time(sample: Sample) -> float | None:
    """When the large picture is taken: at the box, or in the middle of a motion; None for other answers."""
    match sample.answer:
        case BoxAnswer(t_s=t_s):
            return t_s
        case SpanBoxAnswer(start_s=start, end_s=end):
            return (start + end) / 2
        case TubeAnswer():
            return sample.answer.middle[0]
    if motion_of(sample) is not None:
        axis = axis_of(sample)
        return (axis.start_s + axis.end_s) / 2
    return None


def tile_width(columns: int) -> float:
    """Width of a picture in a strip of so many, px."""
    return (STRIP_PX - (columns - 1) * GAP_PX) / columns


def fitted(width: float, height: float, aspect: float) -> tuple[float, float]:
    """The largest size of this aspect inside `width` x `height`."""
    return (width, width / aspect) if width / aspect <= height else (height * aspect, height)


def _side(width: float, aspect: float) -> int:
    return round(max(fitted(width, TILE_PX, aspect)))


def _aspect(around: Around, media_id: str) -> float:
    media = around.media.get(media_id, {})
    if not media.get("width") or not media.get("height"):
        return 16 / 9
    return min(max(float(media["width"]) / float(media["height"]), 0.3), 4.0)


def _has_pictures(around: Around, media_id: str) -> bool:
    return around.media.get(media_id, {}).get("kind", "video") != "audio"
