"""Pictures of samples: what is drawn lies where it belongs, and the page names everything that it shows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chronotope.annotators.compose.film import FilmParams, FilmTruth, compose_film
from chronotope.outputs import pen, timeline
from chronotope.outputs.frame_plan import frame_plan
from chronotope.outputs.frames_at import frames_at, wish_at
from chronotope.outputs.motion_arrows import motion_of
from chronotope.outputs.pen import clipped, text_width, wrapped
from chronotope.outputs.sample_card import Card, box_on, draw_card
from chronotope.outputs.show import Candidate, ShowError, choose, show_samples
from chronotope.outputs.surroundings import around_of
from chronotope.outputs.timeline import Around
from chronotope.schemas.markup import BoxMark, Moment, SpanMark, quote, render
from chronotope.schemas.sample import (
    BoxAnswer,
    ChoiceAnswer,
    Evidence,
    MediumRef,
    Option,
    OrderAnswer,
    Sample,
    SpanAnswer,
    SpanBoxAnswer,
    Turn,
)
from PIL import Image

Rgb = tuple[int, int, int]
FILM = FilmParams(seed=4, scenes=3, width=320, height=180, fps=12)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FilmTruth]:
    path = tmp_path_factory.mktemp("film") / "narrated.mp4"
    return path, compose_film(path, FILM)


def sample_of(media_id: str, truth: FilmTruth, task: str, question: str, said: str, answer: Any, **more: Any) -> Sample:
    values: dict[str, Any] = {
        "task": task,
        "recipe": "hand",
        "media": (MediumRef(media_id=media_id, start_s=0.0, end_s=truth.duration_s),),
        "turns": (Turn(role="user", text=question), Turn(role="assistant", text=said)),
        "answer": answer,
        "evidence": (Evidence(table="media", row_id="r", values={"duration_s": truth.duration_s}),),
        "needs": ("vision",),
        "wording": "w1",
        "answer_form": "a1",
        "generator": f"{task}@1",
        **more,
    }
    return Sample(**values)


def samples_about(media_id: str, truth: FilmTruth) -> dict[str, Sample]:
    """One sample of each kind about the composed film, true by construction."""
    text, said = truth.texts[0], truth.speech[0]
    span = render([SpanMark(text.start_s, text.end_s)])
    middle = (text.start_s + text.end_s) / 2
    heard = render([SpanMark(said.start_s, said.end_s)])
    order = (2, 0, 3, 1)
    times = tuple(truth.duration_s * (0.15 + 0.2 * order.index(i)) for i in range(4))
    names = ("first", "second", "third", "fourth")
    still = MediumRef(media_id=media_id, kind="image", start_s=0.0, end_s=truth.duration_s, frame_times=times)
    return {
        "span": sample_of(
            media_id,
            truth,
            "speech_grounding",
            f"<video>\nWhen does someone say {quote(said.text)}?",
            f"From {heard}.",
            SpanAnswer(start_s=said.start_s, end_s=said.end_s),
            rationale=(f"I listen for {quote(said.text)}.", f"It is spoken in {heard}."),
            needs=("audio", "speech_text"),
        ),
        "span_box": sample_of(
            media_id,
            truth,
            "text_grounding",
            f"<video>\nWhen and where does {quote(text.text)} stand?",
            f"In {span}, at {render([BoxMark(*text.box)])}.",
            SpanBoxAnswer(start_s=text.start_s, end_s=text.end_s, box=text.box),
        ),
        "box": sample_of(
            media_id,
            truth,
            "text_grounding",
            f"<video>\nWhere does {quote(text.text)} stand at {render([Moment(round(middle, 3))])}?",
            f"At {render([BoxMark(*text.box)])}.",
            BoxAnswer(t_s=round(middle, 3), box=text.box),
        ),
        "choice": sample_of(
            media_id,
            truth,
            "motion_direction",
            "<video>\nWhich way does it go?\n<options>",
            "It moves <answer>.",
            ChoiceAnswer(index=1),
            options=(
                Option(text="to the left", distractor_kind="opposite", margin=0.9),
                Option(text="to the right"),
                Option(text="upwards", distractor_kind="other axis", margin=0.7),
            ),
            needs=("vision", "motion"),
        ),
        "order": sample_of(
            media_id,
            truth,
            "frame_order",
            "<image>\nPut the pictures in order.\n<options>",
            "<answer>",
            OrderAnswer(order=order),
            options=tuple(Option(text=f"the {name} picture") for name in names),
            media=(still,),
        ),
    }


def add_truth(world: Any, media_id: str, truth: FilmTruth) -> None:
    """The film's truth as rows of the annotation tables."""
    for shot in truth.shots:
        world.add("shots", {"start_s": shot.start_s, "end_s": shot.end_s, "transition": "cut"}, media_id, media_id)
    for said in truth.speech:
        world.add("speech", {"start_s": said.start_s, "end_s": said.end_s, "text": said.text}, media_id, media_id)
    for i, word in enumerate(truth.words):
        row = {"start_s": word.start_s, "end_s": word.end_s, "word": word.word, "position": i}
        world.add("words", row, media_id, media_id)
    for text in truth.texts:
        box = dict(zip(("x1", "y1", "x2", "y2"), text.box, strict=True))
        row = {"start_s": text.start_s, "end_s": text.end_s, "text": text.text, "confidence": 0.9, **box}
        world.add("text_regions", row, media_id, media_id)


@pytest.fixture
def told(world: Any, film: tuple[Path, FilmTruth]) -> tuple[Any, dict[str, Sample]]:
    """A dataset about the film, with a sample of each kind; the choice failed its check, the order was not checked."""
    path, truth = film
    facts = {"duration_s": truth.duration_s, "fps": FILM.fps, "width": 320, "height": 180, "title": path.name}
    media_id = world.film(path, **facts)
    add_truth(world, media_id, truth)
    samples = samples_about(media_id, truth)
    for kind, sample in samples.items():
        assert sample.problems() == []
        world.sample(sample, passed={"choice": False, "order": None}.get(kind, True), grade="exact")
    world.catalog().close()
    return world, samples


def drawn(world: Any, sample: Sample, path: Path | None) -> tuple[Card, Around]:
    with world.catalog() as catalog:
        around = around_of(catalog, sample)
    plan = frame_plan(sample, around)
    frames = frames_at(path, [w.wish for w in plan.all]) if path else {}
    media_id = sample.media[0].media_id
    return draw_card(sample, plan, {(media_id, w): f for w, f in frames.items()}, around, None), around


def rgb(colour: str) -> Rgb:
    r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return r, g, b


def columns_of(picture: Image.Image, colour: str, rect: tuple[float, float, float, float]) -> np.ndarray[Any, Any]:
    """x of the columns in which most pixels of a band have exactly this colour."""
    x1, y1, x2, y2 = (round(v) for v in rect)
    band = np.asarray(picture)[y1:y2, x1:x2]
    same = (band == np.array(rgb(colour), np.uint8)).all(axis=2).mean(axis=0) > 0.5
    return np.flatnonzero(same) + x1


def lane_band(card: Card, number: int) -> tuple[float, float, float, float]:
    """The bar of a lane, without its name; a few rows at its lower edge, below the letters."""
    top = card.places["timeline"][1] + number * timeline.LANE_PX
    bottom = top + (timeline.LANE_PX + timeline.BAR_PX) / 2
    return timeline.LEFT, bottom - 3, timeline.RIGHT, bottom


def test_the_answer_span_is_drawn_where_it_belongs(told: Any, film: tuple[Path, FilmTruth]) -> None:
    world, samples = told
    sample, truth = samples["span"], film[1]
    card, _ = drawn(world, sample, film[0])
    found = columns_of(card.picture, pen.ANSWER, lane_band(card, 0))
    said = truth.speech[0]
    per_s = (timeline.RIGHT - timeline.LEFT) / truth.duration_s
    assert found[0] == pytest.approx(timeline.LEFT + said.start_s * per_s, abs=2)
    assert found[-1] == pytest.approx(timeline.LEFT + said.end_s * per_s, abs=2)
    assert len(found) == found[-1] - found[0] + 1


def test_a_shifted_answer_moves_on_the_timeline(told: Any, film: tuple[Path, FilmTruth]) -> None:
    world, samples = told
    answer = samples["span"].answer
    assert isinstance(answer, SpanAnswer)
    shifted = samples["span"].model_copy(
        update={"answer": SpanAnswer(start_s=answer.start_s + 1.0, end_s=answer.end_s + 1.0)}
    )
    here, there = (
        columns_of(card.picture, pen.ANSWER, lane_band(card, 0))[0]
        for card in (drawn(world, s, None)[0] for s in (samples["span"], shifted))
    )
    per_s = (timeline.RIGHT - timeline.LEFT) / film[1].duration_s
    assert there - here == pytest.approx(per_s, abs=2)


@pytest.mark.parametrize("kind", ["span_box", "box"])
def test_the_box_is_drawn_on_the_text_in_the_right_frame(told: Any, film: tuple[Path, FilmTruth], kind: str) -> None:
    world, samples = told
    sample, text = samples[kind], film[1].texts[0]
    card, _ = drawn(world, sample, film[0])
    feature = card.places["feature"]
    x1, y1, x2, y2 = (round(v) for v in feature)
    picture = np.asarray(card.picture)[y1:y2, x1:x2]
    green = (picture == np.array(rgb(pen.ANSWER), np.uint8)).all(axis=2)
    ys, xs = np.nonzero(green)
    expected = box_on((0, 0, x2 - x1, y2 - y1), text.box)
    assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == pytest.approx(expected, abs=5)
    stands = frames_at(film[0], [wish_at((text.start_s + text.end_s) / 2, 640)])
    [frame] = stands.values()
    shown = Image.fromarray(frame.rgb).resize((x2 - x1, y2 - y1), Image.Resampling.BICUBIC)
    inside = tuple(round(v) for v in (expected[0] + 8, expected[1] + 6, expected[2] - 8, expected[3] - 6))
    crop = np.asarray(shown.crop(inside), float) - picture[inside[1] : inside[3], inside[0] : inside[2]]
    assert np.abs(crop).mean() < 4


def test_lanes_tell_cuts_words_and_texts(told: Any, film: tuple[Path, FilmTruth]) -> None:
    world, samples = told
    truth = film[1]
    lanes = {
        lane.name: lane.bars
        for lane in timeline.lanes_of(samples["span_box"], drawn(world, samples["span_box"], None)[1])
    }
    assert [b.start_s for b in lanes["shots"]] == pytest.approx([s.start_s for s in truth.shots])
    assert [b.label for b in lanes["words"]] == [w.word for w in truth.words]
    assert {b.label for b in lanes["on screen"]} <= {t.text for t in truth.texts}
    assert [(b.start_s, b.end_s) for b in lanes["answer"]] == [(truth.texts[0].start_s, truth.texts[0].end_s)]


def test_cited_rows_stand_out(told: Any) -> None:
    world, samples = told
    with world.catalog() as catalog:
        row = catalog.rows("SELECT row_id FROM words ORDER BY start_s LIMIT 1")[0]
    cited = Evidence(table="words", row_id=row["row_id"], values={})
    sample = samples["span"].model_copy(update={"evidence": (cited,)})
    bars = next(lane.bars for lane in timeline.lanes_of(sample, drawn(world, sample, None)[1]) if lane.name == "words")
    assert [b.tint == pen.EVIDENCE_TINT for b in bars[:2]] == [True, False]


def test_stills_are_numbered_as_shown_and_stand_at_their_times(told: Any) -> None:
    world, samples = told
    sample = samples["order"]
    _, around = drawn(world, sample, None)
    plan = frame_plan(sample, around)
    assert [w.t_s for w in plan.strip] == list(sample.media[0].frame_times)
    bars = next(lane.bars for lane in timeline.lanes_of(sample, around) if lane.name == "pictures")
    assert [b.label for b in sorted(bars, key=lambda b: b.start_s)] == ["3", "1", "4", "2"]


def test_the_page_names_every_sample_and_links_its_picture(told: Any, tmp_path: Path) -> None:
    world, samples = told
    shown = show_samples(world.root)
    page = shown.page.read_text(encoding="utf-8")
    assert shown.page.parent == world.root / "pictures"
    assert len(shown.pictures) == len(samples)
    for sample in samples.values():
        assert f'id="{sample.sample_id}"' in page
    assert set(re.findall(r'href="([^"]+\.png)"', page)) == {p.name for p in shown.pictures}
    for picture in shown.pictures:
        with Image.open(picture) as image:
            assert image.width == 1200
            assert 500 < image.height < 2500
    alternatives = [unescape(a) for a in re.findall(r'alt="([^"]*)"', page)]
    assert all(alternatives)
    assert sum(a.startswith("Frames and timeline") for a in alternatives) == len(samples)
    assert any("Answer: to the right" in a for a in alternatives)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_the_same_dataset_gives_the_same_bytes(told: Any, tmp_path: Path) -> None:
    world, _ = told
    first, second = (show_samples(world.root, folder=tmp_path / name) for name in "ab")
    a, b = ([hashlib.sha256(p.read_bytes()).hexdigest() for p in (s.page, *s.pictures)] for s in (first, second))
    assert a == b


def test_samples_are_found_by_the_beginning_of_their_identifier(told: Any) -> None:
    world, samples = told
    wanted = samples["span"].sample_id
    shown = show_samples(world.root, ids=[wanted[:10]])
    assert [p.name for p in shown.pictures] == [f"speech_grounding-{wanted}.png"]
    assert shown.page.name == "samples.html"


def test_an_unknown_identifier_names_close_ones(told: Any) -> None:
    world, samples = told
    wanted = samples["order"].sample_id
    typo = wanted[:15] + ("0" if wanted[15] != "0" else "1") + wanted[16:]
    with pytest.raises(ShowError, match=f"no sample '{typo}'.*{wanted}"):
        show_samples(world.root, ids=[typo])


def test_an_ambiguous_beginning_asks_for_more(told: Any) -> None:
    world, _ = told
    with pytest.raises(ShowError, match="several samples begin with ''"):
        show_samples(world.root, ids=[""])


def test_nothing_to_show_says_what_there_is(told: Any, tmp_path: Path) -> None:
    world, _ = told
    with pytest.raises(ShowError, match=r"'counting'.*text_grounding \(2\)"):
        show_samples(world.root, task="counting")
    with pytest.raises(ShowError, match="no sample fits"):
        show_samples(world.root, where="evidence_grade = 'judge'")


def test_task_and_condition_narrow_the_sheet(told: Any) -> None:
    world, samples = told
    assert len(show_samples(world.root, task="text_grounding").pictures) == 2
    failed = show_samples(world.root, where="NOT passed -- those that failed")
    assert [p.name for p in failed.pictures] == [f"motion_direction-{samples['choice'].sample_id}.png"]


def test_a_medium_that_is_gone_leaves_grey_tiles_and_a_note(
    world: Any, film: tuple[Path, FilmTruth], tmp_path: Path
) -> None:
    path = tmp_path / "gone.mp4"
    path.write_bytes(film[0].read_bytes())
    media_id = world.film(path, duration_s=film[1].duration_s, width=320, height=180)
    world.sample(samples_about(media_id, film[1])["span"])
    world.catalog().close()
    path.unlink()
    shown = show_samples(world.root)
    assert len(shown.pictures) == 1
    assert 'role="alert"' in shown.page.read_text()
    assert "gone.mp4" in shown.page.read_text()


@pytest.mark.parametrize(
    ("kind", "lie"),
    [
        ("span", {"answer": SpanAnswer(start_s=5.0, end_s=2.0)}),
        ("span", {"answer": SpanAnswer(start_s=-3.0, end_s=900.0)}),
        ("span", {"turns": (Turn(role="user", text="<when: is <it"),)}),
        ("span_box", {"answer": SpanBoxAnswer(start_s=1.0, end_s=2.0, box=(0.9, 1.4, 0.2, -0.3))}),
        ("box", {"answer": BoxAnswer(t_s=400.0, box=(0.1, 0.1, 0.2, 0.2))}),
        ("choice", {"answer": ChoiceAnswer(index=9)}),
        ("order", {"answer": OrderAnswer(order=(7, 0, 0))}),
        ("span", {"media": (MediumRef(media_id="gone", kind="audio", start_s=1.0, end_s=3.0),)}),
    ],
)
def test_lies_can_still_be_looked_at(told: Any, film: tuple[Path, FilmTruth], kind: str, lie: dict[str, Any]) -> None:
    world, samples = told
    card, _ = drawn(world, samples[kind].model_copy(update=lie), film[0])
    assert card.picture.height > 300


def test_sound_alone_has_a_timeline_and_no_pictures(told: Any) -> None:
    world, samples = told
    ref = samples["span"].media[0].model_copy(update={"kind": "audio"})
    card, around = drawn(world, samples["span"].model_copy(update={"media": (ref,)}), None)
    assert "strip" not in card.places
    assert around.words


def test_a_malformed_sample_is_named_and_does_not_stop_the_sheet(world: Any, film: tuple[Path, FilmTruth]) -> None:
    path, truth = film
    media_id = world.film(path, duration_s=truth.duration_s, width=320, height=180)
    samples = samples_about(media_id, truth)
    world.sample(samples["span"])
    broken = samples["choice"]
    world.add("samples", broken.to_row() | {"answer_json": "{}"}, media_id, media_id)
    world.catalog().close()
    shown = show_samples(world.root)
    assert len(shown.pictures) == 1
    assert f"sample {broken.sample_id} (motion_direction) is malformed" in shown.page.read_text()
    with pytest.raises(ShowError, match=f"{broken.sample_id}.*malformed"):
        show_samples(world.root, ids=[broken.sample_id])


def test_a_sheet_spreads_over_tasks_and_media_with_half_real() -> None:
    pool = [
        Candidate(f"{task}{medium}{i}", f"task {task}", f"medium {medium}", medium == "r")
        for task in "abc"
        for medium in "rst"
        for i in range(5)
    ]
    picked = choose(pool, 12)
    assert len(set(picked)) == 12
    assert sum(s[1] == "r" for s in picked) == 6
    assert {task: sum(s[0] == task for s in picked) for task in "abc"} == {"a": 4, "b": 4, "c": 4}
    assert {s[1] for s in picked} == {"r", "s", "t"}
    assert choose(reversed(pool), 12) == picked


def test_few_real_samples_are_all_shown() -> None:
    pool = [Candidate(f"c{i}", "task", "m", False) for i in range(20)] + [Candidate("r1", "task", "n", True)]
    picked = choose(pool, 8)
    assert len(picked) == 8
    assert "r1" in picked


def test_far_frames_are_found_by_seeking_as_by_reading(films: Any) -> None:
    near = [wish_at(0.4 * i, 80) for i in range(99)]
    read = frames_at(films.silent, near)
    for wish in (wish_at(23.2, 80), wish_at(36.4, 80)):
        [sought] = frames_at(films.silent, [wish]).values()
        assert sought.t_s == read[wish].t_s
        assert (sought.rgb == read[wish].rgb).all()
    assert read[wish_at(22.0, 80)].rgb[30, 30, 0] > 150
    assert read[wish_at(21.6, 80)].rgb[30, 30, 0] < 80


def test_evidence_of_a_reversed_twin_lies_on_the_twins_clock(told: Any) -> None:
    _, samples = told
    cited = tuple(Evidence(table="signals", row_id=str(t), values={"t_s": t}) for t in (5.0, 6.0))
    sample = samples["choice"].model_copy(update={"evidence": cited})
    edit = {"operation": "reverse", "time_scale": -1.0, "time_offset_s": 8.0}
    lanes = {lane.name: lane.bars for lane in timeline.lanes_of(sample, Around(edit=edit))}
    assert sorted(b.start_s for b in lanes["signals"]) == [2.0, 3.0]


@pytest.mark.parametrize(
    ("words", "motion"),
    [
        ("to the right", (1, 0)),
        ("to the upper left", (-1, -1)),
        ("downwards", (0, 1)),
        ("it pans or moves to the left", (-1, 0)),
        ("it tilts or moves up", (0, -1)),
        ("it zooms in or moves closer", "in"),
        ("it rolls clockwise, which turns the picture counter-clockwise", "ccw"),
        ("it stays still", None),
        ("the upper left", None),
        ("nowhere: nothing moves by itself", None),
    ],
)
def test_answers_that_are_motions_get_their_arrow(told: Any, words: str, motion: object) -> None:
    _, samples = told
    options = (Option(text="another"), Option(text=words))
    assert motion_of(samples["choice"].model_copy(update={"options": options})) == motion


def test_the_page_filters_in_a_browser(told: Any, opened: Any) -> None:
    world, samples = told
    window, troubles = opened(show_samples(world.root).page.resolve().as_uri())
    assert window.locator("article:visible").count() == len(samples)
    window.get_by_role("combobox", name="Task").select_option("text_grounding")
    assert window.locator("article:visible").count() == 2
    assert window.locator("output").inner_text() == "2 shown"
    window.get_by_role("combobox", name="Task").select_option("")
    window.get_by_role("combobox", name="Check").select_option("failed")
    assert window.locator("article:visible").get_attribute("id") == samples["choice"].sample_id
    assert troubles == []
    window.close()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_the_page_fits_phones_and_follows_the_readers_colours(told: Any, opened: Any, width: int, scheme: str) -> None:
    world, _ = told
    page = show_samples(world.root).page
    window, troubles = opened(page.resolve().as_uri(), viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    ground = window.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 150) == (scheme == "dark")
    for image in window.locator("img").all():
        image.scroll_into_view_if_needed()
        assert image.evaluate("async i => { await i.decode(); return i.naturalWidth }") > 300
    assert troubles == []
    window.close()


def test_letters_that_the_font_lacks_do_not_stop_a_card() -> None:
    for text in ("Grüße, naïve café", "Привет", "今日は", "عربي", "a – b", "\U0001f600"):
        assert text_width(text, 18) > 0
    assert text_width("a – b", 18) == text_width("a - b", 18)


@pytest.mark.parametrize("make", [lambda t: wrapped(t, 200, 18, 4), lambda t: [clipped(t, 200, 18)]])
def test_text_never_leaves_its_column(make: Callable[[str], list[str]]) -> None:
    for text in ("word " * 80, "x" * 300, "short", "", "a " + "y" * 90 + " b"):
        lines = make(text)
        assert len(lines) <= 4
        assert all(text_width(line, 18) <= 216 for line in lines)
