"""Frame plans and doubted needs of the samples of a medium: one row each, true to a known film."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from chronotope.annotators.checks.frame_plans import ANNOTATOR as FramePlans
from chronotope.annotators.checks.need_checks import ANNOTATOR as NeedChecks
from chronotope.engine.annotator import Rows, SkipUnit, Unit
from chronotope.engine.producer import ProducerSpec, RecipeError
from chronotope.schemas.sample import Evidence, MediumRef, Sample, SpanAnswer, Turn
from chronotope.schemas.tables import TABLES

MEDIUM = {"media_id": "m", "duration_s": 600.0, "fps": 25.0, "width": 1280, "height": 720}
TWIN = {**MEDIUM, "media_id": "twin"}
UNIT = Unit("m", "medium", None, "hand", 0)


def asked(span: tuple[float, float], window: tuple[float, float] = (0.0, 600.0), **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "task": "t", "recipe": "hand", "media": (MediumRef(media_id="m", start_s=window[0], end_s=window[1]),),
        "turns": (Turn(role="user", text="<video>\nWhen?"), Turn(role="assistant", text="Then.")),
        "answer": SpanAnswer(start_s=span[0], end_s=span[1]), "needs": ("vision",), "wording": "w",
        "evidence": (Evidence(table="media", row_id="m", values={}),), "answer_form": "a", "generator": "g",
    }  # fmt: skip
    return Sample(**{**values, **changes}).to_row()


def plans(*samples: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
    annotator = FramePlans(FramePlans.Params(**params))
    found = list(annotator.annotate(UNIT, Rows({"samples": list(samples), "media": [MEDIUM, TWIN]})))
    assert {table for table, _ in found} == {"frame_plans"}
    for _, row in found:
        TABLES["frame_plans"].complete(row, "frame_plans", "m", "m")
    return [row for _, row in found]


def test_a_short_event_in_long_footage_is_seen_by_two_frames_a_second_only() -> None:
    rows = {row["profile"]: row for row in plans(asked((297.0, 300.0)))}
    assert {name: row["rule"] for name, row in rows.items()} == {
        "llava-video-64": "no frame inside the evidence",
        "llamafactory-128": None,  # 63 x 599.96 / 127 = 297.6 s
        "qwen2.5-vl-2fps": None,
    }
    llava, qwen = rows["llava-video-64"], rows["qwen2.5-vl-2fps"]
    assert (llava["answerable"], llava["frames_in_evidence"], llava["evidence_s"]) == (False, 0, 3.0)
    assert llava["detail"] == "0 of 64 frames in 297..300 s"
    assert len(llava["frames"]) == 64
    assert llava["tokens"] == 64 * 210 == sum(frame["tokens"] for frame in llava["frames"])
    assert qwen["frames_in_evidence"] == 4, "768 frames in 600 s are one every 0.78 s"
    assert [f["role"] for f in qwen["frames"]].count("evidence") == 4
    assert qwen["coverage"] == pytest.approx(1.0)
    assert llava["coverage"] == 0.0


def test_the_window_is_what_is_drawn_from() -> None:
    (row,) = plans(asked((297.0, 300.0), (280.0, 320.0)), profiles=("llava-video-64",))
    times = [frame["t_s"] for frame in row["frames"]]
    assert (times[0], times[-1]) == (280.0, pytest.approx(319.96))
    assert row["answerable"]
    assert row["frames_in_evidence"] == 5


def test_each_sample_is_judged_once_and_malformed_ones_not_at_all() -> None:
    good = asked((10.0, 20.0), (0.0, 30.0))
    bad = {**asked((11.0, 20.0), (0.0, 30.0)), "answer_json": "{"}
    assert len(plans(good, good, bad)) == 3
    with pytest.raises(SkipUnit):
        plans()


def test_a_profile_of_your_own_is_read_and_edits_make_rows_stale(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("video: {sampler: llava_video, sampler_params: {frames_upbound: 2}}")
    (row,) = plans(asked((10.0, 20.0), (0.0, 30.0)), profiles=(str(file),))
    assert (row["profile"], len(row["frames"]), row["answerable"]) == ("two", 2, False)
    before = FramePlans(FramePlans.Params(profiles=(str(file),))).code_digest()
    file.write_text("video: {sampler: llava_video, sampler_params: {frames_upbound: 3}}")
    assert FramePlans(FramePlans.Params(profiles=(str(file),))).code_digest() != before


@pytest.mark.parametrize(
    ("profiles", "said"),
    [(["qwen"], "did you mean qwen2.5-vl-2fps"), (["llava-video-64", "llava-video-64"], "two profiles have one name")],
)
def test_a_recipe_with_an_unknown_profile_says_so(profiles: list[str], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        ProducerSpec("frame_plans", "frame_plans", {"profiles": profiles}).build()


def test_subtitles_make_hearing_needless_and_a_twin_is_not_judged_by_its_source() -> None:
    question = (Turn(role="user", text="<video>\nWhen is “the old barn” said?"), Turn(role="assistant", text="Then."))
    heard = asked((10.0, 12.0), (0.0, 30.0), turns=question, needs=("audio", "speech_text"))
    on_twin = asked(
        (10.0, 12.0), turns=question, needs=("audio",), media=(MediumRef(media_id="twin", start_s=0.0, end_s=30.0),)
    )
    text = {"producer": "text_regions", "media_id": "m", "text": "The old barn", "start_s": 10.0, "end_s": 12.5,
            "x1": 0.2, "y1": 0.8}  # fmt: skip
    annotator = NeedChecks(NeedChecks.Params())
    found = list(annotator.annotate(UNIT, Rows({"samples": [heard, on_twin], "text_regions": [text]})))
    assert {(row["need"], row["other_way"], row["needed"], row["score"]) for _, row in found} == {
        ("audio", "vision", False, 0.8),
        ("speech_text", "vision", False, 0.8),
    }
    for table, row in found:
        TABLES[table].complete(row, "need_checks", "m", "m")
    with pytest.raises(SkipUnit):
        list(annotator.annotate(UNIT, Rows({"samples": [heard]})))
