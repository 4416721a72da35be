"""The files that a package shows: each distinct cut, still or whole file once, shared by all samples that show it.

A file's name is a hash of medium, span and settings, so equal wishes meet, the order of samples does not matter, and a
neighbouring package's cut of the same footage is linked instead of being made again. Cutting is exact to the frame
(`engine/media/cut.py`); stills are read by decoding their medium once, from its beginning.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..engine.catalog import Catalog
from ..engine.media import MEDIA_VERSION
from ..engine.media.container import MediaError
from ..schemas.ids import derive_id
from ..schemas.sample import MediumRef
from ..schemas.span import Span, from_us, to_us
from .package_sources import Footage
from .packager import Packager, dumps
from .rendering import LeftOut, Part, View

Form = Literal["video", "audio", "still", "whole"]
INDEX = "media.jsonl"
"""Beside the media of a package: one line per file, saying which part of which medium it is."""


@dataclass(frozen=True, order=True)
class Wish:
    """A file to be made. Times in microseconds on the source's clock; a still has only a start."""

    media_id: str
    form: Form
    start_us: int
    end_us: int
    fps: float
    """0: as the source."""
    sound: bool


@dataclass(frozen=True)
class Made:
    """A file that was made. `start_s`, `end_s`: what was asked for; `zero_s`: source time of its t = 0."""

    file: str
    media_id: str
    form: Form
    start_s: float
    end_s: float
    zero_s: float
    duration_s: float
    width: int
    height: int
    size_bytes: int = 0
    drawn_s: tuple[float, ...] | None = None


class MediaShelf:
    """Makes the files of one package below `folder`, and answers what a sample shows of a medium."""

    def __init__(
        self, catalog: Catalog, packager: Packager[Any], folder: Path, neighbours: Sequence[Path] = ()
    ) -> None:
        self.packager, self.folder = packager, folder
        self.footage = Footage(catalog)
        self.made: dict[Wish, Made | LeftOut] = {}
        self.cuts_made = 0
        self._wanted: set[Wish] = set()
        self._known = _neighbours(neighbours) if packager.params.media == "cut" else {}

    # -- wishes -----------------------------------------------------------------------------------------------------

    def want(self, ref: MediumRef, *, hears: bool) -> None:
        """Remember that this is shown; `hears` says whether the sample needs sound. Raises `LeftOut`."""
        self._wanted.update(self.wishes(ref, hears=hears))

    def wishes(self, ref: MediumRef, *, hears: bool) -> list[Wish]:
        """The files that show `ref`. Raises `LeftOut` when the trainer cannot be shown that part."""
        p = self.packager.params
        medium = self.footage.media.get(ref.media_id)
        if medium is None:
            raise LeftOut("media missing", f"no row of {ref.media_id} in table media")
        if ref.kind == "text":
            return []
        start, end = to_us(ref.start_s), to_us(ref.end_s)
        if ref.frame_times or ref.kind == "image":
            if "vision" not in p.modalities:
                raise LeftOut("needs vision")
            times = ref.frame_times or (ref.start_s,)
            return [Wish(ref.media_id, "still", to_us(t), 0, 0.0, False) for t in times]
        heard = ref.kind == "audio" or "vision" not in p.modalities
        steady = self.packager.clock == "index" and medium.variable_fps and not heard
        if p.media != "cut":
            whole = start <= 1 and end >= to_us(medium.duration_s) - 1
            if not whole and self.packager.spans == "none":
                raise LeftOut(
                    "window: the trainer opens whole files", f"{ref.start_s:g}..{ref.end_s:g} s; use media: cut"
                )
            if steady:
                raise LeftOut("window: the trainer counts frames of a variable rate", "use media: cut")
            if self.packager.sound_beside and hears and not heard:
                raise LeftOut("needs audio", "the trainer hears no sound inside a whole video; use media: cut")
            return [Wish(ref.media_id, "whole", 0, 0, 0.0, True)]
        if heard:
            return [Wish(ref.media_id, "audio", start, end, 0.0, True)]
        fps = p.fps or (round(medium.fps, 3) if steady else 0.0)
        beside = self.packager.sound_beside
        video = Wish(ref.media_id, "video", start, end, fps, "audio" in p.modalities and not beside)
        sound = [Wish(ref.media_id, "audio", start, end, 0.0, True)] if beside and hears else []
        return [video, *sound]

    def view(self, ref: MediumRef, *, hears: bool) -> View:
        """What the package shows of `ref`, once `make` has run. Raises `LeftOut`."""
        found: list[Made] = []
        for wish in self.wishes(ref, hears=hears):
            made = self.made[wish]
            if isinstance(made, LeftOut):
                raise LeftOut(made.rule, made.detail)
            found.append(made)
        window = Span(ref.start_s, max(ref.end_s, ref.start_s + 1e-6))
        if not found:
            return View((), window, ref.start_s, window.length_s, 0, 0)
        first = found[0]
        if first.form == "still":
            parts = tuple(Part("image", m.file, m.zero_s) for m in found)
            return View(parts, window, ref.start_s, window.length_s, first.width, first.height)
        pictured = ref.kind != "audio" and "vision" in self.packager.params.modalities
        kinds = [("audio" if m.form == "audio" or not pictured else "video", m.file) for m in found]
        parts = tuple(Part(kind, file) for kind, file in kinds)  # type: ignore[arg-type]
        if first.form == "whole" and self.packager.spans == "native":
            return View(parts, window, ref.start_s, window.length_s, first.width, first.height, ref.start_s)
        return View(parts, window, first.zero_s, first.duration_s, first.width, first.height, drawn_s=first.drawn_s)

    # -- making -----------------------------------------------------------------------------------------------------

    def make(self, workers: int, progress: Callable[[int, int], None] | None = None) -> None:
        """Make all wanted files; a file that cannot be made becomes a reason to leave its samples out."""
        by_medium: dict[str, list[Wish]] = defaultdict(list)
        for wish in sorted(self._wanted):
            by_medium[wish.media_id].append(wish)
        done = 0
        with ThreadPoolExecutor(workers) as pool:
            for media_id, wishes in by_medium.items():
                waiting = [w for w in wishes if not self._reuse(w)]
                if waiting:
                    try:
                        with self.footage.open(media_id) as path:
                            self._from(path, waiting, pool)
                    except LeftOut as reason:
                        self.made.update(dict.fromkeys(waiting, reason))
                done += len(wishes)
                if progress:
                    progress(done, len(self._wanted))

    def _from(self, path: Path, wishes: Sequence[Wish], pool: ThreadPoolExecutor) -> None:
        stills = [w for w in wishes if w.form == "still"]
        others = [w for w in wishes if w.form != "still"]
        jobs = [(w, pool.submit(self._tried, lambda w=w: self._one(path, w))) for w in others]  # type: ignore[misc]
        if stills:
            made = self._tried(lambda: self._stills(path, stills))
            self.made.update(dict.fromkeys(stills, made) if isinstance(made, LeftOut) else made)
        self.made.update({wish: job.result() for wish, job in jobs})
        self.cuts_made += sum(not isinstance(self.made[w], LeftOut) for w in wishes)

    @staticmethod
    def _tried(work: Callable[[], Any]) -> Any:
        """What `work` gives, or why footage did not allow it. A full disk is nobody's footage and is raised."""
        import av

        try:
            return work()
        except LeftOut as reason:
            return reason
        except (MediaError, av.error.FFmpegError, OSError, ValueError) as error:
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise
            return LeftOut("media unreadable", getattr(error, "cause", None) or str(error))

    def _one(self, path: Path, wish: Wish) -> Made:
        from ..engine.media.cut import cut_audio, cut_media
        from ..engine.media.timeline import read_timeline

        p = self.packager.params
        name = self._name(wish, path)
        out = self._place(name)
        start, end = from_us(wish.start_us), from_us(wish.end_us)
        if wish.form == "whole":
            facts = read_timeline(path)
            if p.media == "link" and self.footage.is_source(wish.media_id, path):
                out.symlink_to(path.resolve())
            else:
                shutil.copyfile(path, out)
            shape = facts.geometry
            size = (shape.width, shape.height) if shape else (0, 0)
            made = Made(name, wish.media_id, "whole", 0.0, facts.end_s, 0.0, facts.end_s, *size)
        elif wish.form == "audio":
            cut = cut_audio(path, start, end, out)
            made = Made(name, wish.media_id, "audio", start, end, start, cut.duration_s, 0, 0)
        else:
            cut = cut_media(
                path, start, end, out, max_side_px=p.max_side_px, fps=wish.fps or None, keep_audio=wish.sound, crf=p.crf
            )
            zero = from_us(to_us(cut.source_start_s))
            duration = from_us(to_us(cut.duration_s))
            made = Made(name, wish.media_id, "video", start, end, zero, duration, cut.width, cut.height)
        return replace(made, size_bytes=out.stat().st_size, drawn_s=self._drawn(made, out))

    def _drawn(self, made: Made, path: Path) -> tuple[float, ...] | None:
        return self.packager.drawn_s(path) if made.width and made.form in ("video", "whole") else None

    def _stills(self, path: Path, wishes: Sequence[Wish]) -> dict[Wish, Made | LeftOut]:
        """The frame that stands at each time, as JPEG; one pass over the medium."""
        from ..engine.media.decode import VideoReader

        waiting = sorted(wishes)
        made: dict[Wish, Made | LeftOut] = {}
        last = None
        reader = VideoReader(path)
        frames = iter(reader)
        with closing(frames):
            for frame in frames:
                while waiting and last is not None and to_us(frame.t_s) > waiting[0].start_us + 1:
                    wish = waiting.pop(0)
                    made[wish] = self._still(last, wish)
                if not waiting:
                    return made
                last = frame
        for wish in waiting:
            t_s = from_us(wish.start_us)
            gone = last is None or t_s > reader.end_s
            made[wish] = LeftOut("media unreadable", f"no frame at {t_s:g} s") if gone else self._still(last, wish)
        return made

    def _still(self, frame: Any, wish: Wish) -> Made:
        p = self.packager.params
        data, width, height = frame.jpeg(p.max_side_px or max(frame.width, frame.height), p.jpeg_quality)
        name = self._name(wish, None)
        self._place(name).write_bytes(data)
        t_s = from_us(wish.start_us)
        return Made(name, wish.media_id, "still", t_s, t_s, t_s, 0.0, width, height, len(data))

    # -- names and neighbours ---------------------------------------------------------------------------------------

    def _name(self, wish: Wish, path: Path | None) -> str:
        p = self.packager.params
        quality = {"video": (p.max_side_px, p.crf), "still": (p.max_side_px, p.jpeg_quality)}.get(wish.form, ())
        key = derive_id("package media", MEDIA_VERSION, *asdict(wish).values(), *quality)
        suffix = {"video": ".mp4", "audio": ".flac", "still": ".jpg"}.get(wish.form) or (path.suffix if path else "")
        return f"media/{key[:2]}/{key}{suffix}"

    def _place(self, name: str) -> Path:
        out = self.folder / name
        out.parent.mkdir(parents=True, exist_ok=True)
        return out

    def _reuse(self, wish: Wish) -> bool:
        if wish.form == "whole":
            return False
        found = self._known.get(self._name(wish, None))
        if found is None:
            return False
        folder, made = found
        out = self._place(made.file)
        if not out.exists():
            try:
                os.link(folder / made.file, out)
            except OSError:
                return False
        drawn = self._tried(lambda: self._drawn(made, out))
        self.made[wish] = drawn if isinstance(drawn, LeftOut) else replace(made, drawn_s=drawn)
        return True

    def write_index(self, used: Iterable[str]) -> int:
        """Write `media.jsonl` about the files that samples show, and remove the others. Returns their number."""
        keep = set(used)
        found = sorted((m for m in self.made.values() if isinstance(m, Made)), key=lambda m: m.file)
        with (self.folder / INDEX).open("w", encoding="utf-8", newline="\n") as file:
            for made in found:
                if made.file in keep:
                    file.write(dumps({k: v for k, v in asdict(made).items() if k != "drawn_s"}) + "\n")
                else:
                    (self.folder / made.file).unlink(missing_ok=True)
        return len(keep)


def _neighbours(folders: Iterable[Path]) -> Mapping[str, tuple[Path, Made]]:
    """Files of other packages of the same dataset, by name."""
    found: dict[str, tuple[Path, Made]] = {}
    for folder in folders:
        with (folder / INDEX).open(encoding="utf-8") as lines:
            for line in lines:
                made = Made(**json.loads(line))
                path = folder / made.file
                if made.form != "whole" and path.is_file() and path.stat().st_size == made.size_bytes:
                    found[made.file] = (folder, made)
    return found
