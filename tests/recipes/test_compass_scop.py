"""compass_scop (row 63): every pair that is kept passes the constraints again, and its swapped caption is false."""

from __future__ import annotations

from pathlib import Path

from chronotope.annotators.compose.truth import FilmTruth
from chronotope.annotators.tasks.compass_scop import CompassScop
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.sample import ChoiceAnswer, Sample
from film_places import place_in
from stored_checks import verdict_of

RULE = {"min_box_px": 100, "min_pair_share": 0.02, "max_distance": 6}
AXIS = {"left of": (0, -1), "right of": (0, 1), "above": (1, -1), "below": (1, 1)}
SAID = {"to the left of": "left of", "to the right of": "right of", "above": "above", "below": "below"}


def holds(film: FilmTruth, subject: str, relation: str, other: str, t_s: float) -> bool:
    """Whether the film's own boxes say so."""
    a, b = place_in(film, subject, t_s), place_in(film, other, t_s)
    axis, sign = AXIS[relation]
    return a is not None and b is not None and sign * (a.centre[axis] - b.centre[axis]) > 0


def stated(caption: str) -> tuple[str, str, str]:
    subject, _, rest = caption.removeprefix("the ").partition(" is ")
    words, _, other = rest.rpartition(" the ")
    return subject, SAID[words], other


def test_kept_pairs_pass_again_and_swapped_captions_are_false(build, films: Path) -> None:
    root = build("compass_scop")
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    film_of = {
        r["media_id"]: FilmTruth.from_json((films / r["title"]).with_suffix(".truth.json").read_text())
        for r in catalog.rows("SELECT media_id, title FROM media")
    }
    triples = catalog.rows("SELECT * FROM triples")
    assert len(triples) >= 8
    for row in triples:
        film, t_s = film_of[row["media_id"]], row["start_s"]
        subject, other = row["subject"], row["object_text"]
        assert holds(film, subject, row["predicate"], other, t_s)
        assert not holds(film, other, row["predicate"], subject, t_s)
        a, b = place_in(film, subject, t_s), place_in(film, other, t_s)
        assert min(a.area, b.area) * 160 * 90 >= 100 and a.area + b.area >= 0.02
        common = a.intersection(b)
        assert (common.area if common else 0) < 0.3 * min(a.area, b.area)
        assert min(a.area, b.area) >= 0.5 * max(a.area, b.area)
    rows = catalog.rows("SELECT * FROM samples WHERE answer_kind = 'choice' ORDER BY sample_id")
    assert rows
    for row in rows:
        sample = Sample.from_row(row)
        film, t_s = film_of[row["media_id"]], sample.media[0].start_s
        told = [holds(film, *stated(o.text), t_s) for o in sample.options]
        assert told == [i == sample.answer.index for i in range(2)]
    counted = {
        r["reason"]: r["candidates"]
        for r in catalog.rows("SELECT reason, sum(candidates)::INT AS candidates FROM withheld GROUP BY 1")
    }
    pairs = {(r["media_id"], r["start_s"], *sorted((r["subject_track"], r["object_track"]))) for r in triples}
    assert counted[""] == len(pairs) and len(counted) >= 2

    sample = Sample.from_row(rows[0])
    lie = sample.model_copy(update={"answer": ChoiceAnswer(index=1 - sample.answer.index)}).to_row()
    task = CompassScop(CompassScop.Params(rule=RULE))
    assert verdict_of(catalog, task, rows[0])["passed"]
    assert not verdict_of(catalog, task, lie)["passed"]
    strict = CompassScop(CompassScop.Params())  # planted fault: the pair does not pass the published thresholds
    assert "too small" in verdict_of(catalog, strict, rows[0])["reason"]
