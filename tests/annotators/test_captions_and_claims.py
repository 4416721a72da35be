"""Captions of models and their claims, end to end against the test server: times are code's, and what is wrong is cut."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from chronotope.annotators.text.caption_replies import CaptionSentence, MediumCaptionsReply
from chronotope.annotators.text.captions import level_problem
from chronotope.annotators.text.claim_replies import AtomicClaim, claim_problem
from chronotope.annotators.text.media_captions import story_problem, tiled
from chronotope.engine.captions import kept_text, told_rows
from chronotope.engine.llm.prompts import FOLDER
from chronotope.pipelines.report import write_report
from chronotope.schemas.facts import Fact, Facts
from chronotope.schemas.markup import SpanMark, parse
from chronotope.schemas.span import Span
from model_recipes import Built, build_with_models
from model_server import ModelServer

WINDOW = Span(0.0, 10.0)
FACTS = Facts(
    [
        Fact("e1", "speech", "speech", {"row_id": "a"}, Span(1.0, 3.0), text="hello there"),
        Fact("e2", "text", "text_regions", {"row_id": "b"}, Span(4.0, 6.0), text="OPEN"),
    ]
)
SEEN = ["speech", "text", "shot", "object"]


def sentence(text: str, *facts: str) -> CaptionSentence:
    return CaptionSentence(text=text, facts=list(facts))


@pytest.mark.parametrize(
    ("sentences", "rule"),
    [
        ([sentence("During {e1}, a voice says {e1.text}.", "e1"), sentence("Then {e2} shows a sign.", "e2")], None),
        ([sentence("After three seconds a door opens.")], "literal_time"),
        ([sentence("During {e7}, a door opens.")], "unknown_evidence"),
        ([sentence("A door opens.", "e9")], "unknown_evidence"),
        ([sentence("A sign is shown.", "e2"), sentence("Then a voice speaks.", "e1")], "out_of_order"),
        ([sentence(" ")], "empty_sentence"),
        ([], "nothing_said"),
    ],
)  # fmt: skip
def test_a_level_is_usable_only_with_times_by_slots_and_events_in_order(
    sentences: list[CaptionSentence], rule: str | None
) -> None:
    found = level_problem("dense", sentences, FACTS, WINDOW)
    assert (found.rule if found else None) == rule


def claim(**parts: Any) -> AtomicClaim:
    empty = {"attribute": "", "predicate": "", "object_text": "", "words": "", "first": "", "second": "", "subject": ""}
    told = {"sentence": 1, "kind": "object", "claim": "There is a red ball.", "quote": "a red ball"}
    return AtomicClaim(**{**empty, **told, "number": None, "negated": False, **parts})


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        ({"subject": "a red ball"}, None),
        ({"subject": "a red ball", "quote": "the red ball"}, "quote_not_found"),
        ({"subject": "a blue ball"}, "not_in_caption"),
        ({"subject": "a red ball", "sentence": 3}, "unknown_sentence"),
        ({"subject": ""}, "incomplete_claim"),
        ({"kind": "count", "subject": "ball", "number": 1}, None),
        ({"kind": "count", "subject": "balls", "number": 3}, "not_in_caption"),
        ({"kind": "action", "subject": "red ball", "predicate": "rolls", "object_text": "to the left"}, None),
        ({"kind": "action", "subject": "red ball", "predicate": "jumps"}, "not_in_caption"),
        ({"kind": "order", "predicate": "before", "first": "e1", "second": "e2"}, None),
        ({"kind": "order", "predicate": "beside", "first": "e1", "second": "e2"}, "incomplete_claim"),
        ({"kind": "order", "predicate": "before", "first": "e1", "second": "e5"}, "unknown_evidence"),
    ],
)  # fmt: skip
def test_a_claim_must_be_in_the_caption_letter_by_letter(parts: dict[str, Any], rule: str | None) -> None:
    found = claim_problem(claim(**parts), ["During {e1}, a red ball rolls to the left.", "Then {e2}."], ["e1", "e2"])
    assert (found.rule if found else None) == rule


def story(*begins: str, title: str = "A title") -> MediumCaptionsReply:
    told = [{"text": "Something happens.", "facts": []}]
    chapters = [{"begins_with": name, "title": title, "summary": told} for name in begins]
    return MediumCaptionsReply.model_validate({"summary": told, "chapters": chapters})


PARTS = [Fact(f"c{i + 1}", "caption", "captions", {"row_id": "x"}, Span(2.0 * i, 2.0 * i + 1.5)) for i in range(4)]


@pytest.mark.parametrize(
    ("reply", "rule"),
    [
        (story("c1", "c3"), None), (story("c2", "c3"), "not_tiled"), (story("c1", "c3", "c2"), "not_tiled"),
        (story("c1", "c9"), "unknown_evidence"), (story(), "nothing_said"), (story("c1", "c2", "c3", "c4"), "too_many_chapters"),
        (story("c1", title="At 3.5 seconds"), "literal_time"), (story("c1", title="Until {c2}"), "malformed_slot"),
    ],
)  # fmt: skip
def test_chapters_follow_each_other_from_the_first_part(reply: MediumCaptionsReply, rule: str | None) -> None:
    found = story_problem(reply, Facts(PARTS), WINDOW, 3)
    assert (found.rule if found else None) == rule


def test_chapters_last_until_the_next_begins() -> None:
    spans = tiled([PARTS[0].span, PARTS[2].span], PARTS, WINDOW)  # type: ignore[list-item]
    assert spans == [Span(0.0, 4.0), Span(4.0, 7.5)]


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A film described by a captioner that names all colours wrongly, because a prompt of the recipe's own asks for it."""
    folder = tmp_path_factory.mktemp("careless")
    own = yaml.safe_load((FOLDER / "captions.yaml").read_text(encoding="utf-8"))
    own["system"] += "\nBe careless about colours."
    (folder / "careless.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    with ModelServer() as server:
        enrich = [{"captions": {"facts": SEEN, "prompt": "careless.yaml"}}, "claims", "media_captions"]
        return build_with_models(folder, server, enrich=enrich, tasks=["text_grounding"])


@pytest.mark.xdist_group("ray")
def test_wrong_colours_are_contradicted_by_the_tracks_and_cut(careless: Built) -> None:
    assert not careless.report.failures
    claims = careless.rows("SELECT * FROM claims")
    wrong = [c for c in claims if c["kind"] == "object" and c["status"] == "contradicted"]
    assert len(wrong) > 5
    assert all(c["checked_by"] == ["tracks"] for c in wrong)
    captions = {c["row_id"]: c for c in careless.rows("SELECT * FROM captions")}
    for row in careless.rows("SELECT * FROM caption_view WHERE contradicted > 0"):
        assert row["kept_text"] == kept_text(captions[row["caption_id"]], claims)
        assert len(row["kept_text"]) < len(row["text"])
        for c in wrong:
            assert c["caption_id"] != row["caption_id"] or c["quote"] not in row["kept_text"]


@pytest.mark.xdist_group("ray")
def test_claim_rates_tell_how_often_a_model_was_right_per_kind(careless: Built) -> None:
    rates = {r["kind"]: r for r in careless.rows("SELECT * FROM claim_rates")}
    assert rates["text"]["share"] == 1.0
    assert rates["object"]["share"] < 0.3
    for r in rates.values():
        assert r["supported"] + r["contradicted"] + r["unchecked"] == r["claims"]


@pytest.mark.xdist_group("ray")
def test_every_request_landed_or_was_rejected_with_its_reason(careless: Built) -> None:
    asked = {r["request_hash"] for r in careless.rows("SELECT request_hash FROM llm_calls")}
    proposals = careless.rows("SELECT * FROM proposals")
    assert asked == {r["request_hash"] for r in proposals}
    assert all((p["outcome"] == "landed") == (p["rule"] is None) for p in proposals)


@pytest.mark.xdist_group("ray")
def test_times_of_captions_are_those_of_the_facts_that_they_name(careless: Built) -> None:
    found = 0
    for row in careless.rows("SELECT * FROM captions WHERE level = 'dense'"):
        for told in row["sentences"]:
            known = {(f["start_s"], f["end_s"]) for f in told["facts"]}
            spans = [t for t in parse(told["text"]) if isinstance(t, SpanMark)]
            assert all((s.start_s, s.end_s) in known for s in spans)
            found += len(spans)
    assert found > 5


@pytest.mark.xdist_group("ray")
def test_chapters_tile_the_medium_and_rest_on_what_was_not_cut(careless: Built) -> None:
    (medium,) = careless.rows("SELECT duration_s FROM media")
    chapters = careless.rows("SELECT * FROM captions WHERE level = 'chapter' ORDER BY start_s")
    assert chapters[0]["start_s"] == 0.0
    assert chapters[-1]["end_s"] == medium["duration_s"]
    assert all(a["end_s"] == b["start_s"] for a, b in pairwise(chapters))
    shown = "".join(r["values_json"] for p in careless.rows("SELECT evidence FROM proposals WHERE task = 'media_captions'")
                    for r in p["evidence"])  # fmt: skip
    cut = careless.rows("SELECT text FROM caption_view WHERE level = 'brief' AND kept_text = ''")
    assert cut
    assert all(c["text"] not in shown for c in cut)


@pytest.mark.xdist_group("ray")
def test_captions_of_models_are_no_events(careless: Built) -> None:
    told = told_rows(careless.rows("SELECT * FROM captions"))
    assert {c["level"] for c in told} == {"event"}
    counted = careless.rows("SELECT sum(captions) AS n FROM clip_view")[0]["n"]
    spans = careless.rows(
        "SELECT count(*) AS n FROM captions c JOIN clips k ON c.media_id = k.media_id "
        "AND c.start_s < k.end_s AND c.end_s > k.start_s WHERE c.level = 'event'"
    )
    assert counted == spans[0]["n"]


@pytest.mark.xdist_group("ray")
def test_the_report_tells_the_support_rate_of_each_model(careless: Built, tmp_path: Path) -> None:
    figures = write_report(careless.root, tmp_path).figures
    (model,) = figures["captions"]
    assert model["model"] == "test-model"
    assert model["supported"] + model["contradicted"] + model["unchecked"] == model["claims"]
    assert model["low"] < model["share"] < model["high"]
    assert model["cut"] == sum(1 for r in careless.rows("SELECT DISTINCT caption_id, sentence FROM claims "
                                                        "WHERE status = 'contradicted'"))  # fmt: skip
    share = f"{100 * model['share']:.0f}%"
    assert f"| test-model | all | {model['claims']} |" in (tmp_path / "report.md").read_text(encoding="utf-8")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Captions of models" in page
    assert f"<b>{share}</b>" in page
