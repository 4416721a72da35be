"""Sentences of spatial captions: two coloured shapes, true and false sentences, and the same in a mirror."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chronotope.annotators.tasks.spatial_scene import SpatialScene, spatial_scene
from chronotope.annotators.tasks.spatial_sentences import (
    Judge,
    JudgedSentence,
    SpatialClaimReply,
    SpatialRecaptionReply,
    SpatialSentenceReply,
)
from chronotope.schemas.relations import RelationRule
from chronotope.schemas.span import Span

WINDOW = Span(0, 4)


def track(
    track_id: str, phrase: str, x: float, y: float, size: float = 0.1, start_s: float = 0.0
) -> tuple[dict, list[dict]]:
    label = phrase.split()[-1]
    row = {"row_id": track_id, "track_id": track_id, "label": label, "phrase": phrase, "attributes_json": None}
    boxes = [
        {
            "row_id": f"{track_id}{i}",
            "track_id": track_id,
            "t_s": start_s + i / 5,
            "x1": x,
            "y1": y,
            "x2": x + size,
            "y2": y + size,
        }
        for i in range(round((4 - start_s) * 5))
    ]
    return row | {"start_s": start_s, "end_s": 4.0}, boxes


def scene(mirror: bool = False) -> SpatialScene:
    """obj1: a red circle at the left; obj2: a blue square at the right; e1: a sign above both."""
    made = [track("t1", "red circle", 0.1, 0.5), track("t2", "blue square", 0.7, 0.5, 0.2)]
    sign = {"row_id": "s", "text": "TURN LEFT", "start_s": 0.0, "end_s": 4.0, "confidence": 1.0}
    sign |= {"x1": 0.3, "y1": 0.05, "x2": 0.6, "y2": 0.15}
    rows = [*(b for _, boxes in made for b in boxes), sign]
    if mirror:
        for row in rows:
            row["x1"], row["x2"] = 1 - row["x2"], 1 - row["x1"]
    return spatial_scene(WINDOW, [t for t, _ in made], rows[:-1], [sign])


def judged(text: str, *claims: tuple[str, str, str], at: SpatialScene | None = None, most: int = 8) -> JudgedSentence:
    shown = at or scene()
    typed = [
        SpatialClaimReply.model_validate(dict(zip(("subject", "relation", "object"), c, strict=True))) for c in claims
    ]
    reply = SpatialRecaptionReply(sentences=[SpatialSentenceReply(text=text, claims=typed)])
    return Judge(WINDOW, None, RelationRule(), 16 / 9, most).sentences(reply, shown.facts, shown.things)[0]


TRUE = ("The {obj1.label} is to the left of the {obj2.label}.", ("obj1", "left of", "obj2"))
FALSE = ("The {obj1.label} is to the right of the {obj2.label}.", ("obj1", "right of", "obj2"))


def test_true_sentences_are_kept_and_false_ones_dropped() -> None:
    assert judged(*TRUE).rule == "" and judged(*TRUE).text == "The red circle is to the left of the blue square."
    assert judged(*FALSE).rule == "contradicted"


def test_a_mirror_flips_the_verdict_of_sided_sentences_only() -> None:
    mirrored = scene(mirror=True)
    assert judged(*TRUE, at=mirrored).rule == "contradicted" and judged(*FALSE, at=mirrored).rule == ""
    above = ("The sign {e1.text} is above the {obj1.label}.", ("e1", "above", "obj1"))
    assert judged(*above).rule == judged(*above, at=mirrored).rule == ""
    assert judged(*TRUE).sided and not judged(*above).sided


def test_writing_alone_has_places_too() -> None:
    one = judged("The sign {e1.text} is above the {obj2.label}.", ("e1", "above", "obj2"))
    assert one.rule == "" and one.text == "The sign “TURN LEFT” is above the blue square."
    assert judged("The sign {e1.text} is below the {obj2.label}.", ("e1", "below", "obj2")).rule == "contradicted"


@pytest.mark.parametrize(
    ("text", "claims", "rule"),
    [
        ("The {obj1.label} is in front of the {obj2.label}.", [("obj1", "in front of", "obj2")], "unverified"),
        ("The {obj1.label} is left of the {obj2.label}.", [], "other_claims"),
        ("The {obj1.label} is left of the {obj2.label}.",
         [("obj1", "left of", "obj2"), ("obj1", "smaller than", "obj2")], "other_claims"),
        ("The {obj1.label} is on the left.", [("obj1", "left of", "obj2")], "unread_relation"),
        ("The {obj1.label} is not left of the {obj2.label}.", [("obj1", "left of", "obj2")], "unread_relation"),
        ("The {obj1.label} and the {obj2.label} are bright.", [], "no_relation"),
        ("The {obj9.label} is left of the {obj2.label}.", [("obj9", "left of", "obj2")], "unknown_evidence"),
        ("obj1 is left of the {obj2.label}.", [("obj1", "left of", "obj2")], "malformed_slot"),
        ("During {obj1} the {obj1.label} is left of the {obj2.label}.", [("obj1", "left of", "obj2")], "no_naming_slot"),
        ("After 3 seconds the {obj1.label} is left of the {obj2.label}.", [("obj1", "left of", "obj2")], "literal_time"),
        ("The {obj1.label} is left of all three of the {obj2.label}.", [("obj1", "left of", "obj2")], "number"),
        ("The {obj1.label} is left of the {obj2.label}, next to a purple cow.", [("obj1", "left of", "obj2")], "unread_relation"),
    ],
)  # fmt: skip
def test_what_cannot_be_verified_is_dropped_with_its_rule(
    text: str, claims: list[tuple[str, str, str]], rule: str
) -> None:
    assert judged(text, *claims).rule == rule


def test_two_things_of_one_name_cannot_be_told_apart() -> None:
    shown = scene()
    both = [
        track("t1", "red circle", 0.1, 0.5),
        track("t3", "red circle", 0.4, 0.8),
        track("t2", "blue square", 0.7, 0.5),
    ]
    same = spatial_scene(WINDOW, [t for t, _ in both], [b for _, boxes in both for b in boxes], [])
    name = next(n for n, p in same.things.items() if p.track_id == "t2")
    other = next(n for n, p in same.things.items() if p.track_id == "t1")
    text = f"The {{{other}.label}} is left of the {{{name}.label}}."
    assert judged(text, (other, "left of", name), at=same).rule == "unread_relation"
    assert judged(*TRUE, at=shown).rule == ""


def test_what_holds_for_a_part_of_the_time_is_dropped() -> None:
    shown = scene()
    moving, boxes = track("t4", "green star", 0.1, 0.5)
    for box in boxes:
        box["x1"] += 0.2 * box["t_s"]
        box["x2"] += 0.2 * box["t_s"]
    passing = spatial_scene(WINDOW, [*shown.tracks, moving], [*shown.boxes, *boxes], [])
    names = {p.track_id: n for n, p in passing.things.items()}
    text = f"The {{{names['t4']}.label}} is to the left of the {{{names['t2']}.label}}."
    assert judged(text, (names["t4"], "left of", names["t2"]), at=passing).rule == "unverified"


def test_words_that_nobody_checks_are_counted_and_bounded() -> None:
    text = "The shiny, old and very dusty {obj1.label} is to the left of the {obj2.label}."
    assert judged(text, ("obj1", "left of", "obj2")).free_words == 4
    assert judged(text, ("obj1", "left of", "obj2"), most=3).rule == "free_words"
    assert judged(*TRUE).free_words == 0


def test_a_sentence_that_says_the_same_again_is_dropped() -> None:
    shown = scene()
    again = ("The {obj2.label} is right of the {obj1.label}.", ("obj2", "right of", "obj1"))
    reply = SpatialRecaptionReply(
        sentences=[
            SpatialSentenceReply(
                text=text,
                claims=[SpatialClaimReply.model_validate(dict(zip(("subject", "relation", "object"), c, strict=True)))],
            )
            for text, c in (TRUE, again)
        ]
    )
    found = Judge(WINDOW, None, RelationRule(), 1.0, 8).sentences(reply, shown.facts, shown.things)
    assert [s.rule for s in found] == ["", "repeated"]


def test_a_thing_without_boxes_has_a_name_but_no_place() -> None:
    shown = scene()
    blind = replace(shown, things=spatial_scene(WINDOW, shown.tracks, shown.boxes_of(["obj1"]), []).things)
    assert judged(*TRUE, at=blind).rule == "unverified"


def test_writing_that_moves_has_no_place() -> None:
    sign = {
        "row_id": "s0",
        "text": "EXIT",
        "start_s": 0.0,
        "end_s": 1.0,
        "confidence": 0.9,
        "x1": 0.1,
        "y1": 0.1,
        "x2": 0.3,
        "y2": 0.2,
    }
    moved = sign | {"row_id": "s1", "start_s": 1.0, "end_s": 2.0, "x1": 0.19, "x2": 0.39}
    still = sign | {"row_id": "s1", "start_s": 1.0, "end_s": 2.0, "x1": 0.11, "x2": 0.31}
    assert not spatial_scene(WINDOW, [], [], [sign, moved]).facts
    (fact,) = spatial_scene(WINDOW, [], [], [sign, still]).facts.values()
    assert fact.span == Span(0, 2) and fact.text == "EXIT" and len(fact.members) == 2
