"""a5_222k (row 54): every pair of a sound and its words is true of the scene that was composed, and a wrong one is caught."""

from __future__ import annotations

import pytest
from chronotope.annotators.tasks.sound_description import SoundDescription
from chronotope.engine.catalog import Catalog
from chronotope.engine.task import EvidenceRow
from chronotope.pipelines.recipe import find_recipe
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.heard import heard_words
from chronotope.schemas.sample import ChoiceAnswer, Sample, SpanAnswer, TextAnswer

DETECTED = "  - sounds:"
"""What is detected is tested by itself; without it the small build needs no workers."""


def test_pairs_are_true_of_the_scene_and_wrong_or_unlike_ones_are_caught(build, tmp_path) -> None:
    small = tmp_path / "a5_222k.yaml"
    lines = find_recipe("a5_222k").read_text().splitlines()
    small.write_text("\n".join(line for line in lines if not line.startswith(DETECTED)))
    root = build(str(small), CHRONOTOPE_SCENES=6)
    report = verify_root(root)
    assert (report.problems, report.recomputed) == ([], report.samples)

    catalog = Catalog(root)
    tables = ("media", "clips", "sounds", "speech")
    stored = {r["row_id"]: EvidenceRow(t, r) for t in tables for r in catalog.rows(f"SELECT * FROM {t}")}
    samples = [Sample.from_row(r) for r in catalog.rows("SELECT * FROM samples ORDER BY sample_id")]
    assert {type(s.answer) for s in samples} == {SpanAnswer, ChoiceAnswer, TextAnswer}
    assert {m.kind for s in samples for m in s.media} == {"audio", "video"}
    heard = {}
    for row in stored.values():
        if row.table in ("sounds", "speech"):
            heard.setdefault(row.row["media_id"], []).append(row.row)

    task = SoundDescription(SoundDescription.Params())
    caught = 0
    for sample in samples:
        inside = [
            r
            for r in heard[sample.media[0].media_id]
            if r["start_s"] < sample.window.end_s and r["end_s"] > sample.window.start_s
        ]
        asked = sample.turns[0].text
        if isinstance(sample.answer, SpanAnswer):
            (row,) = [r for r in inside if heard_words(r) in asked]
            assert (row["start_s"], row["end_s"]) == pytest.approx(
                (sample.answer.start_s, sample.answer.end_s), abs=1e-6
            )
            wrong = SpanAnswer(start_s=sample.window.start_s, end_s=sample.answer.end_s - 0.1)
        elif isinstance(sample.answer, ChoiceAnswer):
            right = sample.options[sample.answer.index].text
            assert right in {heard_words(r) for r in inside}
            wrong = ChoiceAnswer(index=(sample.answer.index + 1) % len(sample.options))
        else:
            lines = sample.answer.text.split("\n")
            assert [line.split("> ", 1)[1] for line in lines] == [
                heard_words(r) for r in sorted(inside, key=lambda r: r["start_s"])
            ]
            wrong = TextAnswer(text="\n".join(reversed(lines)))
        evidence = [stored[e.row_id] for e in sample.evidence]
        caught += not task.recompute(sample.model_copy(update={"answer": wrong}), evidence).ok
    assert caught == len(samples)

    sample = next(s for s in samples if isinstance(s.answer, SpanAnswer) and s.media[0].kind == "audio")
    evidence = [stored[e.row_id] for e in sample.evidence]
    asked = next(e.row for e in evidence if e.table == "sounds")
    score = {"row_id": "s", "t_s": asked["start_s"], "until_s": asked["end_s"], "name": asked["label"], "value": 0.1}
    check = task.recompute(sample, [*evidence, EvidenceRow("clip_scores", score)])
    assert not check.ok and "alike by 0.10 only" in check.reason
