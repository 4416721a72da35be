"""clear2_acoustic_qa (row 49): programs give the answers, sounds begin where the scene says, guessing by template fails."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

from chronotope.annotators.audio.sounds import Sounds, SoundsParams
from chronotope.annotators.composers.acoustic_scenes import AcousticScenes, Params
from chronotope.annotators.tasks.acoustic_questions import AcousticQuestions
from chronotope.engine.annotator import Medium
from chronotope.engine.catalog import Catalog
from chronotope.engine.media.audio import AudioTap, run_audio
from chronotope.engine.media.events import RowsOut
from chronotope.engine.task import EvidenceRow
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.acoustic_programs import degenerate, read_program, run, scene_of
from chronotope.schemas.sample import ChoiceAnswer, Sample

SCENES = 10


def onsets(path: Path) -> list[float]:
    medium = Medium("m", path.name, path, "audio", 0.0, None, None, None, None, False, True)
    session = Sounds(SoundsParams(labels=("onset",))).open(medium)
    events = list(run_audio(medium, [AudioTap("sounds", session, Sounds.rate)]))
    return [row["start_s"] for e in events if isinstance(e, RowsOut) for _, row in e.rows]


def missed(path: Path, starts: list[float]) -> int:
    """Beginnings of a scene that the onset detector does not find within 20 ms."""
    found = onsets(path)
    return sum(min(abs(t - s) for t in found) > 0.02 for s in starts)


def drafts(seed: int = 0, **params):
    return list(AcousticScenes(Params(**params)).compose((), seed))


def test_programs_give_the_answers_and_wrong_ones_are_caught(build) -> None:
    root = build("clear2_acoustic_qa", CHRONOTOPE_SCENES=SCENES)
    report = verify_root(root)
    assert (report.problems, report.recomputed) == ([], report.samples)
    assert report.samples == 4 * SCENES

    catalog = Catalog(root)
    (chains,) = catalog.rows("SELECT count(*) n, bool_and(replayed AND shown) good FROM chains")
    assert chains == {"n": report.samples, "good": True}
    by_id = {
        r["row_id"]: EvidenceRow(t, r)
        for t in ("media", "clips", "questions", "sounds")
        for r in catalog.rows(f"SELECT * FROM {t}")
    }
    task = AcousticQuestions(AcousticQuestions.Params())
    caught = 0
    samples = [Sample.from_row(r) for r in catalog.rows("SELECT * FROM samples ORDER BY sample_id")]
    for sample in samples:
        evidence = [by_id[e.row_id] for e in sample.evidence]
        assert task.recompute(sample, evidence).ok
        wrong = ChoiceAnswer(index=(sample.answer.index + 1) % len(sample.options))
        caught += not task.recompute(sample.model_copy(update={"answer": wrong}), evidence).ok
    assert caught == len(samples)
    assert {m.kind for s in samples for m in s.media} == {"audio"}


def test_sounds_begin_within_20_ms_before_noise_and_rooms_and_a_moved_one_is_caught(tmp_path) -> None:
    for draft in drafts(scenes=3, reverb=0, noise=0):
        path = tmp_path / f"{draft.digest}.flac"
        draft.write(path)
        starts = [s["start_s"] for s in draft.rows["sounds"]]
        assert missed(path, starts) == 0
        assert missed(path, [starts[0] + 0.05, *starts[1:]]) == 1


def test_answers_are_balanced_and_no_question_is_degenerate() -> None:
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for draft in drafts(scenes=100):
        scene = scene_of(draft.rows["sounds"], draft.duration_s)
        for q in draft.rows["questions"]:
            program = read_program(json.loads(q["program_json"]))
            assert run(program, scene) == q["answer_text"] == q["options"][q["answer_index"]]
            assert not degenerate(program, scene)
            answers[q["kind"]][q["answer_text"]] += 1
    total = sum(sum(c.values()) for c in answers.values())
    assert total == 400
    assert sum(max(c.values()) for c in answers.values()) / total < 0.5
    assert all(len(c) > 1 for c in answers.values())


def test_the_same_seed_gives_the_same_truth_and_bytes(tmp_path) -> None:
    first, again = drafts(scenes=3), drafts(scenes=3)
    assert json.dumps([d.rows for d in first]) == json.dumps([d.rows for d in again])
    assert [d.digest for d in drafts(1, scenes=3)] != [d.digest for d in first]
    files = []
    for n, draft in enumerate((first[0], again[0])):
        draft.write(tmp_path / f"{n}.flac")
        files.append((tmp_path / f"{n}.flac").read_bytes())
    assert files[0] == files[1]


def test_scenes_are_as_the_source_has_them() -> None:
    for draft in drafts(scenes=20):
        tally = Counter(s["label"] for s in draft.rows["sounds"])
        assert 5 <= sum(tally.values()) <= 15
        assert len(tally) >= 3 and sum(n > 1 for n in tally.values()) >= 2
        starts = [(s["start_s"], s["end_s"]) for s in draft.rows["sounds"]]
        assert all(a[1] < b[0] for a, b in pairwise(starts))
        assert starts[-1][1] < draft.duration_s
