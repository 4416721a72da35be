"""A careful writer of triples: neighbours by their parts of the picture, and what events of the list tell about motion."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

from model_asked import Asked
from model_replies.spatial_recaption_reply import THING, places, ways


def reply(asked: Asked) -> dict[str, Any]:
    most = int(re.search(r"at most (\d+)\.", asked.user)[1])  # type: ignore[index]
    known = places(asked.user)
    found = [
        {"subject": a, "predicate": way, "object": b, "said_by": None}
        for a, b in combinations(known, 2)
        for way in ways(known[a], known[b])
    ]
    for match in THING.finditer(asked.user):
        for name, told in asked.facts.items():
            way = re.search(r"moves (?:to the )?(left|right|up|down)", told.text)
            if way and match["what"] in told.text:
                found.insert(
                    0, {"subject": match["name"], "predicate": f"moves {way[1]}", "object": None, "said_by": name}
                )
    return {"triples": found[:most]}
