"""tvqa_long_lift (row 71): moments move by their clip's offset, and the clip that answers can be found by its words."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from chronotope.annotators.compose.truth import FilmTruth
from chronotope.annotators.tasks.common import Withheld
from chronotope.annotators.tasks.lifted_questions import lifted
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.metrics import normalise_words
from long_footage import rows_in, samples_in

SMALL = {"CHRONOTOPE_CLIP_S": 6, "CHRONOTOPE_WIDTH": 96}


@pytest.fixture
def episode(build):
    return build("tvqa_long_lift", **SMALL)


def spoken_in(films):
    """Start of every sentence and lettering by film, as its own truth says it."""
    found = {}
    for file in films.glob("*.truth.json"):
        truth = FilmTruth.from_json(file.read_text())
        told = [(s.text, s.start_s) for s in truth.speech] + [(t.text, t.start_s) for t in truth.texts]
        found[file.name.replace(".truth.json", ".mp4")] = {tuple(normalise_words(text)): at for text, at in told}
    return found


def hit(ranked, gold, k):
    return any(part in gold for part in ranked[:k])


def by_words(question, parts):
    """Clips in order of how many words of the question their speech, lettering and events have."""
    asked = Counter(normalise_words(question))
    return sorted(parts, key=lambda p: (-sum((asked & Counter(normalise_words(parts[p]))).values()), p))


def test_lifted_questions_are_where_their_clips_are(episode, films):
    assert verify_root(episode).problems == []
    questions, [media_id] = rows_in(episode, "questions"), {r["media_id"] for r in rows_in(episode, "questions")}
    edits = sorted(rows_in(episode, "edits", media_id), key=lambda e: e["step"])
    told = spoken_in(films)
    assert len(questions) >= 8
    parts = {}
    for row in questions:
        said = json.loads(row["attributes_json"])
        edit = edits[said["part"]]
        # 1. the long moment less the offset is the short one, and the short one is the film's own truth less the cut
        assert row["start_s"] - edit["target_start_s"] == pytest.approx(said["short_s"][0], abs=1e-3)
        film = said["clip"].split("#")[0]
        cue = tuple(normalise_words(re.search("“(.*)”", row["question"])[1]))
        assert told[film][cue] - edit["start_s"] == pytest.approx(said["short_s"][0], abs=1e-3)
        parts[said["part"]] = lifted(row).part
        # 2. planted fault: an offset that is 2 ms off
        wrong = said | {"part_s": [said["part_s"][0] + 0.002, said["part_s"][1]]}
        with pytest.raises(Withheld, match="offset"):
            lifted({**row, "attributes_json": json.dumps(wrong)})
    texts = {k: "" for k in range(len(edits))}
    for table in ("speech", "text_regions", "captions"):
        for row in rows_in(episode, table, media_id):
            middle = (row["start_s"] + row["end_s"]) / 2
            [k] = [e["step"] for e in edits if e["target_start_s"] <= middle < e["target_end_s"]]
            texts[k] += " " + row["text"]
    oracle, found, shifted = [], [], []
    for sample in samples_in(episode, "lifted_questions"):
        gold = int(sample.difficulty["part"])
        at = sample.difficulty["evidence_start_s"]
        oracle.append(hit([k for k, part in parts.items() if part.contains(at)], {gold}, 1))
        question = re.search("“(.*)”", sample.turns[0].text)[1]
        found.append(hit(by_words(question, texts), {gold}, 3))
        shifted.append(hit(by_words(question, texts), {(gold + 4) % len(edits)}, 1))
    figures = [sum(v) / len(v) for v in (oracle, found, shifted)]
    print("oracle hit@1 {:.2f}, words hit@3 {:.2f}, of another clip hit@1 {:.2f}".format(*figures))
    assert figures[0] == 1.0 and figures[1] >= 0.9 and figures[2] <= 0.2
