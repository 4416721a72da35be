"""videorefer_700k (row 48): questions follow from tracks, the reviewer looks at the pixels and rejects other regions, masks are exact."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chronotope.annotators.compose.drawing import COLOURS
from chronotope.annotators.compose.truth import FilmTruth
from chronotope.engine.catalog import Catalog
from chronotope.outputs.packagers.videorefer import _resized, _segmentation, mismatches
from chronotope.pipelines.packages import package_all
from chronotope.pipelines.recipe import Recipe
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.masks import decode_mask, encode_mask, mask_iou
from chronotope.schemas.sample import Sample
from film_places import place_of, thing_at
from model_asked import Asked
from model_recipes import build_with_models
from model_server import ModelServer
from PIL import Image

pytestmark = pytest.mark.xdist_group("ray")
REGION = re.compile(r"<boxat:([^>]*)>")
LEFT = {"to the left of it": (0, -1), "to the right of it": (0, 1), "above it": (1, -1), "below it": (1, 1)}


def colour_of(jpeg: bytes) -> str:
    """The named colour nearest to the middle of a picture: what somebody who looks would say."""
    picture = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), float)
    height, width = picture.shape[:2]
    middle = picture[int(height * 0.38) : int(height * 0.62), int(width * 0.38) : int(width * 0.62)].reshape(-1, 3)
    seen = np.median(middle, axis=0)
    return min(COLOURS, key=lambda name: float(np.abs(np.array(COLOURS[name]) - seen).sum()))


def describing(asked: Asked) -> dict[str, Any]:
    """Looks at the region, and names its colour; a star's colour wrongly would be a lie, so it never guesses."""
    colour = colour_of(asked.images[0])
    return {"phrase": f"{colour} thing", "description": f"A flat thing, {colour} all over."}


def lying(asked: Asked) -> dict[str, Any]:
    """Names another colour than the one that is there."""
    names = sorted(COLOURS)
    wrong = names[(names.index(colour_of(asked.images[0])) + 4) % len(names)]
    return {"phrase": f"{wrong} thing", "description": f"A flat thing, {wrong} all over."}


def reviewing(asked: Asked) -> dict[str, Any]:
    """Looks at the region by itself, then compares with the description."""
    colour = colour_of(asked.images[0])
    described = asked.user.split("The description:")[1]
    return {"seen": f"something {colour}", "verdict": "same" if colour in described else "other"}


def refining(asked: Asked) -> dict[str, Any]:
    described = asked.user.split("What it looks like:")[1].split("\n")[0].strip()
    happens = [line[2:] for line in asked.user.splitlines() if line.startswith("- ") and "nothing" not in line]
    return {"caption": " ".join([described, *(f"{h[:1].upper()}{h[1:]}." for h in happens[:1])])}


def asked_of(tmp_path: Path, captioner: Any) -> Any:
    replies = {"RegionCaptionReply": captioner, "RegionReviewReply": reviewing, "RegionRefineReply": refining}
    with ModelServer(replies=replies) as server:
        return build_with_models(tmp_path, server, tasks=[{"region_captions": {"controls": 1.0}}])


def test_the_reviewer_confirms_what_is_there_and_rejects_other_regions(tmp_path: Path) -> None:
    built = asked_of(tmp_path, describing)
    assert not built.report.failures
    outcome = {
        r["rule"] or "landed": r["n"]
        for r in built.rows("SELECT rule, count(*)::INT AS n FROM proposals WHERE task = 'region_captions' GROUP BY 1")
    }
    controls = built.rows("SELECT reason FROM proposals WHERE rule = 'control'")
    assert len(controls) >= 4
    rejected = sum("called other" in r["reason"] for r in controls)
    assert rejected >= 0.9 * len(controls)  # a shuffled region is rejected
    assert outcome["landed"] >= 4 and outcome.get("reviewed", 0) == 0
    for row in built.rows(
        "SELECT s.*, v.passed, v.reason, v.check_status FROM samples s JOIN verdicts v USING (sample_id)"
    ):
        sample = Sample.from_row(row)
        assert row["passed"] and row["check_status"] == "unchecked", row["reason"]
        track = next(e.values for e in sample.evidence if e.table == "tracks")
        assert json.loads(track["attributes_json"])["colour"] in sample.answer.text  # the film confirms the caption


def test_a_captioner_that_lies_is_rejected(tmp_path: Path) -> None:
    built = asked_of(tmp_path, lying)
    found = built.rows("SELECT outcome, rule, count(*)::INT AS n FROM proposals WHERE item % 2 = 0 GROUP BY ALL")
    assert {(r["outcome"], r["rule"]) for r in found} == {("rejected", "reviewed")}
    assert built.rows("SELECT count(*)::INT AS n FROM samples")[0]["n"] == 0


def test_questions_follow_from_tracks_and_packages_carry_their_masks(build, films: Path) -> None:
    root = build("videorefer_700k", CHRONOTOPE_PER_MEDIUM=2)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    film_of = {
        r["media_id"]: FilmTruth.from_json((films / r["title"]).with_suffix(".truth.json").read_text())
        for r in catalog.rows("SELECT media_id, title FROM media")
    }
    samples = {r["sample_id"]: Sample.from_row(r) for r in catalog.rows("SELECT * FROM samples")}
    kinds = set()
    for sample in samples.values():
        film = film_of[sample.media[0].media_id]
        regions = [list(map(float, m.split(","))) for m in REGION.findall(sample.turns[0].text)]
        things = [thing_at(film, t, edges) for t, *edges in regions]
        subject = next(
            e.values for e in sample.evidence if e.table == "boxes"
        )  # the first region may stand second in the text
        if abs(subject["t_s"] - regions[0][0]) > 1e-6 or abs(subject["x1"] - regions[0][1]) > 1e-5:
            things.reverse()
        said = sample.options[sample.answer.index].text
        if len(regions) == 2:
            kinds.add("relationship")
            axis, sign = LEFT[said]
            times = [t for t in np.arange(0, film.duration_s, 0.2) if sample.window.contains(t)]
            places = [[place_of(o, t) for o in things] for t in times]
            both = [(a.centre[axis], b.centre[axis]) for a, b in places if a is not None and b is not None]
            right = [sign * (a - b) > 0 for a, b in both]
            assert np.mean(right) >= 0.9
        elif said in COLOURS:
            kinds.add("basic")
            assert things[0].colour == said
        else:
            kinds.add("sequential")
            way = said.split()[-1]
            assert things[0].world_direction == way
    assert kinds == {"basic", "sequential", "relationship"}

    package_all(Recipe.read("videorefer_700k"), root, only="videorefer")
    entries = [e for f in (root / "packages" / "videorefer").glob("[tv]*.json") for e in json.loads(f.read_text())]
    assert len(entries) == len(samples)
    for entry in entries:
        assert mismatches(entry, 160, 90) == []
        sample, film = samples[entry["id"]], film_of[samples[entry["id"]].media[0].media_id]
        first = list(map(float, REGION.findall(sample.turns[0].text)[0].split(",")))
        thing = thing_at(film, first[0], first[1:])
        shares = []
        for frame, value in entry["annotation"][0].items():
            place = place_of(thing, sample.window.start_s + int(frame) / 12)
            mask = decode_mask(json.dumps(value["segmentation"]))
            if place is not None:
                x1, y1, x2, y2 = place.to_pixels(160, 90)
                truth = np.zeros((90, 160), bool)
                truth[round(y1) : round(y2), round(x1) : round(x2)] = True
                shares.append(mask_iou(mask, truth))
        assert np.mean(shares) >= 0.75  # frames are whole, boxes are not
    broken = json.loads(json.dumps(entries[0]))
    broken["conversations"][0]["value"] += " <region>"
    assert mismatches(broken, 160, 90)


def test_masks_keep_their_pixels() -> None:
    rows, columns = np.mgrid[0:90, 0:160]
    disc = (rows - 40) ** 2 + (columns - 70) ** 2 < 400
    place = {"mask": encode_mask(disc), "box": [0.3, 0.2, 0.6, 0.7]}
    assert (decode_mask(json.dumps(_segmentation(place, 160, 90))) == disc).all()
    assert mask_iou(_resized(_resized(disc, 320, 180), 160, 90), disc) >= 0.9
