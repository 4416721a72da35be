"""avicuna_pu_valor (row 54): boundaries are sums of lengths, and are found there in the decoded pictures and sound."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from chronotope.annotators.composers.join import clusters_of
from chronotope.engine.composing_parts import parts_of
from chronotope.engine.media.decode import VideoReader
from chronotope.engine.media.hashing import media_id_of
from chronotope.engine.media.timeline import read_timeline
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.ids import derive_id
from chronotope.schemas.matching import alike_descriptions
from chronotope.schemas.timecodec import time_codec
from long_footage import files_in, material_in, pictures_of, rows_in, samples_in, source_in

SMALL = {"CHRONOTOPE_VIDEOS": 3, "CHRONOTOPE_WIDTH": 96}
FPS = 12
"""Of the films and of what is made of them."""


def boundaries(edits, scaled=True):
    """Where pieces end by concatenation: whole frames of what each piece shows, at its own speed."""
    at, found = 0, []
    for e in edits:
        rate = 1 / e["time_scale"] if scaled else 1.0
        at += int((e["end_s"] - e["start_s"]) / rate * FPS + 0.02)
        found.append(at / FPS)
    return found


def test_boundaries_are_sums_and_stand_in_the_pictures(build, films):
    joined = build("avicuna_pu_valor", **SMALL)
    assert verify_root(joined).problems == []
    sources = {media_id_of(p): pictures_of(p) for p in sorted(films.glob("*.mp4"))}
    wrong = 0
    for media_id, path in files_in(joined).items():
        edits = sorted(rows_in(joined, "edits", media_id), key=lambda e: e["step"])
        recorded = [e["target_end_s"] for e in edits]
        assert recorded == pytest.approx(boundaries(edits), abs=1e-6)
        # planted fault: spans of clips that were not scaled with their pictures
        wrong += boundaries(edits, scaled=False) != pytest.approx(recorded, abs=1e-6)
        shown = pictures_of(path)
        for before, after in pairwise(edits):
            cut = after["target_start_s"]
            looks = [sources[e["source_media_id"]][round(t * FPS)] for e, t in
                     ((before, before["end_s"] - 1.5 / FPS), (after, after["start_s"]))]  # fmt: skip
            near = [round(cut * FPS) + k for k in (-2, 1)]
            for index, own, other in ((near[0], looks[0], looks[1]), (near[1], looks[1], looks[0])):
                apart = [np.abs(shown[index].astype(int) - p).mean() for p in (own, other)]
                assert apart[0] < apart[1], (path.name, cut, apart)
        facts = read_timeline(path)
        assert abs(facts.audio_end_s - facts.end_s) <= 0.05 and facts.end_s == pytest.approx(recorded[-1], abs=1 / FPS)
        assert len(list(VideoReader(path))) == round(recorded[-1] * FPS)
    assert wrong >= 2
    codec, length = (
        time_codec("relative_tokens_100"),
        {r["media_id"]: r["duration_s"] for r in rows_in(joined, "media")},
    )
    for row in rows_in(joined, "captions"):
        duration = length[row["media_id"]]
        for t in (row["start_s"], min(row["end_s"], duration)):
            assert abs(codec.decode(codec.encode(t, duration), duration) - t) <= duration / 198 + 1e-6
    assert {s.task for s in samples_in(joined)} == {
        "temporal_grounding", "temporal_referring", "dense_caption", "conversation",
    }  # fmt: skip


def test_clips_of_a_cluster_are_described_alike(films, tmp_path, monkeypatch):
    monkeypatch.setenv("CHRONOTOPE_FOOTAGE", str(films))
    source = source_in("avicuna_pu_valor")
    parts = parts_of(material_in(source, tmp_path), (1.5, 20.0), "auto")
    pools = clusters_of(parts, 4, 6, "seed")

    def alike(groups):
        pairs = [alike_descriptions(a.text, b.text) for pool in groups for a, b in combinations(pool, 2)]
        return float(np.mean(pairs))

    mixed = sorted((p for pool in pools for p in pool), key=lambda p: derive_id("mixed", *p.key))
    at = [0, *np.cumsum([len(pool) for pool in pools])]
    within, by_chance = alike(pools), alike([mixed[a:b] for a, b in pairwise(at)])
    print(f"likeness within clusters {within:.2f}, in groups drawn at random {by_chance:.2f}")
    assert within > 1.3 * by_chance
