"""COCO, YouTube-VOS, MOT and SAM layouts of the rendered room's pictures and owners."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from chronotope.schemas.masks import box_of, encode_mask
from PIL import Image
from pycocotools import mask as coco

from .numbers import jpg
from .world import World

LEAST = 12
"""Things of fewer pixels are not annotated."""


def things(world: World, frame: int) -> dict[int, Any]:
    """Masks of the things in a picture, by number."""
    owners = world.owners[frame]
    return {n: owners == n for n in range(len(world.labels)) if (owners == n).sum() >= LEAST}


def packed(mask: Any) -> dict[str, Any]:
    """Runs packed into text, as COCO and SAM write them."""
    runs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(mask.shape), "counts": runs["counts"].decode("ascii")}


def box_px(mask: Any) -> list[float]:
    """Left, top, width, height."""
    height, width = mask.shape
    x1, y1, x2, y2 = box_of(mask)
    return [x1 * width, y1 * height, (x2 - x1) * width, (y2 - y1) * height]


def write_coco(world: World, folder: Path) -> int:
    """`instances_val2017.json` and its pictures: every second mask packed, the others runs; one crowd, one polygon."""
    images, annotations = [], []
    for frame, rgb in enumerate(world.pictures[:3]):
        name = f"{frame:012d}.jpg"
        jpg(folder / "val2017" / name, rgb)
        images.append({"id": frame + 1, "file_name": name, "width": rgb.shape[1], "height": rgb.shape[0]})
        for number, mask in things(world, frame).items():
            said = packed(mask) if number % 2 else json.loads(encode_mask(mask))
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": frame + 1, "category_id": number, "bbox": box_px(mask), "iscrowd": 0,
                    "segmentation": said, "area": float(mask.sum()),
                }
            )  # fmt: skip
    count = len(annotations)
    square = [[10.0, 20.0, 60.0, 20.0, 60.0, 80.0, 10.0, 80.0]]
    for crowd in (0, 1):
        annotations.append(
            {
                "id": 900 + crowd, "image_id": 1, "category_id": 0, "bbox": [10, 20, 50, 60], "iscrowd": crowd, "segmentation": square,
            }
        )  # fmt: skip
    categories = [{"id": n, "name": label} for n, label in enumerate(world.labels)]
    told = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances_val2017.json").write_text(json.dumps(told))
    return count


def write_youtube_vos(world: World, root: Path, name: str = "0a1b2c") -> None:
    """A video of every fifth frame with palette masks."""
    for frame, rgb in enumerate(world.pictures):
        jpg(root / "JPEGImages" / name / f"{frame * 5:05d}.jpg", rgb)
        mask = np.zeros(rgb.shape[:2], np.uint8)
        for number, one in things(world, frame).items():
            mask[one] = number + 1
        path = root / "Annotations" / name / f"{frame * 5:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(mask)
        image.putpalette([(7 * i) % 256 for i in range(768)])
        image.save(path)
    objects = {str(n + 1): {"category": label, "frames": []} for n, label in enumerate(world.labels)}
    (root / "meta.json").write_text(json.dumps({"videos": {name: {"objects": objects}}}))


def write_mot(world: World, folder: Path) -> None:
    """A sequence at 14 frames per second; one person that does not count."""
    height, width = world.pictures[0].shape[:2]
    lines = []
    for frame, rgb in enumerate(world.pictures):
        jpg(folder / "img1" / f"{frame + 1:06d}.jpg", rgb)
        for number, mask in things(world, frame).items():
            x, y, w, h = box_px(mask)
            lines.append(f"{frame + 1},{number + 1},{x + 1:g},{y + 1:g},{w:g},{h:g},1,1,0.75")
        lines.append(f"{frame + 1},99,1,1,10,10,0,8,1")
    (folder / "gt").mkdir()
    (folder / "gt" / "gt.txt").write_text("\n".join(lines) + "\n")
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate=14\nseqLength={len(world.pictures)}\nimWidth={width}\n"
        f"imHeight={height}\nimExt=.jpg\n"
    )


def write_sa1b(world: World, folder: Path) -> None:
    """A picture with its masks."""
    jpg(folder / "sa_7.jpg", world.pictures[0])
    height, width = world.pictures[0].shape[:2]
    annotations = [
        {
            "id": 100 + n, "segmentation": packed(mask), "bbox": box_px(mask), "area": int(mask.sum()), "predicted_iou": 0.9,
            "stability_score": 0.97, "point_coords": [[1.0, 2.0]],
        }
        for n, mask in things(world, 0).items()
    ]  # fmt: skip
    image = {"image_id": 7, "width": width, "height": height, "file_name": "sa_7.jpg"}
    (folder / "sa_7.json").write_text(json.dumps({"image": image, "annotations": annotations}))


def write_sav(world: World, folder: Path) -> None:
    """A video of 24 frames per second with masklets at every fourth."""
    from chronotope.annotators.scans.film import write_film

    height, width = world.pictures[0].shape[:2]
    rgb = [p for p in world.pictures for _ in range(4)]
    folder.mkdir(parents=True, exist_ok=True)
    write_film(rgb, [n / 24 for n in range(len(rgb))], len(rgb) / 24, (width, height), 18, folder / "sav_000001.mp4")
    empty = np.zeros((height, width), bool)
    masklet = [
        [packed(things(world, f).get(n, empty)) for n in range(len(world.labels))] for f in range(len(world.pictures))
    ]
    told = {
        "video_id": "sav_000001", "video_width": width, "video_height": height, "video_frame_count": len(rgb),
        "masklet": masklet, "masklet_id": list(range(len(world.labels))), "masklet_type": ["manual"] * len(world.labels),
    }  # fmt: skip
    (folder / "sav_000001_manual.json").write_text(json.dumps(told))
