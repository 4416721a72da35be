"""spatiotemporal_phrase_tags (row 11): offsets slice to the phrase, tags are legal, times cover the words, and a shifted phrase is caught."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from chronotope.annotators.tasks.phrase_tagging import Params, PhraseTagging
from chronotope.annotators.text.phrases import phrase_rows, spoken
from chronotope.engine.catalog import Catalog
from chronotope.engine.task import EvidenceRow
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.composed import ComposedFacts
from chronotope.schemas.phrase_norm import parses
from chronotope.schemas.phrases import PLACE, TIME, Phrase, find_phrases
from chronotope.schemas.sample import Sample
from phrase_sentences import f1, sentences


def told(films: Path, folder: Path) -> dict[str, list[Phrase]]:
    """Two films whose truth says templated sentences, one every 1.5 s; the phrases by sentence."""
    known: dict[str, list[Phrase]] = {}
    said = iter(sentences(24, seed=3))
    for film in sorted(films.glob("*.mp4")):
        shutil.copy(film, folder / film.name)
        rows = []
        for number in range(12):
            text, phrases = next(said)
            known[text] = phrases
            span = {"start_s": 1.5 * number, "end_s": 1.5 * number + 1.4}
            rows.append(
                {**span, "text": text, "language": "en", "confidence": None, "origin": "composed", "track": None}
            )
        length_s = json.loads(film.with_suffix(".truth.json").read_text())["duration_s"]
        facts = ComposedFacts(composer="by hand", digest=film.stem, duration_s=length_s, rows={"speech": rows})
        (folder / film.with_suffix(".truth.json").name).write_text(facts.model_dump_json())
    return known


def test_phrases_of_a_known_transcript_become_samples_that_follow_from_it(build, films: Path, tmp_path: Path) -> None:
    folder = tmp_path / "told"
    folder.mkdir()
    known = told(films, folder)
    root = build("spatiotemporal_phrase_tags", CHRONOTOPE_FOOTAGE=folder)
    assert verify_root(root).problems == []
    with Catalog(root) as catalog:
        speech = {r["row_id"]: r for r in catalog.rows("SELECT * FROM speech")}
        phrases = catalog.rows("SELECT * FROM phrases")
        samples = [Sample.from_row(r) for r in catalog.rows("SELECT * FROM samples")]
    assert all(speech[p["speech_row"]]["text"][p["first"] : p["past"]] == p["text"] for p in phrases)
    assert all(p["norm"] is None or parses(p["norm"]) for p in phrases)
    assert all(speech[p["speech_row"]]["start_s"] <= p["start_s"] < p["end_s"] for p in phrases)
    found = {
        (speech[p["speech_row"]]["text"], Phrase(p["first"], p["past"], p["kind"], p["text"]))
        for p in phrases
        if p["kind"] in (TIME, PLACE)
    }
    assert f1(found, {(said, p) for said, own in known.items() for p in own}) >= 0.95
    assert {s.media[0].kind for s in samples} == {"video", "text"} and len(samples) >= 16

    one = next(s for s in samples if s.media[0].kind == "video")
    rows = {**speech, **{p["row_id"]: p for p in phrases}}
    with Catalog(root) as catalog:
        rows |= {r["row_id"]: r for t in ("media", "clips") for r in catalog.rows(f"SELECT * FROM {t}")}
    evidence = [EvidenceRow(e.table, dict(rows[e.row_id])) for e in one.evidence]
    elsewhere = next(EvidenceRow("phrases", p) for p in phrases if p["speech_row"] != evidence[2].row["row_id"])
    task = PhraseTagging(Params(per_clip=24))
    assert task.recompute(one, evidence).ok
    shifted = [
        EvidenceRow(e.table, {**e.row, "first": e.row["first"] + 1} if e.table == "phrases" else e.row)
        for e in evidence
    ]
    assert "does not stand at" in task.recompute(one, shifted).reason  # the planted fault: offsets are off by one
    lost = [e for e in evidence if e.table != "phrases"]
    assert "no phrase is cited" in task.recompute(one, lost).reason
    assert "is a phrase too" in task.recompute(one, [*lost, elsewhere]).reason
    other = [EvidenceRow(e.table, {**e.row, "kind": PLACE} if e.table == "phrases" else e.row) for e in evidence]
    assert not task.recompute(one, other).ok or all(
        p.kind == PLACE for p in find_phrases(speech[evidence[2].row["row_id"]]["text"])
    )


def test_the_recipe_runs_on_composed_films_as_it_stands(build) -> None:
    root = build("spatiotemporal_phrase_tags")
    assert verify_root(root).problems == []
    words = Catalog(root).rows(
        "SELECT p.text, p.start_s, p.end_s, string_agg(w.word, ' ' ORDER BY w.start_s) AS said FROM phrases p JOIN words w USING (media_id) "
        "WHERE w.start_s >= p.start_s - 1e-6 AND w.end_s <= p.end_s + 1e-6 GROUP BY ALL"
    )
    for row in words:  # the times of a phrase are those of its words
        assert row["said"].strip(".,!?") == row["text"]


def test_a_phrase_gets_the_times_of_its_words_or_of_the_whole_row() -> None:
    row = {"row_id": "r", "text": "Well, it rained at noon.", "start_s": 10.0, "end_s": 14.0}
    said = ["Well,", "it", "rained", "at", "noon."]
    words = [{"word": w, "start_s": 10 + 0.5 * i, "end_s": 10.4 + 0.5 * i, "position": i} for i, w in enumerate(said)]
    (noon, inner) = phrase_rows(row, spoken(row, words), 60.0)
    assert (noon["text"], noon["start_s"], noon["end_s"], noon["norm"]) == ("at noon", 11.5, 12.4, "T12:00")
    assert (inner["kind"], inner["start_s"]) == ("TIME", 12.0)
    words[2]["word"] = "poured"
    assert phrase_rows(row, spoken(row, words), 60.0)[0]["start_s"] == 10.0
