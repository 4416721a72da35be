"""lv_haystack_keyframes (row 6): whoever sees the marked moments answers, uniform frames do not, and a search finds them."""

from __future__ import annotations

import numpy as np
import pytest
from chronotope.annotators.composers.needle_drawing import badge
from chronotope.annotators.tasks.keyframe_asks import ASKS, answered
from chronotope.engine.plans.plan import Inputs, Scores
from chronotope.engine.plans.tstar import TStarParams, tstar_keyframe_search
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.needles import needles_of, words_of
from long_footage import files_in, pictures_of, rows_in, samples_in

SMALL = {
    "CHRONOTOPE_VIDEOS": 2,
    "CHRONOTOPE_MIN_DURATION_S": 2400,
    "CHRONOTOPE_FPS": 1,
    "CHRONOTOPE_WIDTH": 96,
    "CHRONOTOPE_HEIGHT": 54,
}
NEAR_S = 5.0


def truths(sample):
    """Times of the needed frames, s (the middle frame of each moment, at one frame per second)."""
    return [sample.difficulty[f"frame_in_video_{i}"] for i in range(int(sample.difficulty["moments"]))]


def f1(predicted, truth, near_s=NEAR_S):
    """Temporal F1 at 5 s; an empty prediction counts 0."""
    if not len(predicted):
        return 0.0
    apart = np.abs(np.subtract.outer(np.asarray(predicted, float), np.asarray(truth, float)))
    precision, recall = (apart.min(1) <= near_s).mean(), (apart.min(0) <= near_s).mean()
    return 0.0 if precision + recall == 0 else float(2 * precision * recall / (precision + recall))


def detector(pictures, needle):
    """Scores 0..1 of frames for a question: a badge like the one asked for counts 1, a scene like the one around it 0.5.

    Both are read off the pixels: what an open-vocabulary detector does with target and cue objects.
    """
    import cv2

    sprite = badge(*words_of(needle), 15)
    template, solid = sprite[..., :3].astype(np.float32), np.repeat((sprite[..., 3:] > 250), 3, 2).astype(np.float32)
    scene = pictures[max(0, needle.index - 3)].astype(int)
    found: list[float] = []
    for before, picture in zip([None, *pictures], pictures, strict=False):
        if before is not None and np.abs(picture.astype(np.int16) - before).mean() < 0.7:
            found.append(found[-1])  # a held frame goes on
            continue
        error = cv2.matchTemplate(picture.astype(np.float32), template, cv2.TM_SQDIFF, mask=solid).min()
        target = np.sqrt(error / solid.sum()) < 22
        cue = np.abs(picture - scene).mean() < 2.5
        found.append(1.0 if target else 0.5 if cue else 0.0)
    return np.array(found)


def search(values, length, shots, seed):
    """(times of 8 frames, share looked at): T* over everything with half of a tenth, then through the shots of its finds."""
    times = np.arange(len(values), dtype=float)
    scores = Scores(times, values, "badge")
    params = TStarParams(confidence=0.9, look_share=0.05, frames=32)
    plan = tstar_keyframe_search(Inputs(0.0, length, times, 96, 54, scores=scores, seed=seed), params)
    looked, chosen, visited = plan.attributes["looked_at"], plan.times_s[:8], set()
    for best in sorted(plan.times_s, key=lambda t: (-values[int(t)], t)):
        shot = next(s for s in shots if s[0] <= best < s[1])
        near = times[(times >= shot[0]) & (times < shot[1])]
        if shot in visited or looked + len(near) > 0.1 * len(values) or not values[int(best)]:
            continue
        visited.add(shot)
        inside = Inputs(near[0], near[-1] + 1, near, 96, 54, scores=scores, seed=seed)
        closer = tstar_keyframe_search(inside, TStarParams(confidence=0.9, look_share=1.0))
        looked, chosen = looked + closer.attributes["looked_at"], closer.times_s
        if closer.attributes["found"]:
            break
    return chosen, looked / len(values)


@pytest.fixture
def haystack(build):
    root = build("lv_haystack_keyframes", **SMALL)
    return root, samples_in(root), {m: pictures_of(p, 96, 54) for m, p in files_in(root).items()}


def test_the_marked_frames_are_what_the_question_needs(haystack):
    root, samples, films = haystack
    assert verify_root(root).problems == [] and len(samples) >= 4
    uniform, searched, looked = [], [], []
    for sample in samples:
        media_id, truth = sample.media[0].media_id, truths(sample)
        needles = needles_of(rows_in(root, "events", media_id))
        length = sample.window.length_s
        assert f1(truth, truth) == 1.0
        assert f1([t + 5 for t in truth], truth) == 1.0 and f1([t - 5 for t in truth], truth) == 1.0
        assert f1([t + 6 for t in truth], truth) == 0.0  # planted fault: frames a second too far
        for i, t in enumerate(truth):
            assert sample.difficulty[f"frame_in_clip_{i}"] == t  # the clip begins where the film does
        marked = [n for n in needles if any(n.index <= t < n.index + n.frames for t in truth)]
        kind, others = ASKS[int(sample.difficulty["ask"])], [n for n in needles if n not in marked]
        assert answered(kind, marked, marked) is not None
        assert answered(kind, marked, others) != answered(kind, marked, marked)
        uniform.append(f1((np.arange(8) + 0.5) * length / 8, truth))
        if len(marked) == 1:
            values = detector(films[media_id], marked[0])
            shots = [(r["start_s"], r["end_s"]) for r in rows_in(root, "shots", media_id)]
            for seed in range(6):
                times, cost = search(values, length, shots, seed)
                searched.append(f1(times, truth))
                looked.append(cost)
    figures = np.mean(uniform), np.mean(searched), np.mean(looked)
    print("uniform-8 F1 {:.3f}, search F1 {:.3f}, share looked at {:.3f}".format(*figures))
    assert figures[0] <= 0.05, figures
    assert figures[1] >= 0.5 and max(looked) <= 0.1, figures
