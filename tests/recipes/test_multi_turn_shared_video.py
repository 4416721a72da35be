"""multi_turn_shared_video (row 29): all turns of a session share one medium, and at least one asks for a detail."""

from __future__ import annotations

from chronotope.engine.catalog import Catalog
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.sample import BoxAnswer, Sample, SpanAnswer, SpanBoxAnswer, TurnPart


def is_detail(part: TurnPart) -> bool:
    """Brief (2 s at most) or small (a fiftieth of the picture)."""
    answer = part.answer
    brief = isinstance(answer, SpanAnswer | SpanBoxAnswer) and answer.end_s - answer.start_s <= 2.0
    if not isinstance(answer, BoxAnswer | SpanBoxAnswer):
        return brief
    x1, y1, x2, y2 = answer.box
    return brief or (x2 - x1) * (y2 - y1) <= 0.02


def faults(session: Sample, contents: dict[str, str]) -> list[str]:
    """What is wrong with a session; `contents` are the media_ids of the samples that its turns were made of."""
    found = []
    used = {contents[e.values["sample_id"]] for e in session.evidence if e.table == "samples"}
    if len(session.media) != 1 or used != {session.media[0].media_id}:
        found.append("turns do not share one medium")
    if not any(is_detail(p) for p in session.answer.parts):
        found.append("no turn asks for a detail")
    if not 3 <= len(session.answer.parts) <= 8:
        found.append(f"{len(session.answer.parts)} turns")
    return found


def test_sessions_share_one_video_and_hold_a_detail(build) -> None:
    root = build("multi_turn_shared_video")
    assert verify_root(root).problems == []
    samples = [Sample.from_row(r) for r in Catalog(root).rows("SELECT * FROM samples")]
    contents = {s.sample_id: s.media[0].media_id for s in samples}
    sessions = [s for s in samples if s.task == "conversation"]
    assert len(sessions) >= 2 and all(faults(s, contents) == [] for s in sessions)

    first = sessions[0]
    other = next(m for m in contents.values() if m != first.media[0].media_id)
    member = next(e.values["sample_id"] for e in first.evidence if e.table == "samples")
    assert faults(first, contents | {member: other}) == ["turns do not share one medium"]
    coarse = [p for p in first.answer.parts if not is_detail(p)]
    assert "no turn asks for a detail" in faults(
        first.model_copy(update={"answer": first.answer.model_copy(update={"parts": tuple(coarse)})}), contents
    )
