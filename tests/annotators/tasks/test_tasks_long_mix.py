"""long_mix on hand-made rows: within its target, hidden things even in depth, and no lie passes."""

from __future__ import annotations

import pytest
from chronotope.annotators.tasks.long_mix import LongMix
from chronotope.schemas.needles import attributes, name_of
from chronotope.schemas.sample import Sample


@pytest.fixture
def film(new_world):
    world = new_world()
    world.medium("film", 200.0, fps=10.0, origin="composed")
    world.clip("film", 0.0, 200.0)
    for k, (first, second) in enumerate((("red", "star"), ("blue", "moon"), ("green", "ring"))):
        at = 30.0 + 60 * k
        world.add(
            "events", "film", "composed_truth", start_s=at, end_s=at + 1.0, text=name_of("picture", first, second),
            kind="needle", attributes_json=attributes("picture", round(at * 10), 10, (at + 0.5) / 200),
        )  # fmt: skip
        world.add(
            "text_regions", "film", "composed_truth", start_s=at + 10, end_s=at + 12, text=f"Sign {'ABC'[k]}",
            confidence=1.0, x1=0.2, y1=0.4, x2=0.8, y2=0.6,
        )  # fmt: skip
        world.add("speech", "film", "composed_truth", start_s=at, end_s=at + 3, text=f"This is line {'ABC'[k]} of it.")
    return world


def test_rows_of_every_kind_and_target_are_made_and_no_lie_passes(film, all_caught):
    task = LongMix(LongMix.Params(targets=(2048, 4096), picture_tokens=32))
    rows = film.run(task, "film")
    samples = [Sample.from_row(row) for row in rows]
    assert len(samples) == 6 and all(s.problems() == [] for s in samples)
    for sample in samples:
        pictures = sum(len(ref.frame_times) for ref in sample.media)
        assert abs(sample.difficulty["tokens"] / sample.difficulty["target_tokens"] - 1) <= 0.02
        assert task.tokens("".join(t.text for t in sample.turns), pictures) == sample.difficulty["tokens"]
    one_of_each = {row["wording"][:2]: row for row in rows}
    assert all_caught(film, task, list(one_of_each.values())) > 60


def test_depths_of_what_is_hidden_spread_over_the_documents(film):
    targets = tuple(range(1024, 1024 + 40 * 16, 16))
    task = LongMix(LongMix.Params(ask=("document_text",), targets=targets, picture_tokens=32))
    depths = [Sample.from_row(row).difficulty["depth"] for row in film.run(task, "film")]
    assert len(depths) == 40 and all(sum(low <= d < low + 0.25 for d in depths) >= 4 for low in (0.0, 0.25, 0.5, 0.75))


def test_a_clip_that_is_too_short_for_the_target_gives_no_row(film):
    assert film.run(LongMix(LongMix.Params(targets=(262_144,), picture_tokens=32, least_step_s=0.2)), "film") == []
