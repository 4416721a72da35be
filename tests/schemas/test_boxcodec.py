"""Box codecs: published bounds, half-to-even, and reading what a model wrote."""

import pytest
from chronotope.schemas.box import Box
from chronotope.schemas.boxcodec import (
    BOX_CODECS,
    BoxCodec,
    BoxCodecError,
    Float01Codec,
    Int1000Codec,
    PixelsCodec,
    box_codec,
)
from chronotope.schemas.markup import BoxMark, parse, render
from hypothesis import assume, given
from hypothesis import strategies as st

edge_pairs = st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True).map(sorted)
boxes = st.tuples(edge_pairs, edge_pairs).map(lambda p: Box(p[0][0], p[1][0], p[0][1], p[1][1]))
codecs = st.one_of(
    st.builds(Float01Codec, st.integers(1, 6)),
    st.just(Int1000Codec()),
    st.builds(PixelsCodec, st.integers(16, 4096), st.integers(16, 4096)),
)


@given(codecs, boxes)
def test_round_trip_error_stays_under_the_published_bound(codec: BoxCodec, box: Box) -> None:
    assume(codec.fits(box))
    back = codec.decode(codec.encode(box))
    for axis, (was, now) in enumerate(zip(box.edges, back.edges, strict=True)):
        assert abs(was - now) <= codec.max_error[axis % 2] + 1e-12


@given(codecs, boxes)
def test_a_box_in_a_sentence_is_found_again(codec: BoxCodec, box: Box) -> None:
    assume(codec.fits(box))
    text = codec.encode(box)
    assert codec.find_boxes(f"At 3.2 s: {text}, then gone [1, 2].") == [codec.decode(text)]


@given(codecs, boxes)
def test_a_box_that_vanishes_is_refused(codec: BoxCodec, box: Box) -> None:
    if not codec.fits(box):
        with pytest.raises(BoxCodecError, match="vanishes"):
            codec.encode(box)


@given(codecs, boxes)
def test_a_stored_box_is_written_like_the_original(codec: BoxCodec, box: Box) -> None:
    (stored,) = parse(render([BoxMark(*box.edges)]))
    assert isinstance(stored, BoxMark)
    if stored.x1 < stored.x2 and stored.y1 < stored.y2 and codec.fits(box):
        assert codec.encode(stored.box) == codec.encode(box)


@given(codecs, st.text("0123456789., -[]()", max_size=60))
def test_reading_free_text_never_fails(codec: BoxCodec, text: str) -> None:
    assert all(isinstance(box, Box) for box in codec.find_boxes(text))


def test_the_three_languages() -> None:
    box = Box(0.0005, 0.0015, 0.5025, 1)
    assert Float01Codec().encode(box) == "[0.000, 0.002, 0.502, 1.000]"
    assert Int1000Codec().encode(box) == "[0, 2, 502, 1000]"
    assert PixelsCodec(200, 1000).encode(box) == "[0, 2, 100, 1000]"
    assert PixelsCodec(640, 360).decode("[64, 36, 320, 180]") == Box(0.1, 0.1, 0.5, 0.5)


@pytest.mark.parametrize("name", BOX_CODECS)
def test_what_is_not_one_box_is_refused(name: str) -> None:
    codec = box_codec(name, width=640, height=360)
    good = codec.encode(Box(0.1, 0.2, 0.3, 0.4))
    for text in ("", "left", good + good, "[0.5, 0, 0.4, 1]", "[0, 0, 5000, 5000]", "[-1, 0, 1, 1]"):
        with pytest.raises(BoxCodecError):
            codec.decode(text)
    assert codec.find_boxes(f"{good} [9, 9, 1, 1] {good}") == [codec.decode(good)] * 2


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="known are float01"):
        box_codec("tokens", width=1, height=1)
    with pytest.raises(ValueError, match="decimals"):
        Float01Codec(0)
    with pytest.raises(ValueError, match="not a picture"):
        PixelsCodec(0, 10)
