"""Which samples stand in a registered benchmark: by an identifier of their footage, by a copy of its pictures, by likeness
of their embeddings, by their question.

Added to every recipe that has tasks; writes nothing while no benchmark is registered. An identifier marks all samples of
a medium (or of the part that a manifest row names), a copy those whose window overlaps the copied part, a question the
sample that asks it. What is found in a medium also holds for edits of it. Limits: those of the three searches
(`engine/contamination/`); media without `signals` are not compared by look.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...engine.annotator import Grade, Params, Row, Rows, Stage, Unit, UnitAnnotator
from ...engine.annotator import Grain as GrainName
from ...engine.contamination.copies import CopyRules, Looks, find_copies
from ...engine.contamination.ids import IdIndex, spans_of, texts_of
from ...engine.contamination.index import Sketch, SketchIndex
from ...engine.contamination.questions import QuestionIndex
from ...engine.contamination.vectors import VectorRules, looks_of
from ...engine.kept import one_producer


def _no_times() -> NDArray[np.float64]:
    return np.zeros(0)


class ContaminationParams(Params):
    """Parameters of `contamination`."""

    copies: CopyRules = Field(default_factory=CopyRules, description="when pictures count as copied")
    vectors: VectorRules = Field(
        default_factory=VectorRules,
        description="the same for embeddings, where a benchmark was registered with a model",
    )
    question_share: float = Field(
        0.6, gt=0, le=1, description="share of a question's 8-grams that one question of a benchmark must hold"
    )


@dataclass(frozen=True)
class Found:
    """A part of a medium that is in a benchmark. `matching` and `compared` are times of pictures (of copies)."""

    benchmark: str
    item: str
    found_by: str
    variant: str | None
    spans: tuple[tuple[float, float], ...]
    matching: NDArray[np.float64] = field(default_factory=_no_times)
    compared: NDArray[np.float64] = field(default_factory=_no_times)

    def moved(self, edit: Mapping[str, Any]) -> Found | None:
        """The same in an edit of the medium; None when the edit uses nothing of it."""
        first = -np.inf if edit["start_s"] is None else edit["start_s"]
        last = np.inf if edit["end_s"] is None else edit["end_s"]
        if not edit["time_scale"] and edit.get("target_start_s") is not None:
            if not any(a <= last and b >= first for a, b in self.spans):
                return None
            held = ((edit["target_start_s"], edit["target_end_s"]),)
            shown = np.array([edit["target_start_s"]]) if len(self.compared) else _no_times()
            return replace(self, spans=held, matching=shown, compared=shown)
        scale, offset = edit["time_scale"] or 1.0, edit["time_offset_s"] or 0.0
        used = [(max(a, first), min(b, last)) for a, b in self.spans if a < last and b > first]
        if not used:
            return None
        spans = sorted(tuple(sorted((scale * a + offset, scale * b + offset))) for a, b in used)
        times = (np.sort(scale * t[(t >= first) & (t < last)] + offset) for t in (self.matching, self.compared))
        return replace(self, spans=tuple((a, b) for a, b in spans), matching=next(times), compared=next(times))

    def in_window(self, start_s: float, end_s: float) -> tuple[float, float, float] | None:
        """(score, start, end) of the part that overlaps a window, or None. Of a copy a matching picture must be in the
        window, or the window wholly inside the copied part: its last instant alone does not count.
        """
        inside = [(a, b) for a, b in self.spans if a < end_s and b > start_s]
        if not inside:
            return None
        score = 1.0
        if len(self.compared):
            shown = int(np.count_nonzero((self.compared >= start_s) & (self.compared < end_s)))
            matching = int(np.count_nonzero((self.matching >= start_s) & (self.matching < end_s)))
            if not matching and not any(a <= start_s and end_s <= b for a, b in inside):
                return None
            score = matching / max(shown, 1)
        return score, inside[0][0], max(b for _, b in inside)


class Contamination(UnitAnnotator[ContaminationParams]):
    """Writes `contamination`: a row per sample, benchmark item and way of finding it."""

    name: ClassVar[str] = "contamination"
    version: ClassVar[int] = 3
    Params: ClassVar[type[Params]] = ContaminationParams
    reads: ClassVar[tuple[str, ...]] = ("samples", "media", "sources", "signals", "embeddings", "edits", "benchmarks")
    optional_reads: ClassVar[tuple[str, ...]] = ("sources", "signals", "embeddings", "edits", "benchmarks")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "signals": ("t_s", "phash", "contrast", "black"),
        "embeddings": ("t_s", "until_s", "model", "vector"),
        "samples": ("sample_id", "task", "media", "turns"),
    }
    folded: ClassVar[tuple[str, ...]] = ("signals", "embeddings")
    writes: ClassVar[tuple[str, ...]] = ("contamination",)
    grade: ClassVar[Grade] = "model"
    stage: ClassVar[Stage] = "task"
    grain: ClassVar[GrainName] = "corpus"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Rows in the order of samples, benchmarks and items; none without benchmarks."""
        benchmarks = _by(rows["benchmarks"], "kind")
        if not benchmarks:
            return
        samples = sorted(rows["samples"], key=lambda s: str(s["sample_id"]))
        found = self._in_media(rows, benchmarks, {str(m["media_id"]) for s in samples for m in s["media"]})
        questions = QuestionIndex(
            (r["benchmark"], r["item"], np.frombuffer(r["hashes"], "<i8")) for r in benchmarks.get("question", ())
        )
        for sample in samples:
            best: dict[tuple[str, str, str], dict[str, Any]] = {}
            for row in (*self._shown(sample, found), *self._asked(sample, questions)):
                key = row["benchmark"], row["item"], row["found_by"]
                if key not in best or row["score"] > best[key]["score"]:
                    best[key] = row
            about = {
                "sample_id": sample["sample_id"],
                "task": sample["task"],
                "media_id": sample["media"][0]["media_id"],
            }
            for key in sorted(best):
                yield "contamination", about | best[key]

    def _in_media(
        self, rows: Rows, benchmarks: Mapping[str, Sequence[Mapping[str, Any]]], wanted: Iterable[str]
    ) -> dict[str, list[Found]]:
        """What is found in the media that samples show, also through the media that these are edits of."""
        edits, media = _by(rows["edits"], "media_id"), {m["media_id"]: m for m in rows["media"]}
        places, signals = _by(rows["sources"], "media_id"), _by(rows["signals"], "media_id")
        named = {e["source_media_id"]: {"title": _title(e)} for e in rows["edits"]}
        ids = IdIndex((r["item"], r["benchmark"]) for r in benchmarks.get("id", ()))
        index = SketchIndex([Sketch.of(r) for r in benchmarks.get("video", ())])
        embedded = _by(rows["embeddings"], "media_id")
        by_model = {
            model: SketchIndex([Sketch.of(r) for r in benchmarks.get("vectors", ()) if r["variants"] == [model]])
            for model in sorted({r["variants"][0] for r in benchmarks.get("vectors", ())})
        }
        found: dict[str, list[Found]] = {}

        def look(media_id: str, inside: tuple[str, ...] = ()) -> list[Found]:
            if media_id in inside:
                return []
            if media_id not in found:
                about = media.get(media_id) or named.get(media_id)
                own = list(_by_id(ids, about, places.get(media_id, ()))) if len(ids) else []
                own += self._by_copy(index, signals.get(media_id, ()))
                own += self._by_vectors(by_model, embedded.get(media_id, ()))
                for edit in edits.get(media_id, ()):
                    if edit["source_media_id"]:
                        through = look(str(edit["source_media_id"]), (*inside, media_id))
                        own += [moved for f in through if (moved := f.moved(edit)) is not None]
                found[media_id] = own
            return found[media_id]

        return {media_id: look(media_id) for media_id in sorted(wanted)}

    def _by_copy(self, index: SketchIndex, signals: Sequence[Mapping[str, Any]]) -> list[Found]:
        if not index.sketches or not signals:
            return []
        rules = self.params.copies
        looks = Looks.of(one_producer(signals)[0]["rows"], rules.min_contrast)
        return [
            Found(c.benchmark, c.item, "copy", c.variant, c.spans, c.times, looks.times)
            for c in find_copies(looks, index, rules)
        ]

    def _by_vectors(
        self, by_model: Mapping[str, SketchIndex], embedded: Sequence[Mapping[str, Any]]
    ) -> Iterable[Found]:
        for model, index in by_model.items():
            for rows in embedded:
                looks = looks_of(rows["rows"], model)
                for c in find_copies(looks, index, self.params.vectors):
                    yield Found(c.benchmark, c.item, "embedding", c.variant, c.spans, c.times, looks.times)

    def _shown(self, sample: Mapping[str, Any], found: Mapping[str, Sequence[Found]]) -> Iterable[dict[str, Any]]:
        for ref in sample["media"]:
            start_s, end_s = _window(ref)
            for f in found[str(ref["media_id"])]:
                overlap = f.in_window(start_s, end_s)
                if overlap is not None:
                    score, first, last = overlap
                    yield {
                        "benchmark": f.benchmark,
                        "item": f.item,
                        "found_by": f.found_by,
                        "variant": f.variant,
                        "score": round(float(score), 6),
                        "start_s": round(first, 6) if np.isfinite((first, last)).all() else None,
                        "end_s": round(last, 6) if np.isfinite((first, last)).all() else None,
                    }

    def _asked(self, sample: Mapping[str, Any], questions: QuestionIndex) -> Iterable[dict[str, Any]]:
        if not len(questions):
            return
        texts = [t["text"] for t in sample["turns"] if t["role"] == "user"]
        for asked in questions.find(texts, self.params.question_share):
            yield {
                "benchmark": asked.benchmark,
                "item": asked.item,
                "found_by": "question",
                "variant": None,
                "score": round(asked.share, 6),
                "start_s": None,
                "end_s": None,
            }


def _by_id(ids: IdIndex, medium: Mapping[str, Any] | None, places: Sequence[Mapping[str, Any]]) -> Iterable[Found]:
    whole = {hit for text, is_name in texts_of(medium, places) for hit in ids.find(text, name=is_name)}
    for benchmark, item in sorted(whole):
        yield Found(benchmark, item, "id", None, ((0.0, np.inf),))
    parts: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for start_s, end_s, texts in spans_of(places):
        for hit in sorted({h for text in texts for h in ids.find(text)} - whole):
            parts[hit].append((start_s, np.inf if end_s is None else end_s))
    for (benchmark, item), spans in sorted(parts.items()):
        yield Found(benchmark, item, "id", None, tuple(sorted(spans)))


def _title(edit: Mapping[str, Any]) -> str | None:
    """File name of the medium that an edit was made from, which need not be in the dataset."""
    said = json.loads(edit.get("parameters_json") or "{}").get("title")
    return None if said is None else str(said)


def _window(ref: Mapping[str, Any]) -> tuple[float, float]:
    """What a sample shows of a medium: its span, or from its first still to just after its last."""
    times = ref.get("frame_times")
    if times:
        return min(times), max(times) + 1e-6
    start_s = 0.0 if ref["start_s"] is None else ref["start_s"]
    return start_s, np.inf if ref["end_s"] is None else ref["end_s"]


def _by(rows: Iterable[Mapping[str, Any]], column: str) -> dict[str, list[Mapping[str, Any]]]:
    grouped: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[str(row[column])].append(row)
    return grouped


ANNOTATOR = Contamination
