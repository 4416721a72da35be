"""What a reviewer is given of a sample: its words, its footage to watch and hear, and its card; made when it is opened.

The footage is cut exactly to the window that the sample shows (stills as pictures, in the order in which they are asked
about, with the window to watch beside them). Files lie in one folder under names that hash their content, so that a
second reviewer waits for nothing. Footage that is gone or broken is told, not raised: the words can still be judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from PIL import Image

from ..engine.catalog import Catalog
from ..engine.local_media import local_media
from ..engine.media import MEDIA_VERSION
from ..engine.media.container import MediaError
from ..schemas.ids import derive_id, seeded_fraction
from ..schemas.sample import BoxAnswer, ChoiceAnswer, MediumRef, OrderAnswer, Sample, SpanBoxAnswer, TubeAnswer
from .contact_page import PageCard, card_parts
from .frames_at import frames_at, wish_at
from .readable import answer_spans, answer_words, evidence_words, options_of_turn, readable
from .show import draw_samples

MAX_SIDE_PX = 960
"""Longest side of what is watched."""
CRF = 24
BOX_S = 0.5
"""How long before and after its time a box stands over the footage."""


class AuditItems:
    """Makes items one at a time: DuckDB and decoding are shared by all requests of a page."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        """`folder` is where pictures and clips are kept."""
        self.catalog, self.folder = catalog, folder
        self._lock = Lock()
        self._made: dict[str, dict[str, Any]] = {}

    def item(self, sample_id: str) -> dict[str, Any]:
        """Everything the page shows of a sample, as JSON values; files are named relative to `folder`."""
        with self._lock:
            if sample_id not in self._made:
                self._made[sample_id] = self._make(sample_id)
            return self._made[sample_id]

    def _make(self, sample_id: str) -> dict[str, Any]:
        cards, malformed, unread = draw_samples(self.catalog, [sample_id], self.folder)
        if not cards:
            return {"sample_id": sample_id, "trouble": [*malformed, *unread], "turns": [], "media": [], "pictures": []}
        card = cards[0]
        sample, verdict = card.sample, card.verdict or {}
        media: list[dict[str, Any]] = []
        troubles = list(unread)
        for number, ref in enumerate(sample.media, start=1):
            try:
                media += self._footage(ref, number, len(sample.media))
            except (MediaError, OSError, ValueError) as error:
                troubles.append(f"medium {number}: {getattr(error, 'cause', None) or error}")
        card.picture.unlink(missing_ok=True)
        return {
            "sample_id": sample_id,
            "task": sample.task.replace("_", " "),
            "origin": sample.origin,
            "grade": verdict.get("evidence_grade") or "unknown",
            "footage": card.footage,
            "needs": [n.replace("_", " ") for n in sample.needs],
            "turns": _turns(sample),
            "answer": answer_words(sample),
            "kind": sample.answer.kind.replace("_", " and "),
            "spans": answer_spans(sample),
            "box": _box(sample),
            "why": [readable(step, sample) for step in sample.rationale],
            "evidence": evidence_words(sample.evidence)[:12],
            "media": media,
            "pictures": self._pictures(card),
            "trouble": troubles,
        }

    # -- pictures ---------------------------------------------------------------------------------------------------

    def _pictures(self, card: PageCard) -> list[str]:
        """Frames with the timeline, and the large frame, as files."""
        names = []
        for part, image in zip(("strip", "large"), card_parts(card), strict=True):
            if image is not None:
                name = f"{card.sample_id}-{part}.webp"
                image.save(self.folder / name, "WEBP", quality=88, method=4)
                names.append(name)
        return names

    # -- footage ----------------------------------------------------------------------------------------------------

    def _footage(self, ref: MediumRef, number: int, of: int) -> list[dict[str, Any]]:
        """The files that show a medium: stills first, then the window to watch or hear."""
        rows = self.catalog.rows("SELECT min(uri) AS uri FROM sources WHERE media_id = ?", [ref.media_id])
        if rows[0]["uri"] is None:
            raise MediaError(ref.media_id, "its file is not among the sources any more", "scan it again")
        times = ref.frame_times or ((ref.start_s,) if ref.kind == "image" else ())
        with local_media(rows[0]["uri"], self.catalog.store.root) as path:
            label = "" if of == 1 else f"medium {number}: "
            stills = [
                {"kind": "image", "file": name, "label": f"{label}picture {k}"}
                for k, name in enumerate(self._stills(path, ref, times), start=1)
            ]
            if ref.end_s - ref.start_s < 0.05:
                return stills
            shown = f"{ref.start_s:.2f}-{ref.end_s:.2f} s"
            window = f"{label}{'to check it by: ' if stills else 'told in words is ' if ref.kind == 'text' else 'shown is '}{shown}"
            return [*stills, {**self._clip(path, ref), "label": window, "medium": number}]

    def _stills(self, path: Path, ref: MediumRef, times: Sequence[float]) -> list[str]:
        if not times:
            return []
        wishes = [wish_at(t, MAX_SIDE_PX) for t in times]
        found = frames_at(path, wishes)
        names = []
        for wish in wishes:
            name = f"{derive_id('audit still', MEDIA_VERSION, ref.media_id, wish.t_us, wish.max_side_px)}.webp"
            Image.fromarray(found[wish].rgb).save(self.folder / name, "WEBP", quality=88, method=4)
            names.append(name)
        return names

    def _clip(self, path: Path, ref: MediumRef) -> dict[str, Any]:
        """The window as H.264 in MP4 (FLAC where there is no picture), and the source time of its t = 0."""
        from ..engine.media.cut import cut_audio, cut_media
        from ..engine.media.timeline import read_timeline

        key = derive_id("audit clip", MEDIA_VERSION, ref.media_id, ref.kind, ref.start_s, ref.end_s, MAX_SIDE_PX, CRF)
        seen = read_timeline(path)
        if ref.kind == "audio" or seen.geometry is None:
            out = self.folder / f"{key}.flac"
            if not out.exists():
                cut_audio(path, ref.start_s, ref.end_s, out)
            return {"kind": "audio", "file": out.name, "zero_s": ref.start_s}
        out = self.folder / f"{key}.mp4"
        if not out.exists():
            cut_media(path, ref.start_s, ref.end_s, out, max_side_px=MAX_SIDE_PX, crf=CRF)
        inside = [float(t) for t in seen.times_s if t >= ref.start_s - 1e-6]
        return {"kind": "video", "file": out.name, "zero_s": inside[0] if inside else ref.start_s}


def _turns(sample: Sample) -> list[dict[str, Any]]:
    """Messages in words, each question with its options; the right ones are marked. Choices stand in a drawn order."""
    turns: list[dict[str, Any]] = []
    for k, turn in enumerate(sample.turns):
        options, part = options_of_turn(sample, k)
        listed = [
            {"text": text, **_marked(part.answer, i), "why": part.options[i].distractor_kind or ""}
            for i, text in enumerate(options)
        ]
        if isinstance(part.answer, ChoiceAnswer):
            listed.sort(key=lambda o: seeded_fraction("audit options", sample.sample_id, o["text"]))
        turns.append({"role": turn.role, "text": readable(turn.text, sample), "options": listed})
    return turns


def _marked(answer: Any, index: int) -> Mapping[str, Any]:
    if isinstance(answer, ChoiceAnswer):
        return {"right": answer.index == index, "place": None}
    if isinstance(answer, OrderAnswer) and index in answer.order:
        return {"right": False, "place": answer.order.index(index) + 1}
    return {"right": False, "place": None}


def _box(sample: Sample) -> dict[str, Any] | None:
    """The answer's box with the span in which it stands, on the clock of the first medium."""
    match sample.answer:
        case BoxAnswer(t_s=t_s, box=box):
            return {"start_s": t_s - BOX_S, "end_s": t_s + BOX_S, "at": list(box)}
        case SpanBoxAnswer(start_s=start, end_s=end, box=box):
            return {"start_s": start, "end_s": end, "at": list(box)}
        case TubeAnswer():
            t_s, *edges = sample.answer.middle
            return {"start_s": t_s - BOX_S, "end_s": t_s + BOX_S, "at": edges}
    return None
