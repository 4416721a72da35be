"""One file as second methods see it: looked at once for everything that all samples on it ask for.

Methods leave wishes (`Look`): which frames of which part, and what is to be made of each. One decode serves them all, and
only what the wishes make of the frames is kept, so that memory does not grow with the footage. Sound is read once, as
mono at 16 kHz. Times are on the file's own clock; `to_source` and `to_file` turn them into those of the medium.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...engine.annotator import AudioSession, Medium
from ...schemas.span import Span

if TYPE_CHECKING:
    from ...engine.media.audio import AudioPiece
    from ...engine.media.frame import Frame

RATE_HZ = 16_000
_SLACK_S = 1e-6


@dataclass(frozen=True)
class Look:
    """A wish: of the frames in [start_s, end_s), the first at or after each multiple of 1/fps (plus `phase_s`), or all of
    them (fps None), each turned into something small by `make`. Equal names mean equal wishes of several samples.
    """

    name: str
    start_s: float
    end_s: float
    fps: float | None
    make: Callable[[Frame], Any]
    phase_s: float = 0.0


class Footage:
    """A file. `zero_s`: time of the medium at the file's t = 0. Raises `MediaError` from whatever cannot be read."""

    def __init__(self, path: Path, zero_s: float = 0.0) -> None:
        self.path, self.zero_s = path, zero_s
        self._wishes: dict[str, list[Look]] = {}
        self._seen: dict[str, list[tuple[float, Any]]] | None = None

    def to_source(self, t_s: float) -> float:
        """A time of the file on the medium's clock."""
        return t_s + self.zero_s

    def to_file(self, t_s: float) -> float:
        """A time of the medium on the file's clock."""
        return t_s - self.zero_s

    @cached_property
    def _timeline(self) -> Any:
        from ...engine.media.timeline import read_timeline

        return read_timeline(self.path)

    @property
    def duration_s(self) -> float:
        """How long the file really is."""
        return float(self._timeline.end_s)

    # -- pictures ---------------------------------------------------------------------------------------------------

    def want(self, looks: Iterable[Look]) -> None:
        """Leave wishes, before anything is read."""
        if self._seen is not None:
            raise RuntimeError(f"{self.path.name}: all wishes must be left before the first look")
        for look in looks:
            self._wishes.setdefault(look.name, []).append(look)

    def seen(self, name: str, within: Span | None = None) -> list[tuple[float, Any]]:
        """(time, what was made) of a wish's frames in time order, of all samples or of [start_s, end_s)."""
        if self._seen is None:
            self._seen = self._read()
        found = self._seen.get(name, [])
        if within is None:
            return found
        return [(t, v) for t, v in found if within.start_s - _SLACK_S <= t < within.end_s - _SLACK_S]

    def _read(self) -> dict[str, list[tuple[float, Any]]]:
        from ...engine.media.decode import VideoReader

        found: dict[str, list[tuple[float, Any]]] = {name: [] for name in self._wishes}
        pickers = [_Picker(name, looks) for name, looks in sorted(self._wishes.items())]
        if not pickers:
            return found
        end_s = max(p.end_s for p in pickers)
        frames = iter(VideoReader(self.path))
        with closing(frames):
            for frame in frames:
                if frame.t_s >= end_s:
                    break
                for picker in pickers:
                    if picker.wants(frame.t_s):
                        found[picker.name].append((frame.t_s, picker.make(frame)))
        return found

    # -- sound ------------------------------------------------------------------------------------------------------

    @property
    def has_sound(self) -> bool:
        """Whether there is a sound track."""
        return self._timeline.audio_start_s is not None

    @cached_property
    def sound(self) -> NDArray[np.float32]:
        """Mono sound at 16 kHz from t = 0 on, float32 [n] in -1..1; empty without a sound track."""
        from ...engine.media.audio import AudioTap, run_audio
        from ...engine.media.events import Finished

        facts = self._timeline
        video = len(facts.times_s) > 0
        medium = Medium(
            "", str(self.path), self.path, "video" if video else "audio", facts.end_s, None, None, None, None,
            video, self.has_sound, facts.start_pts_s,
        )  # fmt: skip
        if not self.has_sound:
            return np.zeros(0, np.float32)
        heard = _Recorder()
        for event in run_audio(medium, [AudioTap("second", heard, RATE_HZ)]):
            if isinstance(event, Finished) and event.error is not None:
                raise event.error
        return heard.sound()


class _Picker:
    """Says which frames a wish wants."""

    def __init__(self, name: str, looks: Sequence[Look]) -> None:
        self.name, self.make, self.fps, self.phase_s = name, looks[0].make, looks[0].fps, looks[0].phase_s
        self.spans = sorted((look.start_s, look.end_s) for look in looks)
        self.end_s = max(end for _, end in self.spans)
        self._slot: int | None = None

    def wants(self, t_s: float) -> bool:
        if not any(start - _SLACK_S <= t_s < end - _SLACK_S for start, end in self.spans):
            return False
        if self.fps is None:
            return True
        slot = int(np.floor((t_s - self.phase_s) * self.fps + _SLACK_S))
        if slot == self._slot:
            return False
        self._slot = slot
        return True


class _Recorder(AudioSession):
    """Keeps all pieces of sound."""

    def __init__(self) -> None:
        self._pieces: list[AudioPiece] = []

    def hear(self, piece: AudioPiece) -> Iterator[Any]:
        self._pieces.append(piece)
        return iter(())

    def sound(self) -> NDArray[np.float32]:
        if not self._pieces:
            return np.zeros(0, np.float32)
        out = np.zeros(round(self._pieces[-1].end_s * RATE_HZ), np.float32)
        for piece in self._pieces:
            at = round(piece.start_s * RATE_HZ)
            samples = piece.samples[: max(0, len(out) - at)]
            out[at : at + len(samples)] = samples.astype(np.float32) / np.float32(32768)
        return out


def muted(sound: NDArray[np.float32], spans: Iterable[Span]) -> NDArray[np.float32]:
    """A copy of `sound` with silence in `spans` (file clock)."""
    out = sound.copy()
    for span in spans:
        out[max(0, round(span.start_s * RATE_HZ)) : max(0, round(span.end_s * RATE_HZ))] = 0
    return out
