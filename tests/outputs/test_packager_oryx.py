"""oryx packages: pictures lie in patch files, and cumulative sizes find them again byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from chronotope.engine.media.decode import VideoReader
from chronotope.outputs.packaging import package
from chronotope.schemas.sample import MediumRef, Turn


def read_back(out: Path, place: dict[str, Any]) -> list[bytes]:
    """As DATA.md says: `start_num` is the first byte, sizes add up."""
    data = (out / place["patch"]).read_bytes()
    sizes = place["size"] if isinstance(place["size"], list) else [place["size"]]
    ends = [place["start_num"] + int(n) for n in np.cumsum(sizes)]
    return [data[a:b] for a, b in zip([place["start_num"], *ends], ends, strict=False)]


def is_red(jpeg: bytes) -> bool:
    blue, _, red = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).mean(axis=(0, 1))
    return bool(red > blue)


def test_cumulative_sizes_give_the_pictures_back(world: Any, films: Any, make: SimpleNamespace) -> None:
    medium = world.film(films.silent)
    world.sample(make.grounding(medium))
    world.sample(make.grounding(medium, question="<video>\nFrom when to when is the picture red?"))  # the same pictures
    other = (MediumRef(media_id=medium, start_s=20.0, end_s=32.0),)
    world.sample(make.choice(medium, 1, media=other))
    still = (MediumRef(media_id=medium, kind="image", start_s=23.0, end_s=23.0, frame_times=(23.0,)),)
    turns = (Turn(role="user", text="<image>\nWhich?\n<options>"), Turn(role="assistant", text="<answer>"))
    world.sample(make.choice(medium, 2, media=still, turns=turns))
    two = (*still, still[0].model_copy(update={"start_s": 12.0, "end_s": 12.0, "frame_times": (12.0,)}))
    world.sample(make.choice(medium, 3, media=two, turns=(turns[0].model_copy(update={"text": "<image@1>, <image@2>: which?\n<options>"}), turns[1])))  # fmt: skip
    with world.catalog() as catalog:
        first = package(catalog, "oryx", {"patch_mb": 0.03}, world.root / "packages/p")
        again = package(catalog, "oryx", {"patch_mb": 0.03}, world.root / "packages/q")
        cut = package(catalog, "llava", {}, world.root / "packages/cut").path
    out = first.path
    assert first.packaged == 4 and sum(first.left_out.values()) == 1, "two stills have no place in the format"
    rows = json.loads((out / "train.json").read_text())
    files = sorted(p for p in out.rglob("*") if p.is_file() and p.name not in ("package.json", "README.md"))
    assert [p.read_bytes() for p in files] == [(again.path / p.relative_to(out)).read_bytes() for p in files]
    assert not (out / "media").exists()

    videos = {row["id"]: row["video"] for row in rows if "video" in row}
    cuts = {row["id"]: cut / row["video"] for row in json.loads((cut / "train.json").read_text()) if "video" in row}
    assert set(videos) == set(cuts) and len(videos) == 3
    for name, place in videos.items():
        wanted = [
            f.jpeg(4096, 90)[0] for k, f in enumerate(VideoReader(cuts[name])) if k % 25 == 0
        ]  # one a second of 25
        assert read_back(out, place) == wanted and all(isinstance(n, int) for n in place["size"])
    twenty = [p for p in videos.values() if len(p["size"]) == 20]
    assert len(twenty) == 2 and twenty[0] == twenty[1], "what two samples show is stored once"
    assert [k for k, jpeg in enumerate(read_back(out, twenty[0])) if is_red(jpeg)] == [12, 13]
    (image,) = (row["image"] for row in rows if "image" in row)
    stored = next(
        row["image"] for row in json.loads((cut / "train.json").read_text()) if isinstance(row.get("image"), str)
    )
    assert isinstance(image["size"], int) and read_back(out, image) == [(cut / stored).read_bytes()]
    assert all(row["conversations"][0]["value"].count("<image>") == 1 for row in rows)

    patches = sorted((out / "patches/train").iterdir())
    assert len(patches) >= 2, "patch files are bounded"
    for patch in patches:  # no byte twice, none between
        places = {(p["start_num"], sum(s) if isinstance(s := p["size"], list) else s) for r in rows for p in [r.get("video") or r["image"]] if p["patch"] == f"patches/train/{patch.name}"}  # fmt: skip
        assert sum(size for _, size in places) == patch.stat().st_size
    pictures = 20 + 12 + 1
    assert f"{pictures} JPEG pictures in {len(patches)} patch files" in (out / "README.md").read_text()
    shifted = {**twenty[0], "start_num": twenty[0]["start_num"] + 1}  # planted fault: an offset that is wrong by a byte
    assert read_back(out, shifted) != read_back(out, twenty[0])
