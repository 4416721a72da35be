"""ego_soft_relevance (row 73): narrations become clips with classes, the matrix is symmetric with ones on its diagonal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from chronotope.engine.catalog import Catalog

NARRATED = {
    "film5": [(2.0, "#C C opens the drawer"), (4.0, "#C C takes a knife from the drawer"), (10.0, "#C C closes the drawer")],
    "film6": [(1.0, "#C C opens the door"), (3.0, "#C C opens the drawer")],
}  # fmt: skip
EPIC = """narration_id,participant_id,video_id,narration_timestamp,start_timestamp,stop_timestamp,start_frame,stop_frame,narration,verb,verb_class,noun,noun_class,all_nouns,all_noun_classes
P01_0,P01,film5,00:00:01.100,00:00:01.00,00:00:03.00,12,36,open drawer,open,3,drawer,8,['drawer'],[8]
P01_1,P01,film5,00:00:04.100,00:00:04.00,00:00:06.50,48,78,take knife from drawer,take,0,knife,4,"['knife', 'drawer']","[4, 8]"
P01_2,P01,film6,00:00:01.100,00:00:01.00,00:00:03.00,12,36,open fridge,open,3,fridge,12,['fridge'],[12]
"""


def matrix(root: Path) -> np.ndarray:
    """The stored matrix, dense."""
    rows = Catalog(root).rows("SELECT * FROM relevance ORDER BY signature")
    out = np.zeros((len(rows), len(rows)))
    for row in rows:
        out[row["signature"], row["others"]] = row["relevance"]
    return out


def faults(narrations: list[dict], lengths: dict[str, float], found: np.ndarray) -> list[str]:
    """What is wrong with clips and matrix."""
    checks = {
        "a window outside its film": all(0 <= n["start_s"] < n["end_s"] <= lengths[n["media_id"]] for n in narrations),
        "a signature without a row": all(0 <= n["signature"] < len(found) for n in narrations),
        "not symmetric": bool(np.allclose(found, found.T)),
        "no ones on the diagonal": bool(np.allclose(np.diag(found), 1)),
    }
    return [name for name, holds in checks.items() if not holds]


def test_narrations_of_ego4d_become_soft_labels(build, films: Path, tmp_path: Path) -> None:
    told = {
        name: {
            "narration_pass_1": {
                "narrations": [{"timestamp_sec": t, "narration_text": x} for t, x in of],
                "summaries": [],
            }
        }
        for name, of in NARRATED.items()
    }
    (tmp_path / "narration.json").write_text(json.dumps({"videos": told}))
    root = build("ego_soft_relevance", CHRONOTOPE_NARRATIONS=tmp_path / "narration.json")
    catalog = Catalog(root)
    narrations = catalog.rows("SELECT * FROM narrations ORDER BY media_id, start_s")
    lengths = {m["media_id"]: m["duration_s"] for m in catalog.rows("SELECT media_id, duration_s FROM media")}
    found = matrix(root)
    assert len(narrations) == 5 and faults(narrations, lengths, found) == []

    # mean gaps are 4 s and 2 s, 3 s over both: clips reach 4 / 6 s around a narration of the first, 2 / 6 s of the second
    spans = {(n["text"], round(n["at_s"], 3)): (round(n["start_s"], 3), round(n["end_s"], 3)) for n in narrations}
    assert spans["the camera wearer opens the drawer", 2.0] == (1.333, 2.667)
    assert spans["the camera wearer opens the door", 1.0] == (0.667, 1.333)

    by_text = {n["text"]: n["signature"] for n in narrations}
    opens, door, takes = (
        by_text[f"the camera wearer {t}"]
        for t in ("opens the drawer", "opens the door", "takes a knife from the drawer")
    )
    assert (found[opens, door], found[opens, takes], found[door, takes]) == (0.5, 0.25, 0.0)
    assert len({n["signature"] for n in narrations if n["text"].endswith("opens the drawer")}) == 1

    planted = found.copy()
    planted[opens, door] = 0.9
    assert faults(narrations, lengths, planted) == ["not symmetric"]
    assert faults([{**narrations[0], "end_s": 1e6}, *narrations[1:]], lengths, found) == ["a window outside its film"]


def test_actions_of_epic_kitchens_keep_their_classes(build, tmp_path: Path) -> None:
    (tmp_path / "EPIC_100_train.csv").write_text(EPIC)
    root = build(
        "ego_soft_relevance", CHRONOTOPE_IMPORT="epic_kitchens", CHRONOTOPE_NARRATIONS=tmp_path / "EPIC_100_train.csv"
    )
    rows = Catalog(root).rows(
        "SELECT n.*, r.verbs, r.nouns FROM narrations n JOIN relevance r USING (signature) ORDER BY text"
    )
    assert [(r["text"], r["verbs"], r["nouns"], r["classes"]) for r in rows] == [
        ("open drawer", ["3"], ["8"], "source"), ("open fridge", ["3"], ["12"], "source"),
        ("take knife from drawer", ["0"], ["4", "8"], "source"),
    ]  # fmt: skip
    assert (rows[0]["start_s"], rows[0]["end_s"], rows[0]["at_s"]) == (1.0, 3.0, None)
    first, fridge, take = (r["signature"] for r in rows)
    found = matrix(root)
    assert (found[first, fridge], found[first, take]) == (0.5, 0.25)
