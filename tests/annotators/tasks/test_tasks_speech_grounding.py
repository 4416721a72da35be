"""speech_grounding: quotes are said once, spans are those of the words, and nothing can be changed
unnoticed.
"""

from __future__ import annotations

import pytest
from chronotope.annotators.tasks.common import wordings_of
from chronotope.annotators.tasks.speech_grounding import SpeechGrounding
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.metrics import normalise_words
from chronotope.schemas.sample import Sample
from chronotope.schemas.span import Span

VOCABULARY = [f"{a}{b}{c}" for a in "bdgklm" for b in "aeiou" for c in ("n", "r", "st", "ll")]


def speak(world, media_id, sentences, *, start_s=1.0, producer="speech"):
    """Sentences one after the other, half a second a word, with a second between them; times as rows."""
    t, position = start_s, 0
    for sentence in sentences:
        first = t
        for word in sentence.split():
            world.add(
                "words",
                media_id,
                producer,
                start_s=t,
                end_s=t + 0.4,
                word=word,
                confidence=0.9,
                position=position,
            )
            t, position = t + 0.5, position + 1
        world.add(
            "speech",
            media_id,
            producer,
            start_s=first,
            end_s=t - 0.1,
            text=sentence,
            confidence=0.9,
            origin="recognised",
        )
        t += 1.0
    return t


def sentences(media_id, n, length=9):
    return [
        " ".join(VOCABULARY[int(seeded_fraction(media_id, i, j) * len(VOCABULARY))] for j in range(length)) + "."
        for i in range(n)
    ]


@pytest.fixture
def world(new_world):
    world = new_world()
    for m in range(6):
        media_id = f"medium{m}"
        end = speak(world, media_id, sentences(media_id, 14))
        world.medium(media_id, end + 2)
        world.clip(media_id, 0.0, end / 2)
        world.clip(media_id, end / 2, end + 2)
    return world


def test_samples_are_well_formed_and_true_to_the_words(world):
    task = SpeechGrounding(SpeechGrounding.Params())
    rows = [row for m in world.media_ids() for row in world.run(task, m)]
    assert len(rows) >= 18
    assert all(Sample.from_row(row).problems() == [] for row in rows)
    present = [Sample.from_row(row) for row in rows if row["answer_kind"] == "span"]
    assert len(present) >= len(rows) * 0.7
    for sample in present:
        span = Span(sample.answer.start_s, sample.answer.end_s)
        words = [w for w in world.rows(sample.media[0].media_id)["words"] if span.contains(w["start_s"])]
        quoted = sample.turns[0].text.partition("“")[2].partition("”")[0]
        assert normalise_words(quoted) == [
            w for word in sorted(words, key=lambda w: w["start_s"]) for w in normalise_words(word["word"])
        ]
        assert (span.start_s, span.end_s) == (
            min(w["start_s"] for w in words),
            max(w["end_s"] for w in words),
        )
        assert span.length_s <= sample.window.length_s / 2
        assert sample.window.end_s <= world.rows(sample.media[0].media_id)["media"][0]["duration_s"]


def test_every_lie_is_caught(world, all_caught):
    task = SpeechGrounding(SpeechGrounding.Params(per_medium=2))
    rows = [row for m in world.media_ids()[:3] for row in world.run(task, m)]
    assert all_caught(world, task, rows) > 100


def whole(new_world, said, **params):
    """The samples of one medium, shown whole, with these sentences."""
    world = new_world()
    end = speak(world, "m", said)
    world.medium("m", end)
    world.clip("m", 0.0, end)
    task = SpeechGrounding(
        SpeechGrounding.Params(window={"length_s": (end - 0.1, end)}, per_clip=20, per_medium=20, **params)
    )
    return world, task, [Sample.from_row(row) for row in world.run(task, "m")]


def about(samples, words):
    return [s for s in samples if f"“{words}" in s.turns[0].text]


SAME = "the same old words are said once again here."


def test_a_phrase_said_three_times_has_three_spans(new_world, all_caught):
    said = sentences("m", 9)
    said[2:2] = [SAME]
    said[5:5] = [SAME]
    said[8:8] = [SAME]
    world, task, samples = whole(new_world, said, phrase_words=(9, 9), absent_share=0)
    found = about(samples, SAME)
    truth = [(s["start_s"], s["end_s"]) for s in world.rows("m")["speech"] if s["text"] == SAME]
    assert len(found) == 1 and list(found[0].answer.spans) == truth
    assert found[0].turns[1].text.count("<span:") == 3
    assert all_caught(world, task, [found[0].to_row()]) > 20


def test_a_phrase_said_more_often_than_allowed_is_withheld(new_world):
    said = [s for other in sentences("m", 5) for s in (other, SAME)]
    _, _, samples = whole(new_world, said, phrase_words=(9, 9))
    assert samples and about(samples, SAME) == []


def test_a_near_repetition_withholds_the_phrase(new_world):
    said = sentences("m", 9)
    said[2:2] = [SAME]
    said[6:6] = ["the same new words were said once more here"]
    _, _, samples = whole(new_world, said, phrase_words=(9, 9))
    assert len(samples) == 9 and about(samples, SAME) == []


@pytest.mark.parametrize(("at_s", "asked"), [(0.0, True), (30.0, False)])
def test_words_that_can_also_be_read_at_another_time_are_withheld(new_world, at_s, asked):
    said = [SAME, *sentences("m", 9)]
    world, task, _ = whole(new_world, said, phrase_words=(9, 9), absent_share=0)
    start = world.rows("m")["speech"][0]["start_s"] if asked else at_s
    for t in (start, start + 2):
        world.add("text_regions", "m", "ocr", start_s=t, end_s=t + 2, text=f"He: {SAME}!", confidence=0.9,
                  x1=0.1, y1=0.8, x2=0.9, y2=0.9)  # fmt: skip
    assert bool(about([Sample.from_row(r) for r in world.run(task, "m")], SAME)) is asked


def test_absent_phrases_are_said_elsewhere_and_proven_absent(world, all_caught):
    task = SpeechGrounding(SpeechGrounding.Params(absent_share=0.6))
    rows = [row for m in world.media_ids() for row in world.run(task, m)]
    absent = [Sample.from_row(row) for row in rows if row["answer_kind"] == "absent"]
    assert 0.3 * len(rows) < len(absent) < 0.9 * len(rows)
    questions = {s.wording for s in absent}
    assert questions & {Sample.from_row(r).wording for r in rows if r["answer_kind"] == "span"}
    for sample in absent:
        quoted = sample.turns[0].text.partition("“")[2].partition("”")[0]
        heard = {e.values["text"] for e in sample.evidence if e.table == "speech"}
        assert heard == {
            s["text"]
            for s in world.rows(sample.media[0].media_id)["speech"]
            if s["start_s"] < sample.window.end_s and s["end_s"] > sample.window.start_s
        }
        words = [e.values for e in sample.evidence if e.table == "words"]
        assert normalise_words(" ".join(w["word"] for w in words)) == normalise_words(quoted)
        assert all(w["end_s"] <= sample.window.start_s - 5 or w["start_s"] >= sample.window.end_s + 5 for w in words)
        assert "<" not in sample.turns[1].text
    assert all_caught(world, task, [s.to_row() for s in absent[:3]]) > 60


def test_an_absent_claim_about_words_that_are_said_is_named(world):
    task = SpeechGrounding(SpeechGrounding.Params(absent_share=0.6))
    rows = [row for m in world.media_ids() for row in world.run(task, m)]
    row = next(r for r in rows if r["answer_kind"] == "absent")
    sample = Sample.from_row(row)
    quoted = sample.turns[0].text.partition("“")[2].partition("”")[0]
    victim = next(e for e in sample.evidence if e.table == "speech")
    world.tables["speech"][victim.row_id]["text"] = f"Well, {quoted} my friend"
    assert world.check(task, row)["problem"] == "evidence changed"
    changed = [
        e.model_copy(update={"values": {**e.values, "text": f"Well, {quoted} my friend"}}) if e is victim else e
        for e in sample.evidence
    ]
    verdict = world.check(task, sample.model_copy(update={"evidence": tuple(changed)}).to_row())
    assert verdict["problem"] == "answer wrong" and "said 1 times in the window, not 0" in verdict["reason"]
    assert quoted in verdict["reason"]


def test_the_share_of_absent_samples_is_right_over_many_short_media(new_world):
    world = new_world()
    for m in range(40):
        end = speak(world, f"short{m}", sentences(f"short{m}", 12))
        world.medium(f"short{m}", end)
        world.clip(f"short{m}", 0.0, end)
    task = SpeechGrounding(SpeechGrounding.Params(absent_share=0.15, window={"length_s": (8.0, 30.0)}))
    kinds = [row["answer_kind"] for m in world.media_ids() for row in world.run(task, m)]
    assert len(kinds) > 70 and 0.08 <= kinds.count("absent") / len(kinds) <= 0.25


def test_only_kept_clips_and_one_recogniser(world):
    for row in list(world.tables["words"].values()):
        if row["media_id"] == "medium0":
            world.add(
                "words",
                "medium0",
                "zz",
                **{k: row[k] for k in ("start_s", "end_s", "word", "confidence", "position")},
            )
    clips = world.rows("medium0")["clips"]
    first = min(clips, key=lambda c: c["start_s"])
    for clip in clips:
        world.add("selection", "medium0", clip_id=clip["clip_id"], recipe="r", kept=clip is first)
    rows = world.run(SpeechGrounding(SpeechGrounding.Params()), "medium0")
    assert rows
    for row in rows:
        assert row["clip_id"] == first["clip_id"]
        cited = [e["row_id"] for e in row["evidence"] if e["source_table"] == "words"]
        assert {world.tables["words"][i]["producer"] for i in cited} == {"speech"}


def test_subtitles_without_words_are_quoted_whole(new_world, all_caught):
    world = new_world()
    end = speak(world, "m", sentences("m", 12))
    world.tables["words"].clear()
    world.medium("m", end)
    world.clip("m", 0.0, end)
    task = SpeechGrounding(SpeechGrounding.Params())
    rows = world.run(task, "m")
    spans = {(s["start_s"], s["end_s"]) for s in world.rows("m")["speech"]}
    present = [Sample.from_row(r).answer for r in rows if r["answer_kind"] == "span"]
    assert present and all((a.start_s, a.end_s) in spans for a in present)
    assert all_caught(world, task, rows) > 0


def test_same_input_same_samples_and_answers_spread_over_the_window(world):
    task = SpeechGrounding(SpeechGrounding.Params())
    rows = [row for m in world.media_ids() for row in world.run(task, m)]
    assert rows == [row for m in world.media_ids() for row in world.run(task, m)]
    positions = [Sample.from_row(r).difficulty["position"] for r in rows if r["answer_kind"] == "span"]
    assert min(positions) < 0.35 and max(positions) > 0.65


def test_wordings_are_many():
    kinds = wordings_of("speech_grounding").kinds["when"]
    assert len(kinds.questions) >= 25 and len(kinds.answers) >= 8


def test_nobody_is_quoted_across_a_full_stop(world):
    task = SpeechGrounding(SpeechGrounding.Params(per_clip=40, per_medium=400))
    phrases = []
    for m in range(6):
        for row in world.run(task, f"medium{m}"):
            cited = [e.values["word"] for e in Sample.from_row(row).evidence if e.table == "words"]
            phrases.append(cited)
    assert len(phrases) > 20
    assert any(p[-1].endswith(".") for p in phrases)
    assert not any(w.endswith(".") for p in phrases for w in p[:-1])
