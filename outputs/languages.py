"""One sample in several trainers' languages: the quickest way to see that times and places are bound last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..engine.catalog import Catalog
from ..schemas.sample import MediumRef, Sample
from ..schemas.span import Span
from ..schemas.timecodec import TimeCodec, time_codec
from .rendering import Language, Part, View, render

MARKS = {"video": "<video>", "image": "<image>", "audio": "<audio>"}
LANGUAGES: tuple[tuple[str, TimeCodec, str, str], ...] = (
    ("seconds, boxes as shares of the picture", time_codec("seconds"), "{start} to {end}", "float01"),
    ("mm:ss, boxes in pixels", time_codec("mm:ss", tenths=True), "{start} to {end}", "pixels"),
    ("LITA's relative tokens, boxes as 0-1000 integers", time_codec("lita100"), "{start} {end}", "int1000"),
)
PREFERRED = ("tube", "span_box", "span", "box", "choice")
"""Kinds of answers, those with the most to show first."""


def say_in(root: Path) -> list[str]:
    """Lines: the sample in neutral markup, then question and answer in each language. Empty without samples."""
    with Catalog(root) as catalog:
        row = _chosen(catalog)
        if row is None:
            return []
        sample = Sample.from_row(row)
        views = [_view(catalog, ref) for ref in sample.media]
    lines = [
        f"{row['task']} {row['sample_id']} on {row['title']}, window {sample.window.start_s:g}..{sample.window.end_s:g} s"
    ]
    lines += ["neutral markup (source clock)", *(f"  {t.role}: {t.text}" for t in sample.turns)]
    order = tuple(range(len(sample.options)))
    for title, times, span_text, boxes in LANGUAGES:
        language = Language(times, span_text, boxes, 3, "letter_text", MARKS)
        said = render(sample, views, order, language)
        lines += [title, *(f"  {role}: {' '.join(text.split())}" for role, text in said.turns)]
    return lines


def _chosen(catalog: Catalog) -> dict[str, Any] | None:
    rows = catalog.rows(
        """
        SELECT s.*, m.title FROM samples s JOIN verdicts v USING (sample_id) JOIN media m ON m.media_id = s.media_id
        WHERE v.passed ORDER BY list_position($kinds, s.answer_kind), s.origin <> 'real', s.sample_id LIMIT 1
        """,
        {"kinds": list(PREFERRED)},
    )
    return rows[0] if rows else None


def _view(catalog: Catalog, ref: MediumRef) -> View:
    """The medium as a package that cuts it would show it."""
    size = catalog.rows("SELECT width, height FROM media WHERE media_id = ? LIMIT 1", [ref.media_id])[0]
    parts = () if ref.kind == "text" else (Part("video", f"{ref.media_id}.mp4"),)
    window = Span(ref.start_s, ref.end_s)
    return View(parts, window, ref.start_s, window.length_s, size["width"] or 0, size["height"] or 0)
