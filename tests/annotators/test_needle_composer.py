"""The composer `needle`: what it hides is where it says, depths are even, and the haystack's truth comes along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chronotope.annotators.compose.film import compose_film
from chronotope.annotators.compose.script import FilmParams
from chronotope.annotators.composers.needle import Needle
from chronotope.annotators.composers.needle_drawing import badge, card
from chronotope.engine.composing import ComposeError
from chronotope.engine.media.decode import VideoReader
from chronotope.pipelines.material import material_of
from chronotope.pipelines.recipe_sources import Source
from chronotope.schemas.needles import needles_of, words_of
from chronotope.schemas.tables import TABLES


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hay")
    for seed in (5, 6):
        film = folder / f"film{seed}.mp4"
        truth = compose_film(film, FilmParams(seed=seed, scenes=3, width=96, height=54, fps=10))
        film.with_suffix(".truth.json").write_text(truth.to_json())
    source = Source(compose="needle", material=({"folder": str(folder), "origin": "composed"},))
    return material_of(source, Path(), folder)


def drafts(material, **settings):
    settings = {"width": 96, "height": 54, "fps": 5, "min_duration_s": 30.0} | settings
    return list(Needle(Needle.Params(**settings)).compose(material, 3))


def hidden(draft):
    rows = [TABLES["events"].complete(r, "composed_truth", "m", "m") for r in draft.rows.get("events", ())]
    return needles_of(rows)


def frames_of(draft, tmp_path):
    draft.write(tmp_path / "film.mp4")
    return [f.rgb_at(96, 54) for f in VideoReader(tmp_path / "film.mp4")]


def test_cards_words_and_badges_are_at_their_frames_and_nowhere_else(material, tmp_path):
    found = drafts(material, videos=1, plans=("several",), insert=("picture", "subtitle", "object"), needles=(6, 6))
    pictures = frames_of(found[0], tmp_path)
    needles = hidden(found[0])
    assert {n.insert for n in needles} == {"picture", "subtitle", "object"} and len(pictures) == found[0].duration_s * 5
    for n in needles:
        inside = pictures[n.index : n.index + n.frames]
        around = [pictures[n.index - 1], pictures[n.index + n.frames]]
        if n.insert == "picture":
            drawn = card(*words_of(n), 96, 54).astype(int)
            assert all(np.abs(p - drawn).mean() < 8 for p in inside)
            assert all(np.abs(p - drawn).mean() > 20 for p in around)
        elif n.insert == "subtitle":
            [text] = [t for t in found[0].rows["text_regions"] if t["start_s"] == n.span.start_s]
            low = slice(int(text["y1"] * 54), int(text["y2"] * 54) + 1)
            assert text["text"].lower() in n.text.lower()
            assert all(np.abs(p[low] - around[0][low].astype(int)).mean() > 10 for p in inside)
        else:
            [track] = [t for t in found[0].rows["tracks"] if t["start_s"] == n.span.start_s and t["label"] == "badge"]
            box = next(b for b in found[0].rows["boxes"] if b["track_id"] == track["track_id"])
            x, y = round(box["x1"] * 96), round(box["y1"] * 54)
            sprite = badge(*words_of(n), 15)
            part = inside[0][y : y + 15, x : x + 15].astype(int)
            solid = sprite[..., 3] > 250
            assert np.abs(part - sprite[..., :3].astype(int))[solid].mean() < 30


def test_the_truth_of_the_haystack_moves_by_what_was_put_in(material):
    [plain] = drafts(material, videos=1, plans=("none",))
    [hay] = drafts(material, videos=1, plans=("several",), needles=(3, 3))
    assert hidden(plain) == [] and "events" not in plain.rows
    assert hay.duration_s == plain.duration_s + 3.0
    added = {n.span.start_s for n in hidden(hay)}
    words = {r["word"]: r["start_s"] for r in plain.rows["words"][:3]}
    for row in hay.rows["words"][:3]:
        before = sum(a <= row["start_s"] for a in added)
        assert row["start_s"] == pytest.approx(words[row["word"]] + before, abs=1e-6)
    assert {"shots", "speech", "captions", "tracks", "edits"} <= set(hay.rows)


def test_depths_are_even_and_repeated_needles_repeat(material):
    found = drafts(material, videos=30, plans=("several", "repeated"), needles=(2, 2), hold_s=10.0, min_duration_s=120)
    depths = [n.depth for d in found for n in hidden(d)]
    counts = np.histogram(depths, bins=10, range=(0, 1))[0]
    assert len(depths) == 60 and counts.min() >= 4 and counts.max() <= 8
    for draft in found[1::2]:
        assert len({n.text for n in hidden(draft)}) == 1
    assert len({d.digest for d in found}) == 30


def test_a_frame_of_other_footage_is_described_as_it_was_there(material, tmp_path):
    [draft] = drafts(material, videos=1, plans=("one",), insert=("own_frame",))
    [needle] = hidden(draft)
    told = needle.text.removeprefix("a frame in which ")
    donor = next(m for m in material if any(c["text"] == told for c in m.rows["captions"]))
    assert needle.text not in needle.others and "reads" in told and len(draft.sources) == 2
    shown = frames_of(draft, tmp_path)[needle.index + 1]
    event = next(c for c in donor.rows["captions"] if c["text"] == told)
    there = [f.rgb_at(96, 54) for f in VideoReader(donor.path)][round((event["start_s"] + event["end_s"]) * 5)]
    assert np.abs(shown.astype(int) - there).mean() < 12


def test_films_of_different_pools_share_no_footage(material):
    found = drafts(material, videos=6, plans=("one",), min_duration_s=5.0)
    used = [{m.media_id for m in d.sources} for d in found]
    assert all(len(u) == 1 for u in used) and used[0] != used[1] and used[0] == used[2]


def test_what_cannot_be_hidden_is_said(material):
    with pytest.raises(ComposeError, match="do not fit"):
        drafts(material, videos=1, plans=("several",), needles=(20, 20), gap_s=5.0)
    with pytest.raises(ComposeError, match="two videos"):
        drafts(material[:1], videos=1, plans=("one",), insert=("own_frame",))
