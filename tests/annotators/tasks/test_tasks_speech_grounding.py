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
    for row in rows:
        sample = Sample.from_row(row)
        assert sample.problems() == []
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


def test_a_repeated_phrase_is_never_quoted(new_world):
    world = new_world()
    end = speak(world, "m", ["the same old words are said once again here"] * 8)
    world.medium("m", end)
    world.clip("m", 0.0, end)
    policy = {"length_s": (end - 1, end)}
    assert world.run(SpeechGrounding(SpeechGrounding.Params(window=policy)), "m") == []


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
    assert rows and all((Sample.from_row(r).answer.start_s, Sample.from_row(r).answer.end_s) in spans for r in rows)
    assert all_caught(world, task, rows) > 0


def test_same_input_same_samples_and_answers_spread_over_the_window(world):
    task = SpeechGrounding(SpeechGrounding.Params())
    rows = [row for m in world.media_ids() for row in world.run(task, m)]
    assert rows == [row for m in world.media_ids() for row in world.run(task, m)]
    positions = [Sample.from_row(r).difficulty["position"] for r in rows]
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
