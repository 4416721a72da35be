"""Phrases of time and place: known sentences, words that only look like it, tags, and normal forms."""

from itertools import pairwise

import pytest
from chronotope.schemas.phrase_norm import moment_of, normal_form, parses, seconds_of
from chronotope.schemas.phrases import PLACE, TIME, bio, find_entities, find_phrases, from_bio, words_of
from hypothesis import given
from hypothesis import strategies as st
from phrase_sentences import TEMPLATES, f1, sentences


def test_phrases_of_500_templated_sentences_are_found_exactly() -> None:
    found, true = set(), set()
    for number, (text, phrases) in enumerate(sentences(500)):
        found |= {(number, p) for p in find_phrases(text)}
        true |= {(number, p) for p in phrases}
        assert all(text[p.first : p.past] == p.text for p in find_phrases(text))
    assert f1(found, true) >= 0.95
    for kind in (TIME, PLACE):
        assert f1({x for x in found if x[1].kind == kind}, {x for x in true if x[1].kind == kind}) >= 0.95


def test_words_that_only_look_like_time_or_place_are_told_apart() -> None:
    right = 0
    for literal, phrase, other, word in TEMPLATES["pairs"]:
        right += any(phrase in p.text for p in find_phrases(literal))
        right += not any(word.lower() in p.text.lower() for p in find_phrases(other))
    assert right / (2 * len(TEMPLATES["pairs"])) >= 0.9


def test_whole_phrases_and_what_stands_inside_them() -> None:
    text = "A few blocks north of the station, just before noon, Dr. Miller of Boston University saw it in northern France."
    phrases = find_phrases(text)
    assert [(p.first, p.past, p.kind) for p in phrases[:2]] == [(0, 33, PLACE), (35, 51, TIME)]
    assert phrases[-1].text == "in northern France"
    inside = {(e.kind, e.text) for e in find_entities(text, phrases)}
    assert {
        ("TIME", "noon"),
        ("PERSON", "Dr. Miller"),
        ("ORG", "Boston University"),
        ("PLACE", "northern France"),
    } <= inside


@given(
    st.lists(
        st.sampled_from([*TEMPLATES["times"], *TEMPLATES["places"], "we", "saw", ",", ".", "march", "the", "a second"]),
        max_size=7,
    )
)
def test_phrases_do_not_overlap_and_tags_are_legal_and_say_the_same(pieces: list[str]) -> None:
    text = " ".join(pieces)
    phrases = find_phrases(text)
    assert all(a.past <= b.first for a, b in pairwise(phrases))
    tags = bio(text, phrases)
    assert len(tags) == len(words_of(text))
    back = from_bio(text, tags)
    assert [(p.first, p.kind) for p in back] == [(p.first, p.kind) for p in phrases]
    assert bio(text, back) == tags
    assert all(text[e.first : e.past] == e.text for e in find_entities(text, phrases))


def test_tags_that_are_not_legal_are_refused() -> None:
    with pytest.raises(ValueError, match="continues nothing"):
        from_bio("at noon", ["O", "I-TIME"])
    with pytest.raises(ValueError, match="continues nothing"):
        from_bio("at noon", ["B-LOC", "I-TIME"])
    with pytest.raises(ValueError, match="1 tags for 2 words"):
        from_bio("at noon", ["O"])


FORMS = {
    "at half past three in the afternoon": "T15:30", "just before noon": "T11:55~", "at 7:45 pm": "T19:45", "quarter to eight": "T07:45",
    "around four o'clock in the afternoon": "T16:00~", "at 9 o'clock on Monday": "XXXX-WXX-1T09:00", "at dawn": "TDN", "at night": "TNI",
    "shortly after midnight": "T00:05~", "on May 3rd, 1990": "1990-05-03", "in March": "--03", "on the fourth of July": "--07-04",
    "on July the twenty-first": "--07-21", "since 2004": "2004", "in the 1960s": "196X", "in the nineteen eighties": "198X",
    "at the beginning of the twentieth century": "19XX", "on Friday morning": "XXXX-WXX-5TMO", "for two minutes": "PT2M",
    "half an hour": "PT30M", "an hour and a half": "PT1H30M", "two and a half hours": "PT2H30M", "during the last sixty days": "P60D",
    "a hundred years": "P100Y", "for two decades": "P20Y", "two minutes later": "+PT2M", "about ten minutes ago": "-PT10M~",
    "three hundred and thirty-one years ago": "-P331Y", "one year and two months later": "+P1Y2M", "in a second": "+PT1S",
    "the day after tomorrow": "+P2D", "yesterday": "-P1D", "two minutes into the video": "@PT2M", "every other day": "R/P2D",
    "twice a week": "R2/P1W", "every Sunday": "R/P1W", "a few days": None, "from nine to five": None, "some time": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "form"), FORMS.items())
def test_normal_forms(text: str, form: str | None) -> None:
    assert normal_form(text) == form
    assert form is None or parses(form)


def test_every_form_of_a_found_phrase_parses_and_lengths_have_seconds() -> None:
    forms = [normal_form(p.text) for text, _ in sentences(200, seed=1) for p in find_phrases(text) if p.kind == TIME]
    assert sum(f is not None for f in forms) > len(forms) / 2
    assert all(f is None or parses(f) for f in forms)
    assert (seconds_of("PT1H30M"), seconds_of("-P2DT3S~"), seconds_of("T12:00"), seconds_of("R/P1D")) == (
        5400,
        -172803,
        None,
        None,
    )
    assert not any(map(parses, ("", "P", "PT", "T25", "noon", "1990-5-3", "--", "+", "PTM")))


def test_only_what_speaks_about_the_footage_has_a_moment_in_it() -> None:
    assert moment_of("two minutes later", "You will see it again two minutes later.", 10.0, 200.0) == 130.0
    assert moment_of("ten seconds ago", "as we saw ten seconds ago", 30.0, 60.0) == 20.0
    assert moment_of("two minutes into the video", "It starts two minutes into the video.", 5.0, 300.0) == 120.0
    assert moment_of("at the end of this video", "at the end of this video", 0.0, 60.0) == 60.0
    assert moment_of("halfway through the film", "halfway through the film", 0.0, 60.0) == 30.0
    assert moment_of("two minutes later", "Two minutes later he died.", 10.0, 200.0) is None
    assert moment_of("ten years ago", "we saw it ten years ago", 30.0, 60.0) is None  # outside of the footage
    assert moment_of("at noon", "you will see it at noon", 0.0, 60.0) is None
