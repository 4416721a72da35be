"""WebDataset shards, read by the real library."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chronotope.outputs.packaging import package
from chronotope.schemas.sample import MediumRef
from chronotope.schemas.timecodec import time_codec


def read(shards: list[Path]) -> list[dict[str, Any]]:
    import webdataset as wds

    return list(wds.WebDataset([str(s) for s in shards], shardshuffle=False, empty_check=False))


def test_the_library_reads_text_and_video_of_the_same_sample(
    world: Any, films: Any, make: SimpleNamespace, tmp_path: Path
) -> None:
    medium = world.film(films.loud, audio_codec="aac")
    seen = world.sample(make.grounding(medium))
    heard = world.sample(
        make.grounding(medium, needs=("audio",), media=(MediumRef(media_id=medium, start_s=20.0, end_s=30.0),))
    )
    held_out = world.sample(make.choice(medium, 1), split="validation")
    with world.catalog() as catalog:
        out = package(catalog, "webdataset", {}, world.root / "packages/p").path
    assert not (out / "media").exists()
    samples = {s["__key__"]: s for s in read([out / "train-000000.tar"])}
    assert set(samples) == {seen, heard}
    assert [s["__key__"] for s in read([out / "validation-000000.tar"])] == [held_out]
    for key, zero_s in ((seen, 10.0), (heard, 20.0)):
        record = json.loads(samples[key]["json"])
        assert record["files"] == [{"kind": "video", "file": "mp4"}]
        assert record["media"][0]["source_zero_s"] == zero_s
        video = tmp_path / f"{key}.mp4"
        video.write_bytes(samples[key]["mp4"])
        (span,) = time_codec("seconds").find_spans(record["messages"][1]["content"], 20.0)
        red = [i / make.fps for i, is_red in make.redness(video).items() if is_red]
        assert abs(red[0] - span.start_s) <= 0.04 and abs(red[-1] + 0.04 - span.end_s) <= 0.04


def test_stills_are_numbered_in_the_order_of_the_text(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    frames = MediumRef(media_id=medium, kind="image", start_s=20.0, end_s=26.0, frame_times=(21.0, 23.0))
    world.sample(make.choice(medium, 1, media=(frames,)))
    with world.catalog() as catalog:
        out = package(catalog, "webdataset", {}, world.root / "packages/p").path
    (sample,) = read([out / "train-000000.tar"])
    assert {"0.jpg", "1.jpg", "json"} <= set(sample)
    record = json.loads(sample["json"])
    assert record["files"] == [{"kind": "image", "file": "0.jpg"}, {"kind": "image", "file": "1.jpg"}]
    assert "<image><image>" in record["messages"][0]["content"]


def test_shards_keep_their_size_and_hold_every_sample_once(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    ids = {world.sample(make.choice(medium, i)) for i in range(20)}
    with world.catalog() as catalog:
        out = package(catalog, "webdataset", {"shard_mb": 0.06}, world.root / "packages/p").path
    shards = sorted(out.glob("*.tar"))
    assert len(shards) > 3
    assert [s.name for s in shards] == [f"train-{i:06d}.tar" for i in range(len(shards))]
    keys = [s["__key__"] for s in read(shards)]
    assert len(keys) == 20 and set(keys) == ids
    for shard in shards:
        with tarfile.open(shard) as tar:
            assert {(m.mtime, m.uid, m.gid, m.uname) for m in tar} == {(0, 0, 0, "")}
            used = sum(512 + -(-m.size // 512) * 512 for m in tar)
        assert used <= 60_000
