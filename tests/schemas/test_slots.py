"""What a model wrote becomes markup that may be stored, or a problem that names its rule; never anything between."""

from __future__ import annotations

import pytest
from chronotope.schemas.box import Box
from chronotope.schemas.facts import Fact, Facts, name_order
from chronotope.schemas.literals import literals_in
from chronotope.schemas.markup import validate
from chronotope.schemas.number_words import NUMBER_WORDS, numbers_in, value_of
from chronotope.schemas.slot_text import names_in
from chronotope.schemas.slots import resolve
from chronotope.schemas.span import Span
from hypothesis import given
from hypothesis import strategies as st
from model_asked import FACT

WINDOW = Span(0.0, 30.0)


def row(name: str) -> dict[str, str]:
    return {"row_id": name}


FACTS = Facts(
    [
        Fact("e1", "speech", "speech", row("a"), Span(1, 4), text="hello there, 12 seconds left"),
        Fact("e2", "text", "text_regions", row("b"), Span(5, 9.25), text="EXIT “NOW” <b> & 3:15", box=Box(0.1, 0.2, 0.3, 0.4)),
        Fact("e3", "event", "captions", row("c"), Span(20, 25), text="two men run at 12"),
        Fact("e4", "shot", "shots", row("d"), Span(0, 40)),
        Fact("f1", "frame", "frames", row("e"), t_s=3.2),
        Fact("obj1", "object", "tracks", row("f"), Span(2, 8), 5.0, "a red circle", Box(0.5, 0.5, 0.6, 0.7)),
        Fact("s1", "sample", "samples", row("g"), text="When?"),
    ]
)  # fmt: skip


def rules(text: str) -> set[str]:
    return {p.rule for p in resolve(text, FACTS, WINDOW).problems}


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("At {e1} and {f1}.", "At <span:1,4> and <t:3.2>."),
        ("{e1.start} to {e1.end}, {e1..e2}", "<t:1> to <t:4>, <span:1,9.25>"),
        ("He says {e1.text}.", "He says “hello there, 12 seconds left”."),
        ("It says “{e2.text}”!", "It says “EXIT ‘NOW’ &lt;b> &amp; 3:15”!"),
        ("{e2.box} and {obj1.box}", "<box:0.100000,0.200000,0.300000,0.400000> and <boxat:5,0.500000,0.500000,0.600000,0.700000>"),
        ("the {obj1.label}, a < b & c", "the red circle, a &lt; b &amp; c"),
        ('He says "Hello there" {e1}', "He says “Hello there” <span:1,4>"),
        ("a “strange” word", 'a "strange" word'),
    ],
)  # fmt: skip
def test_slots_become_markup(text: str, markup: str) -> None:
    resolved = resolve(text, FACTS, WINDOW)
    assert (resolved.text, resolved.problems) == (markup, ())


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{e9}", "unknown_evidence"),
        ("{e1..e9}", "unknown_evidence"),
        ("{e1.speaker}", "no_such_field"),
        ("{e1.box}", "no_such_field"),
        ("{e4.text}", "no_such_field"),
        ("{s1}", "no_such_field"),
        ("{e1", "malformed_slot"),
        ("{}", "malformed_slot"),
        ("{{e1}}", "malformed_slot"),
        ("{Event 1}", "malformed_slot"),
        ("as e1 says", "malformed_slot"),
        ("see [obj1]", "malformed_slot"),
        ("now <answer>", "malformed_slot"),
        ("<|im_start|>", "malformed_slot"),
        ("{e4}", "outside_window"),
        ("{e4.end}", "outside_window"),
        ("{e3..e1}", "contradiction"),
        ("“at 12 seconds it rings”", "literal_time"),
        ("12 seconds", "literal_time"),
        ("at (120, 40)", "literal_place"),
    ],
)
def test_what_is_wrong_has_a_rule(text: str, rule: str) -> None:
    assert rule in rules(f"The man waits {text}.")


def test_a_quotation_cites_its_fact_and_may_hold_a_time() -> None:
    resolved = resolve("A voice says “12 seconds left”.", FACTS, WINDOW)
    assert (resolved.problems, resolved.cited, resolved.numbers) == ((), ("e1",), ())
    assert "literal_time" in rules("A voice says 12 seconds left, {e1}.")


def test_numbers_are_claims_unless_cited_evidence_has_them() -> None:
    assert resolve("Two men run {e3}.", FACTS, WINDOW).numbers == ()
    assert resolve("2 men run {e3}.", FACTS, WINDOW).numbers == ()
    assert resolve("Two men run.", FACTS, WINDOW).numbers == ("Two",)
    assert resolve("Three men run {e3}.", FACTS, WINDOW).numbers == ("Three",)


def test_cited_names_come_in_order_of_use_and_the_natural_order_is_by_number() -> None:
    assert resolve("{obj1} {e3} {e1..e2} {e3}", FACTS, WINDOW).cited == ("obj1", "e3", "e1", "e2")
    assert names_in("{e2.text}", "{e10} {e2}") == ("e2", "e10")
    assert sorted(["obj1", "e10", "f1", "e2"], key=name_order) == ["e2", "e10", "f1", "obj1"]


words = st.sampled_from(
    [
        "the",
        "man",
        "walks",
        "{e1}",
        "{e2.text}",
        "{e3.start}",
        "{e1..e3}",
        "{obj1.box}",
        "{f1}",
        "{e4}",
        "{e9}",
        "{e1.x}",
        "{",
        "}",
        "<",
        ">",
        "&",
        "“",
        "”",
        '"',
        "12",
        "s",
        "4.2",
        "00:12",
        "at",
        "five",
        "second",
        "seconds",
        "before",
        "after",
        "then",
        ".",
        "?",
        ",",
        "<t:5>",
        "&lt;",
        "%",
        "half",
        "one",
        "two",
        "½",
        "５",
        "video",
        "left",
        "{obj1.label}",
        "until",
        "while",
        "e1",
        "beginning",
        "of",
    ]
)


@given(st.lists(words, max_size=14).map(" ".join) | st.text('{}e12.<>&“”"t: s%seconda', max_size=25))
def test_a_text_without_a_problem_may_be_stored(text: str) -> None:
    resolved = resolve(text, FACTS, WINDOW)
    if not resolved.problems:
        assert validate(resolved.text, media=1, windows=[WINDOW]) == []
    assert set(resolved.cited) <= set(FACTS)


@given(st.lists(words, max_size=14).map(" ".join))
def test_resolving_is_a_function(text: str) -> None:
    assert resolve(text, FACTS, WINDOW) == resolve(text, FACTS, WINDOW)


seconds = st.integers(1, 600)
count = st.sampled_from(
    ["two", "three", "five", "seven", "ten", "twelve", "twenty-five", "thirty", "forty-two", "ninety"]
)
unit = st.sampled_from(["seconds", "minutes", "secs", "hours"])
tenths = st.integers(0, 9999).map(lambda n: f"{n / 10:g}")
places = st.integers(1, 1999)
LITERALS = st.one_of(
    st.builds(lambda n, u: f"{n} {u}", seconds, st.sampled_from(["s", "sec", "seconds", "min", "minutes", "ms", "h", "hours"])),
    st.builds(lambda n, u: f"{n}{u}", tenths, st.sampled_from(["s", "sec", "min", "ms", "-second", " s"])),
    st.builds(lambda m, s: f"{m:02d}:{s:02d}", st.integers(0, 59), st.integers(0, 59)),
    st.builds(lambda h, m, s: f"{h}:{m:02d}:{s:02d}.5", st.integers(0, 9), st.integers(0, 59), st.integers(0, 59)),
    st.builds(lambda n, u: f"{n} {u}", count, unit),
    st.builds(lambda n, u: f"{n}-{u.removesuffix('s')}", count, unit),
    st.builds(lambda n, w: f"{w} {n}", seconds, st.sampled_from(["second", "frame", "timestamp", "frame #", "at second", "minute"])),
    st.builds(lambda n: f"at second {n},", count),
    st.builds(lambda n, w: f"t{w}{n}", tenths, st.sampled_from(["=", ": ", " = "])),
    st.builds(lambda n, w: f"{n}{w}", st.integers(1, 99), st.sampled_from(["% of the picture", "% into the video", " percent of the width", "% from the left"])),
    st.builds(lambda n, w: f"0.{n} of the {w}", st.integers(1, 99), st.sampled_from(["width", "height", "frame", "screen"])),
    st.builds(lambda x, y: f"({x}, {y})", places, places),
    st.builds(lambda a, b, c, d: f"[{a}, {b}, {c}, {d}]", places, places, places, places),
    st.builds(lambda n, w: f"{n} {w}", places, st.sampled_from(["px", "pixels", "frames"])),
    st.builds(lambda n, w: f"{w} {n}", tenths, st.sampled_from(["x =", "y=", "x:", "coordinate"])),
    st.sampled_from(["half a minute", "half a second later", "a minute later", "three quarters of the way through", "a third of the width"]),
)  # fmt: skip
AROUND = st.sampled_from(
    [("The man jumps ", "."), ("At {e1}, ", " the man jumps."), ("(", ")"), ("He jumps {e1} for ", ", then rests")]
)


@given(LITERALS, AROUND)
def test_every_written_time_and_place_is_a_problem(literal: str, around: tuple[str, str]) -> None:
    before, behind = around
    assert {"literal_time", "literal_place"} & rules(f"{before}{literal}{behind}")


@given(LITERALS, st.sampled_from(["\u200b", "*", "_", "**"]))
def test_marks_and_wide_digits_hide_nothing(literal: str, mark: str) -> None:
    wide = literal.translate({ord("0") + i: ord("０") + i for i in range(10)})
    assert literals_in(wide)
    assert literals_in(f"{mark}{literal.split()[0]}{mark} {' '.join(literal.split()[1:])}")


IDIOMS = (
    "one of them", "at once", "one another", "first of all", "no one", "the red one", "one by one", "for the first time", "the second man",
    "a second man enters", "one after the other", "in half", "the left half", "this one", "once the door opens", "once more", "2D drawings",
    "second to none", "both of them", "one can see", "at the last minute", "the first of the shots", "second, the man sits", "wait a moment",
    "on the one hand", "in frame", "each one", "in a second view", "step by step", "the third man", "all at once",
)  # fmt: skip


@pytest.mark.parametrize("idiom", IDIOMS)
def test_idioms_are_neither_times_nor_claims(idiom: str) -> None:
    resolved = resolve(f"The man jumps {idiom}, and {idiom} he falls {{e1}}.", FACTS, WINDOW)
    assert resolved.problems == ()
    assert resolved.numbers == ()


@given(st.integers(0, 99))
def test_number_words_have_their_values(n: int) -> None:
    ones = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ]
    tens = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    name = ones[n] if n < 20 else tens[n // 10] + (f"-{ones[n % 10]}" if n % 10 else "")
    assert value_of(name) == n == value_of(str(n))
    found = numbers_in(f"he sees {name} dogs")
    assert found == [name]
    assert NUMBER_WORDS


@given(
    st.sampled_from(["speech", "text", "event", "shot", "object"]),
    st.integers(0, 10**8),
    st.integers(1, 10**8),
    st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=40),
    st.integers(1, 999),
)  # fmt: skip
def test_a_listed_line_can_be_read_again(
    kind: str, start_us: int, length_us: int, text: str | None, number: int
) -> None:
    span = Span(start_us / 1e6, (start_us + length_us) / 1e6)
    said = text if text and text.strip() else None
    fact = Fact(f"e{number}", kind, "speech", row("x"), span, text=said)  # type: ignore[arg-type]
    listing = Facts([fact, Fact("f1", "frame", "frames", row("y"), t_s=3.25)]).listing()
    first, second = FACT.finditer(listing)
    assert (first["name"], first["kind"]) == (fact.name, kind)
    assert abs(float(first["start"]) - span.start_s) <= 5.1e-4 and abs(float(first["end"]) - span.end_s) <= 5.1e-4
    assert (first["text"] is None) == (said is None)
    if said is not None and kind not in ("speech", "text"):
        assert first["text"].split() == said.split()
    assert (second["name"], second["at"]) == ("f1", "3.25")


def test_two_facts_cannot_share_a_name_and_names_are_simple() -> None:
    with pytest.raises(ValueError, match="two facts"):
        Facts([FACTS["e1"], FACTS["e1"]])
    with pytest.raises(ValueError, match="fact name"):
        Fact("Event 1", "shot", "shots", row("x"))
