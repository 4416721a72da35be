"""llava_st_align_temporal (row 2): spans and descriptions are those of the film, exported numbers those of the spans."""

from __future__ import annotations

import json
from pathlib import Path

from chronotope.annotators.compose.events import FilmEvent, film_events
from chronotope.annotators.compose.truth import FilmTruth
from chronotope.engine.catalog import Catalog
from chronotope.outputs.packagers.llava_st import mismatches
from chronotope.pipelines.packages import package_all
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.markup import SpanMark, parse
from chronotope.schemas.matching import alike_descriptions
from chronotope.schemas.sample import Sample, SpanAnswer
from chronotope.schemas.span import Span, tiou
from chronotope.schemas.timecodec_llavast import FrameWindow


def answered(sample: Sample) -> list[Span]:
    """The spans that an answer states, in reading order."""
    if sample.task in ("dense_caption", "spotlight"):
        return [m.span for m in parse(sample.turns[1].text) if isinstance(m, SpanMark)]
    return [Span(sample.answer.start_s, sample.answer.end_s)] if isinstance(sample.answer, SpanAnswer) else []


def least_tiou(sample: Sample, events: list[FilmEvent]) -> float:
    """The lowest tIoU of a stated span with the nearest true event; 1 where nothing is stated."""
    spans = [Span(e.start_s, e.end_s) for e in events]
    return min((max(tiou(said, s) for s in spans) for said in answered(sample)), default=1.0)


def test_spans_are_those_of_the_film_and_exports_stay_within_the_codec(build, films: Path) -> None:
    root = build("llava_st_align_temporal", CHRONOTOPE_PER_MEDIUM=2)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    events = {
        r["media_id"]: list(
            film_events(FilmTruth.from_json((films / r["title"]).with_suffix(".truth.json").read_text()))
        )
        for r in catalog.rows("SELECT media_id, title FROM media")
    }
    samples = {s.sample_id: s for s in map(Sample.from_row, catalog.rows("SELECT * FROM samples"))}
    assert {s.task for s in samples.values()} == {
        "temporal_grounding",
        "temporal_referring",
        "dense_caption",
        "spotlight",
    }
    assert all(least_tiou(s, events[s.media[0].media_id]) >= 0.99 for s in samples.values())
    for sample in samples.values():  # referring: the description belongs to the asked span, and to no other time of it
        if sample.task == "temporal_referring":
            asked = next(m.span for m in parse(sample.turns[0].text) if isinstance(m, SpanMark))
            said = sample.options[sample.answer.index].text if sample.options else sample.answer.text
            then = [e for e in events[sample.media[0].media_id] if tiou(Span(e.start_s, e.end_s), asked) >= 0.99]
            assert any(alike_descriptions(said, e.text) == 1 for e in then)

    package_all(Recipe.read("llava_st_align_temporal"), root, only="llava_st")
    entries = [e for file in (root / "packages" / "llava_st").glob("[tv]*.json") for e in json.loads(file.read_text())]
    assert entries and all(mismatches(e) == [] for e in entries)
    checked = 0
    for entry in entries:
        sample, numbers = samples[entry["id"]], entry["variables"]["temporal_output_locations"]
        stated = [t - sample.window.start_s for s in answered(sample) for t in (s.start_s, s.end_s)]
        window = FrameWindow(*entry["meta"]["split"], fps=12.0)
        assert len(numbers) == len(stated)
        for x, t in zip(numbers, stated, strict=True):
            assert abs(x - min(1.0, max(0.0, t * 12 / (window.last - window.first)))) <= 0.0005 + 1 / (
                window.last - window.first
            )
            assert abs(x * window.length_s - t) <= window.max_error_s(listed=True) + 0.5 / 12
            checked += 1
    assert checked >= 12

    shifted = next(s for s in samples.values() if isinstance(s.answer, SpanAnswer))
    span = shifted.answer
    wrong = span.model_copy(update={"start_s": span.start_s + 0.2 * (span.end_s - span.start_s)})
    assert least_tiou(shifted.model_copy(update={"answer": wrong}), events[shifted.media[0].media_id]) < 0.99
    dropped = next(e for e in entries if e["variables"]["temporal_output_locations"])
    dropped["variables"]["temporal_output_locations"].pop()
    assert mismatches(dropped)
