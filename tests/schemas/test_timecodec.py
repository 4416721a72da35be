"""Time codecs: published bounds, half-to-even, and reading what a model wrote."""

import pytest
from chronotope.schemas.span import Span, from_us
from chronotope.schemas.timecodec import (
    TIME_CODECS,
    ClockCodec,
    RelativeTokensCodec,
    SecondsCodec,
    TimeCodec,
    TimeCodecError,
    time_codec,
)
from hypothesis import example, given
from hypothesis import strategies as st

codecs = st.one_of(
    st.builds(SecondsCodec, st.integers(0, 6), st.sampled_from(["", "s", " s", " seconds"])),
    st.builds(ClockCodec, st.booleans()),
    st.sampled_from(["<{k}>", "<t{k}>", "<TEMP-{k:03d}>", "{k}%", "T{k}"]).map(RelativeTokensCodec),
)
durations = st.one_of(st.integers(1, 200_000_000), st.integers(3_599_000_000, 40_000_000_000)).map(from_us)
shares = st.floats(0, 1)
SLACK_S = 1e-9  # float64 arithmetic of the test itself


@given(codecs, durations, shares)
@example(ClockCodec(), 3599.9, 1.0)
@example(ClockCodec(), 10.4, 1.0)
@example(SecondsCodec(0, ""), 0.4, 1.0)
def test_round_trip_error_stays_under_the_published_bound(codec: TimeCodec, duration_s: float, share: float) -> None:
    t_s = share * duration_s
    back_s = codec.decode(codec.encode(t_s, duration_s), duration_s)
    assert abs(back_s - t_s) <= codec.max_error_s(duration_s) + SLACK_S
    assert 0 <= back_s <= duration_s


@given(codecs, durations, shares)
def test_a_time_in_a_sentence_is_found_again(codec: TimeCodec, duration_s: float, share: float) -> None:
    text = codec.encode(share * duration_s, duration_s)
    assert codec.find_moments(f"It begins at {text}.", duration_s) == [codec.decode(text, duration_s)]


@given(codecs, durations, shares, shares, st.sampled_from([" to ", " - ", "–", ", ", " and "]))
def test_a_span_in_a_sentence_is_found_again(
    codec: TimeCodec, duration_s: float, a: float, b: float, joiner: str
) -> None:
    low, high = sorted((a * duration_s, b * duration_s))
    if high - low <= 2 * codec.max_error_s(duration_s):
        return
    start, end = codec.encode_span(Span(low, high), duration_s)
    expected = codec.decode_span(start, end, duration_s)
    assert expected is not None
    assert codec.find_spans(f"from {start}{joiner}{end}, as seen", duration_s) == [expected]


@given(codecs, durations, shares)
def test_equal_ends_mean_the_whole_cell(codec: TimeCodec, duration_s: float, share: float) -> None:
    t_s = share * duration_s
    text = codec.encode(t_s, duration_s)
    span = codec.decode_span(text, text, duration_s)
    assert span is not None
    assert span.start_s - SLACK_S <= t_s <= span.end_s + SLACK_S


@given(codecs, st.text("0123456789.:<>tT%-, secondmiu&[](){}", max_size=40))
def test_reading_free_text_never_fails_and_stays_in_the_footage(codec: TimeCodec, text: str) -> None:
    assert all(0 <= t_s <= 60 for t_s in codec.find_moments(text, 60))
    assert all(0 <= span.start_s < span.end_s <= 60 for span in codec.find_spans(text, 60))


@pytest.mark.parametrize(("t_s", "text"), [(0.5, "0s"), (1.5, "2s"), (2.5, "2s"), (3.5, "4s")])
def test_seconds_round_half_to_even(t_s: float, text: str) -> None:
    assert SecondsCodec(0).encode(t_s, 60) == text


def test_seconds_round_the_decimal_time_not_its_binary_neighbour() -> None:
    assert [SecondsCodec().encode(t, 60) for t in (1.005, 1.015, 1.025, 12.345)] == [
        "1.00s",
        "1.02s",
        "1.02s",
        "12.34s",
    ]


@pytest.mark.parametrize(("t_s", "k"), [(0.5, 0), (1.5, 2), (2.5, 2), (3.5, 4), (98.5, 98), (99.0, 99)])
def test_relative_tokens_round_half_to_even(t_s: float, k: int) -> None:
    assert time_codec("relative_tokens_100").encode(t_s, 99) == f"<{k}>"


def test_lita_example_of_the_literature() -> None:
    codec = time_codec("lita100")
    assert codec.encode_span(Span(20, 32), 80) == ("<t25>", "<t40>")
    assert codec.find_spans("<t25> <t40> The pan is emptied.", 80) == [Span(25 * 80 / 99, 40 * 80 / 99)]
    assert codec.max_error_s(80) == pytest.approx(80 / 198, abs=1e-6)


def test_the_clock_shows_hours_only_where_footage_has_them() -> None:
    assert ClockCodec().encode(62.5, 600) == "01:02"
    assert ClockCodec().encode(62.5, 3600) == "0:01:02"
    assert ClockCodec(tenths=True).encode(62.46, 600) == "01:02.5"
    assert ClockCodec().encode(3599.6, 3599.9) == "1:00:00"
    assert ClockCodec().decode("1:00:00", 3599.9) == 3599.9


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("from 3.2 to 7.9 seconds", [(3.2, 7.9)]),
        ("3.2s - 7.9s: pours the milk\n10s–12s: stirs", [(3.2, 7.9), (10, 12)]),
        ("[3.2, 7.9]", [(3.2, 7.9)]),
        ('{"start": 3.2, "end": 7.9}', [(3.2, 7.9)]),
        ("It starts at 3.2 s and ends at 7.9 s.", [(3.2, 7.9)]),
        ("The 2 men and 3 dogs run from 3 to 8 s.", [(3, 8)]),
        ("In shot 2, between 3.2 and 7.9.", [(3.2, 7.9)]),
        ("1 minute 5 seconds to 1 min 10 s", [(65, 70)]),
        ("55 s to 5000 s", [(55, 100)]),
        ("7.9 s to 3.2 s", []),
        ("about 2 minutes", []),
        ("at 5 s", []),
        ("no idea", []),
        ("", []),
    ],
)
def test_spans_in_seconds_as_models_write_them(text: str, spans: list[tuple[float, float]]) -> None:
    assert time_codec("seconds").find_spans(text, 100) == [Span(a, b) for a, b in spans]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("00:12-00:15", [(12, 15)]),
        ("From 01:02 until 1:10.5.", [(62, 70.5)]),
        ("starts 0:00:12, ends 0:00:20", [(12, 20)]),
        ("00:99 to 1:2", []),
    ],
)
def test_spans_on_the_clock_as_models_write_them(text: str, spans: list[tuple[float, float]]) -> None:
    assert time_codec("mm:ss").find_spans(text, 100) == [Span(a, b) for a, b in spans]


def test_tokens_that_do_not_exist_are_not_read() -> None:
    codec = time_codec("relative_tokens_100")
    assert codec.find_moments("<100> <250> <7>", 99) == [7]
    with pytest.raises(TimeCodecError):
        codec.decode("<100>", 99)


@pytest.mark.parametrize("name", TIME_CODECS)
def test_what_is_not_one_time_is_refused(name: str) -> None:
    codec = time_codec(name)
    both = codec.encode(1, 60) + " " + codec.encode(2, 60)
    for text in ("", "soon", both, codec.encode(1, 60) + " or so"):
        with pytest.raises(TimeCodecError):
            codec.decode(text, 60)
    for t_s, duration_s in ((-1, 60), (61, 60), (0, 0)):
        with pytest.raises(TimeCodecError):
            codec.encode(t_s, duration_s)


def test_wrong_names_and_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="known are seconds"):
        time_codec("minutes")
    with pytest.raises(TypeError):
        time_codec("mm:ss", decimals=2)
    for token in ("{k}", "<t>", "<{k}{k}>", "<{x}>"):
        with pytest.raises(ValueError, match="token text"):
            time_codec("relative_tokens_100", token=token)
    with pytest.raises(ValueError, match="decimals"):
        time_codec("seconds", decimals=7)
    with pytest.raises(ValueError, match="unit"):
        time_codec("seconds", unit="h")
