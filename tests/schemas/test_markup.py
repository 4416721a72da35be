"""Neutral markup: round trip, validation, late binding."""

import subprocess
import sys

import pytest
from chronotope.schemas import markup as mk
from chronotope.schemas.span import Span, from_us
from hypothesis import given
from hypothesis import strategies as st

times = st.integers(0, 10**12).map(from_us)
parts = st.integers(0, 10**6).map(from_us)
media = st.integers(1, 12)
marks = st.one_of(
    st.builds(mk.Moment, times, media),
    st.builds(mk.SpanMark, times, times, media),
    st.builds(mk.BoxMark, parts, parts, parts, parts, media),
    st.builds(mk.BoxAt, times, parts, parts, parts, parts, media),
    st.builds(mk.Media, st.sampled_from(["video", "image", "audio"]), media),
    st.just(mk.OptionsMark()),
    st.just(mk.AnswerMark()),
)
texts = st.text("<>&;@:,.0159 abltmpgsn\n“”é中\u2028", min_size=1, max_size=20)


@st.composite
def token_lists(draw: st.DrawFn) -> list[mk.Token]:
    """Any marks, with plain text between some of them but never twice in a row."""
    tokens: list[mk.Token] = []
    for mark in draw(st.lists(marks, max_size=6)):
        tokens += [mk.Text(draw(texts))] if draw(st.booleans()) else []
        tokens.append(mark)
    return tokens + ([mk.Text(draw(texts))] if draw(st.booleans()) else [])


@given(token_lists())
def test_tokens_survive_print_and_parse(tokens: list[mk.Token]) -> None:
    text = mk.render(tokens)
    assert mk.parse(text) == tokens
    assert mk.render(mk.parse(text)) == text


@given(st.text(), st.text())
def test_human_text_can_hold_anything(a: str, b: str) -> None:
    assert mk.unescape(mk.escape(a)) == a
    assert mk.escape(a) + mk.escape(b) == mk.escape(a + b)
    assert "<" not in mk.escape(a)


@given(st.text("<>&“”‘’:0159s amount", max_size=30))
def test_quoted_speech_is_always_valid(said: str) -> None:
    assert mk.validate(f"Who says {mk.quote(said)}?", media=1) == []


@given(st.text("<>&:@,.-0159tspanboxvideo“”", max_size=40))
def test_validate_never_raises_and_agrees_with_parse(text: str) -> None:
    problems = mk.validate(text, media=1, windows=[Span(0, 10)])
    try:
        mk.parse(text)
    except mk.MarkupError:
        assert problems


def test_the_canonical_forms() -> None:
    text = (
        "<video>\nA &amp; B &lt; C <t:12.4> <t@2:0.000001> <span:3.2,7.9> "
        "<box:0.100000,0.200000,0.500000,1.000000> <boxat@2:4,0.000000,0.000000,1.000000,0.333333> "
        "<image@2> <audio@3> <options> <answer>"
    )
    tokens = mk.parse(text)
    assert mk.render(tokens) == text
    assert tokens[1] == mk.Text("\nA & B < C ")
    assert tokens[2] == mk.Moment(12.4)
    assert tokens[4] == mk.Moment(1e-6, 2)
    assert tokens[6] == mk.SpanMark(3.2, 7.9)
    assert tokens[10] == mk.BoxAt(4.0, 0.0, 0.0, 1.0, 0.333333, 2)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<time:3>", "unknown tag"),
        ("<options:3>", "unknown tag"),
        ("<options@2>", "belongs to part 1"),
        ("<video:3>", "unknown tag"),
        ("<t:1e3>", "malformed number"),
        ("<t:nan>", "malformed number"),
        ("<t:>", "malformed number"),
        ("<t>", "needs 1 numbers"),
        ("<span:3>", "needs 2 numbers"),
        ("a < b", "&lt;"),
        ("<t:3", "&lt;"),
        ("<t:12.40>", "not canonical"),
        ("<t@1:3>", "not canonical"),
        ("<box:0,0,1,1>", "not canonical"),
        ("<span:5,5>", "ends before or where"),
        ("<span:7,5>", "ends before or where"),
        ("<t:-1>", "before 0"),
        ("<t:21>", "outside the window 2..20 s"),
        ("<span:1,5>", "outside the window"),
        ("<span:5,20.000001>", "outside the window"),
        ("<boxat:1,0.000000,0.000000,1.000000,1.000000>", "outside the window"),
        ("<box:0.000000,0.000000,1.000001,1.000000>", "outside [0, 1]"),
        ("<box:0.500000,0.000000,0.400000,1.000000>", "inverted"),
        ("<t@3:5>", "medium 3 does not exist"),
        ("<t@0:5>", "medium 0 does not exist"),
        ("<options> or <options>", "more than once"),
        ("<answer> <answer>", "more than once"),
        ("<video> <image>", "more than once"),
        ("he says “now", "not closed"),
    ],
)
def test_each_problem_is_named(text: str, problem: str) -> None:
    found = mk.validate(text, media=2, windows=[Span(2, 20), None])
    assert any(problem in line for line in found), found


@pytest.mark.parametrize(
    "text",
    [
        "it starts at 12.5 s",
        "after 3 seconds",
        "a 3-second pause",
        "wait two minutes",
        "a two-second pause",
        "at second 12",
        "from 00:12 on",
        "1:02:03",
        "t=4.5",
        "frame 120",
        "at 12.5 he jumps",
        "from 3 to 7.9",
        "between 3.2 and 7.9",
        "in [0.1, 0.2, 0.5, 0.6]",
        "at (120, 45)",
        "40 px to the left",
        "x = 0.3",
        "“quoted” but 5 s is not",
    ],
)
def test_numbers_of_time_and_place_in_plain_text_are_found(text: str) -> None:
    assert len(mk.validate(text, media=1)) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "<video>\nWhen does the man in the 1990s coat say “at 12.5 s”?",
        "<image> and <image@2>: which comes first?\n<options>",
        "It lasts <span:2,20>, see <t:20>.",
        "Give the times in seconds.",
        "3 dogs and 2 cats, 4 of them at 2.5 m, between 1.5 and 2.5 metres away",
        "Q&A in 16:9 on page 12. At 3 tables.",
        "Wait a second; the second 's' in the word.",
        "<answer>",
        "",
    ],
)
def test_ordinary_text_has_no_problem(text: str) -> None:
    assert mk.validate(text, media=2, windows=[Span(2, 20), None]) == []


def test_packagers_bind_every_token() -> None:
    def seconds(token: mk.Token) -> str:
        match token:
            case mk.Text(text):
                return text
            case mk.SpanMark(start_s, end_s):
                return f"{start_s - 2:.1f} s to {end_s - 2:.1f} s"
            case mk.Media(kind):
                return f"[{kind}]"
        return "?"

    assert mk.replace("<video>\na &lt; b from <span:3,7.5>", seconds) == "[video]\na < b from 1.0 s to 5.5 s"
    with pytest.raises(mk.MarkupError, match="unknown tag"):
        mk.replace("<nope>", seconds)


def test_spans_and_markup_need_no_numpy() -> None:
    code = "import sys, chronotope.schemas.markup; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
