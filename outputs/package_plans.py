"""Packages that show exactly the frames of a stored plan (`sampling_plans`), as a list of times or as pictures.

A sample's own plan comes first, then that of its clip where it covers the window, then that of the medium; of the latter two
the frames inside the window count. No packager samples frames itself: with `frames_as: images` the planned frames take the
place of the video, with `frames_as: list` the video stays and `frames.jsonl` says which frames of it are meant.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..engine.catalog import Catalog
from ..schemas.sample import MediumRef, Sample
from ..schemas.span import from_us, to_us
from .packager import PackageError, PackageParams
from .rendering import LeftOut, View

FRAMES = "frames.jsonl"
"""Beside the media of a package with planned frames: one line per sample and medium."""
_ROWS = """
SELECT scope, scope_id, start_s, end_s, frames, attributes_json, plan_id FROM sampling_plans
WHERE policy = $policy AND params_hash = $hash
QUALIFY row_number() OVER (PARTITION BY scope, scope_id ORDER BY producer) = 1 ORDER BY scope, scope_id
"""


class PlanBook:
    """The stored plans of one policy and one set of parameters."""

    def __init__(self, catalog: Catalog, asked: str) -> None:
        """`asked` is a policy, or policy@hash with the beginning of `params_hash`. Raises `PackageError` with the remedy."""
        self.policy, self.params_hash = _one(catalog, asked)
        self._rows = catalog.arrow(_ROWS, {"policy": self.policy, "hash": self.params_hash})
        scopes, ids = (self._rows.column(name).to_pylist() for name in ("scope", "scope_id"))
        self.plan_ids: list[str] = sorted(self._rows.column("plan_id").to_pylist())
        self._places = {key: place for place, key in enumerate(zip(scopes, ids, strict=True))}

    def frames(self, sample_id: str, clip_id: str | None, number: int, ref: MediumRef) -> list[dict[str, Any]]:
        """Planned frames of the `number`-th medium (from 0) of a sample inside its window. Raises `LeftOut` without any."""
        keys = [("sample", sample_id), ("clip", clip_id)] if number == 0 else []
        start, end = to_us(ref.start_s), to_us(ref.end_s)
        for key in (*keys, ("medium", ref.media_id)):
            place = self._places.get(key)
            if place is None:
                continue
            row = self._rows.slice(place, 1).to_pylist()[0]
            if key[0] != "sample" and not to_us(row["start_s"]) - 1 <= start <= end <= to_us(row["end_s"]) + 1:
                continue
            if not row["frames"]:
                raise LeftOut("frames: nothing is planned", json.loads(row["attributes_json"]).get("left_out", ""))
            if ref.kind == "image":
                return list(row["frames"])
            inside = [f for f in row["frames"] if start <= to_us(f["t_s"]) < end]
            if not inside:
                raise LeftOut(
                    "frames: none is planned in the window", f"{self.policy}, {ref.start_s:g}..{ref.end_s:g} s"
                )
            return inside
        raise LeftOut("frames: no plan", f"{self.policy} of {ref.media_id}")


class PlannedFrames:
    """What a package's parameters `frames` and `frames_as` make of its samples."""

    def __init__(self, catalog: Catalog, params: PackageParams) -> None:
        self.book = None if params.frames is None else PlanBook(catalog, params.frames)
        self.images = params.frames_as == "images"
        self.pictured = "vision" in params.modalities

    def of(self, sample: Sample, row: Mapping[str, Any]) -> dict[int, list[dict[str, Any]]]:
        """Planned frames by medium (from 0): of videos and pictures, not of sound, nor of stills that a sample chose."""
        if self.book is None or not self.pictured:
            return {}
        return {
            i: self.book.frames(row["sample_id"], sample.clip_id, i, ref)
            for i, ref in enumerate(sample.media)
            if ref.kind in ("video", "image") and not ref.frame_times and (ref.kind == "video" or self.images)
        }

    def refs(self, sample: Sample, row: Mapping[str, Any], *, hears: bool) -> list[MediumRef]:
        """What is shown of each medium: stills at the planned times with `images`, else as the sample says."""
        if not self.images:
            return list(sample.media)
        planned = self.of(sample, row)
        if planned and hears:
            raise LeftOut("needs audio", "planned frames are shown as pictures; use frames_as: list")
        return [
            ref.model_copy(update={"frame_times": tuple(f["t_s"] for f in planned[i])}) if i in planned else ref
            for i, ref in enumerate(sample.media)
        ]

    def drawn(self, sample: Sample, row: Mapping[str, Any], views: Sequence[View]) -> list[View]:
        """Views that say which frames are drawn: those of the plan."""
        planned = self.of(sample, row)
        return [
            replace(view, drawn_s=tuple(f["t_s"] - view.zero_s for f in planned[i])) if i in planned else view
            for i, view in enumerate(views)
        ]

    def facts(self, sample: Sample, row: Mapping[str, Any], views: Sequence[View]) -> list[dict[str, Any]]:
        """For `frames.jsonl`: planned frames of each medium, at times of the packaged file (pictures: of the window)."""
        return [
            {
                "medium": i + 1,
                "files": [part.file for part in views[i].parts],
                "policy": self.book.policy,
                "params_hash": self.book.params_hash,
                "tokens": sum(f["tokens"] for f in frames),
                "frames": [{**f, "t_s": _file_time(f["t_s"], views[i])} for f in frames],
            }
            for i, frames in self.of(sample, row).items()
            if self.book is not None
        ]

    def counts(self, sample: Sample, row: Mapping[str, Any]) -> tuple[int, int]:
        """Planned frames of a sample and their predicted visual tokens."""
        frames = [f for planned in self.of(sample, row).values() for f in planned]
        return len(frames), sum(f["tokens"] for f in frames)

    def state(self) -> list[str]:
        """What a package's fingerprint must know of the plans."""
        return [] if self.book is None else self.book.plan_ids


def _file_time(t_s: float, view: View) -> float:
    return from_us(max(0, to_us(t_s - view.zero_s + view.starts_at_s)))


def _one(catalog: Catalog, asked: str) -> tuple[str, str]:
    """(policy, params_hash) of what a package asks for."""
    policy, _, mark = asked.partition("@")
    stored = catalog.rows("SELECT DISTINCT policy, params_hash, params_json FROM sampling_plans ORDER BY ALL")
    found = [r for r in stored if r["policy"] == policy and r["params_hash"].startswith(mark)]
    if len(found) == 1:
        return policy, found[0]["params_hash"]
    if found:
        sets = "; ".join(f"{policy}@{r['params_hash'][:8]} {r['params_json']}" for r in found)
        raise PackageError(f"frames: {policy} is planned with {len(found)} sets of parameters; name one: {sets}")
    names = ", ".join(sorted({r["policy"] for r in stored})) or "none"
    raise PackageError(
        f"frames: no plan {asked!r} is stored (stored: {names}); write it with the annotator `sampling_plans`"
    )
