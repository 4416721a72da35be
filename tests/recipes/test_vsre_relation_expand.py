"""vsre_relation_expand (row 84): half of the statements are true, groups are complete, and reflections turn every label over."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from chronotope.annotators.composers.layouts import Layouts
from chronotope.annotators.tasks.relation_pairs import RelationPairs
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.evaluate import Request, evaluate
from chronotope.pipelines.evaluate_scoring import Scoring
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.box import Box
from chronotope.schemas.metrics_vsre import Said, diagnostics
from chronotope.schemas.sample import ChoiceAnswer, Sample
from stored_checks import verdict_of

SIDE = {"left of": (0, -1), "right of": (0, 1), "above": (1, -1), "below": (1, 1)}
WORDS = {"to the left of": "left of", "to the right of": "right of", "above": "above", "below": "below"}


def true_of(said: str, places: dict[str, Box]) -> bool:
    """Whether a statement or question about two things is true of their boxes."""
    words = next(w for w in WORDS if f" {w} the " in said)
    first, _, rest = said.partition(f" {words} the ")
    subject = next(n for n in places if first.removesuffix(" is").endswith(n))
    other = next(n for n in places if rest.startswith(n))
    axis, sign = SIDE[WORDS[words]]
    return sign * (places[subject].centre[axis] - places[other].centre[axis]) > 0


def test_a_hundred_layouts_satisfy_their_relation_with_margin_and_so_do_their_reflections() -> None:
    drafts = list(Layouts(Layouts.Params(groups=50)).compose([], seed=3))
    assert len(drafts) == 100 and len({d.digest for d in drafts}) == 100
    by_group: dict[str, list] = defaultdict(list)
    for draft in drafts:
        (aspect,) = draft.rows["aspects"]
        a, b = (Box(r["x1"], r["y1"], r["x2"], r["y2"]) for r in draft.rows["boxes"])
        axis, sign = SIDE[aspect["value"]]
        assert sign * (a.centre[axis] - b.centre[axis]) > 0 and a.intersection(b) is None
        assert a.area + b.area >= 0.2 and min(a.area, b.area) >= 0.5 * max(a.area, b.area)
        by_group[aspect["pair_id"]].append((aspect["value"], aspect["wrong"], a))
    assert len(by_group) == 50
    for (one, wrong, box), (other, _, turned) in by_group.values():
        assert wrong == [other] and one != other
        axis = SIDE[one][0]
        size = [box.x2 - box.x1, box.y2 - box.y1]
        assert abs(size[0] - (turned.x2 - turned.x1)) < 1e-6 and abs(size[1] - (turned.y2 - turned.y1)) < 1e-6
        assert abs(box.centre[1 - axis] - turned.centre[1 - axis]) < 1e-6  # only the axis of the relation is turned


def test_labels_balance_groups_are_complete_and_mirrors_turn_them(build, tmp_path: Path) -> None:
    root = build("vsre_relation_expand", CHRONOTOPE_GROUPS=4, CHRONOTOPE_PARAPHRASES=1)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    places: dict[str, dict[str, Box]] = defaultdict(dict)
    for r in catalog.rows("SELECT t.phrase, b.* FROM tracks t JOIN boxes b USING (track_id)"):
        places[r["media_id"]][r["phrase"]] = Box(r["x1"], r["y1"], r["x2"], r["y2"])
    rows = catalog.rows("SELECT * FROM samples ORDER BY sample_id")
    assert len(rows) == 8 * (3 * 2 + 1)
    groups: dict[str, list[tuple[str, float, bool]]] = defaultdict(list)
    for row in rows:
        sample = Sample.from_row(row)
        asked = sample.turns[0].text.lower()
        answer = sample.options[sample.answer.index].text
        if sample.difficulty["holds"] == 0.5:
            assert true_of(answer, places[row["media_id"]])
            continue
        assert true_of(asked, places[row["media_id"]]) == (answer in ("yes", "true"))
        groups[row["pair_id"]].append((row["media_id"], sample.difficulty["cell"], answer in ("yes", "true")))
    labels = [label for cells in groups.values() for *_, label in cells]
    assert sum(labels) * 2 == len(labels)
    for cells in groups.values():
        assert len(cells) == 4 and len({m for m, *_ in cells}) == 2  # two pictures, two statements
        for cell in (0.0, 1.0):  # the same statement of the reflection: the other label
            assert {label for _, c, label in cells if c == cell} == {True, False}

    task, sample = RelationPairs(RelationPairs.Params(paraphrases=1)), Sample.from_row(rows[0])
    assert verdict_of(catalog, task, rows[0])["passed"]
    lie = sample.model_copy(update={"answer": ChoiceAnswer(index=1 - sample.answer.index)}).to_row()
    assert not verdict_of(catalog, task, lie)["passed"]

    figures = {t["who"]: t["figures"] for t in evaluate(root, Request("relations"), Scoring()).totals}
    assert figures["question_only"]["group_accuracy"]["value"] == 0  # who does not look gets no group right
    assert figures["question_only"]["sensitive"]["value"] <= 0.5


def test_diagnostics_of_one_who_looks_and_of_one_who_says_yes() -> None:
    cells = [(p, c, (p == "a") == (c == 0)) for p in "ab" for c in (0, 1)]
    looking = [Said(g, p, c, w, label, True) for g in "xy" for w in ("w1", "w2") for p, c, label in cells]
    nodding = [Said(g, p, c, "w1", True, label) for g in "xy" for p, c, label in cells]
    assert diagnostics(looking) == {
        "accuracy": 1.0, "group_accuracy": 1.0, "variance": 0.0, "yes_bias": 0.0, "inconsistent": 0.0, "sensitive": 1.0,
    }  # fmt: skip
    bad = diagnostics(nodding)
    assert (bad["accuracy"], bad["group_accuracy"], bad["yes_bias"], bad["inconsistent"], bad["sensitive"]) == (
        0.5, 0.0, 0.5, 1.0, 0.0,
    )  # fmt: skip
