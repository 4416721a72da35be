"""Ego4D: narrations (`narration.json`) and natural language queries (`nlq_train.json` ...), told apart by their layout.

A narration has one time, not a span. Its event reaches as far around that time as narrations of its pass are apart on average,
divided by `spacing_s` (the rule of EgoVLP), or until the next narration (`span: next`); the time itself stays in
`attributes_json`. `#C C picks a cup` is written as `the camera wearer picks a cup`; `#unsure` as `something`. Queries become
events of kind query, timed on the full video or on the clips that Ego4D cuts from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...engine.importing import Imported, Importer, ImporterParams, ImportProblem, split_said
from .reading import as_json, number, parts_of, plain, read_mapping, sentence, shown

_TAG = re.compile(r"^\s*#\s*[A-Za-z]+\s*")


class Ego4dParams(ImporterParams):
    """Parameters of ego4d."""

    clock: Literal["videos", "clips"] = Field(
        "videos", description="queries are timed on: full videos (video_uid), or clips (clip_uid)"
    )
    passes: tuple[Literal[1, 2], ...] = Field((1, 2), description="narration passes to take; each is another person's")
    span: Literal["spacing", "next"] = Field(
        "spacing",
        description="span of a narration: by the mean distance of narrations, or until the next one of its pass",
    )
    spacing_s: float = Field(
        4.9, gt=0, description="span spacing: mean distance of narrations over the whole of Ego4D (EgoVLP's alpha)"
    )
    wearer: str = Field("the camera wearer", description="what the person `C` of narrations is called")
    summaries: bool = Field(True, description="also take the summaries of parts of a video")


class Ego4d(Importer[Ego4dParams]):
    """Reads Ego4D narrations and NLQ (Grauman et al. 2022) into `events` of kinds narration, event and query."""

    name: ClassVar[str] = "ego4d"
    Params: ClassVar[type[ImporterParams]] = Ego4dParams
    licence: ClassVar[str | None] = "Ego4D licence agreement"

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per video or clip."""
        found = read_mapping(path, "narrations {videos: {uid: ...}} or queries {videos: [...]}")
        videos = found.get("videos", found)
        if isinstance(videos, list):
            yield from self._queries(path, videos)
            return
        told = [uid for uid, about in videos.items() if isinstance(about, dict) and _passes(about)]
        if not told:
            raise ImportProblem(
                f"{path.name}: no `narration_pass_1` and no list `videos`; name narration.json or nlq_*.json"
            )
        for uid in told:
            yield self._narrated(path.name, uid, videos[uid])
        if len(told) < len(videos):
            self.passed_over["Ego4D videos without narrations"] += len(videos) - len(told)

    def _narrated(self, file: str, uid: str, about: dict[str, Any]) -> Imported:
        said = Imported(uid)
        for number_of, content in _passes(about):
            if number_of not in self.params.passes:
                continue
            head = f"{file} {uid} pass {number_of}"
            if "narrations" not in content and "summaries" not in content:
                said.leave_out(head, "missing_key", f"no `narrations` in {shown(content)}")

            def wrong(why: str, head: str = head) -> None:
                said.leave_out(head, "missing_key", why)

            self._narrations(said, head, number_of, parts_of(content, "narrations", wrong, optional=True))
            for place, part in parts_of(content, "summaries", wrong, optional=True) if self.params.summaries else ():
                self._summary(said, f"{head} summary {place}", number_of, part)
        return said

    def _narrations(self, said: Imported, head: str, number_of: int, narrations: Iterable[tuple[int, Any]]) -> None:
        timed: list[tuple[float, str, str, dict[str, Any]]] = []
        for place, entry in narrations:
            item = f"{head}[{place}]"
            t_s = number(entry.get("timestamp_sec")) if isinstance(entry, dict) else None
            text = self._text(entry.get("narration_text")) if isinstance(entry, dict) else None
            if t_s is None:
                said.leave_out(item, "no_time", f"no `timestamp_sec` in {shown(entry)}")
            elif text is None:
                said.leave_out(item, "no_text", f"the narration is {shown(entry.get('narration_text'))}")
            else:
                timed.append((t_s, item, text, entry))
        timed.sort(key=lambda one: one[0])
        for (t_s, item, text, entry), (start_s, end_s) in zip(timed, self._spans([t for t, *_ in timed]), strict=True):
            attributes = {
                "at_s": t_s,
                "span": self.params.span,
                "pass": number_of,
                "narration": plain(entry["narration_text"]),
                "annotation_uid": entry.get("annotation_uid"),
            }
            said.add(
                "events", item, start_s=start_s, end_s=end_s, text=text, kind="narration", attributes_json=as_json(attributes)
            )  # fmt: skip

    def _spans(self, times: Sequence[float]) -> Iterator[tuple[float, float]]:
        """A span for each of the times, which are in order."""
        distance = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0
        distance = distance or self.params.spacing_s
        for t_s in times:
            if self.params.span == "next":
                yield t_s, next((later for later in times if later > t_s), t_s + distance)
            else:
                half = distance / (2 * self.params.spacing_s)
                yield max(0.0, t_s - half), t_s + half

    def _summary(self, said: Imported, item: str, number_of: int, part: Any) -> None:
        start_s, end_s = (
            (number(part.get(k)) for k in ("start_sec", "end_sec")) if isinstance(part, dict) else (None, None)
        )
        if start_s is None or end_s is None:
            said.leave_out(item, "no_time", f"no `start_sec` and `end_sec` in {shown(part)}")
        elif (text := self._text(part.get("summary_text"))) is None:
            said.leave_out(item, "no_text", f"the summary is {shown(part.get('summary_text'))}")
        else:
            attributes = as_json({"pass": number_of, "summary": True})
            said.add("events", item, start_s=start_s, end_s=end_s, text=text, kind="event", attributes_json=attributes)

    def _text(self, written: Any) -> str | None:
        """A narration as a sentence about a named person."""
        if not isinstance(written, str):
            return None
        text = sentence(re.sub(r"#\s*unsure", "something", _TAG.sub("", written), flags=re.IGNORECASE))
        if text is None:
            return None
        first, _, rest = text.partition(" ")
        return f"{self.params.wearer} {rest}".strip() if first in ("C", "c") else text

    def _queries(self, path: Path, videos: list[Any]) -> Iterator[Imported]:
        prefix = "clip" if self.params.clock == "clips" else "video"
        for place, video in enumerate(videos):
            uid = video.get("video_uid") if isinstance(video, dict) else None
            if not isinstance(uid, str):
                self.fault(path, f"videos[{place}]", f"no `video_uid` in {shown(video)}")
                continue

            def wrong(why: str, place: int = place) -> None:
                self.fault(path, f"videos[{place}]", why)

            for _, clip in parts_of(video, "clips", wrong):
                clip_uid = clip.get("clip_uid") if isinstance(clip, dict) else None
                name = clip_uid if self.params.clock == "clips" else uid
                if not isinstance(name, str) or not isinstance(clip, dict):
                    self.fault(path, f"videos[{place}]", f"a clip without `clip_uid`: {shown(clip)}")
                    continue
                said = Imported(name, official_split=split_said(video.get("split")))
                if self.params.clock == "clips":
                    said.group_id = uid
                self._clip(said, f"{path.name} {clip_uid}", clip, prefix)
                yield said

    def _clip(self, said: Imported, head: str, clip: dict[str, Any], prefix: str) -> None:
        def wrong(why: str) -> None:
            said.leave_out(head, "missing_key", why)

        for _, annotation in parts_of(clip, "annotations", wrong):
            uid = annotation.get("annotation_uid") if isinstance(annotation, dict) else None
            for place, query in parts_of(annotation, "language_queries", wrong):
                item = f"{head} annotation {uid}[{place}]"
                if not isinstance(query, dict):
                    wrong(f"a query is {shown(query)}")
                    continue
                text = plain(query.get("query"))
                start_s, end_s = (number(query.get(f"{prefix}_{edge}_sec")) for edge in ("start", "end"))
                if text is None:
                    said.leave_out(item, "no_text", f"the query is {shown(query.get('query'))}")
                elif start_s is None or end_s is None:
                    said.leave_out(
                        item, "no_moment", f"no `{prefix}_start_sec` and `{prefix}_end_sec`; test files have none"
                    )
                else:
                    attributes = {
                        "annotation_uid": uid,
                        "clip_uid": clip.get("clip_uid"),
                        **{k: query.get(k) for k in ("template", "slot_x", "verb_x", "slot_y", "verb_y")},
                    }
                    said.add(
                        "events", item, start_s=start_s, end_s=end_s, text=text, kind="query",
                        attributes_json=as_json(attributes),
                    )  # fmt: skip


def _passes(about: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    return [(n, found) for n in (1, 2) if isinstance(found := about.get(f"narration_pass_{n}"), dict)]


IMPORTER = Ego4d
