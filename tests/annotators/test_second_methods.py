"""Second methods in small: what a sample claims, where words are heard, which pictures are alike, what motion is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chronotope.annotators.audio.transcript import HeardWord
from chronotope.annotators.second.claims import Claim, claim_of
from chronotope.annotators.second.flow import motion_of
from chronotope.annotators.second.footage import RATE_HZ, Footage, Look, muted
from chronotope.annotators.second.method import SecondParams, Shown, alike, best_option
from chronotope.annotators.second.motion import pool
from chronotope.annotators.second.shots import ShotsAgain
from chronotope.annotators.second.speech import places_of
from chronotope.annotators.second.stills import locate, small
from chronotope.schemas.sample import (
    AbsentAnswer,
    Answer,
    BoxAnswer,
    ChoiceAnswer,
    Evidence,
    MediumRef,
    Option,
    OrderAnswer,
    Sample,
    SpanAnswer,
    Turn,
)
from chronotope.schemas.span import Span
from made_footage import clicks, read_number, write_media


def sample(question: str, answer: Answer, *options: str) -> Sample:
    return Sample(
        task="any",
        recipe="r",
        media=(MediumRef(media_id="m", start_s=10, end_s=20),),
        turns=(Turn(role="user", text=question), Turn(role="assistant", text="<answer>")),
        answer=answer,
        options=tuple(Option(text=o) for o in options),
        evidence=(Evidence(table="words", row_id="1", values={}),),
        needs=("audio",),
        wording="w",
        answer_form="a",
        generator="any@1",
    )


def words(text: str, start_s: float = 0.0, each_s: float = 0.5) -> list[HeardWord]:
    return [
        HeardWord(f" {w}", start_s + i * each_s, start_s + (i + 1) * each_s, 0.9) for i, w in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    ("question", "answer", "options", "claim"),
    [
        ("When is “a red door” said?", SpanAnswer(start_s=11, end_s=12), (), Claim("a red door", (Span(11, 12),))),
        ("When is “a red door” said?", AbsentAnswer(), (), Claim("a red door")),
        ("Where is “OPEN” at <t:12>?", BoxAnswer(t_s=12, box=(0, 0, 0.5, 0.5)), (), Claim("OPEN", at_s=12, box=(0, 0, 0.5, 0.5))),
        ("Order these.", OrderAnswer(order=(1, 0)), ("b &amp; c", "a"), Claim(order=("a", "b & c"))),
        (
            "When is “a door” said?",
            ChoiceAnswer(index=1),
            ("<span:11,12>", "<span:14,15>"),
            Claim("a door", (Span(14, 15),), denied=(Span(11, 12),)),
        ),
        (
            "What is said in <span:11,12>?",
            ChoiceAnswer(index=0),
            ("a door", "a floor"),
            Claim("a door", (Span(11, 12),), others=("a floor",)),
        ),
        ("Which way does it go?", ChoiceAnswer(index=0), ("left", "right"), None),
    ],
)  # fmt: skip
def test_a_claim_is_read_from_what_is_asked_and_answered(
    question: str, answer: Answer, options: tuple[str, ...], claim: Claim | None
) -> None:
    assert claim_of(sample(question, answer, *options)) == claim


def test_words_are_found_where_they_are_though_one_is_misheard() -> None:
    heard = words("now the carrots need very soft salt and then we open the red door at last")
    [place] = places_of("we open the bread door", heard, 0.6)
    assert (place.span, round(place.alike, 2)) == (Span(4.5, 7.0), 0.8)
    assert not places_of("a herd of cows is grazing", heard, 0.6)


def test_words_said_twice_are_found_twice() -> None:
    heard = words("open the door now please and again open the door now")
    assert [p.span.start_s for p in places_of("open the door now", heard, 0.8)] == [0.0, 3.5]


@pytest.mark.parametrize(
    ("found", "same"),
    [((10.3, 12.4), True), ((10.0, 13.5), True), ((11.0, 14.9), False), ((20.0, 22.0), False)],
    ids=["both ends near", "one end near, most overlaps", "shifted as a whole", "elsewhere"],
)
def test_spans_agree_by_their_ends(found: tuple[float, float], same: bool) -> None:
    claimed = Span(10.0, 14.0) if found[0] == 11.0 else Span(10.0, 12.0)
    assert alike(Span(*found), claimed)[0] is same


def test_of_a_choice_between_spans_the_best_must_be_the_right_one() -> None:
    assert best_option(Span(10, 12), Span(10.1, 12), [Span(10, 11)])[0]
    assert not best_option(Span(10, 11), Span(10.1, 12), [Span(10, 11)])[0]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 numbered frames and a click at 1 s."""
    path = tmp_path_factory.mktemp("second") / "film.mp4"
    return write_media(path, sound=clicks([1.0], 2.0, 48_000))


def test_a_file_is_read_once_for_all_wishes(film: Path) -> None:
    footage, looked = Footage(film, zero_s=5.0), []

    def number(frame: object) -> int:
        looked.append(1)
        return read_number(frame.luma_at(192, 96))  # type: ignore[attr-defined]

    footage.want([Look("n", 0.0, 1.0, 5.0, number), Look("n", 0.4, 1.6, 5.0, number)])
    assert [n for _, n in footage.seen("n")] == [0, 5, 10, 15, 20, 25, 30, 35]
    assert [n for _, n in footage.seen("n", Span(0.4, 1.0))] == [10, 15, 20]
    assert len(looked) == 8
    with pytest.raises(RuntimeError, match="before the first look"):
        footage.want([Look("m", 0.0, 1.0, None, number)])


def test_sound_is_muted_where_the_evidence_is(film: Path) -> None:
    sound = Footage(film).sound
    loudest = int(np.abs(sound).argmax()) / RATE_HZ
    assert abs(loudest - 1.0) < 0.03
    assert float(np.abs(muted(sound, [Span(0.9, 1.2)])).max()) < 0.05


def picture(x: float, y: float, thing: float | None = None) -> np.ndarray:
    """uint8 [126, 224]: a pattern shifted by (x, y) px, with a square at `thing` px from the left."""
    rows, columns = np.mgrid[0:126, 0:224].astype(np.float64)
    u, v = columns - x, rows - y
    noise = sum(np.sin(u / a + p) * np.cos(v / b - p) for a, b, p in ((7, 9, 0), (13, 5, 1), (4, 17, 2), (23, 11, 3)))
    out = 128 + 22 * noise
    if thing is not None:
        at = round(thing)
        out[50:80, at : at + 30] = 250 - 60 * ((rows + columns) // 6 % 2)[50:80, 0:30]
    return out.clip(0, 255).astype(np.uint8)


def test_motion_between_pictures_is_measured() -> None:
    found = motion_of(picture(0, 0), picture(4, 0), 0.5, 1.0)
    assert found is not None and found.inlier_share > 0.8
    assert (
        abs(found.pan + 4 / 224 / 0.5) < 0.008 and abs(found.tilt) < 0.005
    )  # content to the right: the camera pans left
    assert motion_of(picture(0, 0), 255 - picture(90, 50).T[:126, :126].repeat(2, axis=1)[:, :224], 0.5, 1.0) is None


def test_runs_of_pictures_get_the_label_of_their_motion() -> None:
    still = [(i / 6, picture(0, 0)) for i in range(12)]
    panned = [(i / 6, picture(2.5 * i, 0)) for i in range(12)]
    moving = [(i / 6, picture(0, 0, 20 + 5 * i)) for i in range(12)]
    assert pool(still, True).label == "static"
    assert pool(panned, True).label == "pan_left"
    assert pool(moving, False).label == "right"


def test_a_still_is_located_in_footage() -> None:
    frames = [(i / 25, small(picture(3.0 * i, 0))) for i in range(50)]
    t_s, likeness = locate(small(picture(60, 0)), frames)
    assert (t_s, likeness > 0.999) == (0.8, True)


def test_a_cut_inside_a_window_of_one_shot_is_named(tmp_path: Path) -> None:
    def scene(i: int) -> np.ndarray:
        colour = (200, 40, 40) if i < 30 else (30, 60, 190)
        return np.full((96, 192, 3), colour, np.uint8) + (np.arange(192) % 40).astype(np.uint8)[None, :, None]

    footage = Footage(write_media(tmp_path / "two.mp4", picture=scene), zero_s=10.0)
    shown = Shown(sample("?", ChoiceAnswer(index=0), "a", "b"), [footage])
    method = ShotsAgain(SecondParams(shots="content"))
    method.prepare(shown, ())
    opinion = method.judge(shown)
    assert (opinion.agrees, opinion.found) == (False, "a cut at 11.20 s")
