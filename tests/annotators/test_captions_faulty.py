"""Captions and claims when models or the way to them fail: everything that lands is valid, all else has its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.captions import MODEL_LEVELS
from chronotope.schemas.markup import Moment, SpanMark, parse
from model_asked import Asked
from model_faults import storm
from model_recipes import build_with_models
from model_server import ModelServer

pytestmark = pytest.mark.xdist_group("ray")
SEEN = ["speech", "text", "shot", "object"]
ENRICH = [{"captions": {"facts": SEEN}}, {"claims": {"facts": ["speech", "text", "object"], "ask_about": "all"}}]


def test_the_checker_never_sees_the_caption(tmp_path: Path) -> None:
    with ModelServer(keep_bodies=True) as server:
        built = build_with_models(tmp_path, server, enrich=ENRICH)
        asked = [json.dumps(body, ensure_ascii=False) for body in server.requests.bodies]
    checks = [text for text in asked if "StatementVerdictsReply" in text]
    captions = built.rows("SELECT sentences FROM captions WHERE sentences IS NOT NULL")
    told = {s["slot_text"] for row in captions for s in row["sentences"]}
    assert checks
    assert not [sentence for sentence in told for text in checks if sentence in text]
    by = built.rows("SELECT DISTINCT unnest(checked_by) AS name FROM claims")
    assert {"tracks", "second_captioner"} <= {row["name"] for row in by}


def test_a_checker_that_says_yes_to_everything_has_no_say(tmp_path: Path) -> None:
    def yes(asked: Asked) -> dict[str, Any]:
        statements = asked.user.partition("Statements:")[2].count("\n1") + 40
        numbers = [n for n in range(1, statements) if f"\n{n}. " in asked.user]
        return {"verdicts": [{"statement": n, "says": "yes"} for n in numbers]}

    with ModelServer(replies={"StatementVerdictsReply": yes}) as server:
        built = build_with_models(tmp_path, server, enrich=ENRICH)
    objects = built.rows("SELECT * FROM claims WHERE kind = 'object'")
    assert objects
    assert all(claim["checked_by"] == ["tracks"] for claim in objects)


def test_literal_times_and_false_quotations_never_land(tmp_path: Path) -> None:
    def timed(asked: Asked) -> dict[str, Any]:
        told = {"text": "After 2.5 seconds a red circle appears.", "facts": []}
        return {"brief": [{"text": "A scene is shown.", "facts": []}], "dense": [told], "objects": [told]}

    def invented(asked: Asked) -> dict[str, Any]:
        empty = {"attribute": "", "predicate": "", "object_text": "", "words": "", "first": "", "second": ""}
        told = {"sentence": 1, "kind": "object", "claim": "There is a dog.", "quote": "a dog", "subject": "a dog"}
        return {"claims": [{**empty, **told, "number": None, "negated": False}]}

    with ModelServer(replies={"ClipCaptionsReply": timed, "AtomicClaimsReply": invented}) as server:
        built = build_with_models(tmp_path, server, enrich=ENRICH)
    assert {r["level"] for r in built.rows("SELECT level FROM captions")} == {"event", "brief"}
    assert built.rows("SELECT * FROM claims") == []
    rules = built.rows(
        "SELECT task, rule, count(*) AS n FROM proposals WHERE outcome = 'rejected' GROUP BY ALL ORDER BY task"
    )
    clips = built.rows("SELECT count(*) AS n FROM clips")[0]["n"]
    assert [(r["task"], r["rule"], r["n"]) for r in rules] == [
        ("captions", "literal_time", 2 * clips),
        ("claims", "quote_not_found", rules[1]["n"]),
    ]


def test_in_a_storm_of_faults_what_lands_is_valid_and_requests_add_up(tmp_path: Path) -> None:
    with ModelServer(faults=storm(0.3), slow_s=0.1, huge_bytes=200_000) as server:
        built = build_with_models(tmp_path, server, enrich=[*ENRICH, "media_captions"])
    (duration,) = (r["duration_s"] for r in built.rows("SELECT duration_s FROM media"))
    captions = built.rows("SELECT * FROM captions WHERE list_contains(?, level)", [list(MODEL_LEVELS)])
    assert captions
    for row in captions:
        for token in parse(row["text"]):
            if isinstance(token, SpanMark):
                assert 0 <= token.start_s < token.end_s <= duration
            assert not isinstance(token, Moment) or 0 <= token.t_s <= duration
    known = {row["row_id"] for row in captions}
    assert all(claim["caption_id"] in known for claim in built.rows("SELECT * FROM claims"))
    asked = {r["request_hash"] for r in built.rows("SELECT request_hash FROM llm_calls WHERE status <> 'error'")}
    assert asked == {r["request_hash"] for r in built.rows("SELECT request_hash FROM proposals")}


def test_a_long_medium_is_told_in_rounds_until_one_reply_tells_all_of_it(tmp_path: Path) -> None:
    rounds = {"media_captions": {"most_parts": 2, "most_chapters": 1}}
    with ModelServer() as server:
        built = build_with_models(tmp_path, server, enrich=[{"captions": {"facts": SEEN}}, rounds])
    (duration,) = (r["duration_s"] for r in built.rows("SELECT duration_s FROM media"))
    chapters = built.rows("SELECT start_s, end_s FROM captions WHERE level = 'chapter'")
    assert chapters == [{"start_s": 0.0, "end_s": duration}]
    calls = built.rows("SELECT count(*) AS n FROM llm_calls WHERE asked_by = 'media_captions'")[0]["n"]
    assert calls == 3


def test_without_models_the_units_are_skipped_and_say_what_to_set(tmp_path: Path) -> None:
    built = build_with_models(tmp_path, None, enrich=[*ENRICH, "media_captions"])
    rules = {r["producer"]: r["rule"] for r in built.rows("SELECT producer, rule FROM ledger WHERE status = 'skipped'")}
    assert not built.report.failures
    assert "captioner" in rules["captions"]
    assert "writer" in rules["claims"]
