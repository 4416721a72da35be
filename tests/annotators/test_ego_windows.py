"""Clips of ego_soft_relevance: by the gaps of each narrator's pass, a given spacing, or as they are stored."""

import json

import pytest
from chronotope.annotators.text.ego_soft_relevance import EgoSoftRelevance, EgoSoftRelevanceParams
from chronotope.engine.annotator import Rows, Unit


def told(at_s: float, text: str, kind: str = "narration", number: int = 1) -> dict:
    """A row of events, two seconds wide."""
    about = json.dumps({"at_s": at_s, "pass": number})
    return {
        "media_id": "m",
        "start_s": at_s - 1,
        "end_s": at_s + 1,
        "text": text,
        "kind": kind,
        "attributes_json": about,
    }


EVENTS = [
    told(2.0, "the camera wearer opens the drawer"), told(6.0, "the camera wearer closes the drawer"),
    told(3.0, "the camera wearer opens a door", number=2), told(4.0, "the camera wearer takes a cup", number=2),
    told(5.0, "what falls", kind="query"), told(7.0, "xyzzy"),
]  # fmt: skip


def windows(**params) -> dict[float, tuple[float, float]]:
    """Clip of each narration by its time."""
    rows = Rows({"media": [{"media_id": "m", "duration_s": 6.2}], "events": EVENTS})
    found = EgoSoftRelevance(EgoSoftRelevanceParams(**params)).annotate(Unit("corpus", "corpus", None, "r", 0), rows)
    return {r["at_s"]: (round(r["start_s"], 3), round(r["end_s"], 3)) for table, r in found if table == "narrations"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {2.0: (1.2, 2.8), 6.0: (5.2, 6.2), 3.0: (2.8, 3.2), 4.0: (3.8, 4.2)}),
        ({"spacing_s": 4.0}, {2.0: (1.5, 2.5), 6.0: (5.5, 6.2), 3.0: (2.875, 3.125), 4.0: (3.875, 4.125)}),
        ({"window": "stored"}, {2.0: (1.0, 3.0), 6.0: (5.0, 6.2), 3.0: (2.0, 4.0), 4.0: (3.0, 5.0)}),
    ],
)
def test_windows_follow_the_rule_that_is_asked_for(params, expected) -> None:
    assert windows(**params) == expected
