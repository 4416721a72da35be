"""Rules about claims on films whose truth is known: what is wrong is contradicted, and what is true never is."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from chronotope.annotators.compose.film import FilmParams, film_narration, film_scenes
from chronotope.annotators.compose.record import film_truth
from chronotope.benchmarks.wrong_claims import Case, cases_of, judged, rows_of
from chronotope.engine.annotator import Rows
from chronotope.engine.claims.claim import Claim, NamedFact, Opinion
from chronotope.engine.claims.decide import decide
from chronotope.engine.claims.edits import edits_of
from chronotope.engine.claims.objects import check_objects
from chronotope.engine.claims.orders import check_order
from chronotope.engine.claims.rules import opinions_of_rules
from chronotope.engine.claims.similarity import check_similarity
from chronotope.engine.claims.texts import check_speech, check_writing
from chronotope.engine.claims.world import World, world_of
from chronotope.schemas.span import Span

SPAN = Span(0.0, 4.0)
MEDIA = {"width": 640, "height": 360}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Case, str]]:
    found = []
    for seed in (3, 4, 5):
        params = FilmParams(seed=seed, scenes=12)
        scenes = film_scenes(params)
        truth = film_truth(params, scenes, film_narration(params, scenes))
        rows, media = rows_of(truth, tmp_path_factory.mktemp("truth"))
        world = world_of(rows, media)
        found += [(case, judged(case, world)) for case in cases_of(truth, world)]
    return found


def test_no_true_claim_about_a_film_is_contradicted(told: list[tuple[Case, str]]) -> None:
    true = [status for case, status in told if case.true]
    assert len(true) > 400
    assert "contradicted" not in true


@pytest.mark.parametrize(
    ("wrong", "least"),
    [("action", 0.95), ("actor", 0.95), ("camera", 0.99), ("colour", 0.9), ("object", 0.9), ("number", 0.5),
     ("order", 0.99), ("relation", 0.99), ("speech", 0.99), ("text", 0.8)],
)  # fmt: skip
def test_wrong_claims_about_a_film_are_contradicted(told: list[tuple[Case, str]], wrong: str, least: float) -> None:
    found = Counter(status for case, status in told if not case.true and case.wrong == wrong)
    assert found.total() >= 5
    assert found["contradicted"] >= least * found.total()
    assert not found["supported"]


def track(name: str, colour: str | None, label: str, start: float, end: float, *, score: float | None = None,
          way: tuple[float, float] = (0.0, 0.0)) -> tuple[dict, list[dict]]:  # fmt: skip
    common = {"producer": "t", "media_id": "m", "track_id": name}
    attributes = f'{{"colour": "{colour}"}}' if colour else None
    row = {**common, "row_id": name, "start_s": start, "end_s": end, "label": label, "phrase": None,
           "attributes_json": attributes, "score": score}  # fmt: skip
    boxes = []
    for i in range(5):
        x, y = 0.3 + way[0] * i / 4, 0.3 + way[1] * i / 4
        boxes.append({**common, "row_id": f"{name}{i}", "t_s": start + (end - start) * i / 4.01, "x1": x, "y1": y,
                      "x2": x + 0.1, "y2": y + 0.1})  # fmt: skip
    return row, boxes


def world_with(*tracks: tuple[dict, list[dict]], **tables: list[dict]) -> World:
    rows = {"tracks": [t for t, _ in tracks], "boxes": [b for _, boxes in tracks for b in boxes], **tables}
    return world_of(Rows(rows), MEDIA)


def thing(kind: str = "object", **parts: object) -> Claim:
    return Claim(kind, "It is so.", SPAN, **parts)  # type: ignore[arg-type]


def test_a_trackers_gap_contradicts_nothing_but_a_composers_does() -> None:
    claim = thing(subject="a blue circle")
    seen = world_with(track("a", "red", "circle", 0.0, 4.0, score=0.8))
    known = world_with(track("a", "red", "circle", 0.0, 4.0, score=1.0))
    assert check_objects(claim, seen) is None
    assert check_objects(claim, known).says == "contradicted"  # type: ignore[union-attr]


def test_an_unknown_noun_is_nobodys_business() -> None:
    assert opinions_of_rules(thing(subject="a wooden door"), world_with(track("a", "red", "circle", 0.0, 4.0))) == []


def test_a_denied_claim_is_turned_round() -> None:
    world = world_with(track("a", "red", "circle", 0.0, 4.0))
    assert check_objects(thing(subject="a red circle", negated=True), world).says == "contradicted"  # type: ignore[union-attr]
    assert check_objects(thing(subject="a star", negated=True), world).says == "supported"  # type: ignore[union-attr]


def test_two_tracks_of_one_colour_one_after_the_other_may_be_one_thing() -> None:
    world = world_with(track("a", "red", "circle", 0.0, 2.0), track("b", "red", "circle", 2.0, 4.0))
    assert check_objects(thing("count", subject="circles", number=1), world).says == "supported"  # type: ignore[union-attr]
    assert check_objects(thing("count", subject="circles", number=2), world).says == "contradicted"  # type: ignore[union-attr]


def test_under_an_unknown_camera_nobody_is_contradicted_about_motion() -> None:
    moving = track("a", "red", "circle", 0.0, 4.0, way=(0.5, 0.0))
    claim = thing("action", subject="the red circle", predicate="moves", object_text="to the left")
    still = [{"producer": "s", "media_id": "m", "t_s": t / 2, "camera": "static"} for t in range(9)]
    assert opinions_of_rules(claim, world_with(moving)) == []
    assert [o.says for o in opinions_of_rules(claim, world_with(moving, signals=still))] == ["contradicted"]


def test_what_a_recogniser_did_not_read_is_unchecked_unless_the_named_fact_reads_otherwise() -> None:
    reading = {"producer": "r", "media_id": "m", "row_id": "r1", "start_s": 1.0, "end_s": 3.0, "text": "OPEN",
               "confidence": 0.9, "x1": 0.1, "y1": 0.1, "x2": 0.3, "y2": 0.2}  # fmt: skip
    world = world_with(text_regions=[reading])
    unnamed = thing("text", predicate="written", words="CLOSED TODAY")
    named = thing(
        "text", predicate="written", words="CLOSED TODAY", facts={"e1": NamedFact("text", Span(1, 3), "OPEN")}
    )
    assert check_writing(unnamed, world) is None
    assert check_writing(named, world).says == "contradicted"  # type: ignore[union-attr]
    assert check_writing(thing("text", predicate="written", words="open"), world).says == "supported"  # type: ignore[union-attr]
    assert check_speech(thing("text", predicate="written", words="open"), world) is None


def test_an_order_is_read_from_the_named_facts() -> None:
    facts = {"e1": NamedFact("shot", Span(0, 1)), "e2": NamedFact("speech", Span(1.5, 3), "hello")}
    claim = thing("order", predicate="after", first="e2", second="e1", facts=facts)
    assert check_order(claim, world_with()).says == "supported"  # type: ignore[union-attr]
    together = {"e1": NamedFact("shot", Span(0, 1)), "e2": NamedFact("speech", Span(0.1, 3), "hello")}
    assert check_order(thing("order", predicate="after", first="e2", second="e1", facts=together), world_with()) is None


def test_a_rules_contradiction_wins_and_every_other_conflict_stays_open() -> None:
    yes, no = (Opinion("tracks", says, "r") for says in ("supported", "contradicted"))
    ja, nein = (Opinion("second_captioner", says, "m", rule=False) for says in ("supported", "contradicted"))
    similar = Opinion("similarity", "contradicted", "s", rule=False, weak=True)
    assert decide([no, ja]).status == "contradicted"
    assert decide([yes, no]).status == "unchecked"
    assert decide([yes, nein]).status == "unchecked"
    assert decide([yes, ja]).status == "supported"
    assert decide([nein, similar], models_needed=2).status == "contradicted"
    assert decide([similar]).status == "unchecked"
    assert decide([ja, similar]).status == "supported"
    assert decide([ja, nein]).status == "unchecked"
    assert decide([nein], models_needed=2).status == "unchecked"
    assert decide([]).checked_by == ()


def test_edits_change_one_word_and_leave_quotations_alone() -> None:
    edits = edits_of("There is a red circle and a sign reads “RED”.", {"circle"})
    assert "There is an orange circle and a sign reads “RED”." in edits
    assert any("a red star" in edit for edit in edits)
    assert all("“RED”" in edit for edit in edits)
    assert edits_of("People talk.") == ()


def test_similarity_speaks_beyond_its_margin_only() -> None:
    claim = thing(subject="a red circle")
    own, edit = np.eye(2, dtype=np.float32)
    pictures = np.array([[0.8, 0.6]], np.float32)
    assert check_similarity(claim, own, edit[None], pictures, 0.1, "m").says == "supported"  # type: ignore[union-attr]
    assert check_similarity(claim, edit, own[None], pictures, 0.1, "m").says == "contradicted"  # type: ignore[union-attr]
    assert check_similarity(claim, own, edit[None], pictures, 0.3, "m") is None
    assert check_similarity(thing("count", subject="circles", number=2), own, edit[None], pictures, 0.1, "m") is None
