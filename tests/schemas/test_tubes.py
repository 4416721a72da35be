"""An answer of a span and boxes in it: what is malformed, what it scores, and how a reply in a trainer's words is read."""

from __future__ import annotations

from chronotope.engine.ladder.scoring import score
from chronotope.outputs.rewards.verifiers import viou
from chronotope.schemas.box import Box
from chronotope.schemas.sample import Evidence, MediumRef, Sample, TubeAnswer, Turn
from chronotope.schemas.span import Span
from chronotope.schemas.verifying import check_tube

BOXES = ((3.0, 0.1, 0.1, 0.3, 0.3), (4.0, 0.2, 0.1, 0.4, 0.3), (5.0, 0.3, 0.1, 0.5, 0.3))
TUBE = TubeAnswer(start_s=2.5, end_s=5.5, boxes=BOXES)
FACTS = {
    "times": {"codec": "seconds"},
    "boxes": {"codec": "float01", "width": 1, "height": 1, "decimals": 3},
    "duration_s": 10.0,
    "tolerance_s": 0.01,
}


def sample(answer: TubeAnswer) -> Sample:
    return Sample(
        task="t",
        recipe="r",
        media=(MediumRef(media_id="m", start_s=0, end_s=10),),
        turns=(Turn(role="user", text="<video>\nWhere?"), Turn(role="assistant", text="There.")),
        answer=answer,
        evidence=(Evidence(table="boxes", row_id="b", values={}),),
        needs=("vision",),
        wording="w",
        answer_form="f",
        generator="t@1",
    )


def test_a_tube_names_what_is_malformed_and_survives_its_row() -> None:
    assert sample(TUBE).problems() == []
    assert Sample.from_row(sample(TUBE).to_row()).answer == TUBE
    late = TUBE.model_copy(update={"end_s": 4.5})
    assert any("outside its span" in p for p in sample(late).problems())
    turned = TUBE.model_copy(update={"boxes": BOXES[::-1]})
    assert any("order of time" in p for p in sample(turned).problems())
    empty = TUBE.model_copy(update={"boxes": ((3.0, 0.4, 0.1, 0.3, 0.3),)})
    assert any("inverted" in p for p in sample(empty).problems())


def test_the_score_of_a_tube_is_its_viou() -> None:
    assert score(TUBE, TUBE) == (1.0, True)
    shorter = TUBE.model_copy(update={"boxes": BOXES[:1], "end_s": 3.5})
    assert abs(score(shorter, TUBE)[0] - 1 / 3) < 1e-9
    truth = (Span(2.5, 5.5), TUBE.track)
    moved = {t: Box(b.x1, b.y1 + 0.1, b.x2, b.y2 + 0.1) for t, b in TUBE.track.items()}
    assert abs(check_tube((Span(2.5, 5.5), moved), truth, tolerance_s=0.0, min_viou=0.5).score - 1 / 3) < 1e-6
    assert not check_tube((Span(2.0, 5.5), TUBE.track), truth, tolerance_s=0.1, min_viou=0.5)


def test_a_reply_with_span_and_boxes_is_read() -> None:
    track = [list(b) for b in BOXES]
    facts = FACTS | {"truth": {"span": [2.5, 5.5], "track": track}, "said": "both"}
    said = "3.00s: [0.100, 0.100, 0.300, 0.300] 4.00s: [0.200, 0.100, 0.400, 0.300] 5.00s: [0.300, 0.100, 0.500, 0.300]"
    for reply in (f"From 2.50s to 5.50s: {said}", f"{said}, all between 2.50s and 5.50s", f"2.50s to 5.50s. {said}"):
        assert viou(facts, reply).ok, reply
    assert viou(facts, said).score == 0  # no span
    assert viou(FACTS | {"truth": {"track": track}, "said": "boxes"}, said).score == 1
    listed = FACTS | {"truth": {"track": [[float(i), *b[1:]] for i, b in enumerate(BOXES)]}, "said": "places"}
    places = [part.split(": ")[1] for part in said.replace("] ", "]|").split("|")]
    assert viou(listed, ", then ".join(places)).score == 1
    assert viou(listed, ", ".join(places[::-1])).score < 0.7
