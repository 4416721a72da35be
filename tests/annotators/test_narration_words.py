"""Verbs and nouns of narrations, as a person would name them."""

import pytest
from chronotope.annotators.text.narration_words import classes_of


@pytest.mark.parametrize(
    ("text", "verbs", "nouns"),
    [
        ("the camera wearer opens the drawer", ("open",), ("drawer",)),
        ("pour water into pan", ("pour",), ("pan", "water")),
        ("the camera wearer picks up a red cup from the table", ("pick up",), ("cup", "table")),
        ("turn-on tap", ("turn on",), ("tap",)),
        (
            "the camera wearer opens the fridge and takes a bottle of milk",
            ("open", "take"),
            ("bottle", "fridge", "milk"),
        ),
        ("the camera wearer puts the knife and the fork on the tray", ("put",), ("fork", "knife", "tray")),
        ("wash the plates and cut the onions", ("cut", "wash"), ("onion", "plate")),
        ("the man walks around", ("walk",), ()),
        ("the camera wearer looks at it", ("look",), ()),
        ("nothing of note", (), ()),
    ],
)
def test_classes_are_those_a_person_would_name(text, verbs, nouns) -> None:
    assert classes_of(text) == (verbs, nouns)
