"""tempcompass_conflict (row 18): contradicting films share their frames and not their answers, and all formats agree."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import av
import numpy as np
from chronotope.annotators.tasks.conflict_questions import THREE, statement
from chronotope.engine.catalog import Catalog
from chronotope.outputs.letters import ranks, shown_order
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.sample import ChoiceAnswer, Sample


def said(sample: Sample) -> str:
    return sample.options[sample.answer.index].text if sample.options else sample.answer.text


def disagreements(samples: list[Sample], aspects: dict[str, dict]) -> list[str]:
    """Where a format says something else than the film's aspect, and where pairs of questions have one answer."""
    found = []
    pairs = defaultdict(list)
    for sample in samples:
        row, answer = aspects[sample.media[0].media_id], said(sample)
        true = statement(row, row["value"])
        claim = sample.turns[0].text.lower()
        if answer in ("yes", "no"):
            found += [f"{answer}: {claim}"] if (true.lower() in claim) != (answer == "yes") else []
        elif answer.rstrip(".").lower() not in (row["value"].lower(), true.lower()):
            found.append(f"{answer!r}, though {true!r}")
        pairs[sample.pair_id].append(sample)
    for members in pairs.values():
        answers = [said(s) for s in members]
        if len(members) == 2 and answers[0] == answers[1]:
            found.append(f"a pair answers {answers[0]!r} twice")
    return found


def pictures(path: Path) -> list[np.ndarray]:
    """Grey pictures of a film, small."""
    with av.open(str(path)) as file:
        return [f.reformat(width=32, height=18, format="gray").to_ndarray().astype(int) for f in file.decode(video=0)]


def test_contradicting_films_share_frames_and_flip_their_answers(build) -> None:
    root = build("tempcompass_conflict", CHRONOTOPE_SETS=5, CHRONOTOPE_SIDE=96)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    aspects = {r["media_id"]: r for r in catalog.rows("SELECT * FROM aspects")}
    sets = defaultdict(list)
    for row in aspects.values():
        sets[row["pair_id"]].append(row)
    assert {r["aspect"] for r in aspects.values()} >= {"direction", "order", "speed"}
    assert all(len({r["value"] for r in members}) == len(members) >= 2 for members in sets.values())

    samples = [Sample.from_row(r) for r in catalog.rows("SELECT * FROM samples")]
    asked = sum(6 if row["kind"] in THREE else 5 for row in aspects.values())
    assert len(samples) == asked and disagreements(samples, aspects) == []
    yes_no = Counter(said(s) for s in samples if said(s) in ("yes", "no"))
    assert yes_no["yes"] == yes_no["no"] == len(aspects)
    ranked = ranks([(s.sample_id, s.task, len(s.options)) for s in samples], 0)
    for n in (2, 3, 4):
        chosen = [s for s in samples if len(s.options) == n]
        letters = Counter(shown_order(s, ranked[s.sample_id], 0).index(s.answer.index) for s in chosen)
        assert max(letters.values(), default=0) - min((letters[i] for i in range(n)), default=0) <= 1

    # one frame says nothing: the frames of a film are those of its reversed twin, so a solver that sees one answers both alike
    path = {
        r["media_id"]: Path(r["uri"].removeprefix("file://")) for r in catalog.rows("SELECT media_id, uri FROM sources")
    }
    backwards = {m: json.loads(r["attributes_json"]).get("operation") for m, r in aspects.items()}
    twins = [m for m in sets.values() if "reverse" in {backwards[r["media_id"]] for r in m}]
    assert twins
    for members in twins:
        forwards, reverse = (
            pictures(path[r["media_id"]]) for r in sorted(members, key=lambda r: backwards[r["media_id"]])
        )
        assert len(forwards) == len(reverse)
        apart = [np.abs(a - b).mean() for a, b in zip(forwards, reverse[::-1], strict=True)]
        assert max(apart) < 4 < max(np.abs(a - b).mean() for a, b in zip(forwards, reverse, strict=True))

    match = next(s for s in samples if len(s.options) == 2 and said(s) not in ("yes", "no"))
    other = match.model_copy(update={"answer": ChoiceAnswer(index=1 - match.answer.index)})
    assert disagreements([other if s is match else s for s in samples], aspects)
