"""mulset_multiview (row 14): nothing follows from one picture alone, and the canonical scene hides its bin."""

from __future__ import annotations

from dataclasses import replace

from chronotope.annotators.asks.ask import About
from chronotope.annotators.asks.two_views import (
    AzimuthTransfer,
    DistanceComparison,
    OcclusionRestoration,
    TwoViewsRule,
)
from chronotope.annotators.asks.view import SeenRule, View
from chronotope.annotators.tasks.mulset_multiview import MulsetMultiview
from chronotope.engine.catalog import Catalog
from chronotope.engine.spaces import space_cited
from chronotope.engine.task import EvidenceRow
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.markup import BoxMark, parse
from chronotope.schemas.sample import ChoiceAnswer, Sample
from chronotope.schemas.span import Span
from room_recipes import build_on, evidence_of, samples_of
from s0 import BLOCK, F4, STANDS, THINGS, s0_rows, space_from

LOW = SeenRule(area=0.0025, visibility=0.1, cut=4)
"""The bin fills 0.29 % of the first view."""


def view(stills: tuple[float, float], *, block: bool = True) -> View:
    rows = s0_rows(things=(*THINGS, BLOCK) if block else THINGS, stands=(*STANDS, F4))
    return View(space_from(rows), Span(0, 5), stills, LOW, LOW)


def test_the_block_hides_the_bin() -> None:
    kind = OcclusionRestoration(TwoViewsRule())
    (about,) = kind.candidates(view((3, 4)))
    solved = kind.solve(view((3, 4)), about)
    assert solved.key == "bin" and about.objects[0] == "bin"
    (mark,) = parse(solved.marks["region"])
    assert isinstance(mark, BoxMark) and abs(mark.box.centre[0] - 0.5) < 0.01  # straight ahead of the second view
    assert not list(kind.candidates(view((3, 4), block=False)))  # nothing is hidden
    assert not list(kind.candidates(view((2, 4))))  # the first picture does not show the bin
    assert not list(kind.candidates(view((4, 3))))


def lacking(samples: list[Sample], evidence) -> list[str]:
    """Questions of which one picture shows everything."""
    found = []
    for sample in samples:
        rows = evidence(sample)
        space = space_cited(rows)
        count = int(sample.difficulty["objects"])
        ids = list(dict.fromkeys(str(e.row["object_id"]) for e in rows if e.table == "boxes3d"))[:count]
        for t in sample.media[0].frame_times:
            seen = {s.object_id for s in space.seen_at(t) if (s.area or 0) >= 0.0015}
            if set(ids) <= seen:
                found.append(sample.sample_id)
    return found


def test_no_single_picture_gives_the_answer(room, tmp_path, monkeypatch) -> None:
    root = build_on(room, "mulset_multiview", tmp_path, monkeypatch)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    samples = samples_of(catalog)
    assert samples and all(len(s.media[0].frame_times) == 2 for s in samples)

    def evidence(sample: Sample) -> list[EvidenceRow]:
        return evidence_of(catalog, sample)

    assert lacking(samples, evidence) == []
    task = MulsetMultiview(MulsetMultiview.Params())
    sample = samples[0]
    assert task.recompute(sample, evidence(sample)).ok
    other = sample.model_copy(update={"answer": ChoiceAnswer(index=(sample.answer.index + 1) % len(sample.options))})
    assert not task.recompute(other, evidence(sample)).ok
    # planted fault: the second picture is one that shows it all
    first = sample.media[0].frame_times[0]
    alone = sample.model_copy(update={"media": (sample.media[0].model_copy(update={"frame_times": (first, first)}),)})
    assert not task.recompute(alone, evidence(sample)).ok


def test_one_picture_may_be_asked_alone_as_a_variant() -> None:
    rule = TwoViewsRule(variant="single")
    still = View(view((0, 3), block=False).space, Span(0, 5), (0.0,))
    still = replace(still, clearly=LOW)
    assert DistanceComparison(rule).solve(still, About(("table", "lamp", "sofa"), (0.0,))).key == "sofa"
    assert AzimuthTransfer(rule).solve(still, About(("sofa", "table", "lamp"), (0.0,))).key == "left"
