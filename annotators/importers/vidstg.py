"""VidSTG: `train_annotations.json` and its siblings, a list of sentences about objects, with spans counted in frames.

Declarative sentences become events of kind event, interrogative ones of kind query. Boxes come from the files of VidOR
(`trajectories: vidor/training/*/*.json`), on which VidSTG rests: each object becomes a track for every stretch of frames in
which it is boxed, with boxes as shares of the picture; these files are read medium by medium, since together they are large. A span [begin_fid, end_fid) starts when its first frame is shown and
ends when the frame after its last one is; frames are converted at the rate that the annotation states.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from ...engine.importing import Imported, Importer, ImporterParams, ImportNote, ImportProblem
from ...schemas.ids import derive_id
from .reading import as_json, number, parts_of, read_json, read_mapping, sentence, shown

CORNERS = ("xmin", "ymin", "xmax", "ymax")
Tracks = dict[int, list[tuple[str, int, int]]]
"""By object: (track_id, first frame, frame after the last)."""


class VidstgParams(ImporterParams):
    """Parameters of vidstg."""

    trajectories: tuple[str, ...] = Field(
        (), description="VidOR's files with boxes, one per video; without: sentences only"
    )
    box_every: int = Field(
        1, ge=1, description="take the boxes of every so manyth frame, and of the first and last of a track"
    )


class Vidstg(Importer[VidstgParams]):
    """Reads VidSTG (Zhang et al. 2020) into `events`, `tracks` and `boxes`."""

    name: ClassVar[str] = "vidstg"
    Params: ClassVar[type[ImporterParams]] = VidstgParams

    def read(self, folder: Path) -> Iterator[Imported]:
        """Sentences; the files with boxes are read medium by medium."""
        self._boxed = {path.stem: path for path in self.others(folder, self.params.trajectories)}
        yield from super().read(folder)

    def read_file(self, path: Path) -> Iterable[Imported]:
        """One `Imported` per annotation."""
        found = read_json(path)
        if not isinstance(found, list):
            raise ImportProblem(
                f"{path.name}: expected a list of annotations; name train_annotations.json, not train_files.json"
            )
        for place, about in enumerate(found):
            name = str(about.get("vid") or "") if isinstance(about, dict) else ""
            if not name:
                self.fault(path, f"item {place + 1}", f"no `vid` in {shown(about)}")
                continue
            said = Imported(name)
            fps = number(about.get("fps"))
            if not fps or fps <= 0:
                said.leave_out(f"{path.name} [{place}] {name}", "missing_key", "no `fps`, so that frames have no times")
                yield said
                continue
            said.fps = fps
            size, frames = (number(about.get("width")), number(about.get("height"))), number(about.get("frame_count"))
            said.size = (size[0], size[1]) if size[0] and size[1] else None
            said.duration_s = frames / fps if frames else None
            if name in self._boxed:
                said.later = (self._boxed[name],)
            elif self.params.trajectories:
                why = "no file of `trajectories` is called after it; its sentences come without boxes"
                said.notes.append(ImportNote(name, "no_boxes", why, "noted", 0))
            _sentences(said, f"{path.name} [{place}] {name}", about, fps)
            yield said

    def read_later(self, path: Path, said: Imported) -> None:
        """Tracks and boxes of a VidOR file; sentences about an object then name its tracks."""
        tracks, fps = _boxes(said, path, self.params.box_every)
        for place, row in enumerate(said.rows):
            if row.table == "events":
                attributes = json.loads(row.values.get("attributes_json", "{}"))
                start, end = round(row.values["start_s"] * fps), round(row.values["end_s"] * fps)
                mine = tracks.get(attributes.get("target_id"), [])
                attributes["tracks"] = [name for name, first, past in mine if first < end and past > start] or None
                said.rows[place] = row._replace(values={**row.values, "attributes_json": as_json(attributes)})


def _sentences(said: Imported, head: str, about: dict[str, Any], fps: float) -> None:
    moment, relation = about.get("temporal_gt"), about.get("used_relation")
    edges = [number(moment.get(k)) for k in ("begin_fid", "end_fid")] if isinstance(moment, dict) else []
    for key, kind in (("captions", "event"), ("questions", "query")):
        for place, entry in parts_of(about, key, lambda why: said.leave_out(head, "missing_key", why), optional=True):
            item = f"{head} {key}[{place}]"
            text = entry.get("description") if isinstance(entry, dict) else None
            text = sentence(text) if kind == "event" else " ".join(str(text or "").split())
            if len(edges) != 2 or edges[0] is None or edges[1] is None:
                said.leave_out(item, "no_time", f"temporal_gt {shown(moment)} has no begin_fid and end_fid")
            elif not text:
                said.leave_out(item, "no_text", f"no `description` in {shown(entry)}")
            else:
                attributes = {
                    "type": entry.get("type"),
                    "target_id": entry.get("target_id"),
                    "relation": relation.get("predicate") if isinstance(relation, dict) else None,
                }
                said.add(
                    "events", item, start_s=edges[0] / fps, end_s=edges[1] / fps, text=text, kind=kind,
                    attributes_json=as_json(attributes),
                )  # fmt: skip


def _boxes(said: Imported, path: Path, every: int) -> tuple[Tracks, float]:
    """Tracks and boxes of a VidOR file, added to what is said; and its frame rate. Raises `ImportProblem` for another layout."""
    found = read_mapping(path, "{fps, width, height, subject/objects, trajectories}")
    objects, frames = found.get("subject/objects"), found.get("trajectories")
    if not isinstance(objects, list) or not isinstance(frames, list):
        raise ImportProblem(f"{path.name}: no lists `subject/objects` and `trajectories`; is it a file of VidOR?")
    fps, width, height = (number(found.get(k)) for k in ("fps", "width", "height"))
    if not fps or not width or not height:
        raise ImportProblem(
            f"{path.name}: no `fps`, `width` and `height`, so that frames have no times and pixels no shares"
        )
    labels = {o.get("tid"): str(o.get("category")) for o in objects if isinstance(o, dict)}
    seen: dict[int, list[tuple[int, list[float]]]] = defaultdict(list)
    for frame, boxes in enumerate(frames):
        for box in boxes or []:
            corners = [number((box.get("bbox") or {}).get(k)) for k in CORNERS]
            if box.get("tid") not in labels or None in corners:
                said.leave_out(f"{path.name} frame {frame}", "missing_key", f"no known tid and corners in {shown(box)}")
                continue
            shares = [float(c or 0.0) / side for c, side in zip(corners, (width, height) * 2, strict=True)]
            seen[box["tid"]].append((frame, shares))
    tracks: Tracks = {}
    for tid, boxes in sorted(seen.items()):
        for run in _runs(boxes):
            first, past = run[0][0], run[-1][0] + 1
            track_id = derive_id("track", "vidor", path.stem, tid, first)
            tracks.setdefault(tid, []).append((track_id, first, past))
            item = f"{path.name} tid {tid} from frame {first}"
            label = labels[tid].rpartition("/")[2].replace("_", " ")  # ball/sports_ball
            about_track = json.dumps({"tid": tid})
            said.add(
                "tracks", item, track_id=track_id, start_s=first / fps, end_s=past / fps, label=label, score=1.0,
                attributes_json=about_track,
            )  # fmt: skip
            for frame, (x1, y1, x2, y2) in run:
                if (frame - first) % every == 0 or frame == past - 1:
                    said.add("boxes", item, track_id=track_id, t_s=frame / fps, x1=x1, y1=y1, x2=x2, y2=y2)
    return tracks, fps


def _runs(boxes: list[tuple[int, list[float]]]) -> Iterator[list[tuple[int, list[float]]]]:
    """Stretches of frames without a gap."""
    run: list[tuple[int, list[float]]] = []
    for frame, box in boxes:
        if run and frame != run[-1][0] + 1:
            yield run
            run = []
        run.append((frame, box))
    if run:
        yield run


IMPORTER = Vidstg
